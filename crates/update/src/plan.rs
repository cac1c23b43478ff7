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
    /// The patches between listed artifacts, in a format that this code reads.
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
    /// Collects the ways to a release. A patch counts only if its format is read here, if it leads to
    /// a listed artifact, and if it starts from a listed one or from the one that is installed.
    pub fn to(release: &Release, index: &Index, installed: Option<&Base>, format: u16) -> Self {
        let version_of = |digest: &Digest| match (index.release_of(digest), installed) {
            (Some(release), _) => Some(release.version.clone()),
            (None, Some(base)) if base.digest == *digest => Some(base.version.clone()),
            _ => None,
        };
        let patches = index
            .patches
            .iter()
            .filter(|patch| patch.format == format)
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
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use moult_model::Subject;
    use moult_model::index::Encoding;

    use super::*;

    const FORMAT: u16 = 1;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn release(version: u64, full_bytes: u64) -> Release {
        let name = format!("v{version}");
        Release {
            version: Version::new(version, 0, 0),
            channels: Vec::new(),
            published: String::new(),
            notes: BTreeMap::new(),
            digest: digest(&name),
            size: 1000,
            full: Download {
                path: format!("{name}.zst"),
                size: full_bytes,
                digest: digest(&format!("{name}.zst")),
                encoding: Encoding::Zstd,
            },
            signature: None,
            host_api: None,
            permissions: Vec::new(),
            state_schema: None,
        }
    }

    fn patch(from: &str, to: &str, size: u64, format: u16) -> Patch {
        let name = format!("{from}-{to}");
        Patch {
            from: digest(from),
            to: digest(to),
            path: name.clone(),
            size,
            digest: digest(&name),
            format,
        }
    }

    /// The index of the tables below: releases 1 to 4, the full file of each has 100 bytes.
    fn index(patches: &[(&str, &str, u64, u16)]) -> Index {
        let mut index = Index::empty(Subject::Shell, None);
        index.releases = (1..=4).rev().map(|version| release(version, 100)).collect();
        index.patches = patches
            .iter()
            .map(|&(from, to, size, format)| patch(from, to, size, format))
            .collect();
        index
    }

    fn plan(
        installed: Option<&str>,
        patches: &[(&str, &str, u64, u16)],
        excluded: &[&str],
    ) -> Option<Vec<String>> {
        let index = index(patches);
        let base = installed.map(|name| Base {
            version: Version::new(0, 9, 0),
            digest: digest(name),
        });
        let ways = Ways::to(
            index.release(&Version::new(4, 0, 0)).unwrap(),
            &index,
            base.as_ref(),
            FORMAT,
        );
        let excluded = excluded.iter().map(|name| digest(name)).collect();
        let edges = ways.cheapest(base.as_ref().map(|base| &base.digest), &excluded)?;
        Some(edges.iter().map(|edge| edge.path().to_owned()).collect())
    }

    #[test]
    fn the_cheapest_way_in_bytes_is_chosen() {
        type Case<'a> = (
            &'a str,
            Option<&'a str>,
            &'a [(&'a str, &'a str, u64, u16)],
            &'a [&'a str],
            &'a [&'a str],
        );
        let chain: &[(&str, &str, u64, u16)] =
            &[("v1", "v2", 10, 1), ("v2", "v3", 10, 1), ("v3", "v4", 10, 1)];
        let direct: &[(&str, &str, u64, u16)] =
            &[("v3", "v4", 30, 1), ("v2", "v3", 5, 1), ("v2", "v4", 36, 1)];
        let cases: &[Case] = &[
            ("nothing is installed", None, chain, &[], &["v4.zst"]),
            ("no patch fits", Some("v0"), chain, &[], &["v4.zst"]),
            ("one patch", Some("v3"), chain, &[], &["v3-v4"]),
            ("a chain", Some("v1"), chain, &[], &["v1-v2", "v2-v3", "v3-v4"]),
            (
                "a chain cheaper than the direct patch",
                Some("v2"),
                direct,
                &[],
                &["v2-v3", "v3-v4"],
            ),
            (
                "a failed patch of the chain",
                Some("v2"),
                direct,
                &["v2-v3"],
                &["v2-v4"],
            ),
            (
                "both failed",
                Some("v2"),
                direct,
                &["v2-v3", "v2-v4"],
                &["v4.zst"],
            ),
            (
                "a patch dearer than the full file",
                Some("v3"),
                &[("v3", "v4", 101, 1)],
                &[],
                &["v4.zst"],
            ),
            (
                "a patch as dear as the full file",
                Some("v3"),
                &[("v3", "v4", 100, 1)],
                &[],
                &["v3-v4"],
            ),
            (
                "an unknown patch format",
                Some("v3"),
                &[("v3", "v4", 10, 2)],
                &[],
                &["v4.zst"],
            ),
            (
                "a patch from an unlisted, installed artifact",
                Some("dev"),
                &[("dev", "v4", 9, 1)],
                &[],
                &["dev-v4"],
            ),
            (
                "a patch over an unlisted artifact",
                Some("v3"),
                &[("v3", "x", 1, 1), ("x", "v4", 1, 1)],
                &[],
                &["v4.zst"],
            ),
            (
                "a circle",
                Some("v2"),
                &[("v2", "v3", 1, 1), ("v3", "v2", 1, 1), ("v3", "v4", 1, 1)],
                &[],
                &["v2-v3", "v3-v4"],
            ),
            (
                "equal bytes, fewer downloads",
                Some("v2"),
                &[("v2", "v3", 5, 1), ("v3", "v4", 5, 1), ("v2", "v4", 10, 1)],
                &[],
                &["v2-v4"],
            ),
            (
                "sizes near the end of the numbers",
                Some("v2"),
                &[("v2", "v3", u64::MAX, 1), ("v3", "v4", u64::MAX, 1)],
                &[],
                &["v4.zst"],
            ),
        ];
        for (name, installed, patches, excluded, expected) in cases {
            let found = plan(*installed, patches, excluded);
            assert_eq!(found.as_deref().unwrap(), *expected, "{name}");
        }
    }

    #[test]
    fn when_everything_failed_there_is_no_way() {
        assert_eq!(
            plan(Some("v3"), &[("v3", "v4", 10, 1)], &["v3-v4", "v4.zst"]),
            None
        );
        assert_eq!(plan(None, &[], &["v4.zst"]), None);
    }

    #[test]
    fn a_patch_still_goes_when_the_full_file_failed() {
        assert_eq!(
            plan(Some("v3"), &[("v3", "v4", 900, 1)], &["v4.zst"]).unwrap(),
            ["v3-v4"]
        );
    }
}
