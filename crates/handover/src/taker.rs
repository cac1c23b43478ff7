//! The new one's side of a hand-over, as a pure machine. Refuses to know sockets, windows and clocks.
//!
//! As in `giver.rs` effects are carried out in their order, and each answer is the next event.

use std::fmt;

/// Where the new one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// It said Hello.
    Calling,
    /// It builds its window underneath.
    Loading,
    /// Its window stands underneath, twice painted.
    Under,
    /// The old one's state came; the right follows.
    Taking,
    /// The old one has gone without having given the right. It is free if the old one is dead.
    Seeking {
        /// Whether the application was told to build its window.
        built: bool,
    },
    /// It has the right, and comes to the top.
    Holding {
        /// Whether the old one is still there.
        old: bool,
    },
    /// It is on top. The old one's last keys follow.
    Raised,
    /// It is ready to be the application, but the old one did not say that it ends: it may be dead, or may
    /// have called the launcher. If the launcher decided against this one, it is ended within this time.
    Claiming {
        /// Whether the application was told to build its window.
        built: bool,
    },
    /// It is the application.
    Alone,
    /// It ends.
    Leaving(Leaving),
}

/// Why the new one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaving {
    /// The old one said that it stays.
    OldStays,
    /// The old one did not answer in time.
    NoAnswer,
    /// The connection was cut, and the old one still has the right.
    Lost,
    /// What came was not the right.
    NoRight,
    /// The launcher has gone.
    NoLauncher,
}

impl fmt::Display for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OldStays => "the running version goes on",
            Self::NoAnswer => "the running version did not answer in time",
            Self::Lost => "the connection to the running version was lost, and it is still there",
            Self::NoRight => "the right to write did not come",
            Self::NoLauncher => "the launcher has gone",
        })
    }
}

/// What the new one sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// Welcome came.
    Welcomed,
    /// The application does something that takes long.
    Progress,
    /// The application stands underneath.
    Painted,
    /// Last came.
    Last,
    /// The right came.
    Right,
    /// Something came in place of the right.
    NoRight,
    /// Keys came.
    Keys,
    /// The application is on top.
    Restored,
    /// The old one sends nothing more.
    Bye,
    /// The old one stays.
    Stay,
    /// The connection is cut.
    Cut,
    /// The right was free, and is here now.
    Found,
    /// A limit has passed.
    Late(Limit),
    /// The launcher has gone.
    NoLauncher,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// Let the application build its window, with what came in Welcome.
    Build,
    /// Tell the old one that this one is alive.
    SayProgress,
    /// Tell the old one that this one stands underneath.
    SayReady,
    /// Take over with what came in Last. Opens the stores, restores, and comes to the top.
    Take,
    /// Take over with what is on the disk.
    TakeFromDisk,
    /// Tell the old one that the right is here.
    SayTaken,
    /// Tell the old one that this one is on top.
    SayRaised,
    /// Give the application the keys that came.
    Replay,
    /// Tell the launcher that this one took over.
    Claim,
    /// Let go the input that was held back.
    Release,
    /// Try to take the right, until it succeeds or the limit has passed.
    Seek,
    /// Drop the right, and say so.
    Return,
    /// End.
    Leave(Leaving),
    /// Close the connection.
    HangUp,
    /// A limit begins, anew if it runs.
    Within(Limit),
    /// A limit no longer counts.
    Enough(Limit),
}

/// The limits that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Limit {
    Welcome,
    Offer,
    Bye,
    Seek,
    Claim,
}

impl State {
    /// Before anything happened. Hello was sent.
    pub(crate) fn first() -> (Self, Vec<Effect>) {
        (Self::Calling, vec![Effect::Within(Limit::Welcome)])
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::Alone | Self::Leaving(_))
    }
}

/// What comes next, and what is to be done.
pub(crate) fn next(state: State, event: Event) -> (State, Vec<Effect>) {
    use Effect::{
        Build, Claim, Enough, HangUp, Release, Replay, SayProgress, SayRaised, SayReady, SayTaken, Seek,
        Take, TakeFromDisk, Within,
    };
    match (state, event) {
        (State::Alone | State::Leaving(_), _)
        // The old one has told the launcher as well, which has decided by now.
        | (State::Claiming { .. }, Event::Stay) => (state, vec![]),

        (State::Calling, Event::Welcomed) => (State::Loading, vec![Enough(Limit::Welcome), Build]),
        (State::Loading, Event::Progress) => (state, vec![SayProgress]),
        (State::Loading, Event::Painted) => (State::Under, vec![Within(Limit::Offer), SayReady]),
        (State::Under, Event::Last) => (State::Taking, vec![]),
        (State::Calling, Event::Late(Limit::Welcome))
        | (State::Under | State::Taking, Event::Late(Limit::Offer)) => leave(Leaving::NoAnswer),
        (State::Taking, Event::Right) => (
            State::Holding { old: true },
            vec![Enough(Limit::Offer), SayTaken, Take],
        ),
        (State::Taking, Event::NoRight) => leave(Leaving::NoRight),
        (State::Holding { .. } | State::Raised | State::Claiming { built: true }, Event::Keys) => {
            (state, vec![Replay])
        }
        (State::Holding { old: true }, Event::Restored) => (State::Raised, vec![Within(Limit::Bye), SayRaised]),
        (State::Raised, Event::Bye) => (State::Alone, vec![Enough(Limit::Bye), HangUp, Claim, Release]),
        (State::Holding { old: false }, Event::Restored)
        // The launcher decides between the two: whoever tells it first.
        | (State::Raised, Event::Cut | Event::Late(Limit::Bye)) => (
            State::Claiming { built: true },
            vec![Enough(Limit::Bye), Claim, Within(Limit::Claim)],
        ),
        // It was only late.
        (State::Claiming { built: true }, Event::Bye | Event::Late(Limit::Claim)) => {
            (State::Alone, vec![Enough(Limit::Claim), HangUp, Release])
        }
        (State::Claiming { built: false }, Event::Late(Limit::Claim)) => (State::Alone, vec![]),
        (State::Holding { .. }, Event::Cut) => (State::Holding { old: false }, vec![HangUp]),

        // The old one crashed, or stays. What came in Last may be out of date by now: the disk is not.
        (State::Calling | State::Loading | State::Under | State::Taking, Event::Cut) => (
            State::Seeking {
                built: !matches!(state, State::Calling),
            },
            vec![
                Enough(Limit::Welcome),
                Enough(Limit::Offer),
                HangUp,
                Within(Limit::Seek),
                Seek,
            ],
        ),
        (State::Seeking { built: true }, Event::Found) => {
            (State::Holding { old: false }, vec![Enough(Limit::Seek), TakeFromDisk])
        }
        // Nothing was begun: the application will start as always.
        (State::Seeking { built: false }, Event::Found) => (
            State::Claiming { built: false },
            vec![Enough(Limit::Seek), Within(Limit::Claim)],
        ),
        (State::Seeking { .. }, Event::Late(Limit::Seek)) => leave(Leaving::Lost),

        (State::Holding { .. } | State::Raised, Event::Stay) => give_back(Leaving::OldStays),
        (State::Holding { .. } | State::Raised | State::Claiming { .. }, Event::NoLauncher) => {
            give_back(Leaving::NoLauncher)
        }
        (_, Event::Stay) => leave(Leaving::OldStays),
        (_, Event::NoLauncher) => leave(Leaving::NoLauncher),
        (state, _) => (state, vec![]),
    }
}

fn leave(why: Leaving) -> (State, Vec<Effect>) {
    (State::Leaving(why), vec![Effect::HangUp, Effect::Leave(why)])
}

/// The application stops what writes before the right is dropped.
fn give_back(why: Leaving) -> (State, Vec<Effect>) {
    (
        State::Leaving(why),
        vec![Effect::Leave(why), Effect::Return, Effect::HangUp],
    )
}
