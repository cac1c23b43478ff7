//! What an earlier process left: each update comes to the end that the stores tell, goes on where they
//! prove it is, or waits for the check that finds it again. None of them happens twice.

use jiff::Timestamp;
use moult_boot::BootState;
use moult_model::Subject;
use moult_model::stage::SwapReason;

use super::Driver;
use crate::choices::Failures;
use crate::error::chain;
use crate::job::Job;
use crate::machine::{Effect, Event};
use crate::reconcile::{self, Fate};
use crate::record::Record;
use crate::schedule;

impl Driver {
    /// How often in a row the process may end in the middle of an update before that update rests.
    const CUT_SHORT: u32 = 3;

    /// Takes up the updates of an earlier process. What is over is noted before anything else is done.
    pub(super) fn take_up(&mut self, open: Vec<Record>) {
        let boot = match self.tools.store.state() {
            Ok(boot) => boot,
            Err(error) => {
                tracing::error!(error = chain(&error), "the store can't be read");
                self.leftovers = open;
                return;
            }
        };
        let now = Timestamp::now();
        let mut ended = Vec::new();
        for mut record in open {
            if let Some(outcome) = record.outcome() {
                let failure = record.state.activity.problems.last().map(|problem| problem.code);
                self.count(record.digest, outcome, failure, now);
                self.history.add(record.entry(outcome, now));
                self.close(record.id());
                ended.push(record);
                continue;
            }
            let fate = self.fate(&record, &boot);
            let Some(events) = reconcile::events(&record, &fate) else {
                self.put_by(record, now);
                continue;
            };
            let mut effects = Vec::new();
            for event in events {
                effects = record.apply(event, now);
            }
            if fate == Fate::Again {
                record.begin_again(now);
            }
            let job = Job::resumed(record);
            job.span
                .in_scope(|| tracing::info!(?fate, phase = ?job.phase(), "an update goes on"));
            if let Some(Effect::Finish(outcome)) = effects.first() {
                self.history.add(job.record.entry(*outcome, now));
                self.close(job.id());
                ended.push(job.record);
            } else {
                self.submit(&job);
                self.jobs.push(job);
            }
        }
        if !ended.is_empty()
            && let Err(error) = self.records.store_history(&self.history)
        {
            tracing::warn!(error = chain(&error), "the history could not be noted");
        }
        self.noted = self.pending();
        if let Err(error) = self.records.store_tasks(&self.noted) {
            tracing::warn!(error = chain(&error), "what is on its way could not be noted");
        }
        if !ended.is_empty() {
            self.clean_up_after(&ended);
        }
    }

    /// Goes on with what was taken up and needs nobody's leave.
    pub(super) async fn go_on(&mut self) {
        let waiting: Vec<_> = self
            .jobs
            .iter()
            .map(|job| (job.id().to_owned(), job.record.clone()))
            .collect();
        for (id, record) in waiting {
            match reconcile::fate_again(&record) {
                Some(Fate::Again) => {
                    let begin = Event::Begin {
                        kept: true,
                        needs_consent: false,
                    };
                    self.happen(&id, begin).await;
                }
                Some(Fate::RollingBack) => {
                    if let Some(withdrawal) = record.state.withdrawal {
                        self.begin_take_back(&id, withdrawal);
                    }
                }
                _ => {}
            }
        }
    }

    /// Looks again at what became of an executable: the hand-over to it is over, and this process goes on.
    pub(super) async fn look_again(&mut self) {
        let boot = match self.tools.store.state() {
            Ok(boot) => boot,
            Err(error) => {
                tracing::error!(error = chain(&error), "the store can't be read");
                return;
            }
        };
        let executable = self.jobs.iter().find(|job| *job.subject() == Subject::Executable);
        let Some((id, record)) = executable.map(|job| (job.id().to_owned(), job.record.clone())) else {
            return;
        };
        let fate = self.fate(&record, &boot);
        tracing::info!(?fate, "a hand-over is over");
        self.follow_set();
        match fate {
            // Not tried, or not to its end: this process stays, and the other starts next.
            Fate::Armed => {
                if let Some(job) = self.job(&id) {
                    job.record.put_off = Some(Timestamp::now());
                }
                self.happen(&id, Event::Stayed).await;
            }
            fate => {
                for event in reconcile::events(&record, &fate).unwrap_or_default() {
                    self.happen(&id, event).await;
                }
            }
        }
        self.read_stores();
    }

    fn fate(&self, record: &Record, boot: &BootState) -> Fate {
        let subject = &record.state.activity.subject;
        match subject {
            Subject::Executable => match reconcile::fate(record, &self.config.running.digest, boot) {
                // The wish to go back was not carried out before the process ended.
                Fate::Gone
                    if record.reason == SwapReason::GoBack
                        && self.config.running.digest != record.digest
                        && boot.slots.iter().any(|slot| slot.digest == record.digest) =>
                {
                    Fate::Again
                }
                fate => fate,
            },
            Subject::Shell | Subject::Widget(_) => match self.tools.bundles.subject(subject) {
                Ok(slots) => reconcile::fate_of_bundle(record, &slots),
                Err(error) => {
                    tracing::error!(error = chain(&error), "the bundles can't be read");
                    Fate::Gone
                }
            },
        }
    }

    /// Keeps a record until the first check says whether it is still wanted. One that was cut short again and
    /// again rests: it may be what ends the process.
    fn put_by(&mut self, mut record: Record, now: Timestamp) {
        if record.reason != SwapReason::Update {
            self.close(record.id());
            return;
        }
        if record.life().is_at_work() {
            record.cut_short = record.cut_short.saturating_add(1);
        }
        if record.cut_short >= Self::CUT_SHORT {
            tracing::warn!(
                trace_id = record.id(),
                "an update was cut short again and again and rests"
            );
            let rest = Failures {
                times: Failures::MANY,
                last: now,
            };
            self.tasks.failures.insert(record.digest, rest);
            record.cut_short = 0;
        }
        self.leftovers.push(record);
    }

    /// Takes an update into the queue. Says whether there was room for it.
    pub(super) fn submit(&mut self, job: &Job) -> bool {
        let event = schedule::Event::Submit {
            id: job.id().to_owned(),
            priority: job.priority(),
        };
        let effects = self.schedule.next(event, Timestamp::now());
        for effect in &effects {
            tracing::warn!(?effect, "an update is not taken");
        }
        effects.is_empty()
    }

    /// Notes that an id is over, for ever.
    pub(super) fn close(&mut self, id: &str) {
        let event = schedule::Event::End { id: id.to_owned() };
        let effects = self.schedule.next(event, Timestamp::now());
        self.run_all(effects);
    }
}
