//! What follows from what a child says, and from its end. Whatever becomes of a child, whoever waits is told, and what
//! failed starts again from its last snapshot.

use std::sync::Arc;
use std::time::Instant;

use moult_model::stage::SavedState;
use serde_json::Value;

use super::children::{Inner, Instance};
use super::{CallNumber, Key, LogicError};
use crate::logic::process::Heard;
use crate::logic::restart::Decision;
use crate::logic::wire::{FromChild, InstanceNumber, Number};
use crate::logic::{Fault, FaultKind};

impl Inner {
    pub(super) fn heard(self: &Arc<Self>, publisher: &str, child: Option<u32>, heard: Heard) {
        let message = match heard {
            Heard::Said(message, _) => message,
            Heard::Ended => return self.ended(publisher, child),
        };
        match message {
            FromChild::Hello { confined, .. } => {
                tracing::info!(publisher, ?confined, "a process for widget logic began");
            }
            FromChild::Started { instance } => self.started(instance),
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

    fn started(&self, instance: InstanceNumber) {
        let mut running = self.running();
        let Some(found) = running.instances.get_mut(&instance) else {
            return;
        };
        if let Some(waiting) = found.starting.take() {
            let _ = waiting.try_send(Ok(Value::Null));
            return;
        }
        let key = found.key.clone();
        drop(running);
        self.listener.restarted(&key);
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
        if number.is_some() && found.snapshot == number {
            tracing::warn!(key = ?found.key, reason, "a snapshot was not taken; the one before is kept");
            (found.snapshot, found.is_stale) = (None, false);
            return;
        }
        let waiting = match number {
            Some(number) => found.questions.remove(&number),
            None => found.starting.take(),
        };
        if number.is_none() && waiting.is_none() {
            // Started again by itself, and it does not want what it kept: nobody waits, and nothing runs.
            let key = found.key.clone();
            running.keys.remove(&key);
            running.instances.remove(&instance);
            running.let_go(&key.publisher);
            drop(running);
            let fault = Fault {
                kind: FaultKind::BadAnswer,
                detail: format!("it refused its own snapshot: {reason}"),
            };
            return self.listener.failed(&key, &fault, true);
        }
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
            key, spec, restarts, ..
        } = gone;
        let inner = Arc::downgrade(self);
        // Not on the thread that hears the child: the start is answered there.
        let again = move || {
            std::thread::sleep(pause);
            let Some(inner) = inner.upgrade() else { return };
            let code = inner.code(&spec.component);
            if inner.running().keys.get(&key) != Some(&instance) {
                return;
            }
            let launched = code.and_then(|code| inner.launch(key.clone(), spec, &code, restarts, false));
            if let Err(error) = launched {
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
