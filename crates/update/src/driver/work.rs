//! The work of a stage: begun when a worker is free, stopped when it takes too long. It refuses to know
//! what follows from it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moult_model::{ErrorCode, Subject, Version};
use tracing::Instrument as _;

use super::keep::new_name;
use super::{Driver, Message};
use crate::artifact::Staged;
use crate::host::{StagedBundle, StagedExecutable};
use crate::job::{Brought, Downloads, Job};
use crate::machine::{Effect, Event, Fault, Withdrawal};
use crate::perform::{Tell, guarded};
use crate::plan::Edge;
use crate::schedule;

impl Driver {
    /// Does what the queue says. What it means for updates is returned: their events.
    pub(super) fn run_all(&mut self, effects: Vec<schedule::Effect>) -> Vec<(String, Event)> {
        let mut events = Vec::new();
        for effect in effects {
            match effect {
                schedule::Effect::Run { id, attempt, .. } => {
                    if let Some(fault) = self.begin_work(&id, attempt) {
                        self.work(&id, std::future::ready(Brought::failed(fault)));
                    }
                }
                schedule::Effect::Wait { id, .. } => events.push((id, Event::Queued)),
                schedule::Effect::Stop { id, stage, seconds } => {
                    if let Some(job) = self.job(&id) {
                        job.stop_work();
                        let detail = format!("{stage:?} took longer than {seconds} s");
                        job.span.in_scope(|| tracing::warn!(detail, "a step was stopped"));
                        job.last_failure = Some(Event::Failed(Fault::of(ErrorCode::Internal, detail)));
                    }
                }
                schedule::Effect::GiveUp { id } => {
                    let failure = self.job(&id).and_then(|job| job.last_failure.take());
                    let unsaid =
                        || Event::Failed(Fault::of(ErrorCode::Internal, "a step ended without a result"));
                    events.push((id, failure.unwrap_or_else(unsaid)));
                }
                schedule::Effect::Refuse { id, why } => tracing::warn!(id, ?why, "an update is not taken"),
            }
        }
        events
    }

    /// Begins the work that an update waits with. Some: it can't be begun at all.
    fn begin_work(&mut self, id: &str, attempt: u32) -> Option<Fault> {
        let mut tools = self.tools.clone();
        let limit = self.settings.stages.confirm.timeout_seconds;
        let limit = (limit > 0).then(|| Duration::from_secs(u64::from(limit)));
        let running = self.config.running.version.clone();
        let tell = self.tell(id);
        let to: PathBuf = tools.store.staging().join(new_name(id, attempt));
        let job = self.job(id)?;
        // What takes over with another executable has to be made for that one.
        tools.host_api = job.record.host_api.unwrap_or(tools.host_api);
        let release = job.release.clone();
        let lost = |what| {
            Some(Fault::of(
                ErrorCode::Internal,
                format!("{what} is not known any more"),
            ))
        };
        match job.next.clone()? {
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
                let Some(release) = release else {
                    return lost("the release");
                };
                if !job.fetched.is_empty() {
                    job.rebuilt_from = Downloads::new(std::mem::take(&mut job.fetched));
                }
                let (base, fetched) = (job.base_file.clone(), job.rebuilt_from.clone());
                self.work(id, tools.rebuild(release, base, fetched, to));
            }
            Effect::Stage => {
                let Some(release) = release else {
                    return lost("the release");
                };
                let only = match &job.record.state.edges[..] {
                    [edge @ Edge::Full { .. }] => Some(*edge.digest()),
                    _ => None,
                };
                if let Some(rebuilt) = job.rebuilt.take() {
                    self.work(id, tools.stage(rebuilt, release, only));
                } else {
                    let (base, fetched) = (job.base_file.clone(), job.rebuilt_from.clone());
                    self.work(id, tools.rebuild_and_stage(release, base, fetched, to, only));
                }
            }
            Effect::Ask if *job.subject() != Subject::Executable => {
                let Some(bundle) = staged_bundle(job) else {
                    return lost("the bundle");
                };
                self.work(id, tools.rehearse(bundle));
            }
            Effect::Ask => {
                let Some(executable) = staged_executable(job, &running) else {
                    return lost("the slot");
                };
                self.work(id, tools.ask(executable));
            }
            Effect::Switch => {
                let Some(bundle) = staged_bundle(job) else {
                    return lost("the bundle");
                };
                self.work(id, tools.switch_bundle(bundle, limit, tell));
            }
            Effect::Arm | Effect::TakeBack(_) | Effect::Skip | Effect::Finish(_) => {}
        }
        None
    }

    /// Begins to put the old bundle back. Nobody waits for a worker with this.
    pub(super) fn begin_take_back(&mut self, id: &str, withdrawal: Withdrawal) {
        let tools = self.tools.clone();
        let Some(job) = self.job(id) else {
            return;
        };
        let (subject, digest, reason) = (job.subject().clone(), job.record.digest, job.record.reason);
        self.work(id, tools.take_back(subject, digest, reason, withdrawal));
    }

    /// Lets the executable that is due take over: beside this process where that can be done, else after it.
    pub(super) fn begin_hand_over(&mut self, id: &str) {
        match self.tools.host.hand_over() {
            Some(hand_over) => self.work(id, async { Brought::HandedOver(hand_over.await) }),
            None => self.tools.host.restart(),
        }
    }

    /// Begins a piece of work for an update.
    fn work(&mut self, id: &str, work: impl Future<Output = Brought> + Send + 'static) {
        let Some(place) = self.jobs.iter().position(|job| job.id() == id) else {
            return;
        };
        let (sender, name) = (self.sender.clone(), id.to_owned());
        let job = &mut self.jobs[place];
        job.work_number += 1;
        let number = job.work_number;
        let span = job.span.clone();
        let task = async move {
            let brought = guarded(work).await;
            // Nobody listens any more when the engine has ended.
            let _ = sender.send(Message::Brought(name, number, brought));
        };
        self.jobs[place].work = Some(self.work.spawn(task.instrument(span)));
    }

    fn tell(&self, id: &str) -> Tell {
        let (sender, id) = (self.sender.clone(), id.to_owned());
        Arc::new(move |event| {
            let _ = sender.send(Message::Told(id.clone(), event));
        })
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
        critical: job.record.state.critical,
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
