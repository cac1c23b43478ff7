//! The logic of all widgets: one child process per publisher, started when it is needed and ended when nothing of
//! that publisher runs. Whatever becomes of a child, whoever asks gets an answer, and what failed starts again
//! from its last snapshot.

mod children;
mod hearing;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use moult_model::stage::SavedState;
use serde_json::Value;

use self::children::{Inner, Running, bad_answer, watch_memory};
use super::cache::Cache;
use super::process::ProcessError;
use super::restart::Restarts;
use super::wire::{InstanceNumber, Number, ToChild};
use super::{Fault, Limits};

/// Names an instance of logic: whose it is, and which.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The publisher: all of its logic shares a process.
    pub publisher: String,
    /// The instance on the board, and which version of it if two run.
    pub instance: String,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The component.
    pub component: Arc<[u8]>,
    /// What it may use.
    pub limits: Limits,
    /// The settings of the instance.
    pub settings: Value,
    /// The state that it takes over.
    pub state: Option<SavedState>,
    /// The schema that it writes.
    pub schema: u32,
}

/// Who hears of logic what is no answer. Called on threads of the pool: it must not wait for logic.
pub trait Listener: Send + Sync {
    /// Logic uses a capability. What comes of it goes to [`Pool::answer`] with this number.
    fn call(&self, key: &Key, number: CallNumber, capability: &str, request: Value);
    /// Logic says something to its page.
    fn said(&self, key: &Key, event: Value);
    /// Logic leaves a line.
    fn logged(&self, key: &Key, line: &str);
    /// Logic changed its state: what it comes back with after a failure.
    fn snapshot(&self, key: &Key, state: &SavedState);
    /// Logic that failed runs again, with what it had.
    fn restarted(&self, key: &Key);
    /// Logic failed. It is started again, or stays off.
    fn failed(&self, key: &Key, fault: &Fault, gave_up: bool);
}

/// Names a call of logic until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallNumber {
    instance: InstanceNumber,
    number: Number,
}

/// Why logic gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogicError {
    /// Nothing of that name runs.
    #[error("no logic runs there")]
    NotRunning,
    /// It refused the state; it was not started, or goes on with its own.
    #[error("the logic refused the state: {0}")]
    Refused(String),
    /// It failed. It is started again, unless it was to start.
    #[error("the logic failed: {0}")]
    Failed(#[from] Fault),
    /// The child could not be started or spoken to.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

pub(super) type Outcome = Result<Value, LogicError>;

/// All logic that runs.
pub struct Pool {
    inner: Arc<Inner>,
}

impl Pool {
    /// A pool whose children are this program, with compiled code kept in this cache.
    pub fn new(program: PathBuf, cache: Option<Cache>, listener: Box<dyn Listener>) -> std::io::Result<Self> {
        let inner = Arc::new(Inner {
            program,
            cache,
            engine: Mutex::default(),
            listener,
            running: Mutex::new(Running::default()),
        });
        let watched = Arc::downgrade(&inner);
        std::thread::Builder::new()
            .name("logic memory".to_owned())
            .spawn(move || watch_memory(&watched))?;
        Ok(Self { inner })
    }

    /// Starts logic, and waits until it has taken over its state. What runs under that key is stopped then, not before.
    pub fn start(&self, key: Key, spec: Spec) -> Result<(), LogicError> {
        let code = self.inner.code(&spec.component)?;
        let instance = self
            .inner
            .launch(key.clone(), spec, &code, Restarts::default(), true)?;
        let mut running = self.inner.running();
        if let Some(before) = running.keys.insert(key, instance) {
            running.stop(before);
        }
        Ok(())
    }

    /// Has logic handle an event.
    pub fn handle(&self, key: &Key, event: Value) -> Outcome {
        let (instance, number, answer) = self.inner.ask(key, |instance, number| ToChild::Handle {
            instance,
            number,
            event,
        })?;
        let outcome = self.inner.await_answer(instance, number, &answer);
        if outcome.is_ok() {
            self.inner.want_snapshot(instance);
        }
        outcome
    }

    /// The state of logic as of now.
    pub fn snapshot(&self, key: &Key) -> Result<SavedState, LogicError> {
        let (instance, number, answer) = self
            .inner
            .ask(key, |instance, number| ToChild::Snapshot { instance, number })?;
        let value = self.inner.await_answer(instance, number, &answer)?;
        serde_json::from_value(value).map_err(|error| LogicError::Failed(bad_answer(&error.to_string())))
    }

    /// Has logic take over a state.
    pub fn restore(&self, key: &Key, state: SavedState) -> Result<(), LogicError> {
        let (instance, number, answer) = self.inner.ask(key, |instance, number| ToChild::Restore {
            instance,
            number,
            state,
        })?;
        self.inner.await_answer(instance, number, &answer).map(|_| ())
    }

    /// From now on it starts with these settings. What runs is told by an event, like anything else.
    pub fn set_settings(&self, key: &Key, settings: Value) {
        let mut running = self.inner.running();
        let Some(instance) = running.keys.get(key).copied() else {
            return;
        };
        if let Some(found) = running.instances.get_mut(&instance) {
            found.spec.settings = settings;
        }
    }

    /// Answers a call. One that nobody waits for any more is not missed.
    pub fn answer(&self, call: CallNumber, outcome: Result<Value, Value>) {
        let CallNumber { instance, number } = call;
        let child = self
            .inner
            .running()
            .instances
            .get(&instance)
            .map(|found| Arc::clone(&found.child));
        if let Some(child) = child {
            let answer = ToChild::Answer {
                instance,
                number,
                outcome,
            };
            let _ = child.say(&answer, None);
        }
    }

    /// Gives what runs under one key another: the swap of logic. What ran under the other one is stopped.
    pub fn rename(&self, from: &Key, to: Key) -> bool {
        let mut running = self.inner.running();
        let Some(instance) = running.keys.remove(from) else {
            return false;
        };
        if let Some(found) = running.instances.get_mut(&instance) {
            found.key = to.clone();
        }
        if let Some(before) = running.keys.insert(to, instance) {
            running.stop(before);
        }
        true
    }

    /// Stops logic, whatever it does. The child goes with the last of its instances.
    pub fn stop(&self, key: &Key) {
        let mut running = self.inner.running();
        if let Some(instance) = running.keys.remove(key) {
            running.stop(instance);
        }
    }

    /// Whether logic runs under a key.
    pub fn is_running(&self, key: &Key) -> bool {
        self.inner.running().keys.contains_key(key)
    }

    /// The process that runs a publisher's logic, for figures of memory.
    pub fn process_of(&self, publisher: &str) -> Option<u32> {
        self.inner
            .running()
            .children
            .get(publisher)
            .map(|child| child.id())
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}
