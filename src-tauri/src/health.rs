//! Painted, alive, confirmed: collects what is seen of this start and says what [`fitness`](crate::fitness)
//! makes of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moult_boot::link::ToLauncher;
use moult_model::stage::StageReport;
use moult_model::{Subject, Version};
use moult_update::Verdict;

use crate::app::{Context, tell};
use crate::fitness::{Judgement, Signs};
use crate::{companions, take_over};

/// The launcher hears of every so many widgets that are loaded.
const WIDGETS_A_STEP: usize = 10;
/// How often the signs are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The launcher hears of a beat this often, in milliseconds.
const TELL_MS: u64 = 1000;

/// How often the updater's parts are looked at.
const EXAMINE: Duration = Duration::from_secs(10);

/// What is known of this start's health.
pub(crate) struct Health {
    started: Instant,
    painted: AtomicBool,
    /// Milliseconds from the start to the last answer of the stage's main thread.
    beat: AtomicU64,
    touched: Mutex<Option<Instant>>,
    composing: AtomicBool,
    /// What the stage said about the loads of this start.
    signs: Mutex<Signs>,
    /// The widgets that are ready, with their versions.
    loaded: Mutex<Vec<(Subject, Version)>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            painted: AtomicBool::new(false),
            beat: AtomicU64::new(0),
            touched: Mutex::default(),
            composing: AtomicBool::new(false),
            signs: Mutex::default(),
            loaded: Mutex::default(),
        }
    }

    /// The user did something just now.
    fn touched(&self) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether an input method is composing text.
    pub(crate) fn is_composing(&self) -> bool {
        self.composing.load(Ordering::Relaxed)
    }

    /// For how long the user has done nothing. A start that saw nothing has been quiet from its beginning.
    pub(crate) fn quiet(&self) -> Duration {
        self.touched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or(self.started)
            .elapsed()
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn silence(&self) -> Duration {
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(beat)
    }
}

/// Tells the launcher that something that takes long goes on.
pub(crate) fn progress(context: &Context, what: &str) {
    take_over::progress(context, what);
    tell(
        context,
        &ToLauncher::Progress {
            what: what.to_owned(),
        },
    );
}

/// Notes what a report of the stage says about the start.
pub(crate) fn observe(context: &Context, report: &StageReport) {
    let of_token = |token: &str| {
        let load = context.loads.by_token(token)?;
        Some((load.subject, load.bundle.manifest().version.clone()))
    };
    match report {
        StageReport::Ready { token } => match of_token(token) {
            Some((Subject::Shell, _)) => {
                context.health.signs().shell_failed = false;
                progress(context, "the shell is ready");
            }
            Some(widget) => {
                let mut loaded = context
                    .health
                    .loaded
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                loaded.push(widget);
                if loaded.len().is_multiple_of(WIDGETS_A_STEP) {
                    progress(context, &format!("{} widgets are ready", loaded.len()));
                }
                context.health.signs().widgets_ready += 1;
            }
            None => {}
        },
        StageReport::LoadFailed { token, problem } => {
            let part = of_token(token);
            tracing::warn!(?part, ?problem, "could not be loaded");
            let mut signs = context.health.signs();
            match part {
                Some((Subject::Shell, _)) => signs.shell_failed = true,
                // One that is new here may be broken by itself.
                Some((widget, version)) if !signs.settled && context.records.is_proven(&widget, &version) => {
                    signs.widgets_failed += 1;
                }
                _ => {}
            }
        }
        StageReport::Settled => {
            context.health.signs().settled = true;
            tracing::info!("everything is loaded");
        }
        StageReport::Input { composing } => {
            context.health.composing.store(*composing, Ordering::Relaxed);
            context.health.touched();
        }
        _ => {}
    }
}

/// Stage and shell stand on the screen. From here on the trial runs, if this start is one.
pub(crate) fn painted(context: &Arc<Context>) {
    beat(context);
    if context.health.painted.swap(true, Ordering::Relaxed) {
        return;
    }
    let milliseconds = context.health.started.elapsed().as_millis() as u64;
    tracing::info!(milliseconds, "painted");
    context.health.signs().painted = true;
    tell(context, &ToLauncher::Painted);
}

/// The stage's main thread answers.
pub(crate) fn beat(context: &Context) {
    let now = context.health.started.elapsed().as_millis() as u64;
    let before = context.health.beat.swap(now, Ordering::Relaxed);
    // The launcher's clock is coarser than the stage's.
    if now / TELL_MS != before / TELL_MS {
        tell(context, &ToLauncher::Heartbeat);
    }
}

/// Watches the start until something can be said about it: it is confirmed, or the launcher hears that it
/// does not work.
pub(crate) async fn watch(context: Arc<Context>) {
    let mut well_since = Instant::now();
    let mut examination = Examination::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let mut signs = context.health.signs().clone();
        signs.silence = context.health.silence();
        signs.holds_right = context.writing.holds_right();
        examination.go_on(&context, &mut signs).await;
        if !signs.is_well() {
            well_since = Instant::now();
        }
        signs.well_for = well_since.elapsed();
        match signs.judge() {
            Judgement::Wait => {}
            Judgement::Confirm => {
                confirm(&context);
                let settled =
                    tauri::async_runtime::spawn_blocking(move || companions::bring_up_to_date(&context));
                // A panic there is told by its own hook, and nothing waits for the end.
                drop(settled.await);
                return;
            }
            Judgement::Unfit(what) => {
                tracing::error!(%what, "this version does not work");
                return tell(&context, &ToLauncher::Unfit { what });
            }
        }
    }
}

/// What the last look at the updater's parts found.
#[derive(Default)]
struct Examination {
    at: Option<Instant>,
    examined: bool,
    broken: Option<String>,
}

impl Examination {
    /// Looks at the updater's parts, if all else is there and the last look is some time ago. A build that can't
    /// update has no updater, and is never on trial.
    async fn go_on(&mut self, context: &Context, signs: &mut Signs) {
        let Some(engine) = context.writing.engine() else {
            signs.broken = context.writing.without_engine();
            return;
        };
        signs.reached = engine.picture().checked_at.is_some();
        let due = self.at.is_none_or(|at| at.elapsed() >= EXAMINE);
        if due && signs.painted && signs.settled && signs.holds_right {
            self.at = Some(Instant::now());
            match engine.vitals().await.verdict() {
                Verdict::Fit => (self.examined, self.broken) = (true, None),
                Verdict::Unfit(part) => (self.examined, self.broken) = (true, Some(part)),
                Verdict::Later(why) => {
                    tracing::warn!(%why, "the updater can't be looked at now");
                    self.examined = false;
                }
            }
        }
        signs.examined = self.examined;
        signs.broken.clone_from(&self.broken);
    }
}

fn confirm(context: &Context) {
    let Some(engine) = context.writing.engine() else {
        return;
    };
    match engine.confirm_executable() {
        Ok(()) => {
            tell(context, &ToLauncher::Confirmed);
            let loaded = context
                .health
                .loaded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Err(error) = context.records.prove(&loaded) {
                tracing::warn!(error = format!("{error:#}"), "the loaded widgets are not noted");
            }
        }
        Err(error) => {
            tracing::error!(%error, "the executable could not be confirmed; the launcher decides at the next start");
        }
    }
}
