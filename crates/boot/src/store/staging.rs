//! Keeps the folder in which files are prepared within bounds. Refuses to know what they are for.

use std::fs;
use std::time::SystemTime;

use moult_durable::fs as change;

use super::{Collected, Store};
use crate::BootError;

impl Store {
    /// Deletes what was last written longest ago in [`staging`](Self::staging) until what is left has
    /// `limit_bytes` at most. What is named in `keep` stays, whatever its size: it is being worked on.
    pub fn bound_staging(&self, limit_bytes: u64, keep: &[&str]) -> Result<Collected, BootError> {
        let read = |source| BootError::Read {
            path: self.layout.staging.clone(),
            source,
        };
        let mut found: Vec<(SystemTime, String, u64)> = Vec::new();
        for entry in fs::read_dir(&self.layout.staging).map_err(read)? {
            let entry = entry.map_err(read)?;
            // What has gone meanwhile takes no room.
            let (Ok(data), Ok(name)) = (entry.metadata(), entry.file_name().into_string()) else {
                continue;
            };
            if data.is_file() {
                found.push((
                    data.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    name,
                    data.len(),
                ));
            }
        }
        // By age, and by name where that is the same, so that it is the same each time.
        found.sort();
        let mut total: u64 = found.iter().map(|(_, _, bytes)| bytes).sum();
        let mut collected = Collected::default();
        for (_, name, bytes) in found {
            if total <= limit_bytes {
                break;
            }
            if keep.contains(&name.as_str()) {
                continue;
            }
            let path = self.layout.staging.join(name);
            change::remove_file(&path).map_err(|source| BootError::Remove { path, source })?;
            total -= bytes;
            collected.removed += 1;
            collected.bytes += bytes;
        }
        Ok(collected)
    }
}
