//! Waiting for a file that another program holds for a moment, as virus scanners on Windows do. Refuses
//! to wait for anything else, and to wait for ever.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{DurableError, fs};

/// The first pause.
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);
/// All pauses together.
const IN_ALL: Duration = Duration::from_secs(10);

/// Renames as [`rename`](fs::rename) does. If another program holds one of the two files, which only
/// Windows forbids, it tries again for 10 seconds; then it is [`DurableError::Held`]. Neither folder is
/// synced.
pub fn rename_patiently(from: &Path, to: &Path) -> Result<(), DurableError> {
    // A folder can't be replaced by a file, however long one waits, and Windows says so by one of the
    // same numbers.
    let is_held = |error: &io::Error| is_held(error) && !to.is_dir();
    let renamed = patiently(|| fs::rename(from, to), is_held, std::thread::sleep);
    renamed.map_err(|failed| match failed {
        Failed::Held(source) => DurableError::Held {
            path: from.into(),
            holder: None,
            source,
        },
        Failed::Other(source) => DurableError::Rename {
            from: from.into(),
            to: to.into(),
            source,
        },
    })
}

/// Opens a file to be read. If another program holds it, which only Windows forbids, it tries again for 10
/// seconds; then it is [`DurableError::Held`].
pub fn open_patiently(path: &Path) -> Result<std::fs::File, DurableError> {
    let opened = patiently(|| std::fs::File::open(path), is_held, std::thread::sleep);
    opened.map_err(|failed| match failed {
        Failed::Held(source) => DurableError::Held {
            path: path.into(),
            holder: None,
            source,
        },
        Failed::Other(source) => DurableError::Read {
            path: path.into(),
            source,
        },
    })
}

#[derive(Debug)]
enum Failed {
    /// To the last try another program held the file.
    Held(io::Error),
    Other(io::Error),
}

/// Tries until it works, until it fails for another reason, or until the pauses are used up.
fn patiently<T>(
    mut attempt: impl FnMut() -> io::Result<T>,
    is_held: impl Fn(&io::Error) -> bool,
    mut pause: impl FnMut(Duration),
) -> Result<T, Failed> {
    let mut pauses = Pauses::new(FIRST, LONGEST, IN_ALL);
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if !is_held(&error) => return Err(Failed::Other(error)),
            Err(error) => match pauses.next() {
                Some(length) => pause(length),
                None => return Err(Failed::Held(error)),
            },
        }
    }
}

/// Pauses that double up to the longest one, and together are as long as was allowed.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    next: Duration,
    longest: Duration,
    left: Duration,
}

impl Pauses {
    pub(crate) fn new(first: Duration, longest: Duration, in_all: Duration) -> Self {
        Self {
            next: first,
            longest,
            left: in_all,
        }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next.min(self.left);
        self.next = self.next.saturating_mul(2).min(self.longest);
        self.left -= pause;
        (!pause.is_zero()).then_some(pause)
    }
}

fn is_held(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error().is_some_and(is_held_on_windows)
}

/// Whether Windows means by this number that somebody has the file open: access denied, sharing
/// violation, lock violation (system error codes 5, 32 and 33).
fn is_held_on_windows(code: i32) -> bool {
    matches!(code, 5 | 32 | 33)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    fn held() -> io::Error {
        io::Error::from_raw_os_error(32)
    }

    fn is_32(error: &io::Error) -> bool {
        error.raw_os_error() == Some(32)
    }

    #[test]
    fn pauses_double_stay_below_the_longest_and_end_at_ten_seconds() {
        let pauses: Vec<u128> = Pauses::new(FIRST, LONGEST, IN_ALL)
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000, 850]);
        assert_eq!(pauses.iter().sum::<u128>(), IN_ALL.as_millis());
    }

    #[test]
    fn a_file_that_is_let_go_is_renamed_and_one_that_is_not_is_named() {
        for (held_for, expected) in [(0, Ok(0)), (3, Ok(3)), (10, Ok(10)), (11, Err(10))] {
            let (mut tries, mut pauses) = (0, 0);
            let outcome = patiently(
                || {
                    tries += 1;
                    if tries > held_for { Ok(()) } else { Err(held()) }
                },
                is_32,
                |_| pauses += 1,
            );
            match outcome {
                Ok(()) => assert_eq!(Ok(pauses), expected, "{held_for}"),
                Err(Failed::Held(_)) => assert_eq!(Err(pauses), expected, "{held_for}"),
                Err(Failed::Other(error)) => panic!("{held_for}: {error}"),
            }
        }
    }

    #[test]
    fn any_other_error_is_told_at_once() {
        let outcome = patiently(
            || Err::<(), _>(io::ErrorKind::NotFound.into()),
            is_32,
            |_| panic!("it waited"),
        );
        assert!(matches!(outcome, Err(Failed::Other(_))));
    }

    #[test]
    fn only_three_numbers_of_windows_mean_that_a_file_is_held() {
        let held: Vec<i32> = (0..200).filter(|code| is_held_on_windows(*code)).collect();
        assert_eq!(held, [5, 32, 33]);
    }

    #[test]
    fn opens_and_says_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(matches!(open_patiently(&path), Err(DurableError::Read { .. })));
        std::fs::write(&path, "bytes").unwrap();
        assert_eq!(open_patiently(&path).unwrap().metadata().unwrap().len(), 5);
    }

    #[test]
    fn renames_and_says_what_could_not_be_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, "bytes").unwrap();
        rename_patiently(&from, &to).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"bytes");
        assert!(matches!(
            rename_patiently(&from, &to),
            Err(DurableError::Rename { .. })
        ));
    }
}
