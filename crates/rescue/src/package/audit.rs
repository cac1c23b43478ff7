//! The audit log: who asked for which file, and what came of it. Refuses to know why.

use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use moult_durable::fs;
use moult_model::Digest;
use serde_json::json;

use super::{PackageError, System};

/// What was asked for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) caller: u32,
    pub(super) file: &'a Path,
    pub(super) digest: Digest,
}

/// Adds a line. It is on the disk when this returns.
pub(super) fn note(system: &System, request: &Request<'_>, outcome: &str) -> Result<(), PackageError> {
    // As JSON, whatever the caller put into the name stays in one line.
    let line = json!({
        "at": Timestamp::now().to_string(),
        "caller": request.caller,
        "file": request.file.to_string_lossy(),
        "digest": request.digest,
        "outcome": outcome,
    });
    append(&system.audit, &format!("{line}\n")).map_err(|source| PackageError::Audit {
        path: system.audit.clone(),
        source,
    })
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = fs::append(path)?;
    fs::set_mode(path, 0o600)?;
    file.write_all(line.as_bytes())?;
    file.sync()
}
