//! The way to a repository, as the client sees it. It knows paths and bytes, not HTTP.

use std::error::Error;
use std::pin::Pin;

use moult_model::ErrorCode;

/// What [`Transport::get`] returns.
pub type GetFuture<'a> = Pin<Box<dyn Future<Output = Result<Reply, TransportError>> + Send + 'a>>;

/// Fetches small files of one repository.
pub trait Transport: Send + Sync {
    /// Fetches a file.
    ///
    /// `path` is relative to the repository's root, with `/` between its parts, for example
    /// `metadata/timestamp.json`; what it holds is already percent-encoded. At most `max_bytes` bytes are
    /// read: a longer body is an error, found while it is read. With `etag`, the request is conditional.
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, etag: Option<&'a str>) -> GetFuture<'a>;
}

/// What a repository answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The whole file.
    Body {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The entity tag it was served with, as it was written.
        etag: Option<String>,
    },
    /// The file is still the one that the entity tag names (304).
    NotModified,
    /// There is no such file (404), or it may not be read (403), which object stores say for the same.
    Missing,
}

/// A file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{url} could not be fetched")]
pub struct TransportError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What was asked for.
    pub url: String,
    /// Why it failed.
    pub source: Box<dyn Error + Send + Sync>,
}
