//! What the driver keeps on the disk, and what it sweeps away. It refuses to decide what happens next.

use std::time::Duration;

use super::Driver;
use crate::error::chain;
use crate::fetch::blocking;
use crate::plan::Edge;
use crate::records::Tasks;

impl Driver {
    /// Writes the updates on their way, if they changed, so that they go on in another process.
    pub(super) async fn keep_pending(&mut self) {
        let pending = self.pending();
        if pending == self.noted {
            return;
        }
        let (records, noted) = (self.records.clone(), pending.clone());
        match blocking(move || Ok(records.store_tasks(&pending)?)).await {
            Ok(()) => self.noted = noted,
            Err(error) => tracing::warn!(error = chain(&error), "what is on its way could not be noted"),
        }
    }

    /// What is on its way and what is over, as it is to be on the disk.
    pub(super) fn pending(&self) -> Tasks {
        let open = self.jobs.iter().map(|job| job.record.clone());
        Tasks {
            open: open.chain(self.leftovers.iter().cloned()).collect(),
            ended: self.schedule.over().to_vec(),
            ..self.tasks.clone()
        }
    }

    pub(super) async fn keep_choices(&self) {
        let (records, choices) = (self.records.clone(), self.choices.clone());
        if let Err(error) = blocking(move || Ok(records.store_choices(&choices)?)).await {
            tracing::warn!(error = chain(&error), "what was chosen could not be noted");
        }
    }

    pub(super) async fn keep_history(&mut self) {
        let (records, history) = (self.records.clone(), self.history.clone());
        if let Err(error) = blocking(move || Ok(records.store_history(&history)?)).await {
            tracing::warn!(error = chain(&error), "the history could not be noted");
        }
    }

    /// Keeps the staging folder within what the settings allow. What is being worked on stays, whatever its size.
    pub(super) async fn bound_staging(&self) {
        let limit = u64::from(self.settings.staging_limit_mb.max(64)).saturating_mul(1024 * 1024);
        let mut keep = Vec::new();
        for job in &self.jobs {
            keep.extend((1..=10).map(|attempt| new_name(job.id(), attempt)));
            for digest in job.record.state.edges.iter().map(Edge::digest) {
                keep.extend(["part", "json", "download"].map(|end| format!("{digest}.{end}")));
            }
        }
        let store = self.tools.store.clone();
        let bounded = blocking(move || {
            let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
            Ok(store.bound_staging(limit, &keep)?)
        });
        match bounded.await {
            Ok(collected) if collected.removed > 0 => {
                tracing::info!(
                    removed = collected.removed,
                    bytes = collected.bytes,
                    "old downloads were deleted"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = chain(&error), "old downloads could not be deleted"),
        }
    }

    /// Removes what an earlier process left half rebuilt, and downloads that nobody has gone on with for a
    /// week.
    pub(super) fn sweep_staging(&self) {
        const WEEK: Duration = Duration::from_hours(7 * 24);
        let Ok(entries) = std::fs::read_dir(self.tools.store.staging()) else {
            return;
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        // What is removed goes in the same order each time.
        paths.sort_unstable();
        for path in paths {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_rebuilt = name.contains(".new");
            let is_download = [".part", ".json", ".download"]
                .iter()
                .any(|end| name.ends_with(end));
            // Of what lies here itself: where a link leads, things may be of any age.
            let age = path
                .symlink_metadata()
                .and_then(|data| data.modified())
                .ok()
                .and_then(|at| at.elapsed().ok());
            if is_rebuilt || is_download && age.is_some_and(|age| age > WEEK) {
                let _ = moult_durable::fs::remove_file(&path);
            }
        }
    }
}

/// What an artifact is called while it is rebuilt. What an earlier try still writes is not what the next one writes.
pub(super) fn new_name(id: &str, attempt: u32) -> String {
    if attempt > 1 {
        format!("{id}.new{attempt}")
    } else {
        format!("{id}.new")
    }
}
