//! An update is killed at each change of a file; then its recovery is, at each change again.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use moult_model::Digest;

use crate::ground::{self, Ground, Life};
use crate::share::{Report, each, is_all, share};
use crate::states::States;

/// So many kills are tried where not all are.
const SINGLES: usize = 60;
/// So many kills of the recovery.
const DOUBLES: usize = 60;

/// So many second kills for each first one.
const SECONDS: usize = 10;

/// A point in a life.
type Kill = (Life, u64);

fn name((life, point): &Kill) -> String {
    format!("{}, killed at {point}", life.name())
}

fn all_kills(ground: &Ground) -> anyhow::Result<Vec<Kill>> {
    let mut kills = Vec::new();
    for life in Life::ALL {
        kills.extend(ground.points(life)?.iter().map(|line| (life, line.n)));
    }
    Ok(kills)
}

/// Kills an update at a point, and says how the disk looks.
fn kill(ground: &Ground, at: &Kill) -> anyhow::Result<(ground::Place, Digest)> {
    let place = ground.fresh(at.0)?;
    let ended = ground.update(&place, &format!("kill@{}", at.1))?;
    ensure!(
        ended.was_killed(),
        "it ended with {} in place of being killed: {}",
        ended.status,
        ended.words
    );
    let likeness = place.likeness()?;
    Ok((place, likeness))
}

#[test]
fn killed_at_any_point_it_comes_back() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("kills");
    let all = all_kills(&ground)?;
    report.note("points", all.len());
    let kills = share(all, SINGLES);
    let states = States::default();
    let outcomes = each(&kills, |at| {
        let (place, _) = kill(&ground, at)?;
        states.check_place(&ground, place, &name(at))
    });
    report.judge(kills.iter().map(name).zip(outcomes));
    report.note("runs", kills.len());
    report.note("states", states.count());
    report.end()
}

#[test]
fn a_copy_before_a_call_is_what_a_kill_there_leaves() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("copies");
    let mut compared = 0;
    for life in Life::ALL {
        let place = ground.fresh(life)?;
        let copies = ground.folder()?;
        let ended = ground.update(&place, &format!("snapshots={}", copies.display()))?;
        ensure!(ended.status.success(), "{}", ended.words);
        let points = fs::read_dir(&copies)?.count() as u64;
        let kills = share((1..=points).map(|point| (life, point)).collect(), SINGLES / 6);
        compared += kills.len();
        let outcomes = each(&kills, |at| {
            let (place, killed) = kill(&ground, at)?;
            place.remove()?;
            let before = ground::likeness(&copies.join(at.1.to_string()))?;
            ensure!(killed == before, "the copy differs from what the kill left");
            Ok(())
        });
        report.judge(kills.iter().map(name).zip(outcomes));
        place.remove()?;
        fs::remove_dir_all(copies)?;
    }
    report.note("compared", compared);
    report.end()
}

/// States that differ in nothing by which the recovery decides are one here (`Look::Decisive` says what that
/// is); the first test has looked at each of them closely. What a single kill leaves is the first test's too.
#[test]
fn killed_again_during_the_recovery_it_comes_back() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("doubles");
    let (firsts, seconds) = (States::default(), States::default());
    for life in Life::ALL {
        let (place, copies) = copies(&ground, ground.fresh(life)?)?;
        for copy in fs::read_dir(&copies)? {
            let copy = copy?.path();
            seconds.is_new(life, ground::decisive_likeness(&copy)?, "a single kill");
        }
        place.remove()?;
        fs::remove_dir_all(copies)?;
    }
    let singles = seconds.count();
    let kills = share(all_kills(&ground)?, DOUBLES / SECONDS);
    let runs = Mutex::new(0);
    let outcomes = each(&kills, |at| {
        let (place, _) = kill(&ground, at)?;
        if !firsts.is_new(at.0, ground::decisive_likeness(&place.install())?, &name(at)) {
            return place.remove();
        }
        // What the recovery comes to is not judged here: the update may have been taken back for good.
        let (place, copies) = copies(&ground, place)?;
        place.remove()?;
        let mut points = fs::read_dir(&copies)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().parse()?))
            .collect::<anyhow::Result<Vec<u64>>>()?;
        points.sort_unstable();
        let points = few(points);
        *runs.lock().unwrap_or_else(PoisonError::into_inner) += points.len();
        for point in points {
            let copy = copies.join(point.to_string());
            let both = format!("{}, then at {point}", name(at));
            let likeness = ground::decisive_likeness(&copy)?;
            seconds
                .check_like(likeness, &ground, &copy, at.0, &both)
                .with_context(|| both.clone())?;
        }
        Ok(fs::remove_dir_all(copies)?)
    });
    report.judge(kills.iter().map(name).zip(outcomes));
    report.note("first_states", firsts.count());
    report.note("runs", runs.into_inner().unwrap_or_else(PoisonError::into_inner));
    report.note("states", seconds.count() - singles);
    report.end()
}

/// Lets an update run, with a copy of the disk before each of its points.
fn copies(ground: &Ground, place: ground::Place) -> anyhow::Result<(ground::Place, PathBuf)> {
    let copies = ground.folder()?;
    ground.update(&place, &format!("snapshots={}", copies.display()))?;
    Ok((place, copies))
}

/// The points of one recovery that are tried: all, or some in equal distances.
fn few(points: Vec<u64>) -> Vec<u64> {
    let step = if is_all() {
        1
    } else {
        points.len().div_ceil(SECONDS).max(1)
    };
    points.into_iter().step_by(step).collect()
}
