//! The figures as they are written down.

use std::fs;
use std::path::Path;

use moult_tests::swap::{Load, Swap};
use serde::Serialize;

use crate::logic::LogicSwap;

/// All widgets.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) widgets: Vec<Widget>,
    pub(crate) logic: Vec<LogicSwap>,
}

/// One widget, swapped so often.
#[derive(Debug, Serialize)]
pub(crate) struct Widget {
    name: &'static str,
    pub(crate) swaps: Vec<Swap>,
    pub(crate) loads: Vec<Load>,
    /// How long all swaps took, with the pauses between.
    pub(crate) seconds: f64,
    /// Memory 10 s after the hundredth swap.
    pub(crate) warm_kib: u64,
    /// Memory 10 s after the last one.
    pub(crate) end_kib: u64,
    /// Keys that were typed meanwhile, and those that stand in the widget.
    pub(crate) typed: usize,
    pub(crate) arrived: usize,
}

impl Widget {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            swaps: Vec::new(),
            loads: Vec::new(),
            seconds: 0.0,
            warm_kib: 0,
            end_kib: 0,
            typed: 0,
            arrived: 0,
        }
    }

    /// One line for who watches.
    pub(crate) fn told(&self) -> String {
        let at = |share: f64, mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let index = (values.len() as f64 * share) as usize;
            values
                .get(index.min(values.len().saturating_sub(1)))
                .copied()
                .unwrap_or_default()
        };
        let of = |value: fn(&Swap) -> f64| self.swaps.iter().map(value).collect::<Vec<_>>();
        format!(
            "{}: shown p50 {:.0} p95 {:.0} max {:.0} ms (ready p50 {:.0} p95 {:.0}, switch p50 {:.0} p95 {:.0}); gone {:.0} ms; \
             faults {}; astray {}; memory {} -> {} KiB ({:+.1} %); typed {} of {}; loads p50 {:.0} p95 {:.0} ms, gone p50 {:.0} ms; \
             points {}; {:.0} s",
            self.name,
            at(0.5, of(|swap| swap.shown_ms)),
            at(0.95, of(|swap| swap.shown_ms)),
            at(1.0, of(|swap| swap.shown_ms)),
            at(0.5, of(|swap| swap.ready_ms)),
            at(0.95, of(|swap| swap.ready_ms)),
            at(0.5, of(|swap| swap.switch_ms)),
            at(0.95, of(|swap| swap.switch_ms)),
            self.swaps.iter().map(|swap| swap.gone_ms).sum::<f64>(),
            self.swaps.iter().filter(|swap| swap.fault.is_some()).count(),
            self.swaps
                .iter()
                .map(|swap| swap.astray)
                .max()
                .unwrap_or_default(),
            self.warm_kib,
            self.end_kib,
            (self.end_kib as f64 / self.warm_kib.max(1) as f64 - 1.0) * 100.0,
            self.arrived,
            self.typed,
            at(0.5, self.loads.iter().map(|load| load.shown_ms).collect()),
            at(0.95, self.loads.iter().map(|load| load.shown_ms).collect()),
            at(0.5, self.loads.iter().map(|load| load.gone_ms).collect()),
            self.swaps
                .iter()
                .map(|swap| swap.points)
                .min()
                .unwrap_or_default(),
            self.seconds,
        )
    }
}

impl Report {
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_vec(self)?)?;
        Ok(())
    }
}
