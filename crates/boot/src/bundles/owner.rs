//! Who has the store of bundles open. Refuses to know what is in it.

use std::path::Path;

use moult_durable::DurableError;
use moult_durable::fs::{self, File};

use crate::BootError;

/// One that has the store open for writing: a shared lock, which ends with its process.
#[derive(Debug)]
pub(super) struct Owner {
    _file: File,
    /// Whether nobody else had the store open when this one came.
    pub(super) is_first: bool,
}

impl Owner {
    /// Comes in. The caller holds the record's lock, so that no two come at once.
    pub(super) fn join(path: &Path) -> Result<Self, BootError> {
        let file = fs::open_or_create(path).map_err(|source| DurableError::Create {
            path: path.to_owned(),
            source,
        })?;
        let fail = |source| DurableError::Lock {
            path: path.to_owned(),
            source,
        };
        // Held alone for a moment: that works only if nobody else has it.
        let is_first = file.try_lock().is_ok();
        if is_first {
            // What counts is the shared lock below, whose failure is told.
            let _ = file.unlock();
        }
        file.lock_shared().map_err(fail)?;
        Ok(Self {
            _file: file,
            is_first,
        })
    }
}
