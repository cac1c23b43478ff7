//! The figures of swaps, as `moult-swaps` writes them, and what of them is not as it should be.

use serde::Deserialize;

/// What is wanted: the slowest but one in twenty, in milliseconds, and the memory at the end over that after 100 swaps, in percent.
const LIMIT_MS: f64 = 100.0;
const LIMIT_PERCENT: f64 = 10.0;
/// The slowest but one in a hundred of logic, in milliseconds.
const LOGIC_LIMIT_MS: f64 = 5.0;

#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) widgets: Vec<Widget>,
    pub(super) logic: Vec<LogicSwap>,
}

/// One swap of logic. Lengths are in milliseconds.
#[derive(Deserialize)]
pub(super) struct LogicSwap {
    pub(super) start_ms: f64,
    pub(super) switch_ms: f64,
}

/// One widget, as `moult-swaps` writes it.
#[derive(Deserialize)]
pub(super) struct Widget {
    pub(super) name: String,
    pub(super) swaps: Vec<Swap>,
    pub(super) loads: Vec<Load>,
    pub(super) warm_kib: u64,
    pub(super) end_kib: u64,
    pub(super) typed: usize,
    pub(super) arrived: usize,
    /// Whether it was measured on its own, after the others.
    #[serde(default)]
    pub(super) alone: bool,
}

/// One swap. Lengths are in milliseconds.
#[derive(Deserialize)]
pub(super) struct Swap {
    pub(super) shown_ms: f64,
    pub(super) ready_ms: f64,
    pub(super) switch_ms: f64,
    pub(super) gone_ms: f64,
    pub(super) points: usize,
    pub(super) looks: usize,
    pub(super) keys: u32,
    pub(super) told: u64,
    pub(super) fault: Option<String>,
    pub(super) astray: u64,
}

#[derive(Deserialize)]
pub(super) struct Load {
    pub(super) shown_ms: f64,
    pub(super) gone_ms: f64,
}

impl Report {
    pub(super) fn logic(&self, share: f64, value: fn(&LogicSwap) -> f64) -> f64 {
        at(share, self.logic.iter().map(value).collect())
    }

    /// What is not as it should be.
    pub(super) fn missed(&self) -> Vec<String> {
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
    pub(super) fn p95(&self) -> f64 {
        at(0.95, self.swaps.iter().map(|swap| swap.shown_ms).collect())
    }

    pub(super) fn growth(&self) -> f64 {
        (self.end_kib as f64 / self.warm_kib.max(1) as f64 - 1.0) * 100.0
    }

    pub(super) fn gone(&self) -> usize {
        self.swaps.iter().filter(|swap| swap.gone_ms > 0.0).count()
    }

    pub(super) fn faults(&self) -> usize {
        self.swaps.iter().filter(|swap| swap.fault.is_some()).count()
    }

    pub(super) fn astray(&self) -> u64 {
        self.swaps
            .iter()
            .map(|swap| swap.astray)
            .max()
            .unwrap_or_default()
    }

    /// What is not as it should be.
    pub(super) fn missed(&self) -> Vec<String> {
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

pub(super) fn at(share: f64, mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    let index = index.min(values.len().saturating_sub(1));
    values.get(index).copied().unwrap_or_default()
}
