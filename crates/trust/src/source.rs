//! Where the verification core gets its files: from the repository, or from the store where the store
//! has the very version that is asked for. It judges nothing but sizes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use moult_model::Digest;
use serde::Deserialize;
use sigstore_tuf::Error as Core;
use sigstore_tuf::transport::{FetchFuture, Repository};

use crate::orders;
use crate::plain;
use crate::store::{Store, is_versioned};
use crate::transport::{Reply, Transport, TransportError};

/// The end of the names of the metadata that holds the orders.
const ORDERS: &str = ".rollout.json";

/// The files of one repository, and of the store that keeps what was verified.
pub(crate) struct Source {
    transport: Arc<dyn Transport>,
    store: Arc<Store>,
    /// Whether the store is left out: it may hold what does not verify.
    network_only: AtomicBool,
    /// Whether a file came from the store.
    served_from_store: AtomicBool,
    /// The entity tag of the last timestamp that was fetched, and the digest of its bytes.
    tag: Mutex<Option<(String, Digest)>>,
}

/// What goes wrong here, on its way through the core.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(transparent)]
    Transport(TransportError),
    #[error("the repository has no {path}")]
    Missing { path: String },
    #[error("{path} is larger than {max_bytes} bytes")]
    TooLarge { path: String, max_bytes: u64 },
    #[error("{path} can't be read in one way only")]
    NotPlain {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{path} was answered with `not modified`, but nothing of it was known")]
    UnaskedNotModified { path: String },
}

impl From<SourceError> for Core {
    fn from(error: SourceError) -> Self {
        Self::transport_with_source("fetching", error)
    }
}

impl Source {
    pub(crate) fn new(transport: Arc<dyn Transport>, store: Arc<Store>, network_only: bool) -> Self {
        Self {
            transport,
            store,
            network_only: AtomicBool::new(network_only),
            served_from_store: AtomicBool::new(false),
            tag: Mutex::new(None),
        }
    }

    pub(crate) fn set_network_only(&self, network_only: bool) {
        self.network_only.store(network_only, Ordering::Relaxed);
        self.served_from_store.store(false, Ordering::Relaxed);
    }

    /// Whether a file came from the store since [`Self::set_network_only`].
    pub(crate) fn served_from_store(&self) -> bool {
        self.served_from_store.load(Ordering::Relaxed)
    }

    /// Keeps the entity tag of the timestamp for the next check, now that the timestamp is verified.
    pub(crate) fn keep_tag(&self) {
        let tag = self.tag.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((etag, digest)) = tag {
            self.store.tag_timestamp(etag, digest);
        }
    }

    /// Fetches a whole file that must be there.
    pub(crate) async fn fetch(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
        match self.get(path, max_bytes, None).await? {
            Reply::Body { bytes, .. } => Ok(bytes),
            Reply::Missing => Err(SourceError::Missing {
                path: path.to_owned(),
            }),
            Reply::NotModified => Err(SourceError::UnaskedNotModified {
                path: path.to_owned(),
            }),
        }
    }

    async fn get(&self, path: &str, max_bytes: u64, etag: Option<&str>) -> Result<Reply, SourceError> {
        let reply = self
            .transport
            .get(path, max_bytes, etag)
            .await
            .map_err(SourceError::Transport)?;
        match &reply {
            Reply::Body { bytes, .. } if bytes.len() as u64 > max_bytes => Err(SourceError::TooLarge {
                path: path.to_owned(),
                max_bytes,
            }),
            _ => Ok(reply),
        }
    }

    async fn timestamp(&self, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
        let path = "metadata/timestamp.json";
        if !self.network_only.load(Ordering::Relaxed)
            && let Some((stored, etag)) = self.store.tagged_timestamp()
        {
            match self.get(path, max_bytes, Some(&etag)).await? {
                Reply::NotModified => {
                    self.served_from_store.store(true, Ordering::Relaxed);
                    return Ok(stored);
                }
                Reply::Missing => {
                    return Err(SourceError::Missing {
                        path: path.to_owned(),
                    });
                }
                Reply::Body { bytes, etag } => return Ok(self.remember_tag(bytes, etag)),
            }
        }
        match self.get(path, max_bytes, None).await? {
            Reply::Body { bytes, etag } => Ok(self.remember_tag(bytes, etag)),
            Reply::Missing => Err(SourceError::Missing {
                path: path.to_owned(),
            }),
            Reply::NotModified => Err(SourceError::UnaskedNotModified {
                path: path.to_owned(),
            }),
        }
    }

    fn remember_tag(&self, bytes: Vec<u8>, etag: Option<String>) -> Vec<u8> {
        let tag = etag.map(|etag| (etag, Digest::of(&bytes)));
        *self.tag.lock().unwrap_or_else(PoisonError::into_inner) = tag;
        bytes
    }

    /// A file of a given version, if that is the one in the store.
    fn stored(&self, name: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let (version, plain_name) = name.split_once('.')?;
        let version: u64 = version.parse().ok()?;
        if self.network_only.load(Ordering::Relaxed) {
            return None;
        }
        let bytes = self.store.read(plain_name)?;
        let wanted = bytes.len() as u64 <= max_bytes && version_of(&bytes) == Some(version);
        wanted.then(|| {
            self.served_from_store.store(true, Ordering::Relaxed);
            bytes
        })
    }

    async fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let found = self.metadata_file(name, max_bytes).await?;
        if let Some(bytes) = &found {
            plain::check(bytes).map_err(|source| SourceError::NotPlain {
                path: format!("metadata/{name}"),
                source,
            })?;
        }
        Ok(found)
    }

    async fn metadata_file(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if name == "timestamp.json" {
            return self.timestamp(max_bytes).await.map(Some);
        }
        let path = format!("metadata/{name}");
        if is_versioned(name, ".root.json") {
            // The end of the chain of roots is a file that is not there.
            return match self.fetch(&path, max_bytes).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(SourceError::Missing { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let max_bytes = if is_versioned(name, ORDERS) {
            max_bytes.min(orders::MAX_BYTES)
        } else {
            max_bytes
        };
        match self.stored(name, max_bytes) {
            Some(bytes) => Ok(Some(bytes)),
            None => self.fetch(&path, max_bytes).await.map(Some),
        }
    }
}

/// The version that a metadata file claims. Nothing of it is verified.
pub(crate) fn version_of(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Envelope {
        signed: Signed,
    }
    #[derive(Deserialize)]
    struct Signed {
        version: u64,
    }
    serde_json::from_slice::<Envelope>(bytes)
        .ok()
        .map(|envelope| envelope.signed.version)
}

/// A [`Source`] that the core owns while the client keeps an eye on it.
pub(crate) struct SharedSource(pub(crate) Arc<Source>);

impl Repository for SharedSource {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.0.metadata(name, max_length).await.map_err(Core::from) })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            let path = format!("targets/{path}");
            self.0
                .fetch(&path, max_length)
                .await
                .map(Some)
                .map_err(Core::from)
        })
    }
}
