//! A copy of a folder as it is at one moment, for tests that look at the disk between two changes. No
//! product code copies folders. Refuses to count: these calls are never points.

use std::fs;
use std::io;
use std::path::Path;

/// Copies a folder with all below it: files with their modes, folders, links, and the names of sockets.
/// `to` and what is above it are made.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        } else {
            copy_special(&source, &target, kind)?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())
}

#[cfg(unix)]
fn copy_special(from: &Path, to: &Path, kind: fs::FileType) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    #[cfg(target_os = "linux")]
    if kind.is_socket() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        return Ok(mknodat(CWD, to, FileType::Socket, Mode::RUSR | Mode::WUSR, 0)?);
    }
    let _ = kind.is_socket();
    Ok(())
}

#[cfg(not(unix))]
fn copy_special(_from: &Path, _to: &Path, _kind: fs::FileType) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn copies_files_modes_folders_links_and_sockets() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("copies/1"));
        fs::create_dir_all(from.join("a/empty")).unwrap();
        fs::write(from.join("a/run"), "bytes").unwrap();
        fs::set_permissions(from.join("a/run"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(from.join("a/empty"), fs::Permissions::from_mode(0o700)).unwrap();
        symlink("nowhere", from.join("link")).unwrap();
        let _listener = UnixListener::bind(from.join("socket")).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(fs::read(to.join("a/run")).unwrap(), b"bytes");
        let mode = |path: &str| fs::metadata(to.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a/run"), mode("a/empty")), (0o755, 0o700));
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("nowhere"));
        let socket = fs::symlink_metadata(to.join("socket"));
        assert_eq!(
            socket.is_ok_and(|data| data.file_type().is_socket()),
            cfg!(target_os = "linux")
        );
    }
}
