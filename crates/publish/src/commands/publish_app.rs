//! `moult publish app`: releases the native executable for one target.

use moult_model::Subject;

use super::Context;
use crate::PublishError;
use crate::cli::AppArgs;
use crate::progress::Progress;
use crate::release::{Artifact, publish};

pub(super) fn run(context: &Context, args: AppArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    workspace.check_target(&args.target)?;
    let path = args
        .executable
        .unwrap_or_else(|| workspace.executable(&args.target));
    let terms = context.terms(args.release)?;
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(PublishError::ExecutableRead { path, source }),
    };
    if bytes.is_empty() {
        return Err(PublishError::ExecutableEmpty { path });
    }
    let file_name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let artifact = Artifact {
        subject: Subject::Executable,
        triple: Some(args.target),
        version: args.version,
        bytes,
        manifest: None,
        file_name,
    };
    let released = publish(&workspace, &artifact, &terms, &Progress::on_terminal())?;
    context.output.report(&released)
}
