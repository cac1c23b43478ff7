//! Update, crash, roll back, a thousand times in a row: nothing is left over and nothing grows.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, ensure};
use moult_boot::{Base, Store};
use moult_tests::fixtures::Fixtures;
use moult_tests::publisher::Publisher;
use moult_tests::tree;

use crate::ground::{Ground, Life};
use crate::share::{self, Report, factor, is_all};

/// The cycles, of which a few are done where not all are.
const CYCLES: usize = 1_000;
const FEW: usize = 8;
/// From this cycle on nothing new may appear: the history, the list of bans and the 256 updates that are
/// remembered as carried out have their full length, or with a few cycles, everything has happened once.
const FULL: usize = 300;
/// Numbers with more digits, and other words in the records, may take this much more: bytes in all.
const DIGITS: u64 = 2_048;
/// The log of the launcher is bounded by itself; see its own tests.
const LOG: &str = "log";
/// What the publisher says of its releases grows with the releases.
const INDEXES: &str = "trust/indexes";

#[test]
fn a_thousand_updates_and_rollbacks_leave_nothing_over() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("cycles");
    let fixtures = Fixtures::ensure_tools(&mut |_| {})?;
    // A thousand releases are too much for the memory.
    let folder = tempfile::tempdir_in(share::folder()?)?;
    let folder = folder.path();
    let publisher = Publisher::open(&fixtures, folder)?;
    let place = ground.unused(Life::Crashing)?;
    let data = place.install().join("data");
    let packaged = fs::read(place.install().join("moult-app"))?;
    let cycles = if is_all() {
        CYCLES
    } else {
        CYCLES.min(FEW * factor())
    };
    let full = FULL.min(cycles / 2);
    let mut before: Option<(BTreeSet<String>, u64)> = None;
    let mut largest = 0;
    for cycle in 1..=cycles {
        let version = format!("1.{cycle}.0");
        let file = folder.join("moult-app");
        fs::write(
            &file,
            [&packaged[..], format!("\n{version} MOULT-CHILD:crash").as_bytes()].concat(),
        )?;
        let path = file.to_str().context("a path that is no text")?;
        let arguments = [
            "publish",
            "app",
            "--version",
            &version,
            "--target",
            fixtures.triple(),
            "--executable",
            path,
        ];
        publisher.run(arguments)?;
        let ended = Ground::update_from(&place, &publisher.repository())?;
        ensure!(ended.status.success(), "cycle {cycle}: {}", ended.words);
        let state = Store::open(&data, Base::from_install(&place.install())?)?.state()?;
        let rolled_back = state
            .last_rollback
            .as_ref()
            .map(|rollback| rollback.from.to_string());
        ensure!(
            rolled_back.as_deref() == Some(&*version),
            "cycle {cycle} ended otherwise: {rolled_back:?}"
        );

        let names: BTreeSet<String> = tree::listing(&data)?
            .into_keys()
            .filter(|name| !name.starts_with(LOG))
            .collect();
        let size = |name: &str| Ok::<_, anyhow::Error>(tree::size(&data.join(name))?.0);
        let bytes = size("")? - size(LOG)? - size(INDEXES)?;
        largest = largest.max(bytes);
        match &before {
            Some((known, size)) => {
                let new: Vec<_> = names.difference(known).collect();
                if !new.is_empty() {
                    report.fail(format!("cycle {cycle} left {new:?}"));
                }
                // Before that the history grows, line by line.
                if full == FULL && bytes > size + DIGITS {
                    report.fail(format!("cycle {cycle}: {bytes} bytes, {size} before"));
                }
            }
            None if cycle >= full => before = Some((names, bytes)),
            None => {}
        }
    }
    report.note("cycles", cycles);
    report.note("compared_from", full);
    report.note("largest_bytes", largest);
    report.end()
}
