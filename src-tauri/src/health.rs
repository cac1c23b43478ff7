//! Painted, alive, confirmed: when a new executable has shown that it works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moult_boot::link::ToLauncher;

use crate::app::{Context, tell};

/// A trial whose updater has reached its repository is confirmed after this long in good health.
const SHORT_TRIAL: Duration = Duration::from_secs(8);
/// Being offline is neutral: without the repository it takes this long.
const LONG_TRIAL: Duration = Duration::from_mins(1);
/// A stage that has not answered for this long is not in good health.
const SILENCE: Duration = Duration::from_secs(3);

/// What is known of this start's health.
pub(crate) struct Health {
    started: Instant,
    painted: AtomicBool,
    /// Milliseconds from the start to the last answer of the stage's main thread.
    beat: AtomicU64,
    touched: Mutex<Option<Instant>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            painted: AtomicBool::new(false),
            beat: AtomicU64::new(0),
            touched: Mutex::default(),
        }
    }

    /// The user changed something just now.
    pub(crate) fn touched(&self) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// For how long the user has changed nothing. A start that saw no change has been quiet from its beginning.
    pub(crate) fn quiet(&self) -> Duration {
        self.touched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or(self.started)
            .elapsed()
    }

    fn alive(&self) -> bool {
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(beat) < SILENCE
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
    tell(context, &ToLauncher::Painted);
    let context = Arc::clone(context);
    tauri::async_runtime::spawn(async move { watch(&context).await });
}

/// The stage's main thread answers.
pub(crate) fn beat(context: &Context) {
    let now = context.health.started.elapsed().as_millis() as u64;
    context.health.beat.store(now, Ordering::Relaxed);
    tell(context, &ToLauncher::Heartbeat);
}

/// Confirms the executable once it has been in good health for long enough without a break.
async fn watch(context: &Arc<Context>) {
    let Some(engine) = context.engine.get() else {
        return;
    };
    let mut healthy_since = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if !context.health.alive() {
            healthy_since = Instant::now();
        }
        let reached = engine.picture().checked_at.is_some();
        let needed = if reached { SHORT_TRIAL } else { LONG_TRIAL };
        if healthy_since.elapsed() >= needed {
            break;
        }
    }
    match engine.confirm_executable() {
        Ok(()) => tell(context, &ToLauncher::Confirmed),
        Err(error) => {
            tracing::error!(%error, "the executable could not be confirmed; the launcher decides at the next start");
        }
    }
}
