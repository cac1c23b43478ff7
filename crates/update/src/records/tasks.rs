//! The updates on their way and the ids that are over, in one record: so no kill can fall between the end
//! of an update and its id being over. It refuses to know what an update does.

use std::collections::BTreeMap;

use moult_model::{Digest, Phase, PlanStep, Problem};
use serde::de::Deserialize as _;
use serde_json::{Map, Value, json};

use super::{History, object, understood};
use crate::choices::Failures;
use crate::record::Record;

/// What is on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tasks {
    /// Each update, in the order in which they were begun.
    pub(crate) open: Vec<Record>,
    /// Lines that only another version understands.
    pub(crate) strange: Vec<Value>,
    /// The ids of the updates that are over, newest last.
    pub(crate) ended: Vec<String>,
    /// Artifacts that failed lately, so that a restart is no way to try them at once again.
    pub(crate) failures: BTreeMap<Digest, Failures>,
    pub(crate) other: Map<String, Value>,
}

impl Tasks {
    /// The most lines of another version that are kept.
    const STRANGE: usize = 16;

    pub(super) fn read(value: Value) -> Self {
        let mut fields = object(value);
        let mut tasks = Self::default();
        tasks.add_lines(fields.remove("tasks").unwrap_or_default());
        tasks.ended = understood::<String>(fields.remove("ended").as_ref())
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        tasks.failures = object(fields.remove("failures").unwrap_or_default())
            .into_iter()
            .filter_map(|(digest, failures)| {
                let digest = serde_json::from_value(Value::String(digest)).ok()?;
                Some((digest, Failures::deserialize(failures).ok()?))
            })
            .collect();
        tasks.other = fields;
        tasks
    }

    /// Adds the lines of a list that are not there yet.
    pub(super) fn add_lines(&mut self, lines: Value) {
        let Value::Array(lines) = lines else {
            return;
        };
        for line in lines {
            match record(&line) {
                Some(record) if self.knows(record.id()) => {}
                Some(record) => self.open.push(record),
                None if self.strange.len() < Self::STRANGE && id_of(&line).is_some() => {
                    self.strange.push(line);
                }
                None => {}
            }
        }
    }

    /// Drops what is over: its line was written, or its id is on the list.
    pub(super) fn forget_ended(&mut self, history: &History) {
        let ended = &self.ended;
        self.open
            .retain(|record| !history.has(record.id()) && !ended.iter().any(|id| id == record.id()));
    }

    pub(super) fn to_value(&self) -> Value {
        let mut lines: Vec<Value> = self
            .open
            .iter()
            .filter_map(|record| serde_json::to_value(record).ok())
            .collect();
        lines.extend(self.strange.iter().cloned());
        let mut fields = self.other.clone();
        fields.insert("tasks".into(), lines.into());
        fields.insert("ended".into(), json!(self.ended));
        fields.insert("failures".into(), json!(self.failures));
        Value::Object(fields)
    }

    /// Whether one of these lines is of an update that is still open.
    pub(super) fn has_any_of(&self, lines: &[Value]) -> bool {
        lines
            .iter()
            .filter_map(id_of)
            .any(|id| self.open.iter().any(|record| record.id() == id))
    }

    fn knows(&self, id: &str) -> bool {
        self.open.iter().any(|record| record.id() == id)
    }
}

fn id_of(line: &Value) -> Option<&str> {
    line.pointer("/state/activity/id")?.as_str()
}

/// A line. Where another version wrote words that this one does not know, those are left out, and a phase
/// that is not known is the beginning, or, with a slot, the wait for the next start: the stores say more.
fn record(line: &Value) -> Option<Record> {
    if let Ok(record) = Record::deserialize(line) {
        return Some(record);
    }
    let mut line = line.clone();
    let has_slot = line.get("slot").is_some_and(Value::is_string);
    let phases = understood::<(Phase, u64)>(line.get("phases"));
    line.as_object_mut()?.insert("phases".into(), phases.into());
    let state = line.get_mut("state")?.as_object_mut()?;
    let begun = understood::<PlanStep>(state.get("begun"));
    state.insert("begun".into(), begun.into());
    let withdrawal = state.get("withdrawal").cloned().unwrap_or_default();
    if Option::<crate::machine::Withdrawal>::deserialize(&withdrawal).is_err() {
        state.remove("withdrawal");
    }
    let activity = state.get_mut("activity")?.as_object_mut()?;
    let (plan, problems) = (
        understood::<PlanStep>(activity.get("plan")),
        understood::<Problem>(activity.get("problems")),
    );
    activity.insert("plan".into(), plan.into());
    activity.insert("problems".into(), problems.into());
    if Phase::deserialize(activity.get("phase")?).is_err() {
        let phase = if has_slot { Phase::Waiting } else { Phase::Found };
        activity.insert("phase".into(), json!(phase));
    }
    Record::deserialize(line).ok()
}
