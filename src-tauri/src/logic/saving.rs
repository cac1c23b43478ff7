//! States of logic on their way to the disk: the newest of each instance, on a thread of its own, so that nobody who
//! hears logic waits for a disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use moult_model::stage::SavedState;

use crate::app::Context;

/// The least time between the beginnings of two writes.
const GAP: Duration = Duration::from_millis(50);

/// What is to be written, and what was written or read last.
#[derive(Clone, Default)]
pub(super) struct Saving(Arc<(Mutex<Pending>, Condvar)>);

#[derive(Default)]
struct Pending {
    due: BTreeMap<String, SavedState>,
    last: BTreeMap<String, SavedState>,
    is_writing: bool,
    has_begun: bool,
}

impl Saving {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a state over; it is written soon.
    pub(super) fn put(&self, context: &Weak<Context>, instance: &str, state: &SavedState) {
        let mut pending = self.pending();
        if pending.last.insert(instance.to_owned(), state.clone()).as_ref() == Some(state) {
            return;
        }
        pending.due.insert(instance.to_owned(), state.clone());
        if !pending.has_begun {
            let (saving, context) = (self.clone(), context.clone());
            let begun = std::thread::Builder::new()
                .name("logic states".to_owned())
                .spawn(move || saving.run(&context));
            pending.has_begun = begun.is_ok();
        }
        self.0.1.notify_all();
    }

    /// The newest state of an instance, on the disk or on its way there.
    pub(super) fn latest(&self, context: &Context, instance: &str) -> Option<SavedState> {
        if let Some(state) = self.pending().last.get(instance) {
            return Some(state.clone());
        }
        let state = context.records.logic_state(instance)?;
        let mut pending = self.pending();
        Some(pending.last.entry(instance.to_owned()).or_insert(state).clone())
    }

    /// Another process may have written meanwhile: what was read counts no more.
    pub(super) fn forget(&self) {
        self.pending().last.clear();
    }

    /// Waits until all is on the disk, at most so long.
    pub(super) fn flush(&self, patience: Duration) {
        let pending = self.pending();
        let busy = |pending: &mut Pending| !pending.due.is_empty() || pending.is_writing;
        let (pending, _) = self
            .0
            .1
            .wait_timeout_while(pending, patience, busy)
            .unwrap_or_else(PoisonError::into_inner);
        if !pending.due.is_empty() {
            tracing::warn!("states of widgets' logic were not written in time; those before stand");
        }
    }

    fn run(&self, context: &Weak<Context>) {
        loop {
            let mut pending = self.pending();
            while pending.due.is_empty() {
                pending = self.0.1.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            let due = std::mem::take(&mut pending.due);
            pending.is_writing = true;
            drop(pending);
            let Some(context) = context.upgrade() else { return };
            for (instance, state) in due {
                if let Err(error) = context.records.save_logic_state(&instance, &state) {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        instance,
                        "the state of logic was not saved"
                    );
                }
            }
            drop(context);
            self.pending().is_writing = false;
            self.0.1.notify_all();
            std::thread::sleep(GAP);
        }
    }
}
