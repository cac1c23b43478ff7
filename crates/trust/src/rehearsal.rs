//! Verifies once more, from the disk alone, what was verified when it was stored: whether the verification
//! itself is in working order. It refuses to know the network, the clock and what follows.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::ErrorCode;
use serde_json::Value;
use sigstore_tuf::{TrustedMetadataSet, Updater};

use crate::client::Anchor;
use crate::error::TrustError;
use crate::source::{SharedSource, Source, version_of};
use crate::store::{Store, is_versioned};
use crate::transport::{GetFuture, Reply, Transport, TransportError};

/// Verifies the anchor, and the metadata in a client's folder from the anchor on. Nothing is fetched and
/// nothing is written. Expiry plays no part.
///
/// `Ok(false)`: there is no stored metadata to verify, or a file of it is torn, which is the disk's fault and
/// costs one fetch. [`TrustError::Invalid`] says that what was once verified does not verify now.
pub async fn rehearse(anchor: &Anchor, directory: &Path) -> Result<bool, TrustError> {
    TrustedMetadataSet::from_root(&anchor.root).map_err(|source| TrustError::Anchor {
        source: source.into(),
    })?;
    let store = Arc::new(Store::new(directory.join("metadata")));
    let is_whole = |name: &str| {
        store
            .read(name)
            .is_some_and(|bytes| serde_json::from_slice::<Value>(&bytes).is_ok())
    };
    if !is_whole("timestamp.json") || !is_whole("snapshot.json") {
        return Ok(false);
    }
    let stored = Arc::new(Stored { store: store.clone() });
    let source = Arc::new(Source::new(stored.clone(), store, false));
    let outcome = match Updater::new(SharedSource(source), &anchor.root) {
        Ok(mut updater) => updater.refresh(Timestamp::UNIX_EPOCH).await,
        Err(error) => Err(error),
    };
    match outcome.map_err(TrustError::from_core) {
        Ok(()) => Ok(true),
        // One of the files is not there: the process ended while they were written.
        Err(TrustError::Missing { .. } | TrustError::Transport(_) | TrustError::Replayed { .. }) => Ok(false),
        Err(_) if !has_every_root(&anchor.root, &stored.store) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where the core keeps each root that it has followed.
fn history(name: &str) -> String {
    format!("root_history/{name}")
}

/// Whether the roots between the anchor and the one that was trusted last are all there.
fn has_every_root(anchor: &[u8], store: &Store) -> bool {
    let last = store.read("root.json").and_then(|bytes| version_of(&bytes));
    let (Some(first), Some(last)) = (version_of(anchor), last) else {
        return false;
    };
    let is_stored = |version: u64| store.read(&history(&format!("{version}.root.json"))).is_some();
    (first + 1..=last).all(is_stored)
}

/// The store in the place of a repository.
struct Stored {
    store: Arc<Store>,
}

impl Transport for Stored {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, _etag: Option<&'a str>) -> GetFuture<'a> {
        Box::pin(async move {
            let name = path.strip_prefix("metadata/").unwrap_or(path);
            // What else is asked for the source takes from the store by itself.
            let stored = match name {
                "timestamp.json" => self.store.read(name),
                name if is_versioned(name, ".root.json") => self.store.read(&history(name)),
                _ => None,
            };
            match stored {
                Some(bytes) if bytes.len() as u64 <= max_bytes => Ok(Reply::Body { bytes, etag: None }),
                Some(_) => Err(TransportError {
                    code: ErrorCode::DiskFailed,
                    url: path.to_owned(),
                    source: "the stored file is too large".into(),
                }),
                None => Ok(Reply::Missing),
            }
        })
    }
}
