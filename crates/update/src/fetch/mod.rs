//! The way to a repository over HTTP: small signed files for `trust`, large pinned ones to disk. It
//! refuses to know what a file is for; a digest and a size are all it believes.

mod backoff;
pub mod breaker;
pub mod bucket;
mod choice;
mod coding;
mod download;
mod folder;
mod http;
mod mirrors;
pub mod pace;
mod part;
mod pieces;
mod portal;
mod retry_after;
mod transport;

use std::time::Duration;

use moult_model::StagePolicy;

pub use breaker::BreakerPolicy;
pub use download::{Fetched, Fetcher, Pinned};
pub use folder::Folder;
pub use http::Http;
pub use mirrors::{Alert, Mirrors, Route};
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
    /// Without a byte of a download, or with less than `floor` bytes per second, while there is another
    /// mirror to go to. With the time for a connection it stays below 15 s.
    pub leave: Duration,
    /// Below so many bytes per second over `leave` a mirror is slow.
    pub floor: u64,
    /// Below so many bytes per second over `stall` a server counts as stalled, also if there is no other.
    pub crawl: u64,
    /// How often anything is tried at one mirror before it counts as failed.
    pub tries: u32,
    /// The pause before the second try, doubled before each further one, with jitter.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The longest that a download waits for hosts that want to be left alone. A control call never does.
    pub longest_wait: Duration,
    /// When a host is left alone.
    pub breaker: BreakerPolicy,
    /// How many bytes of a download are written at a time. All pieces of an answer but the last have
    /// this size, however they came over the wire. At least 1. So many bytes at most are lost by a kill and
    /// fetched once more.
    pub piece: usize,
    /// How long bytes may wait for a piece to be full. None: as long as it takes, so that what is written
    /// does not depend on time.
    pub beat: Option<Duration>,
}

impl Limits {
    /// The limits of small signed files: one of them takes 5 s at most, less if the whole check has less.
    pub fn of_checks(detect: StagePolicy) -> Self {
        let usual = Self::default();
        let whole = seconds(detect.timeout_seconds);
        Self {
            connect: usual.connect.min(whole),
            control: usual.control.min(whole),
            ..Self::of_downloads(detect)
        }
    }

    /// The limits of downloads.
    pub fn of_downloads(download: StagePolicy) -> Self {
        Self {
            stall: seconds(download.timeout_seconds),
            tries: download.tries.max(1),
            pause: Duration::from_millis(u64::from(download.pause_ms)),
            longest_pause: Duration::from_millis(u64::from(download.longest_pause_ms)),
            ..Self::default()
        }
    }
}

/// 0 stands for no limit; a day is as good.
fn seconds(limit: u32) -> Duration {
    let limit = if limit == 0 {
        StagePolicy::MOST_SECONDS
    } else {
        limit
    };
    Duration::from_secs(u64::from(limit))
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            control: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            leave: Duration::from_secs(9),
            floor: 8 * 1024,
            crawl: 64,
            tries: 3,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_wait: Duration::from_mins(1),
            breaker: BreakerPolicy::default(),
            piece: 32 * 1024,
            beat: Some(Duration::from_millis(250)),
        }
    }
}
