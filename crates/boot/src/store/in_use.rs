//! Marks a slot as running, for as long as the mark is held. Refuses to know who holds it.
//!
//! The mark is a shared lock on `run/<slot>.lock`: launcher and application can hold it side by side,
//! and it ends with its process. What cleans up asks for the lock alone.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use moult_durable::DurableError;
use moult_durable::fs::{self, File};

use super::Store;
use crate::{BootError, SlotName};

/// A slot that is in use: its files stay until this is dropped or its process ends.
#[derive(Debug)]
#[must_use = "the slot is in use only as long as this is held"]
pub struct InUse {
    _file: File,
}

impl Store {
    /// Marks a slot as in use. The launcher does so for what it starts; the application should do so
    /// as well, since it can outlive its launcher for a moment.
    pub fn hold(&self, slot: &SlotName) -> Result<InUse, BootError> {
        let path = self.layout.slot_lock(slot.as_str());
        let file = open(&path)?;
        file.lock_shared()
            .map_err(|source| DurableError::Lock { path, source })?;
        Ok(InUse { _file: file })
    }
}

/// The lock of a slot that nobody uses; held until the slot is deleted, so that nobody begins to.
pub(super) struct Unused {
    _file: File,
    path: PathBuf,
}

impl Unused {
    /// `None` if somebody uses the slot.
    pub(super) fn claim(path: PathBuf) -> Result<Option<Self>, BootError> {
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file, path })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(DurableError::Lock { path, source }.into()),
        }
    }

    /// Removes the lock file: its slot is gone, and no slot of that name is listed any more.
    pub(super) fn remove(self) -> Result<(), BootError> {
        fs::remove_file(&self.path).map_err(|source| BootError::Remove {
            path: self.path.clone(),
            source,
        })
    }
}

fn open(path: &Path) -> Result<File, BootError> {
    fs::open_or_create(path).map_err(|source| {
        DurableError::Create {
            path: path.into(),
            source,
        }
        .into()
    })
}
