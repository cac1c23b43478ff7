//! Watches one run of the application: what is heard of it and how time passes, turned into a judgement.
//! Pure; refuses to know processes, clocks and the store.

use std::time::Duration;

use super::Deadlines;
use crate::platform::{End, Stop};
use crate::{Quit, ToLauncher, Why};

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
    /// A confirmed version failed with this code: start it again, if it has not failed too often.
    Crashed(i32),
}

/// One run of the application.
#[derive(Debug)]
pub(crate) struct Watch {
    deadlines: Deadlines,
    on_trial: bool,
    painted: bool,
    quitting: Option<Quit>,
    stopped: Option<Stop>,
    /// Awake time since the start.
    age: Duration,
    /// Awake time since the last sign of life.
    quiet: Duration,
    ending: Ending,
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
            painted: false,
            quitting: None,
            stopped: None,
            age: Duration::ZERO,
            quiet: Duration::ZERO,
            ending: Ending::No,
        }
    }

    /// Whether time matters now. A confirmed version that runs is left alone, however quiet it is.
    pub(crate) fn needs_time(&self) -> bool {
        self.on_trial || self.quitting.is_some() || matches!(self.ending, Ending::Asked(_))
    }

    /// Whether the application can still open something.
    pub(crate) fn is_staying(&self) -> bool {
        self.quitting.is_none() && self.stopped.is_none() && self.ending == Ending::No
    }

    /// Whether it was asked to end because it hung.
    pub(crate) fn was_ended(&self) -> bool {
        self.ending != Ending::No
    }

    /// How it ended, and so what comes of it.
    pub(crate) fn conclude(&self, end: End) -> Conclusion {
        let verdict = if self.on_trial {
            self.verdict(end)
        } else {
            Verdict::NotOnTrial
        };
        Conclusion {
            trial: verdict,
            then: self.then(end, verdict),
        }
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
            Seen::Awake(time) => self.wait(time),
        }
    }

    fn hear(&mut self, said: &ToLauncher) {
        // One that has said that it ends is no longer judged by its heart, but by its getting on with it.
        if self.quitting.is_none() || *said != ToLauncher::Heartbeat {
            self.quiet = Duration::ZERO;
        }
        match said {
            ToLauncher::Painted => self.painted = true,
            ToLauncher::Quitting { why } => self.quitting = Some(*why),
            ToLauncher::Progress { .. } | ToLauncher::Heartbeat | ToLauncher::Confirmed => {}
        }
    }

    fn wait(&mut self, time: Duration) -> Option<Do> {
        self.age += time;
        self.quiet += time;
        match self.ending {
            Ending::Asked(since) if since + time >= self.deadlines.end => {
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

    fn is_hung(&self) -> bool {
        if !self.needs_time() || self.stopped.is_some() {
            // One that was asked to end from outside may take its time, and may ask its user.
            return false;
        }
        if self.painted || self.quitting.is_some() {
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
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn said(message: ToLauncher) -> Seen {
        Seen::Said(message)
    }

    fn quitting(why: Quit) -> Seen {
        said(ToLauncher::Quitting { why })
    }

    fn painted() -> Seen {
        said(ToLauncher::Painted)
    }

    fn watch(on_trial: bool, seen: Vec<Seen>) -> (Watch, Vec<Do>) {
        let mut watch = Watch::new(Deadlines::default(), on_trial);
        let wishes = seen.into_iter().filter_map(|seen| watch.see(seen)).collect();
        (watch, wishes)
    }

    fn judged(on_trial: bool, seen: Vec<Seen>, end: End) -> (Vec<Do>, Verdict, Then) {
        let (watch, wishes) = watch(on_trial, seen);
        let Conclusion { trial, then } = watch.conclude(end);
        (wishes, trial, then)
    }

    const OK: End = End::Code(0);

    #[expect(clippy::too_many_lines, reason = "it is a table")]
    #[test]
    fn a_trial_is_judged_by_how_it_ended() {
        use Then::{Leave, Start};
        use Verdict::{Failed, Unknown};
        let crashed = |code| Failed(Why::Crashed { code });
        let early = Failed(Why::ExitedEarly);
        let quit_after_paint = |why| vec![painted(), quitting(why)];
        let stopped = |stop| vec![painted(), Seen::PassedOn(stop)];
        let table = [
            ("a crash at once", vec![], End::Signal(11), crashed(139), Start),
            (
                "a crash after the first paint",
                vec![painted()],
                End::Code(3),
                crashed(3),
                Start,
            ),
            (
                "killed by the system",
                vec![painted()],
                End::Signal(9),
                crashed(137),
                Start,
            ),
            ("an exit before the first paint", vec![], OK, early, Start),
            ("an exit without a word", vec![painted()], OK, early, Start),
            (
                "an update before the first paint",
                vec![quitting(Quit::Update)],
                OK,
                early,
                Start,
            ),
            (
                "a quit before the first paint",
                vec![quitting(Quit::User)],
                OK,
                early,
                Start,
            ),
            (
                "the user quits",
                quit_after_paint(Quit::User),
                OK,
                Verdict::Quit,
                Leave(0),
            ),
            (
                "the session ends",
                quit_after_paint(Quit::Session),
                OK,
                Verdict::Quit,
                Leave(0),
            ),
            (
                "the session ends during the start",
                vec![quitting(Quit::Session)],
                OK,
                Unknown,
                Leave(0),
            ),
            (
                "it makes room for an update",
                quit_after_paint(Quit::Update),
                OK,
                Verdict::Quit,
                Start,
            ),
            (
                "a crash while quitting",
                quit_after_paint(Quit::User),
                End::Signal(11),
                crashed(139),
                Leave(139),
            ),
            (
                "a crash while updating",
                quit_after_paint(Quit::Update),
                End::Signal(11),
                crashed(139),
                Start,
            ),
            (
                "stopped through the launcher",
                stopped(Stop::Terminate),
                End::Signal(15),
                Verdict::Quit,
                Leave(143),
            ),
            (
                "stopped, and ended well",
                stopped(Stop::Interrupt),
                OK,
                Verdict::Quit,
                Leave(0),
            ),
            (
                "stopped during the start",
                vec![Seen::PassedOn(Stop::HangUp)],
                End::Signal(1),
                Unknown,
                Leave(129),
            ),
            (
                "stopped by somebody else",
                vec![painted()],
                End::Signal(15),
                Verdict::Quit,
                Leave(143),
            ),
            (
                "stopped by somebody else during the start",
                vec![],
                End::Signal(15),
                Unknown,
                Leave(143),
            ),
        ];
        for (what, seen, end, verdict, then) in table {
            assert_eq!(judged(true, seen, end), (vec![], verdict, then), "{what}");
        }
    }

    #[test]
    fn a_confirmed_version_is_left_alone() {
        use Then::{Crashed, Leave, Start};
        let table = [
            ("an exit without a word", vec![], OK, Leave(0)),
            ("a crash", vec![painted()], End::Signal(11), Crashed(139)),
            ("a failure code", vec![], End::Code(2), Crashed(2)),
            (
                "a day without a heartbeat",
                vec![painted(), Seen::Awake(SECOND * 86_400)],
                OK,
                Leave(0),
            ),
            (
                "the user quits",
                vec![painted(), quitting(Quit::User)],
                OK,
                Leave(0),
            ),
            (
                "a crash while quitting",
                vec![painted(), quitting(Quit::User)],
                End::Signal(11),
                Leave(139),
            ),
            ("an update", vec![quitting(Quit::Update)], OK, Start),
            (
                "a crash while updating",
                vec![quitting(Quit::Update)],
                End::Signal(6),
                Start,
            ),
            (
                "stopped",
                vec![Seen::PassedOn(Stop::Terminate)],
                End::Signal(15),
                Leave(143),
            ),
        ];
        for (what, seen, end, then) in table {
            assert_eq!(
                judged(false, seen, end),
                (vec![], Verdict::NotOnTrial, then),
                "{what}"
            );
        }
        let confirmed = vec![painted(), Seen::Confirmed, Seen::Awake(SECOND * 60)];
        let expected = (vec![], Verdict::NotOnTrial, Crashed(139));
        assert_eq!(
            judged(true, confirmed, End::Signal(11)),
            expected,
            "confirmed during its trial"
        );
    }

    #[test]
    fn a_trial_that_hangs_is_asked_to_end_and_then_killed() {
        let progress = || said(ToLauncher::Progress { what: String::new() });
        let seconds = |count: usize| vec![Seen::Awake(SECOND); count];
        let table = [
            ("nothing is shown", seconds(15), vec![Do::AskToEnd]),
            (
                "it does not end when asked",
                seconds(20),
                vec![Do::AskToEnd, Do::Kill],
            ),
            (
                "the heart stops",
                [vec![painted()], seconds(15)].concat(),
                vec![Do::AskToEnd],
            ),
            (
                "progress, and then nothing",
                [seconds(14), vec![progress()], seconds(15)].concat(),
                vec![Do::AskToEnd],
            ),
            (
                "progress for ever",
                (0..600).flat_map(|_| [progress(), Seen::Awake(SECOND)]).collect(),
                vec![Do::AskToEnd],
            ),
        ];
        for (what, seen, expected) in table {
            for end in [OK, End::Signal(15), End::Signal(9)] {
                let expected = (expected.clone(), Verdict::Failed(Why::Hung), Then::Start);
                assert_eq!(judged(true, seen.clone(), end), expected, "{what}");
            }
        }
    }

    #[test]
    fn signs_of_life_keep_a_trial_alive() {
        let lively = |seen: Seen| -> Vec<Seen> {
            (0..20)
                .flat_map(|_| [seen.clone(), Seen::Awake(SECOND * 14)])
                .collect()
        };
        let stopped = vec![painted(), Seen::PassedOn(Stop::Terminate)];
        let table = [
            (
                "progress",
                lively(said(ToLauncher::Progress {
                    what: "reading".into(),
                })),
            ),
            (
                "heartbeats",
                [vec![painted()], lively(said(ToLauncher::Heartbeat))].concat(),
            ),
            (
                "stopped from outside, it asks its user",
                [stopped, vec![Seen::Awake(SECOND); 100]].concat(),
            ),
        ];
        for (what, seen) in table {
            assert_eq!(watch(true, seen).1, [], "{what}");
        }
    }

    #[test]
    fn what_says_that_it_ends_has_to_end() {
        for (on_trial, verdict) in [(false, Verdict::NotOnTrial), (true, Verdict::Failed(Why::Hung))] {
            let beats = (0..20).flat_map(|_| [said(ToLauncher::Heartbeat), Seen::Awake(SECOND)]);
            let seen = [painted(), quitting(Quit::User)]
                .into_iter()
                .chain(beats)
                .collect();
            let expected = (vec![Do::AskToEnd, Do::Kill], verdict, Then::Leave(0));
            assert_eq!(judged(on_trial, seen, End::Signal(9)), expected);
        }
    }
}
