//! The old one's side of a hand-over, as a pure machine. Refuses to know sockets, windows and clocks.
//!
//! [`next`] says for each state and event what comes next and what is to be done. Effects are carried out
//! in their order, and each answer is the next event, before any other.
//!
//! Whom to believe when the connection is cut after the right was given? The launcher: it hears both, and
//! the first of the successor's `TookOver` and this one's `Recall` counts. Until its word came this one does
//! not go on, even if the right is free: the successor may have saved something that was typed into it. The
//! right itself is the system's lock, so that at no moment two have it, whatever is believed.

use std::fmt;

/// Where the old one stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// A successor is awaited. Its call and the launcher's word for it come in either order.
    Offering {
        /// The start that the launcher named.
        expected: Option<String>,
        /// The start that called.
        caller: Option<String>,
    },
    /// The successor is known, and is to get its Welcome.
    Greeted,
    /// The successor builds its window underneath.
    Offered,
    /// The successor is ready, and calm is awaited.
    Quiet,
    /// The page is frozen, and nothing is given yet.
    Frozen,
    /// The successor has the right, or it is on its way.
    Given,
    /// The successor is on top and is to get the last keys.
    Parting,
    /// The right is being taken back.
    Retaking {
        /// Why.
        why: Staying,
        /// Whether the launcher said that the successor has been ended.
        word: bool,
    },
    /// The successor took over. This process ends.
    Gone,
    /// This process goes on, as if nothing had been.
    Staying(Staying),
}

/// Why the old one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Staying {
    /// The launcher did not answer: it knows no hand-over. The way left is to end and be started again.
    NoAnswer,
    /// The launcher gave the successor up, or refused to start one.
    GivenUp,
    /// No successor got ready in time.
    NotReady,
    /// The user was composing text all the time.
    Busy,
    /// The page, the records or the engine could not be brought to a halt.
    NotFrozen,
    /// The successor did not come to the top in time.
    NotRaised,
    /// The successor was lost when it had the right already.
    Lost,
    /// The successor speaks another protocol.
    Protocol,
    /// The user quits.
    Withdrawn,
    /// The launcher has gone.
    NoLauncher,
}

impl fmt::Display for Staying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "the launcher did not start a successor",
            Self::GivenUp => "the launcher gave the successor up",
            Self::NotReady => "the successor was not ready in time",
            Self::Busy => "text was being composed all the time",
            Self::NotFrozen => "the running version could not be brought to a halt",
            Self::NotRaised => "the successor's window did not come up in time",
            Self::Lost => "the successor was lost on the way",
            Self::Protocol => "the successor speaks another protocol",
            Self::Withdrawn => "it was called off",
            Self::NoLauncher => "the launcher has gone",
        })
    }
}

/// What the old one sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The launcher has started a successor.
    Begun { start: String },
    /// The launcher says how it ended: whether the successor has taken over.
    Ended { took_over: bool },
    /// The launcher has gone.
    NoLauncher,
    /// A successor called, with the right token.
    Called { start: String, protocol: u32 },
    /// The successor is alive.
    Progress,
    /// The successor stands underneath.
    Ready,
    /// The successor is on top.
    Raised,
    /// The successor has given the right back.
    Returned,
    /// The connection to the successor is cut.
    Cut,
    /// The effect succeeded.
    Done,
    /// The effect failed. Of [`Effect::Give`]: the right is still here.
    Failed,
    /// There was no input for long enough.
    Calm,
    /// The right is back.
    Retook,
    /// A limit has passed.
    Late(Limit),
    /// The user quits.
    Withdrawn,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// Save everything, and send Welcome. Answered.
    Greet,
    /// Watch for calm.
    AwaitCalm,
    /// Freeze the page, stop the engine, drop tray and listener. Answered. Failed: all of it goes on.
    Freeze,
    /// Send Last, Listener and Right. Answered.
    Give,
    /// Send the last keys and Bye. Answered.
    Part,
    /// Say that this one stays. Whether it arrives does not matter.
    SayStay(Staying),
    /// Close the connection.
    HangUp,
    /// Have the launcher end the successor.
    Recall,
    /// Try to take the right, until it succeeds or the limit has passed.
    Retake,
    /// Let the page go on, with the right and the keys that were kept.
    Thaw,
    /// Hide the window and end.
    Leave,
    /// Tell the application that it goes on.
    Stay(Staying),
    /// A limit begins, anew if it runs.
    Within(Limit),
    /// A limit no longer counts.
    Enough(Limit),
}

/// The limits that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Limit {
    Answer,
    Progress,
    Ready,
    Composing,
    Switch,
    Retake,
}

impl State {
    /// Before anything happened.
    pub(crate) fn first() -> (Self, Vec<Effect>) {
        let state = Self::Offering {
            expected: None,
            caller: None,
        };
        (state, vec![Effect::Within(Limit::Answer)])
    }

    /// Whether the call of a further start is heard: it means that the one before has ended.
    pub(crate) fn takes_calls(&self) -> bool {
        matches!(
            self,
            Self::Offering { .. } | Self::Greeted | Self::Offered | Self::Quiet
        )
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Gone | Self::Staying(_))
    }
}

/// What comes next, and what is to be done.
pub(crate) fn next(state: State, event: Event) -> (State, Vec<Effect>) {
    use Effect::{AwaitCalm, Enough, Freeze, Give, Greet, Leave, Part, Thaw, Within};
    match (state, event) {
        // One that called before is not the one that was started now.
        (State::Offering { caller, .. }, Event::Begun { start }) if caller.as_ref() == Some(&start) => {
            (State::Greeted, vec![Enough(Limit::Answer), Within(Limit::Progress), Within(Limit::Ready), Greet])
        }
        (State::Offering { caller, .. }, Event::Begun { start }) => (
            State::Offering {
                expected: Some(start),
                caller,
            },
            vec![Enough(Limit::Answer), Within(Limit::Progress), Within(Limit::Ready)],
        ),
        (State::Offering { .. }, Event::Called { protocol: 0, .. }) => stay(Staying::Protocol),
        (State::Offering { expected, .. }, Event::Called { start, .. }) if expected.as_ref() == Some(&start) => {
            (State::Greeted, vec![Within(Limit::Progress), Greet])
        }
        (State::Offering { expected, .. }, Event::Called { start, .. }) => (
            State::Offering {
                expected,
                caller: Some(start),
            },
            vec![],
        ),
        (State::Offering { expected, .. }, Event::Cut) => (State::Offering { expected, caller: None }, vec![]),
        (State::Offering { .. }, Event::Late(Limit::Answer)) => stay(Staying::NoAnswer),

        (State::Greeted, Event::Done) | (State::Offered, Event::Progress) => {
            (State::Offered, vec![Within(Limit::Progress)])
        }
        (State::Offered, Event::Ready) => (
            State::Quiet,
            vec![
                Enough(Limit::Progress),
                Enough(Limit::Ready),
                Within(Limit::Composing),
                AwaitCalm,
            ],
        ),
        (State::Quiet, Event::Calm) => (
            State::Frozen,
            vec![Enough(Limit::Composing), Within(Limit::Switch), Freeze],
        ),
        (State::Quiet, Event::Late(Limit::Composing)) => stay(Staying::Busy),

        // The answer to Freeze, then the one to Give.
        (State::Frozen, Event::Done) => (State::Given, vec![Give]),
        (State::Greeted | State::Frozen, Event::Failed) => stay(Staying::NotFrozen),
        (State::Given, Event::Failed) => thaw_and_stay(Staying::Lost),
        (State::Given, Event::Raised) => (State::Parting, vec![Part]),
        (State::Given, Event::Late(Limit::Switch)) => retake(Staying::NotRaised, true),
        (State::Given | State::Parting, Event::Cut) | (State::Parting, Event::Failed) => {
            retake(Staying::Lost, false)
        }
        (State::Given, Event::Returned) => retake(Staying::NotRaised, false),
        (State::Parting, Event::Done)
        | (State::Given | State::Parting | State::Retaking { .. }, Event::Ended { took_over: true })
        // Both end with the launcher, and all that counts is on the disk.
        | (State::Given | State::Parting | State::Retaking { .. }, Event::NoLauncher)
        // Somebody has it who is not ended by the launcher: then it is the one whose window is up.
        | (State::Retaking { .. }, Event::Late(Limit::Retake)) => (State::Gone, vec![Leave]),
        (State::Given, Event::Ended { took_over: false }) => word(Staying::GivenUp),
        (State::Retaking { why, word: false }, Event::Ended { took_over: false }) => word(why),
        (State::Retaking { why, word: true }, Event::Retook) => (
            State::Staying(why),
            vec![Enough(Limit::Retake), Thaw, Effect::Stay(why)],
        ),
        // What is frozen hears nothing but its answers.
        (
            state @ (State::Frozen
            | State::Given
            | State::Parting
            | State::Retaking { .. }
            | State::Gone
            | State::Staying(_)),
            _,
        ) => (state, vec![]),

        // From here on: before the right was given.
        (_, Event::Withdrawn) => stay(Staying::Withdrawn),
        (_, Event::NoLauncher) => stay(Staying::NoLauncher),
        // Only this one can tell that it took over, and it has no right yet: nothing to believe.
        (_, Event::Ended { .. }) => stay(Staying::GivenUp),
        (_, Event::Late(Limit::Progress | Limit::Ready)) => stay(Staying::NotReady),
        // It ended. The launcher starts it once more, or gives it up.
        (State::Greeted | State::Offered | State::Quiet, Event::Cut) => again(None, None),
        (State::Greeted | State::Offered | State::Quiet, Event::Begun { start }) => again(Some(start), None),
        (State::Greeted | State::Offered | State::Quiet, Event::Called { start, .. }) => again(None, Some(start)),
        (state, _) => (state, vec![]),
    }
}

fn again(expected: Option<String>, caller: Option<String>) -> (State, Vec<Effect>) {
    (
        State::Offering { expected, caller },
        vec![
            Effect::HangUp,
            Effect::Enough(Limit::Composing),
            Effect::Within(Limit::Progress),
        ],
    )
}

fn stay(why: Staying) -> (State, Vec<Effect>) {
    (
        State::Staying(why),
        vec![
            Effect::SayStay(why),
            Effect::HangUp,
            Effect::Recall,
            Effect::Stay(why),
        ],
    )
}

fn thaw_and_stay(why: Staying) -> (State, Vec<Effect>) {
    let (state, mut effects) = stay(why);
    effects.insert(0, Effect::Thaw);
    (state, effects)
}

fn retake(why: Staying, say: bool) -> (State, Vec<Effect>) {
    let mut effects = vec![Effect::Enough(Limit::Switch)];
    if say {
        effects.push(Effect::SayStay(why));
    }
    effects.extend([Effect::Recall, Effect::Within(Limit::Retake)]);
    (State::Retaking { why, word: false }, effects)
}

/// The successor has been ended, so the right is free or about to be.
fn word(why: Staying) -> (State, Vec<Effect>) {
    (
        State::Retaking { why, word: true },
        vec![
            Effect::HangUp,
            Effect::Enough(Limit::Switch),
            Effect::Within(Limit::Retake),
            Effect::Retake,
        ],
    )
}
