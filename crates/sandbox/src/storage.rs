//! Keys and values of one widget, kept on the disk: one file a widget, whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use moult_durable::{DurableError, create_dir_all, write_atomic};
use moult_model::WidgetId;
use serde_json::Value;

/// What one widget may keep, in bytes of JSON.
const QUOTA_BYTES: usize = 1 << 20;
/// How many keys it may have.
const QUOTA_KEYS: usize = 1_000;

/// The storage of all widgets.
#[derive(Debug)]
pub struct Storage {
    folder: PathBuf,
    // One lock for all: calls are rare and small.
    read: Mutex<BTreeMap<WidgetId, BTreeMap<String, Value>>>,
}

/// Why something was not kept. What was there before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The widget keeps as much as it may.
    #[error(
        "{widget} may keep {QUOTA_KEYS} keys and {QUOTA_BYTES} bytes; this would be {keys} keys and {bytes} bytes"
    )]
    Quota {
        /// Whose.
        widget: WidgetId,
        /// Keys there would be.
        keys: usize,
        /// Bytes there would be.
        bytes: usize,
    },
    /// The file can't be read. It is left as it is.
    #[error("`{path}` could not be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no JSON. It is left as it is.
    #[error("`{path}` is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] DurableError),
}

impl Storage {
    /// The storage in a folder, which is made when something is kept.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            read: Mutex::default(),
        }
    }

    /// A value.
    pub fn get(&self, widget: &WidgetId, key: &str) -> Result<Option<Value>, StorageError> {
        self.with(widget, |kept| Ok(kept.get(key).cloned()))
    }

    /// All keys.
    pub fn keys(&self, widget: &WidgetId) -> Result<Vec<String>, StorageError> {
        self.with(widget, |kept| Ok(kept.keys().cloned().collect()))
    }

    /// Keeps a value. It is on the disk when this returns.
    pub fn set(&self, widget: &WidgetId, key: &str, value: Value) -> Result<(), StorageError> {
        self.change(widget, |kept| {
            kept.insert(key.to_owned(), value);
        })
    }

    /// Forgets a value.
    pub fn delete(&self, widget: &WidgetId, key: &str) -> Result<(), StorageError> {
        self.change(widget, |kept| {
            kept.remove(key);
        })
    }

    fn change(
        &self,
        widget: &WidgetId,
        change: impl FnOnce(&mut BTreeMap<String, Value>),
    ) -> Result<(), StorageError> {
        let path = self.path(widget);
        self.with(widget, |kept| {
            let mut next = kept.clone();
            change(&mut next);
            if next == *kept {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&next).unwrap_or_default();
            if bytes.len() > QUOTA_BYTES || next.len() > QUOTA_KEYS {
                return Err(StorageError::Quota {
                    widget: widget.clone(),
                    keys: next.len(),
                    bytes: bytes.len(),
                });
            }
            create_dir_all(&self.folder)?;
            write_atomic(&path, &bytes)?;
            *kept = next;
            Ok(())
        })
    }

    fn with<T>(
        &self,
        widget: &WidgetId,
        act: impl FnOnce(&mut BTreeMap<String, Value>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.contains_key(widget) {
            let path = self.path(widget);
            let found = match fs::read(&path) {
                Ok(bytes) => {
                    serde_json::from_slice(&bytes).map_err(|source| StorageError::Damaged { path, source })?
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
                Err(source) => return Err(StorageError::Read { path, source }),
            };
            read.insert(widget.clone(), found);
        }
        act(read.entry(widget.clone()).or_default())
    }

    fn path(&self, widget: &WidgetId) -> PathBuf {
        // Ids hold no dot and one slash: two of them never share a file.
        self.folder
            .join(format!("{}.json", widget.to_string().replace('/', ".")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn widget(id: &str) -> WidgetId {
        id.parse().unwrap_or_else(|_| unreachable!("a valid id"))
    }

    #[test]
    fn what_is_kept_is_there_after_a_restart_for_its_widget_alone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let storage = Storage::new(folder.path());
        storage.set(&widget("a/b"), "k", json!([1, 2]))?;
        storage.set(&widget("a/c"), "k", json!("other"))?;
        let again = Storage::new(folder.path());
        assert_eq!(again.get(&widget("a/b"), "k")?, Some(json!([1, 2])));
        assert_eq!(again.keys(&widget("a/b"))?, ["k"]);
        again.delete(&widget("a/b"), "k")?;
        assert_eq!(Storage::new(folder.path()).get(&widget("a/b"), "k")?, None);
        assert_eq!(again.get(&widget("a/c"), "k")?, Some(json!("other")));
        Ok(())
    }

    #[test]
    fn over_the_quota_nothing_changes() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let (storage, one) = (Storage::new(folder.path()), widget("a/b"));
        let half = "x".repeat(QUOTA_BYTES / 2);
        storage.set(&one, "first", json!(half))?;
        let refused = storage.set(&one, "second", json!(half));
        assert!(matches!(refused, Err(StorageError::Quota { .. })));
        assert_eq!(storage.keys(&one)?, ["first"]);
        let many: BTreeMap<String, Value> = (0..QUOTA_KEYS)
            .map(|number| (number.to_string(), json!(0)))
            .collect();
        fs::write(folder.path().join("a.c.json"), serde_json::to_vec(&many)?)?;
        let refused = storage.set(&widget("a/c"), "one more", json!(0));
        assert!(matches!(refused, Err(StorageError::Quota { .. })));
        storage.set(&widget("a/c"), "0", json!(1))?;
        Ok(())
    }

    #[test]
    fn a_damaged_file_is_told_and_left() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.b.json");
        fs::write(&path, "{\"k\":")?;
        let storage = Storage::new(folder.path());
        assert!(matches!(
            storage.get(&widget("a/b"), "k"),
            Err(StorageError::Damaged { .. })
        ));
        assert!(storage.set(&widget("a/b"), "k", json!(1)).is_err());
        assert_eq!(fs::read_to_string(&path)?, "{\"k\":");
        Ok(())
    }
}
