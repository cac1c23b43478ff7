//! Who works next: a queue of updates with bounded workers for each stage, as a pure machine
//! `next(schedule, event) -> effects`.
//!
//! An update is *submitted* once, *wants* a worker for each of its stages in turn, *runs*, *rests* between
//! two stages, and is *over* once. An id that is over is never taken again. Order: priority, then age. A
//! stage that fails is tried again after a pause, as its policy says; a stage that takes too long is stopped
//! and counts as failed. It refuses to know what a stage does, and what time it is.

mod policy;
mod queue;

use jiff::Timestamp;
use moult_model::{Stage, Stages, Subject};

pub use policy::{pause, workers};

/// What comes first when workers are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// What should not wait: the versions before it should not be used any longer.
    Critical,
    /// What the user asked for just now.
    User,
    /// The executable.
    Executable,
    /// The shell.
    Shell,
    /// A widget.
    Widget,
}

/// One update in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    id: String,
    priority: Priority,
    /// Its place in the order in which they came.
    place: u64,
    stage: Stage,
    /// Which try of its stage this is, from 1 on.
    attempt: u32,
    state: TaskState,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TaskState {
    /// Between two stages.
    Resting,
    /// It waits for a worker, and for this moment.
    Queued { not_before: Timestamp },
    /// A worker has it, until this moment at the latest.
    Running { until: Option<Timestamp> },
}

/// Everything that decides who works next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    tasks: Vec<Task>,
    stages: Stages,
    next_place: u64,
    /// Ids that are over, newest last.
    over: Vec<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is a new update.
    Submit {
        /// Its id.
        id: String,
        /// How much it matters.
        priority: Priority,
    },
    /// An update is to go through this stage.
    Want {
        /// Its id.
        id: String,
        /// The stage.
        stage: Stage,
    },
    /// The stage of an update came to a good end.
    Done {
        /// Its id.
        id: String,
    },
    /// The stage of an update failed.
    Failed {
        /// Its id.
        id: String,
        /// Whether the same may succeed a moment later.
        again: bool,
        /// Uniform over all its values: the jitter of the pause.
        random: u32,
    },
    /// Time has passed.
    Tick {
        /// Uniform over all its values: the jitter of a pause after a time-out.
        random: u32,
    },
    /// The work of an update was stopped; it is still open.
    Rest {
        /// Its id.
        id: String,
    },
    /// An update is over. For ever.
    End {
        /// Its id.
        id: String,
    },
    /// The policies changed. They hold for what begins from now on.
    Policies(Stages),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Begin the work of this stage.
    Run {
        /// Of which update.
        id: String,
        /// Which stage.
        stage: Stage,
        /// Which try this is, from 1 on.
        attempt: u32,
    },
    /// Its turn has not come yet, or a pause is not over.
    Wait {
        /// Which update.
        id: String,
        /// For which stage.
        stage: Stage,
    },
    /// It took too long: stop the work.
    Stop {
        /// Of which update.
        id: String,
        /// Which stage.
        stage: Stage,
        /// What it was given, in seconds.
        seconds: u32,
    },
    /// No try is left: the stage failed.
    GiveUp {
        /// Which update.
        id: String,
    },
    /// It is not taken.
    Refuse {
        /// Which update.
        id: String,
        /// Why.
        why: Refusal,
    },
}

/// Why an update is not taken into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The queue is full: what is not found again at the next check is not wanted.
    QueueFull,
    /// An update with this id is over.
    AlreadyOver,
    /// It is in the queue.
    AlreadyQueued,
}

impl Priority {
    /// How much an update matters.
    pub fn of(subject: &Subject, is_critical: bool, is_wish: bool) -> Self {
        match subject {
            _ if is_critical => Self::Critical,
            _ if is_wish => Self::User,
            Subject::Executable => Self::Executable,
            Subject::Shell => Self::Shell,
            Subject::Widget(_) => Self::Widget,
        }
    }
}
