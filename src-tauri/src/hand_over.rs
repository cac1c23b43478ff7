//! This process hands over to a newer version while its window stands: what the hand-over asks of it.
//!
//! It refuses to know the order of the steps and what happens when one fails; that is `moult-handover`'s.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::layout::PROTOCOL_VARIABLE;
use moult_boot::link::{HandOverOutcome, Quit, ToApp, ToLauncher};
use moult_handover::{Giver, Handed, Last, Limits, Old, Staying, Thawed, Welcome};
use moult_model::stage::StageEvent;
use moult_update::HandOver;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::app::{Context, FLUSH_BUDGET, tell};
use crate::{local_api, overview, window, writing};

/// How long the stage may take to hold still.
const FREEZE: Duration = Duration::from_millis(1500);
/// How long the engine may take to stop. What it has begun it takes up again.
const STOP: Duration = Duration::from_millis(500);
/// How long the last keys may take from the page to here.
const LAST_KEYS: Duration = Duration::from_millis(80);

/// The hand-over that is offered.
#[derive(Default)]
pub(crate) struct Present(Mutex<Option<Giver>>);

impl Present {
    fn with(&self, act: impl FnOnce(&Giver)) {
        if let Some(giver) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            act(giver);
        }
    }

    fn set(&self, giver: Option<Giver>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = giver;
    }
}

/// Offers to hand over to what is due, and waits for the end of it.
pub(crate) async fn offer(context: &Arc<Context>) -> HandOver {
    if context.link.is_none() || std::env::var_os(PROTOCOL_VARIABLE).is_none() {
        return HandOver::NotHere;
    }
    let (ended, end) = oneshot::channel();
    let old = Running {
        context: Arc::clone(context),
        ended: Some(ended),
    };
    let giver = match Giver::start(&context.places.data, Limits::default(), old) {
        Ok(giver) => giver,
        Err(error) => {
            tracing::warn!(%error, "no hand-over can be offered; the way is a restart");
            return HandOver::NotHere;
        }
    };
    tracing::info!("offers to hand over");
    let (address, token) = (giver.offer().address.clone(), giver.offer().token.clone());
    context.hand_over.set(Some(giver));
    tell(context, &ToLauncher::HandOver { address, token });
    match end.await {
        Ok(Staying::NoAnswer | Staying::Protocol | Staying::NoLauncher) => HandOver::NotHere,
        Ok(_) => HandOver::Stayed,
        Err(_) => HandOver::Done,
    }
}

/// The launcher said something about the hand-over.
pub(crate) fn heard(context: &Context, message: &ToApp) {
    tracing::info!(?message, "heard of the launcher");
    context.hand_over.with(|giver| match message {
        ToApp::HandOverBegun { start } => giver.begun(start.as_str()),
        ToApp::HandOverEnded { outcome } => giver.ended(*outcome == HandOverOutcome::TookOver),
        ToApp::Refused { .. } => giver.ended(false),
        _ => {}
    });
}

/// The launcher is gone.
pub(crate) fn launcher_gone(context: &Context) {
    context.hand_over.with(Giver::launcher_gone);
}

/// This process is about to end for another reason.
pub(crate) fn withdraw(context: &Context) {
    context.hand_over.with(Giver::withdraw);
}

/// The running application, as the hand-over sees it.
struct Running {
    context: Arc<Context>,
    ended: Option<oneshot::Sender<Staying>>,
}

impl Old for Running {
    fn welcome(&mut self) -> Result<Welcome, String> {
        let context = &self.context;
        tauri::async_runtime::block_on(context.stage.flush(FLUSH_BUDGET));
        window::remember(context);
        let value = |value: serde_json::Result<Value>| value.map_err(|error| error.to_string());
        Ok(Welcome {
            version: context.build.version.to_string(),
            window: window::place(context).unwrap_or_default(),
            board: value(serde_json::to_value(context.records.kept_board()))?,
            theme: value(serde_json::to_value(context.records.settings().theme))?
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            ..Welcome::default()
        })
    }

    fn calm_for(&mut self) -> Option<Duration> {
        (!self.context.health.is_composing()).then(|| self.context.health.quiet())
    }

    fn freeze(&mut self) -> Result<Handed, String> {
        let context = &self.context;
        let handed = tauri::async_runtime::block_on(async {
            let carried = context
                .stage
                .freeze(FREEZE)
                .await
                .context("the page did not hold still")?;
            let snapshots = serde_json::to_value(carried)?;
            let right = writing::end(context, STOP)
                .await
                .context("this process may not write itself")?;
            anyhow::Ok((snapshots, right))
        });
        match handed {
            Ok((snapshots, right)) => {
                tracing::info!("holds still");
                Ok(Handed {
                    last: Last {
                        snapshots,
                        ..Last::default()
                    },
                    right,
                    endpoint: local_api::stop(context),
                })
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "can't be handed over");
                context.stage.send(&StageEvent::Thaw);
                Err(format!("{error:#}"))
            }
        }
    }

    fn keys(&mut self, all: bool) -> Vec<Value> {
        if all {
            // The page says each key at once; this is its way here.
            std::thread::sleep(LAST_KEYS);
        }
        let keys = self.context.stage.take_keys();
        keys.into_iter()
            .filter_map(|key| serde_json::to_value(key).ok())
            .collect()
    }

    fn thaw(&mut self, thawed: Thawed) {
        let context = &self.context;
        match writing::begin(context, thawed.right) {
            Ok(()) => writing::update_if_possible(context),
            Err(error) => tracing::error!(error = format!("{error:#}"), "only reads from now on"),
        }
        match thawed.endpoint {
            Some(endpoint) => local_api::serve(context, endpoint),
            None => local_api::open(context),
        }
        // The page has every key that it held back, and types them itself.
        context.stage.send(&StageEvent::Thaw);
        overview::announce(context);
    }

    fn recall(&mut self) {
        tell(&self.context, &ToLauncher::Recall);
    }

    fn leave(&mut self) {
        tracing::info!("the successor has taken over");
        window::hide(&self.context);
        tell(&self.context, &ToLauncher::Quitting { why: Quit::Update });
        if let Some(handle) = self.context.handle.get() {
            handle.exit(0);
        }
    }

    fn stays(&mut self, why: Staying) {
        tracing::warn!(%why, "goes on; there was no hand-over");
        self.context.hand_over.set(None);
        if let Some(ended) = self.ended.take() {
            // The engine that asked may have been stopped meanwhile; the one that runs now reads the store.
            let _ = ended.send(why);
        }
    }
}
