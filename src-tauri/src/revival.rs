//! Brings the stage back when it is lost, and keeps off who held it up. Thin: [`heartbeat`](crate::heartbeat) says when,
//! [`blame`](crate::blame) says who.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moult_model::Subject;
use moult_model::stage::{HeldCause, Pulse, SwapCause, SwapFailure};
use tauri::{Manager as _, WebviewWindow};

use crate::app::Context;
use crate::blame::{self, Blame};
use crate::heartbeat::{self, Effect, Heart, Loss};
use crate::presses::Press;
use crate::stage::WEBVIEW;
use crate::web_process::{self, Usage};
use crate::{host, overview, window};

/// How often the heart is listened to.
const TICK: Duration = Duration::from_millis(100);

/// The watch over the stage.
#[derive(Default)]
pub(crate) struct Revival(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    heart: Heart,
    blame: Blame,
    usage: Usage,
    ticked: Option<Instant>,
    lost: Option<Instant>,
}

impl Revival {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was pressed in the window.
    pub(crate) fn pressed(&self, press: Press) {
        let effects = self.inner().blame.next(blame::Event::Press(press));
        debug_assert!(effects.is_empty(), "a press alone is nobody's fault");
    }

    /// Whether a widget is not to come back yet: it comes alone.
    pub(crate) fn waits(&self, instance: &str) -> bool {
        self.inner().blame.waits(instance)
    }
}

/// The stage's main thread answers.
pub(crate) fn beat(context: &Arc<Context>, pulse: Pulse) {
    let hidden = pulse.hidden;
    blamed(context, blame::Event::Beat(pulse));
    heard(context, heartbeat::Event::Beat { hidden });
}

/// The page asked for its start.
pub(crate) fn opened(context: &Arc<Context>) {
    heard(context, heartbeat::Event::Opened);
}

/// All that came at once stands.
pub(crate) fn settled(context: &Arc<Context>) {
    heard(context, heartbeat::Event::Settled);
    let lost = context.revival.inner().lost.take();
    if let Some(lost) = lost {
        let milliseconds = lost.elapsed().as_millis() as u64;
        tracing::info!(milliseconds, "the board is back");
    }
    blamed(context, blame::Event::Settled);
}

/// A load is ready or has failed.
pub(crate) fn ended(context: &Arc<Context>, token: &str) {
    let load = context.loads.by_token(token);
    if let Some(instance) = load.and_then(|load| load.instance) {
        blamed(context, blame::Event::Ready(instance));
    }
}

/// The window has the keyboard.
pub(crate) fn woke(context: &Arc<Context>) {
    heard(context, heartbeat::Event::Woke);
}

/// The web process is gone.
pub(crate) fn gone(context: &Arc<Context>, memory: bool) {
    tracing::warn!(memory, "the web process is gone");
    let context = Arc::clone(context);
    // Not from within the engine's own call.
    tauri::async_runtime::spawn(async move { heard(&context, heartbeat::Event::Gone { memory }) });
}

/// Listens from now on, on the thread of the windows: while that stands still, no beat could come through either.
pub(crate) fn watch(context: &Arc<Context>) {
    let context = Arc::clone(context);
    tauri::async_runtime::spawn(async move {
        let mut clock = tokio::time::interval(TICK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let (done, ticked) = tokio::sync::oneshot::channel();
            let on_main = Arc::clone(&context);
            let queued = context.handle.get().map(|handle| {
                handle.run_on_main_thread(move || {
                    // Nobody waits any more if the application is ending.
                    let _ = done.send(tick(&on_main));
                })
            });
            let Some(Ok(())) = queued else { return };
            let Ok(seen) = ticked.await else { return };
            if let Some((elapsed, event)) = seen {
                blamed(&context, blame::Event::Tick(elapsed));
                heard(&context, event);
            }
        }
    });
}

/// How much time went by, and what was seen of the window and its process.
fn tick(context: &Context) -> Option<(Duration, heartbeat::Event)> {
    let window = main(context)?;
    let watched = is_watched(context, &window);
    let now = Instant::now();
    let mut inner = context.revival.inner();
    let elapsed = inner.ticked.map_or(Duration::ZERO, |before| now - before);
    inner.ticked = Some(now);
    let (busy, memory) = inner.usage.take();
    let event = heartbeat::Event::Tick {
        elapsed,
        busy,
        memory,
        watched,
    };
    Some((elapsed, event))
}

/// Whether the page could beat: its window is on the screen, and nobody holds it with a debugger.
fn is_watched(context: &Context, window: &WebviewWindow) -> bool {
    #[cfg(debug_assertions)]
    if window.is_devtools_open() {
        return false;
    }
    !context.take_over.is_under_way()
        && window.is_visible().unwrap_or(true)
        && !window.is_minimized().unwrap_or_default()
}

fn main(context: &Context) -> Option<WebviewWindow> {
    context.handle.get()?.get_webview_window(WEBVIEW)
}

fn heard(context: &Arc<Context>, event: heartbeat::Event) {
    let effects = {
        let mut inner = context.revival.inner();
        let (heart, effects) = heartbeat::next(inner.heart, event);
        inner.heart = heart;
        effects
    };
    for effect in effects {
        match effect {
            Effect::Blame(loss) => lost(context, loss),
            Effect::End => end(context),
            Effect::Load => {
                if let Err(error) = window::load_again(context) {
                    tracing::error!(error = format!("{error:#}"), "the stage can't be loaded again");
                }
            }
        }
    }
}

fn end(context: &Arc<Context>) {
    let heard_of = main(context).map(|window| web_process::end(&window));
    match heard_of {
        Some(Ok(true)) | None => {}
        Some(Ok(false)) => heard(context, heartbeat::Event::Gone { memory: false }),
        Some(Err(error)) => tracing::error!(%error, "the web process can't be ended"),
    }
}

fn lost(context: &Arc<Context>, loss: Loss) {
    context.revival.inner().lost = Some(Instant::now());
    let standing = context.stage.instances(&context.loads);
    tracing::error!(
        ?loss,
        ?standing,
        "the stage is lost; it is loaded again with what was saved"
    );
    let cause = if loss == Loss::Memory {
        HeldCause::Memory
    } else {
        HeldCause::Hung
    };
    let swapping = context.stage.swapping(&context.loads);
    let event = blame::Event::Lost {
        cause,
        standing,
        swapping,
    };
    blamed(context, event);
}

fn blamed(context: &Arc<Context>, event: blame::Event) {
    let effects = context.revival.inner().blame.next(event);
    for effect in effects {
        match effect {
            blame::Effect::Name(instance, cause) => hold(context, &instance, cause, "it held up the board"),
            blame::Effect::Pardon(instance) => {
                tracing::info!(instance, "was not it");
                release(context, &instance);
            }
            blame::Effect::Open(instance) => {
                tracing::info!(instance, "comes back, on probation");
                if let Err(error) = host::open_tile(context, &instance) {
                    tracing::warn!(instance, error = format!("{error:#}"), "can't come back");
                }
            }
        }
    }
}

/// Keeps a widget off the board until its user asks for it. A swap that it is in ends, and its new version counts as
/// the one that did it.
pub(crate) fn hold(context: &Arc<Context>, instance: &str, cause: HeldCause, detail: &str) {
    let incoming = context.stage.awaited(instance, &context.loads);
    let token = context.stage.standing(Some(instance));
    let load = token.as_deref().and_then(|token| context.loads.by_token(token));
    if let Some(incoming) = incoming {
        tracing::error!(instance, ?cause, detail, "a new version is taken back");
        let problem = SwapFailure {
            cause: SwapCause::Hung,
            detail: detail.to_owned(),
        };
        context.stage.fail(&incoming, problem);
        return;
    }
    let Some(load) = load else { return };
    let version = load.bundle.manifest().version.clone();
    let Subject::Widget(widget) = &load.subject else {
        return;
    };
    tracing::error!(%widget, %version, instance, ?cause, detail, "a widget is kept off the board");
    if let Err(error) = context.records.hold(instance, &version, cause) {
        tracing::warn!(
            error = format!("{error:#}"),
            "this is not remembered after a restart"
        );
    }
    if let Some(token) = context.stage.leave(instance) {
        host::close(context, &token);
    }
    overview::announce(context);
}

/// Nothing keeps a widget off any more.
pub(crate) fn release(context: &Arc<Context>, instance: &str) {
    if let Err(error) = context.records.release(instance) {
        tracing::warn!(
            error = format!("{error:#}"),
            instance,
            "this is not remembered after a restart"
        );
    }
    overview::announce(context);
}
