//! Whether the stage still answers. Pure: from what is seen to what is done.
//!
//! All frames of a window share one web process, so a widget's endless loop holds up the stage and with it every
//! other widget. Nothing in that process can end it: only from here it is seen that no beat comes any more.

use std::time::Duration;

/// A stage that has not beaten for this long, counted as below, is lost.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);
/// The same while everything is being loaded: at the first start nothing is known of how fast this computer is.
const LOADING: Duration = Duration::from_secs(6);
/// The same while everything is being loaded again.
const LOADING_AGAIN: Duration = Duration::from_secs(2);
/// How long a page may take until it asks for its start, once its process was ended.
const PAGE: Duration = Duration::from_secs(10);
/// How long an ended process may take to be gone.
const PARTING: Duration = Duration::from_secs(2);
/// How long a window that is seen again may take to beat.
const WAKING: Duration = Duration::from_secs(3);
/// A tick counts for no more than this: this process itself stood still, or the system slept.
const TICK: Duration = Duration::from_millis(250);
/// A process of the web engine that holds more than this is ended before the system has to choose one.
pub(crate) const MEMORY_BYTES: u64 = 1536 * 1024 * 1024;

/// How the stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Heart {
    /// No page has asked for its start yet. The first time, the launcher watches.
    #[default]
    Loading,
    /// The same after an end.
    LoadingAgain {
        /// For how long.
        silence: Duration,
    },
    /// The page has its start.
    Beating {
        /// Since the last beat.
        silence: Duration,
        /// How long that may be.
        patience: Duration,
        /// Whether this page came after an end.
        again: bool,
        /// Whether the page says that it is not seen.
        hidden: bool,
    },
    /// The process was ended and is not gone yet.
    Ending {
        /// For how long.
        silence: Duration,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    /// The page asked for its start.
    Opened,
    /// It beat.
    Beat {
        /// Whether it is not seen: its timers are slow then.
        hidden: bool,
    },
    /// Everything is loaded.
    Settled,
    /// The window has the keyboard again.
    Woke,
    /// Time went by.
    Tick {
        /// Since the last tick.
        elapsed: Duration,
        /// For how long the web engine's main thread had a processor meanwhile, if that can be told.
        busy: Option<Duration>,
        /// The memory of its largest process, in bytes.
        memory: u64,
        /// Whether the window is on the screen and nothing holds its page on purpose.
        watched: bool,
    },
    /// The web engine's process is gone.
    Gone {
        /// Whether the engine itself ended it, since it held too much memory.
        memory: bool,
    },
}

/// Why the stage was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// No beat came.
    Hung,
    /// The process ended by itself.
    Crashed,
    /// It held too much memory.
    Memory,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Find out whose fault it is.
    Blame(Loss),
    /// End the web engine's process.
    End,
    /// Load the page again.
    Load,
}

/// What follows from an event.
pub(crate) fn next(heart: Heart, event: Event) -> (Heart, Vec<Effect>) {
    match (heart, event) {
        (Heart::Loading | Heart::LoadingAgain { .. } | Heart::Beating { .. }, Event::Opened) => {
            let again = !matches!(heart, Heart::Loading);
            let beating = Heart::Beating {
                silence: Duration::ZERO,
                patience: if again { LOADING_AGAIN } else { LOADING },
                again,
                hidden: false,
            };
            (beating, Vec::new())
        }
        (Heart::Beating { patience, again, .. }, Event::Beat { hidden }) => {
            // The grace for waking ends with the first beat after it.
            let patience = if patience == WAKING { SILENCE } else { patience };
            let beating = Heart::Beating {
                silence: Duration::ZERO,
                patience,
                again,
                hidden,
            };
            (beating, Vec::new())
        }
        (Heart::Beating { again, hidden, .. }, Event::Settled) => {
            let beating = Heart::Beating {
                silence: Duration::ZERO,
                patience: SILENCE,
                again,
                hidden,
            };
            (beating, Vec::new())
        }
        (
            Heart::Beating {
                again,
                hidden: true,
                patience,
                ..
            },
            Event::Woke,
        ) => {
            let beating = Heart::Beating {
                silence: Duration::ZERO,
                patience: patience.max(WAKING),
                again,
                hidden: false,
            };
            (beating, Vec::new())
        }
        (heart, Event::Gone { memory }) => gone(heart, memory),
        (
            heart,
            Event::Tick {
                elapsed,
                busy,
                memory,
                watched,
            },
        ) => tick(heart, counted(elapsed, busy), memory, watched),
        (heart, Event::Opened | Event::Beat { .. } | Event::Settled | Event::Woke) => (heart, Vec::new()),
    }
}

fn gone(heart: Heart, memory: bool) -> (Heart, Vec<Effect>) {
    let again = Heart::LoadingAgain {
        silence: Duration::ZERO,
    };
    let loss = if memory { Loss::Memory } else { Loss::Crashed };
    match heart {
        Heart::Ending { .. } => (again, vec![Effect::Load]),
        Heart::Loading | Heart::LoadingAgain { .. } | Heart::Beating { .. } => {
            (again, vec![Effect::Blame(loss), Effect::Load])
        }
    }
}

fn tick(heart: Heart, time: Duration, memory: u64, watched: bool) -> (Heart, Vec<Effect>) {
    let ending = Heart::Ending {
        silence: Duration::ZERO,
    };
    let lost = |loss| (ending, vec![Effect::Blame(loss), Effect::End]);
    match heart {
        Heart::Beating { .. } | Heart::LoadingAgain { .. } if memory > MEMORY_BYTES => lost(Loss::Memory),
        Heart::Loading | Heart::Beating { hidden: true, .. } => (heart, Vec::new()),
        Heart::Beating {
            patience,
            again,
            hidden,
            ..
        } if !watched => {
            let silence = Duration::ZERO;
            (
                Heart::Beating {
                    silence,
                    patience,
                    again,
                    hidden,
                },
                Vec::new(),
            )
        }
        Heart::Beating {
            silence,
            patience,
            again,
            hidden,
        } => {
            let silence = silence + time;
            if silence >= patience {
                return lost(Loss::Hung);
            }
            (
                Heart::Beating {
                    silence,
                    patience,
                    again,
                    hidden,
                },
                Vec::new(),
            )
        }
        Heart::LoadingAgain { silence } if silence + time >= PAGE => lost(Loss::Hung),
        Heart::LoadingAgain { silence } => (
            Heart::LoadingAgain {
                silence: silence + time,
            },
            Vec::new(),
        ),
        Heart::Ending { silence } if silence + time >= PARTING => {
            let again = Heart::LoadingAgain {
                silence: Duration::ZERO,
            };
            (again, vec![Effect::Load])
        }
        Heart::Ending { silence } => (
            Heart::Ending {
                silence: silence + time,
            },
            Vec::new(),
        ),
    }
}

/// How much of a tick counts as silence. A loop is at work all the time; a page that has no processor, because the
/// computer has too much to do, is not to blame and gets five times as long.
fn counted(elapsed: Duration, busy: Option<Duration>) -> Duration {
    let elapsed = elapsed.min(TICK);
    match busy {
        Some(busy) => elapsed.min(elapsed / 5 + busy * 2),
        None => elapsed,
    }
}

#[cfg(test)]
mod tests;
