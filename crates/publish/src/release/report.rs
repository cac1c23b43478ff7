//! What was released, for people and for programs.

use std::fmt;

use jiff::Timestamp;
use moult_model::{Channel, Digest, Index, Patch, Subject, Version};
use serde::Serialize;

use super::Artifact;
use crate::offer::standing;
use crate::output::Size;
use crate::staging::Outcome;
use crate::store::Pushed;

/// What was released.
#[derive(Debug, Serialize)]
pub struct Released {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    version: Version,
    digest: Digest,
    size: u64,
    full: FullFile,
    patches: Vec<ListedPatch>,
    /// Versions from which the full file is as small as a patch.
    pub(super) left_out: Vec<Version>,
    channels: Vec<Channel>,
    /// How it is offered now, for people.
    offered: String,
    /// Whether anything changed for clients.
    pub(super) changed: bool,
    pub(super) timestamp_version: u64,
    #[serde(skip)]
    pub(super) dry_run: bool,
    /// Whether it waits for signatures.
    #[serde(skip)]
    pub(super) staged: bool,
}

/// What a command released.
#[derive(Debug, Serialize)]
pub struct Published {
    pub(super) releases: Vec<Released>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pushed: Option<Pushed>,
    /// What it waits for, if it is not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    pub(super) seconds: f64,
}

/// The one release of a command, as it was told before there could be several.
#[derive(Debug, Serialize)]
pub struct One {
    #[serde(flatten)]
    released: Released,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<Pushed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    seconds: f64,
}

impl Published {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            releases: Vec::new(),
            dry_run,
            pushed: None,
            outcome: None,
            seconds: 0.0,
        }
    }

    /// The one release, if it is one.
    pub fn one(mut self) -> Result<One, Box<Self>> {
        if self.releases.len() != 1 {
            return Err(Box::new(self));
        }
        match self.releases.pop() {
            Some(released) => Ok(One {
                released,
                dry_run: self.dry_run,
                pushed: self.pushed,
                outcome: self.outcome,
                seconds: self.seconds,
            }),
            None => Err(Box::new(self)),
        }
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.released.fmt(f)?;
        further(f, self.outcome.as_ref(), self.pushed.as_ref())
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.releases.is_empty() {
            f.write_str("there is nothing to publish")?;
        }
        for (at, released) in self.releases.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            released.fmt(f)?;
        }
        further(f, self.outcome.as_ref(), self.pushed.as_ref())
    }
}

/// What is said of all releases together.
fn further(f: &mut fmt::Formatter<'_>, outcome: Option<&Outcome>, pushed: Option<&Pushed>) -> fmt::Result {
    if let Some(outcome) = outcome {
        write!(f, "\n{outcome}")?;
    }
    match pushed {
        Some(pushed) => write!(f, "\n{pushed}"),
        None => Ok(()),
    }
}

#[derive(Debug, Serialize)]
struct FullFile {
    path: String,
    size: u64,
}

#[derive(Debug, Serialize)]
struct ListedPatch {
    from_version: Version,
    path: String,
    size: u64,
    /// The patch's size over the full file's.
    ratio: f64,
}

impl Released {
    /// What the index says of the artifact.
    pub(super) fn of(
        index: &Index,
        artifact: &Artifact,
        digest: &Digest,
        timestamp_version: u64,
        now: Timestamp,
    ) -> Self {
        let release = index.release_of(digest);
        let full = release.map(|release| release.full.clone());
        let (path, full_size) = full.map_or((String::new(), 0), |full| (full.path, full.size));
        let listed = |patch: &Patch| {
            let from_version = index.release_of(&patch.from)?.version.clone();
            let ratio = (patch.size as f64 / full_size as f64 * 1e4).round() / 1e4;
            Some(ListedPatch {
                from_version,
                path: patch.path.clone(),
                size: patch.size,
                ratio,
            })
        };
        Self {
            subject: artifact.subject.clone(),
            triple: artifact.triple.clone(),
            version: artifact.version.clone(),
            digest: *digest,
            size: artifact.bytes.len() as u64,
            full: FullFile {
                path,
                size: full_size,
            },
            patches: index
                .patches
                .iter()
                .filter(|patch| patch.to == *digest)
                .filter_map(listed)
                .collect(),
            left_out: Vec::new(),
            channels: release
                .map(|release| release.channels.clone())
                .unwrap_or_default(),
            offered: release.map(|release| standing(release, now)).unwrap_or_default(),
            changed: false,
            timestamp_version,
            dry_run: false,
            staged: false,
        }
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self
            .channels
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let target = self
            .triple
            .as_ref()
            .map(|triple| format!(" for {triple}"))
            .unwrap_or_default();
        let done = match (self.changed, self.dry_run) {
            (true, false) if self.staged => "staged",
            (true, false) => "published",
            (true, true) => "would publish",
            (false, _) => "already published:",
        };
        writeln!(
            f,
            "{done} {} {}{target} on {channels}",
            self.subject, self.version
        )?;
        writeln!(f, "  artifact   {:>10}  sha256 {}", Size(self.size), self.digest)?;
        writeln!(
            f,
            "  full file  {:>10}  targets/{}",
            Size(self.full.size),
            self.full.path
        )?;
        for patch in &self.patches {
            let share = patch.ratio * 100.0;
            let from = &patch.from_version;
            writeln!(
                f,
                "  patch      {:>10}  from {from}, {share:.1} % of the full file",
                Size(patch.size)
            )?;
        }
        for version in &self.left_out {
            writeln!(
                f,
                "  no patch               from {version}: it would not be smaller than the full file"
            )?;
        }
        if self.offered != "100 %" {
            writeln!(f, "  offered                {}", self.offered)?;
        }
        if self.dry_run {
            return f.write_str("  nothing was written");
        }
        if self.staged {
            return f.write_str("  waits for signatures");
        }
        write!(f, "  timestamp  {:>10}", self.timestamp_version)
    }
}
