//! The logic of all widgets: one child process per publisher, started when it is needed and ended when nothing of
//! that publisher runs. Whatever becomes of a child, whoever asks gets an answer, and what failed starts again
//! from its last snapshot.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use moult_model::Digest;
use moult_model::stage::SavedState;
use serde_json::Value;

use super::cache::Cache;
use super::process::{self, Child, Heard, ProcessError};
use super::restart::{Decision, Restarts};
use super::wire::{FromChild, InstanceNumber, Number, ToChild};
use super::{Fault, FaultKind, Limits};

/// Memory that one child may account for, in bytes. Its instances' limits are below; what the engine takes comes on top.
const CHILD_MEMORY: u64 = 384 << 20;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A call into logic that is not answered after this long is not going to be: its own budget ended long before, and so
/// did any call that it made.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a start may take.
const START: Duration = Duration::from_secs(10);

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

type Outcome = Result<Value, LogicError>;

/// All logic that runs.
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    program: PathBuf,
    cache: Option<Cache>,
    engine: Mutex<Option<String>>,
    listener: Box<dyn Listener>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    children: HashMap<String, Arc<Child>>,
    keys: HashMap<Key, InstanceNumber>,
    instances: HashMap<InstanceNumber, Instance>,
    last: InstanceNumber,
}

struct Instance {
    key: Key,
    child: Arc<Child>,
    spec: Spec,
    code: Arc<[u8]>,
    restarts: Restarts,
    questions: HashMap<Number, SyncSender<Outcome>>,
    starting: Option<SyncSender<Outcome>>,
    last: Number,
    /// The snapshot that was asked for and has not come, and whether something happened since.
    snapshot: Option<Number>,
    is_stale: bool,
}

impl Pool {
    /// A pool whose children are this program, with compiled code kept in this cache.
    pub fn new(program: PathBuf, cache: Option<Cache>, listener: Box<dyn Listener>) -> std::io::Result<Self> {
        let inner = Arc::new(Inner {
            program,
            cache,
            engine: Mutex::default(),
            listener,
            running: Mutex::default(),
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
            .launch(key.clone(), spec, &code.into(), Restarts::default(), true)?;
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

impl Running {
    fn stop(&mut self, instance: InstanceNumber) {
        let Some(mut gone) = self.instances.remove(&instance) else {
            return;
        };
        let _ = gone.child.say(&ToChild::Stop { instance }, None);
        gone.release(&LogicError::NotRunning);
        self.let_go(&gone.key.publisher);
    }

    /// Ends a publisher's child if nothing runs in it.
    fn let_go(&mut self, publisher: &str) {
        if !self
            .instances
            .values()
            .any(|instance| instance.key.publisher == publisher)
        {
            self.children.remove(publisher);
        }
    }
}

impl Instance {
    /// Tells all who wait that nothing comes.
    fn release(&mut self, why: &LogicError) {
        for waiting in self
            .questions
            .drain()
            .map(|(_, waiting)| waiting)
            .chain(self.starting.take())
        {
            let error = match why {
                LogicError::Failed(fault) => LogicError::Failed(fault.clone()),
                LogicError::Refused(reason) => LogicError::Refused(reason.clone()),
                _ => LogicError::NotRunning,
            };
            let _ = waiting.try_send(Err(error));
        }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The compiled code of a component: kept from before, or made now.
    fn code(&self, component: &[u8]) -> Result<Vec<u8>, LogicError> {
        let digest = Digest::of(component);
        let engine = {
            let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
            if engine.is_none() {
                *engine = process::introduce(&self.program)?.map(|(name, _)| name);
            }
            engine.clone()
        };
        let kept = self.cache.as_ref().zip(engine.as_deref());
        if let Some(code) = kept.and_then(|(cache, engine)| cache.get(&digest, engine)) {
            return Ok(code);
        }
        let compiled = process::compile(&self.program, component)??;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.put(&digest, &compiled.engine, &compiled.code)
        {
            tracing::warn!(%error, "compiled logic could not be kept and will be compiled again");
        }
        Ok(compiled.code)
    }

    /// Starts an instance, and waits until it has, if anybody does.
    fn launch(
        self: &Arc<Self>,
        key: Key,
        spec: Spec,
        code: &Arc<[u8]>,
        restarts: Restarts,
        wait: bool,
    ) -> Result<InstanceNumber, LogicError> {
        let (tell, told) = sync_channel(1);
        let (child, instance) = {
            let mut running = self.running();
            let child = self.child(&mut running, &key.publisher)?;
            running.last += 1;
            let instance = running.last;
            let fresh = Instance {
                key: key.clone(),
                child: Arc::clone(&child),
                spec: spec.clone(),
                code: Arc::clone(code),
                restarts,
                questions: HashMap::new(),
                starting: wait.then_some(tell),
                last: 0,
                snapshot: None,
                is_stale: false,
            };
            running.instances.insert(instance, fresh);
            if !wait {
                running.keys.insert(key, instance);
            }
            (child, instance)
        };
        let start = ToChild::Start {
            instance,
            limits: spec.limits,
            settings: spec.settings,
            state: spec.state,
            schema: spec.schema,
        };
        let said = child.say(&start, Some(code)).map_err(LogicError::Process);
        let outcome = match (said, wait) {
            (Err(error), _) => Err(error),
            (Ok(()), false) => Ok(Value::Null),
            (Ok(()), true) => told
                .recv_timeout(START)
                .unwrap_or_else(|_| Err(timed_out("it did not start"))),
        };
        if let Err(error) = outcome {
            self.running().stop(instance);
            return Err(error);
        }
        Ok(instance)
    }

    /// The publisher's child, started if there is none.
    fn child(self: &Arc<Self>, running: &mut Running, publisher: &str) -> Result<Arc<Child>, ProcessError> {
        if let Some(child) = running.children.get(publisher) {
            return Ok(Arc::clone(child));
        }
        let (inner, name) = (Arc::downgrade(self), publisher.to_owned());
        // The number is known only once it runs; what it says before is its hello.
        let number = Arc::new(std::sync::OnceLock::new());
        let known = Arc::clone(&number);
        let child = Arc::new(Child::start(&self.program, "run", move |heard| {
            if let Some(inner) = inner.upgrade() {
                inner.heard(&name, known.get().copied(), heard);
            }
        })?);
        let _ = number.set(child.id());
        running.children.insert(publisher.to_owned(), Arc::clone(&child));
        Ok(child)
    }

    fn ask(
        &self,
        key: &Key,
        question: impl FnOnce(InstanceNumber, Number) -> ToChild,
    ) -> Result<(InstanceNumber, Number, std::sync::mpsc::Receiver<Outcome>), LogicError> {
        let (tell, told) = sync_channel(1);
        let mut running = self.running();
        let instance = *running.keys.get(key).ok_or(LogicError::NotRunning)?;
        let found = running
            .instances
            .get_mut(&instance)
            .ok_or(LogicError::NotRunning)?;
        found.last += 1;
        let number = found.last;
        found.questions.insert(number, tell);
        let child = Arc::clone(&found.child);
        drop(running);
        child.say(&question(instance, number), None)?;
        Ok((instance, number, told))
    }

    fn await_answer(
        &self,
        instance: InstanceNumber,
        number: Number,
        told: &std::sync::mpsc::Receiver<Outcome>,
    ) -> Outcome {
        match told.recv_timeout(PATIENCE) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(LogicError::NotRunning),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(found) = self.running().instances.get_mut(&instance) {
                    found.questions.remove(&number);
                }
                Err(timed_out("it gave no answer"))
            }
        }
    }

    /// Asks for a snapshot after something happened; while one is on its way, for one more when it has come.
    fn want_snapshot(&self, instance: InstanceNumber) {
        let mut running = self.running();
        let Some(found) = running.instances.get_mut(&instance) else {
            return;
        };
        if found.snapshot.is_some() {
            found.is_stale = true;
            return;
        }
        found.last += 1;
        let number = found.last;
        (found.snapshot, found.is_stale) = (Some(number), false);
        let child = Arc::clone(&found.child);
        drop(running);
        let _ = child.say(&ToChild::Snapshot { instance, number }, None);
    }

    fn heard(self: &Arc<Self>, publisher: &str, child: Option<u32>, heard: Heard) {
        let message = match heard {
            Heard::Said(message, _) => message,
            Heard::Ended => return self.ended(publisher, child),
        };
        match message {
            FromChild::Hello { confined, .. } => {
                tracing::info!(publisher, ?confined, "a process for widget logic began");
            }
            FromChild::Started { instance } => {
                if let Some(found) = self.running().instances.get_mut(&instance)
                    && let Some(waiting) = found.starting.take()
                {
                    let _ = waiting.try_send(Ok(Value::Null));
                }
            }
            FromChild::Done {
                instance,
                number,
                value,
            } => self.done(instance, number, value),
            FromChild::Refused {
                instance,
                number,
                reason,
            } => self.refused(instance, number, reason),
            FromChild::Failed { instance, fault } => self.failed(instance, &fault),
            FromChild::Call {
                instance,
                number,
                capability,
                request,
            } => {
                if let Some(key) = self.key_of(instance) {
                    self.listener
                        .call(&key, CallNumber { instance, number }, &capability, request);
                }
            }
            FromChild::Said { instance, event } => {
                if let Some(key) = self.key_of(instance) {
                    self.listener.said(&key, event);
                }
            }
            FromChild::Logged { instance, line } => {
                if let Some(key) = self.key_of(instance) {
                    self.listener.logged(&key, &line);
                }
            }
            FromChild::Compiled | FromChild::NotCompiled { .. } => {}
        }
    }

    fn key_of(&self, instance: InstanceNumber) -> Option<Key> {
        Some(self.running().instances.get(&instance)?.key.clone())
    }

    fn done(&self, instance: InstanceNumber, number: Number, value: Value) {
        let mut running = self.running();
        let Some(found) = running.instances.get_mut(&instance) else {
            return;
        };
        if found.snapshot != Some(number) {
            let waiting = found.questions.remove(&number);
            drop(running);
            if let Some(waiting) = waiting {
                let _ = waiting.try_send(Ok(value));
            }
            return;
        }
        found.snapshot = None;
        let again = found.is_stale;
        let Ok(state) = serde_json::from_value::<SavedState>(value) else {
            return;
        };
        let is_new = found.spec.state.as_ref() != Some(&state);
        let key = found.key.clone();
        found.spec.state = Some(state.clone());
        drop(running);
        if is_new {
            self.listener.snapshot(&key, &state);
        }
        if again {
            self.want_snapshot(instance);
        }
    }

    fn refused(&self, instance: InstanceNumber, number: Option<Number>, reason: String) {
        let mut running = self.running();
        let Some(found) = running.instances.get_mut(&instance) else {
            return;
        };
        let waiting = match number {
            Some(number) => found.questions.remove(&number),
            None => found.starting.take(),
        };
        drop(running);
        if let Some(waiting) = waiting {
            let _ = waiting.try_send(Err(LogicError::Refused(reason)));
        }
    }

    /// An instance is over. One that was starting is its starter's affair; any other starts again, or stays off.
    fn failed(self: &Arc<Self>, instance: InstanceNumber, fault: &Fault) {
        let mut running = self.running();
        let Some(mut gone) = running.instances.remove(&instance) else {
            return;
        };
        let was_starting = gone.starting.is_some();
        gone.release(&LogicError::Failed(fault.clone()));
        if was_starting {
            running.let_go(&gone.key.publisher);
            return;
        }
        let decision = gone.restarts.failed(Instant::now());
        if decision == Decision::GiveUp {
            running.keys.remove(&gone.key);
            running.let_go(&gone.key.publisher);
        }
        drop(running);
        self.listener
            .failed(&gone.key, fault, decision == Decision::GiveUp);
        let Decision::Again(pause) = decision else { return };
        let Instance {
            key,
            spec,
            code,
            restarts,
            ..
        } = gone;
        let inner = Arc::downgrade(self);
        // Not on the thread that hears the child: the start is answered there.
        let again = move || {
            std::thread::sleep(pause);
            let Some(inner) = inner.upgrade() else { return };
            let is_wanted = inner.running().keys.get(&key) == Some(&instance);
            if is_wanted && let Err(error) = inner.launch(key.clone(), spec, &code, restarts, false) {
                tracing::error!(%error, ?key, "logic could not be started again");
                inner.running().keys.remove(&key);
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("logic restart".to_owned())
            .spawn(again)
        {
            tracing::error!(%error, "logic could not be started again");
        }
    }

    /// A child ended. All that ran in it failed by that.
    fn ended(self: &Arc<Self>, publisher: &str, child: Option<u32>) {
        let lost: Vec<InstanceNumber> = {
            let mut running = self.running();
            if running.children.get(publisher).map(|known| known.id()) == child {
                running.children.remove(publisher);
            }
            let of_it = |(number, instance): (&InstanceNumber, &Instance)| {
                (Some(instance.child.id()) == child).then_some(*number)
            };
            running.instances.iter().filter_map(of_it).collect()
        };
        for instance in lost {
            let fault = Fault {
                kind: FaultKind::ProcessEnded,
                detail: "the process that ran it ended".to_owned(),
            };
            self.failed(instance, &fault);
        }
    }
}

fn watch_memory(inner: &Weak<Inner>) {
    loop {
        std::thread::sleep(LOOK);
        let Some(inner) = inner.upgrade() else { return };
        let children: Vec<_> = inner.running().children.values().cloned().collect();
        for child in children {
            if child.memory().is_some_and(|bytes| bytes > CHILD_MEMORY) {
                tracing::warn!(
                    child = child.id(),
                    "widget logic took too much memory; its process is ended"
                );
                child.kill();
            }
        }
    }
}

fn timed_out(what: &str) -> LogicError {
    LogicError::Failed(Fault {
        kind: FaultKind::TimedOut,
        detail: what.to_owned(),
    })
}

fn bad_answer(detail: &str) -> Fault {
    Fault {
        kind: FaultKind::BadAnswer,
        detail: detail.to_owned(),
    }
}
