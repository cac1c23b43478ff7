//! A folder as a store. Files appear whole or not at all; what must not be there yet is linked into place, and replacing compares
//! under a lock.

use std::io;
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, Lock, create_dir_all, write_atomic};
use moult_model::Digest;

use super::headers::Kind;
use super::{Created, Listed, Store, StoreError, Tag};
use crate::progress::Progress;

/// The store's own files, which are none of the repository's.
const OWN: [&str; 2] = ["_headers", "nginx.conf.example"];

pub(super) struct Folder {
    folder: PathBuf,
}

impl Folder {
    pub(super) fn open(folder: PathBuf) -> Result<Self, StoreError> {
        create_dir_all(&folder)?;
        for (name, text) in [
            ("_headers", super::headers::headers_file()),
            ("nginx.conf.example", super::headers::nginx()),
        ] {
            let path = folder.join(name);
            if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                write_atomic(&path, text.as_bytes())?;
            }
        }
        Ok(Self { folder })
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        Ok(Lock::acquire(&self.folder.join(".lock"))?)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn prepare(&self, path: &str) -> Result<PathBuf, StoreError> {
        let path = self.at(path);
        if let Some(folder) = path.parent() {
            create_dir_all(folder)?;
        }
        Ok(path)
    }

    fn content(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }
}

impl Store for Folder {
    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn compares(&self) -> bool {
        true
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut found = Vec::new();
        collect(&self.folder, "", &mut found)?;
        found.retain(|listed| !OWN.contains(&listed.path.as_str()));
        Ok(found)
    }

    fn read(&self, path: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let Some(bytes) = Self::content(&self.at(path))? else {
            return Ok(None);
        };
        if bytes.len() as u64 > most {
            return Err(StoreError::TooLarge {
                store: self.name(),
                path: path.to_owned(),
            });
        }
        let tag = Tag {
            digest: Some(Digest::of(&bytes)),
            ..Tag::default()
        };
        Ok(Some((bytes, tag)))
    }

    fn create(&self, path: &str, bytes: &[u8], _kind: Kind) -> Result<Created, StoreError> {
        let _lock = self.lock()?;
        let place = self.prepare(path)?;
        if place.exists() {
            return Ok(Created::WasThere);
        }
        write_atomic(&place, bytes)?;
        Ok(Created::New)
    }

    fn upload(
        &self,
        path: &str,
        from: &Path,
        kind: Kind,
        _progress: &Progress,
    ) -> Result<Created, StoreError> {
        let bytes = std::fs::read(from).map_err(|source| StoreError::Read {
            path: from.to_owned(),
            source,
        })?;
        self.create(path, &bytes, kind)
    }

    fn swap(&self, path: &str, bytes: &[u8], _kind: Kind, seen: Option<&Tag>) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let place = self.prepare(path)?;
        let is_now = Self::content(&place)?.map(|bytes| Digest::of(&bytes));
        if is_now != seen.and_then(|tag| tag.digest) {
            return Err(StoreError::Changed {
                store: self.name(),
                path: path.to_owned(),
            });
        }
        Ok(write_atomic(&place, bytes)?)
    }

    fn replace(&self, path: &str, bytes: &[u8], _kind: Kind) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        Ok(write_atomic(&self.prepare(path)?, bytes)?)
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        let place = self.at(path);
        match moult_durable::fs::remove_file(&place) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(StoreError::Write(DurableError::Remove { path: place, source })),
        }
    }
}

/// Every file below a folder whose name does not begin with a dot, by its path in it.
pub(super) fn collect(folder: &Path, name: &str, found: &mut Vec<Listed>) -> Result<(), StoreError> {
    let read = |source| StoreError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        if file_name.starts_with('.') {
            continue;
        }
        let path = if name.is_empty() {
            file_name
        } else {
            format!("{name}/{file_name}")
        };
        let kind = entry.file_type().map_err(read)?;
        if kind.is_dir() {
            collect(&entry.path(), &path, found)?;
        } else {
            let size = match entry.metadata() {
                Ok(metadata) => metadata.len(),
                // It went while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(read(source)),
            };
            found.push(Listed { path, size });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}
