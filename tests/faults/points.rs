//! The points themselves: they are the same in each run, and they are all there are.

use std::collections::BTreeSet;

use moult_durable::faults::{Call, Line};
use serde_json::json;

use crate::ground::{Ground, Life};
use crate::share::Report;

type Point = (Call, String, Option<String>, u64);

fn named(lines: &[Line]) -> Vec<Point> {
    let point = |line: &Line| (line.call, line.path.clone(), line.to.clone(), line.ordinal);
    lines.iter().map(point).collect()
}

#[test]
fn the_points_are_the_same_in_three_runs_and_all_on_one_thread() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("points");
    for life in Life::ALL {
        let runs = [ground.points(life)?, ground.points(life)?, ground.points(life)?];
        let first = named(&runs[0]);
        for (number, run) in runs.iter().enumerate() {
            let points = named(run);
            if let Some(place) =
                (0..first.len().max(points.len())).find(|&at| first.get(at) != points.get(at))
            {
                report.fail(format!(
                    "{}: run {number} differs at point {}: {:?} and {:?}",
                    life.name(),
                    place + 1,
                    first.get(place),
                    points.get(place)
                ));
            }
            let threads: BTreeSet<_> = run.iter().map(|line| &line.thread).collect();
            if threads.len() != 1 {
                report.fail(format!("{}: changes come from {threads:?}", life.name()));
            }
        }
        let unique: BTreeSet<_> = first.iter().collect();
        if unique.len() != first.len() {
            report.fail(format!("{}: two points have the same name", life.name()));
        }
        report.note(life.name(), json!({ "points": first.len(), "runs": runs.len() }));
    }
    report.end()
}
