//! `moult publish app`: releases the native executable for one target.

use super::Context;
use crate::PublishError;
use crate::cli::AppArgs;
use crate::release;

pub(super) fn run(context: &Context, args: AppArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let terms = context.terms(args.release)?;
    let artifact = release::executable(&workspace, args.version, &args.target, args.executable)?;
    context.publish(&workspace, &[artifact], &terms)
}
