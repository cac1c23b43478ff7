//! `moult publish widget`: packs a built widget and releases it. The shell goes the same way.

use std::path::Path;

use moult_model::Subject;

use super::Context;
use crate::cli::WidgetArgs;
use crate::config::Workspace;
use crate::progress::Progress;
use crate::release::{Artifact, Terms, publish};
use crate::{PublishError, bundle_folder};

pub(super) fn run(context: &Context, args: WidgetArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let folder = match args.folder {
        Some(folder) => folder,
        None => workspace.widget(&args.id)?,
    };
    let terms = context.terms(args.release)?;
    publish_bundle(context, &workspace, Subject::Widget(args.id), &folder, &terms)
}

pub(super) fn publish_bundle(
    context: &Context,
    workspace: &Workspace,
    subject: Subject,
    folder: &Path,
    terms: &Terms,
) -> Result<(), PublishError> {
    let progress = Progress::on_terminal();
    progress.stage("packing");
    let packed = bundle_folder::pack(folder, &subject)?;
    let artifact = Artifact {
        subject,
        triple: None,
        version: packed.manifest.version.clone(),
        bytes: packed.bytes,
        manifest: Some(packed.manifest),
        file_name: String::new(),
    };
    let released = publish(workspace, &artifact, terms, &progress)?;
    drop(progress);
    context.output.report(&released)
}
