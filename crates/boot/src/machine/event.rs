//! What the boot machine is told, and what it answers. Refuses to know what follows from what.

use moult_model::Digest;
use serde::Serialize;

use crate::StartToken;
use crate::state::{Ban, Rollback, Slot, SlotName, Why};

/// What happened, or is wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The packaged executable was looked at.
    BaseSeen {
        /// What it is now; its name is `base`.
        base: Slot,
    },
    /// An executable was put into its folder.
    Installed {
        /// The slot.
        slot: Slot,
    },
    /// A slot is to be tried.
    BeginTrial {
        /// The slot.
        slot: SlotName,
    },
    /// The launcher is about to start whatever is due.
    StartDue {
        /// The time, in seconds since 1970 in UTC.
        at: u64,
        /// The name of this start.
        start: StartToken,
    },
    /// A start of a slot failed.
    Failed {
        /// The slot.
        slot: SlotName,
        /// How.
        why: Why,
        /// When, in seconds since 1970 in UTC.
        at: u64,
    },
    /// A slot ended in good order.
    Quit {
        /// The slot.
        slot: SlotName,
    },
    /// A slot has proved itself.
    Confirm {
        /// The slot.
        slot: SlotName,
        /// Which start of it says so; `None` if the process was started by hand.
        start: Option<StartToken>,
    },
    /// A confirmed slot ended too often within a short time.
    KeptFailing {
        /// The slot.
        slot: SlotName,
        /// When, in seconds since 1970 in UTC.
        at: u64,
    },
    /// The user wants the version before.
    GoBack,
    /// A slot's file is missing, damaged, or open to others.
    Lost {
        /// The slot.
        slot: SlotName,
    },
    /// The system does not allow a slot to be executed.
    Forbidden {
        /// The slot.
        slot: SlotName,
    },
    /// A slot is no longer wanted on the disk.
    Forget {
        /// The slot.
        slot: SlotName,
    },
    /// A signed recall wants an artifact that failed before.
    LiftBan {
        /// The artifact.
        digest: Digest,
    },
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Start this slot.
    Run {
        /// The slot.
        slot: SlotName,
        /// Whether it is on trial.
        on_trial: bool,
    },
    /// Another slot is current now.
    BecameCurrent {
        /// The slot.
        slot: SlotName,
    },
    /// A trial was given up.
    RolledBack(Rollback),
    /// An artifact is not tried again.
    Banned(Ban),
    /// A confirmed slot is stepped over for now; it is neither banned nor replaced.
    SteppedOver {
        /// The slot.
        slot: SlotName,
    },
    /// No slot is left that could be started. The next time that one is due all are tried again.
    Rescue,
    /// A slot is no longer listed; its folder is garbage.
    Dropped {
        /// The slot.
        slot: SlotName,
    },
    /// The event does not fit, and nothing was changed.
    Refused(Refusal),
}

/// Why an event does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The artifact failed before.
    Banned {
        /// The artifact.
        digest: Digest,
    },
    /// Another artifact has this slot's name.
    SlotTaken {
        /// The slot.
        slot: SlotName,
    },
    /// There is no such slot.
    NotInstalled {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is current already.
    AlreadyCurrent {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is not on trial.
    NotOnTrial {
        /// The slot.
        slot: SlotName,
    },
    /// The start that speaks is not the last one of the slot.
    StaleStart {
        /// The slot.
        slot: SlotName,
    },
    /// There is no earlier version.
    NothingToGoBackTo,
}
