//! One publisher at a time works on a store. Whoever is about to sign says so in the store first, so that two never sign the same
//! version. The claim is a courtesy: what keeps a repository whole is that versioned files are never replaced, and the timestamp
//! only if it is still the one that was seen.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::headers::Kind;
use super::state::State;
use super::{MAX_METADATA, Store, StoreError};

/// Where it is said.
pub(super) const PATH: &str = "publishing.json";

#[derive(Debug, Serialize, Deserialize)]
struct Said {
    id: String,
    since: String,
}

/// A claim on a store.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    id: String,
}

impl Claim {
    /// Makes it, or goes on with the one that this folder made before it was interrupted. Nothing for a store that can't compare.
    pub fn make(
        store: &dyn Store,
        folder: &Path,
        now: Timestamp,
        take_over: bool,
    ) -> Result<Option<Self>, StoreError> {
        if !store.compares() {
            return Ok(None);
        }
        let mut state = State::read(folder);
        let seen = store.read(PATH, MAX_METADATA)?;
        if let Some((bytes, _)) = &seen {
            let said: Option<Said> = serde_json::from_slice(bytes).ok();
            let is_ours = said.as_ref().map(|said| &said.id) == state.claim.as_ref() && said.is_some();
            if is_ours {
                let id = state.claim.unwrap_or_default();
                return Ok(Some(Self {
                    folder: folder.to_owned(),
                    id,
                }));
            }
            if !take_over {
                return Err(busy(store, said));
            }
        }
        let id = new_id()?;
        let said = Said {
            id: id.clone(),
            since: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
        };
        // Remembered first: a claim that is in the store and not here would lock us out.
        state.claim = Some(id.clone());
        state.write(folder)?;
        let bytes = serde_json::to_vec(&said).map_err(|source| StoreError::Failed {
            store: store.name(),
            action: "claim",
            path: PATH.to_owned(),
            source: source.into(),
        })?;
        match store.swap(PATH, &bytes, Kind::Private, seen.as_ref().map(|(_, tag)| tag)) {
            Ok(()) => Ok(Some(Self {
                folder: folder.to_owned(),
                id,
            })),
            Err(StoreError::Changed { .. }) => {
                let other = store.read(PATH, MAX_METADATA)?;
                Err(busy(
                    store,
                    other.and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok()),
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends it. Somebody else's claim stays.
    pub fn end(self, store: &dyn Store) -> Result<(), StoreError> {
        let seen = store.read(PATH, MAX_METADATA)?;
        let said: Option<Said> = seen.and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok());
        if said.is_some_and(|said| said.id == self.id) {
            store.remove(PATH)?;
        }
        let mut state = State::read(&self.folder);
        state.claim = None;
        state.write(&self.folder)
    }
}

fn busy(store: &dyn Store, said: Option<Said>) -> StoreError {
    StoreError::Busy {
        store: store.name(),
        since: said.map_or_else(|| "a moment".to_owned(), |said| said.since),
    }
}

fn new_id() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Failed {
        store: "this computer".to_owned(),
        action: "make",
        path: "a random number".to_owned(),
        source: error.to_string().into(),
    })?;
    Ok(hex::encode(bytes))
}
