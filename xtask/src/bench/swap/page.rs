//! Writes the page.

use std::fmt::Write as _;

use super::report::{Load, Report, Swap, Widget, at};

pub(super) fn page(report: &Report) -> String {
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
    text.push_str(&totals(widgets));
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

/// What was judged, in all.
fn totals(widgets: &[Widget]) -> String {
    let swaps = || widgets.iter().flat_map(|widget| &widget.swaps);
    let points = swaps().map(|swap| swap.points).min().unwrap_or_default();
    let looks: usize = swaps().map(|swap| swap.looks).sum();
    let events: u64 = swaps().map(|swap| swap.told).sum();
    let keys: u32 = swaps().map(|swap| swap.keys).sum();
    format!(
        "\nAt least {points} points of a tile were drawn in each swap; {looks} different pictures were judged in all. {events} events were told, \
         and {keys} keys came while a version was frozen and were typed into the next.\n\n"
    )
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
    use super::*;
    use crate::bench::swap::report::LogicSwap;

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
