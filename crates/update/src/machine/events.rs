//! What can happen to an update, and what can follow. It refuses to know when.

use moult_model::{Digest, ErrorCode, Hold, Outcome};
use serde::{Deserialize, Serialize};

use crate::plan::Edge;
use crate::words::Room;

/// Why a version is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// What happened.
    pub code: ErrorCode,
    /// The technical chain of causes.
    pub detail: String,
    /// Whether it is never to be tried again.
    pub ban: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The update may begin.
    Begin {
        /// Whether the artifact is kept on this computer already.
        kept: bool,
        /// Whether it asks for something that the user has to grant first.
        needs_consent: bool,
    },
    /// The next piece of work waits for its turn.
    Queued,
    /// The next download waits: nothing is to be fetched now.
    Held(Hold),
    /// The download under way has its turn.
    FetchBegun,
    /// Bytes of the download under way are on the disk.
    Progress {
        /// How many, those of earlier tries included.
        bytes: u64,
        /// How many come in a second at the pace of the last seconds; 0 if that is not known.
        per_second: u64,
    },
    /// The download under way is complete.
    Fetched {
        /// Bytes that came over the wire for it.
        wire_bytes: u64,
    },
    /// The artifact was rebuilt.
    Rebuilt,
    /// The artifact is what was released, and is in the store.
    Staged {
        /// Whether the host has to be asked before it takes over.
        ask: bool,
    },
    /// The host, or the user, decided.
    Decided(Decision),
    /// The executable could not take over beside this process, and was not tried to its end: it starts next.
    Stayed,
    /// The new version takes over now and is on trial.
    Switched,
    /// The new version has proved itself.
    Confirmed,
    /// The user did not decide, or put it off, and it is time to ask again.
    Remind,
    /// The application is quit in order.
    Quit,
    /// The new version did not take over or failed its trial, and is to be taken back in the store.
    Refused(Withdrawal),
    /// The new version failed its trial, and the old one is back.
    Reverted(Fault),
    /// The work under way failed.
    Failed(Fault),
    /// The user or the policy stopped it.
    Cancelled,
}

/// When an executable takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Now.
    Now,
    /// When the application is quit in order.
    OnQuit,
    /// At the next start, however this one ends.
    NextStart,
    /// When the user says so, or when it is asked again.
    Later,
    /// Never: the version is skipped.
    Skip,
}

/// Why a piece of work failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of problem it is.
    pub code: ErrorCode,
    /// The technical chain of causes.
    pub detail: String,
    /// What the fault says of the downloads.
    pub blame: Blame,
    /// Bytes that are missing on the disk.
    pub room: Option<Room>,
}

/// Which download is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This one: it is excluded.
    Edge(Digest),
    /// The file that patches start from is not what it should be: no patch can help.
    Base,
    /// None: another way would end the same.
    Nothing,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hash the kept artifact again, verify it and stage it.
    Recheck,
    /// Fetch this.
    Fetch(Edge),
    /// Rebuild the artifact from these downloads, in order.
    Rebuild(Vec<Edge>),
    /// Verify the rebuilt artifact and put it into the store.
    Stage,
    /// Ask the host when the executable may take over.
    Ask,
    /// Begin the trial in the store, for the next start.
    Arm,
    /// End the trial of a bundle in its store.
    TakeBack(Withdrawal),
    /// Let it take over: begin the trial, and activate the bundle or restart.
    Switch,
    /// Never offer this artifact again.
    Skip,
    /// The update is over.
    Finish(Outcome),
}

impl Fault {
    /// A fault that no other way would avoid.
    pub fn of(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            blame: Blame::Nothing,
            room: None,
        }
    }

    /// The same fault with a download to blame.
    #[must_use]
    pub fn blaming(mut self, blame: Blame) -> Self {
        self.blame = blame;
        self
    }

    /// Whether another download can avoid it. A full disk, a dead network and the user's wish are the
    /// same for every way.
    pub(super) fn is_avoidable(&self) -> bool {
        let same_for_all = matches!(
            self.code,
            ErrorCode::DiskFull
                | ErrorCode::DiskFailed
                | ErrorCode::Offline
                | ErrorCode::CaptivePortal
                | ErrorCode::Cancelled
                | ErrorCode::Internal
        );
        self.blame != Blame::Nothing && !same_for_all
    }
}

impl Withdrawal {
    /// The fault that an update ends with once it is taken back.
    pub fn fault(&self) -> Fault {
        Fault::of(self.code, self.detail.clone())
    }
}
