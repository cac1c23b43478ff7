//! Orders to the stage page and what comes back.
//!
//! The page is told apart by a key that it gets once per page load, before any bundle runs in it;
//! every load by its token. A report without the token of a load that is awaited counts for nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moult_model::stage::{Carried, CarriedKey, StageEvent, StageReport, SwapCause, SwapFailure};
use moult_update::SwapFigures;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::{oneshot, watch};

use crate::loads::{Loads, random_name};

/// The label of the one webview with access to commands.
pub(crate) const WEBVIEW: &str = "main";

/// The native side of the stage.
pub(crate) struct Stage {
    inner: Mutex<Inner>,
    open: watch::Sender<bool>,
    settled: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    app: Option<AppHandle>,
    key: Option<String>,
    /// The token of the load that stands in each place. The shell's place is `None`.
    standing: HashMap<Option<String>, String>,
    awaited: HashMap<String, Awaited>,
    /// When a new version was switched in last.
    switched_at: Option<Instant>,
    flushed: Option<oneshot::Sender<()>>,
    frozen: Option<oneshot::Sender<Carried>>,
    carried: Option<oneshot::Sender<()>>,
    /// Typed while the stage holds still, and not fetched yet.
    keys: Vec<CarriedKey>,
}

struct Awaited {
    figures: Option<SwapFigures>,
    done: oneshot::Sender<Result<Option<SwapFigures>, SwapFailure>>,
}

/// The end of a load or a swap, still to come.
pub(crate) type Ending = oneshot::Receiver<Result<Option<SwapFigures>, SwapFailure>>;

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            open: watch::Sender::new(false),
            settled: watch::Sender::new(false),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attach(&self, app: AppHandle) {
        self.inner().app = Some(app);
    }

    /// A new page is being loaded: what the old one knew is void, and what was awaited of it is withdrawn.
    pub(crate) fn page_started(&self) {
        let mut inner = self.inner();
        inner.key = None;
        inner.standing.clear();
        inner.awaited.clear();
        self.open.send_replace(false);
    }

    /// Hands out the key, once per page load.
    pub(crate) fn open(&self) -> anyhow::Result<String> {
        let mut inner = self.inner();
        anyhow::ensure!(inner.key.is_none(), "the stage was opened before");
        let key = random_name()?;
        inner.key = Some(key.clone());
        Ok(key)
    }

    /// The page has what it needs: orders may be sent.
    pub(crate) fn opened(&self) {
        self.open.send_replace(true);
    }

    pub(crate) fn holds_key(&self, key: &str) -> bool {
        self.inner().key.as_deref() == Some(key)
    }

    /// Waits until there is a page that takes orders.
    pub(crate) async fn ready(&self, patience: Duration) -> bool {
        let mut open = self.open.subscribe();
        tokio::time::timeout(patience, open.wait_for(|open| *open))
            .await
            .is_ok_and(|result| result.is_ok())
    }

    pub(crate) fn send(&self, event: &StageEvent) {
        let app = self.inner().app.clone();
        if let Some(app) = app
            && let Err(error) = app.emit_to(WEBVIEW, "stage-event", event)
        {
            tracing::warn!(%error, "the stage could not be told");
        }
    }

    /// Notes which load stands in a place, and returns the one that stood there.
    pub(crate) fn stand(&self, place: Option<String>, token: String) -> Option<String> {
        self.inner().standing.insert(place, token)
    }

    pub(crate) fn standing(&self, place: Option<&str>) -> Option<String> {
        self.inner().standing.get(&place.map(str::to_owned)).cloned()
    }

    /// The widgets that have a load in their place, or one on its way there.
    pub(crate) fn instances(&self, loads: &Loads) -> BTreeSet<String> {
        let inner = self.inner();
        let coming = coming(&inner, loads);
        inner.standing.keys().flatten().cloned().chain(coming).collect()
    }

    /// The widgets that have a load on its way to their place.
    pub(crate) fn swapping(&self, loads: &Loads) -> BTreeSet<String> {
        coming(&self.inner(), loads).collect()
    }

    /// Takes a widget's load out of its place, and returns its token.
    pub(crate) fn leave(&self, instance: &str) -> Option<String> {
        self.inner().standing.remove(&Some(instance.to_owned()))
    }

    /// The token of the load that is to take an instance's place, if one is on its way.
    pub(crate) fn awaited(&self, instance: &str, loads: &Loads) -> Option<String> {
        let tokens: Vec<String> = self.inner().awaited.keys().cloned().collect();
        tokens.into_iter().find(|token| {
            let load = loads.by_token(token);
            load.is_some_and(|load| load.instance.as_deref() == Some(instance))
        })
    }

    /// Ends what is awaited of a load: the stage will not say so any more.
    pub(crate) fn fail(&self, token: &str, problem: SwapFailure) {
        self.end(token, Err(problem));
    }

    /// Announces that the ending of a load or swap is awaited. To be called before the order is sent.
    pub(crate) fn await_ending(&self, token: &str) -> Ending {
        let (done, ending) = oneshot::channel();
        self.inner()
            .awaited
            .insert(token.to_owned(), Awaited { figures: None, done });
        ending
    }

    /// When a new version was switched in last, in whichever place.
    pub(crate) fn switched_at(&self) -> Option<Instant> {
        self.inner().switched_at
    }

    pub(crate) fn forget(&self, token: &str) {
        self.inner().awaited.remove(token);
    }

    /// Takes a report about a load. Painted and heartbeat are not for here.
    pub(crate) fn report(&self, report: StageReport) {
        match report {
            StageReport::Switched {
                token,
                ready_ms,
                switch_ms,
                state_bytes,
                replayed_keys,
            } => {
                let mut inner = self.inner();
                inner.switched_at = Some(Instant::now());
                if let Some(awaited) = inner.awaited.get_mut(&token) {
                    awaited.figures = Some(SwapFigures {
                        ready_ms,
                        switch_ms,
                        state_bytes,
                        replayed_keys,
                    });
                }
            }
            StageReport::Ready { token } | StageReport::Confirmed { token } => self.end(&token, Ok(())),
            StageReport::LoadFailed { token, problem } | StageReport::Reverted { token, problem } => {
                self.end(&token, Err(problem));
            }
            StageReport::Flushed => {
                if let Some(done) = self.inner().flushed.take() {
                    // Nobody waits any more if the budget ran out.
                    let _ = done.send(());
                }
            }
            StageReport::Settled => {
                self.settled.send_replace(true);
            }
            StageReport::Frozen { carried } => {
                if let Some(frozen) = self.inner().frozen.take() {
                    let _ = frozen.send(carried);
                }
            }
            StageReport::Keys { keys } => self.inner().keys.extend(keys),
            StageReport::Carried => {
                if let Some(done) = self.inner().carried.take() {
                    let _ = done.send(());
                }
            }
            StageReport::Painted
            | StageReport::Heartbeat { .. }
            | StageReport::Stopped { .. }
            | StageReport::Denied { .. }
            | StageReport::Input { .. }
            | StageReport::Switching { .. }
            | StageReport::Answered { .. } => {}
        }
    }

    fn end(&self, token: &str, result: Result<(), SwapFailure>) {
        if let Some(Awaited { figures, done }) = self.inner().awaited.remove(token) {
            // Who awaited it may have given up.
            let _ = done.send(result.map(|()| figures));
        }
    }

    /// Asks the stage to save every state now, and waits until it has, at most `budget`.
    pub(crate) async fn flush(&self, budget: Duration) {
        let (done, flushed) = oneshot::channel();
        self.inner().flushed = Some(done);
        self.send(&StageEvent::Flush);
        if tokio::time::timeout(budget, flushed).await.is_err() {
            tracing::warn!("the stage did not save its state in time; what was saved before stands");
        }
    }
}

impl Stage {
    /// Waits until every load of the start stands on the screen or has failed.
    pub(crate) async fn settled(&self) {
        let mut settled = self.settled.subscribe();
        // The sender lives as long as this.
        let _ = settled.wait_for(|settled| *settled).await;
    }

    /// Has the stage hold still, and waits for what it had. None if that is not said within `budget`.
    pub(crate) async fn freeze(&self, budget: Duration) -> Option<Carried> {
        let (done, frozen) = oneshot::channel();
        {
            let mut inner = self.inner();
            inner.frozen = Some(done);
            inner.keys.clear();
        }
        self.send(&StageEvent::Freeze {
            quiet_ms: 0,
            patience_ms: 0,
        });
        tokio::time::timeout(budget, frozen).await.ok()?.ok()
    }

    /// The keys that were typed while the stage holds still, since the last call.
    pub(crate) fn take_keys(&self) -> Vec<CarriedKey> {
        std::mem::take(&mut self.inner().keys)
    }

    /// Gives the stage what another process had, and waits until it stands on the screen, at most `budget`.
    pub(crate) async fn carry(&self, carried: Carried, budget: Duration) {
        let (done, ended) = oneshot::channel();
        self.inner().carried = Some(done);
        self.send(&StageEvent::Carry { carried });
        if tokio::time::timeout(budget, ended).await.is_err() {
            tracing::warn!("the stage did not say in time that it stands");
        }
    }
}

fn coming(inner: &Inner, loads: &Loads) -> impl Iterator<Item = String> {
    inner
        .awaited
        .keys()
        .filter_map(|token| loads.by_token(token)?.instance)
}

/// A failure that is nobody's fault: the stage went away, or a newer order came.
pub(crate) fn withdrawn(detail: &str) -> SwapFailure {
    SwapFailure {
        cause: SwapCause::Withdrawn,
        detail: detail.to_owned(),
    }
}
