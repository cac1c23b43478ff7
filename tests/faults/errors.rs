//! The disk says no: each change of a file fails, once and from then on.

use std::fmt;

use anyhow::ensure;

use crate::ground::{Ground, Life};
use crate::share::{Report, each, share};
use crate::states::States;

/// The errors, as `moult-drive` is told.
const ERRORS: [&str; 5] = ["enospc", "eio", "edquot", "emfile", "eacces"];
/// At so many points where not at all.
const POINTS: usize = 20;
/// What `moult-drive` says if it could not go on at all, and what a panic says.
const NO_END: [i32; 2] = [3, 101];

#[derive(Debug)]
struct Fault {
    life: Life,
    error: &'static str,
    sticky: bool,
    point: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = if self.sticky { " from" } else { "" };
        write!(f, "{}, {}{until} {}", self.life.name(), self.error, self.point)
    }
}

#[test]
fn whatever_the_disk_refuses_it_comes_back() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("errors");
    let mut faults = Vec::new();
    for life in Life::ALL {
        let points: Vec<u64> = ground.points(life)?.iter().map(|line| line.n).collect();
        for error in ERRORS {
            for sticky in [false, true] {
                faults.extend(points.iter().map(|&point| Fault {
                    life,
                    error,
                    sticky,
                    point,
                }));
            }
        }
    }
    report.note("points", faults.len() / ERRORS.len() / 2);
    let faults = share(faults, POINTS * ERRORS.len());
    let states = States::default();
    let outcomes = each(&faults, |fault| {
        let place = ground.fresh(fault.life)?;
        let sign = if fault.sticky { "+" } else { "" };
        let ended = ground.update(&place, &format!("{}{sign}@{}", fault.error, fault.point))?;
        let code = ended.status.code();
        ensure!(
            code.is_some_and(|code| !NO_END.contains(&code)),
            "the update ended with {}: {}",
            ended.status,
            ended.words.trim()
        );
        states.check_place(&ground, place, &fault.to_string())
    });
    report.judge(faults.iter().map(ToString::to_string).zip(outcomes));
    report.note("runs", faults.len());
    report.note("states", states.count());
    report.end()
}
