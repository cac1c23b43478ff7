//! `cargo xtask bench restart`: what a person sees of a restart into a new version. The measuring is done by
//! `moult-restart`, with the real application; this builds it, runs it and writes docs/benchmarks/restart.md.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;

use crate::command::root;
use crate::report::{Steps, heading, note};

/// Where the page is written, in the workspace.
const PAGE: &str = "docs/benchmarks/restart.md";
/// Where the figures lie.
const REPORT: &str = "target/restart/report.json";

#[derive(Args)]
pub(crate) struct Options {
    /// How often each is measured.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Write the page from the figures of the last time.
    #[arg(long)]
    page: bool,
}

#[derive(Deserialize)]
struct Report {
    runs: Vec<Run>,
}

/// One run, as `moult-restart` writes it. Lengths are in milliseconds.
#[derive(Clone, Deserialize)]
struct Run {
    way: String,
    place: String,
    gone_ms: f64,
    ground_ms: f64,
    least: f64,
    points: usize,
    looks: usize,
    usable_ms: f64,
    kept: bool,
    typed: usize,
    arrived: usize,
}

/// Measures and writes the page.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    if !options.page {
        heading("Measure");
        steps.run("restarts of the real application", || {
            super::measure("moult-restart", &["--runs", &options.runs.to_string()], REPORT)
        });
    }
    if !steps.passed() {
        note("the page was not written");
        return steps.end();
    }
    let report = fs::read(root().join(REPORT)).context("nothing was measured yet")?;
    let report: Report = serde_json::from_slice(&report)?;
    fs::write(root().join(PAGE), page(&report.runs))?;
    note(&format!("written to {PAGE}"));
    steps.end()
}

const WAYS: [(&str, &str); 3] = [
    ("hand_over", "hand-over"),
    ("typing", "hand-over, while typing"),
    ("stop_and_start", "stop and start"),
];

fn page(runs: &[Run]) -> String {
    let mut text = String::from(
        "# A restart into a new version, as it is seen\n\n\
         Made by `cargo xtask bench restart` from the real application (a build without optimisation) in a virtual X \
         server of 1280 x 800. The frame buffer is looked at about a thousand times a second, at the points of a grid \
         that have the same colour before and after and are not the ground of the theme. The board counts as gone \
         while fewer than nine in ten of them have their colour; the ground of the theme counts as gone, too.\n\n\
         - **gone**: milliseconds without the board: the median of the runs, and the worst\n\
         - **ground**: of these, with nothing but the ground of the theme (worst)\n\
         - **least**: the smallest part of the points that was there at any moment (worst)\n\
         - **usable**: from the wish to restart until the new version has the board, the right to write and the keyboard\n\
         - **typed**: keys that were typed during the restart and are in the note, of those that were sent\n\n\
         *hand-over* is the way of the product; *stop and start* ends the same build as a session does, and starts it \
         again at once. Lengths of time depend on what else the computer does meanwhile; whether the board is gone must not. \
         To somebody who types on, the running version waits for a pause of 0.3 s for 5 s: that is in the time to *usable*, \
         and the board can be used during it.\n",
    );
    for (place, title) in [("bare", "Without a window manager"), ("managed", "Under Openbox")] {
        let _ = write!(
            text,
            "\n## {title}\n\n| | runs | gone | worst | ground | least | usable | worst | state kept | typed |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|---|---|\n"
        );
        for (way, name) in WAYS {
            let these: Vec<&Run> = runs
                .iter()
                .filter(|run| run.place == place && run.way == way)
                .collect();
            if !these.is_empty() {
                let _ = writeln!(text, "{}", row(name, &these));
            }
        }
    }
    let looks: usize = runs.iter().map(|run| run.looks).sum();
    let points = runs.iter().map(|run| run.points).min().unwrap_or_default();
    let _ = write!(
        text,
        "\nIn each run at least {points} points of the grid were known; {looks} different pictures were judged in all.\n\n\
         ## What this does not show\n\n\
         A Wayland compositor orders windows itself: there the new window lies above from the beginning, and the ground \
         of the theme is seen until its first frame. Windows and macOS were not measured.\n"
    );
    text
}

fn row(name: &str, runs: &[&Run]) -> String {
    let of = |value: fn(&Run) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(|run| value(run)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let median = |values: &[f64]| values.get(values.len() / 2).copied().unwrap_or_default();
    let worst = |values: &[f64]| values.last().copied().unwrap_or_default();
    let (gone, ground, usable) = (
        of(|run| run.gone_ms),
        of(|run| run.ground_ms),
        of(|run| run.usable_ms),
    );
    let least = of(|run| run.least).first().copied().unwrap_or_default();
    let kept = runs.iter().filter(|run| run.kept).count();
    let (arrived, typed) = runs
        .iter()
        .fold((0, 0), |sum, run| (sum.0 + run.arrived, sum.1 + run.typed));
    let typed = if typed == 0 {
        "-".to_owned()
    } else {
        format!("{arrived} of {typed}")
    };
    format!(
        "| {name} | {} | {:.0} | {:.0} | {:.0} | {:.0} % | {:.0} | {:.0} | {kept} of {} | {typed} |",
        runs.len(),
        median(&gone),
        worst(&gone),
        worst(&ground),
        least * 100.0,
        median(&usable),
        worst(&usable),
        runs.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_medians_worst_cases_and_lost_keys() {
        let run = |gone_ms, arrived| Run {
            way: "typing".to_owned(),
            place: "bare".to_owned(),
            gone_ms,
            ground_ms: 1.0,
            least: 0.5,
            points: 100,
            looks: 10,
            usable_ms: 900.0,
            kept: arrived == 10,
            typed: 10,
            arrived,
        };
        let page = page(&[run(0.0, 10), run(4.0, 10), run(90.0, 9)]);
        assert!(
            page.contains(
                "| hand-over, while typing | 3 | 4 | 90 | 1 | 50 % | 900 | 900 | 2 of 3 | 29 of 30 |"
            ),
            "{page}"
        );
        assert!(!page.contains("| stop and start |"), "{page}");
    }
}
