//! An executable that waits is not forgotten: it is asked for again, installed when nobody is there, or
//! armed at the end. Also who is told of the end of an update.

use std::time::Duration;

use jiff::Timestamp;
use moult_model::{Outcome, Phase, Settings, Subject};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Driver;
use crate::fetch::Limits;
use crate::job::Job;
use crate::machine::{Decision, Event};
use crate::modes::{self, Due, Waiting};

impl Driver {
    /// How often it is looked whether an executable that waits is due.
    pub(super) const LOOK_EVERY: Duration = Duration::from_mins(1);

    /// When the queue or a reminder needs the driver.
    pub(super) fn wakes_at(&self) -> Instant {
        let now = Timestamp::now();
        let queue = self.schedule.wakes_at(now).map(|at| {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            // A millisecond more than none: a clock that was put back must not make a loop of it.
            Instant::now() + wait.max(Duration::from_millis(1))
        });
        queue.map_or(self.next_look, |at| at.min(self.next_look))
    }

    /// Asks again for an executable that was put off, or installs it, if it is time for that.
    pub(super) async fn remind(&mut self) {
        if Instant::now() < self.next_look {
            return;
        }
        self.next_look = Instant::now() + Self::LOOK_EVERY;
        self.look_around().await;
        let waiting = self.jobs.iter().find(|job| is_waiting_executable(job));
        let Some(job) = waiting.filter(|job| self.is_complete(job)) else {
            return;
        };
        let waiting = Waiting {
            since: job.record.entered,
            put_off: job.record.put_off,
            critical: job.record.state.critical,
        };
        let id = job.id().to_owned();
        let idle = self.tools.host.idle_for();
        match modes::due(waiting, &self.settings, idle, Timestamp::now()) {
            Due::Nothing => {}
            Due::Remind => self.happen(&id, Event::Remind).await,
            Due::Install => {
                tracing::info!(
                    trace_id = id,
                    "nobody is here: an update that waited is installed"
                );
                self.happen(&id, Event::Decided(Decision::Now)).await;
            }
        }
    }

    /// The application is quit in order: what was put off to this moment is armed, and nothing that is under
    /// way counts as cut short.
    pub(super) async fn quit(&mut self) {
        let executable = self.jobs.iter().find(|job| is_waiting_executable(job));
        if let Some(id) = executable.map(|job| job.id().to_owned()) {
            self.happen(&id, Event::Quit).await;
        }
        for job in &mut self.jobs {
            job.record.cut_short = 0;
        }
        for record in &mut self.leftovers {
            record.cut_short = 0;
        }
        self.keep_pending().await;
    }

    /// Tells a listener the end of an update, now or when it comes. Nobody is told of what is not known.
    pub(super) fn listen(&mut self, id: String, listener: oneshot::Sender<Outcome>) {
        let line = self.history.entries().iter().find(|entry| entry.id == id);
        if let Some(entry) = line {
            // Whoever asked may have gone.
            let _ = listener.send(entry.outcome);
        } else if self.jobs.iter().any(|job| job.id() == id) {
            self.listeners.entry(id).or_default().push(listener);
        }
    }

    /// Takes over the limits that settings ask for.
    pub(super) fn follow(&mut self, settings: &Settings) {
        if self.tools.download_limits.is_none() {
            return;
        }
        let stages = settings.stages.in_range();
        self.tools.repository.set_limits(Limits::of_checks(stages.detect));
        self.tools.download_limits = Some(Limits::of_downloads(stages.download));
    }
}

fn is_waiting_executable(job: &Job) -> bool {
    *job.subject() == Subject::Executable && job.phase() == Phase::Waiting
}
