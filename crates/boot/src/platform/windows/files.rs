//! Who owns a file and who may write it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_ADD_FILE, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_TRAVERSE, READ_CONTROL,
};

use super::access;
use super::security::{self, Descriptor};
use crate::BootError;
use crate::place::Owner;

/// Takes a folder from all others, if it is ours to take. One of somebody else stays as it is, and is
/// refused where it matters. A folder that nobody else can write stays as it is too: what is in a user's
/// own profile is private already.
pub(crate) fn make_private(folder: &Path) -> Result<(), BootError> {
    let fail = |source| BootError::Permissions {
        path: folder.to_owned(),
        source,
    };
    let user = security::user().map_err(fail)?;
    let facts = open(folder)
        .and_then(|open| security::facts_of_file(&open))
        .map_err(fail)?;
    if facts.owner == user && access::objection(&facts, &user).is_some() {
        let list = Descriptor::of(&access::private(&user)).map_err(fail)?;
        security::set_list(folder, &list).map_err(fail)?;
    }
    Ok(())
}

/// What is a program is told by its name here.
#[expect(clippy::unnecessary_wraps, reason = "the shape is that of the other systems")]
pub(crate) fn make_executable(_file: &Path) -> Result<(), BootError> {
    Ok(())
}

/// Succeeds if this is a file of this user that nobody else can write.
pub(crate) fn check_own_file(file: &Path) -> Result<(), BootError> {
    if look(file)?.is_file() {
        check(file)
    } else {
        Err(not_ours(file, "it is not a file"))
    }
}

/// Succeeds if this is a folder of this user that nobody else can write.
pub(crate) fn check_own_folder(folder: &Path) -> Result<(), BootError> {
    if look(folder)?.is_dir() {
        check(folder)
    } else {
        Err(not_ours(folder, "it is not a folder"))
    }
}

/// Whose a folder is, and whether this process may write it. What can't be seen counts as somebody else's.
pub(crate) fn ownership(folder: &Path) -> (Owner, bool) {
    let facts = open(folder).and_then(|open| security::facts_of_file(&open));
    let owner = match (facts, security::user()) {
        (Ok(facts), Ok(user)) => access::owner(&facts, &user),
        _ => Owner::Other,
    };
    // The system's own answer: it knows read-only volumes and all the groups of this user.
    let writable = OpenOptions::new()
        .access_mode(FILE_ADD_FILE | FILE_TRAVERSE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(folder)
        .is_ok();
    (owner, writable)
}

/// Does not follow links and junctions: one could be turned elsewhere after the check.
fn look(path: &Path) -> Result<fs::Metadata, BootError> {
    fs::symlink_metadata(path).map_err(|source| read_error(path, source))
}

fn check(path: &Path) -> Result<(), BootError> {
    let facts = open(path)
        .and_then(|open| security::facts_of_file(&open))
        .map_err(|source| read_error(path, source))?;
    let user = security::user().map_err(|source| read_error(path, source))?;
    match access::objection(&facts, &user) {
        None => Ok(()),
        Some(reason) => Err(not_ours(path, reason)),
    }
}

/// Opens a file or folder for reading its list alone, so that nobody who uses it is in the way.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(READ_CONTROL)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

fn read_error(path: &Path, source: io::Error) -> BootError {
    BootError::Read {
        path: path.to_owned(),
        source,
    }
}

fn not_ours(path: &Path, reason: &'static str) -> BootError {
    BootError::NotOurs {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_all_may_write_is_refused_until_it_is_made_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("open");
        fs::create_dir(&path).unwrap();
        let user = security::user().unwrap();
        let open = Descriptor::of(&format!("D:P(A;OICI;FA;;;{user})(A;OICI;FA;;;WD)")).unwrap();
        security::set_list(&path, &open).unwrap();
        let refused = check_own_folder(&path);
        assert!(
            matches!(refused, Err(BootError::NotOurs { reason, .. }) if reason == "others may write it"),
            "{refused:?}"
        );
        make_private(&path).unwrap();
        check_own_folder(&path).unwrap();
        assert_eq!(ownership(&path), (Owner::User, true));
        assert_eq!(ownership(&folder.path().join("missing")), (Owner::Other, false));
    }

    #[test]
    fn a_file_is_no_folder_and_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(check_own_folder(&file), Err(BootError::NotOurs { .. })));
        assert!(matches!(
            check_own_file(folder.path()),
            Err(BootError::NotOurs { .. })
        ));
        assert!(matches!(
            check_own_file(&folder.path().join("missing")),
            Err(BootError::Read { .. })
        ));
    }
}
