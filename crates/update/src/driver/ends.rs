//! The end of an update: its line, what it leaves on the disk, and what its failure means for the next try.

use std::path::PathBuf;

use jiff::Timestamp;
use moult_boot::{BundleStore, Store};
use moult_model::stage::SwapReason;
use moult_model::{Digest, ErrorCode, Outcome, Subject};

use super::Driver;
use crate::choices::Failures;
use crate::error::{UpdateError, chain};
use crate::fetch::blocking;
use crate::job::Job;
use crate::plan::Edge;
use crate::record::Record;

impl Driver {
    /// How long failures in a row are remembered, in hours.
    const REMEMBERED_HOURS: i64 = 7 * 24;

    /// Writes the line of the history and forgets the update.
    pub(super) async fn finish(&mut self, id: &str, outcome: Outcome, failure: Option<ErrorCode>) {
        let Some(place) = self.jobs.iter().position(|job| job.id() == id) else {
            return;
        };
        let job = self.jobs.remove(place);
        let now = Timestamp::now();
        self.history.add(job.record.entry(outcome, now));
        self.close(job.id());
        self.count(job.record.digest, outcome, failure, now);
        if *job.subject() == Subject::Executable && outcome != Outcome::Failed {
            self.forget_set();
        }
        if outcome == Outcome::Failed && job.record.reason == SwapReason::GoBack {
            self.choices.went_back.remove(job.subject());
            self.keep_choices().await;
        }
        self.sweep_downloads(&job, failure).await;
        // The line first: if the process ends between the two, it says that the update is over.
        self.keep_history().await;
        self.keep_pending().await;
        for listener in self.listeners.remove(job.id()).unwrap_or_default() {
            // Whoever asked may have gone.
            let _ = listener.send(outcome);
        }
        // A version that was taken back is garbage too: a row of bad releases must not fill the disk.
        if outcome != Outcome::Failed {
            self.collect_garbage().await;
        }
        if self.is_full {
            // There is room now for what was put off.
            self.begin_check();
        }
        self.read_stores();
    }

    /// Deletes versions that are too old to be returned to.
    async fn collect_garbage(&self) {
        let (store, bundles) = (self.tools.store.clone(), self.tools.bundles.clone());
        let keep = usize::from(self.settings.keep_versions.max(1));
        tell_collected(blocking(move || collect(&store, &bundles, keep)).await);
    }

    /// Deletes what updates left that came to their end while they were taken up. Blocks for a moment.
    pub(super) fn clean_up_after(&self, ended: &[Record]) {
        for record in ended {
            let failure = record.state.activity.problems.last();
            remove(self.downloads_of(record, failure.map(|problem| problem.code)));
        }
        let keep = usize::from(self.settings.keep_versions.max(1));
        tell_collected(collect(&self.tools.store, &self.tools.bundles, keep));
    }

    /// Deletes the downloads of an update that is over.
    async fn sweep_downloads(&self, job: &Job, failure: Option<ErrorCode>) {
        let names = self.downloads_of(&job.record, failure);
        let swept = blocking(move || {
            remove(names);
            Ok(())
        });
        let _ = swept.await;
    }

    /// The downloads that are of no use any more when an update is over. What the next try can go on with
    /// is kept: the network, the disk or the user ended this one.
    fn downloads_of(&self, record: &Record, failure: Option<ErrorCode>) -> Vec<PathBuf> {
        use ErrorCode::{
            Cancelled, CaptivePortal, DiskFailed, DiskFull, FileHeld, Offline, ServerFailed, ServerRefused,
        };
        let keeps = matches!(
            failure,
            Some(
                Cancelled
                    | CaptivePortal
                    | DiskFailed
                    | DiskFull
                    | FileHeld
                    | Offline
                    | ServerFailed
                    | ServerRefused
            )
        );
        let state = &record.state;
        let edges = state.edges.iter().map(Edge::digest).filter(|_| !keeps);
        let staging = self.tools.store.staging();
        let digests = state.excluded.iter().chain(edges);
        digests
            .map(|digest| staging.join(format!("{digest}.download")))
            .collect()
    }

    /// Counts failures of an artifact in a row. A dead network and a wish are nobody's fault.
    pub(super) fn count(
        &mut self,
        digest: Digest,
        outcome: Outcome,
        failure: Option<ErrorCode>,
        now: Timestamp,
    ) {
        match (outcome, failure) {
            (Outcome::Updated | Outcome::Installed, _) => {
                self.tasks.failures.remove(&digest);
            }
            (_, None | Some(ErrorCode::Offline | ErrorCode::CaptivePortal | ErrorCode::Cancelled)) => {}
            (Outcome::Failed | Outcome::RolledBack, Some(_)) => {
                let known = self
                    .tasks
                    .failures
                    .entry(digest)
                    .or_insert(Failures { times: 0, last: now });
                *known = Failures {
                    times: known.times.saturating_add(1),
                    last: now,
                };
            }
        }
        // What failed long ago is nobody's hindrance any more.
        let is_young =
            |failures: &Failures| now.duration_since(failures.last).as_hours() < Self::REMEMBERED_HOURS;
        self.tasks.failures.retain(|_, failures| is_young(failures));
    }
}

/// Removes files. What is left costs space until the next sweep, and nothing else.
fn remove(files: Vec<PathBuf>) {
    for path in files {
        let _ = moult_durable::fs::remove_file(&path);
    }
}

/// Deletes old versions. Says how many, and their bytes.
fn collect(store: &Store, bundles: &BundleStore, keep: usize) -> Result<(usize, u64), UpdateError> {
    let slots = store.collect_garbage(keep)?;
    let files = bundles.collect_garbage(keep)?;
    Ok((slots.removed + files.removed, slots.bytes + files.bytes))
}

fn tell_collected(collected: Result<(usize, u64), UpdateError>) {
    match collected {
        Ok((0, _)) => {}
        Ok((removed, bytes)) => tracing::info!(removed, bytes, "old versions were deleted"),
        Err(error) => tracing::warn!(error = chain(&error), "old versions could not be deleted"),
    }
}
