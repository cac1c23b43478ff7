//! The right to write the user's data: one process at a time has it, and it can be handed to another.
//!
//! It is a lock on `run/writer.lock`, and a number in that file that grows each time the right changes
//! hands. What writes asks for a [`WriteRight`], so that a process without it can't. It refuses to know
//! what is written, and how a descriptor travels from one process to the next.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use moult_durable::{DurableError, fs};

use crate::layout::Layout;
use crate::{BootError, platform};

/// How often a right that somebody else has is asked for again.
const PAUSE: Duration = Duration::from_millis(20);
/// The digits of a number in the file. Always as many, so that a later number covers an earlier one.
const DIGITS: usize = 20;

/// The right to write below one data folder. It ends when this is dropped, or with the process.
///
/// On Unix the right is the open file: whoever has the descriptor has the right, also after the
/// process that opened it has gone. The file is never removed.
#[derive(Debug)]
#[must_use = "a right that is dropped is given back"]
pub struct WriteRight {
    /// `None` only while it is taken apart.
    file: Option<File>,
    path: PathBuf,
    generation: u64,
}

impl WriteRight {
    /// Takes the right, waiting for it no longer than `within`. `None`: somebody else still has it.
    ///
    /// A file system that knows no locks is an error; without the right nothing may be written.
    pub fn take(data: &Path, within: Duration) -> Result<Option<Self>, BootError> {
        let layout = Layout::new(data);
        moult_durable::create_dir_all(&layout.run)?;
        platform::make_private(&layout.run)?;
        let path = layout.writer_lock();
        let began = Instant::now();
        loop {
            let file = open(&path)?;
            let taken = try_lock(&file, &path)?;
            // Who waited for a file that was removed meanwhile would hold what nobody else sees.
            if taken && is_at(&file.metadata(), &path) {
                return Self::held(file, path).map(Some);
            }
            let left = within.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            drop(file);
            std::thread::sleep(PAUSE.min(left));
        }
    }

    /// Succeeds if the right is still this one's: the file is in its place, and holds the number that
    /// this one wrote. Whoever writes something that matters asks before.
    pub fn check(&self) -> Result<(), BootError> {
        let lost = || BootError::RightLost {
            path: self.path.clone(),
        };
        let file = self.file.as_ref().ok_or_else(lost)?;
        let same = is_at(&file.metadata(), &self.path)
            && read(file).is_ok_and(|found| found == Some(self.generation));
        if same { Ok(()) } else { Err(lost()) }
    }

    /// How often the right has changed hands so far, this time included.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes the right apart, to be sent to another process. It goes on as long as a copy of the
    /// descriptor is open anywhere: this process must close its own as soon as it is sent.
    #[cfg(unix)]
    pub fn into_descriptor(mut self) -> Result<std::os::fd::OwnedFd, BootError> {
        let file = self.file.take().ok_or_else(|| BootError::RightLost {
            path: self.path.clone(),
        })?;
        Ok(file.into())
    }

    /// The right, from a descriptor that another process sent. Refused: a descriptor of another file,
    /// or one whose right somebody else has by now.
    #[cfg(unix)]
    pub fn from_descriptor(descriptor: std::os::fd::OwnedFd, data: &Path) -> Result<Self, BootError> {
        let path = Layout::new(data).writer_lock();
        let file = fs::File::adopt(descriptor.into(), &path);
        // Where the sender holds the lock this changes nothing: both have the same open file.
        if !is_at(&file.metadata(), &path) || !try_lock(&file, &path)? {
            return Err(BootError::NotTheRight { path });
        }
        Self::held(file, path)
    }

    /// The lock is held; from here on an earlier holder's number is out of date.
    fn held(mut file: fs::File, path: PathBuf) -> Result<Self, BootError> {
        let write = |source| DurableError::Write {
            path: path.clone(),
            source,
        };
        let generation = read(&mut file).map_err(write)?.unwrap_or(0).saturating_add(1);
        let line = format!("{generation:0DIGITS$}\n");
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(line.as_bytes()))
            .map_err(write)?;
        Ok(Self {
            file: Some(file.into_std()),
            path,
            generation,
        })
    }
}

impl Drop for WriteRight {
    fn drop(&mut self) {
        // Closing it would do; but a child that is being started just now may hold a copy.
        if let Some(file) = &self.file {
            let _ = file.unlock();
        }
    }
}

fn open(path: &Path) -> Result<fs::File, BootError> {
    fs::open_or_create(path).map_err(|source| {
        BootError::Durable(DurableError::Create {
            path: path.into(),
            source,
        })
    })
}

fn try_lock(file: &fs::File, path: &Path) -> Result<bool, BootError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(BootError::Durable(DurableError::Lock {
            path: path.into(),
            source,
        })),
    }
}

/// The number in the file; `None` if there is none, or none that can be read.
fn read(mut file: impl io::Read + io::Seek) -> io::Result<Option<u64>> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    // Bytes that are no text are no number either.
    match file.take(DIGITS as u64).read_to_string(&mut text) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
        Ok(_) => Ok(text.parse().ok()),
    }
}

/// Whether an open file is the one that has the name now.
#[cfg(unix)]
fn is_at(open: &io::Result<Metadata>, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(open), Ok(named)) = (open, std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Nobody but its holder can write a file that is locked on Windows. It can still be removed; then
/// the name is free, which is what is looked for here.
#[cfg(not(unix))]
fn is_at(_: &io::Result<Metadata>, path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn lock_file(data: &Path) -> PathBuf {
        data.join("run/writer.lock")
    }

    #[test]
    fn one_at_a_time_has_it_and_each_holder_counts_one_more() {
        let data = tempfile::tempdir().unwrap();
        for generation in 1..4 {
            let right = WriteRight::take(data.path(), NOW).unwrap().unwrap();
            assert_eq!(right.generation(), generation);
            right.check().unwrap();
            assert!(
                WriteRight::take(data.path(), NOW).unwrap().is_none(),
                "the second"
            );
        }
    }

    #[test]
    fn who_waits_gets_it_when_it_is_given_back() {
        let data = tempfile::tempdir().unwrap();
        let right = WriteRight::take(data.path(), NOW).unwrap().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| WriteRight::take(data.path(), Duration::from_mins(1)));
            drop(right);
            assert_eq!(waiting.join().unwrap().unwrap().unwrap().generation(), 2);
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_right_whose_file_was_removed_replaced_or_counted_on_is_lost() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 4] = [
            ("removed", |path| std::fs::remove_file(path).unwrap()),
            ("replaced", |path| {
                std::fs::remove_file(path).unwrap();
                std::fs::write(path, "00000000000000000001\n").unwrap();
            }),
            ("counted on", |path| {
                std::fs::write(path, "00000000000000000002\n").unwrap();
            }),
            ("emptied", |path| std::fs::write(path, "").unwrap()),
        ];
        for (name, change) in changes {
            let data = tempfile::tempdir().unwrap();
            let right = WriteRight::take(data.path(), NOW).unwrap().unwrap();
            change(&lock_file(data.path()));
            assert!(
                matches!(right.check(), Err(BootError::RightLost { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn a_number_that_cannot_be_read_is_counted_anew() {
        let data = tempfile::tempdir().unwrap();
        for (content, generation) in [
            (&b""[..], 1),
            (b"x", 1),
            (b"\xff\xfe", 1),
            (b"18446744073709551615\n", u64::MAX),
            (b"00000000000000000041\n", 42),
            (b"00000000000000000041\nwhat a later version adds", 42),
        ] {
            std::fs::create_dir_all(data.path().join("run")).unwrap();
            std::fs::write(lock_file(data.path()), content).unwrap();
            let right = WriteRight::take(data.path(), NOW).unwrap().unwrap();
            assert_eq!(right.generation(), generation, "{content:?}");
            right.check().unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_moves_with_its_descriptor_and_is_never_free_in_between() {
        let data = tempfile::tempdir().unwrap();
        let right = WriteRight::take(data.path(), NOW).unwrap().unwrap();
        let free = || WriteRight::take(data.path(), NOW).unwrap().is_some();
        let descriptor = right.into_descriptor().unwrap();
        assert!(!free(), "on the way");
        // What the other process gets is a second descriptor of the same open file.
        let sent = descriptor.try_clone().unwrap();
        drop(descriptor);
        assert!(!free(), "sent");
        let right = WriteRight::from_descriptor(sent, data.path()).unwrap();
        assert_eq!(right.generation(), 2);
        right.check().unwrap();
        assert!(!free(), "received");
        drop(right);
        assert!(free(), "given back");
    }

    #[cfg(unix)]
    #[test]
    fn a_descriptor_that_is_not_the_right_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let elsewhere = WriteRight::take(other.path(), NOW).unwrap().unwrap();
        let _held = WriteRight::take(data.path(), NOW).unwrap().unwrap();
        let same_file_without_its_lock = open(&lock_file(data.path())).unwrap();
        for (name, descriptor) in [
            ("another folder's", elsewhere.into_descriptor().unwrap()),
            (
                "one without the lock",
                same_file_without_its_lock.into_std().into(),
            ),
            (
                "another file's",
                open(&other.path().join("x")).unwrap().into_std().into(),
            ),
        ] {
            assert!(
                matches!(
                    WriteRight::from_descriptor(descriptor, data.path()),
                    Err(BootError::NotTheRight { .. })
                ),
                "{name}"
            );
        }
    }
}
