//! The socket, or on Windows the pipe, on which a successor reaches the one that runs. Refuses to know
//! what is said on it.

use std::io;
use std::path::Path;
use std::time::Duration;

use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::{Listener as _, Stream as _};

use crate::HandOverError;
use crate::offer::Offer;

/// Accepts connections of this user's processes. Its name is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: interprocess::local_socket::Listener,
    #[cfg(unix)]
    path: std::path::PathBuf,
}

impl Listener {
    /// Waits for the next connection.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        self.listener.accept()
    }

    /// Takes its name away: nobody new finds it.
    pub(crate) fn remove_name(&self) {
        #[cfg(unix)]
        let _ = moult_durable::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
impl Drop for Listener {
    fn drop(&mut self) {
        self.remove_name();
    }
}

/// Listens at an offer's address. The caller has the right to write, so that sockets of other offers are
/// leftovers of processes that crashed.
pub(crate) fn listen(offer: &Offer, data: &Path) -> Result<Listener, HandOverError> {
    let path = offer.name(data);
    system::remove_leftovers(&path);
    system::listen(&path).map_err(|source| HandOverError::Listen {
        name: path.display().to_string(),
        source,
    })
}

/// Connects to the one that listens at an offer's address. Sending on it fails after `limit`.
pub(crate) fn connect(offer: &Offer, data: &Path, limit: Duration) -> Result<Stream, HandOverError> {
    let path = offer.name(data);
    let fail = |source| HandOverError::Connect {
        name: path.display().to_string(),
        source,
    };
    let stream = system::connect(&path).map_err(fail)?;
    limit_sending(&stream, limit).map_err(fail)?;
    Ok(stream)
}

/// Lets sending fail after `limit`, so that a side that stopped can't stop the other one.
///
/// Pipes of Windows know no such limit: there the launcher's watch ends a side that hangs, and with it
/// the connection.
pub(crate) fn limit_sending(stream: &Stream, limit: Duration) -> io::Result<()> {
    match stream.set_send_timeout(Some(limit)) {
        Err(error) if cfg!(windows) && error.kind() == io::ErrorKind::Unsupported => Ok(()),
        result => result,
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::{Path, PathBuf};

    use interprocess::local_socket::traits::Stream as _;
    use interprocess::local_socket::{GenericFilePath, Stream, ToFsName as _};
    use interprocess::os::unix::uds_local_socket;
    use moult_durable::fs;

    use super::Listener;

    /// The longest path that fits into a socket's address on all Unix systems, in bytes.
    const LONGEST_PATH: usize = 100;

    /// The folder is the user's alone, so nobody comes between the two calls.
    pub(super) fn listen(path: &Path) -> io::Result<Listener> {
        let (way, _folder) = short(path)?;
        let listener = fs::bind_by(path, &way)?;
        fs::set_mode(path, 0o600)?;
        Ok(Listener {
            listener: interprocess::local_socket::Listener::UdSocket(uds_local_socket::Listener::from(
                listener,
            )),
            path: path.to_owned(),
        })
    }

    pub(super) fn remove_leftovers(path: &Path) {
        let entries = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("over-") && name.ends_with(".sock") {
                let _ = fs::remove_file(&entry.path());
            }
        }
    }

    pub(super) fn connect(path: &Path) -> io::Result<Stream> {
        let (way, _folder) = short(path)?;
        Stream::connect(way.to_fs_name::<GenericFilePath>()?)
    }

    /// A path that fits into a socket's address: on Linux by way of the open folder, which must stay open.
    fn short(path: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
        if path.as_os_str().as_bytes().len() <= LONGEST_PATH || !cfg!(target_os = "linux") {
            return Ok((path.to_owned(), None));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let folder = OwnedFd::from(std::fs::File::open(parent)?);
        let number = folder.as_raw_fd().to_string();
        Ok((Path::new("/proc/self/fd").join(number).join(name), Some(folder)))
    }
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::path::Path;

    use interprocess::local_socket::traits::Stream as _;
    use interprocess::local_socket::{GenericFilePath, ListenerOptions, Stream, ToFsName as _};
    use interprocess::os::windows::local_socket::ListenerOptionsExt as _;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    use widestring::u16cstr;

    use super::Listener;

    pub(super) fn listen(path: &Path) -> io::Result<Listener> {
        // Protected, and everything for the owner: nobody else connects, not even to read.
        let only_owner = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)"))?;
        let listener = ListenerOptions::new()
            .name(path.to_fs_name::<GenericFilePath>()?)
            .security_descriptor(only_owner)
            .create_sync()?;
        Ok(Listener { listener })
    }

    /// Pipes end with the process that made them.
    pub(super) fn remove_leftovers(_: &Path) {}

    pub(super) fn connect(path: &Path) -> io::Result<Stream> {
        Stream::connect(path.to_fs_name::<GenericFilePath>()?)
    }
}

#[cfg(all(test, unix))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_its_user_can_connect_long_paths_work_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(100)).join("ä ".repeat(40));
        for data in [folder.path(), &long] {
            std::fs::create_dir_all(data.join("run")).unwrap();
            std::fs::write(data.join("run/over-0123456789abcdef.sock"), "a leftover").unwrap();
            let offer = Offer::new().unwrap();
            let path = offer.name(data);
            let listener = listen(&offer, data).unwrap();
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            connect(&offer, data, Duration::from_secs(1)).unwrap();
            listener.accept().unwrap();
            drop(listener);
            assert_eq!(std::fs::read_dir(data.join("run")).unwrap().count(), 0);
            assert!(connect(&offer, data, Duration::from_secs(1)).is_err());
        }
    }
}
