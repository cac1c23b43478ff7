//! Updates on their way: an event happens, the machine says what follows, and the work for it begins.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::stage::SwapReason;
use moult_model::{Digest, ErrorCode, Outcome, Subject, Version};
use tracing::Instrument as _;

use super::{Driver, Message};
use crate::artifact::Staged;
use crate::error::chain;
use crate::fetch::blocking;
use crate::host::{StagedBundle, StagedExecutable};
use crate::job::{Brought, Job};
use crate::machine::{Effect, Event, Fault};
use crate::perform::{Tell, guarded};
use crate::plan::Edge;
use crate::reconcile::{self, Fate};
use crate::record::{Failures, Record};

impl Driver {
    /// Takes up the updates of an earlier process: an executable's comes to its end or goes on, the
    /// others begin again when a check finds them.
    pub(super) fn take_up(&mut self, pending: Vec<Record>) {
        let boot = match self.tools.store.state() {
            Ok(boot) => boot,
            Err(error) => {
                tracing::error!(error = chain(&error), "the store can't be read");
                return;
            }
        };
        let now = Timestamp::now();
        let before = self.history.len();
        for mut record in pending {
            let fate = match record.state.activity.subject {
                Subject::Executable => reconcile::fate(&record, &self.config.running.digest, &boot),
                Subject::Shell | Subject::Widget(_) => Fate::Gone,
            };
            let Some(events) = reconcile::events(&record, &fate) else {
                if record.reason == SwapReason::Update {
                    self.leftovers.push(record);
                }
                continue;
            };
            let mut effects = Vec::new();
            for event in events {
                effects = record.apply(event, now);
            }
            let job = Job::resumed(record);
            job.span
                .in_scope(|| tracing::info!(?fate, phase = ?job.phase(), "an update goes on"));
            match effects.first() {
                Some(Effect::Finish(outcome)) => self.history.insert(0, job.record.entry(*outcome, now)),
                _ => self.jobs.push(job),
            }
        }
        if self.history.len() > before
            && let Err(error) = self.records.store_history(&mut self.history)
        {
            tracing::warn!(error = chain(&error), "the history could not be noted");
        }
        self.noted = self.pending();
        if let Err(error) = self.records.store_pending(&self.noted) {
            tracing::warn!(error = chain(&error), "what is on its way could not be noted");
        }
    }

    /// Takes what a piece of work brought.
    pub(super) async fn take(&mut self, id: &str, brought: Brought) {
        let Some(job) = self.job(id) else {
            return;
        };
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
                if let Staged::Executable { slot } = &staged {
                    job.record.slot = Some(slot.clone());
                }
                job.staged = Some(staged);
                // The user who goes back has decided already.
                let ask = *job.subject() == Subject::Executable && job.record.reason == SwapReason::Update;
                Event::Staged { ask }
            }
        };
        self.happen(id, event).await;
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
                if let Some(fault) = self.carry_out(id, effect, failure).await {
                    events.push_back(Event::Failed(fault));
                }
            }
        }
        if is_progress {
            self.show_progress();
        } else {
            self.show();
        }
    }

    /// Carries out an effect, or begins the work for it. Some: it failed at once.
    async fn carry_out(&mut self, id: &str, effect: Effect, failure: Option<ErrorCode>) -> Option<Fault> {
        let tools = self.tools.clone();
        let to: PathBuf = tools.store.staging().join(format!("{id}.new"));
        let tell = self.tell(id);
        let running = self.config.running.version.clone();
        let job = self.job(id)?;
        let release = job.release.clone();
        let lost = || {
            Some(Fault::of(
                ErrorCode::Internal,
                "the release is not known any more",
            ))
        };
        match effect {
            Effect::Recheck => {
                let (subject, digest) = (job.subject().clone(), job.record.digest);
                self.work(id, tools.recheck(subject, digest, release, to));
            }
            Effect::Fetch(edge) => {
                // What was fetched for a plan that was given up stays on the disk, but not in this one.
                let fetched = job.record.state.fetched;
                job.fetched.truncate(fetched);
                let size = release.map_or(0, |release| release.size);
                self.work(id, tools.fetch(edge, size, tell));
            }
            Effect::Rebuild(_) => {
                let Some(release) = release else { return lost() };
                let (base, fetched) = (job.base_file.clone(), std::mem::take(&mut job.fetched));
                self.work(id, tools.rebuild(release, base, fetched, to));
            }
            Effect::Stage => {
                let (Some(release), Some(rebuilt)) = (release, job.rebuilt.take()) else {
                    return lost();
                };
                let only = match &job.record.state.edges[..] {
                    [edge @ Edge::Full { .. }] => Some(*edge.digest()),
                    _ => None,
                };
                self.work(id, tools.stage(rebuilt, release, only));
            }
            Effect::Ask => {
                let Some(executable) = staged_executable(job, &running) else {
                    return lost();
                };
                self.work(id, tools.ask(executable));
            }
            Effect::Arm => return self.begin_trial(id).await,
            Effect::Switch if *job.subject() == Subject::Executable => {
                job.stop_work();
                return match self.begin_trial(id).await {
                    None => {
                        self.tools.host.restart();
                        None
                    }
                    fault => fault,
                };
            }
            Effect::Switch => {
                let Some(bundle) = staged_bundle(job) else {
                    return lost();
                };
                self.work(id, tools.switch_bundle(bundle, tell));
            }
            Effect::Skip => {
                let digest = job.record.digest;
                self.choices.skipped.insert(digest);
                self.keep_choices().await;
            }
            Effect::Finish(outcome) => self.finish(id, outcome, failure).await,
        }
        None
    }

    /// Begins a piece of work for an update.
    fn work(&mut self, id: &str, work: impl Future<Output = Brought> + Send + 'static) {
        let Some(place) = self.jobs.iter().position(|job| job.id() == id) else {
            return;
        };
        let (sender, name) = (self.sender.clone(), id.to_owned());
        let span = self.jobs[place].span.clone();
        let task = async move {
            let brought = guarded(work).await;
            // Nobody listens any more when the engine has ended.
            let _ = sender.send(Message::Brought(name, brought));
        };
        self.jobs[place].work = Some(self.work.spawn(task.instrument(span)));
    }

    fn tell(&self, id: &str) -> Tell {
        let (sender, id) = (self.sender.clone(), id.to_owned());
        Arc::new(move |event| {
            let _ = sender.send(Message::Told(id.clone(), event));
        })
    }

    /// Lets an executable be the next that starts.
    async fn begin_trial(&mut self, id: &str) -> Option<Fault> {
        let job = self.job(id)?;
        let goes_back = job.record.reason == SwapReason::GoBack;
        let Some(slot) = job.record.slot.clone() else {
            return Some(Fault::of(ErrorCode::Internal, "the executable has no slot"));
        };
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

    /// Writes the line of the history and forgets the update.
    async fn finish(&mut self, id: &str, outcome: Outcome, failure: Option<ErrorCode>) {
        let Some(place) = self.jobs.iter().position(|job| job.id() == id) else {
            return;
        };
        let job = self.jobs.remove(place);
        let now = Timestamp::now();
        self.history.insert(0, job.record.entry(outcome, now));
        self.count(job.record.digest, outcome, failure, now);
        if outcome == Outcome::Failed && job.record.reason == SwapReason::GoBack {
            self.choices.went_back.remove(job.subject());
            self.keep_choices().await;
        }
        self.sweep_downloads(&job, failure).await;
        self.keep_history().await;
        self.keep_pending().await;
        if matches!(outcome, Outcome::Updated | Outcome::Installed) {
            self.collect_garbage().await;
        }
        self.read_stores();
    }

    /// Deletes versions that are too old to be returned to.
    async fn collect_garbage(&self) {
        let (store, bundles) = (self.tools.store.clone(), self.tools.bundles.clone());
        let collected = blocking(move || {
            let slots = store.collect_garbage(Self::KEPT)?;
            let files = bundles.collect_garbage(Self::KEPT)?;
            Ok((slots.removed + files.removed, slots.bytes + files.bytes))
        });
        match collected.await {
            Ok((0, _)) => {}
            Ok((removed, bytes)) => tracing::info!(removed, bytes, "old versions were deleted"),
            Err(error) => tracing::warn!(error = chain(&error), "old versions could not be deleted"),
        }
    }

    /// Deletes the downloads of an update that is over. What the next try can go on with is kept: the
    /// network, the disk or the user ended this one.
    async fn sweep_downloads(&self, job: &Job, failure: Option<ErrorCode>) {
        use ErrorCode::{Cancelled, DiskFailed, DiskFull, Offline, ServerFailed, ServerRefused};
        let keeps = matches!(
            failure,
            Some(Cancelled | DiskFailed | DiskFull | Offline | ServerFailed | ServerRefused)
        );
        let state = &job.record.state;
        let edges = state.edges.iter().map(Edge::digest).filter(|_| !keeps);
        let staging = self.tools.store.staging();
        let names: Vec<PathBuf> = state
            .excluded
            .iter()
            .chain(edges)
            .map(|digest| staging.join(format!("{digest}.download")))
            .collect();
        let swept = blocking(move || {
            for path in names {
                // What is left costs space until the next sweep, and nothing else.
                let _ = fs::remove_file(path);
            }
            Ok(())
        });
        let _ = swept.await;
    }

    /// Counts failures of an artifact in a row. A dead network and a wish are nobody's fault.
    fn count(&mut self, digest: Digest, outcome: Outcome, failure: Option<ErrorCode>, now: Timestamp) {
        match (outcome, failure) {
            (Outcome::Updated | Outcome::Installed, _) => {
                self.failures.remove(&digest);
            }
            (_, None | Some(ErrorCode::Offline | ErrorCode::Cancelled)) => {}
            (Outcome::Failed | Outcome::RolledBack, Some(_)) => {
                let known = self
                    .failures
                    .entry(digest)
                    .or_insert(Failures { times: 0, last: now });
                *known = Failures {
                    times: known.times.saturating_add(1),
                    last: now,
                };
            }
        }
    }
}

fn staged_executable(job: &Job, from: &Version) -> Option<StagedExecutable> {
    let activity = &job.record.state.activity;
    Some(StagedExecutable {
        activity: activity.id.clone(),
        version: activity.to.clone(),
        digest: job.record.digest,
        slot: job.record.slot.clone()?,
        from: from.clone(),
        reason: job.record.reason,
        notes: job
            .release
            .as_ref()
            .map(|release| release.notes.clone())
            .unwrap_or_default(),
    })
}

fn staged_bundle(job: &Job) -> Option<StagedBundle> {
    let Some(Staged::Bundle { path }) = &job.staged else {
        return None;
    };
    let activity = &job.record.state.activity;
    Some(StagedBundle {
        activity: activity.id.clone(),
        subject: activity.subject.clone(),
        version: activity.to.clone(),
        digest: job.record.digest,
        path: path.clone(),
        from: activity.from.clone(),
        reason: job.record.reason,
    })
}
