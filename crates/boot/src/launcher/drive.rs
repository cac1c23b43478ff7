//! The launcher's loop: what reaches it becomes something seen, and what follows is carried out.

use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

use serde_json::json;

use super::instance::Opening;
use super::parting::Known;
use super::run::{Input, Offer, Run};
use super::session::{self, Do, RunId, Seen, State};
use super::watch::{self, Verdict};
use super::{Ending, Launcher, now};
use crate::platform::{self, Stop};
use crate::{StartToken, ToApp, ToLauncher};

/// What comes of something that was to be done.
enum Came {
    Nothing,
    Seen(Seen),
    Over(Ending),
}

impl Launcher<'_> {
    pub(super) fn run(&mut self) -> Ending {
        let mut wishes = VecDeque::from([Do::Start]);
        loop {
            while let Some(wish) = wishes.pop_front() {
                match self.carry_out(wish) {
                    Came::Nothing => {}
                    Came::Seen(seen) => wishes.extend(self.follows(seen)),
                    Came::Over(ending) => return ending,
                }
            }
            for seen in self.wait() {
                wishes.extend(self.follows(seen));
            }
        }
    }

    fn follows(&mut self, seen: Seen) -> Vec<Do> {
        let (session, wishes) = session::next(self.session.clone(), self.at(), seen);
        self.session = session;
        wishes
    }

    fn carry_out(&mut self, wish: Do) -> Came {
        match wish {
            Do::Start => return self.start(),
            Do::StartBeside(old) => return Came::Seen(self.start_beside(old)),
            Do::TellBegun { old, new } => {
                let start = self.found(new).map(|run| run.due.start.clone());
                if let Some(start) = start {
                    self.tell(old, &ToApp::HandOverBegun { start });
                }
            }
            Do::TellEnded(run, outcome) => {
                self.offer = None;
                self.tell(run, &ToApp::HandOverEnded { outcome });
            }
            Do::Refuse(run, why) => self.tell(run, &ToApp::Refused { why: why.to_owned() }),
            Do::HasWindow(run) => {
                self.offer = None;
                self.has_window(run);
            }
            Do::Recall(run) => {
                if let Some(run) = self.found(run) {
                    run.watch.see(watch::Seen::Recalled);
                }
            }
            Do::Kill(run) => {
                self.keeper.log.write("killed", &json!({ "start": run }));
                if let Some(run) = self.found(run) {
                    run.application.kill_group();
                }
            }
            Do::Pass(run, stop) => {
                self.keeper
                    .log
                    .write("passed_on", &json!({ "signal": stop.number() }));
                if let Some(run) = self.found(run) {
                    run.application.stop(stop);
                    run.watch.see(watch::Seen::PassedOn(stop));
                }
            }
            Do::Lost(slot) => self.keeper.lost(&slot),
            Do::KeptFailing(slot) => self.keeper.kept_failing(&slot, now()),
            Do::Rescue => return Came::Seen(self.fetch_another()),
            Do::Leave(code, parting) => {
                let known = Known {
                    trouble: self.trouble.as_ref(),
                    problem: self.keeper.problem.as_deref(),
                    rescue: self.rescue,
                    log: &self.keeper.layout.log,
                };
                return Came::Over(Ending::parting(code, parting, &known));
            }
        }
        Came::Nothing
    }

    fn found(&mut self, id: RunId) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    fn tell(&mut self, id: RunId, message: &ToApp) {
        self.keeper
            .log
            .write("told", &json!({ "start": id, "message": message }));
        if let Some(run) = self.found(id) {
            run.tell(message);
        }
    }

    /// Starts what is due; what can't be started is noted, and the next is tried.
    fn start(&mut self) -> Came {
        loop {
            let token = match StartToken::random() {
                Ok(token) => token,
                Err(error) => return self.in_trouble(error),
            };
            let Some(due) = self.keeper.due(&token, now()) else {
                return Came::Seen(Seen::NothingLeft);
            };
            self.starts += 1;
            match self.spawn(due, false) {
                Ok(run) => {
                    let (id, on_trial) = (run.id, run.due.on_trial);
                    self.runs.push(run);
                    self.tell_of_not_tried(id, on_trial);
                    let seen = Seen::Started(id);
                    let waiting = std::mem::take(&mut self.waiting);
                    let wishes = self.follows(seen);
                    debug_assert!(wishes.is_empty(), "one that runs needs nothing more");
                    for opening in waiting {
                        self.open(opening);
                    }
                    return Came::Nothing;
                }
                Err(failed) => {
                    let (due, fault) = *failed;
                    if let Err(error) = self.keeper.not_started(&due, fault, now()) {
                        return self.in_trouble(error);
                    }
                }
            }
        }
    }

    fn in_trouble(&mut self, error: crate::BootError) -> Came {
        self.trouble = Some(error);
        Came::Seen(Seen::Trouble)
    }

    fn start_beside(&mut self, old: RunId) -> Seen {
        let new = self.try_beside(old);
        self.tell_of_not_tried(old, new.is_some());
        new.map_or(Seen::NothingBeside, Seen::Started)
    }

    fn try_beside(&mut self, old: RunId) -> Option<RunId> {
        let running = self.found(old)?.due.slot.clone();
        let token = StartToken::random();
        let token = self.keeper.noted("token", token)?;
        let due = self.keeper.due_beside(&running, &token, now())?;
        self.starts += 1;
        match self.spawn(due, true) {
            Ok(run) => {
                let id = run.id;
                self.runs.push(run);
                Some(id)
            }
            Err(failed) => {
                let (due, fault) = *failed;
                let noted = self.keeper.not_started(&due, fault, now());
                self.keeper.noted("start_beside", noted);
                None
            }
        }
    }

    /// Tells the one that runs instead of a version that could not be counted, so that it tells the person.
    fn tell_of_not_tried(&mut self, run: RunId, started_on_trial: bool) {
        if let Some(not_tried) = self.keeper.take_not_tried(started_on_trial) {
            self.tell(run, &ToApp::NotTried(not_tried));
        }
    }

    /// Waits for the next thing to happen, or for the next look at the time.
    fn wait(&mut self) -> Vec<Seen> {
        let tick = self.settings.deadlines.tick();
        let ticking = self.session.needs_time() || self.runs.iter().any(Run::needs_time);
        let input = if ticking {
            self.inputs.recv_timeout(tick)
        } else {
            self.inputs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let mut seen = Vec::new();
        match input {
            Ok(Input::Stop(stop)) => seen.push(Seen::Stopped(stop)),
            Ok(Input::Open(opening)) => self.open(opening),
            Ok(Input::Said { start, message }) => seen.extend(self.hear(start, message)),
            Ok(Input::LinkClosed { start }) => {
                if let Some(run) = self.found(start) {
                    run.link_closed = true;
                }
            }
            Ok(Input::Ended { start }) => {
                if let Some(run) = self.found(start) {
                    run.ended_at = Some(Instant::now());
                }
            }
            Err(_) => {}
        }
        // A gap far over the tick means that the computer slept, or that this process was stopped.
        let passed = self.seen_at.elapsed().min(tick * 2);
        self.seen_at = Instant::now();
        for run in &mut self.runs {
            if run.ended_at.is_some() || !run.watch.needs_time() {
                continue;
            }
            match run.watch.see(watch::Seen::Awake(passed)) {
                Some(watch::Do::AskToEnd) => {
                    self.keeper.log.write("hung", &json!({ "start": run.id }));
                    run.application.stop(Stop::Terminate);
                }
                Some(watch::Do::Kill) => {
                    self.keeper.log.write("killed", &json!({ "start": run.id }));
                    run.application.kill_group();
                }
                None => {}
            }
        }
        if self.session.needs_time() {
            seen.push(Seen::Awake(passed));
        }
        while let Some(index) = self.runs.iter().position(Run::is_over) {
            let run = self.runs.swap_remove(index);
            seen.push(self.conclude(run));
        }
        seen
    }

    /// Takes note of what a run says.
    fn hear(&mut self, start: RunId, message: ToLauncher) -> Option<Seen> {
        let slot = self.found(start)?.due.slot.clone();
        if message != ToLauncher::Heartbeat {
            // The token lets its bearer take over the window: it is nothing for a log.
            let shown = match &message {
                ToLauncher::HandOver { address, .. } => json!({ "kind": "hand_over", "address": address }),
                other => json!(other),
            };
            self.keeper
                .log
                .write("said", &json!({ "slot": slot, "start": start, "message": shown }));
        }
        // The store is believed, not the word.
        let confirmed = message == ToLauncher::Confirmed && self.keeper.is_current(&slot);
        let run = self.found(start)?;
        if confirmed {
            run.watch.see(watch::Seen::Confirmed);
        }
        run.watch.see(watch::Seen::Said(message.clone()));
        match message {
            ToLauncher::HandOver { address, token } => {
                // Later ones are refused, and each new one replaces what an earlier one left.
                if self.session.state == State::One(start) {
                    self.offer = Some(Offer { address, token });
                }
                Some(Seen::HandOver(start))
            }
            ToLauncher::TookOver => Some(Seen::TookOver(start)),
            ToLauncher::Recall => Some(Seen::Recall(start)),
            _ => None,
        }
    }

    /// How a run that is gone ended: it is recorded, and becomes something seen.
    fn conclude(&mut self, run: Run) -> Seen {
        let Run {
            id,
            due,
            application,
            watch,
            ..
        } = run;
        if watch.was_ended() {
            application.kill_group();
        }
        let end = application.reap();
        // One whose end can't be told can't be judged: it counts as ended by somebody's wish.
        let by_a_wish = platform::End::Signal(Stop::Terminate.number());
        let end = self.keeper.noted("await", end).unwrap_or(by_a_wish);
        let conclusion = watch.conclude(end, platform::screen());
        let about = format!("{conclusion:?}");
        self.keeper.log.write(
            "run_ended",
            &json!({ "slot": due.slot, "start": id, "conclusion": about }),
        );
        self.keeper.record_verdict(&due, conclusion.trial, now());
        let damaged = conclusion.trial == Verdict::NotOnTrial && self.keeper.is_damaged(&due.slot);
        Seen::Ended {
            run: id,
            slot: due.slot,
            conclusion,
            damaged,
        }
    }

    /// Gives the one that has the window something to open. If it can't take it now, the next one may.
    fn open(&mut self, opening: Opening) {
        let message = ToApp::Open {
            arguments: opening.arguments.clone(),
        };
        let window = self.session.window();
        let taker = window
            .and_then(|id| self.found(id))
            .filter(|run| run.watch.is_staying());
        if taker.is_some_and(|run| run.tell(&message)) {
            opening.done();
        } else {
            self.waiting.push(opening);
        }
    }
}
