//! `cargo xtask bench swap`: swaps of the first-party widgets in the real application. The measuring is done by
//! `moult-swaps`; this builds it, runs it and writes docs/benchmarks/swap.md.

mod page;
mod report;

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use self::page::page;
use self::report::Report;
use crate::command::root;
use crate::report::{Steps, heading, note};

/// Where the page is written, in the workspace.
const PAGE: &str = "docs/benchmarks/swap.md";
/// Where the figures lie.
const REPORT: &str = "target/swap/report.json";
/// Where the figures of some widgets lie.
const PART: &str = "target/swap/part.json";

#[derive(Args)]
pub(crate) struct Options {
    /// How often each widget is swapped.
    #[arg(long, default_value_t = 1000)]
    swaps: u32,
    /// Only these widgets, separated by commas: their figures take the place of those in the last whole run.
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Write the page from the figures of the last time.
    #[arg(long)]
    page: bool,
}

/// Measures and writes the page.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    if !options.page {
        heading("Measure");
        steps.run("swaps in the real application", || {
            let swaps = options.swaps.to_string();
            let given = ["--swaps", &swaps];
            let Some(only) = &options.only else {
                return super::measure("moult-swaps", &given, REPORT);
            };
            let said = super::measure("moult-swaps", &[&given[..], &["--only", only]].concat(), PART)?;
            let mut whole = read(REPORT)?;
            replace(&mut whole, &read(PART)?)?;
            fs::write(root().join(REPORT), serde_json::to_vec(&whole)?)?;
            Ok(said)
        });
    }
    if !steps.passed() {
        note("the page was not written");
        return steps.end();
    }
    let report: Report = serde_json::from_value(read(REPORT)?)?;
    heading("Targets");
    for missed in report.missed() {
        note(&missed);
    }
    fs::write(root().join(PAGE), page(&report))?;
    note(&format!("written to {PAGE}"));
    steps.end()
}

fn read(path: &str) -> Result<Value> {
    let bytes = fs::read(root().join(path)).context("nothing was measured yet")?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Puts the widgets of `part` in the place of those of the same name, marked as measured alone.
fn replace(whole: &mut Value, part: &Value) -> Result<()> {
    let widgets = whole["widgets"].as_array_mut().context("no widgets")?;
    let measured: Vec<Value> = serde_json::from_value(part["widgets"].clone())?;
    for mut widget in measured {
        let name = widget["name"].clone();
        let place = widgets.iter_mut().find(|other| other["name"] == name);
        widget["alone"] = true.into();
        *place.with_context(|| format!("{name} was never measured with the others"))? = widget;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_measured_alone_takes_the_place_of_what_was_there_and_says_so() -> Result<()> {
        let mut whole = json!({ "widgets": [{ "name": "notes", "end_kib": 9 }, { "name": "feed", "end_kib": 9 }], "logic": [1] });
        let part = json!({ "widgets": [{ "name": "feed", "end_kib": 5 }], "logic": [2] });
        replace(&mut whole, &part)?;
        let wanted =
            json!([{ "name": "notes", "end_kib": 9 }, { "name": "feed", "end_kib": 5, "alone": true }]);
        assert_eq!((&whole["widgets"], &whole["logic"]), (&wanted, &json!([1])));
        assert!(replace(&mut whole, &json!({ "widgets": [{ "name": "other" }] })).is_err());
        Ok(())
    }
}
