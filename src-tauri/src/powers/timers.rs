//! Timers of widgets' logic, carried out: kept on the disk, and told to the logic when they go off.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moult_model::{ErrorCode, Problem, Subject};
use moult_sandbox::{Capability, Timers};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::app::Context;
use crate::loads::LiveLoad;

/// The clock is looked at this often at least: it may be set, and a computer may sleep.
const LOOK: Duration = Duration::from_secs(30);

/// The timers that run.
#[derive(Default)]
pub(crate) struct Running {
    timers: Mutex<Timers>,
    changed: Notify,
}

impl Running {
    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn set(context: &Context, load: &LiveLoad, name: &str, after_ms: u64) -> Result<Value, Problem> {
    if load.bundle.manifest().entry.logic.is_none() {
        return Err(refused(
            ErrorCode::InvalidRequest,
            "A timer wakes the widget's logic, and it has none.",
            "the manifest names no `entry.logic`",
        ));
    }
    change(context, |timers| {
        let instance = load.instance.as_deref().unwrap_or_default();
        timers.set(instance, name, after_ms, now()).map_err(|error| {
            refused(
                ErrorCode::TooMany,
                "The widget has as many timers as it may.",
                &error.to_string(),
            )
        })
    })
}

pub(super) fn clear(context: &Context, load: &LiveLoad, name: &str) -> Result<Value, Problem> {
    change(context, |timers| {
        timers.clear(load.instance.as_deref().unwrap_or_default(), name);
        Ok(())
    })
}

/// Changes the timers if that can be kept.
fn change(
    context: &Context,
    change: impl FnOnce(&mut Timers) -> Result<(), Problem>,
) -> Result<Value, Problem> {
    let running = &context.powers.timers;
    let mut timers = running.timers();
    let mut next = timers.clone();
    change(&mut next)?;
    if next != *timers {
        context.records.save_timers(&next).map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), "a timer could not be kept");
            let happened = "The timer could not be kept.";
            Problem::new(ErrorCode::DiskFailed, happened, error.as_ref()).kept("Those before run.")
        })?;
        *timers = next;
        running.changed.notify_one();
    }
    Ok(Value::Null)
}

/// Begins to run timers: those that were kept, and from now on those that are set. Ends when this process may not write.
pub(crate) fn begin(context: &Arc<Context>) {
    *context.powers.timers.timers() = context.records.timers();
    let watched = Arc::downgrade(context);
    tauri::async_runtime::spawn(async move {
        loop {
            let Some(context) = watched.upgrade() else { return };
            if !context.writing.holds_right() {
                return;
            }
            let next = context.powers.timers.timers().next();
            let wait = next.map_or(LOOK, |at| {
                Duration::from_millis(at.saturating_sub(now())).min(LOOK)
            });
            let _ = tokio::time::timeout(wait, context.powers.timers.changed.notified()).await;
            if context.writing.holds_right() {
                go_off(&context);
            }
        }
    });
}

/// Tells those that are due to their logic.
fn go_off(context: &Arc<Context>) {
    let due = {
        let mut timers = context.powers.timers.timers();
        let mut next = timers.clone();
        let mut due = next.due(now());
        if due.is_empty() {
            return;
        }
        // One whose widget is not loaded yet waits for it.
        let tiles = context.records.board().tiles;
        due.retain(|due| {
            let is_loaded = context.live.token(&due.instance).is_some();
            if !is_loaded && tiles.iter().any(|tile| tile.instance == due.instance) {
                let _ = next.set(&due.instance, &due.name, 1_000, now());
            }
            is_loaded
        });
        if let Err(error) = context.records.save_timers(&next) {
            // It goes off once more after a restart, which is better than not at all.
            tracing::warn!(
                error = format!("{error:#}"),
                "a timer that went off is still kept"
            );
        }
        *timers = next;
        due
    };
    let _order = context.logic.in_order();
    for due in due {
        let load = context
            .live
            .token(&due.instance)
            .and_then(|token| context.loads.by_token(&token));
        let Some(load) = load else { continue };
        let Subject::Widget(widget) = &load.subject else {
            continue;
        };
        if !context.records.grants().allows(widget, Capability::Timers.name()) {
            tracing::warn!(%widget, name = due.name, "a timer is not told: it is not allowed any more");
            continue;
        }
        drop(
            context
                .logic
                .ask(&load.token, json!({ "kind": "timer", "name": due.name })),
        );
    }
}

fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn refused(code: ErrorCode, happened: &str, detail: &str) -> Problem {
    Problem {
        code,
        happened: happened.to_owned(),
        kept: "The timers before run.".to_owned(),
        advice: None,
        detail: detail.to_owned(),
    }
}
