//! What a bundle is made of, from the lock file of npm.

use std::path::Path;

use super::{Part, SbomError};
use crate::gate;

/// The packages that may be built into bundles: those for development alone are left out.
pub(super) fn parts(lock_file: &Path) -> Result<Vec<Part>, SbomError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SbomError::Source {
        path: lock_file.to_owned(),
        source,
    };
    let bytes = std::fs::read(lock_file).map_err(|error| failed(error.into()))?;
    let file = serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))?;
    let packages = gate::npm_packages(&file).into_iter();
    Ok(packages
        .map(|package| Part {
            kind: "npm",
            name: package.name,
            version: package.version,
            license: package.license,
            // The lock file has SHA-512 of the packed file; nothing of ours can compare it.
            sha256: None,
            needs: Vec::new(),
        })
        .collect())
}
