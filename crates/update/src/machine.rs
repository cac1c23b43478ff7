//! The life of one update as a pure machine: `next(state, event) -> (state, effects)`.
//!
//! ```text
//! Found -> Planned -> (Scheduled) -> Fetching -> Rebuilding -> Verifying -> (Waiting) -> Switching -> Confirming -> Done
//!   |         ^                         |            |            |                         |            |
//!   |         +-------------------------+------------+ a patch    |                         +------------+-> RollingBack
//!   +-> Waiting (consent)                              failed     +-> Failed                   -> RolledBack | Failed
//! ```
//! A download that fails is excluded, and the cheapest of the other ways is taken. The full file is
//! one of them and is excluded like any other, so it is fetched at most once. The machine is total: an
//! event that does not fit the phase changes nothing. It refuses to know files, networks and clocks.

mod events;

use std::collections::BTreeSet;

use moult_model::{Activity, Digest, ErrorCode, Hold, Outcome, Phase, PlanStep, Problem, Subject};
use serde::{Deserialize, Serialize};

pub use events::{Blame, Decision, Effect, Event, Fault, Withdrawal};

use crate::fetch::pace::seconds_left;
use crate::plan::{Base, Edge, Ways};
use crate::words::{self, About, Next};

/// Everything that decides what comes next in one update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The update as the screen shows it.
    pub activity: Activity,
    /// What patches start from, if it is usable.
    pub base: Option<Base>,
    /// The ways to the wanted artifact. None if nothing may be fetched: the user goes back to what is kept.
    pub ways: Option<Ways>,
    /// Downloads that failed.
    pub excluded: BTreeSet<Digest>,
    /// The chosen downloads.
    pub edges: Vec<Edge>,
    /// How many of them are complete.
    pub fetched: usize,
    /// Bytes of the plan in the complete ones.
    pub bytes_complete: u64,
    /// The downloads that were begun, of all plans.
    pub begun: Vec<PlanStep>,
    /// Bytes that came over the wire, for all plans.
    pub wire_bytes: u64,
    /// Whether it can't be skipped: the versions before it should not be used any longer.
    #[serde(default)]
    pub critical: bool,
    /// Whether it is to start next once the application is quit in order.
    #[serde(default)]
    pub on_quit: bool,
    /// Why a bundle is being put back, while it is: what was begun is brought to its end after a kill.
    #[serde(default)]
    pub withdrawal: Option<Withdrawal>,
}

impl State {
    /// An update that was found.
    pub fn found(activity: Activity, base: Option<Base>, ways: Option<Ways>) -> Self {
        Self {
            activity,
            base,
            ways,
            excluded: BTreeSet::new(),
            edges: Vec::new(),
            fetched: 0,
            bytes_complete: 0,
            begun: Vec::new(),
            wire_bytes: 0,
            critical: false,
            on_quit: false,
            withdrawal: None,
        }
    }

    /// Where the update is.
    pub fn phase(&self) -> Phase {
        self.activity.phase
    }

    fn enter(mut self, phase: Phase) -> Self {
        self.activity.phase = phase;
        if phase != Phase::Fetching {
            self.activity.seconds_left = None;
        }
        if phase != Phase::Scheduled {
            self.activity.held = None;
        }
        self
    }

    /// The next download waits: for its turn, or for this.
    fn wait(self, why: Option<Hold>) -> Self {
        let mut state = self.enter(Phase::Scheduled);
        state.activity.held = why;
        state
    }

    /// So many bytes of the download under way are there, and so many come in a second.
    fn come(mut self, bytes: u64, per_second: u64) -> Self {
        let done = self.bytes_complete.saturating_add(bytes);
        let activity = &mut self.activity;
        activity.bytes_done = done.min(activity.bytes_total);
        activity.seconds_left = seconds_left(activity.bytes_total - activity.bytes_done, per_second);
        self
    }

    fn problem(&self, fault: &Fault, next: Next<'_>) -> Problem {
        let activity = &self.activity;
        let about = About {
            subject: &activity.subject,
            from: activity.from.as_ref(),
            to: &activity.to,
        };
        words::problem(fault.code, about, next, fault.room, fault.detail.clone())
    }

    /// How the update ends if the new version never takes over or has to leave again.
    fn end(mut self, fault: &Fault, was_switched: bool) -> (Self, Vec<Effect>) {
        let next = if was_switched { Next::Back } else { Next::Stands };
        let problem = self.problem(fault, next);
        self.activity.problems.push(problem);
        let (phase, outcome) = if was_switched && self.activity.from.is_some() {
            (Phase::RolledBack, Outcome::RolledBack)
        } else {
            (Phase::Failed, Outcome::Failed)
        };
        (self.enter(phase), vec![Effect::Finish(outcome)])
    }

    /// Takes the cheapest way that is left. None: there is none.
    fn plan(mut self) -> (Self, Option<Effect>) {
        let from = self.base.as_ref().map(|base| &base.digest);
        let Some(edges) = self
            .ways
            .as_ref()
            .and_then(|ways| ways.cheapest(from, &self.excluded))
        else {
            return (self, None);
        };
        let first = edges.first().cloned().map(Effect::Fetch);
        self.activity.plan = edges.iter().map(Edge::step).collect();
        self.activity.bytes_total = edges.iter().map(Edge::bytes).fold(0, u64::saturating_add);
        self.activity.bytes_done = 0;
        self.edges = edges;
        self.fetched = 0;
        self.bytes_complete = 0;
        (self.enter(Phase::Planned), first)
    }

    /// Plans, or ends with `fault` because there is no way at all.
    fn plan_or_end(self, fault: &Fault) -> (Self, Vec<Effect>) {
        match self.plan() {
            (state, Some(fetch)) => (state, vec![fetch]),
            (state, None) => state.end(fault, false),
        }
    }

    /// Excludes what failed and takes another way, if there is one.
    fn avoid(mut self, fault: &Fault) -> (Self, Vec<Effect>) {
        if !fault.is_avoidable() {
            return self.end(fault, false);
        }
        let starts_from_base = matches!(self.edges.first(), Some(Edge::Patch { .. }));
        let failed = match fault.blame {
            Blame::Edge(digest) => self.edges.iter().find(|edge| *edge.digest() == digest).cloned(),
            Blame::Base => self.edges.first().filter(|_| starts_from_base).cloned(),
            Blame::Nothing => None,
        };
        match (&failed, fault.blame) {
            (Some(_), Blame::Base) => self.base = None,
            (Some(edge), _) => drop(self.excluded.insert(*edge.digest())),
            // What is blamed is no part of the plan. The same plan again would end the same.
            (None, _) => self.excluded.extend(self.edges.iter().map(|edge| *edge.digest())),
        }
        let failed = failed.or_else(|| self.edges.first().cloned());
        let failed = failed.as_ref().map(Edge::step);
        match self.plan() {
            (mut state, Some(fetch)) => {
                if let (Some(failed), Some(instead)) = (failed, state.activity.plan.first()) {
                    let problem = state.problem(
                        fault,
                        Next::OtherWay {
                            failed: &failed,
                            instead,
                        },
                    );
                    state.activity.problems.push(problem);
                }
                (state, vec![fetch])
            }
            (state, None) => state.end(fault, false),
        }
    }

    fn decided(mut self, decision: Decision) -> (Self, Vec<Effect>) {
        match decision {
            Decision::Now => (self.enter(Phase::Switching), vec![Effect::Switch]),
            Decision::OnQuit => {
                self.on_quit = true;
                (self, Vec::new())
            }
            Decision::NextStart => (self, vec![Effect::Arm]),
            Decision::Later => {
                self.on_quit = false;
                (self, Vec::new())
            }
            // What is critical can be put off, but not for ever.
            Decision::Skip if self.critical => (self, Vec::new()),
            Decision::Skip => {
                let fault = Fault::of(ErrorCode::Cancelled, "the user skipped this version");
                self.activity.problems.push(self.problem(&fault, Next::Stands));
                (
                    self.enter(Phase::Failed),
                    vec![Effect::Skip, Effect::Finish(Outcome::Failed)],
                )
            }
        }
    }
}

/// What an event makes of an update.
pub fn next(mut state: State, event: Event) -> (State, Vec<Effect>) {
    use Phase::{
        Confirming, Fetching, Found, Planned, Rebuilding, RollingBack, Scheduled, Switching, Verifying,
        Waiting,
    };
    match (state.activity.phase, event) {
        (
            Found | Waiting,
            Event::Begin {
                needs_consent: true, ..
            },
        ) if state.edges.is_empty() => {
            if state.activity.phase == Found {
                let fault = Fault::of(
                    ErrorCode::ConsentNeeded,
                    "a permission is neither granted nor refused",
                );
                state.activity.problems.push(state.problem(&fault, Next::Stands));
            }
            (state.enter(Waiting), Vec::new())
        }
        (Found | Waiting, Event::Begin { kept, .. }) if state.edges.is_empty() => {
            state
                .activity
                .problems
                .retain(|problem| problem.code != ErrorCode::ConsentNeeded);
            if kept {
                (state.enter(Verifying), vec![Effect::Recheck])
            } else {
                state.plan_or_end(&Fault::of(ErrorCode::Internal, "there is no way to the artifact"))
            }
        }
        (Planned | Scheduled, Event::Queued) => (state.wait(None), Vec::new()),
        (Planned | Scheduled | Fetching, Event::Held(why)) => (state.wait(Some(why)), Vec::new()),
        (Planned | Scheduled | Fetching, Event::FetchBegun) => {
            state.begun.extend(state.edges.get(state.fetched).map(Edge::step));
            state.activity.held = None;
            (state.enter(Fetching), Vec::new())
        }
        (Fetching, Event::Progress { bytes, per_second }) => (state.come(bytes, per_second), Vec::new()),
        (Fetching, Event::Fetched { wire_bytes }) => {
            state.wire_bytes = state.wire_bytes.saturating_add(wire_bytes);
            let complete = state.edges.get(state.fetched).map_or(0, Edge::bytes);
            state.bytes_complete = state.bytes_complete.saturating_add(complete);
            state.activity.bytes_done = state.bytes_complete;
            state.fetched += 1;
            if let Some(edge) = state.edges.get(state.fetched).cloned() {
                (state, vec![Effect::Fetch(edge)])
            } else {
                let edges = state.edges.clone();
                (state.enter(Rebuilding), vec![Effect::Rebuild(edges)])
            }
        }
        (Rebuilding, Event::Rebuilt) => (state.enter(Verifying), vec![Effect::Stage]),
        (Verifying, Event::Staged { ask: true }) => (state.enter(Waiting), vec![Effect::Ask]),
        (Verifying, Event::Staged { ask: false }) => (state.enter(Switching), vec![Effect::Switch]),
        // A kept artifact that was damaged is fetched like any other.
        (Verifying, Event::Failed(fault))
            if state.edges.is_empty() && fault.code == ErrorCode::FileCorrupt =>
        {
            state.plan_or_end(&fault)
        }
        (Waiting, Event::Decided(decision)) => state.decided(decision),
        // A widget that waits for consent is asked for elsewhere.
        (Waiting, Event::Remind) if state.activity.subject == Subject::Executable => {
            (state, vec![Effect::Ask])
        }
        (Waiting, Event::Quit) if state.on_quit => (state, vec![Effect::Arm]),
        // It answered otherwise than the one that runs, which never knew of it.
        (Waiting, Event::Refused(withdrawal)) if state.activity.subject != Subject::Executable => {
            state.withdrawal = Some(withdrawal.clone());
            (state.enter(RollingBack), vec![Effect::TakeBack(withdrawal)])
        }
        (Switching | Confirming, Event::Refused(withdrawal)) => {
            state.withdrawal = Some(withdrawal.clone());
            (state.enter(RollingBack), vec![Effect::TakeBack(withdrawal)])
        }
        (Switching, Event::Stayed) if state.activity.subject == Subject::Executable => {
            (state.enter(Waiting), Vec::new())
        }
        (Switching, Event::Switched) => (state.enter(Confirming), Vec::new()),
        (Switching | Confirming, Event::Confirmed) => {
            let outcome = if state.activity.from.is_some() {
                Outcome::Updated
            } else {
                Outcome::Installed
            };
            (state.enter(Phase::Done), vec![Effect::Finish(outcome)])
        }
        (Waiting | Switching | Confirming | RollingBack, Event::Reverted(fault))
        | (RollingBack, Event::Failed(fault)) => state.end(&fault, true),
        (Planned | Scheduled | Fetching | Rebuilding | Verifying, Event::Failed(fault)) => {
            state.avoid(&fault)
        }
        (Found | Waiting | Switching | Confirming, Event::Failed(fault)) => state.end(&fault, false),
        (Found | Planned | Scheduled | Fetching | Rebuilding | Verifying | Waiting, Event::Cancelled) => {
            state.end(&Fault::of(ErrorCode::Cancelled, "stopped on request"), false)
        }
        (_, _) => (state, Vec::new()),
    }
}

#[cfg(test)]
mod tests;
