//! What the user wishes for beside updates: to go back, to stop, to have something else.

use jiff::Timestamp;
use moult_boot::SlotName;
use moult_model::{Digest, ErrorCode, HistoryEntry, Outcome, Phase, Problem, Subject, Version};

use super::{Driver, new_id};
use crate::choices::WentBack;
use crate::error::chain;
use crate::fetch::blocking;
use crate::job::Job;
use crate::machine::Event;
use crate::select::Verdict;

impl Driver {
    /// Returns to a kept version.
    pub(super) async fn go_back(&mut self, subject: Subject, version: Version) {
        let (running, _) = match self.running(&subject) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%subject, error = chain(&error), "what is installed can't be read");
                return;
            }
        };
        let from = running.as_ref().map(|running| running.version.clone());
        if from.as_ref() == Some(&version) {
            return;
        }
        let Some(digest) = self.kept_version(&subject, &version) else {
            tracing::warn!(%subject, %version, "this version is not kept");
            return;
        };
        if let Some(verdict) = self.bars_way_back(&subject, running.as_ref(), &version) {
            tracing::warn!(%subject, %version, %verdict, "there is no way back to this version");
            self.refuse_wish(subject, from, version, &verdict).await;
            return;
        }
        if let Some(place) = self.jobs.iter().position(|job| *job.subject() == subject) {
            if !self.jobs[place].is_replaceable() {
                tracing::warn!(%subject, %version, "another version is taking over just now");
                return;
            }
            self.replace(place).await;
        }
        match from.clone().filter(|from| *from > version) {
            Some(from) => {
                // Going back twice must not make the first one wanted again.
                let from = match self.choices.went_back.remove(&subject) {
                    Some(before) if before.from > from => before.from,
                    _ => from,
                };
                self.choices.went_back.insert(
                    subject.clone(),
                    WentBack {
                        from,
                        to: version.clone(),
                    },
                );
            }
            None => drop(self.choices.went_back.remove(&subject)),
        }
        self.keep_choices().await;
        let now = Timestamp::now();
        let job = Job::back_to(new_id(now), subject, from, version, digest, now);
        let id = job.id().to_owned();
        if !self.submit(&job) {
            return;
        }
        self.jobs.push(job);
        self.happen(
            &id,
            Event::Begin {
                kept: true,
                needs_consent: false,
            },
        )
        .await;
    }

    /// Says in the history why a wish was not carried out.
    async fn refuse_wish(&mut self, subject: Subject, from: Option<Version>, to: Version, verdict: &Verdict) {
        let goes_on = from.as_ref().map(|from| format!("{from} goes on."));
        let problem = Problem {
            code: ErrorCode::Cancelled,
            happened: format!("{to} was not put back. {verdict}"),
            kept: goes_on.unwrap_or_else(|| "Nothing was changed.".to_owned()),
            advice: None,
            detail: verdict.to_string(),
        };
        let now = Timestamp::now();
        self.history.add(HistoryEntry {
            id: new_id(now),
            subject,
            from,
            to,
            outcome: Outcome::Failed,
            at: now.to_string(),
            wire_bytes: 0,
            full_bytes: 0,
            plan: Vec::new(),
            phases: Vec::new(),
            problems: vec![problem],
        });
        self.keep_history().await;
        self.show();
    }

    /// The artifact of a kept version.
    fn kept_version(&self, subject: &Subject, version: &Version) -> Option<Digest> {
        if *subject == Subject::Executable {
            let boot = self.tools.store.state().ok()?;
            return boot
                .slots
                .iter()
                .find(|slot| slot.version == *version)
                .map(|slot| slot.digest);
        }
        let slots = self.tools.bundles.subject(subject).ok()?;
        slots
            .earlier
            .iter()
            .find(|kept| kept.version == *version)
            .map(|kept| kept.digest)
    }

    /// Stops an update on request.
    pub(super) async fn cancel(&mut self, id: &str) {
        let Some(job) = self.job(id) else {
            return;
        };
        if matches!(
            job.phase(),
            Phase::Switching | Phase::Confirming | Phase::RollingBack
        ) {
            return;
        }
        job.stop_work();
        let slot = job.record.slot.clone();
        self.disarm(slot).await;
        self.happen(id, Event::Cancelled).await;
    }

    /// Takes an update off because something else is wanted.
    pub(super) async fn replace(&mut self, place: usize) {
        let mut job = self.jobs.remove(place);
        job.stop_work();
        job.span
            .in_scope(|| tracing::info!(phase = ?job.phase(), "an update is no longer wanted"));
        // Nobody hears of an end that does not come.
        self.listeners.remove(job.id());
        self.close(job.id());
        self.disarm(job.record.slot.clone()).await;
    }

    /// Ends the trial of an executable that has not started yet.
    async fn disarm(&mut self, slot: Option<SlotName>) {
        let (Some(slot), store) = (slot, self.tools.store.clone()) else {
            return;
        };
        let outcome = blocking(move || {
            if store.state()?.is_on_trial(&slot) {
                store.go_back()?;
            }
            Ok(())
        });
        if let Err(error) = outcome.await {
            tracing::error!(error = chain(&error), "a trial could not be ended");
        }
        self.read_stores();
    }
}
