//! The program that runs widget logic: where it lies. A release carries it; a build of a developer finds the one beside it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use moult_model::Digest;

use crate::places::Places;

/// What this build brings along; empty if nothing.
const BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/moult-sandbox"));

/// Finds the program, and lays it out where this build brings it along.
pub(super) fn find(places: &Places) -> anyhow::Result<PathBuf> {
    if !BYTES.is_empty() {
        return lay_out(&places.data.join("logic").join("program"), BYTES);
    }
    let beside = [places.executable.parent(), Some(&*places.install)];
    beside
        .into_iter()
        .flatten()
        .map(|folder| folder.join(file_name()))
        .find(|path| path.is_file())
        .context("this build brings no program for widget logic along, and none lies beside it")
}

fn file_name() -> String {
    format!("moult-sandbox{}", std::env::consts::EXE_SUFFIX)
}

/// Puts the program into a folder under its digest: one version never stands in the way of another that still runs. What
/// lies there already is used only if it is the very same.
fn lay_out(folder: &Path, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let digest = Digest::of(bytes).to_string();
    let own = folder.join(&digest);
    let path = own.join(file_name());
    if !is_program(&path, bytes) {
        moult_durable::create_dir_all(&own)?;
        moult_durable::write_atomic_with_mode(&path, bytes, 0o700)?;
    }
    Ok(path)
}

/// Removes the programs of other versions, once no other version runs beside this one.
pub(super) fn tidy(places: &Places) {
    if !BYTES.is_empty() {
        let digest = Digest::of(BYTES).to_string();
        forget_others(&places.data.join("logic").join("program"), &digest);
    }
}

fn is_program(path: &Path, bytes: &[u8]) -> bool {
    let is_same = std::fs::read(path).is_ok_and(|found| found == bytes);
    #[cfg(unix)]
    let may_run = std::fs::metadata(path).is_ok_and(|found| {
        use std::os::unix::fs::PermissionsExt as _;
        found.permissions().mode() & 0o777 == 0o700
    });
    #[cfg(not(unix))]
    let may_run = true;
    is_same && may_run
}

/// One that still runs stays where the system wants it so.
fn forget_others(folder: &Path, digest: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy() != digest
            && let Err(error) = moult_durable::fs::remove_tree(&entry.path())
        {
            tracing::info!(%error, "the program of another version stays for now");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_program_lies_under_its_digest_whole_and_alone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let old = lay_out(folder.path(), b"old")?;
        let path = lay_out(folder.path(), b"new")?;
        assert_eq!(fs::read(&path)?, b"new");
        assert!(path.to_string_lossy().contains(&Digest::of(b"new").to_string()));
        assert!(old.exists(), "the other version may still run");
        forget_others(folder.path(), &Digest::of(b"new").to_string());
        assert!(!old.exists() && path.exists());
        fs::write(&path, b"of somebody else")?;
        assert_eq!(fs::read(lay_out(folder.path(), b"new")?)?, b"new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o700);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            lay_out(folder.path(), b"new")?;
            assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o700);
        }
        Ok(())
    }
}
