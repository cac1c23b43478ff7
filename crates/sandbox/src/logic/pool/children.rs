//! What runs where: the children, the instances in them, and what they are asked. What follows from what they say is
//! in [`hearing`](super::hearing).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use moult_model::Digest;
use serde_json::Value;

use super::{Key, Listener, LogicError, Outcome, Spec};
use crate::logic::cache::Cache;
use crate::logic::effort::Task;
use crate::logic::process::{self, Child, ProcessError};
use crate::logic::restart::Restarts;
use crate::logic::wire::{InstanceNumber, Number, ToChild};
use crate::logic::{Fault, FaultKind};

/// Memory that one child may account for, in bytes. Its instances' limits are below; what the engine takes comes on top.
const CHILD_MEMORY: u64 = 384 << 20;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// A call into logic that is not answered after this long is not going to be: its own budget ended long before, and so
/// did any call that it made.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a start may take.
const START: Duration = Duration::from_secs(10);

/// Compiled code, and the component that it was made of.
pub(super) struct Code {
    of: Digest,
    bytes: Vec<u8>,
}

pub(super) struct Inner {
    pub(super) program: PathBuf,
    pub(super) cache: Option<Cache>,
    pub(super) engine: Mutex<Option<String>>,
    pub(super) listener: Box<dyn Listener>,
    pub(super) running: Mutex<Running>,
}

#[derive(Default)]
pub(super) struct Running {
    pub(super) children: HashMap<String, Arc<Child>>,
    pub(super) keys: HashMap<Key, InstanceNumber>,
    pub(super) instances: HashMap<InstanceNumber, Instance>,
    pub(super) last: InstanceNumber,
}

pub(super) struct Instance {
    pub(super) key: Key,
    pub(super) child: Arc<Child>,
    pub(super) spec: Spec,
    pub(super) restarts: Restarts,
    pub(super) questions: HashMap<Number, SyncSender<Outcome>>,
    pub(super) starting: Option<SyncSender<Outcome>>,
    pub(super) last: Number,
    /// The snapshot that was asked for and has not come, and whether something happened since.
    pub(super) snapshot: Option<Number>,
    pub(super) is_stale: bool,
}

impl Running {
    pub(super) fn stop(&mut self, instance: InstanceNumber) {
        let Some(mut gone) = self.instances.remove(&instance) else {
            return;
        };
        let _ = gone.child.say(&ToChild::Stop { instance }, None);
        gone.release(&LogicError::NotRunning);
        self.let_go(&gone.key.publisher);
    }

    /// Ends a publisher's child if nothing runs in it.
    pub(super) fn let_go(&mut self, publisher: &str) {
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
    pub(super) fn release(&mut self, why: &LogicError) {
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
    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The compiled code of a component: kept from before, or made now.
    pub(super) fn code(&self, component: &[u8]) -> Result<Code, LogicError> {
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
            return Ok(Code {
                of: digest,
                bytes: code,
            });
        }
        let compiled = process::compile(&self.program, component)??;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.put(&digest, &compiled.engine, &compiled.code)
        {
            tracing::warn!(%error, "compiled logic could not be kept and will be compiled again");
        }
        Ok(Code {
            of: digest,
            bytes: compiled.code,
        })
    }

    /// Starts an instance, and waits until it has, if anybody does. Its code is not held here: it may be large, and is in
    /// the cache when it starts again.
    pub(super) fn launch(
        self: &Arc<Self>,
        key: Key,
        spec: Spec,
        code: &Code,
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
            component: code.of,
            limits: spec.limits,
            settings: spec.settings,
            state: spec.state,
            schema: spec.schema,
        };
        let said = child.say(&start, Some(&code.bytes)).map_err(LogicError::Process);
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
        let child = Arc::new(Child::start(&self.program, Task::Run, move |heard| {
            if let Some(inner) = inner.upgrade() {
                inner.heard(&name, known.get().copied(), heard);
            }
        })?);
        let _ = number.set(child.id());
        running.children.insert(publisher.to_owned(), Arc::clone(&child));
        Ok(child)
    }

    pub(super) fn ask(
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

    pub(super) fn await_answer(
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
    pub(super) fn want_snapshot(&self, instance: InstanceNumber) {
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
}

pub(super) fn watch_memory(inner: &Weak<Inner>) {
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

pub(super) fn bad_answer(detail: &str) -> Fault {
    Fault {
        kind: FaultKind::BadAnswer,
        detail: detail.to_owned(),
    }
}
