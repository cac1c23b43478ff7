//! A path for a socket's address, which has room for about a hundred bytes. Refuses to know what the socket is
//! for.
//!
//! The address may lead to the folder by another way than the path does. On Linux that is the open folder itself;
//! elsewhere it is a link in the user's own temporary folder.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use moult_model::Digest;

/// The longest path that fits into a socket's address on all Unix systems, in bytes.
const LONGEST: usize = 100;

/// A path that fits, and what must stay as long as it is used.
pub(super) struct Short {
    /// The path.
    pub(super) path: PathBuf,
    _folder: Option<OwnedFd>,
}

/// A path that fits and leads to the same place.
pub(super) fn short(path: &Path) -> io::Result<Short> {
    if path.as_os_str().as_bytes().len() <= LONGEST {
        return Ok(Short {
            path: path.to_owned(),
            _folder: None,
        });
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if cfg!(target_os = "linux") {
        let folder = OwnedFd::from(std::fs::File::open(folder)?);
        let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
        return Ok(Short {
            path: Path::new("/proc/self/fd").join(number.to_string()).join(name),
            _folder: Some(folder),
        });
    }
    Ok(Short {
        path: link(&std::env::temp_dir(), folder)?.join(name),
        _folder: None,
    })
}

/// A link in the temporary folder that leads to a folder. It has its name from that folder, so each process
/// finds the same one; one that leads elsewhere is replaced. It stays, as the folder does.
fn link(temporary: &Path, folder: &Path) -> io::Result<PathBuf> {
    let digest = Digest::of(folder.as_os_str().as_bytes()).to_string();
    let link = temporary.join(format!("moult-{}", &digest[..16]));
    if std::fs::read_link(&link).is_ok_and(|leads| leads == folder) {
        return Ok(link);
    }
    match std::fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match std::os::unix::fs::symlink(folder, &link) {
        // Somebody else was quicker, and made the same one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match std::fs::read_link(&link) {
            Ok(leads) if leads == folder => Ok(link),
            _ => Err(error),
        },
        outcome => outcome.map(|()| link),
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_link_leads_to_its_folder_whatever_was_there() {
        let temporary = tempfile::tempdir().unwrap();
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("ä ".repeat(60));
        std::fs::create_dir(&folder).unwrap();
        let first = link(temporary.path(), &folder).unwrap();
        assert_eq!(link(temporary.path(), &folder).unwrap(), first, "made once");
        std::fs::remove_file(&first).unwrap();
        std::os::unix::fs::symlink("/nowhere", &first).unwrap();
        assert_eq!(link(temporary.path(), &folder).unwrap(), first);
        assert_eq!(std::fs::read_link(&first).unwrap(), folder);
        assert_ne!(link(temporary.path(), home.path()).unwrap(), first);

        // The socket is in the folder itself, and both ends find it.
        let short = first.join("launcher.sock");
        assert!(short.as_os_str().len() <= LONGEST, "{}", short.display());
        let _listener = UnixListener::bind(&short).unwrap();
        assert!(folder.join("launcher.sock").exists());
        UnixStream::connect(&short).unwrap();
    }

    #[test]
    fn a_short_path_stays_and_a_long_one_leads_to_the_same_place() {
        assert_eq!(
            short(Path::new("/a/b.sock")).unwrap().path,
            Path::new("/a/b.sock")
        );
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("x".repeat(120));
        std::fs::create_dir(&folder).unwrap();
        let short = short(&folder.join("b.sock")).unwrap();
        assert!(short.path.as_os_str().len() <= LONGEST);
        std::fs::write(&short.path, "x").unwrap();
        assert!(folder.join("b.sock").exists());
    }
}
