//! The lines of the history, as they were written and as this version understands them. An id has one
//! line. It refuses to know how an update came to its end.

use moult_model::{HistoryEntry, Phase, PlanStep, Problem};
use serde::de::Deserialize as _;
use serde_json::Value;

use super::understood;

/// What happened, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    /// As they are on the disk. Lines of another version stay as they are.
    lines: Vec<Value>,
    entries: Vec<HistoryEntry>,
}

impl History {
    /// The most lines that are kept.
    pub(crate) const LINES: usize = 100;

    /// Reads each line on its own. One that is not understood is kept and not shown.
    pub(super) fn read(value: Value) -> Self {
        let lines = match value {
            Value::Array(lines) => lines,
            _ => Vec::new(),
        };
        let entries = lines.iter().filter_map(entry).collect();
        Self { lines, entries }
    }

    pub(super) fn to_value(&self) -> Value {
        Value::Array(self.lines.clone())
    }

    /// Adds the newest line, and cuts the oldest. A line of an id that has one already is not added: what
    /// happened, happened once.
    pub(crate) fn add(&mut self, entry: HistoryEntry) {
        if self.has(&entry.id) {
            return;
        }
        if let Ok(line) = serde_json::to_value(&entry) {
            self.lines.insert(0, line);
            self.lines.truncate(Self::LINES);
        }
        self.entries.insert(0, entry);
        self.entries.truncate(Self::LINES);
    }

    /// Whether the update with this id has its line.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.lines
            .iter()
            .any(|line| line.get("id").and_then(Value::as_str) == Some(id))
    }

    /// The lines that this version understands, newest first.
    pub(crate) fn entries(&self) -> &[HistoryEntry] {
        &self.entries
    }
}

/// A line, without the parts of it that only another version understands.
fn entry(line: &Value) -> Option<HistoryEntry> {
    if let Ok(entry) = HistoryEntry::deserialize(line) {
        return Some(entry);
    }
    let mut fields = line.as_object()?.clone();
    fields.insert("plan".into(), understood::<PlanStep>(line.get("plan")).into());
    fields.insert(
        "phases".into(),
        understood::<(Phase, u64)>(line.get("phases")).into(),
    );
    fields.insert(
        "problems".into(),
        understood::<Problem>(line.get("problems")).into(),
    );
    HistoryEntry::deserialize(Value::Object(fields)).ok()
}
