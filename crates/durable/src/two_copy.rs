//! A record in two copies, of which the older is always the one that is overwritten.
//!
//! A copy is two lines: `{"generation":N,"sha256":"…"}` and the body as JSON. The digest covers the
//! generation and the body. A copy counts only if encoding what was read gives the very same bytes,
//! so no byte of it can differ unnoticed.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{DurableError, write_atomic};

/// A value kept in the files `stem.a` and `stem.b` of a folder.
///
/// While one copy is being replaced the other holds the value before, so a power cut, a full disk
/// or one bad file loses the last write at most. Two that store at the same time may lose a write:
/// hold a [`Lock`](crate::Lock) over load and store.
#[derive(Debug, Clone)]
pub struct TwoCopy<T> {
    directory: PathBuf,
    stem: String,
    value: PhantomData<fn() -> T>,
}

/// These two and no more, for ever: a copy whose first line holds anything else counts as damaged. What
/// later versions have to say belongs into the body.
#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
    sha256: String,
}

/// What one of the two files holds.
enum Copy {
    Missing,
    Damaged,
    /// It may be whole, and can't be read now.
    Withheld(io::Error),
    Intact {
        generation: u64,
        body: Vec<u8>,
    },
}

impl<T: Serialize + DeserializeOwned> TwoCopy<T> {
    /// Names the record. Nothing is read or written.
    pub fn new(directory: impl Into<PathBuf>, stem: &str) -> Self {
        Self {
            directory: directory.into(),
            stem: stem.to_owned(),
            value: PhantomData,
        }
    }

    /// The newest intact value; `None` if nothing was ever stored.
    ///
    /// A copy that is torn, changed, or can't be read counts as damaged, and the other is used. If
    /// there are only damaged copies that is [`DurableError::BothCopiesUnreadable`], never `None`.
    /// One that can't be read for the moment (no open file left, held by a scanner) is
    /// [`DurableError::Read`]: it may be the newer one, and it is nobody's fault.
    pub fn load(&self) -> Result<Option<T>, DurableError> {
        let copies = self.read()?;
        let damaged = copies.iter().any(|(copy, _)| matches!(copy, Copy::Damaged));
        let newest = copies
            .into_iter()
            .filter_map(|(copy, path)| match copy {
                Copy::Intact { generation, body } => Some((generation, body, path)),
                Copy::Missing | Copy::Damaged | Copy::Withheld(_) => None,
            })
            .max_by_key(|(generation, ..)| *generation);
        match newest {
            Some((_, body, path)) => match serde_json::from_slice(&body) {
                Ok(value) => Ok(Some(value)),
                Err(source) => Err(DurableError::Shape { path, source }),
            },
            None if damaged => Err(DurableError::BothCopiesUnreadable {
                path: self.directory.join(&self.stem),
            }),
            None => Ok(None),
        }
    }

    /// Stores a value over the older copy. When this returns, the value is on the disk. If it fails,
    /// [`load`](Self::load) still gives the value stored before; only where the folder could not be
    /// synced it may give the new one. Nothing is written over a copy that can't be read for the moment.
    pub fn store(&self, value: &T) -> Result<(), DurableError> {
        let [(of_a, a), (of_b, b)] = self.read()?.map(|(copy, path)| (copy.generation(), path));
        // Damaged and missing copies are older than any intact one.
        let older = if of_a <= of_b { a } else { b };
        let Some(generation) = of_a.max(of_b).unwrap_or(0).checked_add(1) else {
            return Err(DurableError::NoGenerationLeft { path: older });
        };
        let encoded = serde_json::to_vec(value).and_then(|body| encode(generation, &body));
        match encoded {
            Ok(bytes) => write_atomic(&older, &bytes),
            Err(source) => Err(DurableError::Encode { path: older, source }),
        }
    }

    /// Both copies, or why one of them can't be read for the moment.
    fn read(&self) -> Result<[(Copy, PathBuf); 2], DurableError> {
        let [a, b] = self.paths().map(|path| (Copy::of(fs::read(&path)), path));
        match (a, b) {
            ((Copy::Withheld(source), path), _) | (_, (Copy::Withheld(source), path)) => {
                Err(DurableError::Read { path, source })
            }
            both => Ok(both.into()),
        }
    }

    fn paths(&self) -> [PathBuf; 2] {
        ["a", "b"].map(|suffix| self.directory.join(format!("{}.{suffix}", self.stem)))
    }
}

impl Copy {
    fn of(read: io::Result<Vec<u8>>) -> Self {
        match read {
            Ok(bytes) => decode(&bytes).map_or(Self::Damaged, |(generation, body)| Self::Intact {
                generation,
                body,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) if is_momentary(&error) => Self::Withheld(error),
            // A bad sector is no reason to lose the other copy.
            Err(_) => Self::Damaged,
        }
    }

    fn generation(&self) -> Option<u64> {
        match self {
            Self::Intact { generation, .. } => Some(*generation),
            Self::Missing | Self::Damaged | Self::Withheld(_) => None,
        }
    }
}

/// Whether a file may be read again in a moment, and says nothing of itself now: this process or the system has
/// no more open files or memory, or somebody holds it.
fn is_momentary(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, OutOfMemory, ResourceBusy, WouldBlock};
    // EMFILE and ENFILE; ERROR_TOO_MANY_OPEN_FILES, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION and
    // ERROR_NO_SYSTEM_RESOURCES.
    let codes: &[i32] = if cfg!(windows) {
        &[4, 32, 33, 1450]
    } else {
        &[23, 24]
    };
    matches!(
        error.kind(),
        Interrupted | OutOfMemory | ResourceBusy | WouldBlock
    ) || error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

fn encode(generation: u64, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let digest = Sha256::new()
        .chain_update(generation.to_le_bytes())
        .chain_update(body)
        .finalize();
    let mut bytes = serde_json::to_vec(&Head {
        generation,
        sha256: hex::encode(digest),
    })?;
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    bytes.push(b'\n');
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let end_of_head = bytes.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes[..end_of_head]).ok()?;
    let body = bytes[end_of_head + 1..].strip_suffix(b"\n")?;
    let again = encode(head.generation, body).ok()?;
    (again == bytes).then(|| (head.generation, body.to_vec()))
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    type Record = TwoCopy<String>;

    fn stored(folder: &Path, values: &[&str]) -> Record {
        let record = Record::new(folder, "state");
        for value in values {
            record.store(&(*value).to_owned()).unwrap();
        }
        record
    }

    fn copies(folder: &Path) -> [PathBuf; 2] {
        [folder.join("state.a"), folder.join("state.b")]
    }

    /// The newest copy's file and the older one's, in a record that was stored to `values` times.
    fn newest_and_older(folder: &Path, values: usize) -> [PathBuf; 2] {
        let [a, b] = copies(folder);
        if values % 2 == 1 { [a, b] } else { [b, a] }
    }

    #[test]
    fn nothing_stored_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(stored(folder.path(), &[]).load().unwrap(), None);
    }

    #[test]
    fn the_last_value_is_loaded_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let values = ["1", "2", "3", "4", "5"];
        let record = Record::new(folder.path(), "state");
        for (at, value) in values.iter().enumerate() {
            record.store(&(*value).to_owned()).unwrap();
            assert_eq!(record.load().unwrap().unwrap(), *value);
            if at > 0 {
                let [newest, _] = newest_and_older(folder.path(), at + 1);
                let bytes = fs::read(&newest).unwrap();
                fs::write(&newest, "").unwrap();
                assert_eq!(record.load().unwrap().unwrap(), values[at - 1]);
                fs::write(&newest, bytes).unwrap();
            }
        }
    }

    #[test]
    fn a_copy_torn_anywhere_gives_the_value_before() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one", "two"]);
        let [newest, _] = newest_and_older(folder.path(), 2);
        let whole = fs::read(&newest).unwrap();
        for length in 0..whole.len() {
            fs::write(&newest, &whole[..length]).unwrap();
            assert_eq!(record.load().unwrap().unwrap(), "one", "torn at {length}");
        }
        // Blocks that were allocated but never written.
        fs::write(&newest, vec![0; whole.len()]).unwrap();
        assert_eq!(record.load().unwrap().unwrap(), "one");
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_that_can_not_be_read_for_the_moment_is_neither_passed_over_nor_written_over() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one", "two"]);
        let before = copies(folder.path()).map(|copy| fs::read(copy).unwrap());
        // No file can be opened from here on. Each test has a process of its own under nextest; elsewhere the
        // time is short.
        let usual = getrlimit(Resource::Nofile);
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(0),
                ..usual
            },
        )
        .unwrap();
        let (loaded, written) = (record.load(), record.store(&"three".to_owned()));
        setrlimit(Resource::Nofile, usual).unwrap();
        assert!(matches!(loaded, Err(DurableError::Read { .. })), "{loaded:?}");
        assert!(matches!(written, Err(DurableError::Read { .. })), "{written:?}");
        assert_eq!(copies(folder.path()).map(|copy| fs::read(copy).unwrap()), before);
        assert_eq!(record.load().unwrap().unwrap(), "two");
    }

    #[test]
    fn what_passes_by_itself_is_told_from_damage() {
        let codes: &[(i32, bool)] = if cfg!(windows) {
            &[(32, true), (33, true), (4, true), (5, false), (1117, false)]
        } else {
            &[(23, true), (24, true), (12, true), (5, false), (13, false)]
        };
        for &(code, momentary) in codes {
            let copy = Copy::of(Err(io::Error::from_raw_os_error(code)));
            assert_eq!(matches!(copy, Copy::Withheld(_)), momentary, "{code}");
        }
        assert!(matches!(
            Copy::of(Err(io::ErrorKind::NotFound.into())),
            Copy::Missing
        ));
    }

    #[test]
    fn a_damaged_copy_is_the_one_that_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one", "two"]);
        let [newest, older] = newest_and_older(folder.path(), 2);
        let kept = fs::read(&older).unwrap();
        fs::write(&newest, "torn").unwrap();
        record.store(&"three".to_owned()).unwrap();
        assert_eq!(fs::read(&older).unwrap(), kept);
        assert_eq!(record.load().unwrap().unwrap(), "three");
    }

    #[test]
    fn both_copies_torn_is_an_error_and_never_nothing() {
        for damage in ["", "torn", "{\"generation\":9,\"sha256\":\"00\"}\n\"x\"\n"] {
            let folder = tempfile::tempdir().unwrap();
            let record = stored(folder.path(), &["one", "two"]);
            for copy in copies(folder.path()) {
                fs::write(copy, damage).unwrap();
            }
            assert!(
                matches!(record.load(), Err(DurableError::BothCopiesUnreadable { .. })),
                "{damage}"
            );
            record.store(&"again".to_owned()).unwrap();
            assert_eq!(record.load().unwrap().unwrap(), "again");
        }
    }

    #[test]
    fn the_only_copy_emptied_is_an_error_and_never_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one"]);
        fs::write(&copies(folder.path())[0], "").unwrap();
        assert!(matches!(
            record.load(),
            Err(DurableError::BothCopiesUnreadable { .. })
        ));
    }

    #[test]
    fn one_copy_gone_gives_the_other() {
        for gone in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let record = stored(folder.path(), &["one", "two"]);
            fs::remove_file(&copies(folder.path())[gone]).unwrap();
            assert_eq!(record.load().unwrap().unwrap(), ["two", "one"][gone]);
        }
    }

    #[test]
    fn an_older_copy_that_is_restored_does_not_win() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one"]);
        let [a, _] = copies(folder.path());
        let old = fs::read(&a).unwrap();
        let record = ["two", "three", "four"].iter().fold(record, |record, value| {
            record.store(&(*value).to_owned()).unwrap();
            record
        });
        fs::write(&a, old).unwrap();
        assert_eq!(record.load().unwrap().unwrap(), "four");
        record.store(&"five".to_owned()).unwrap();
        assert_eq!(record.load().unwrap().unwrap(), "five");
    }

    #[test]
    fn generations_are_numbers_and_not_texts() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = copies(folder.path());
        fs::write(a, encode(9, b"\"nine\"").unwrap()).unwrap();
        fs::write(b, encode(10, b"\"ten\"").unwrap()).unwrap();
        assert_eq!(stored(folder.path(), &[]).load().unwrap().unwrap(), "ten");
    }

    #[test]
    fn the_last_generation_is_loaded_and_not_passed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(&copies(folder.path())[0], encode(u64::MAX, b"\"last\"").unwrap()).unwrap();
        let record = stored(folder.path(), &[]);
        assert!(matches!(
            record.store(&"more".to_owned()),
            Err(DurableError::NoGenerationLeft { .. })
        ));
        assert_eq!(record.load().unwrap().unwrap(), "last");
    }

    #[test]
    fn an_intact_copy_of_another_shape_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one"]);
        TwoCopy::<u32>::new(folder.path(), "state").store(&7).unwrap();
        assert!(matches!(record.load(), Err(DurableError::Shape { .. })));
    }

    #[test]
    fn a_folder_in_a_copys_place_costs_only_that_copy() {
        let folder = tempfile::tempdir().unwrap();
        let record = stored(folder.path(), &["one"]);
        fs::create_dir(&copies(folder.path())[1]).unwrap();
        assert_eq!(record.load().unwrap().unwrap(), "one");
        assert!(matches!(
            record.store(&"two".to_owned()),
            Err(DurableError::Rename { .. })
        ));
        assert_eq!(record.load().unwrap().unwrap(), "one");
    }

    proptest! {
        #[test]
        fn damage_never_gives_a_value_that_was_not_stored(
            values in prop::collection::vec("[a-z0-9\"\\\\\n]{0,12}", 1..5),
            flips in prop::collection::vec((0_usize..2, any::<prop::sample::Index>(), 1_u8..=255), 1..6),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let record = Record::new(folder.path(), "state");
            for value in &values {
                record.store(value).unwrap();
            }
            for (copy, at, mask) in flips {
                let path = &copies(folder.path())[copy];
                if let Ok(mut bytes) = fs::read(path) {
                    let at = at.index(bytes.len());
                    bytes[at] ^= mask;
                    fs::write(path, bytes).unwrap();
                }
            }
            let last_two = &values[values.len().saturating_sub(2)..];
            match record.load() {
                Ok(value) => prop_assert!(last_two.contains(&value.unwrap())),
                Err(error) => {
                    let refused = matches!(error, DurableError::BothCopiesUnreadable { .. });
                    prop_assert!(refused, "{}", error);
                }
            }
        }
    }
}
