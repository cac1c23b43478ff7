//! `moult publish all`: releases everything in the configuration that changed, in one step. What is not built is left out.

use moult_model::Subject;

use super::Context;
use crate::PublishError;
use crate::bundle_folder::MANIFEST;
use crate::cli::AllArgs;
use crate::progress::Progress;
use crate::release;

pub(super) fn run(context: &Context, args: AllArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let terms = context.terms(args.release)?;
    let mut artifacts = Vec::new();
    if let Some(version) = &args.version {
        for triple in &workspace.config().targets {
            if workspace.executable(triple).exists() {
                artifacts.push(release::executable(&workspace, version.clone(), triple, None)?);
            }
        }
    }
    let mut folders = vec![(Subject::Shell, workspace.shell())];
    for id in workspace.config().widgets.keys() {
        folders.push((Subject::Widget(id.clone()), workspace.widget(id)?));
    }
    for (subject, folder) in folders {
        if folder.join(MANIFEST).exists() {
            artifacts.push(release::bundle(subject, folder)?);
        }
    }
    let progress = Progress::on_terminal();
    let published = release::publish(&workspace, &artifacts, &terms, &progress);
    drop(progress);
    context.output.report(&context.told(published)?)
}
