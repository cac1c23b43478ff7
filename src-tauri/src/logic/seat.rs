//! The logic of one load: a thread that does in order what it is told, and has the pool run the component.
//!
//! Events wait here for one another, so they are handled once and in the order in which they came. It refuses to know
//! which of two loads its user sees.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use moult_model::Problem;
use moult_model::stage::{SavedState, SwapFailure};
use moult_sandbox::Bucket;
use moult_sandbox::call::REQUEST_BYTES;
use moult_sandbox::logic::Limits;
use moult_sandbox::logic::pool::{Key, LogicError, Pool, Spec};
use moult_sandbox::logic::process::ProcessError;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::problems;
use crate::app::Context;
use crate::host;
use crate::loads::LiveLoad;

/// Logic that failed starts again by itself; what comes meanwhile waits at most so long for it.
const RESTART: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(25);
/// Lines in the log: so many at once, and so many a second on average.
const LINES: (f64, f64) = (100.0, 10.0);

/// What comes of an event.
pub(super) type Answer = Result<Value, Problem>;

/// What a seat is told to do.
pub(super) enum Order {
    /// Start it, with this state instead of the saved one if there is one.
    Begin {
        state: Option<SavedState>,
        done: oneshot::Sender<Result<(), LogicError>>,
    },
    /// Have it handle an event.
    Handle {
        event: Value,
        done: oneshot::Sender<Answer>,
    },
    /// Say its state; none if it does not run.
    Snapshot { done: Sender<Option<SavedState>> },
    /// Take over a state as soon as that is there.
    Restore {
        state: Receiver<Option<SavedState>>,
        done: oneshot::Sender<Result<(), LogicError>>,
    },
    /// Give its state to another version, and have that one handle from now on what this one handles.
    Mirror(Arc<super::shadow::Mirror>),
    /// Handle what the live version handled, and say whether the answer is the same.
    Compare {
        event: Value,
        live: Value,
        run: Arc<super::shadow::Run>,
    },
    /// Start with these settings from now on, and hear of them.
    Settings(Value),
    /// Nothing has happened for long: leave the state, and end until something does. `always`: also if something has.
    Rest { unused_for: Duration },
}

/// The logic of one load.
pub(super) struct Seat {
    pub(super) load: LiveLoad,
    pub(super) key: Key,
    orders: Sender<Order>,
    flags: Arc<Flags>,
    lines: Mutex<Bucket>,
}

/// What others have to say about a seat.
#[derive(Default)]
pub(super) struct Flags {
    /// It failed too often and stays off until somebody starts it.
    pub(super) is_off: AtomicBool,
    /// What it did wrong while it was not confirmed.
    pub(super) fault: Mutex<Option<SwapFailure>>,
}

impl Seat {
    /// A seat for a load of a widget with logic; none for any other.
    pub(super) fn open(context: &Weak<Context>, load: &LiveLoad) -> Option<Arc<Self>> {
        load.bundle.manifest().entry.logic.as_ref()?;
        let moult_model::Subject::Widget(widget) = &load.subject else {
            return None;
        };
        let key = Key {
            publisher: widget.publisher().to_owned(),
            instance: load.token.clone(),
        };
        let (orders, told) = channel();
        let flags = Arc::new(Flags::default());
        let worker = Worker {
            context: context.clone(),
            load: load.clone(),
            key: key.clone(),
            flags: Arc::clone(&flags),
            is_started: false,
            used: Instant::now(),
            mirrors: Vec::new(),
        };
        let begun = std::thread::Builder::new()
            .name("widget logic".to_owned())
            .spawn(move || worker.run(&told));
        if let Err(error) = begun {
            tracing::error!(%error, subject = %load.subject, "there is no thread for the logic");
            return None;
        }
        Some(Arc::new(Self {
            load: load.clone(),
            key,
            orders,
            flags,
            lines: Mutex::new(Bucket::new(LINES.0, LINES.1, Instant::now())),
        }))
    }

    /// Tells it what to do next. What waits for an answer sees that none comes if the seat is gone.
    pub(super) fn tell(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Has it handle an event; the answer comes.
    pub(super) fn handle(&self, event: Value) -> oneshot::Receiver<Answer> {
        let (done, answer) = oneshot::channel();
        self.tell(Order::Handle { event, done });
        answer
    }

    pub(super) fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Whether one more line may go to the log.
    pub(super) fn may_log(&self) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.take(Instant::now())
    }
}

impl Flags {
    /// Notes what went wrong; the first thing counts.
    pub(super) fn blame(&self, failure: SwapFailure) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(failure);
    }

    /// It begins anew.
    fn forgive(&self) {
        self.is_off.store(false, Ordering::Release);
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn fault(&self) -> Option<SwapFailure> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Worker {
    context: Weak<Context>,
    load: LiveLoad,
    key: Key,
    flags: Arc<Flags>,
    is_started: bool,
    used: Instant,
    mirrors: Vec<Arc<super::shadow::Mirror>>,
}

impl Worker {
    fn run(mut self, told: &Receiver<Order>) {
        for order in told {
            let Some(context) = self.context.upgrade() else {
                return;
            };
            let Some(pool) = context.logic.pool(&context) else {
                if let Order::Handle { done, .. } = order {
                    let _ = done.send(Err(problems::no_program()));
                }
                // Whoever waits for another order sees that it is dropped.
                continue;
            };
            self.carry_out(&context, pool, order);
        }
    }

    fn carry_out(&mut self, context: &Context, pool: &Pool, order: Order) {
        match order {
            Order::Begin { state, done } => {
                self.flags.forgive();
                let begun = self.start(context, pool, state);
                let _ = done.send(begun);
            }
            Order::Handle { event, done } => {
                self.used = Instant::now();
                let mirrored = (!self.mirrors.is_empty()).then(|| event.clone());
                let answer = self.handle(context, pool, &event);
                self.used = Instant::now();
                if let (Some(event), Ok(live)) = (mirrored, &answer) {
                    self.mirrors.retain(|mirror| mirror.is_wanted());
                    for mirror in &self.mirrors {
                        mirror.tell(&event, live);
                    }
                }
                let _ = done.send(answer);
            }
            Order::Snapshot { done } => {
                let state = self.is_started.then(|| pool.snapshot(&self.key).ok()).flatten();
                let _ = done.send(state);
            }
            Order::Restore { state, done } => {
                // The other one answers or is gone: this wait ends.
                let outcome = match state.recv().ok().flatten() {
                    Some(state) => self
                        .ready(context, pool)
                        .and_then(|()| pool.restore(&self.key, state)),
                    None => Ok(()),
                };
                let _ = done.send(outcome);
            }
            Order::Mirror(mirror) => {
                let state = self
                    .ready(context, pool)
                    .and_then(|()| pool.snapshot(&self.key))
                    .inspect_err(|error| tracing::warn!(%error, "a shadow run begins without a state"))
                    .ok();
                mirror.begin(state);
                self.mirrors.push(mirror);
            }
            Order::Compare { event, live, run } => {
                let answer = self.handle(context, pool, &event);
                run.compare(&event, &live, answer);
            }
            Order::Settings(settings) => {
                pool.set_settings(&self.key, settings.clone());
                if self.is_started {
                    let event = json!({ "kind": "settings", "settings": settings });
                    let _ = self.handle(context, pool, &event);
                }
            }
            Order::Rest { unused_for } => {
                if self.is_started && self.used.elapsed() >= unused_for {
                    if let (true, Ok(state)) = (context.live.is(&self.load), pool.snapshot(&self.key)) {
                        context.logic.keep(&self.load, &state);
                    }
                    pool.stop(&self.key);
                    self.is_started = false;
                    tracing::info!(subject = %self.load.subject, "logic rests until something happens");
                }
            }
        }
    }

    fn handle(&mut self, context: &Context, pool: &Pool, event: &Value) -> Answer {
        let bytes = event.to_string().len();
        if bytes > REQUEST_BYTES {
            return Err(problems::too_large(bytes));
        }
        let end = Instant::now() + RESTART;
        let outcome = loop {
            if self.flags.is_off.load(Ordering::Acquire) {
                return Err(problems::off());
            }
            let outcome = self
                .ready(context, pool)
                .and_then(|()| pool.handle(&self.key, event.clone()));
            match outcome {
                // It is being started again, or its process has just ended: the event never reached it.
                Err(LogicError::NotRunning | LogicError::Process(ProcessError::Write(_)))
                    if Instant::now() < end =>
                {
                    std::thread::sleep(LOOK);
                }
                outcome => break outcome,
            }
        };
        let value = outcome.map_err(|error| problems::of(&error))?;
        let bytes = value.to_string().len();
        if bytes > REQUEST_BYTES {
            return Err(problems::too_large(bytes));
        }
        Ok(value)
    }

    /// Starts it if it does not run.
    fn ready(&mut self, context: &Context, pool: &Pool) -> Result<(), LogicError> {
        if self.is_started && pool.is_running(&self.key) {
            return Ok(());
        }
        self.start(context, pool, None)
    }

    fn start(&mut self, context: &Context, pool: &Pool, state: Option<SavedState>) -> Result<(), LogicError> {
        let manifest = self.load.bundle.manifest();
        let instance = self.load.instance.as_deref();
        let component = manifest
            .entry
            .logic
            .as_deref()
            .and_then(|path| self.load.bundle.file(path));
        let saved = || instance.and_then(|instance| context.logic.latest(context, instance));
        let spec = Spec {
            component: component.unwrap_or_default().into(),
            limits: Limits::default(),
            settings: Value::Object(host::settings(context, instance, &self.load.bundle)),
            state: state.or_else(saved),
            schema: manifest.state.map_or(0, |state| state.schema),
        };
        let begun = pool.start(self.key.clone(), spec);
        self.is_started = begun.is_ok();
        if let Err(error) = &begun {
            tracing::warn!(%error, subject = %self.load.subject, version = %manifest.version, "logic could not be started");
            self.flags.is_off.store(true, Ordering::Release);
            context.logic.failed_to_start(&self.load, error);
        }
        begun
    }
}
