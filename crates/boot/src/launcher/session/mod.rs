//! What runs, and what follows from what is seen of it. Pure; refuses to know processes, files and clocks.
//!
//! At most two runs are there at once: the one that hands over, and the one that takes over. Exactly one
//! of them has the window. Whatever ends, in whatever order: something is started, or the launcher leaves
//! and says why. That is what the test of all sequences checks.

mod kinds;

use std::time::Duration;

pub(crate) use kinds::{Do, Parting, RunId, Seen, State, TRIES_BESIDE};

use super::budget::Budget;
use super::watch::{Conclusion, Then, Verdict};
use crate::{HandOverOutcome, SlotName};

/// What runs, and what was spent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) state: State,
    crashes: Budget,
    /// Which slot the crashes are counted for.
    crashing: Option<SlotName>,
    restarts: Budget,
    /// When a rescue was tried.
    rescued: Option<Duration>,
    limits: Limits,
}

/// How long, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    /// How often a confirmed version that crashes is started again within the window.
    pub(crate) crashes: usize,
    /// How often versions make room for each other within the window.
    pub(crate) restarts: usize,
    /// The time over which both are counted.
    pub(crate) window: Duration,
    /// From the first start beside another to its taking over.
    pub(crate) hand_over: Duration,
    /// From the taking over to the end of the one before.
    pub(crate) closing: Duration,
}

impl Session {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            state: State::Starting,
            crashes: Budget::new(limits.crashes, limits.window),
            crashing: None,
            restarts: Budget::new(limits.restarts, limits.window),
            rescued: None,
            limits,
        }
    }

    /// The run that has the window, if one has.
    pub(crate) fn window(&self) -> Option<RunId> {
        match self.state {
            State::One(run) => Some(run),
            State::Asking { old, .. } | State::Two { old, .. } => Some(old),
            State::Closing { new, .. } => Some(new),
            _ => None,
        }
    }

    /// Whether time matters now, whatever the watches of the runs say.
    pub(crate) fn needs_time(&self) -> bool {
        matches!(self.state, State::Two { .. } | State::Closing { .. })
    }
}

/// What comes of what is seen. `at` is the time since the launcher began.
pub(crate) fn next(session: Session, at: Duration, seen: Seen) -> (Session, Vec<Do>) {
    let mut next = Next {
        session,
        at,
        effects: Vec::new(),
    };
    next.see(seen);
    (next.session, next.effects)
}

struct Next {
    session: Session,
    at: Duration,
    effects: Vec<Do>,
}

/// What a run's end leads to.
enum After {
    Start,
    Leave(i32, Parting),
}

impl Next {
    fn see(&mut self, seen: Seen) {
        let state = self.session.state;
        match (state, seen) {
            (State::Starting, Seen::Started(run)) => self.turn_to(State::One(run)),
            (State::Starting, Seen::NothingLeft) => self.nothing_left(),
            (State::Starting, Seen::Trouble) => self.leave(1, Parting::Trouble),
            (State::Rescuing, Seen::Rescued) => self.start(),
            (State::Rescuing, Seen::Stopped(stop)) => self.leave(stop.code(), Parting::Quiet),
            (State::Asking { old, tries, waited }, seen) => self.asked(old, tries, waited, &seen),
            (State::One(run), Seen::HandOver(by)) if run == by => {
                let waited = Duration::ZERO;
                self.ask(run, 0, waited);
            }
            (State::One(run), Seen::Stopped(stop)) => self.effects.push(Do::Pass(run, stop)),
            (
                State::One(run),
                Seen::Ended {
                    run: ended,
                    slot,
                    conclusion,
                    damaged,
                },
            ) if run == ended => match self.after(slot, conclusion, damaged) {
                After::Start => self.start(),
                After::Leave(code, parting) => self.leave(code, parting),
            },
            (two @ State::Two { .. }, seen) => self.two(two, &seen),
            (closing @ State::Closing { .. }, seen) => self.closing(closing, seen),
            (State::Clearing(run), Seen::Ended { run: ended, .. }) if run == ended => self.start(),
            (State::Clearing(run), Seen::Stopped(stop)) => self.turn_to(State::Leaving {
                left: run,
                code: stop.code(),
                parting: Parting::Quiet,
            }),
            (State::Leaving { left, code, parting }, Seen::Ended { run, .. }) if left == run => {
                self.leave(code, parting);
            }
            (_, Seen::HandOver(run)) => self.refuse(run),
            // Late words, second wishes, and time that does not matter.
            _ => {}
        }
    }

    /// The answer to a start beside another run.
    fn asked(&mut self, old: RunId, tries: u8, waited: Duration, seen: &Seen) {
        match seen {
            Seen::Started(new) => {
                let new = *new;
                self.effects.push(Do::TellBegun { old, new });
                self.turn_to(State::Two {
                    old,
                    new,
                    tries: tries + 1,
                    waited,
                    recalled: false,
                });
            }
            Seen::NothingBeside => {
                self.turn_to(State::One(old));
                self.effects.push(if tries == 0 {
                    Do::Refuse(old, "no other version is due")
                } else {
                    Do::TellEnded(old, HandOverOutcome::GivenUp)
                });
            }
            _ => {}
        }
    }

    fn two(&mut self, state: State, seen: &Seen) {
        let State::Two {
            old,
            new,
            tries,
            waited,
            recalled,
        } = state
        else {
            return;
        };
        match *seen {
            Seen::TookOver(run) if run == new && !recalled => {
                // It may have lost the other one's own word, and does not go on without one.
                let told = Do::TellEnded(old, HandOverOutcome::TookOver);
                self.effects.extend([told, Do::HasWindow(new)]);
                self.turn_to(State::Closing {
                    old,
                    new,
                    waited: Duration::ZERO,
                    killed: false,
                });
            }
            Seen::Recall(run) if run == old => self.recall(),
            Seen::Stopped(stop) => {
                self.effects.push(Do::Pass(old, stop));
                self.recall();
            }
            Seen::Awake(time) if !recalled => {
                let waited = waited + time;
                if let State::Two { waited: noted, .. } = &mut self.session.state {
                    *noted = waited;
                }
                if waited >= self.session.limits.hand_over {
                    self.recall();
                }
            }
            Seen::Ended {
                run, ref conclusion, ..
            } if run == new => {
                let failed = matches!(conclusion.trial, Verdict::Failed(_))
                    || (conclusion.trial == Verdict::NotOnTrial && conclusion.then != Then::Leave(0));
                if failed && !recalled && tries < TRIES_BESIDE {
                    self.ask(old, tries, waited);
                } else {
                    self.turn_to(State::One(old));
                    let outcome = if failed && !recalled {
                        HandOverOutcome::GivenUp
                    } else {
                        HandOverOutcome::NotReady
                    };
                    self.effects.push(Do::TellEnded(old, outcome));
                }
            }
            Seen::Ended {
                run, ref conclusion, ..
            } if run == old => {
                let then = conclusion.then;
                match (then, recalled) {
                    (Then::Leave(code), _) => self.leave_after(new, code, Parting::Quiet, recalled),
                    (Then::NoScreen(code), _) => self.leave_after(new, code, Parting::NoScreen, recalled),
                    // It was being ended, and nobody has the window now.
                    (Then::Start | Then::Crashed(_), true) => self.turn_to(State::Clearing(new)),
                    // It takes the window by itself: nobody else holds the right to write any more.
                    (Then::Start | Then::Crashed(_), false) => {
                        self.effects.push(Do::HasWindow(new));
                        self.turn_to(State::One(new));
                    }
                }
            }
            Seen::HandOver(run) => self.refuse(run),
            _ => {}
        }
    }

    fn closing(&mut self, state: State, seen: Seen) {
        let State::Closing {
            old,
            new,
            waited,
            killed,
        } = state
        else {
            return;
        };
        match seen {
            Seen::Ended { run, .. } if run == old => self.turn_to(State::One(new)),
            Seen::Ended {
                run,
                slot,
                conclusion,
                damaged,
            } if run == new => {
                // It has given everything away, so it can't go on in the other's place.
                let after = self.after(slot, conclusion, damaged);
                match after {
                    After::Leave(code, parting) => self.leave_after(old, code, parting, killed),
                    After::Start => {
                        if !killed {
                            self.effects.push(Do::Kill(old));
                        }
                        self.turn_to(State::Clearing(old));
                    }
                }
            }
            Seen::Awake(time) if !killed => {
                let waited = waited + time;
                let late = waited >= self.session.limits.closing;
                self.close(late, waited);
            }
            Seen::Stopped(stop) => {
                self.effects.push(Do::Pass(new, stop));
                self.close(true, waited);
            }
            Seen::HandOver(run) => self.refuse(run),
            _ => {}
        }
    }

    /// Notes how long the old one takes for its end, and ends it.
    fn close(&mut self, end_it: bool, time: Duration) {
        if let State::Closing {
            old, waited, killed, ..
        } = &mut self.session.state
        {
            *waited = time;
            if end_it && !*killed {
                *killed = true;
                self.effects.push(Do::Kill(*old));
            }
        }
    }

    /// Ends the one that was to take over. The old one is told when it is gone.
    fn recall(&mut self) {
        if let State::Two { new, recalled, .. } = &mut self.session.state
            && !*recalled
        {
            *recalled = true;
            self.effects.extend([Do::Recall(*new), Do::Kill(*new)]);
        }
    }

    /// What the end of the run with the window leads to.
    fn after(&mut self, slot: SlotName, conclusion: Conclusion, damaged: bool) -> After {
        let window = self.session.limits.window;
        match conclusion.then {
            Then::Leave(code) => After::Leave(code, Parting::Quiet),
            Then::NoScreen(code) => After::Leave(code, Parting::NoScreen),
            Then::Start if !matches!(conclusion.trial, Verdict::NotOnTrial | Verdict::Quit) => After::Start,
            Then::Start if self.session.restarts.spend(self.at) => After::Start,
            Then::Start => After::Leave(1, Parting::RestartedTooOften),
            Then::Crashed(_) if damaged && !slot.is_base() => {
                self.effects.push(Do::Lost(slot));
                After::Start
            }
            Then::Crashed(code) => {
                let rescued = self.session.rescued;
                if rescued.is_some_and(|then| self.at.saturating_sub(then) <= window) {
                    return After::Leave(code, Parting::NothingLeft);
                }
                if self.session.crashing.as_ref() != Some(&slot) {
                    self.session.crashes.clear();
                    self.session.crashing = Some(slot.clone());
                }
                if !self.session.crashes.spend(self.at) {
                    self.effects.push(Do::KeptFailing(slot));
                }
                After::Start
            }
        }
    }

    fn nothing_left(&mut self) {
        let window = self.session.limits.window;
        let rescued = self.session.rescued;
        if rescued.is_some_and(|then| self.at.saturating_sub(then) <= window) {
            return self.leave(1, Parting::NothingLeft);
        }
        self.session.rescued = Some(self.at);
        self.effects.push(Do::Rescue);
        self.turn_to(State::Rescuing);
    }

    fn ask(&mut self, old: RunId, tries: u8, waited: Duration) {
        self.effects.push(Do::StartBeside(old));
        self.turn_to(State::Asking { old, tries, waited });
    }

    fn start(&mut self) {
        if self.session.state == State::Rescuing {
            // The rescue itself takes its time.
            self.session.rescued = Some(self.at);
        }
        self.effects.push(Do::Start);
        self.turn_to(State::Starting);
    }

    fn leave(&mut self, code: i32, parting: Parting) {
        self.effects.push(Do::Leave(code, parting));
        self.turn_to(State::Over);
    }

    /// Leaves when this run, which nobody sees, is gone.
    fn leave_after(&mut self, left: RunId, code: i32, parting: Parting, killed: bool) {
        if !killed {
            self.effects.extend([Do::Recall(left), Do::Kill(left)]);
        }
        self.turn_to(State::Leaving { left, code, parting });
    }

    fn refuse(&mut self, run: RunId) {
        self.effects
            .push(Do::Refuse(run, "another version is being started or ended"));
    }

    fn turn_to(&mut self, state: State) {
        self.session.state = state;
    }
}

#[cfg(test)]
mod tests;
