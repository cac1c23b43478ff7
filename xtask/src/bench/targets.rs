//! What Moult's patches are to reach, and whether they do. Pure: figures in, verdicts out.

use super::corpus::Pair;
use super::record::{Large, Row};
use super::runs::LIMIT;
use super::tools::{TOOLS, YARDSTICK};

/// One executable of the list, against the smallest patch of any peer.
const EACH: f64 = 0.75;
/// Executables of a list together.
const MEAN: f64 = 0.60;
/// The worst executable of those that nobody tunes on.
const WORST_UNSEEN: f64 = 0.85;
/// What making the listed executables' patches may cost on the machine where the yardstick takes
/// `YARDSTICK_SECONDS`.
const DIFF_SECONDS: f64 = 66.0;
const YARDSTICK_SECONDS: f64 = 30.2;
const YARDSTICK_PAIR: &str = "t1-ruff-elf";
/// Memory for each byte of old and new together, and how much is always allowed.
const DIFF_MEMORY: f64 = 6.0;
const DIFF_MEMORY_FLOOR: u64 = 64 << 20;
/// How many bytes of output may cost a second.
const APPLY_RATE: f64 = 30e6;

/// Whether the machine is measured on this pair.
pub(crate) fn is_yardstick(pair: &Pair) -> bool {
    pair.id == YARDSTICK_PAIR
}

/// A limit and what was found.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) limit: String,
    pub(crate) found: String,
    pub(crate) holds: bool,
}

impl Target {
    /// For the terminal.
    pub(crate) fn line(&self) -> String {
        let mark = if self.holds { "holds " } else { "misses" };
        format!("{mark} {}: {}, limit {}", self.what, self.found, self.limit)
    }
}

/// Moult's patch against the smallest of any peer.
pub(crate) fn ratio(row: &Row) -> Option<f64> {
    let (_, best) = row.best(is_full)?;
    Some(row.moult.as_ref()?.record.patch as f64 / best as f64)
}

/// Whether a tool of this name compresses full files.
pub(crate) fn is_full(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name && tool.full)
}

/// Of ratios; none of nothing.
pub(crate) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp())
}

/// All targets that these rows can tell something of.
pub(crate) fn all(rows: &[Row], large: Option<&Large>) -> Vec<Target> {
    let mut targets = sizes(rows);
    targets.extend(diff_seconds(rows));
    targets.extend(diff_memory(rows));
    targets.extend(apply_seconds(rows, large));
    targets.extend(apply_memory(rows, large));
    targets
}

fn ratio_target(what: String, found: f64, limit: f64) -> Target {
    Target {
        what,
        limit: format!("{limit:.2}"),
        found: format!("{found:.3}"),
        holds: found <= limit,
    }
}

fn sizes(rows: &[Row]) -> Vec<Target> {
    let executables = |unseen: bool| {
        let rows = rows
            .iter()
            .filter(move |row| !row.pair.is_bundle() && row.pair.unseen == unseen);
        rows.filter_map(|row| Some((&row.pair.id, ratio(row)?)))
    };
    let mut targets: Vec<_> = executables(false)
        .map(|(id, ratio)| ratio_target(format!("size of {id} to the best peer"), ratio, EACH))
        .collect();
    for (unseen, list) in [(false, "listed"), (true, "unseen")] {
        let ratios: Vec<f64> = executables(unseen).map(|(_, ratio)| ratio).collect();
        if let Some(mean) = geometric_mean(&ratios) {
            let what = format!("geometric mean of {} {list} executables", ratios.len());
            targets.push(ratio_target(what, mean, MEAN));
        }
        if unseen && let Some(worst) = ratios.iter().copied().reduce(f64::max) {
            targets.push(ratio_target(
                "worst unseen executable".to_owned(),
                worst,
                WORST_UNSEEN,
            ));
            let over = ratios.iter().filter(|ratio| **ratio > EACH).count();
            targets.push(Target {
                what: format!("unseen executables over {EACH:.2}"),
                limit: "1".to_owned(),
                found: over.to_string(),
                holds: over <= 1,
            });
        }
    }
    for row in rows.iter().filter(|row| row.pair.is_bundle()) {
        if let (Some((_, best)), Some(moult)) = (row.best(is_full), &row.moult) {
            targets.push(Target {
                what: format!("bytes of {}", row.pair.id),
                limit: best.to_string(),
                found: moult.record.patch.to_string(),
                holds: moult.record.patch <= best,
            });
        }
    }
    targets
}

/// Only with all listed executables and the yardstick.
fn diff_seconds(rows: &[Row]) -> Option<Target> {
    let yardstick = rows.iter().find(|row| is_yardstick(&row.pair))?;
    let yardstick = yardstick.tools.get(YARDSTICK)?.diff.seconds;
    let listed: Vec<_> = rows
        .iter()
        .filter(|row| !row.pair.is_bundle() && !row.pair.unseen)
        .collect();
    if listed.len() < 5 {
        return None;
    }
    let mut seconds = 0.0;
    for row in listed {
        seconds += row.moult.as_ref()?.record.diff.seconds;
    }
    let limit = DIFF_SECONDS * yardstick / YARDSTICK_SECONDS;
    Some(Target {
        what: "diff of the listed executables, CPU".to_owned(),
        limit: format!("{limit:.1} s ({YARDSTICK} took {yardstick:.1} s on {YARDSTICK_PAIR})"),
        found: format!("{seconds:.1} s"),
        holds: seconds <= limit,
    })
}

fn diff_memory(rows: &[Row]) -> Option<Target> {
    let allowed = |row: &Row| {
        let input = (row.pair.old.bytes + row.pair.new.bytes) as f64;
        (DIFF_MEMORY * input).max(DIFF_MEMORY_FLOOR as f64)
    };
    let used = rows.iter().filter_map(|row| {
        let bytes = row.moult.as_ref()?.record.diff.memory << 10;
        Some((row, bytes as f64 / allowed(row), bytes))
    });
    let (row, share, bytes) = used.max_by(|one, other| one.1.total_cmp(&other.1))?;
    let input = row.pair.old.bytes + row.pair.new.bytes;
    Some(Target {
        what: "diff, peak memory (worst pair)".to_owned(),
        limit: format!(
            "{DIFF_MEMORY:.0}x of old and new, or {} MiB",
            DIFF_MEMORY_FLOOR >> 20
        ),
        found: format!(
            "{:.2}x, {} MiB on {}",
            bytes as f64 / input as f64,
            bytes >> 20,
            row.pair.id
        ),
        holds: share <= 1.0,
    })
}

fn apply_seconds(rows: &[Row], large: Option<&Large>) -> Option<Target> {
    let rows = rows.iter().filter_map(|row| {
        let seconds = row.moult.as_ref()?.record.apply.seconds;
        Some((&*row.pair.id, seconds, row.pair.new.bytes))
    });
    let large = large.map(|large| {
        (
            "the large executable",
            large.moult.record.apply.seconds,
            large.bytes,
        )
    });
    let costs = rows
        .chain(large)
        .map(|(id, seconds, bytes)| (id, seconds * APPLY_RATE / bytes as f64));
    let (id, worst) = costs.max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(Target {
        what: "apply, CPU for 30 MB of output (worst pair)".to_owned(),
        limit: "1.0 s".to_owned(),
        found: format!("{worst:.2} s on {id}"),
        holds: worst <= 1.0,
    })
}

fn apply_memory(rows: &[Row], large: Option<&Large>) -> Option<Target> {
    let rows = rows
        .iter()
        .filter_map(|row| Some((&*row.pair.id, row.moult.as_ref()?)));
    let runs: Vec<_> = rows
        .chain(large.map(|large| ("the large executable", &large.moult)))
        .collect();
    let failed: Vec<_> = runs
        .iter()
        .filter(|(_, moult)| moult.held.is_err())
        .map(|(id, _)| *id)
        .collect();
    let most = runs
        .iter()
        .filter_map(|(_, moult)| Some(moult.held.as_ref().ok()?.anonymous))
        .max();
    let most = most.map_or_else(String::new, |most| {
        format!(", at most {:.1} MiB private", most as f64 / 1024.0)
    });
    let found = if failed.is_empty() {
        format!("{} of {} pass{most}", runs.len(), runs.len())
    } else {
        format!("{} fail: {}{most}", failed.len(), failed.join(", "))
    };
    (!runs.is_empty()).then(|| Target {
        what: "apply within a limit on private memory".to_owned(),
        limit: format!("{} MiB", LIMIT >> 20),
        found,
        holds: failed.is_empty(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_is_that_of_ratios() {
        assert_eq!(geometric_mean(&[]), None);
        for (ratios, mean) in [(&[0.5][..], 0.5), (&[0.25, 1.0], 0.5), (&[0.5, 2.0], 1.0)] {
            let found = geometric_mean(ratios).unwrap();
            assert!((found - mean).abs() < 1e-12, "{ratios:?}: {found}");
        }
    }

    #[test]
    fn a_ratio_at_its_limit_holds() {
        for (found, holds) in [(0.75, true), (0.7501, false), (0.1, true)] {
            assert_eq!(
                ratio_target("size".to_owned(), found, EACH).holds,
                holds,
                "{found}"
            );
        }
    }

    #[test]
    fn only_full_files_are_no_peers() {
        assert!(is_full("zstd -19"));
        assert!(!is_full(YARDSTICK));
        assert!(!is_full("HDiffPatch"));
    }
}
