//! What the session is told, what it answers, and the states it is in.

use std::time::Duration;

use crate::launcher::watch::Conclusion;
use crate::platform::Stop;
use crate::{HandOverOutcome, SlotName};

/// Which start of this launcher, from 1.
pub(crate) type RunId = u64;

/// How often a version is started beside the one that hands over, before that one is told to stay.
pub(crate) const TRIES_BESIDE: u8 = 3;

/// What is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What was to be started runs.
    Started(RunId),
    /// No version is left to be started.
    NothingLeft,
    /// Nothing could be started, and nothing else would do better.
    Trouble,
    /// Nothing is there to be started beside the one that hands over.
    NothingBeside,
    /// A rescue was tried.
    Rescued,
    /// A run asks for another beside it.
    HandOver(RunId),
    /// A run says that it took over.
    TookOver(RunId),
    /// A run wants the one beside it ended.
    Recall(RunId),
    /// A run has ended.
    Ended {
        run: RunId,
        slot: SlotName,
        conclusion: Conclusion,
        /// Its file is not what was installed.
        damaged: bool,
    },
    /// The launcher is asked to end.
    Stopped(Stop),
    /// This much time passed while the computer was awake.
    Awake(Duration),
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    /// Start what is due. The answer is `Started`, `NothingLeft` or `Trouble`.
    Start,
    /// Start what is due beside this run. The answer is `Started` or `NothingBeside`.
    StartBeside(RunId),
    /// Tell a run that another one is beside it.
    TellBegun { old: RunId, new: RunId },
    /// Tell the run that hands over how that ended.
    TellEnded(RunId, HandOverOutcome),
    /// Tell a run that it does not get what it asked for.
    Refuse(RunId, &'static str),
    /// This run has the window now.
    HasWindow(RunId),
    /// This run is not wanted any more: whatever comes of it is no fault of its own.
    Recall(RunId),
    /// End a run and everything that it started.
    Kill(RunId),
    /// Pass a wish to end on.
    Pass(RunId, Stop),
    /// Note that a slot's file is damaged.
    Lost(SlotName),
    /// Note that a confirmed slot ended too often.
    KeptFailing(SlotName),
    /// Fetch a version that works.
    Rescue,
    /// End, with this code.
    Leave(i32, Parting),
}

/// What the person is told when the launcher ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Parting {
    /// Nothing: all is as it was wished for.
    Quiet,
    /// There is no screen.
    NoScreen,
    /// What was to be started could not be; the driver knows why.
    Trouble,
    /// No version is left that starts.
    NothingLeft,
    /// Versions only made room for each other.
    RestartedTooOften,
}

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Nothing; a start was asked for.
    Starting,
    /// Nothing; a rescue was asked for.
    Rescuing,
    /// One, which has the window.
    One(RunId),
    /// One; a start beside it was asked for.
    Asking { old: RunId, tries: u8, waited: Duration },
    /// Two; the old one has the window.
    Two {
        old: RunId,
        new: RunId,
        tries: u8,
        waited: Duration,
        /// The new one is being ended.
        recalled: bool,
    },
    /// Two; the new one has the window, and the old one ends.
    Closing {
        old: RunId,
        new: RunId,
        waited: Duration,
        killed: bool,
    },
    /// One that is being ended; what is due is started after it.
    Clearing(RunId),
    /// One that is being ended; the launcher ends after it.
    Leaving {
        left: RunId,
        code: i32,
        parting: Parting,
    },
    /// Nothing, and nothing follows.
    Over,
}
