//! `moult publish widget`: packs a built widget and releases it.

use moult_model::Subject;

use super::Context;
use crate::PublishError;
use crate::cli::WidgetArgs;
use crate::release;

pub(super) fn run(context: &Context, args: WidgetArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let folder = match args.folder {
        Some(folder) => folder,
        None => workspace.widget(&args.id)?,
    };
    let terms = context.terms(args.release)?;
    let artifact = release::bundle(Subject::Widget(args.id), folder)?;
    context.publish(&workspace, &[artifact], &terms)
}
