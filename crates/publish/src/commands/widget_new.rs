//! `moult widget new`: begins a widget in a new folder.

use super::Context;
use crate::PublishError;
use crate::cli::WidgetNewArgs;
use crate::widget::new::begin;

pub(super) fn run(context: &Context, args: WidgetNewArgs) -> Result<(), PublishError> {
    let folder = args.folder.unwrap_or_else(|| args.name.name().into());
    let begun = begin(&args.name, args.template, &folder)?;
    context.output.report(&begun)
}
