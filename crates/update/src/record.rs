//! One update as it is kept on the disk. It refuses to know how an update is carried out.

use jiff::Timestamp;
use moult_boot::SlotName;
use moult_model::stage::SwapReason;
use moult_model::{Digest, HistoryEntry, Outcome, Phase, Stage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::machine::{self, Effect, Event, State};
use crate::set::Joined;

/// An update on its way, with the time that each phase took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Where it is.
    pub state: State,
    /// The wanted artifact.
    pub digest: Digest,
    /// Why it is wanted.
    pub reason: SwapReason,
    /// When it was found.
    pub began: Timestamp,
    /// When its phase began.
    pub entered: Timestamp,
    /// The phases that are over, and how long each took, in milliseconds.
    pub phases: Vec<(Phase, u64)>,
    /// The slot of an executable, once it has one.
    pub slot: Option<SlotName>,
    /// When the user last put it off.
    #[serde(default)]
    pub put_off: Option<Timestamp>,
    /// How often in a row the process ended while a stage was under way, without an order to.
    #[serde(default)]
    pub cut_short: u32,
    /// For a bundle: whether it takes over with an executable, and never alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// For an executable: the bundles that take over with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Joined>,
    /// For a bundle that takes over with an executable: the contract that this offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_api: Option<u32>,
    /// What another version wrote besides. It is written back.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where an update is in its life: the phases of the screen, put together to what matters after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It was found, and nothing was done for it yet.
    Created,
    /// It waits for its turn.
    Scheduled,
    /// A stage is under way. Begun again after a kill, with what of it is on the disk.
    Executing(Stage),
    /// The new version runs on trial.
    Verifying,
    /// The new version is confirmed.
    Done,
    /// The old version is being put back.
    RollingBack,
    /// The old version is back.
    RolledBack,
    /// Nothing was changed.
    Failed,
}

impl Life {
    /// Whether work is done that could be what ends the process.
    pub fn is_at_work(self) -> bool {
        matches!(
            self,
            Self::Executing(Stage::Download | Stage::Install | Stage::Confirm) | Self::Verifying
        )
    }
}

impl From<Phase> for Life {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Found => Self::Created,
            Phase::Planned | Phase::Scheduled => Self::Scheduled,
            Phase::Fetching => Self::Executing(Stage::Download),
            Phase::Rebuilding | Phase::Verifying => Self::Executing(Stage::Install),
            Phase::Waiting => Self::Executing(Stage::Decide),
            Phase::Switching => Self::Executing(Stage::Confirm),
            Phase::Confirming => Self::Verifying,
            Phase::RollingBack => Self::RollingBack,
            Phase::Done => Self::Done,
            Phase::RolledBack => Self::RolledBack,
            Phase::Failed => Self::Failed,
        }
    }
}

impl Record {
    /// The update's id.
    pub fn id(&self) -> &str {
        &self.state.activity.id
    }

    /// How the update ended, if it did: the process may have ended before its line was written.
    pub fn outcome(&self) -> Option<Outcome> {
        let activity = &self.state.activity;
        match activity.phase {
            Phase::Done if activity.from.is_some() => Some(Outcome::Updated),
            Phase::Done => Some(Outcome::Installed),
            Phase::RolledBack => Some(Outcome::RolledBack),
            Phase::Failed => Some(Outcome::Failed),
            _ => None,
        }
    }

    /// Begins anew under the same id.
    pub(crate) fn begin_again(&mut self, now: Timestamp) {
        self.state.activity.phase = Phase::Found;
        self.state.edges.clear();
        self.entered = now;
    }

    /// Where the update is in its life.
    pub fn life(&self) -> Life {
        self.state.phase().into()
    }

    /// Lets an event happen, and notes how long a phase that it ends took.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let before = self.state.phase();
        let (state, effects) = machine::next(self.state.clone(), event);
        self.state = state;
        if self.state.phase() != before {
            self.phases.push((before, milliseconds(self.entered, now)));
            self.entered = now;
        }
        effects
    }

    /// The line of the history for an update that is over.
    pub fn entry(&self, outcome: Outcome, now: Timestamp) -> HistoryEntry {
        let activity = &self.state.activity;
        HistoryEntry {
            id: activity.id.clone(),
            subject: activity.subject.clone(),
            from: activity.from.clone(),
            to: activity.to.clone(),
            outcome,
            at: now.to_string(),
            wire_bytes: self.state.wire_bytes,
            full_bytes: activity.full_bytes,
            plan: self.state.begun.clone(),
            phases: self.phases.clone(),
            problems: activity.problems.clone(),
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}
