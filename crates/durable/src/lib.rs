//! Files that survive a power cut.
//!
//! Three things, and no more: a file that is replaced whole or not at all ([`write_atomic`],
//! [`NewFile`]), a record kept in two copies of which at least one is always good ([`TwoCopy`]), and a
//! lock that ends with its process ([`Lock`]). All of them change files through [`fs`] alone, and so
//! does whoever is to survive a kill at any moment: each of its calls is a point that a test can stop
//! at ([`faults`]). This crate refuses to know what is stored.
//!
//! # What the system is trusted with
//! `rename` within one folder is atomic, and what was synced before a rename is on the disk before
//! the rename is. On Unix the folder is synced as well, so the new name lasts. On Windows folders
//! can't be synced with the standard library; there a power cut may bring the old file back, whole.

mod atomic;
pub mod fs;
mod lock;
mod new_file;
mod normal;
mod patience;
mod points;
mod tree;
mod two_copy;

/// Points at which a test stops the process, lets a call fail, or copies the disk. No product code
/// arms them.
pub mod faults {
    pub use crate::points::{Action, Call, Line, Plan, arm, disarm, passed};
}

use std::io;
use std::path::PathBuf;

pub use atomic::{
    create_dir_all, remove_leftovers, rename, sync_dir, sync_file, write_atomic, write_atomic_with_mode,
};
pub use lock::Lock;
pub use new_file::NewFile;
pub use patience::{open_patiently, rename_patiently};
pub use two_copy::TwoCopy;

/// What could not be done, and to which file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DurableError {
    /// The path has no file name, so nothing can be written there.
    #[error("`{path}` does not name a file")]
    NoFileName {
        /// The path.
        path: PathBuf,
    },
    /// A file could not be created.
    #[error("`{path}` could not be created")]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Bytes could not be written.
    #[error("`{path}` could not be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be opened or read.
    #[error("`{path}` could not be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system could not promise that a file or folder is on the disk.
    #[error("`{path}` could not be synced to the disk")]
    Sync {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder could not be renamed. The old name is still there.
    #[error("`{from}` could not be renamed to `{to}`")]
    Rename {
        /// The old name.
        from: PathBuf,
        /// The new name.
        to: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program held a file until no patience was left. The old name is still there.
    #[error("`{path}` is in use by {}", holder.as_deref().unwrap_or("another program"))]
    Held {
        /// The file.
        path: PathBuf,
        /// The program, if the system says which.
        holder: Option<String>,
        /// Why.
        source: io::Error,
    },
    /// A folder could not be created.
    #[error("the folder `{path}` could not be created")]
    CreateDirectory {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A leftover of an interrupted write could not be removed.
    #[error("the leftover `{path}` could not be removed")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A lock could not be taken, for a reason other than that somebody else holds it.
    #[error("`{path}` could not be locked")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A value can't be written as JSON.
    #[error("the record `{path}` can't be encoded")]
    Encode {
        /// The copy that was to be written.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The newest copy is intact, but holds another shape: it was written by another version of the
    /// program. The older copy is not used in its place, since that would undo a write silently.
    #[error("the record `{path}` is intact, but was written in a shape that this version can't read")]
    Shape {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// There are copies, but each is damaged or can't be read.
    #[error("no copy of the record `{path}` can be read")]
    BothCopiesUnreadable {
        /// The record, without the suffix of its copies.
        path: PathBuf,
    },
    /// 2^64 - 1 values were stored, or a copy says so.
    #[error("the record `{path}` has no generation left")]
    NoGenerationLeft {
        /// The copy that was to be written.
        path: PathBuf,
    },
}
