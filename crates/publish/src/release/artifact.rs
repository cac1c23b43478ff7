//! From what was built to what is released.

use std::path::PathBuf;

use moult_model::{Subject, Version};

use super::Artifact;
use crate::config::Workspace;
use crate::{PublishError, bundle_folder};

/// The native executable for a target.
pub fn executable(
    workspace: &Workspace,
    version: Version,
    triple: &str,
    path: Option<PathBuf>,
) -> Result<Artifact, PublishError> {
    workspace.check_target(triple)?;
    let path = path.unwrap_or_else(|| workspace.executable(triple));
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
    Ok(Artifact {
        subject: Subject::Executable,
        triple: Some(triple.to_owned()),
        version,
        bytes,
        manifest: None,
        file_name,
        origin: path,
    })
}

/// The bundle that a built folder becomes.
pub fn bundle(subject: Subject, folder: PathBuf) -> Result<Artifact, PublishError> {
    let packed = bundle_folder::pack(&folder, &subject)?;
    Ok(Artifact {
        subject,
        triple: None,
        version: packed.manifest.version.clone(),
        bytes: packed.bytes,
        manifest: Some(packed.manifest),
        file_name: String::new(),
        origin: folder,
    })
}
