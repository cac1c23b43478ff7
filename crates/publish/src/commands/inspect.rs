//! `moult inspect`: says what a file or folder is.

use super::Context;
use crate::cli::InspectArgs;
use crate::{PublishError, inspect};

pub(super) fn run(context: &Context, args: &InspectArgs) -> Result<(), PublishError> {
    context.output.report(&inspect::look_at(&args.path)?)
}
