//! What may go: releases that no supported client needs, and files that nothing refers to any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use moult_model::config::Keep;
use moult_model::{Digest, Index, Subject, Version};
use serde::Serialize;

use crate::PublishError;
use crate::output::Size;
use crate::repository::Open;

/// What went, or would go.
#[derive(Debug, Default, Serialize)]
pub struct Pruned {
    pub(crate) releases: Vec<DroppedRelease>,
    pub(crate) files: Vec<DroppedFile>,
    pub(crate) dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pushed: Option<crate::store::Pushed>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DroppedRelease {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    version: Version,
}

#[derive(Debug, Serialize)]
pub(crate) struct DroppedFile {
    pub(crate) path: String,
    size: u64,
}

/// Takes releases that may go out of an index. Stay: the newest, what is young, the newest of each channel, where a recall or an
/// order to recall leads, and the step-stones: what those below a release's `update_from` go to first.
pub(crate) fn thin(index: &mut Index, keep: &Keep, now: Timestamp) -> Vec<DroppedRelease> {
    let kept = kept(index, keep, now);
    let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut index.releases)
        .into_iter()
        .partition(|release| kept.contains(&release.digest));
    index.releases = stay;
    index
        .patches
        .retain(|patch| kept.contains(&patch.from) && kept.contains(&patch.to));
    go.into_iter()
        .map(|release| DroppedRelease {
            subject: index.subject.clone(),
            triple: index.triple.clone(),
            version: release.version,
        })
        .collect()
}

fn kept(index: &Index, keep: &Keep, now: Timestamp) -> BTreeSet<Digest> {
    let oldest = now
        .saturating_sub(SignedDuration::from_hours(24 * i64::from(keep.days)))
        .unwrap_or(Timestamp::MIN);
    let is_young = |published: &str| published.parse::<Timestamp>().is_ok_and(|time| time > oldest);
    let mut kept: BTreeSet<Digest> = BTreeSet::new();
    let mut channels = BTreeSet::new();
    for (at, release) in index.releases.iter().enumerate() {
        let mut is_newest = false;
        for channel in &release.channels {
            is_newest |= !release.policy.held && channels.insert(channel);
        }
        if at < keep.versions.max(1) || is_newest || is_young(&release.published) {
            kept.insert(release.digest);
        }
    }
    // Where an order may send back those who have one of these.
    let mut back: BTreeSet<Digest> = BTreeSet::new();
    for release in &index.releases {
        if kept.contains(&release.digest) {
            back.extend(&release.policy.recall_to);
        }
    }
    kept.extend(back);
    // Where those of a recalled one go, and what leads to what is kept.
    loop {
        let before = kept.len();
        for release in &index.releases {
            if !kept.contains(&release.digest) {
                continue;
            }
            let policy = &release.policy;
            kept.extend(policy.recalled);
            if let Some(from) = &policy.update_from {
                let mut stones = index.releases.iter().filter(|stone| {
                    stone.version >= *from && stone.version < release.version && !stone.policy.held
                });
                // The lowest: whoever is far below has to reach it.
                kept.extend(stones.next_back().map(|stone| stone.digest));
            }
        }
        if kept.len() == before {
            return kept;
        }
    }
}

impl Open {
    /// Every index that the repository has: of the app for each target, the shell, and the configured widgets.
    pub(crate) fn indexes(&self, workspace: &crate::config::Workspace) -> Result<Vec<Index>, PublishError> {
        let config = workspace.config();
        let mut indexes = Vec::new();
        for triple in &config.targets {
            indexes.push(self.index(&Subject::Executable, Some(triple))?);
        }
        indexes.push(self.index(&Subject::Shell, None)?);
        let known = self.editor.publishers();
        for id in config.widgets.keys() {
            if known.iter().any(|publisher| publisher == id.publisher()) {
                indexes.push(self.index(&Subject::Widget(id.clone()), None)?);
            }
        }
        indexes.retain(|index| !index.releases.is_empty());
        Ok(indexes)
    }
}

/// Since when nothing refers to which file: path and time.
type Loose = BTreeMap<String, String>;

/// Beside the repository's files, and never brought to a store.
const LOOSE: &str = ".loose.json";

/// Files below `targets` and `metadata` that nothing has referred to for longer than the grace: a client that is in the middle of
/// an update has seen what referred to them. `referred` are the paths that are referred to. A file is noted when it is first
/// seen to be loose, so a second run drops what a first one found.
pub(crate) fn loose_files(
    repository: &Path,
    referred: &BTreeSet<String>,
    grace_days: u32,
    now: Timestamp,
    dry_run: bool,
) -> Result<Vec<DroppedFile>, PublishError> {
    let place = repository.join(LOOSE);
    let noted: Loose = std::fs::read(&place)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let grace = SignedDuration::from_hours(24 * i64::from(grace_days));
    let mut found = Vec::new();
    for folder in ["targets", "metadata"] {
        collect(&repository.join(folder), folder, &mut found)?;
    }
    found.retain(|(path, _)| !referred.contains(path));
    found.sort();
    let mut still = Loose::new();
    let mut drop = Vec::new();
    for (path, size) in found {
        let since = noted.get(&path).and_then(|since| since.parse::<Timestamp>().ok());
        let since = since.unwrap_or(now);
        if now.duration_since(since) >= grace {
            drop.push(DroppedFile { path, size });
        } else {
            still.insert(path, since.to_string());
        }
    }
    if !dry_run && still != noted {
        let bytes = serde_json::to_vec(&still).map_err(|source| PublishError::Encode {
            what: "the list of loose files",
            source,
        })?;
        moult_durable::write_atomic(&place, &bytes)?;
    }
    Ok(drop)
}

fn collect(folder: &Path, name: &str, found: &mut Vec<(String, u64)>) -> Result<(), PublishError> {
    let read = |source| PublishError::FolderRead {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(read(source)),
    };
    for entry in entries {
        let entry = entry.map_err(read)?;
        let path = format!("{name}/{}", entry.file_name().to_string_lossy());
        let metadata = entry.metadata().map_err(read)?;
        if metadata.is_dir() {
            collect(&entry.path(), &path, found)?;
        } else {
            found.push((path, metadata.len()));
        }
    }
    Ok(())
}

impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would drop" } else { "dropped" };
        for release in &self.releases {
            let triple = release.triple.iter().map(|triple| format!(" for {triple}"));
            writeln!(
                f,
                "  {done}  {} {}{}",
                release.subject,
                release.version,
                triple.collect::<String>()
            )?;
        }
        for file in &self.files {
            writeln!(f, "  {done}  {:>10}  {}", Size(file.size), file.path)?;
        }
        let bytes: u64 = self.files.iter().map(|file| file.size).sum();
        write!(
            f,
            "{done} {} releases and {} files, {}",
            self.releases.len(),
            self.files.len(),
            Size(bytes)
        )?;
        match &self.pushed {
            Some(pushed) => write!(f, "\n{pushed}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use moult_model::index::{Download, Encoding};
    use moult_model::{Release, ReleasePolicy};

    use super::*;

    fn index(versions: &[(&str, &str, &str)]) -> Index {
        let mut index = Index::empty(Subject::Shell, None);
        for (version, channel, published) in versions {
            let digest = Digest::of(version.as_bytes());
            index.releases.push(Release {
                version: version.parse().unwrap(),
                channels: vec![channel.parse().unwrap()],
                published: (*published).to_owned(),
                notes: BTreeMap::new(),
                critical: false,
                digest,
                size: 1,
                full: Download {
                    path: String::new(),
                    size: 1,
                    digest,
                    encoding: Encoding::Zstd,
                },
                signature: None,
                host_api: None,
                permissions: Vec::new(),
                state_schema: None,
                policy: ReleasePolicy::default(),
            });
        }
        index
    }

    fn left(mut index: Index) -> Vec<String> {
        let keep = Keep {
            versions: 2,
            days: 30,
            grace_days: 30,
        };
        thin(&mut index, &keep, "2026-11-30T00:00:00Z".parse().unwrap());
        let releases = index.releases.iter();
        releases.map(|release| release.version.to_string()).collect()
    }

    const OLD: &str = "2025-01-01T00:00:00Z";
    const YOUNG: &str = "2026-11-20T00:00:00Z";

    #[test]
    fn the_newest_the_young_and_each_channels_newest_stay() {
        let index = index(&[
            ("5.0.0", "beta", OLD),
            ("4.0.0", "beta", OLD),
            ("3.0.0", "beta", OLD),
            ("2.0.0", "stable", OLD),
            ("1.1.0", "stable", YOUNG),
            ("1.0.0", "stable", OLD),
        ]);
        assert_eq!(left(index), ["5.0.0", "4.0.0", "2.0.0", "1.1.0"]);
    }

    #[test]
    fn where_a_recall_leads_and_step_stones_stay() {
        let mut index = index(&[
            ("5.0.0", "stable", OLD),
            ("4.0.0", "stable", OLD),
            ("3.0.0", "stable", OLD),
            ("2.1.0", "stable", OLD),
            ("2.0.0", "stable", OLD),
            ("1.0.0", "stable", OLD),
        ]);
        index.releases[0].policy.update_from = Some("2.0.0".parse().unwrap());
        index.releases[1].policy.recall_to = vec![Digest::of(b"1.0.0")];
        assert_eq!(left(index), ["5.0.0", "4.0.0", "2.0.0", "1.0.0"]);
    }
}
