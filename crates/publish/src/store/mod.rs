//! Where the repository is brought to. A store holds files by path, knows which version of a file it has, and can replace a file
//! only if it is still the version that was seen. It refuses to know what the files mean; the order in which they go there is in
//! [`push`].

mod bucket;
mod claim;
mod error;
mod folder;
pub mod headers;
mod pull;
mod push;
pub mod reach;
mod script;
mod state;
mod uploads;

use std::path::Path;

use moult_model::Digest;
use moult_model::config::Store as Configured;

pub use claim::Claim;
pub use error::StoreError;
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use state::{Standing, State};

use crate::config::Workspace;
use crate::progress::Progress;
use headers::Kind;

/// The largest metadata file that is read from a store, in bytes.
const MAX_METADATA: u64 = 8 << 20;

/// Which version of a file a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// What the store calls it.
    pub e_tag: Option<String>,
    /// Its number, where the store counts.
    pub version: Option<String>,
    /// SHA-256 of what was read.
    pub digest: Option<Digest>,
}

/// A file in the store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Its path in the store.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// What came of creating a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    New,
    /// One was there already, and stays.
    WasThere,
}

/// A store of files. Paths are relative, with `/` between their parts.
pub trait Store: Sync {
    /// What people call it.
    fn name(&self) -> String;
    /// Whether it can tell two publishers apart. If not, one alone may publish to it.
    fn compares(&self) -> bool;
    /// All files.
    fn list(&self) -> Result<Vec<Listed>, StoreError>;
    /// A file of at most `most` bytes, and its version. Nothing if there is none.
    fn read(&self, path: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError>;
    /// Makes a file that must not be there yet.
    fn create(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<Created, StoreError>;
    /// Makes a file from a large local one whose name says what is in it; goes on where it was interrupted.
    fn upload(&self, path: &str, from: &Path, kind: Kind, progress: &Progress)
    -> Result<Created, StoreError>;
    /// Replaces a file if it is still the version that was seen; `None`: if there is still none.
    /// [`StoreError::Changed`] if it is not.
    fn swap(&self, path: &str, bytes: &[u8], kind: Kind, seen: Option<&Tag>) -> Result<(), StoreError>;
    /// Replaces a file, whatever is there.
    fn replace(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<(), StoreError>;
    /// Removes a file. It need not be there.
    fn remove(&self, path: &str) -> Result<(), StoreError>;
}

/// Opens the configured store. None if there is none.
pub fn open(workspace: &Workspace) -> Result<Option<Box<dyn Store>>, StoreError> {
    let Some(configured) = &workspace.config().repository.store else {
        return Ok(None);
    };
    Ok(Some(match configured {
        Configured::Folder { path } => Box::new(folder::Folder::open(workspace.resolve(path))?),
        Configured::Bucket { url, options } => {
            let uploads = workspace.repository().join(state::UPLOADS);
            Box::new(bucket::Bucket::open(url, options, uploads)?)
        }
        Configured::Script { command } => Box::new(script::Script::open(command, workspace.folder())?),
    }))
}

/// How the repository's folder and the store stand to each other.
pub fn standing(store: &dyn Store, repository: &Path) -> Result<Standing, StoreError> {
    Ok(state::compare(store, repository)?.standing)
}
