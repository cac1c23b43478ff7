//! A newer version that is installed and was not started. It refuses to know who says so.

use semver::Version;
use serde::{Deserialize, Serialize};

/// A version on trial that was not started, because its start could not be counted: without a count it might be
/// started for ever. Nothing is lost, and it is due again at the next start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct NotTried {
    /// The version.
    #[ts(type = "string")]
    pub version: Version,
    /// What was in the way.
    pub because: Obstacle,
    /// The technical chain of causes, for the log and for support.
    pub detail: String,
    /// When, in seconds since 1970 in UTC.
    #[ts(type = "number")]
    pub at: u64,
}

/// What was in the way. The screen matches on these and never on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The disk is full, or this user's part of it.
    DiskFull,
    /// As many files are open as may be.
    TooManyFiles,
    /// This user may not write there, or nobody may.
    NotWritable,
    /// The disk refused a read or a write.
    DiskFailed,
    /// Another process holds what had to be changed.
    Busy,
    /// Something else, or something that a later launcher knows.
    #[serde(other)]
    Other,
}
