//! `moult publish shell`: releases the app's own frontend.

use moult_model::Subject;

use super::Context;
use crate::PublishError;
use crate::cli::ShellArgs;
use crate::release;

pub(super) fn run(context: &Context, args: ShellArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let folder = args.folder.unwrap_or_else(|| workspace.shell());
    let terms = context.terms(args.release)?;
    let artifact = release::bundle(Subject::Shell, folder)?;
    context.publish(&workspace, &[artifact], &terms)
}
