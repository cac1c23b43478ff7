//! The launcher with applications that are no processes: what it decides and writes is the real thing, and
//! the tests that end a whole update at each change of the disk need all of it in one process.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::keeper::{Due, Keeper};
use super::parting::Known;
use super::session::{self, Do, RunId, Seen, Session};
use super::watch::{self, Watch};
use super::{Ending, Settings, limits};
use crate::platform::{End, Screen};
use crate::{BootError, SlotName, StartToken, ToLauncher};

/// What is started.
#[derive(Debug)]
pub struct Starting<'a> {
    /// The slot.
    pub slot: &'a SlotName,
    /// Its file.
    pub executable: &'a Path,
    /// Whether it is on trial.
    pub on_trial: bool,
    /// The name of this start.
    pub start: &'a StartToken,
}

/// What a run of an application came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lived {
    /// What it said to the launcher, in order.
    pub said: Vec<ToLauncher>,
    /// How it ended.
    pub end: LifeEnd,
}

/// How an application ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeEnd {
    /// By itself, with this code.
    Code(i32),
    /// By a signal with this number.
    Signal(i32),
    /// It did nothing more until the launcher ended it, and did not heed the wish to end. No time passes.
    /// One that is not on trial is not watched; it ends by this wish as if the user had ended it.
    Hung,
}

/// Lives an application's life.
pub trait Body {
    /// One run.
    fn run(&mut self, start: &Starting<'_>) -> Lived;

    /// The time that is noted.
    fn now(&mut self) -> SystemTime {
        SystemTime::now()
    }

    /// The name of the next start.
    fn token(&mut self) -> Result<StartToken, BootError> {
        StartToken::random()
    }
}

/// Does what the launcher does from its start to its end, with lives in place of processes: no process, no
/// thread, no socket, and no lock of the only launcher. A hand-over is refused, and a rescue brings nothing.
pub fn rehearse(settings: &Settings, body: &mut dyn Body) -> Ending {
    let mut keeper = Keeper::open(settings);
    let mut session = Session::new(limits(&settings.deadlines));
    let mut starts: RunId = 0;
    let mut wishes = VecDeque::from([Do::Start]);
    let mut trouble = None;
    loop {
        let Some(wish) = wishes.pop_front() else {
            // Each start below leads to its end at once, so that something is always to be done.
            return Ending::quiet(1);
        };
        let mut seen = Vec::new();
        match wish {
            Do::Start => match body.token() {
                Ok(token) => match keeper.due(&token, body.now()) {
                    Some(due) => {
                        starts += 1;
                        seen.push(Seen::Started(starts));
                        seen.push(live(settings, &mut keeper, &due, starts, body));
                    }
                    None => seen.push(Seen::NothingLeft),
                },
                Err(error) => {
                    trouble = Some(error);
                    seen.push(Seen::Trouble);
                }
            },
            Do::StartBeside(_) => seen.push(Seen::NothingBeside),
            Do::Rescue => seen.push(Seen::Rescued),
            Do::Lost(slot) => keeper.lost(&slot),
            Do::KeptFailing(slot) => {
                let now = body.now();
                keeper.kept_failing(&slot, now);
            }
            Do::Leave(code, parting) => {
                let known = Known {
                    trouble: trouble.as_ref(),
                    problem: keeper.problem.as_deref(),
                    rescue: None,
                    log: &keeper.layout.log,
                };
                return Ending::parting(code, parting, &known);
            }
            Do::TellBegun { .. }
            | Do::TellEnded(..)
            | Do::Refuse(..)
            | Do::HasWindow(_)
            | Do::Recall(_)
            | Do::Kill(_)
            | Do::Pass(..) => {}
        }
        for seen in seen {
            let (after, follows) = session::next(session, Duration::ZERO, seen);
            session = after;
            wishes.extend(follows);
        }
    }
}

/// One run, from its start to its record.
fn live(settings: &Settings, keeper: &mut Keeper, due: &Due, run: RunId, body: &mut dyn Body) -> Seen {
    keeper.log.write(
        "started",
        &json!({ "slot": due.slot, "on_trial": due.on_trial, "start": run }),
    );
    let lived = body.run(&Starting {
        slot: &due.slot,
        executable: &due.executable,
        on_trial: due.on_trial,
        start: &due.start,
    });
    let mut watch = Watch::new(settings.deadlines.clone(), due.on_trial);
    for message in lived.said {
        if message == ToLauncher::Confirmed && keeper.is_current(&due.slot) {
            watch.see(watch::Seen::Confirmed);
        }
        watch.see(watch::Seen::Said(message));
    }
    let end = match lived.end {
        LifeEnd::Code(code) => End::Code(code),
        LifeEnd::Signal(number) => End::Signal(number),
        LifeEnd::Hung if watch.needs_time() => {
            let tick = settings.deadlines.tick();
            while watch.see(watch::Seen::Awake(tick)) != Some(watch::Do::Kill) {}
            End::Signal(9)
        }
        LifeEnd::Hung => End::Signal(15),
    };
    let conclusion = watch.conclude(end, Screen::There);
    let about = format!("{conclusion:?}");
    keeper.log.write(
        "run_ended",
        &json!({ "slot": due.slot, "start": run, "conclusion": about }),
    );
    keeper.record_verdict(due, conclusion.trial, body.now());
    let damaged = conclusion.trial == watch::Verdict::NotOnTrial && keeper.is_damaged(&due.slot);
    Seen::Ended {
        run,
        slot: due.slot.clone(),
        conclusion,
        damaged,
    }
}
