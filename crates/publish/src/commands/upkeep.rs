//! `moult verify`, `prune`, `diff-report` and `doctor`: the repository as a whole.

use std::fmt;

use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::{DiffReportArgs, DoctorArgs, PruneArgs, VerifyArgs};
use crate::doctor::examine;
use crate::inspect::repository::Repository;
use crate::offer::OfferError;
use crate::progress::Progress;
use crate::prune::{Pruned, loose_files, thin};
use crate::repository::{Open, sign_error};
use crate::verify::Replayed;
use crate::{diff_report, verify as replay};

#[derive(Serialize)]
struct Verified {
    subjects: Vec<Replayed>,
}

pub(super) fn verify(context: &Context, args: &VerifyArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    // Opening verifies every signature from the root on.
    let open = Open::existing(&workspace)?;
    let progress = Progress::on_terminal();
    let minisign = open.keys.minisign_public();
    let mut subjects = Vec::new();
    for index in open.indexes(&workspace)? {
        if args
            .subject
            .as_ref()
            .is_none_or(|subject| *subject == index.subject)
        {
            subjects.push(replay::all(&open.folder, &index, &minisign, &progress)?);
        }
    }
    drop(progress);
    context.output.report(&Verified { subjects })
}

pub(super) fn prune(context: &Context, args: &PruneArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let progress = Progress::on_terminal();
    let mut keep = workspace.config().keep.clone();
    keep.versions = args.versions.unwrap_or(keep.versions);
    keep.days = args.days.unwrap_or(keep.days);
    keep.grace_days = args.grace_days.unwrap_or(keep.grace_days);
    let mut open = if args.dry_run {
        Open::existing(&workspace)?
    } else {
        Open::to_change(&workspace, context.now, &progress)?
    };
    let mut pruned = Pruned {
        dry_run: args.dry_run,
        ..Pruned::default()
    };
    for mut index in open.indexes(&workspace)? {
        let dropped = thin(&mut index, &keep, context.now);
        if !dropped.is_empty() && !args.dry_run {
            open.editor
                .set_index(&index)
                .map_err(sign_error("the index can't be added"))?;
        }
        pruned.releases.extend(dropped);
    }
    if !args.dry_run {
        progress.stage("signing");
        open.editor
            .commit(context.now)
            .map_err(sign_error("the metadata can't be signed"))?;
    }
    let mut referred = Repository::read(&open.folder)?.referred().clone();
    // Clients follow the chain of roots from the one that they know.
    if let Ok(entries) = std::fs::read_dir(open.folder.join("metadata")) {
        let names = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        let roots = names.filter(|name| name == "root.json" || name.ends_with(".root.json"));
        referred.extend(roots.map(|name| format!("metadata/{name}")));
    }
    pruned.files = loose_files(
        &open.folder,
        &referred,
        keep.grace_days,
        context.now,
        args.dry_run,
    )?;
    if !args.dry_run {
        for file in &pruned.files {
            let path = open.folder.join(&file.path);
            moult_durable::fs::remove_file(&path)
                .map_err(|source| moult_durable::DurableError::Remove { path, source })?;
        }
        let removed: Vec<_> = pruned.files.iter().map(|file| file.path.clone()).collect();
        pruned.pushed = open.finish(true, &removed, &progress)?;
    }
    drop(progress);
    context.output.report(&pruned)
}

pub(super) fn diff_report(context: &Context, args: &DiffReportArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let open = Open::existing(&workspace)?;
    let progress = Progress::on_terminal();
    let index = open
        .indexes(&workspace)?
        .into_iter()
        .find(|index| {
            let is_target = args
                .target
                .as_ref()
                .is_none_or(|target| index.triple.as_ref() == Some(target));
            index.subject == args.subject && is_target && index.release(&args.to).is_some()
        })
        .ok_or_else(|| OfferError::UnknownVersion {
            version: args.to.clone(),
            known: Vec::new(),
        })?;
    let report = diff_report::report(&open.folder, &index, [&args.from, &args.to], args.top, &progress)?;
    drop(progress);
    context.output.report(&report)
}

pub(super) fn doctor(context: &Context, args: &DoctorArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let examined = examine(&workspace, context.now, args.deep, args.offline);
    if examined.faults() == 0 {
        return context.output.report(&examined);
    }
    if !context.output.is_json() {
        context.output.report(&examined)?;
    }
    Err(PublishError::Unwell {
        examined: Box::new(examined),
    })
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subjects.is_empty() {
            return f.write_str("nothing is out");
        }
        for subject in &self.subjects {
            writeln!(f, "{subject}")?;
        }
        f.write_str("every signature and every way is right")
    }
}
