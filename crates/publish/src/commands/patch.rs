//! `moult patch`: makes, applies and looks into a patch between any two files.

use super::Context;
use crate::PublishError;
use crate::cli::{PatchApplyArgs, PatchCommand, PatchDiffArgs, PatchInspectArgs};
use crate::interrupt::Interrupt;
use crate::patch_file::{Apply, apply, look_into, make};
use crate::progress::Progress;

pub(super) fn run(context: &Context, command: &PatchCommand) -> Result<(), PublishError> {
    match command {
        PatchCommand::Diff(args) => diff(context, args),
        PatchCommand::Apply(args) => apply_patch(context, args),
        PatchCommand::Inspect(args) => inspect(context, args),
    }
}

fn diff(context: &Context, args: &PatchDiffArgs) -> Result<(), PublishError> {
    let progress = if context.output.is_json() {
        Progress::hidden()
    } else {
        Progress::on_terminal()
    };
    let files = [&*args.old, &*args.new, &*args.patch];
    let made = make(files, args.force, &progress, &Interrupt::watch())?;
    drop(progress);
    context.output.report(&made)
}

fn apply_patch(context: &Context, args: &PatchApplyArgs) -> Result<(), PublishError> {
    let progress = if context.output.is_json() {
        Progress::hidden()
    } else {
        Progress::without_thread()
    };
    let task = Apply {
        old: &args.old,
        patch: &args.patch,
        out: &args.out,
        may_replace: args.force,
        size: args.size,
        digest: args.sha256,
    };
    let applied = apply(&task, &progress, &Interrupt::watch())?;
    drop(progress);
    context.output.report(&applied)
}

fn inspect(context: &Context, args: &PatchInspectArgs) -> Result<(), PublishError> {
    let contents = look_into(&args.patch, args.old.as_deref())?;
    context.output.report(&contents)
}
