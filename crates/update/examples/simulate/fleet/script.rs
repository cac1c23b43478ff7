//! What happens in the week: releases, their waves, orders, and the hour in which the CDN answers nothing but 503.
#![expect(
    clippy::unwrap_used,
    reason = "what is written here is right, or the run ends at once"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use moult_model::index::{Download, Encoding};
use moult_model::rollout::{Act, Order, Rollout, Wave};
use moult_model::{Digest, ErrorCode, Index, Orders, Patch, Release, ReleasePolicy, Share, Subject};
use moult_update::select::Standing;

pub(crate) const HOUR: u32 = 3_600;
pub(crate) const DAY: u32 = 24 * HOUR;
pub(crate) const WEEK: u32 = 7 * DAY;
/// Monday, 30 November 2026, midnight in UTC.
const BEGINS: i64 = 1_796_083_200;

/// The versions, in the order in which they come. The first two are there from the beginning.
pub(crate) const VERSIONS: [&str; 5] = ["0.9.0", "1.0.0", "1.1.0", "1.2.0", "1.2.1"];
/// The release with good waves, the one that is held and recalled, and the one that follows it.
pub(crate) const GOOD: u8 = 2;
pub(crate) const BAD: u8 = 3;
pub(crate) const FIXED: u8 = 4;

pub(crate) const HOLD_AT: u32 = 3 * DAY + 12 * HOUR;
pub(crate) const RECALL_AT: u32 = 3 * DAY + 15 * HOUR;
/// Friday evening in Europe, noon in America.
pub(crate) const OUTAGE: std::ops::Range<u32> = 4 * DAY + 18 * HOUR..4 * DAY + 19 * HOUR;

/// Of each release: when it is published, and its waves.
const WAVES: [(u8, &[(u32, u16)]); 3] = [
    (
        GOOD,
        &[
            (10 * HOUR, 100),
            (16 * HOUR, 1_000),
            (DAY + 10 * HOUR, 5_000),
            (2 * DAY + 10 * HOUR, 10_000),
        ],
    ),
    (BAD, &[(3 * DAY + 8 * HOUR, 500), (3 * DAY + 14 * HOUR, 2_500)]),
    (
        FIXED,
        &[(4 * DAY + 10 * HOUR, 1_000), (5 * DAY + 10 * HOUR, 10_000)],
    ),
];

/// Bytes of a full file, packed, and of a patch to the next version: those of `ruff` for Linux in docs/benchmarks/delta.md.
const FULL_BYTES: u64 = 9_900_000;
const PATCH_BYTES: u64 = 1_710_000;

/// What is published, from a moment on.
pub(crate) struct Era {
    pub(crate) from: u32,
    pub(crate) index: Index,
    pub(crate) standing: Standing,
    /// How many publications came before, orders too: who has seen fewer reads more files.
    pub(crate) publications: u16,
    /// Bytes of the index as it is served.
    pub(crate) index_bytes: u32,
}

pub(crate) fn clock(second: i64) -> Timestamp {
    Timestamp::from_second(BEGINS + second).unwrap()
}

pub(crate) fn digest(version: u8) -> Digest {
    Digest::of(VERSIONS[usize::from(version)].as_bytes())
}

/// All eras, in order. One begins with each publication, each order and each wave.
pub(crate) fn eras() -> Vec<Era> {
    let mut moments: Vec<u32> = WAVES
        .iter()
        .flat_map(|(_, waves)| waves.iter().map(|(from, _)| *from))
        .chain([0, HOLD_AT, RECALL_AT])
        .collect();
    moments.sort_unstable();
    let published = |version: u8| {
        WAVES
            .iter()
            .find(|(found, _)| *found == version)
            .map_or(0, |(_, waves)| waves[0].0)
    };
    moments
        .into_iter()
        .map(|from| {
            let listed: Vec<u8> = (0..VERSIONS.len() as u8)
                .filter(|version| published(*version) <= from)
                .collect();
            let index = index(&listed);
            let mut standing = Standing::default();
            let orders = orders(from);
            let given = orders.orders.len();
            standing.take(Ok::<_, ErrorCode>(&orders), &[&index], clock(from.into()));
            Era {
                from,
                index_bytes: packed(&index),
                standing,
                publications: (listed.len() + given) as u16,
                index,
            }
        })
        .collect()
}

/// The waves of a release, as they were asked for.
pub(crate) fn waves(version: u8) -> &'static [(u32, u16)] {
    WAVES
        .iter()
        .find(|(found, _)| *found == version)
        .map_or(&[], |(_, waves)| waves)
}

fn packed(index: &Index) -> u32 {
    let text = serde_json::to_vec(index).unwrap();
    zstd::encode_all(&text[..], 3).unwrap().len() as u32
}

fn orders(at: u32) -> Orders {
    let order = |given: u32, act| {
        (given <= at).then(|| Order {
            subject: Subject::Executable,
            digest: digest(BAD),
            hold_epoch: 0,
            act,
            reason: Some("It loses notes.".into()),
            given: clock(given.into()).to_string(),
        })
    };
    let given = [
        order(HOLD_AT, Act::Hold),
        order(RECALL_AT, Act::Recall { to: digest(GOOD) }),
    ];
    Orders {
        format: Orders::FORMAT,
        orders: given.into_iter().flatten().collect(),
    }
}

fn index(listed: &[u8]) -> Index {
    let mut index = Index::empty(Subject::Executable, Some("x86_64-unknown-linux-gnu".into()));
    index.releases = listed.iter().rev().map(|version| release(*version)).collect();
    for to in listed {
        for from in 0..*to {
            let steps = u64::from(to - from);
            // Versions that lie farther apart differ more, but not in proportion.
            let size = PATCH_BYTES + PATCH_BYTES * (steps - 1) * 6 / 10;
            index.patches.push(patch(from, *to, size));
        }
    }
    // Who goes back from the bad one has the good one on the disk in most cases; this is for those who don't.
    if listed.contains(&BAD) {
        index.patches.push(patch(BAD, GOOD, PATCH_BYTES));
    }
    index
}

fn patch(from: u8, to: u8, size: u64) -> Patch {
    let digest_of_patch = Digest::of(&[from, to]);
    Patch {
        from: digest(from),
        to: digest(to),
        path: format!("app/x86_64-unknown-linux-gnu/files/{digest_of_patch}.mpatch"),
        size,
        digest: digest_of_patch,
        format: 2,
    }
}

fn release(version: u8) -> Release {
    let text = VERSIONS[usize::from(version)];
    let waves = waves(version);
    let policy = ReleasePolicy {
        rollout: (!waves.is_empty()).then(|| Rollout {
            salt: hex(&Digest::of(&[version, 0xa5]).as_bytes()[..16]),
            waves: waves
                .iter()
                .map(|(from, parts)| Wave {
                    from: clock((*from).into()).to_string(),
                    share: Share::of_ten_thousand(*parts).unwrap(),
                })
                .collect(),
        }),
        recall_to: if version == BAD {
            vec![digest(GOOD)]
        } else {
            Vec::new()
        },
        ..ReleasePolicy::default()
    };
    let full = Digest::of(&[version]);
    Release {
        version: text.parse().unwrap(),
        channels: vec!["stable".parse().unwrap(), "beta".parse().unwrap()],
        published: clock(waves.first().map_or(-i64::from(WEEK), |(from, _)| (*from).into())).to_string(),
        notes: BTreeMap::from([("en".to_owned(), format!("What is new in {text}."))]),
        critical: version == FIXED,
        digest: digest(version),
        size: 24_500_000,
        full: Download {
            path: format!("app/x86_64-unknown-linux-gnu/files/{full}.zst"),
            size: FULL_BYTES,
            digest: full,
            encoding: Encoding::Zstd,
        },
        signature: Some("c2lnbmF0dXJl".repeat(20)),
        host_api: None,
        permissions: Vec::new(),
        state_schema: None,
        policy,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
