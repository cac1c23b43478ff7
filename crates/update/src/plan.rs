//! The cheapest way from what is installed to what is wanted, counted in bytes on the wire.
//!
//! Pure. It refuses to know how a download is carried out and why an edge was excluded.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use moult_model::index::Download;
use moult_model::{Digest, Index, Patch, PlanStep, Release, Version};
use serde::{Deserialize, Serialize};

/// An artifact that patches can start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its version.
    pub version: Version,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// One download of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Edge {
    /// A patch.
    Patch {
        /// The patch as the index lists it.
        patch: Patch,
        /// The version it starts from.
        from: Version,
        /// The version it leads to.
        to: Version,
        /// The size of the artifact it leads to, in bytes.
        result_size: u64,
    },
    /// The whole file.
    Full {
        /// The file as the index lists it.
        download: Download,
        /// The version it holds.
        to: Version,
    },
}

/// Everything that the index offers to get one release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ways {
    /// The release's artifact.
    pub target: Digest,
    /// The whole file.
    pub full: Edge,
    /// The patches between listed artifacts, in the formats that this code reads.
    pub patches: Vec<Edge>,
}

impl Edge {
    /// The path of the file, relative to the targets folder.
    pub fn path(&self) -> &str {
        match self {
            Self::Patch { patch, .. } => &patch.path,
            Self::Full { download, .. } => &download.path,
        }
    }

    /// SHA-256 of the file as it is served: the edge's name.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Patch { patch, .. } => &patch.digest,
            Self::Full { download, .. } => &download.digest,
        }
    }

    /// Bytes on the wire.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Patch { patch, .. } => patch.size,
            Self::Full { download, .. } => download.size,
        }
    }

    /// The edge in the words of the screen.
    pub fn step(&self) -> PlanStep {
        match self {
            Self::Patch { from, to, .. } => PlanStep::Patch {
                from: from.clone(),
                to: to.clone(),
                bytes: self.bytes(),
            },
            Self::Full { to, .. } => PlanStep::Full {
                to: to.clone(),
                bytes: self.bytes(),
            },
        }
    }
}

impl Ways {
    /// Collects the ways to a release. A patch counts only if its format is one of those that are read
    /// here, if it leads to a listed artifact, and if it starts from a listed one or from the one that is
    /// installed. Formats are never weighed against each other: bytes decide.
    pub fn to(release: &Release, index: &Index, installed: Option<&Base>, formats: &[u16]) -> Self {
        let version_of = |digest: &Digest| match (index.release_of(digest), installed) {
            (Some(release), _) => Some(release.version.clone()),
            (None, Some(base)) if base.digest == *digest => Some(base.version.clone()),
            _ => None,
        };
        let patches = index
            .patches
            .iter()
            .filter(|patch| formats.contains(&patch.format))
            .filter_map(|patch| {
                let target = index.release_of(&patch.to)?;
                Some(Edge::Patch {
                    from: version_of(&patch.from)?,
                    to: target.version.clone(),
                    result_size: target.size,
                    patch: patch.clone(),
                })
            });
        Self {
            target: release.digest,
            full: Edge::Full {
                download: release.full.clone(),
                to: release.version.clone(),
            },
            patches: patches.collect(),
        }
    }

    /// The downloads that cost the fewest bytes, in order; with equal bytes the fewest downloads.
    /// None if every way has an excluded edge.
    pub fn cheapest(&self, installed: Option<&Digest>, excluded: &BTreeSet<Digest>) -> Option<Vec<Edge>> {
        let usable = |edge: &&Edge| !excluded.contains(edge.digest());
        let patched = installed.and_then(|from| self.patched(from, &usable));
        let full = Some(&self.full)
            .filter(usable)
            .map(|edge| (edge.bytes(), vec![edge.clone()]));
        match (patched, full) {
            (Some((bytes, path)), Some((full_bytes, _))) if bytes <= full_bytes => Some(path),
            (_, Some((_, path))) | (Some((_, path)), None) => Some(path),
            (None, None) => None,
        }
    }

    /// Dijkstra over the patches. The order of the index never decides: costs are compared as
    /// (bytes, downloads), then by the artifacts' digests.
    fn patched(&self, from: &Digest, usable: &dyn Fn(&&Edge) -> bool) -> Option<(u64, Vec<Edge>)> {
        let mut outgoing: BTreeMap<Digest, Vec<&Edge>> = BTreeMap::new();
        for edge in self.patches.iter().filter(usable) {
            if let Edge::Patch { patch, .. } = edge {
                outgoing.entry(patch.from).or_default().push(edge);
            }
        }
        for edges in outgoing.values_mut() {
            edges.sort_by_key(|edge| (edge.bytes(), *edge.digest()));
        }
        let mut best: BTreeMap<Digest, (u64, u32)> = BTreeMap::from([(*from, (0, 0))]);
        let mut came_by: BTreeMap<Digest, &Edge> = BTreeMap::new();
        let mut queue = BinaryHeap::from([Reverse(((0, 0), *from))]);
        while let Some(Reverse((cost, node))) = queue.pop() {
            if node == self.target {
                break;
            }
            if best.get(&node).is_some_and(|known| *known < cost) {
                continue;
            }
            for edge in outgoing.get(&node).into_iter().flatten().copied() {
                let Edge::Patch { patch, .. } = edge else { continue };
                let next = (cost.0.saturating_add(patch.size), cost.1 + 1);
                if best.get(&patch.to).is_none_or(|known| next < *known) {
                    best.insert(patch.to, next);
                    came_by.insert(patch.to, edge);
                    queue.push(Reverse((next, patch.to)));
                }
            }
        }
        let (bytes, _) = *best.get(&self.target)?;
        let mut path = Vec::new();
        let mut node = self.target;
        while let Some(edge) = came_by.get(&node).copied() {
            let Edge::Patch { patch, .. } = edge else { break };
            path.push(edge.clone());
            node = patch.from;
            if node == *from {
                break;
            }
        }
        path.reverse();
        (!path.is_empty()).then_some((bytes, path))
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
