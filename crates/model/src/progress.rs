//! The one vocabulary of progress. The engine, the log, the screen and the fleet report all speak it.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{Problem, Subject};

/// Where an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A release that should be installed is known.
    Found,
    /// The downloads are chosen.
    Planned,
    /// It waits for its turn: others are at work, or a pause after a failed try is not over.
    Scheduled,
    /// Bytes are coming in.
    Fetching,
    /// The artifact is being rebuilt from what was fetched.
    Rebuilding,
    /// The artifact's digest and signatures are being checked.
    Verifying,
    /// Installed beside the old version, and waiting for the user (prompt mode, consent, a restart).
    Waiting,
    /// The new version is taking over.
    Switching,
    /// The new version runs on trial.
    Confirming,
    /// The new version failed, and the old one is being put back.
    RollingBack,
    /// The new version is confirmed.
    Done,
    /// The old version is back.
    RolledBack,
    /// Nothing was changed.
    Failed,
}

impl Phase {
    /// Whether nothing more will happen in this update.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::RolledBack | Self::Failed)
    }
}

/// One download of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanStep {
    /// A patch between two versions.
    Patch {
        /// The version it starts from.
        #[ts(type = "string")]
        from: Version,
        /// The version it leads to.
        #[ts(type = "string")]
        to: Version,
        /// Bytes on the wire.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// The whole file.
    Full {
        /// The version it holds.
        #[ts(type = "string")]
        to: Version,
        /// Bytes on the wire.
        #[ts(type = "number")]
        bytes: u64,
    },
}

impl PlanStep {
    /// Bytes on the wire.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Patch { bytes, .. } | Self::Full { bytes, .. } => *bytes,
        }
    }

    /// Whether this is a patch.
    pub fn is_patch(&self) -> bool {
        matches!(self, Self::Patch { .. })
    }
}

/// Why a download does not begin yet, though it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The connection is metered, and the update is larger than what the settings allow there.
    Metered,
    /// These are hours in which nothing is to be fetched.
    QuietHours,
}

/// An update on its way: the whole picture, sent anew at each change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Activity {
    /// Unique for this update: the trace id in logs and reports.
    pub id: String,
    /// What is updated.
    pub subject: Subject,
    /// The version that runs, if any.
    #[ts(type = "string | null")]
    pub from: Option<Version>,
    /// The version that is wanted.
    #[ts(type = "string")]
    pub to: Version,
    /// Where it is.
    pub phase: Phase,
    /// The chosen downloads.
    pub plan: Vec<PlanStep>,
    /// Bytes fetched so far, over the whole plan.
    #[ts(type = "number")]
    pub bytes_done: u64,
    /// Bytes of the whole plan.
    #[ts(type = "number")]
    pub bytes_total: u64,
    /// What the full file would cost on the wire.
    #[ts(type = "number")]
    pub full_bytes: u64,
    /// How long the rest of the plan's bytes will take at the pace of the last seconds, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seconds_left: Option<u32>,
    /// Why its download does not begin yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub held: Option<Hold>,
    /// What went wrong, also when the update went on another way (a bad patch, then the full file).
    pub problems: Vec<Problem>,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version runs.
    Updated,
    /// Something was installed for the first time.
    Installed,
    /// The new version failed its trial and the old one is back.
    RolledBack,
    /// Nothing was changed.
    Failed,
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct HistoryEntry {
    /// The update's id.
    pub id: String,
    /// What was updated.
    pub subject: Subject,
    /// The version before.
    #[ts(type = "string | null")]
    pub from: Option<Version>,
    /// The version it was meant to become.
    #[ts(type = "string")]
    pub to: Version,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, RFC 3339 in UTC.
    pub at: String,
    /// Bytes on the wire.
    #[ts(type = "number")]
    pub wire_bytes: u64,
    /// What the full file would have cost.
    #[ts(type = "number")]
    pub full_bytes: u64,
    /// How the bytes came, in order; a patch that failed and the full file after it are both here.
    pub plan: Vec<PlanStep>,
    /// How long each phase took, in milliseconds, in order.
    #[ts(type = "Array<[Phase, number]>")]
    pub phases: Vec<(Phase, u64)>,
    /// What went wrong, if anything did.
    pub problems: Vec<Problem>,
}
