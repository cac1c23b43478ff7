//! What survives a restart: the updates on their way with the ids that are over, the history, and what
//! the user chose. It refuses to know what any of it means.
//!
//! The files outlive the version that wrote them. Each line is read on its own; what is not understood is
//! left aside and written back.

mod explained;
mod history;
mod install;
mod orders;
mod tasks;

use std::path::Path;

use moult_durable::{DurableError, TwoCopy};
use moult_model::{Explanation, tolerant};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

pub use explained::explained;
pub(crate) use history::History;
pub use orders::orders_in_force;
pub(crate) use tasks::Tasks;

use crate::choices::Choices;
use crate::select::{InstallId, Standing};
use crate::set::Set;

/// The records on the disk.
#[derive(Debug)]
pub(crate) struct Records {
    history: TwoCopy<Value>,
    tasks: TwoCopy<Value>,
    choices: TwoCopy<Value>,
    orders: TwoCopy<Value>,
    set: TwoCopy<Value>,
    explained: TwoCopy<Value>,
    install: TwoCopy<Value>,
    /// Where releases before 0.2 kept what is on its way. After a rollback they look there.
    pending: TwoCopy<Value>,
}

/// Everything that was kept.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) history: History,
    pub(crate) tasks: Tasks,
    pub(crate) choices: Choices,
    pub(crate) orders: Standing,
    pub(crate) set: Option<Set>,
}

impl Records {
    /// The records in `<data>/update`, which is made if it is missing.
    pub(crate) fn open(data: &Path) -> Result<Self, DurableError> {
        let folder = data.join("update");
        moult_durable::create_dir_all(&folder)?;
        Ok(Self {
            history: TwoCopy::new(&folder, "history"),
            tasks: TwoCopy::new(&folder, "tasks"),
            choices: TwoCopy::new(&folder, "choices"),
            orders: TwoCopy::new(&folder, "orders"),
            set: TwoCopy::new(&folder, "set"),
            explained: TwoCopy::new(&folder, "explained"),
            install: TwoCopy::new(&folder, "install"),
            pending: TwoCopy::new(&folder, "pending"),
        })
    }

    /// Reads everything. A record that can't be read is begun anew: none of them is worth more than
    /// going on.
    ///
    /// What an id says was ended is not taken up again, whichever of the two files was written last.
    pub(crate) fn load(&self) -> Loaded {
        let history = History::read(read("history", &self.history));
        let mut tasks = Tasks::read(read("tasks", &self.tasks));
        tasks.add_lines(read("pending", &self.pending));
        tasks.forget_ended(&history);
        let (choices, other) = tolerant::read(object(read("choices", &self.choices)));
        Loaded {
            history,
            tasks,
            choices: Choices { other, ..choices },
            orders: orders::read(read("orders", &self.orders)),
            set: Set::deserialize(read("set", &self.set)).ok(),
        }
    }

    /// Writes the orders that are obeyed.
    pub(crate) fn store_orders(&self, orders: &Standing) -> Result<(), DurableError> {
        self.orders.store(&json!(orders))
    }

    /// Writes what takes over together with an executable. None: nothing does.
    pub(crate) fn store_set(&self, set: Option<&Set>) -> Result<(), DurableError> {
        self.set.store(&json!(set))
    }

    /// Writes why everything has the version it has.
    pub(crate) fn store_explained(&self, explained: &[Explanation]) -> Result<(), DurableError> {
        self.explained.store(&json!(explained))
    }

    /// The number of this installation, made at the first call. None if it can't be had for now.
    pub(crate) fn install_id(&self) -> Option<InstallId> {
        let found = match self.install.load() {
            Ok(found) => found.as_ref().and_then(install::read),
            // It is there, and can't be read for the moment: another one would be another place in each wave.
            Err(error @ DurableError::Read { .. }) => {
                tracing::warn!(
                    error = crate::error::chain(&error),
                    "the install id can't be read now"
                );
                return None;
            }
            Err(error) => {
                tracing::error!(error = crate::error::chain(&error), "the install id is made anew");
                None
            }
        };
        if found.is_some() {
            return found;
        }
        let made = install::make()?;
        match self.install.store(&install::write(made)) {
            Ok(()) => Some(made),
            Err(error) => {
                tracing::warn!(
                    error = crate::error::chain(&error),
                    "the install id can't be kept"
                );
                None
            }
        }
    }

    /// Writes the history.
    pub(crate) fn store_history(&self, history: &History) -> Result<(), DurableError> {
        self.history.store(&history.to_value())
    }

    /// Writes what is on its way and what is over, in one piece.
    pub(crate) fn store_tasks(&self, tasks: &Tasks) -> Result<(), DurableError> {
        self.tasks.store(&tasks.to_value())?;
        // An earlier release must not take up what has come to its end meanwhile.
        match self.pending.load() {
            Ok(Some(Value::Array(lines))) if !lines.is_empty() && !tasks.has_any_of(&lines) => {
                self.pending.store(&Value::Array(Vec::new()))
            }
            _ => Ok(()),
        }
    }

    /// Writes what the user chose.
    pub(crate) fn store_choices(&self, choices: &Choices) -> Result<(), DurableError> {
        let written = tolerant::write(choices, &choices.other);
        self.choices.store(&Value::Object(written))
    }
}

fn read(name: &str, record: &TwoCopy<Value>) -> Value {
    match record.load() {
        Ok(value) => value.unwrap_or_default(),
        Err(error) => {
            tracing::error!(
                record = name,
                error = crate::error::chain(&error),
                "a record is begun anew"
            );
            Value::Null
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The elements of a list that are understood.
fn understood<T: serde::de::DeserializeOwned>(list: Option<&Value>) -> Vec<Value> {
    let elements = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    elements
        .iter()
        .filter(|element| T::deserialize(*element).is_ok())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
