//! The plan against one that tries every way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::Subject;
use moult_model::index::Encoding;
use proptest::prelude::*;

use super::*;

const NODES: usize = 6;
const FULL_BYTES: u64 = 60;

fn artifact(node: usize) -> Digest {
    Digest::of(&[node as u8])
}

fn release(node: usize) -> Release {
    Release {
        version: Version::new(node as u64 + 1, 0, 0),
        channels: Vec::new(),
        published: String::new(),
        notes: BTreeMap::new(),
        digest: artifact(node),
        size: 1000,
        full: Download {
            path: format!("{node}.zst"),
            size: FULL_BYTES,
            digest: Digest::of(&[node as u8, 0xff]),
            encoding: Encoding::Zstd,
        },
        signature: None,
        host_api: None,
        permissions: Vec::new(),
        state_schema: None,
        critical: false,
        policy: moult_model::ReleasePolicy::default(),
    }
}

/// From where to where, and the bytes.
type Line = (usize, usize, u64);

fn index(lines: &[Line]) -> Index {
    let mut index = Index::empty(Subject::Shell, None);
    index.releases = (0..NODES).map(release).collect();
    index.patches = lines
        .iter()
        .enumerate()
        .map(|(number, (from, to, size))| Patch {
            from: artifact(*from),
            to: artifact(*to),
            path: number.to_string(),
            size: *size,
            digest: Digest::of(&[0xee, number as u8]),
            format: 1,
        })
        .collect();
    index
}

fn ways(index: &Index, from: usize) -> (Ways, Base) {
    let base = Base {
        version: Version::new(from as u64 + 1, 0, 0),
        digest: artifact(from),
    };
    let target = index.release_of(&artifact(NODES - 1)).unwrap();
    (Ways::to(target, index, Some(&base), &[1]), base)
}

/// The least bytes, and the fewest downloads with them, of all ways that visit no artifact twice.
fn by_trying(
    index: &Index,
    at: Digest,
    excluded: &BTreeSet<Digest>,
    seen: &mut Vec<Digest>,
) -> Option<(u64, usize)> {
    if at == artifact(NODES - 1) {
        return Some((0, 0));
    }
    seen.push(at);
    let mut best = None;
    for patch in index.patches.iter().filter(|patch| patch.from == at) {
        if seen.contains(&patch.to) || excluded.contains(&patch.digest) {
            continue;
        }
        if let Some((bytes, count)) = by_trying(index, patch.to, excluded, seen) {
            let found = (bytes + patch.size, count + 1);
            best = Some(best.map_or(found, |best: (u64, usize)| best.min(found)));
        }
    }
    seen.pop();
    best
}

fn cost(edges: &[Edge]) -> (u64, usize) {
    (edges.iter().map(Edge::bytes).sum(), edges.len())
}

fn some_lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..NODES, 0..NODES, 1_u64..40), 0..16)
}

proptest! {
    #[test]
    fn no_way_is_cheaper_than_the_plan(
        lines in some_lines(),
        from in 0..NODES - 1,
        excluded in prop::collection::btree_set(0_u8..16, 0..4),
        without_full in any::<bool>(),
    ) {
        let index = index(&lines);
        let (ways, base) = ways(&index, from);
        let mut excluded: BTreeSet<Digest> = excluded.into_iter().map(|number| Digest::of(&[0xee, number])).collect();
        if without_full {
            excluded.insert(*ways.full.digest());
        }
        let plan = ways.cheapest(Some(&base.digest), &excluded);
        let patched = by_trying(&index, base.digest, &excluded, &mut Vec::new());
        let full = (!without_full).then_some((FULL_BYTES, 1));
        let best = match (patched, full) {
            // As dear as the full file, a patch is taken: it is no larger, and the file is there already.
            (Some(patched), Some(full)) if patched.0 <= full.0 => Some(patched),
            (_, Some(full)) => Some(full),
            (patched, None) => patched,
        };
        prop_assert_eq!(plan.as_deref().map(cost), best);
        // It leads from what is installed to what is wanted, in one piece.
        let mut at = base.digest;
        for edge in plan.iter().flatten() {
            prop_assert!(!excluded.contains(edge.digest()));
            match edge {
                Edge::Patch { patch, .. } => {
                    prop_assert_eq!(patch.from, at);
                    at = patch.to;
                }
                Edge::Full { .. } => at = ways.target,
            }
        }
        prop_assert!(plan.is_none() || at == ways.target);
    }

    #[test]
    fn the_order_of_the_index_decides_nothing(lines in some_lines(), from in 0..NODES - 1) {
        let straight = index(&lines);
        let mut turned = straight.clone();
        turned.patches.reverse();
        turned.releases.reverse();
        let plan = |index: &Index| {
            let (ways, base) = ways(index, from);
            ways.cheapest(Some(&base.digest), &BTreeSet::new())
        };
        prop_assert_eq!(plan(&straight), plan(&turned));
    }

    #[test]
    fn each_failure_leads_to_the_next_best_way_until_there_is_none(lines in some_lines(), from in 0..NODES - 1, pick in any::<prop::sample::Index>()) {
        let index = index(&lines);
        let (ways, base) = ways(&index, from);
        let mut excluded = BTreeSet::new();
        let mut last = 0;
        let mut fulls = 0;
        while let Some(plan) = ways.cheapest(Some(&base.digest), &excluded) {
            let (bytes, _) = cost(&plan);
            prop_assert!(bytes >= last, "what is left is never cheaper");
            last = bytes;
            fulls += plan.iter().filter(|edge| matches!(edge, Edge::Full { .. })).count();
            let failed = &plan[pick.index(plan.len())];
            prop_assert!(excluded.insert(*failed.digest()), "nothing that failed is planned again");
        }
        prop_assert!(fulls == 1, "the full file is fetched once at most, and once at least before it is given up");
    }
}
