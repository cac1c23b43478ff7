//! What is remembered beside the repository's folder of what was pushed, and how the folder and the store stand to each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moult_durable::write_atomic;
use moult_model::Digest;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, Tag};

pub(super) const TIMESTAMP: &str = "metadata/timestamp.json";
/// The folder that remembers uploads in parts, below the repository's. A name with a dot is never brought to a store.
pub(super) const UPLOADS: &str = ".uploads";
const FILE: &str = ".store.json";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// SHA-256 of the timestamp that the store was last known to have.
    pub pushed: Option<Digest>,
    /// The id of the claim that this folder has made on the store.
    pub claim: Option<String>,
    /// The signed roles that the store is known to have as they are here, by their paths.
    #[serde(default)]
    pub roles: BTreeMap<String, Digest>,
}

/// How the folder and the store stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Both have the same.
    Same,
    /// The folder has what the store has not yet.
    FolderAhead,
    /// The store has what the folder has not yet.
    StoreAhead,
    /// Each has what the other has not.
    Parted,
}

impl State {
    /// What is remembered in a repository's folder; nothing if it can't be read, which costs a `pull` at most.
    pub fn read(folder: &Path) -> Self {
        std::fs::read(place(folder))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Remembers it.
    pub fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).map_err(|source| StoreError::Read {
            path: place(folder),
            source: source.into(),
        })?;
        Ok(write_atomic(&place(folder), &bytes)?)
    }
}

fn place(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The two timestamps, and how they stand to each other.
pub(super) struct Compared {
    pub(super) standing: Standing,
    pub(super) local: Option<Vec<u8>>,
    pub(super) remote: Option<(Vec<u8>, Tag)>,
}

pub(super) fn compare(store: &dyn Store, folder: &Path) -> Result<Compared, StoreError> {
    let local = std::fs::read(folder.join(TIMESTAMP)).ok();
    let remote = store.read(TIMESTAMP, super::MAX_METADATA)?;
    let here = local.as_deref().map(Digest::of);
    let there = remote.as_ref().map(|(bytes, _)| Digest::of(bytes));
    Ok(Compared {
        standing: standing(here, there, State::read(folder).pushed),
        local,
        remote,
    })
}

/// By the digests of the timestamp here, there, and as it was last known to be there.
fn standing(here: Option<Digest>, there: Option<Digest>, known: Option<Digest>) -> Standing {
    if here == there {
        Standing::Same
    } else if there == known || there.is_none() {
        Standing::FolderAhead
    } else if here == known || here.is_none() {
        Standing::StoreAhead
    } else {
        Standing::Parted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ahead_follows_from_three_digests() {
        let [one, two, three] = [b"1", b"2", b"3"].map(|bytes| Some(Digest::of(bytes)));
        for (here, there, known, expected) in [
            (one, one, None, Standing::Same),
            (one, None, None, Standing::FolderAhead),
            (two, one, one, Standing::FolderAhead),
            (one, two, one, Standing::StoreAhead),
            (None, two, None, Standing::StoreAhead),
            (two, three, one, Standing::Parted),
            (two, three, None, Standing::Parted),
            // The store lost what it had: it gets it back.
            (one, None, one, Standing::FolderAhead),
        ] {
            assert_eq!(
                standing(here, there, known),
                expected,
                "{here:?} {there:?} {known:?}"
            );
        }
    }
}
