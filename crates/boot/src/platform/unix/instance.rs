//! The socket on which a second launcher reaches the first. Refuses to know what is said.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::short_path::short;
use crate::BootError;

/// Accepts connections. The socket's name is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

/// Listens. The caller holds the lock that makes it the only one, so a socket that is there is a leftover.
pub(crate) fn listen(path: &Path) -> Result<Listener, BootError> {
    let fail = |source| BootError::Socket {
        path: path.to_owned(),
        source,
    };
    match moult_durable::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let short = short(path).map_err(fail)?;
    let socket = moult_durable::fs::bind_by(path, &short.path).map_err(fail)?;
    moult_durable::fs::set_mode(path, 0o600).map_err(fail)?;
    Ok(Listener {
        socket,
        path: path.to_owned(),
    })
}

impl Listener {
    /// Waits for the next connection; reading and writing on it fail after `limit`.
    pub(crate) fn accept(&self, limit: Duration) -> io::Result<UnixStream> {
        let (stream, _) = self.socket.accept()?;
        limited(stream, limit)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: self.socket.try_clone()?,
            path: PathBuf::new(),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = moult_durable::fs::remove_file(&self.path);
        }
    }
}

/// Connects to the first launcher; reading and writing fail after `limit`.
pub(crate) fn connect(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let short = short(path)?;
    limited(UnixStream::connect(&short.path)?, limit)
}

fn limited(stream: UnixStream, limit: Duration) -> io::Result<UnixStream> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    Ok(stream)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_its_user_can_connect_and_long_paths_work() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(100)).join("ä ".repeat(40));
        fs::create_dir_all(&long).unwrap();
        for folder in [folder.path(), &long] {
            let path = folder.join("launcher.sock");
            fs::write(&path, "a leftover").unwrap();
            let listener = listen(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            connect(&path, Duration::from_secs(5)).unwrap();
            listener.accept(Duration::from_secs(5)).unwrap();
            drop(listener);
            assert!(!path.exists());
        }
    }
}
