//! The figures of the demonstration: as JSON for a program, as a table for a person.

use std::path::Path;

use anyhow::Context as _;
use moult_model::{HistoryEntry, Outcome, Phase, PlanStep, Subject};
use moult_tests::records::SwapFigures;
use moult_tests::stage::Loads;
use serde::Serialize;

use crate::checks::Claim;
use crate::screen::Screen;

/// Everything that was measured and claimed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The versions that were published before the first start.
    pub(crate) opening: Vec<Opening>,
    /// The updates, in their order.
    pub(crate) updates: Vec<Update>,
    /// What has to be known to read the figures.
    pub(crate) notes: Vec<String>,
    /// What was claimed, in its order.
    pub(crate) claims: Vec<Claim>,
    /// Whether all claims held.
    pub(crate) all_claims_hold: bool,
}

/// What was published before the first start.
#[derive(Debug, Serialize)]
pub(crate) struct Opening {
    pub(crate) subject: Subject,
    pub(crate) version: String,
    /// The artifact, in bytes.
    pub(crate) size: u64,
    /// The full file as it is served, in bytes.
    pub(crate) full_bytes: u64,
    pub(crate) publish_seconds: f64,
}

/// One update of the running application.
#[derive(Debug, Serialize)]
pub(crate) struct Update {
    pub(crate) subject: Subject,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) outcome: Outcome,
    pub(crate) plan: Vec<PlanStep>,
    /// Bytes on the wire, by the server's access log.
    pub(crate) wire_bytes: u64,
    /// Bytes on the wire, by the application's history.
    pub(crate) history_wire_bytes: u64,
    /// The full file, as it is served.
    pub(crate) full_bytes: u64,
    /// `wire_bytes` over `full_bytes`.
    pub(crate) ratio: f64,
    /// How long the publisher's command took.
    pub(crate) publish_seconds: f64,
    /// From the end of that command to the application's line in its history.
    pub(crate) seconds: f64,
    /// Milliseconds in each phase, by the application's history.
    pub(crate) phases: Vec<(Phase, u64)>,
    /// The swap's own figures, for bundles, if the application's log tells them.
    pub(crate) swap: Option<SwapFigures>,
    /// Whether the note stood there as before.
    pub(crate) state_kept: bool,
    pub(crate) loads_before: Loads,
    pub(crate) loads_after: Loads,
}

impl Update {
    /// The figures of an update, from the application's own account and from the server's.
    pub(crate) fn new(entry: &HistoryEntry, wire_bytes: u64) -> Self {
        Self {
            subject: entry.subject.clone(),
            from: entry.from.as_ref().map(ToString::to_string),
            to: entry.to.to_string(),
            outcome: entry.outcome,
            plan: entry.plan.clone(),
            wire_bytes,
            history_wire_bytes: entry.wire_bytes,
            full_bytes: entry.full_bytes,
            ratio: wire_bytes as f64 / entry.full_bytes.max(1) as f64,
            publish_seconds: 0.0,
            seconds: 0.0,
            phases: entry.phases.clone(),
            swap: None,
            state_kept: false,
            loads_before: Loads::new(),
            loads_after: Loads::new(),
        }
    }

    fn row(&self) -> [String; 9] {
        let from = self.from.as_deref().unwrap_or("none");
        let plan: Vec<&str> = self
            .plan
            .iter()
            .map(|step| if step.is_patch() { "patch" } else { "full" })
            .collect();
        let phase = |wanted: Phase| {
            let found = self.phases.iter().filter(|(phase, _)| *phase == wanted);
            let milliseconds: u64 = found.map(|(_, milliseconds)| *milliseconds).sum();
            milliseconds.to_string()
        };
        [
            self.subject.to_string(),
            format!("{from} -> {}", self.to),
            format!("{:?}", self.outcome),
            plan.join("+"),
            self.wire_bytes.to_string(),
            self.full_bytes.to_string(),
            format!("{:.2} %", self.ratio * 100.0),
            phase(Phase::Rebuilding),
            self.swap
                .as_ref()
                .map_or_else(|| "-".to_owned(), |swap| format!("{:.0}", swap.switch_ms)),
        ]
    }
}

impl Report {
    pub(crate) fn holds(&self) -> bool {
        self.all_claims_hold
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }

    pub(crate) fn print(&self, screen: &Screen) {
        let head = [
            "what",
            "versions",
            "outcome",
            "plan",
            "wire B",
            "full B",
            "ratio",
            "rebuild ms",
            "switch ms",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.updates.iter().map(Update::row));
        let widest = |place: usize| {
            rows.iter()
                .map(|row| row[place].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(widest).collect();
        screen.heading("Figures");
        for row in &rows {
            let padded = row.iter().zip(&widths).enumerate().map(|(place, (cell, &room))| {
                // Words to the left, figures to the right.
                if place < 4 {
                    format!("{cell:<room$}")
                } else {
                    format!("{cell:>room$}")
                }
            });
            screen.line(&format!("  {}", padded.collect::<Vec<_>>().join("  ")));
        }
        for note in &self.notes {
            screen.line(&format!("  {note}"));
        }
        let good = self.claims.iter().filter(|claim| claim.holds).count();
        screen.line(&format!("\n{good} of {} claims held.", self.claims.len()));
        for claim in self.claims.iter().filter(|claim| !claim.holds) {
            screen.claim(&claim.text, false);
        }
    }
}
