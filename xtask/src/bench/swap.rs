//! `cargo xtask bench swap`: swaps of the first-party widgets in the real application. The measuring is done by
//! `moult-swaps`; this builds it, runs it and writes docs/benchmarks/swap.md.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::command::root;
use crate::report::{Steps, heading, note};

/// Where the page is written, in the workspace.
const PAGE: &str = "docs/benchmarks/swap.md";
/// Where the figures lie.
const REPORT: &str = "target/swap/report.json";
/// Where the figures of some widgets lie.
const PART: &str = "target/swap/part.json";
/// What is wanted: the slowest but one in twenty, in milliseconds, and the memory at the end over that after 100 swaps, in percent.
const LIMIT_MS: f64 = 100.0;
const LIMIT_PERCENT: f64 = 10.0;
/// The slowest but one in a hundred of logic, in milliseconds.
const LOGIC_LIMIT_MS: f64 = 5.0;

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

#[derive(Deserialize)]
struct Report {
    widgets: Vec<Widget>,
    logic: Vec<LogicSwap>,
}

/// One swap of logic. Lengths are in milliseconds.
#[derive(Deserialize)]
struct LogicSwap {
    start_ms: f64,
    switch_ms: f64,
}

/// One widget, as `moult-swaps` writes it.
#[derive(Deserialize)]
struct Widget {
    name: String,
    swaps: Vec<Swap>,
    loads: Vec<Load>,
    warm_kib: u64,
    end_kib: u64,
    typed: usize,
    arrived: usize,
    /// Whether it was measured on its own, after the others.
    #[serde(default)]
    alone: bool,
}

/// One swap. Lengths are in milliseconds.
#[derive(Deserialize)]
struct Swap {
    shown_ms: f64,
    ready_ms: f64,
    switch_ms: f64,
    gone_ms: f64,
    points: usize,
    looks: usize,
    keys: u32,
    told: u64,
    fault: Option<String>,
    astray: u64,
}

#[derive(Deserialize)]
struct Load {
    shown_ms: f64,
    gone_ms: f64,
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
            replace(&mut whole, read(PART)?)?;
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
fn replace(whole: &mut Value, part: Value) -> Result<()> {
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

impl Report {
    fn logic(&self, share: f64, value: fn(&LogicSwap) -> f64) -> f64 {
        at(share, self.logic.iter().map(value).collect())
    }

    /// What is not as it should be.
    fn missed(&self) -> Vec<String> {
        let of_widget = |widget: &Widget| {
            let name = widget.name.clone();
            let missed = widget.missed().into_iter();
            missed.map(move |missed| format!("{name}: {missed}"))
        };
        let mut missed: Vec<String> = self.widgets.iter().flat_map(of_widget).collect();
        let slowest = self.logic(0.99, |swap| swap.switch_ms);
        if slowest >= LOGIC_LIMIT_MS {
            missed.push(format!("logic: p99 is {slowest:.1} ms"));
        }
        missed
    }
}

impl Widget {
    fn p95(&self) -> f64 {
        at(0.95, self.swaps.iter().map(|swap| swap.shown_ms).collect())
    }

    fn growth(&self) -> f64 {
        (self.end_kib as f64 / self.warm_kib.max(1) as f64 - 1.0) * 100.0
    }

    fn gone(&self) -> usize {
        self.swaps.iter().filter(|swap| swap.gone_ms > 0.0).count()
    }

    fn faults(&self) -> usize {
        self.swaps.iter().filter(|swap| swap.fault.is_some()).count()
    }

    fn astray(&self) -> u64 {
        self.swaps
            .iter()
            .map(|swap| swap.astray)
            .max()
            .unwrap_or_default()
    }

    /// What is not as it should be.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let mut check = |held: bool, text: String| {
            if !held {
                missed.push(text);
            }
        };
        check(self.p95() < LIMIT_MS, format!("p95 is {:.0} ms", self.p95()));
        check(
            self.growth() <= LIMIT_PERCENT,
            format!("memory grew by {:.1} %", self.growth()),
        );
        check(self.gone() == 0, format!("gone in {} swaps", self.gone()));
        check(
            self.faults() == 0,
            format!("{} states are not as the model says", self.faults()),
        );
        check(self.astray() == 0, format!("{} events astray", self.astray()));
        check(
            self.arrived == self.typed,
            format!("{} of {} keys", self.arrived, self.typed),
        );
        missed
    }
}

fn at(share: f64, mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    let index = index.min(values.len().saturating_sub(1));
    values.get(index).copied().unwrap_or_default()
}

fn page(report: &Report) -> String {
    let widgets = &report.widgets;
    let mut text = String::from(
        "# Swaps of the first-party widgets\n\n\
         Made by `cargo xtask bench swap` from the real application (a build without optimisation) in a virtual X server of \
         1280 x 800, with `WEBKIT_DISABLE_DMABUF_RENDERER=1`. Six widgets stand on the board. Each is swapped between two versions of \
         itself, again and again, by force: without waiting for a pause in the input. Before, during and after each swap it is told of events \
         (up to a dozen, at times that a seed decides), and Notes and Tasks are typed into all the while.\n\n\
         - **shown**: from the order to the first frame of the screen that shows the new version, in milliseconds. Each version paints a mark of \
         its own colour; the frame buffer is looked at about a thousand times a second\n\
         - **ready**, **switch**: the parts of it that the stage measures: until the new version says that it is ready, and from the freeze of \
         the old one until the new one was brought to the top\n\
         - **gone**: swaps in which at some look less than half as many points of the tile as before and after had another colour than the ground or \
         a tile's surface: a blank frame\n\
         - **state**: swaps after which the state on the disk was not what the model in the test says that it must be\n\
         - **events**: events that are missing from the state, came twice or out of order, at the end\n\
         - **keys**: those in the widget, of those that were typed\n\
         - **memory**: the `Pss` of the application and all its children, 10 s after the last swap, over that 10 s after the hundredth\n\n\
         In the time measured: the native side's order, loading the page from the bundle, its start with the state, freeze, snapshot, \
         restore, the switch at a frame, and that frame on the screen. Not in it: downloading, patching, checking and storing the bundle, which come before an order, \
         and the trial after it (0.15 s here, 4 s in use).\n\n\
         | | swaps | shown p50 | p95 | max | ready p50 | switch p50 | gone | state | events | keys | memory |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for widget in widgets {
        let _ = writeln!(text, "{}", row(widget));
    }
    let alone: Vec<&str> = widgets
        .iter()
        .filter(|widget| widget.alone)
        .map(|widget| widget.name.as_str())
        .collect();
    if !alone.is_empty() {
        let _ = writeln!(
            text,
            "\nMeasured on their own, after the others and after a change to them: {}.",
            alone.join(", ")
        );
    }
    text.push_str(
        "\n## A load of the same page\n\n\
         The frame is thrown away and the page of the other version loaded in its place, as without a swap. *shown* is measured in the same way, \
         *gone* is for how long the widget was not there. Caret, selection, scroll, keys typed meanwhile, and what was not saved yet are lost.\n\n\
         | | loads | shown p50 | p95 | gone p50 | p95 |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for Widget { name, loads, .. } in widgets {
        let of = |share, value: fn(&Load) -> f64| at(share, loads.iter().map(value).collect());
        let _ = writeln!(
            text,
            "| {name} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            loads.len(),
            of(0.5, |load| load.shown_ms),
            of(0.95, |load| load.shown_ms),
            of(0.5, |load| load.gone_ms),
            of(0.95, |load| load.gone_ms),
        );
    }
    let points = widgets
        .iter()
        .flat_map(|widget| &widget.swaps)
        .map(|swap| swap.points)
        .min();
    let looks: usize = widgets
        .iter()
        .flat_map(|widget| &widget.swaps)
        .map(|swap| swap.looks)
        .sum();
    let events: u64 = widgets
        .iter()
        .flat_map(|widget| &widget.swaps)
        .map(|swap| swap.told)
        .sum();
    let keys: u32 = widgets
        .iter()
        .flat_map(|widget| &widget.swaps)
        .map(|swap| swap.keys)
        .sum();
    let _ = write!(
        text,
        "\nAt least {} points of a tile were drawn in each swap; {looks} different pictures were judged in all. {events} events were told, \
         and {keys} keys came while a version was frozen and were typed into the next.\n\n",
        points.unwrap_or_default(),
    );
    let _ = write!(
        text,
        "## A swap of logic\n\n\
         Two versions of a component take turns in the real child process, from compiled code; each counts, and the next one goes on from there. \
         *start*: until the new version runs beside the old one, which answers meanwhile. *switch*: from the freeze until the new one has the old \
         one's last state; nobody answers. In milliseconds.\n\n\
         | swaps | start p50 | p99 | switch p50 | p99 | max |\n|--:|--:|--:|--:|--:|--:|\n\
         | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |\n\n## Missed\n\n",
        report.logic.len(),
        report.logic(0.5, |swap| swap.start_ms),
        report.logic(0.99, |swap| swap.start_ms),
        report.logic(0.5, |swap| swap.switch_ms),
        report.logic(0.99, |swap| swap.switch_ms),
        report.logic(1.0, |swap| swap.switch_ms),
    );
    let missed = report.missed();
    if missed.is_empty() {
        text.push_str(
            "Nothing: p95 under 100 ms, p99 of logic under 5 ms, memory within 10 %, and none gone, wrong, lost or doubled.\n",
        );
    }
    for missed in missed {
        let _ = writeln!(text, "- {missed}");
    }
    text
}

fn row(widget: &Widget) -> String {
    let of = |share, value: fn(&Swap) -> f64| at(share, widget.swaps.iter().map(value).collect());
    let keys = if widget.typed == 0 {
        "-".to_owned()
    } else {
        format!("{} of {}", widget.arrived, widget.typed)
    };
    format!(
        "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} | {} | {keys} | {:+.1} % |",
        widget.name,
        widget.swaps.len(),
        of(0.5, |swap| swap.shown_ms),
        widget.p95(),
        of(1.0, |swap| swap.shown_ms),
        of(0.5, |swap| swap.ready_ms),
        of(0.5, |swap| swap.switch_ms),
        widget.gone(),
        widget.faults(),
        widget.astray(),
        widget.growth(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_measured_alone_takes_the_place_of_what_was_there_and_says_so() {
        let mut whole = json!({ "widgets": [{ "name": "notes", "end_kib": 9 }, { "name": "feed", "end_kib": 9 }], "logic": [1] });
        replace(
            &mut whole,
            json!({ "widgets": [{ "name": "feed", "end_kib": 5 }], "logic": [2] }),
        )
        .unwrap();
        let wanted =
            json!([{ "name": "notes", "end_kib": 9 }, { "name": "feed", "end_kib": 5, "alone": true }]);
        assert_eq!((&whole["widgets"], &whole["logic"]), (&wanted, &json!([1])));
        assert!(replace(&mut whole, json!({ "widgets": [{ "name": "other" }] })).is_err());
    }

    #[test]
    fn the_page_names_what_was_missed() {
        let swap = |shown_ms, gone_ms| Swap {
            shown_ms,
            ready_ms: 60.0,
            switch_ms: 20.0,
            gone_ms,
            points: 40,
            looks: 9,
            keys: 1,
            told: 7,
            fault: None,
            astray: 0,
        };
        let widget = |slow, gone, end_kib| Widget {
            name: "notes".to_owned(),
            swaps: (0..20)
                .map(|number| swap(if number < 2 { slow } else { 70.0 }, gone))
                .collect(),
            loads: Vec::new(),
            warm_kib: 1000,
            end_kib,
            typed: 9,
            arrived: 9,
            alone: false,
        };
        let report = |widget, switch_ms| Report {
            widgets: vec![widget],
            logic: vec![LogicSwap {
                start_ms: 2.0,
                switch_ms,
            }],
        };
        let good = page(&report(widget(90.0, 0.0, 1090), 0.3));
        assert!(
            good.contains("| notes | 20 | 70 | 90 | 90 | 60 | 20 | 0 | 0 | 0 | 9 of 9 | +9.0 % |"),
            "{good}"
        );
        assert!(good.contains("Nothing: p95 under 100 ms"), "{good}");
        let bad = page(&report(widget(120.0, 3.0, 1200), 7.5));
        for missed in [
            "p95 is 120 ms",
            "gone in 20 swaps",
            "memory grew by 20.0 %",
            "logic: p99 is 7.5 ms",
        ] {
            assert!(bad.contains(missed), "{bad}");
        }
    }
}
