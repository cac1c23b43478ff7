//! This process takes over from an older version whose window stands: what the hand-over asks of it.
//!
//! Until it has the right to write it only reads, and its window lies under the other one. It refuses to know the
//! order of the steps and what happens when one fails; that is `moult-handover`'s.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::link::ToLauncher;
use moult_handover::{Leaving, New, Successor, Taken, Taker};
use moult_model::stage::{Carried, CarriedKey, StageEvent};
use serde_json::Value;

use crate::app::{Context, tell};
use crate::{local_api, overview, window, writing};

/// How long the frames may take to restore what they are given.
const RESTORE: Duration = Duration::from_millis(1200);
/// How long two frames on the screen may take.
const PAINT: Duration = Duration::from_millis(500);

/// The take-over that is under way.
#[derive(Default)]
pub(crate) struct Present {
    successor: Mutex<Option<Successor>>,
    under_way: AtomicBool,
}

impl Present {
    /// Whether this process still lies under another one.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Acquire)
    }

    fn with(&self, act: impl FnOnce(&Successor)) {
        if let Some(successor) = &*self.successor.lock().unwrap_or_else(PoisonError::into_inner) {
            act(successor);
        }
    }
}

/// Begins to take over. The window is built already.
pub(crate) fn begin(context: &Arc<Context>, taker: Taker) {
    context.take_over.under_way.store(true, Ordering::Release);
    let new = Beginner {
        context: Arc::clone(context),
        focus: true,
    };
    match taker.run(new) {
        Ok(successor) => {
            *context
                .take_over
                .successor
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(successor);
            let context = Arc::clone(context);
            tauri::async_runtime::spawn(async move {
                context.stage.settled().await;
                tracing::info!("is ready to take over");
                context.take_over.with(Successor::ready);
            });
        }
        // Without the thread nothing is handed over; the other process ends this one at its limit.
        Err(error) => tracing::error!(%error, "can't take over"),
    }
}

/// Something that takes long goes on: the older version waits for it.
pub(crate) fn progress(context: &Context, what: &str) {
    context.take_over.with(|successor| successor.progress(what));
}

/// The launcher is gone.
pub(crate) fn launcher_gone(context: &Context) {
    context.take_over.with(Successor::launcher_gone);
}

/// This process, as the hand-over sees it.
struct Beginner {
    context: Arc<Context>,
    focus: bool,
}

impl Beginner {
    fn take_all(&self, taken: Taken) -> anyhow::Result<()> {
        let context = &self.context;
        writing::begin(context, taken.right)?;
        writing::update(context)?;
        match taken.endpoint {
            Some(endpoint) => local_api::serve(context, endpoint),
            None => local_api::open(context),
        }
        overview::announce(context);
        if let Some(last) = taken.last {
            let carried: Carried = serde_json::from_value(last.snapshots).unwrap_or_else(|error| {
                // The older version saved the same to the disk; what is lost is the caret.
                tracing::error!(%error, "what the older version had is not understood");
                Carried::default()
            });
            tauri::async_runtime::block_on(context.stage.carry(carried, RESTORE));
        }
        window::rise(context, self.focus).context("the window could not be raised")?;
        // Two more frames, now on top.
        tauri::async_runtime::block_on(context.stage.carry(Carried::default(), PAINT));
        Ok(())
    }
}

impl New for Beginner {
    fn take(&mut self, taken: Taken) {
        match self.take_all(taken) {
            Ok(()) => {
                tracing::info!("stands on top");
                self.context.take_over.with(Successor::raised);
            }
            // Not raised in time: the older version takes everything back.
            Err(error) => tracing::error!(error = format!("{error:#}"), "could not take over"),
        }
    }

    fn keys(&mut self, keys: Vec<Value>) {
        let keys: Vec<CarriedKey> = keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect();
        if !keys.is_empty() {
            self.context.stage.send(&StageEvent::Keys { keys });
        }
    }

    fn claim(&mut self) {
        tell(&self.context, &ToLauncher::TookOver);
    }

    fn alone(&mut self) {
        self.context.take_over.under_way.store(false, Ordering::Release);
        overview::announce(&self.context);
        tracing::info!("has taken over");
    }

    fn leave(&mut self, why: Leaving) {
        tracing::warn!(%why, "is not needed");
        let right = tauri::async_runtime::block_on(writing::end(&self.context, RESTORE));
        drop(right);
        window::hide(&self.context);
        if let Some(handle) = self.context.handle.get() {
            handle.exit(0);
        }
    }
}
