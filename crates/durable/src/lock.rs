//! A lock on a file, held by one process at a time. Refuses to know what it protects.

use std::fs::TryLockError;
use std::path::Path;
use std::time::Duration;

use crate::patience::Pauses;
use crate::{DurableError, fs};

/// The first and the longest pause of who waits for a lock with a limit.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(100)];

/// A lock that is held. It ends when it is dropped or when its process ends, however it ends:
/// the system keeps it with the open file. The lock file stays, empty; it is never removed, since
/// a process that waits for a removed file would lock something that nobody else sees.
#[derive(Debug)]
#[must_use = "a lock that is dropped is no longer held"]
pub struct Lock {
    file: fs::File,
}

impl Lock {
    /// Waits for the lock as long as it takes. Its folder must exist.
    pub fn acquire(path: &Path) -> Result<Self, DurableError> {
        let file = open(path)?;
        match file.lock() {
            Ok(()) => Ok(Self { file }),
            Err(source) => Err(DurableError::Lock {
                path: path.into(),
                source,
            }),
        }
    }

    /// Takes the lock if it is free. `None` means that somebody else holds it, be it in this process.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, DurableError> {
        Self::acquire_pausing(path, Duration::ZERO, std::thread::sleep)
    }

    /// Waits for the lock, but no longer than this. `None` means that somebody else still holds it: a
    /// process that was stopped, say, or that hangs.
    pub fn acquire_within(path: &Path, within: Duration) -> Result<Option<Self>, DurableError> {
        Self::acquire_pausing(path, within, std::thread::sleep)
    }

    /// The system offers no wait with a limit, so this looks again and again.
    fn acquire_pausing(
        path: &Path,
        within: Duration,
        mut pause: impl FnMut(Duration),
    ) -> Result<Option<Self>, DurableError> {
        let file = open(path)?;
        let mut pauses = Pauses::new(PAUSES[0], PAUSES[1], within);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { file })),
                Err(TryLockError::WouldBlock) => match pauses.next() {
                    Some(length) => pause(length),
                    None => return Ok(None),
                },
                Err(TryLockError::Error(source)) => {
                    return Err(DurableError::Lock {
                        path: path.into(),
                        source,
                    });
                }
            }
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do; but a child that was started meanwhile may hold a copy of it.
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> Result<fs::File, DurableError> {
    fs::open_or_create(path).map_err(|source| DurableError::Create {
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
    fn who_waits_with_a_limit_looks_until_it_is_free_or_the_limit_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut held = Some(Lock::acquire(&path).unwrap());
        let mut waited = Duration::ZERO;
        let limit = Duration::from_secs(2);
        let late = Lock::acquire_pausing(&path, limit, |pause| waited += pause);
        assert!(late.unwrap().is_none());
        assert_eq!(waited, limit);

        let mut pauses = 0;
        let in_time = Lock::acquire_pausing(&path, limit, |_| {
            pauses += 1;
            if pauses == 3 {
                held = None;
            }
        });
        assert!(in_time.unwrap().is_some());
        assert_eq!(pauses, 3);
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
