//! The way to a repository over HTTP: small signed files for `trust`, large pinned ones to disk. It
//! refuses to know what a file is for; a digest and a size are all it believes.

mod backoff;
mod download;
mod http;
mod part;
mod transport;

use std::time::Duration;

pub use download::{Fetched, Fetcher, Pinned};

pub use http::Http;
pub use transport::Repository;

pub(crate) use backoff::Backoff;
pub(crate) use download::blocking;

/// How long things may take and how often they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a control call, from the request to the last byte of the body.
    pub control: Duration,
    /// Without a byte of a download.
    pub stall: Duration,
    /// How often anything is tried before it counts as failed.
    pub tries: u32,
    /// The pause before the second try, doubled before each further one, with jitter.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            control: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            tries: 3,
            pause: Duration::from_millis(500),
        }
    }
}
