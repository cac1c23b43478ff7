//! The power goes: after each call, with every way in which what was not synced may be lost, torn or out of
//! order.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use moult_tests::power::{Cut, Recording};

use crate::ground::{Ground, Life};
use crate::share::{Report, each, is_all, share};
use crate::states::States;

/// So many disks of each life where not all are tried.
const CUTS: usize = 30;

#[test]
fn whatever_a_power_cut_leaves_it_comes_back() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("power");
    let states = States::default();
    let (mut points, mut disks) = (0, 0);
    let tried = AtomicUsize::new(0);
    // To work out all disks takes its time; the share is one life's.
    let lives = if is_all() { &Life::ALL[..] } else { &Life::ALL[..1] };
    for &life in lives {
        let place = ground.fresh(life)?;
        let folder = ground.folder()?;
        let (log, bytes) = (folder.join("log"), folder.join("bytes"));
        let ended = ground.update(
            &place,
            &format!("record={},log={}", bytes.display(), log.display()),
        )?;
        ensure!(ended.status.success(), "{}", ended.words);
        place.remove()?;
        let mut recording = Recording::read(&log, &bytes)?;
        // The log is never synced, and nothing is decided by it: what is left of it makes no difference.
        recording.lines.retain(|line| !line.raw.starts_with("data/log/"));
        points += recording.lines.len();
        let cuts = recording.cuts()?;
        disks += cuts.len();
        let cuts = share(cuts, CUTS);
        let name = |cut: &Cut| format!("{}, after {}, {}", life.name(), cut.after, cut.what);
        let outcomes = each(&cuts, |cut| {
            tried.fetch_add(1, Ordering::Relaxed);
            let install = ground.folder()?.join("disk");
            cut.disk
                .write(&install)
                .with_context(|| install.display().to_string())?;
            states.check(&ground, &install, life, &name(cut))
        });
        report.judge(cuts.iter().map(name).zip(outcomes));
        std::fs::remove_dir_all(folder)?;
    }
    report.note("points", points);
    report.note("disks", disks);
    report.note("tried", tried.into_inner());
    report.note("states", states.count());
    report.end()
}
