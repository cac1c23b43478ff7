//! `moult widget check`: looks a built widget over.

use std::path::Path;

use super::Context;
use crate::PublishError;
use crate::bundle_folder::Packed;
use crate::cli::WidgetCheckArgs;
use crate::widget::check::{Checked, check};
use crate::widget::project::Project;

pub(super) fn run(context: &Context, args: &WidgetCheckArgs) -> Result<(), PublishError> {
    let (checked, _) = faultless(context, &args.folder)?;
    context.output.report(&checked)
}

/// What was found of a widget without faults, and its bundle. Of one with faults all that was found is printed.
pub(super) fn faultless(context: &Context, folder: &Path) -> Result<(Checked, Packed), PublishError> {
    let (checked, packed) = check(&Project::open(folder)?)?;
    if let Some(packed) = packed {
        return Ok((checked, packed));
    }
    if !context.output.is_json() {
        context.output.report(&checked)?;
    }
    Err(PublishError::Faulty {
        folder: folder.to_owned(),
        checked: Box::new(checked),
    })
}
