//! Who owns a file and who may write it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Access;

use crate::BootError;
use crate::place::Owner;

const OTHERS_MAY_WRITE: u32 = 0o022;

/// Takes a folder from all others, if it is ours to take. One of somebody else stays as it is, and is
/// refused where it matters.
pub(crate) fn make_private(folder: &Path) -> Result<(), BootError> {
    let fail = |source| BootError::Permissions {
        path: folder.to_owned(),
        source,
    };
    let data = fs::metadata(folder).map_err(fail)?;
    if data.uid() == own_id() && data.mode() & 0o777 != 0o700 {
        moult_durable::fs::set_mode(folder, 0o700).map_err(fail)?;
    }
    Ok(())
}

/// Lets the owner write a file and everybody run it.
pub(crate) fn make_executable(file: &Path) -> Result<(), BootError> {
    moult_durable::fs::set_mode(file, 0o755).map_err(|source| BootError::Permissions {
        path: file.to_owned(),
        source,
    })
}

/// Succeeds if this is a file of this user that nobody else can write.
pub(crate) fn check_own_file(file: &Path) -> Result<(), BootError> {
    let data = look(file)?;
    if data.is_file() {
        check(file, &data)
    } else {
        Err(not_ours(file, "it is not a file"))
    }
}

/// Succeeds if this is a folder of this user that nobody else can write.
pub(crate) fn check_own_folder(folder: &Path) -> Result<(), BootError> {
    let data = look(folder)?;
    if data.is_dir() {
        check(folder, &data)
    } else {
        Err(not_ours(folder, "it is not a folder"))
    }
}

/// Whose a folder is, and whether this process may write it. What can't be seen counts as somebody else's.
pub(crate) fn ownership(folder: &Path) -> (Owner, bool) {
    let owner = match fs::metadata(folder).map(|data| data.uid()) {
        Ok(id) if id == own_id() => Owner::User,
        Ok(0) => Owner::Administrator,
        Ok(_) | Err(_) => Owner::Other,
    };
    // The system's own answer: it knows read-only volumes and lists of permissions as well.
    let writable = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    (owner, writable)
}

/// Does not follow links: a link could be turned elsewhere after the check.
fn look(path: &Path) -> Result<fs::Metadata, BootError> {
    fs::symlink_metadata(path).map_err(|source| BootError::Read {
        path: path.to_owned(),
        source,
    })
}

fn check(path: &Path, data: &fs::Metadata) -> Result<(), BootError> {
    if data.uid() != own_id() {
        Err(not_ours(path, "it belongs to somebody else"))
    } else if data.mode() & OTHERS_MAY_WRITE != 0 {
        Err(not_ours(path, "others may write it"))
    } else {
        Ok(())
    }
}

fn not_ours(path: &Path, reason: &'static str) -> BootError {
    BootError::NotOurs {
        path: path.to_owned(),
        reason,
    }
}

fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}
