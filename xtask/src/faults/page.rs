//! docs/reliability.md, from the report of the runs. Every figure comes from there; where something was not
//! run, the page says so.

use std::fmt::Write as _;

use serde_json::Value;

/// A run: its name in the report, what was done, and the figures with their words.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ROWS: [Row; 9] = [
    (
        "kills",
        "killed once (SIGKILL) before each call, in each life",
        &[
            ("points", "points"),
            ("runs", "runs"),
            ("states", "states of the disk"),
        ],
    ),
    (
        "doubles",
        "killed once, then again before each call of the recovery and of the update after it; once for each state that the first kill left",
        &[
            ("first_states", "first states"),
            ("runs", "runs"),
            ("states", "states of the disk that no single kill leaves"),
        ],
    ),
    (
        "copies",
        "a copy taken before a call compared with what a kill there leaves (so that a copy may stand for the second kill)",
        &[("compared", "compared")],
    ),
    (
        "outside",
        "killed from outside by strace, compared with the kill from inside",
        &[("runs", "runs")],
    ),
    (
        "errors",
        "each call fails with ENOSPC, EIO, EDQUOT, EMFILE, EACCES; once, and from then on",
        &[
            ("points", "points"),
            ("runs", "runs"),
            ("states", "states of the disk"),
        ],
    ),
    (
        "power",
        "power cuts: what was not synced dropped, kept, torn, each alone, renames out of order",
        &[
            ("points", "points"),
            ("disks", "disks"),
            ("tried", "tried"),
            ("states", "states of the disk"),
        ],
    ),
    (
        "cycles",
        "updates that crash and are rolled back, in a row; afterwards no file more and no byte more than the digits of counters",
        &[
            ("cycles", "cycles"),
            (
                "compared_from",
                "of them to fill the history and every other list",
            ),
            ("largest_bytes", "bytes at most"),
        ],
    ),
    (
        "trials",
        "new versions that fail in other ways (below)",
        &[("cases", "cases")],
    ),
    (
        "strace",
        "the system's calls compared with the points, one to one (below)",
        &[],
    ),
];

/// The page.
pub(crate) fn page(report: &Value) -> String {
    let mut page = String::from(BEGIN);
    page.push_str("| what was done | how much | minutes | failures |\n|---|---|---|---|\n");
    for (name, what, figures) in ROWS {
        let part = &report["parts"][name];
        if part.is_null() {
            let _ = writeln!(page, "| {what} | not run | | |");
            continue;
        }
        let share = if part["all"] == true {
            ""
        } else {
            " (a seeded share)"
        };
        let words: Vec<_> = figures
            .iter()
            .map(|(key, word)| format!("{} {word}", grouped(&part["figures"][*key])))
            .collect();
        let failures = part["failures"].as_array().map_or(0, Vec::len);
        let minutes = part["seconds"].as_f64().unwrap_or(0.0) / 60.0;
        let _ = writeln!(
            page,
            "| {what} | {}{share} | {minutes:.1} | {failures} |",
            words.join(", ")
        );
    }
    points(&mut page, report);
    trials(&mut page, report);
    page.push_str(END);
    page
}

fn points(page: &mut String, report: &Value) {
    page.push_str(POINTS);
    page.push_str("| life of the new version | points | seen by strace | runs with the same points |\n|---|---|---|---|\n");
    for life in ["good", "crashing", "go-back"] {
        let points = &report["parts"]["points"]["figures"][life];
        let seen = &report["parts"]["strace"]["figures"][life]["seen"];
        let _ = writeln!(
            page,
            "| {life} | {} | {} | {} |",
            grouped(&points["points"]),
            grouped(seen),
            grouped(&points["runs"])
        );
    }
}

fn trials(page: &mut String, report: &Value) {
    page.push_str(TRIALS);
    page.push_str(
        "| the new version | starts | how it ends | at most, with the usual deadlines |\n|---|---|---|---|\n",
    );
    let rows = report["parts"]["trials"]["figures"]["rows"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let seconds = match row["seconds"].as_u64() {
            Some(0) => "as fast as it fails".to_owned(),
            Some(seconds) => format!("{seconds} s"),
            None => "as long as the user likes".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {seconds} |",
            text("what"),
            grouped(&row["starts"]),
            text("end")
        );
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(value: &Value) -> String {
    let Some(number) = value.as_u64() else {
        return "not run".to_owned();
    };
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const BEGIN: &str = "# Reliability: what was broken on purpose, and what became of it

<!-- Made by `cargo xtask faults page` from target/faults/report.json. Do not edit. -->

Moult promises that no interrupted or bad update leaves a computer without a version that starts. This page is the
proof, written from the output of the runs.

One update is carried out by the real engine, store, trust client and launcher code in one process (`moult-drive
update`): check, download in pieces, patch, verify, stage, arm, start, confirm or roll back, clean up; an executable
and a widget. It is broken off at a point. Then `moult-drive check` starts the real launcher as a process of its
own, and passes only if

1. the old or the new version starts,
2. the state, the history, the settings and every listed file can be read and are whole,
3. the next check finds a further release, and its update succeeds, starts and is confirmed,
4. no update is in the history twice,
5. nothing outside of the data folder has changed.

A *point* is a call that changes a file or makes a change last: open for writing, write, cut, sync, rename, link,
remove, make a folder, change a mode, name a socket. Each state of the disk is checked once; states that differ only
in times and random names are one. For the second kill, states are one as well that differ in nothing by which
anybody decides: files that a dead process had begun (`*.moult-new`; nobody reads them, and all are removed alike);
which of a record's two copies is the newer one, and what the older says (it is read where the newer is damaged, and
a kill damages none); how often the story of an update names the same step.

";

const POINTS: &str = "
## The points

All changes of files go through `moult_durable::fs`, which counts them. The set (call, path, ordinal) is the same in
each run, and the calls that strace sees are the points, in the same order.

";

const TRIALS: &str = "
## Bad new versions

With the real launcher and real processes. Deadlines are injected, so that nothing waits; the last column is what the
usual deadlines come to.

";

const END: &str = "
## Again

    cargo xtask faults all            # everything; writes this page
    cargo test -p moult-tests --test faults   # a seeded share, part of the tests
    cargo xtask faults prepare DIR    # for faults from outside: DIR/template, DIR/repo
    MOULT_FAULT=kill@17 moult-drive update --install COPY --repo DIR/repo; moult-drive check --install COPY --repo DIR/repo

## What this does not show

- Power cuts are played on a model of the disk: contents as of the last sync of the file, names as of the last sync of
  the folder. A drive that lies about a sync is not modelled.
- The web view, the window and the hand-over between two windows are not part of the drive; they have their own tests.
- It ran on Linux. The same calls on Windows and macOS have the tests of the platform module.
";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_come_from_the_report_and_what_was_not_run_is_said() {
        let report = json!({ "parts": { "kills": {
            "all": true, "seconds": 90, "failures": [], "figures": { "points": 1234, "runs": 1234, "states": 56 },
        } } });
        let page = page(&report);
        assert!(
            page.contains("1,234 points, 1,234 runs, 56 states of the disk | 1.5 | 0 |"),
            "{page}"
        );
        assert!(page.contains("power cuts: what was not synced dropped, kept, torn, each alone, renames out of order | not run |"));
    }
}
