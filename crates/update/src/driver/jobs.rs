//! Updates on their way: an event happens, the machine says what follows, and what needs a worker is put
//! into the queue. It refuses to know how work is done.

use std::collections::VecDeque;

use jiff::Timestamp;
use moult_model::stage::SwapReason;
use moult_model::{Bundle, ErrorCode, Stage, Subject};

use super::Driver;
use crate::artifact::Staged;
use crate::error::UpdateError;
use crate::fetch::blocking;
use crate::host::HandOver;
use crate::job::Brought;
use crate::machine::{Decision, Effect, Event, Fault};
use crate::schedule;

impl Driver {
    /// Takes what a piece of work brought: the result goes to the machine, or the work is tried once more.
    pub(super) async fn take(&mut self, id: &str, work_number: u64, brought: Brought) {
        self.pass_alerts();
        let Some(job) = self.job(id).filter(|job| job.work_number == work_number) else {
            return;
        };
        job.work = None;
        let event = match brought {
            Brought::Event(event) => event,
            Brought::Fetched(fetched, edge) => {
                let wire_bytes = fetched.wire_bytes();
                job.fetched.push((fetched, edge));
                Event::Fetched { wire_bytes }
            }
            Brought::Rebuilt(rebuilt) => {
                job.rebuilt = Some(rebuilt);
                Event::Rebuilt
            }
            Brought::Staged(staged) => {
                // The user who goes back has decided already.
                let mut ask = job.record.reason == SwapReason::Update;
                match &staged {
                    Staged::Executable { slot } => job.record.slot = Some(slot.clone()),
                    Staged::Bundle { path } => {
                        ask &=
                            job.record.state.activity.from.is_some() && wants_rehearsal(path.clone()).await;
                        // What takes over with its executable waits for that.
                        ask |= job.record.together;
                    }
                }
                job.staged = Some(staged);
                Event::Staged { ask }
            }
            Brought::HandedOver(HandOver::Done) => return,
            Brought::HandedOver(HandOver::NotHere) => return self.tools.host.restart(),
            Brought::HandedOver(HandOver::Stayed) => return self.look_again().await,
        };
        if let Event::Decided(decision) = &event {
            job.record.put_off = (*decision != Decision::Now).then(Timestamp::now);
        }
        let id = id.to_owned();
        let again = may_end_otherwise(&event);
        if matches!(event, Event::Failed(_) | Event::Refused(_)) {
            job.last_failure = Some(event);
            let failed = schedule::Event::Failed {
                id,
                again,
                random: getrandom::u32().unwrap_or(0),
            };
            self.advance(failed).await;
            return;
        }
        job.last_failure = None;
        job.next = None;
        self.happen(&id, event).await;
        // Who wants another worker has given this one back with that.
        if self.job(&id).is_some_and(|job| job.next.is_none()) {
            self.advance(schedule::Event::Done { id: id.clone() }).await;
        }
        if self.job(&id).is_some_and(|job| job.record.together) {
            self.ask_if_complete().await;
        }
    }

    /// Lets something happen in the queue, and in the updates that it ends a try of.
    pub(super) async fn advance(&mut self, event: schedule::Event) {
        let effects = self.schedule.next(event, Timestamp::now());
        for (id, event) in self.run_all(effects) {
            self.happen(&id, event).await;
        }
    }

    /// Lets an event happen in an update, and all that follows.
    pub(super) async fn happen(&mut self, id: &str, event: Event) {
        let is_progress = matches!(event, Event::Progress { .. });
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let Some(job) = self.job(id) else {
                return;
            };
            let before = job.phase();
            let failure = match &event {
                Event::Failed(fault) | Event::Reverted(fault) => Some(fault.code),
                _ => None,
            };
            let effects = job.record.apply(event, Timestamp::now());
            let phase = job.phase();
            if phase != before {
                let activity = &job.record.state.activity;
                job.span.in_scope(|| {
                    tracing::info!(
                        from = activity.from.as_ref().map(tracing::field::display),
                        to = %activity.to,
                        ?phase,
                        bytes_done = activity.bytes_done,
                        bytes_total = activity.bytes_total,
                        problems = activity.problems.len(),
                        "phase"
                    );
                });
                // On the disk before anything is done about it: a restart may be the next thing.
                self.keep_pending().await;
            }
            for effect in effects {
                let follows = self.carry_out(id, effect, failure).await;
                events.extend(follows);
            }
        }
        if is_progress {
            self.show_progress();
        } else {
            self.show();
        }
    }

    /// Carries out an effect, or puts it into the queue. What follows at once is returned.
    pub(super) async fn carry_out(
        &mut self,
        id: &str,
        effect: Effect,
        failure: Option<ErrorCode>,
    ) -> Vec<Event> {
        if effect == Effect::Ask && self.waits_for_others(id) {
            return Vec::new();
        }
        let Some(job) = self.job(id) else {
            return Vec::new();
        };
        let stage = match &effect {
            Effect::Recheck | Effect::Rebuild(_) | Effect::Stage => Stage::Install,
            Effect::Fetch(_) => Stage::Download,
            Effect::Ask => Stage::Decide,
            Effect::Switch => Stage::Confirm,
            Effect::Arm => {
                return self
                    .begin_trial(id)
                    .await
                    .map(Event::Failed)
                    .into_iter()
                    .collect();
            }
            Effect::TakeBack(withdrawal) => {
                let withdrawal = withdrawal.clone();
                self.begin_take_back(id, withdrawal);
                return Vec::new();
            }
            Effect::Skip => {
                let digest = job.record.digest;
                self.choices.skipped.insert(digest);
                self.keep_choices().await;
                return Vec::new();
            }
            Effect::Finish(outcome) => {
                self.finish(id, *outcome, failure).await;
                return Vec::new();
            }
        };
        if stage == Stage::Download {
            if let Some(held) = self.hold_back(id, &effect) {
                return vec![held];
            }
            self.bound_staging().await;
        }
        let Some(job) = self.job(id) else {
            return Vec::new();
        };
        if stage == Stage::Confirm && *job.subject() == Subject::Executable {
            job.stop_work();
            let fault = self.begin_trial(id).await;
            if fault.is_none() {
                self.begin_hand_over(id);
            }
            return fault.map(Event::Failed).into_iter().collect();
        }
        let Some(job) = self.job(id) else {
            return Vec::new();
        };
        job.stop_work();
        job.next = Some(effect);
        let want = schedule::Event::Want {
            id: id.to_owned(),
            stage,
        };
        let effects = self.schedule.next(want, Timestamp::now());
        self.run_all(effects)
            .into_iter()
            .filter(|(of, _)| of == id)
            .map(|(_, event)| event)
            .collect()
    }

    /// Lets an executable be the next that starts.
    async fn begin_trial(&mut self, id: &str) -> Option<Fault> {
        let job = self.job(id)?;
        let goes_back = job.record.reason == SwapReason::GoBack;
        let Some(slot) = job.record.slot.clone() else {
            return Some(Fault::of(ErrorCode::Internal, "the executable has no slot"));
        };
        if let Some(fault) = self.note_set(id).await {
            return Some(fault);
        }
        let store = self.tools.store.clone();
        let outcome = blocking(move || {
            let boot = store.state()?;
            if boot.current == slot && boot.trial.is_none() {
                return Ok(());
            }
            let is_previous = boot.trial.is_none() && boot.previous.as_ref() == Some(&slot);
            let ends_trial = boot.trial.is_some() && boot.current == slot;
            if goes_back && (is_previous || ends_trial) {
                store.go_back()?;
            } else {
                store.begin_trial(&slot)?;
            }
            Ok(())
        });
        let fault = outcome.await.err().map(|error| self.tools.fault(&error, 0));
        self.read_stores();
        fault
    }
}

/// Whether another try of the same may end otherwise. What the network does is tried again where it is done.
/// Whether a bundle's manifest says that its logic must run beside the live one's first.
async fn wants_rehearsal(path: std::path::PathBuf) -> bool {
    let bundle = blocking(move || {
        let bytes = std::fs::read(&path).map_err(UpdateError::disk("read", &path))?;
        Ok(Bundle::parse(bytes).ok())
    });
    let bundle = bundle.await.ok().flatten();
    bundle.is_some_and(|bundle| bundle.manifest().shadow.is_some())
}

fn may_end_otherwise(event: &Event) -> bool {
    match event {
        Event::Failed(fault) => matches!(
            fault.code,
            ErrorCode::DiskFailed | ErrorCode::FileHeld | ErrorCode::Internal
        ),
        Event::Refused(withdrawal) => !withdrawal.ban && withdrawal.code != ErrorCode::Cancelled,
        _ => false,
    }
}
