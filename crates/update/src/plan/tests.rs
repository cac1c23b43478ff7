//! Tables: which downloads are planned.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::Subject;
use moult_model::index::Encoding;

use super::*;

/// Those that this code reads.
const FORMATS: &[u16] = &[1, 2];

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
        critical: false,
        policy: moult_model::ReleasePolicy::default(),
    }
}

/// Its name tells the format if that is not 1: several may lead from one artifact to another.
fn patch(from: &str, to: &str, size: u64, format: u16) -> Patch {
    let name = match format {
        1 => format!("{from}-{to}"),
        other => format!("{from}-{to}.{other}"),
    };
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
        FORMATS,
    );
    let excluded = excluded.iter().map(|name| digest(name)).collect();
    let edges = ways.cheapest(base.as_ref().map(|base| &base.digest), &excluded)?;
    Some(edges.iter().map(|edge| edge.path().to_owned()).collect())
}

/// A name, what is installed, the patches, what failed, and the plan.
type Case<'a> = (
    &'a str,
    Option<&'a str>,
    &'a [(&'a str, &'a str, u64, u16)],
    &'a [&'a str],
    &'a [&'a str],
);

fn check(cases: &[Case]) {
    for (name, installed, patches, excluded, expected) in cases {
        let found = plan(*installed, patches, excluded);
        assert_eq!(found.as_deref().unwrap(), *expected, "{name}");
    }
}

#[test]
fn the_cheapest_way_in_bytes_is_chosen() {
    let chain: &[(&str, &str, u64, u16)] = &[("v1", "v2", 10, 1), ("v2", "v3", 10, 1), ("v3", "v4", 10, 1)];
    let direct: &[(&str, &str, u64, u16)] = &[("v3", "v4", 30, 1), ("v2", "v3", 5, 1), ("v2", "v4", 36, 1)];
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
    check(cases);
}

#[test]
fn of_the_formats_that_are_read_the_fewest_bytes_decide() {
    let cases: &[Case] = &[
        (
            "a patch of the newer format",
            Some("v3"),
            &[("v3", "v4", 10, 2)],
            &[],
            &["v3-v4.2"],
        ),
        (
            "both formats, the newer one smaller",
            Some("v3"),
            &[("v3", "v4", 10, 1), ("v3", "v4", 9, 2)],
            &[],
            &["v3-v4.2"],
        ),
        (
            "both formats, the older one smaller",
            Some("v3"),
            &[("v3", "v4", 9, 1), ("v3", "v4", 10, 2)],
            &[],
            &["v3-v4"],
        ),
        (
            "both formats, the smaller one failed",
            Some("v3"),
            &[("v3", "v4", 10, 1), ("v3", "v4", 9, 2)],
            &["v3-v4.2"],
            &["v3-v4"],
        ),
        (
            "a chain over both formats",
            Some("v2"),
            &[("v2", "v3", 9, 1), ("v3", "v4", 9, 2)],
            &[],
            &["v2-v3", "v3-v4.2"],
        ),
        (
            "the next format",
            Some("v3"),
            &[("v3", "v4", 10, 3)],
            &[],
            &["v4.zst"],
        ),
        (
            "a format far away, beside one that is read",
            Some("v3"),
            &[("v3", "v4", 10, 99), ("v3", "v4", 90, 1)],
            &[],
            &["v3-v4"],
        ),
    ];
    check(cases);
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
