//! What the product wrote to disk, read with its own formats.

use std::path::Path;

use anyhow::Context as _;
use moult_boot::BootState;
use moult_durable::TwoCopy;
use moult_model::board::Board;
use moult_model::stage::{HeldWidget, SavedState};
use moult_model::{HistoryEntry, Outcome, Subject};
use serde::{Deserialize, Serialize};

/// The history, newest first as it is shown, or in whatever order it was written.
pub fn history(data: &Path) -> anyhow::Result<Vec<HistoryEntry>> {
    Ok(TwoCopy::new(data.join("update"), "history")
        .load()
        .context("the history")?
        .unwrap_or_default())
}

/// The lines of the history about one update, oldest first.
pub fn updates(data: &Path, subject: &Subject, to: &str) -> anyhow::Result<Vec<HistoryEntry>> {
    let mut entries = history(data)?;
    entries.retain(|entry| entry.subject == *subject && entry.to.to_string() == to);
    entries.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(entries)
}

/// The slots of the executable.
pub fn boot(data: &Path) -> anyhow::Result<BootState> {
    TwoCopy::new(data, "state")
        .load()
        .context("the boot state")?
        .context("there is no boot state")
}

/// The state of one widget as it was last acknowledged.
pub fn widget_state(data: &Path, instance: &str) -> anyhow::Result<Option<SavedState>> {
    TwoCopy::new(data.join("state"), instance)
        .load()
        .context("a widget's state")
}

/// The board; none if it was never changed.
pub fn board(data: &Path) -> anyhow::Result<Option<Board>> {
    TwoCopy::new(data.join("records"), "board")
        .load()
        .context("the board")
}

/// The widgets that are kept off the board.
pub fn held(data: &Path) -> anyhow::Result<Vec<HeldWidget>> {
    #[derive(Serialize, Deserialize)]
    struct Held {
        widgets: Vec<HeldWidget>,
    }
    let held: Option<Held> = TwoCopy::new(data.join("records"), "held")
        .load()
        .context("the widgets that are kept off")?;
    Ok(held.map(|held| held.widgets).unwrap_or_default())
}

/// A swap of a bundle, as the application's log tells it.
#[derive(Clone, Debug)]
pub struct Swap {
    /// What was swapped.
    pub subject: Subject,
    /// Its figures.
    pub figures: SwapFigures,
}

/// The figures of a swap.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SwapFigures {
    /// From the order to the new version being ready, in milliseconds.
    pub ready_ms: f64,
    /// From the freeze of the old version to the first frame of the new one, in milliseconds.
    pub switch_ms: f64,
    /// The bytes of state that were handed over.
    pub state_bytes: u32,
    /// The keys that were typed meanwhile and replayed.
    pub replayed_keys: u32,
}

/// The swaps so far, oldest first. Log lines about anything else are passed over.
pub fn swaps(data: &Path) -> anyhow::Result<Vec<Swap>> {
    #[derive(Deserialize)]
    struct Line {
        fields: SwapFigures,
        span: Span,
    }
    #[derive(Deserialize)]
    struct Span {
        subject: String,
    }
    let path = data.join("log/app.log");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines
        .map(|Line { fields, span }| {
            Ok(Swap {
                subject: span.subject.parse()?,
                figures: fields,
            })
        })
        .collect()
}

/// One line about a history entry, for messages.
pub fn describe(entry: &HistoryEntry) -> String {
    let from = entry
        .from
        .as_ref()
        .map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let plan: Vec<&str> = entry
        .plan
        .iter()
        .map(|step| if step.is_patch() { "patch" } else { "full" })
        .collect();
    let problems: Vec<String> = entry
        .problems
        .iter()
        .map(|problem| format!("{:?}: {}", problem.code, problem.detail))
        .collect();
    format!(
        "{} {from} -> {}: {}, {} bytes by {plan:?} {problems:?}",
        entry.subject,
        entry.to,
        outcome(entry.outcome),
        entry.wire_bytes
    )
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Updated => "updated",
        Outcome::Installed => "installed",
        Outcome::RolledBack => "rolled back",
        Outcome::Failed => "failed",
    }
}
