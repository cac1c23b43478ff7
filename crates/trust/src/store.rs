//! The client's folder: metadata that was verified when it was written. It refuses to know what is
//! current, and nobody believes what it gives back without verifying it again.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use moult_durable::{DurableError, write_atomic};
use moult_model::Digest;
use serde::{Deserialize, Serialize};
use sigstore_tuf::{Error as Core, MetadataStore};

/// Files of verified metadata, written with fsync.
pub(crate) struct Store {
    directory: PathBuf,
    first_error: Mutex<Option<DurableError>>,
    has_failed: AtomicBool,
}

/// The entity tag of the stored timestamp, and the bytes that it belongs to.
#[derive(Serialize, Deserialize)]
struct Tag {
    etag: String,
    digest: Digest,
}

const TIMESTAMP: &str = "timestamp.json";
const TIMESTAMP_TAG: &str = "timestamp.etag";

impl Store {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            first_error: Mutex::new(None),
            has_failed: AtomicBool::new(false),
        }
    }

    /// The first write error since the last call, if there was one.
    pub(crate) fn take_error(&self) -> Option<DurableError> {
        self.first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// A stored file; `None` also if it can't be read.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.load(name).unwrap_or_default()
    }

    /// The stored timestamp with its entity tag, if the two belong together.
    pub(crate) fn tagged_timestamp(&self) -> Option<(Vec<u8>, String)> {
        let tag: Tag = serde_json::from_slice(&self.read(TIMESTAMP_TAG)?).ok()?;
        let bytes = self.read(TIMESTAMP)?;
        (Digest::of(&bytes) == tag.digest).then_some((bytes, tag.etag))
    }

    /// Keeps the entity tag that `digest` was served with, if those are the bytes of the stored timestamp.
    /// Nothing is believed because of a tag: one that is lost costs a few hundred bytes at the next check.
    pub(crate) fn tag_timestamp(&self, etag: String, digest: Digest) {
        let stored = self
            .read(TIMESTAMP)
            .is_some_and(|bytes| Digest::of(&bytes) == digest);
        let Ok(tag) = serde_json::to_vec(&Tag { etag, digest }) else {
            return;
        };
        if !stored || self.read(TIMESTAMP_TAG).as_ref() == Some(&tag) {
            return;
        }
        if let Err(error) = write(&self.directory.join(TIMESTAMP_TAG), &tag) {
            tracing::warn!(%error, "an entity tag could not be kept");
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Core> {
        let relative = Path::new(name);
        let plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !plain || name.contains(['\\', ':', '\0']) {
            return Err(Core::Malformed(format!("`{name}` can't name a stored file")));
        }
        Ok(self.directory.join(relative))
    }
}

impl MetadataStore for Store {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Core> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Core::Io {
                context: format!("reading {}", path.display()),
                source,
            }),
        }
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Core> {
        // The snapshot is kept under its plain name; a copy per version would pile up.
        if is_versioned(name, ".snapshot.json") {
            return Ok(());
        }
        let path = self.path(name)?;
        // After a failed write the disk may not hold what reads back, so nothing is taken as written.
        if !self.has_failed.load(Ordering::Relaxed) && self.read(name).is_some_and(|stored| stored == bytes) {
            return Ok(());
        }
        write(&path, bytes).map_err(|error| {
            let context = error.to_string();
            self.has_failed.store(true, Ordering::Relaxed);
            self.first_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
            Core::Io {
                context,
                source: io::Error::other("not written"),
            }
        })
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    if let Some(parent) = path.parent() {
        moult_durable::create_dir_all(parent)?;
    }
    write_atomic(path, bytes)
}

/// Whether a name is a version, then `suffix`.
pub(crate) fn is_versioned(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix)
        .is_some_and(|version| version.parse::<u64>().is_ok())
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("metadata"));
        for name in [
            "../x.json",
            "a/../../x.json",
            "/x.json",
            "",
            ".",
            "a\\..\\x.json",
            "c:x.json",
        ] {
            assert!(store.store(name, b"x").is_err(), "{name}");
            assert!(store.load(name).is_err(), "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(
            store.take_error().is_none(),
            "a bad name is no failure of the disk"
        );
    }

    #[test]
    fn latches_the_first_write_error_until_it_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("metadata");
        fs::write(&directory, "in the way").unwrap();
        let store = Store::new(directory.clone());
        assert!(store.store("timestamp.json", b"1").is_err());
        fs::remove_file(&directory).unwrap();
        store.store("timestamp.json", b"2").unwrap();
        assert!(store.take_error().is_some());
        assert!(store.take_error().is_none());
    }

    #[test]
    fn an_entity_tag_counts_only_for_the_bytes_it_was_served_with() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        store.store(TIMESTAMP, b"one").unwrap();
        store.tag_timestamp("\"2\"".to_owned(), Digest::of(b"two"));
        assert!(store.tagged_timestamp().is_none());
        store.tag_timestamp("\"1\"".to_owned(), Digest::of(b"one"));
        assert_eq!(
            store.tagged_timestamp().unwrap(),
            (b"one".to_vec(), "\"1\"".to_owned())
        );
        for torn in [&b""[..], b"on", b"two"] {
            fs::write(folder.path().join(TIMESTAMP), torn).unwrap();
            assert!(store.tagged_timestamp().is_none());
        }
    }
}
