//! Watches one run of the application: what is heard of it and how time passes, turned into a judgement.
//! Pure; refuses to know processes, clocks and the store.

use std::time::Duration;

use super::Deadlines;
use crate::platform::{End, Screen, Stop};
use crate::{Quit, ToLauncher, Why};

/// The code that stands for a version that says itself that it does not work as it must. Launchers that
/// do not know the message know the code.
pub(crate) const UNFIT: i32 = 78;

/// What is seen.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// The application said something.
    Said(ToLauncher),
    /// The store says that the slot is confirmed.
    Confirmed,
    /// This much time passed while the computer was awake.
    Awake(Duration),
    /// A wish to end was passed on.
    PassedOn(Stop),
    /// It has the window, or nobody else has: from now on it is judged like any other.
    OnItsOwn,
    /// Another one that hands over to it does not want it any more.
    Recalled,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    /// Ask the application to end.
    AskToEnd,
    /// End it and everything it started.
    Kill,
}

/// What a run showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    /// What it means for a trial.
    pub(crate) trial: Verdict,
    /// What comes now.
    pub(crate) then: Then,
}

/// What a run means for its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was not on trial, or was confirmed meanwhile.
    NotOnTrial,
    /// It failed.
    Failed(Why),
    /// It ended in good order: its try is given back.
    Quit,
    /// It was cut short before anything could be told. The try is used, and that is all.
    Unknown,
}

/// What comes after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Start what is due.
    Start,
    /// The launcher ends with this code.
    Leave(i32),
    /// There is no screen to show anything on. Nothing that is started now would do better.
    NoScreen(i32),
    /// A confirmed version failed with this code: start it again, if it has not failed too often.
    Crashed(i32),
}

/// One run of the application.
#[derive(Debug)]
pub(crate) struct Watch {
    deadlines: Deadlines,
    on_trial: bool,
    part: Part,
    unfit: bool,
    painted: bool,
    quitting: Option<Quit>,
    stopped: Option<Stop>,
    /// Awake time since the start.
    age: Duration,
    /// Awake time since the last sign of life.
    quiet: Duration,
    ending: Ending,
}

/// Its part in a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// None, or it has taken over.
    OnItsOwn,
    /// It was started beside another one, which still has the window.
    Beside,
    /// The other one does not want it any more.
    Recalled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// Asked to end because it hung, this long ago.
    Asked(Duration),
    Killed,
}

impl Watch {
    pub(crate) fn new(deadlines: Deadlines, on_trial: bool) -> Self {
        Self {
            deadlines,
            on_trial,
            part: Part::OnItsOwn,
            unfit: false,
            painted: false,
            quitting: None,
            stopped: None,
            age: Duration::ZERO,
            quiet: Duration::ZERO,
            ending: Ending::No,
        }
    }

    /// One that was started beside another, which hands its window over to it.
    pub(crate) fn beside(mut self) -> Self {
        self.part = Part::Beside;
        self
    }

    /// Whether time matters now. A confirmed version that runs is left alone, however quiet it is.
    pub(crate) fn needs_time(&self) -> bool {
        self.on_trial
            || self.part != Part::OnItsOwn
            || self.is_leaving()
            || matches!(self.ending, Ending::Asked(_))
    }

    /// Whether the application can still open something.
    pub(crate) fn is_staying(&self) -> bool {
        !self.is_leaving() && self.stopped.is_none() && self.ending == Ending::No
    }

    /// Whether the application has said that it ends.
    fn is_leaving(&self) -> bool {
        self.quitting.is_some() || (self.unfit && self.on_trial)
    }

    /// Whether it was asked to end because it hung.
    pub(crate) fn was_ended(&self) -> bool {
        self.ending != Ending::No
    }

    /// How it ended, and so what comes of it. `screen` is looked at right after its end.
    pub(crate) fn conclude(&self, end: End, screen: Screen) -> Conclusion {
        let failed_without_screen = self.failed_without_screen(end, screen);
        let verdict = if self.on_trial {
            if failed_without_screen {
                Verdict::Unknown
            } else {
                self.verdict(end)
            }
        } else {
            Verdict::NotOnTrial
        };
        Conclusion {
            trial: verdict,
            then: if failed_without_screen {
                Then::NoScreen(end.code())
            } else {
                self.then(end, verdict)
            },
        }
    }

    /// A window system that ends takes all that it shows with it: they end with a code of failure and
    /// without a word, and so does each one that is started where there is no screen. Both say nothing
    /// about the version. One that ends by a fault of its own ends by a signal.
    fn failed_without_screen(&self, end: End, screen: Screen) -> bool {
        let failed = matches!(end, End::Code(code) if code != 0);
        let none = match screen {
            Screen::There => false,
            Screen::Gone => true,
            Screen::NotTold => !self.painted,
        };
        failed && none && !self.is_leaving() && self.stopped.is_none() && self.ending == Ending::No
    }

    /// Takes note of what is seen.
    pub(crate) fn see(&mut self, seen: Seen) -> Option<Do> {
        match seen {
            Seen::Said(said) => {
                self.hear(&said);
                None
            }
            Seen::Confirmed => {
                self.on_trial = false;
                None
            }
            Seen::PassedOn(stop) => {
                self.stopped = Some(stop);
                None
            }
            Seen::OnItsOwn => {
                self.part = Part::OnItsOwn;
                None
            }
            Seen::Recalled => {
                self.part = Part::Recalled;
                None
            }
            Seen::Awake(time) => self.wait(time),
        }
    }

    fn hear(&mut self, said: &ToLauncher) {
        // One that has said that it ends is no longer judged by its heart, but by its getting on with it.
        if !self.is_leaving() || *said != ToLauncher::Heartbeat {
            self.quiet = Duration::ZERO;
        }
        match said {
            ToLauncher::Painted => self.painted = true,
            ToLauncher::Quitting { why } => self.quitting = Some(*why),
            ToLauncher::Unfit { .. } => self.unfit = true,
            ToLauncher::Progress { .. }
            | ToLauncher::Heartbeat
            | ToLauncher::Confirmed
            | ToLauncher::HandOver { .. }
            | ToLauncher::TookOver
            | ToLauncher::Recall => {}
        }
    }

    fn wait(&mut self, time: Duration) -> Option<Do> {
        self.age += time;
        self.quiet += time;
        match self.ending {
            Ending::Asked(since) if since + time >= self.end_limit() => {
                self.ending = Ending::Killed;
                Some(Do::Kill)
            }
            Ending::Asked(since) => {
                self.ending = Ending::Asked(since + time);
                None
            }
            Ending::No if self.is_hung() => {
                self.ending = Ending::Asked(Duration::ZERO);
                Some(Do::AskToEnd)
            }
            Ending::No | Ending::Killed => None,
        }
    }

    /// A trial is given less time, so that three that hang hard are over within a minute.
    fn end_limit(&self) -> Duration {
        if self.on_trial {
            self.deadlines.trial_end
        } else {
            self.deadlines.end
        }
    }

    fn is_hung(&self) -> bool {
        if !self.needs_time() || self.stopped.is_some() {
            // One that was asked to end from outside may take its time, and may ask its user.
            return false;
        }
        if self.painted || self.is_leaving() {
            self.quiet >= self.deadlines.heartbeat
        } else {
            self.quiet >= self.deadlines.paint || self.age >= self.deadlines.paint_in_all
        }
    }

    fn then(&self, end: End, verdict: Verdict) -> Then {
        if let Some(stop) = self.stopped {
            return Then::Leave(if end == End::Code(0) { 0 } else { stop.code() });
        }
        if let Some(code) = self.stopped_from_outside(end) {
            return Then::Leave(code);
        }
        match (self.quitting, verdict) {
            // What failed before it showed anything can't have been quit by its user.
            (Some(Quit::User | Quit::Session), Verdict::Failed(_)) if !self.painted => Then::Start,
            // The user wants it gone: it does not come back at once, though a failure counts.
            (Some(Quit::User | Quit::Session), _) => Then::Leave(self.own_code(end)),
            (Some(Quit::Update), _) | (None, Verdict::Failed(_)) => Then::Start,
            (None, Verdict::NotOnTrial) if end != End::Code(0) => Then::Crashed(end.code()),
            (None, _) => Then::Leave(end.code()),
        }
    }

    fn verdict(&self, end: End) -> Verdict {
        if self.part == Part::Recalled && self.ending == Ending::No {
            return Verdict::Unknown;
        }
        if self.unfit {
            return Verdict::Failed(Why::Crashed { code: UNFIT });
        }
        if self.ending != Ending::No {
            return Verdict::Failed(Why::Hung);
        }
        if self.stopped.is_some() || self.stopped_from_outside(end).is_some() {
            return if self.painted {
                Verdict::Quit
            } else {
                Verdict::Unknown
            };
        }
        match (end, self.quitting) {
            // It was not wanted any more, and knew it before the launcher did.
            (End::Code(0), Some(_)) if self.part == Part::Beside => Verdict::Unknown,
            (End::Code(0), Some(_)) if self.painted => Verdict::Quit,
            (End::Code(0), Some(Quit::Session)) => Verdict::Unknown,
            (End::Code(0), _) => Verdict::Failed(Why::ExitedEarly),
            (end, _) => Verdict::Failed(Why::Crashed { code: end.code() }),
        }
    }

    /// Ended by a wish that did not come through this launcher: a logout reaches both at once.
    fn stopped_from_outside(&self, end: End) -> Option<i32> {
        match end {
            End::Signal(number) if self.ending == Ending::No && Stop::is_stop(number) => Some(end.code()),
            _ => None,
        }
    }

    /// What the application ended with, unless the launcher ended it.
    fn own_code(&self, end: End) -> i32 {
        if self.ending == Ending::No { end.code() } else { 0 }
    }
}

#[cfg(test)]
mod tests;
