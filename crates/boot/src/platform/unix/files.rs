//! Who owns a file and who may write it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Access;

use crate::BootError;
use crate::place::Owner;

const OTHERS_MAY_WRITE: u32 = 0o022;
/// What macOS marks files with that come from elsewhere. It asks its user before it runs one, and nobody is asked
/// when a launcher starts it.
const QUARANTINE: &str = "com.apple.quarantine";

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
        check(file, &data)?;
        // Moult's own downloads bear no such mark: somebody else put this file here.
        if cfg!(target_os = "macos") && has_attribute(file, QUARANTINE) {
            return Err(not_ours(file, "macOS keeps it in quarantine"));
        }
        Ok(())
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

/// Whether a file bears an extended attribute. One that can't be asked bears none.
fn has_attribute(file: &Path, name: &str) -> bool {
    // A buffer without room asks for the length alone.
    let mut nothing: [u8; 0] = [];
    rustix::fs::lgetxattr(file, name, &mut nothing[..]).is_ok()
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

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_on_a_file_is_seen_and_none_is_imagined() {
        // Beside the test itself: file systems in memory may know no marks.
        let folder = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(!has_attribute(&file, "user.moult"));
        assert!(!has_attribute(&folder.path().join("missing"), "user.moult"));
        let marked = rustix::fs::lsetxattr(&file, "user.moult", b"1", rustix::fs::XattrFlags::empty());
        assert_eq!(has_attribute(&file, "user.moult"), marked.is_ok());
        check_own_file(&file).unwrap();
    }
}
