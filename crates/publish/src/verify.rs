//! Goes every way that a client can go, before or after it is visible: each full file is unpacked, each patch is applied to the
//! artifact that it starts from, and what comes out is compared with the digests of the index. A chain of patches is right if
//! each of them leads exactly from one digest to the next, so each is applied once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use moult_delta::Limits;
use moult_model::{Digest, Index, Release, Subject, Version};
use serde::Serialize;

use crate::output::Size;
use crate::progress::Progress;
use crate::{PublishError, full_file};

/// What is wrong with a way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A patch can't be read.
    #[error("the patch `{path}` can't be read")]
    Read {
        /// The patch.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A patch is not what was signed.
    #[error("the patch `{path}` is damaged: it is not {expected}")]
    Damaged {
        /// The patch.
        path: String,
        /// What was signed.
        expected: Digest,
    },
    /// A patch starts from or leads to something that the index does not list.
    #[error("the patch `{path}` is between artifacts that the index does not list")]
    Loose {
        /// The patch.
        path: String,
    },
    /// A signature does not verify.
    #[error("the signature of {subject} {version} does not verify")]
    Signature {
        /// What it is.
        subject: Box<Subject>,
        /// Its version.
        version: Version,
        /// Why.
        #[source]
        source: Box<moult_trust::TrustError>,
    },
}

/// What was replayed of a subject.
#[derive(Debug, Serialize)]
pub struct Replayed {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    /// Full files that were unpacked.
    full_files: usize,
    /// Patches that were applied.
    patches: usize,
    /// The ways from each older release to the newest of each channel.
    ways: Vec<Way>,
}

/// The cheapest way from one release to another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    from: Version,
    to: Version,
    kind: WayKind,
    /// The versions on the way, for a chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    over: Vec<Version>,
    /// What it costs on the wire, in bytes.
    size: u64,
}

/// How a way goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WayKind {
    /// One patch.
    Patch,
    /// Patch after patch.
    Chain,
    /// The full file.
    Full,
}

/// The artifacts of one index, each unpacked once.
struct Artifacts<'a> {
    repository: &'a Path,
    index: &'a Index,
    unpacked: BTreeMap<Digest, Vec<u8>>,
}

impl Artifacts<'_> {
    fn get(&mut self, release: &Release) -> Result<&[u8], PublishError> {
        if !self.unpacked.contains_key(&release.digest) {
            let bytes = full_file::recover(self.repository, release)?;
            self.unpacked.insert(release.digest, bytes);
        }
        Ok(self
            .unpacked
            .get(&release.digest)
            .map(Vec::as_slice)
            .unwrap_or_default())
    }

    /// Forgets what no later step needs: artifacts are large.
    fn keep_only(&mut self, digests: &BTreeSet<Digest>) {
        self.unpacked.retain(|digest, _| digests.contains(digest));
    }

    fn apply(&mut self, patch: &moult_model::Patch) -> Result<(), PublishError> {
        let place = self.repository.join("targets").join(&patch.path);
        let name = || format!("targets/{}", patch.path);
        let bytes = fs::read(place).map_err(|source| VerifyError::Read { path: name(), source })?;
        if Digest::of(&bytes) != patch.digest || bytes.len() as u64 != patch.size {
            return Err(VerifyError::Damaged {
                path: name(),
                expected: patch.digest,
            }
            .into());
        }
        let index = self.index;
        let (Some(from), Some(to)) = (index.release_of(&patch.from), index.release_of(&patch.to)) else {
            return Err(VerifyError::Loose { path: name() }.into());
        };
        let old = self.get(from)?;
        let mut new = Vec::with_capacity(to.size as usize);
        let refused = |source| PublishError::PatchRefused {
            from: from.version.clone(),
            to: to.version.clone(),
            source: Box::new(source),
        };
        moult_delta::apply(
            &mut Cursor::new(old),
            &bytes[..],
            &mut new,
            Limits::exactly(to.size),
        )
        .map_err(refused)?;
        if Digest::of(&new) != to.digest {
            return Err(PublishError::PatchWrong {
                from: from.version.clone(),
                to: to.version.clone(),
            });
        }
        Ok(())
    }
}

/// Replays what leads to one release: its full file, and every patch on a chain to it.
pub fn ways_to(repository: &Path, index: &Index, digest: &Digest) -> Result<(), PublishError> {
    let Some(release) = index.release_of(digest) else {
        return Ok(());
    };
    let mut artifacts = Artifacts {
        repository,
        index,
        unpacked: BTreeMap::new(),
    };
    artifacts.get(release)?;
    // Patches between older releases were replayed when those were published.
    for patch in index.patches.iter().filter(|patch| patch.to == *digest) {
        artifacts.apply(patch)?;
        artifacts.keep_only(&BTreeSet::new());
    }
    Ok(())
}

/// Replays everything that an index lists. `minisign` is the public key that executables are signed with.
pub fn all(
    repository: &Path,
    index: &Index,
    minisign: &str,
    progress: &Progress,
) -> Result<Replayed, PublishError> {
    let mut artifacts = Artifacts {
        repository,
        index,
        unpacked: BTreeMap::new(),
    };
    progress.steps(
        &format!("replaying {}", index.subject),
        index.releases.len() + index.patches.len(),
    );
    // Patches from one release come together, so that it is unpacked once and then forgotten.
    for release in &index.releases {
        let bytes = artifacts.get(release)?;
        if let Some(signature) = &release.signature {
            moult_trust::verify_signature(minisign, signature, bytes, &release.version).map_err(
                |source| VerifyError::Signature {
                    subject: Box::new(index.subject.clone()),
                    version: release.version.clone(),
                    source: Box::new(source),
                },
            )?;
        }
        progress.advance();
        for patch in index.patches.iter().filter(|patch| patch.from == release.digest) {
            artifacts.apply(patch)?;
            progress.advance();
        }
        artifacts.keep_only(&BTreeSet::new());
    }
    if let Some(patch) = index
        .patches
        .iter()
        .find(|patch| index.release_of(&patch.from).is_none())
    {
        let path = format!("targets/{}", patch.path);
        return Err(VerifyError::Loose { path }.into());
    }
    Ok(Replayed {
        subject: index.subject.clone(),
        triple: index.triple.clone(),
        full_files: index.releases.len(),
        patches: index.patches.len(),
        ways: ways(index),
    })
}

/// The cheapest way from each release to the newest of each channel, and to where each recalled one goes.
fn ways(index: &Index) -> Vec<Way> {
    let mut wanted: Vec<(&Release, &Release)> = Vec::new();
    let mut newest: Vec<&Release> = Vec::new();
    for release in &index.releases {
        let is_newest = release
            .channels
            .iter()
            .any(|channel| !newest.iter().any(|other| other.channels.contains(channel)));
        if is_newest && !release.policy.held {
            newest.push(release);
        }
    }
    for to in newest {
        let older = index.releases.iter().filter(|from| from.version < to.version);
        wanted.extend(older.map(|from| (from, to)));
    }
    for from in &index.releases {
        let to = from.policy.recalled.and_then(|digest| index.release_of(&digest));
        wanted.extend(to.map(|to| (from, to)));
    }
    wanted
        .into_iter()
        .map(|(from, to)| cheapest(index, from, to))
        .collect()
}

/// By bytes on the wire. Few releases are listed, so that trying again until nothing gets cheaper is quick enough.
fn cheapest(index: &Index, from: &Release, to: &Release) -> Way {
    let mut costs: BTreeMap<Digest, (u64, Vec<Digest>)> = BTreeMap::from([(from.digest, (0, Vec::new()))]);
    let mut queue = VecDeque::from([from.digest]);
    while let Some(at) = queue.pop_front() {
        let Some((cost, over)) = costs.get(&at).cloned() else {
            continue;
        };
        for patch in index.patches.iter().filter(|patch| patch.from == at) {
            let next = cost.saturating_add(patch.size);
            if costs.get(&patch.to).is_none_or(|(known, _)| next < *known) {
                let mut over = over.clone();
                over.push(patch.to);
                costs.insert(patch.to, (next, over));
                queue.push_back(patch.to);
            }
        }
    }
    let version = |digest: &Digest| Some(index.release_of(digest)?.version.clone());
    let full = Way {
        from: from.version.clone(),
        to: to.version.clone(),
        kind: WayKind::Full,
        over: Vec::new(),
        size: to.full.size,
    };
    match costs.get(&to.digest) {
        Some((size, over)) if *size < to.full.size && !over.is_empty() => {
            let over: Vec<_> = over[..over.len() - 1].iter().filter_map(version).collect();
            let kind = if over.is_empty() {
                WayKind::Patch
            } else {
                WayKind::Chain
            };
            Way {
                kind,
                over,
                size: *size,
                ..full
            }
        }
        _ => full,
    }
}

impl VerifyError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } | Self::Damaged { .. } => {
                "copy the file from where the repository is published, then try again"
            }
            Self::Loose { .. } | Self::Signature { .. } => {
                "compare the repository and the key folder with their copies before anything else is published"
            }
        }
        .to_owned()
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triple = self.triple.iter().map(|triple| format!(" for {triple}"));
        write!(
            f,
            "{}{}: {} full files and {} patches are right",
            self.subject,
            triple.collect::<String>(),
            self.full_files,
            self.patches
        )?;
        for way in &self.ways {
            let Way { from, to, size, .. } = way;
            let kind = match way.kind {
                WayKind::Patch => "by a patch".to_owned(),
                WayKind::Full => "by the full file".to_owned(),
                WayKind::Chain => {
                    let over: Vec<_> = way.over.iter().map(ToString::to_string).collect();
                    format!("over {}", over.join(", "))
                }
            };
            write!(f, "\n  {from} -> {to}  {:>10}  {kind}", Size(*size))?;
        }
        Ok(())
    }
}
