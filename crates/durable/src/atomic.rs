//! Replacing a file whole, and making names last. Refuses to know what the bytes mean.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::normal::LEFTOVER_SUFFIX;
use crate::patience::rename_patiently;
use crate::{DurableError, fs};

/// Replaces `path` by `bytes`: after any interruption it holds either the old bytes or all the new ones.
///
/// The bytes go to a new file beside it, which is synced and renamed over it; then the folder is
/// synced. The folder must exist. If this fails, the file beside it is removed, and `path` is as it
/// was; only where the last step fails ([`DurableError::Sync`] with the folder's path) it may hold
/// the new bytes already. A kill or a power cut can leave the file beside it (see
/// [`remove_leftovers`]).
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    replace(path, bytes, None)
}

/// As [`write_atomic`], and the file has this mode from its first moment: a secret is never readable for others, and a
/// program is never there without being one. Systems without modes ignore it.
pub fn write_atomic_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DurableError> {
    replace(path, bytes, Some(mode))
}

fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), DurableError> {
    let new = unused_sibling(path)?;
    let written = write_new(&new, bytes, mode).and_then(|()| rename_patiently(&new, path));
    if written.is_err() {
        // The first error is the one worth telling; a leftover does no harm.
        let _ = fs::remove_file(&new);
    }
    written?;
    sync_dir(&parent_of(path))
}

/// Creates a folder and those above it that are missing, and syncs each new folder's parent, so
/// that a power cut can't take a folder away again under files that were synced into it.
pub fn create_dir_all(path: &Path) -> Result<(), DurableError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    match fs::make_folder(path) {
        Ok(()) => sync_dir(&parent_of(path)),
        // Somebody else was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(source) => Err(DurableError::CreateDirectory {
            path: path.into(),
            source,
        }),
    }
}

/// Renames a file or folder within one volume, replacing a file of the new name, and syncs the
/// folders that it left and entered. Where another program holds the file it is patient
/// ([`rename_patiently`]).
pub fn rename(from: &Path, to: &Path) -> Result<(), DurableError> {
    rename_patiently(from, to)?;
    let (left, entered) = (parent_of(from), parent_of(to));
    sync_dir(&entered)?;
    if left == entered { Ok(()) } else { sync_dir(&left) }
}

/// Waits until a file's bytes are on the disk.
pub fn sync_file(path: &Path) -> Result<(), DurableError> {
    fs::sync_file(path).map_err(|source| DurableError::Sync {
        path: path.into(),
        source,
    })
}

/// Waits until a folder's names are on the disk. Does nothing on Windows, and on file systems that
/// know no such request.
pub fn sync_dir(path: &Path) -> Result<(), DurableError> {
    fs::sync_folder(path).map_err(|source| DurableError::Sync {
        path: path.into(),
        source,
    })
}

/// Removes what interrupted calls of [`write_atomic`] left in a folder, in the order of their names, and
/// tells how many files that were. The caller must be the only one that writes to the folder, by holding
/// a lock.
pub fn remove_leftovers(directory: &Path) -> Result<usize, DurableError> {
    let read = |source| DurableError::Read {
        path: directory.into(),
        source,
    };
    let mut leftovers = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let is_leftover = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().ends_with(LEFTOVER_SUFFIX.as_bytes()));
        if is_leftover {
            leftovers.push(path);
        }
    }
    leftovers.sort_unstable();
    let removed = leftovers.len();
    for path in leftovers {
        fs::remove_file(&path).map_err(|source| DurableError::Remove { path, source })?;
    }
    Ok(removed)
}

fn write_new(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), DurableError> {
    // `create_new` never follows a link that somebody put there.
    let created = match mode {
        Some(mode) => fs::create_new_with_mode(path, mode),
        None => fs::create_new(path),
    };
    let mut file = created.map_err(|source| DurableError::Create {
        path: path.into(),
        source,
    })?;
    file.write_all(bytes).map_err(|source| DurableError::Write {
        path: path.into(),
        source,
    })?;
    file.sync().map_err(|source| DurableError::Sync {
        path: path.into(),
        source,
    })
}

/// A name beside `path` that no other thread or process uses.
pub(crate) fn unused_sibling(path: &Path) -> Result<PathBuf, DurableError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| DurableError::NoFileName { path: path.into() })?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut sibling = OsString::from(".");
        sibling.push(name);
        sibling.push(OsStr::new(&format!(
            ".{}-{number}{LEFTOVER_SUFFIX}",
            std::process::id()
        )));
        let sibling = path.with_file_name(sibling);
        // A process that was killed may have had this one's number.
        if std::fs::symlink_metadata(&sibling).is_err() {
            return Ok(sibling);
        }
    }
}

pub(crate) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        Some(_) => PathBuf::from("."),
        None => path.into(),
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::fs;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        for bytes in [&b"first"[..], b"", b"a longer third"] {
            write_atomic(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(names(folder.path()), ["record"]);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        // A folder with content in the file's place: the rename is what fails.
        let path = folder.path().join("record");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), "x").unwrap();
        assert!(matches!(
            write_atomic(&path, b"new"),
            Err(DurableError::Rename { .. })
        ));
        assert_eq!(names(folder.path()), ["record"]);
        assert_eq!(names(&path), ["kept"]);
    }

    #[test]
    fn a_missing_folder_and_a_missing_name_are_their_own_errors() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/record");
        assert!(matches!(
            write_atomic(&missing, b""),
            Err(DurableError::Create { .. })
        ));
        assert!(matches!(
            write_atomic(Path::new("/"), b""),
            Err(DurableError::NoFileName { .. })
        ));
    }

    #[test]
    fn many_writers_of_one_file_never_mix_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        std::thread::scope(|scope| {
            for writer in 0_u8..4 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..10 {
                        write_atomic(path, &vec![writer; 10_000]).unwrap();
                        let seen = fs::read(path).unwrap();
                        assert_eq!(seen.len(), 10_000);
                        assert!(seen.iter().all(|byte| *byte == seen[0]));
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["record"]);
    }

    #[test]
    fn leftovers_are_removed_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let leftover = unused_sibling(&folder.path().join("record")).unwrap();
        fs::write(leftover, "half").unwrap();
        fs::write(folder.path().join("record"), "whole").unwrap();
        assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
        assert_eq!(names(folder.path()), ["record"]);
    }

    #[test]
    fn folders_are_created_once_and_a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_dir_all(&deep).unwrap();
        create_dir_all(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(deep.join("file"), "").unwrap();
        let error = create_dir_all(&deep.join("file/below"));
        assert!(matches!(error, Err(DurableError::CreateDirectory { .. })));
    }

    #[test]
    fn renames_files_and_folders_between_folders() {
        let folder = tempfile::tempdir().unwrap();
        create_dir_all(&folder.path().join("staging/slot")).unwrap();
        create_dir_all(&folder.path().join("versions")).unwrap();
        rename(
            &folder.path().join("staging/slot"),
            &folder.path().join("versions/1"),
        )
        .unwrap();
        assert!(folder.path().join("versions/1").is_dir());
        assert!(names(&folder.path().join("staging")).is_empty());
        let gone = rename(&folder.path().join("staging/slot"), &folder.path().join("x"));
        assert!(matches!(gone, Err(DurableError::Rename { .. })));
    }

    #[test]
    fn syncs_files_and_folders_and_says_which_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(matches!(sync_file(&path), Err(DurableError::Sync { path: named, .. }) if named == path));
        fs::write(&path, "x").unwrap();
        sync_file(&path).unwrap();
        sync_dir(folder.path()).unwrap();
    }
}
