//! `moult publish shell`: releases the app's own frontend.

use moult_model::Subject;

use super::{Context, publish_widget};
use crate::PublishError;
use crate::cli::ShellArgs;

pub(super) fn run(context: &Context, args: ShellArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let folder = args.folder.unwrap_or_else(|| workspace.shell());
    let terms = context.terms(args.release)?;
    publish_widget::publish_bundle(context, &workspace, Subject::Shell, &folder, &terms)
}
