//! Parts that take over together: an executable waits for its bundles, they begin with its first start, and go back
//! with it. It refuses to decide what belongs together: that is `select`.

use moult_model::stage::SwapReason;
use moult_model::{Phase, Subject};

use super::Driver;
use crate::error::{UpdateError, chain};
use crate::fetch::blocking;
use crate::job::Job;
use crate::machine::{Event, Fault};
use crate::perform::is_kept;
use crate::set::{Joined, Set};

impl Driver {
    /// Whether all bundles that an update takes over with are in the store.
    pub(super) fn is_complete(&self, job: &Job) -> bool {
        let is_here = |joined: &Joined| {
            is_kept(
                &self.tools.store,
                &self.tools.bundles,
                &joined.subject,
                &joined.digest,
            )
        };
        job.record.set.iter().all(is_here)
    }

    /// Whether an update has to wait for what it takes over with: a bundle for its executable's first start, an executable
    /// for its bundles.
    pub(super) fn waits_for_others(&self, id: &str) -> bool {
        let job = self.jobs.iter().find(|job| job.id() == id);
        job.is_some_and(|job| job.record.together || !self.is_complete(job))
    }

    /// Asks for the executable that has waited for its bundles, if they are all here now.
    pub(super) async fn ask_if_complete(&mut self) {
        let waits = |job: &&Job| {
            *job.subject() == Subject::Executable
                && job.phase() == Phase::Waiting
                && job.record.reason == SwapReason::Update
                && job.record.put_off.is_none()
                && job.next.is_none()
                && job.work.is_none()
                && !job.record.set.is_empty()
        };
        let complete = self.jobs.iter().find(waits).filter(|job| self.is_complete(job));
        if let Some(id) = complete.map(|job| job.id().to_owned()) {
            self.happen(&id, Event::Remind).await;
        }
    }

    /// Notes what takes over with an executable, before its trial begins.
    pub(super) async fn note_set(&mut self, id: &str) -> Option<Fault> {
        let job = self.job(id)?;
        let set = (!job.record.set.is_empty()).then(|| Set {
            executable: job.record.digest,
            bundles: job.record.set.clone(),
        });
        if set == self.set {
            return None;
        }
        let (records, noted) = (self.records.clone(), set.clone());
        let stored = blocking(move || Ok(records.store_set(noted.as_ref())?)).await;
        let fault = stored.err().map(|error: UpdateError| self.tools.fault(&error, 0));
        if fault.is_none() {
            self.set = set;
        }
        fault
    }

    /// Brings the bundles of a set to where the executable that runs wants them: with it they are current, without it they go back.
    /// Done before anything is shown. Blocks for a moment.
    pub(super) fn follow_set(&mut self) {
        let Some(set) = self.set.clone() else {
            return;
        };
        let boot = match self.tools.store.state() {
            Ok(boot) => boot,
            Err(error) => {
                tracing::error!(error = chain(&error), "the store can't be read");
                return;
            }
        };
        let trial = boot.trial.as_ref().and_then(|trial| boot.slot(&trial.slot));
        let is_on_trial = trial.is_some_and(|slot| slot.digest == set.executable);
        let runs = self.config.running.digest == set.executable;
        for joined in &set.bundles {
            let moved = if runs {
                self.join(joined)
            } else {
                self.part(joined)
            };
            if let Err(error) = moved {
                let subject = &joined.subject;
                tracing::error!(%subject, error = chain(&error), "a part of a set could not be moved");
            }
        }
        // As long as it is tried, another start of it wants them again.
        if !is_on_trial {
            self.forget_set();
        }
    }

    /// A bundle takes over with the executable that runs.
    fn join(&self, joined: &Joined) -> Result<(), UpdateError> {
        let bundles = &self.tools.bundles;
        let current = bundles.subject(&joined.subject)?.current;
        if current.is_none_or(|current| current.digest != joined.digest) {
            bundles.begin_trial(&joined.subject, &joined.digest)?;
            bundles.confirm(&joined.subject, &joined.digest)?;
            tracing::info!(subject = %joined.subject, version = %joined.version, "a part took over with its executable");
        }
        Ok(())
    }

    /// A bundle goes back, since the executable did.
    fn part(&self, joined: &Joined) -> Result<(), UpdateError> {
        let bundles = &self.tools.bundles;
        let current = bundles.subject(&joined.subject)?.current;
        let is_current = current.is_some_and(|current| current.digest == joined.digest);
        if let Some(before) = joined.before.as_ref().filter(|_| is_current) {
            bundles.go_back(&joined.subject, before)?;
            tracing::info!(subject = %joined.subject, version = %before, "a part went back with its executable");
        }
        Ok(())
    }

    /// The executable of the set is confirmed, or given up. Blocks for a moment.
    pub(super) fn forget_set(&mut self) {
        if self.set.take().is_some()
            && let Err(error) = self.records.store_set(None)
        {
            tracing::warn!(error = chain(&error), "what belongs together could not be noted");
        }
    }
}
