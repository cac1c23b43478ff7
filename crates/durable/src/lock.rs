//! A lock on a file, held by one process at a time. Refuses to know what it protects.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::DurableError;

/// A lock that is held. It ends when it is dropped or when its process ends, however it ends:
/// the system keeps it with the open file. The lock file stays, empty; it is never removed, since
/// a process that waits for a removed file would lock something that nobody else sees.
#[derive(Debug)]
#[must_use = "a lock that is dropped is no longer held"]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock as long as it takes. Its folder must exist.
    pub fn acquire(path: &Path) -> Result<Self, DurableError> {
        let file = open(path)?;
        match file.lock() {
            Ok(()) => Ok(Self {
                file,
                path: path.into(),
            }),
            Err(source) => Err(DurableError::Lock {
                path: path.into(),
                source,
            }),
        }
    }

    /// Takes the lock if it is free. `None` means that somebody else holds it, be it in this process.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, DurableError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                file,
                path: path.into(),
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(DurableError::Lock {
                path: path.into(),
                source,
            }),
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do; but a child that was started meanwhile may hold a copy of it.
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> Result<File, DurableError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|source| DurableError::Create {
            path: path.into(),
            source,
        })
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    use super::*;

    const LOCK_FILE: &str = "MOULT_TEST_LOCK_FILE";

    #[test]
    fn only_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::acquire(&path).unwrap();
        assert!(Lock::try_acquire(&path).unwrap().is_none());
        drop(held);
        assert!(Lock::try_acquire(&path).unwrap().is_some());
        assert_eq!(Lock::acquire(&path).unwrap().path(), path);
    }

    #[test]
    fn who_waits_gets_it_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::acquire(&path).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::acquire(&path));
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = Lock::try_acquire(&folder.path().join("missing/lock"));
        assert!(matches!(error, Err(DurableError::Create { .. })));
    }

    #[test]
    fn is_released_when_its_process_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "lock::tests::process_that_holds_a_lock",
                "--ignored",
                "--nocapture",
            ])
            .env(LOCK_FILE, &path)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "locked"));

        assert!(Lock::try_acquire(&path).unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Lock::try_acquire(&path).unwrap().is_some());
    }

    /// The other process of the test above; it needs the lock file's name.
    #[test]
    #[ignore = "is started by another test"]
    #[expect(clippy::print_stderr, reason = "the parent waits for the line")]
    fn process_that_holds_a_lock() {
        let path = std::env::var_os(LOCK_FILE).unwrap();
        let _held = Lock::acquire(Path::new(&path)).unwrap();
        eprintln!("locked");
        // Ends with the parent at the latest.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
}
