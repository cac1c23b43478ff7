//! The logic of the widgets on the board: one child process per publisher, a seat for each load whose bundle has logic.
//!
//! It joins the pool of `moult-sandbox` with the board: [`program`] is what the children run, [`seat`] one load's logic,
//! [`listener`] what logic says by itself, [`swap`] the change from one version to the next, [`shadow`] a version that runs beside
//! the live one first, [`saving`] states on their way to the disk, [`notices`] what the user is told. It refuses to know WebAssembly, and what a capability means.

mod listener;
mod notices;
mod problems;
mod program;
mod saving;
mod seat;
pub(crate) mod shadow;
pub(crate) mod swap;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use moult_model::stage::{LogicNotice, SavedState, SwapFailure};
use moult_model::{Problem, Subject};
use moult_sandbox::logic::cache::Cache;
use moult_sandbox::logic::pool::{LogicError, Pool};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::app::Context;
use crate::loads::LiveLoad;
use crate::{host, overview};
use notices::Notices;
use saving::Saving;
use seat::{Order, Seat};

/// Logic that nothing happened to for so long is ended, and starts again when something does.
const IDLE: Duration = Duration::from_mins(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_mins(1);
/// How long the last states may take when the application ends.
const FLUSH: Duration = Duration::from_millis(500);

/// All logic that runs.
#[derive(Default)]
pub(crate) struct Logic {
    context: OnceLock<Weak<Context>>,
    pool: OnceLock<Option<Pool>>,
    seats: Mutex<HashMap<String, Arc<Seat>>>,
    notices: Notices,
    saving: Saving,
    /// The runs of versions beside the live ones.
    shadows: shadow::Shadows,
    /// What another process left was taken over.
    has_begun: AtomicBool,
    /// Held while something is handed to several, and while one version takes over from another: what comes meanwhile
    /// comes before it for both, or after it for both.
    order: Mutex<()>,
}

impl Logic {
    /// Tells whose it is. To be called once, before anything is loaded.
    pub(crate) fn attach(&self, context: &Arc<Context>) {
        // A second time nothing else could be meant.
        let _ = self.context.set(Arc::downgrade(context));
    }

    fn context(&self) -> Weak<Context> {
        self.context.get().cloned().unwrap_or_default()
    }

    /// The pool, made when it is first needed. None: there is no program to run logic with.
    fn pool(&self, context: &Context) -> Option<&Pool> {
        let make = || -> anyhow::Result<Pool> {
            let program = program::find(&context.places)?;
            let cache = Cache::open(&context.places.data.join("logic").join("cache"))
                .inspect_err(|error| tracing::warn!(%error, "compiled logic is not kept"))
                .ok();
            tracing::info!(program = %program.display(), "widgets' logic can run");
            let listener = listener::Hearing(self.context());
            Ok(Pool::new(program, cache, Box::new(listener))?)
        };
        let pool = self.pool.get_or_init(|| {
            make()
                .inspect_err(|error| {
                    tracing::error!(error = format!("{error:#}"), "no logic of any widget runs");
                })
                .ok()
        });
        pool.as_ref()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<String, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seat(&self, token: &str) -> Option<Arc<Seat>> {
        self.seats().get(token).cloned()
    }

    /// Nothing is handed to anybody as long as this is held.
    pub(crate) fn in_order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the live version's logic was answered in this place, for one that runs beside it.
    pub(crate) fn shadows(&self) -> &shadow::Shadows {
        &self.shadows
    }

    /// A load was opened. If its bundle has logic, there is a seat for it now, which nobody has started.
    pub(crate) fn open(&self, load: &LiveLoad) {
        if let Some(seat) = Seat::open(&self.context(), load) {
            self.seats().insert(load.token.clone(), seat);
        }
    }

    /// Starts the logic of a load in a place of its own, if it has any.
    pub(crate) fn begin(&self, token: &str) {
        if let Some(seat) = self.seat(token) {
            let (done, _) = oneshot::channel();
            seat.tell(Order::Begin { state: None, done });
        }
    }

    /// A load is gone, and its logic with it.
    pub(crate) fn close(&self, token: &str) {
        let gone = self.seats().remove(token);
        if let (Some(seat), Some(Some(pool))) = (gone, self.pool.get()) {
            pool.stop(&seat.key);
        }
    }

    /// The page that held all frames is new.
    pub(crate) fn close_all(&self) {
        let tokens: Vec<String> = self.seats().keys().cloned().collect();
        for token in tokens {
            self.close(&token);
        }
    }

    /// Has the logic of a load handle an event. What comes meanwhile waits; none: it has no logic.
    pub(crate) fn ask(&self, token: &str, event: Value) -> Option<oneshot::Receiver<Result<Value, Problem>>> {
        Some(self.seat(token)?.handle(event))
    }

    /// The user changed the settings of an instance.
    pub(crate) fn set_settings(&self, context: &Context, instance: &str) {
        let seats: Vec<_> = self.seats().values().cloned().collect();
        for seat in seats
            .iter()
            .filter(|seat| seat.load.instance.as_deref() == Some(instance))
        {
            let settings = host::settings(context, Some(instance), &seat.load.bundle);
            seat.tell(Order::Settings(Value::Object(settings)));
        }
    }

    /// Starts logic that stays off.
    pub(crate) fn start_again(&self, context: &Context, instance: &str) {
        let seat = context.live.token(instance).and_then(|token| self.seat(&token));
        if let Some(seat) = seat {
            seat.flags().is_off.store(false, Ordering::Release);
            self.notices.clear(instance);
            self.begin(&seat.load.token);
        }
    }

    /// What the user is told of logic that does not run as it should.
    pub(crate) fn notices(&self) -> Vec<LogicNotice> {
        self.notices.all()
    }

    /// Whether a load is the confirmed one in its place: only its state is kept.
    fn is_confirmed(context: &Context, load: &LiveLoad) -> bool {
        context.stage.standing(load.instance.as_deref()).as_ref() == Some(&load.token)
    }

    fn latest(&self, context: &Context, instance: &str) -> Option<SavedState> {
        self.saving.latest(context, instance)
    }

    fn keep(&self, load: &LiveLoad, state: &SavedState) {
        if let Some(instance) = &load.instance {
            self.saving.put(&self.context(), instance, state);
        }
    }

    fn notice(&self, load: &LiveLoad, problem: Problem, off: bool) {
        let Some(instance) = load.instance.clone() else {
            return;
        };
        self.notices.add(
            &self.context(),
            LogicNotice {
                instance,
                off,
                problem,
            },
        );
        self.announce();
    }

    fn recovered(&self, load: &LiveLoad) {
        if let Some(instance) = &load.instance {
            self.notices.recovered(&self.context(), instance);
        }
    }

    fn failed_to_start(&self, load: &LiveLoad, error: &LogicError) {
        let Some(context) = self.context().upgrade() else {
            return;
        };
        if Self::is_confirmed(&context, load) {
            self.notice(
                load,
                problems::of(error)
                    .advice("Start it again from the widget's menu, or wait for a new version."),
                true,
            );
        }
        if let Some(seat) = self.seat(&load.token) {
            seat.flags().blame(problems::failure(error));
        }
    }

    fn announce(&self) {
        if let Some(context) = self.context().upgrade() {
            overview::announce(&context);
        }
    }

    /// What a version did wrong before it was confirmed.
    fn fault(&self, token: &str) -> Option<SwapFailure> {
        self.seat(token)?.flags().fault()
    }
}

/// A page calls its own logic.
pub(crate) async fn call(context: &Context, load: &LiveLoad, event: Value) -> Result<Value, Problem> {
    let answer = context.logic.ask(&load.token, event).ok_or_else(problems::none)?;
    answer.await.unwrap_or_else(|_| Err(problems::gone()))
}

/// From now on this process may write: what another one left counts, and what is idle is ended.
pub(crate) fn begin(context: &Arc<Context>) {
    let logic = &context.logic;
    program::tidy(&context.places);
    // A process that goes on after a hand-over that came to nothing has the newest states itself.
    if !logic.has_begun.swap(true, Ordering::AcqRel) {
        take_over_states(context);
    }
    let watched = Arc::downgrade(context);
    tauri::async_runtime::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(context) = watched.upgrade() else { return };
            if !context.writing.holds_right() {
                return;
            }
            rest(&context, IDLE);
        }
    });
}

/// Ends logic that nothing happened to for so long; it starts again when something does.
pub(crate) fn rest(context: &Context, unused_for: Duration) {
    for seat in context.logic.seats().values() {
        seat.tell(Order::Rest { unused_for });
    }
}

/// Logic that was started before this process could write takes over what another one left since.
fn take_over_states(context: &Context) {
    let logic = &context.logic;
    logic.saving.forget();
    let seats: Vec<_> = logic.seats().values().cloned().collect();
    for seat in seats {
        let instance = seat.load.instance.as_deref();
        let Some(left) = instance.and_then(|instance| logic.saving.latest(context, instance)) else {
            continue;
        };
        let (give, state) = std::sync::mpsc::channel();
        let _ = give.send(Some(left));
        let (done, _) = oneshot::channel();
        seat.tell(Order::Restore { state, done });
    }
}

/// The board changed: what is not on it any more rests, and wakes if it comes back.
pub(crate) fn board_changed(context: &Context) {
    let tiles = context.records.board().tiles;
    for seat in context.logic.seats().values() {
        let is_there = tiles
            .iter()
            .any(|tile| Some(&tile.instance) == seat.load.instance.as_ref());
        if !is_there && matches!(seat.load.subject, Subject::Widget(_)) {
            seat.tell(Order::Rest {
                unused_for: Duration::ZERO,
            });
        }
    }
}

/// From now on this process does not write any more: all states go to the disk.
pub(crate) async fn end(context: &Arc<Context>) {
    let context = Arc::clone(context);
    let flush = move || {
        let seats: Vec<_> = context.logic.seats().values().cloned().collect();
        let mut asked = Vec::new();
        for seat in seats {
            if Logic::is_confirmed(&context, &seat.load) {
                let (done, state) = std::sync::mpsc::channel();
                seat.tell(Order::Snapshot { done });
                asked.push((seat, state));
            }
        }
        let until = std::time::Instant::now() + FLUSH;
        for (seat, state) in asked {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if let Ok(Some(state)) = state.recv_timeout(left) {
                context.logic.keep(&seat.load, &state);
            }
        }
        context.logic.saving.flush(FLUSH);
    };
    if let Err(error) = tauri::async_runtime::spawn_blocking(flush).await {
        tracing::error!(%error, "the states of widgets' logic may not be saved");
    }
}
