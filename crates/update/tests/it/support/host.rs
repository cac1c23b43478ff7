//! A host that does what the test wrote down, and notes what it was asked.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moult_model::Subject;
use moult_model::stage::{SwapCause, SwapFailure};
use moult_update::fetch::Alert;
use moult_update::{
    BoxFuture, ExecutableDecision, HandOver, Host, StagedBundle, StagedExecutable, SwapFigures, SwapRefusal,
};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct ScriptedHost {
    /// How the next swaps end; after the last one all end well.
    pub(crate) swaps: Mutex<VecDeque<Result<(), SwapRefusal>>>,
    /// How the next rehearsals end; after the last one all end well.
    pub(crate) rehearsals: Mutex<VecDeque<Result<(), String>>>,
    pub(crate) rehearsed: Mutex<Vec<String>>,
    /// What is said to the next executables; after the last one `Now`.
    pub(crate) decisions: Mutex<VecDeque<ExecutableDecision>>,
    pub(crate) granted: Mutex<BTreeSet<String>>,
    pub(crate) bundles: Mutex<Vec<StagedBundle>>,
    pub(crate) executables: Mutex<Vec<StagedExecutable>>,
    /// How the next hand-overs end; after the last one there is no way to hand over.
    pub(crate) hand_overs: Mutex<VecDeque<HandOver>>,
    /// Whether the next change of the picture is met with a panic.
    pub(crate) panics: AtomicBool,
    /// For how long nobody has been here.
    pub(crate) idle: Mutex<Duration>,
    pub(crate) restarts: Mutex<u32>,
    pub(crate) changed: Notify,
    pub(crate) alerts: Mutex<Vec<Alert>>,
}

pub(crate) fn refusal(cause: SwapCause, ban: bool) -> Result<(), SwapRefusal> {
    Err(SwapRefusal {
        failure: SwapFailure {
            cause,
            detail: "scripted".to_owned(),
        },
        ban,
    })
}

impl ScriptedHost {
    pub(crate) fn restarts(&self) -> u32 {
        *self.restarts.lock().unwrap()
    }

    /// The versions that were handed over for a subject.
    pub(crate) fn swapped(&self, subject: &Subject) -> Vec<String> {
        let bundles = self.bundles.lock().unwrap();
        bundles
            .iter()
            .filter(|staged| staged.subject == *subject)
            .map(|staged| staged.version.to_string())
            .collect()
    }

    /// The versions of the executable that were decided on.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.executables
            .lock()
            .unwrap()
            .iter()
            .map(|staged| staged.version.to_string())
            .collect()
    }
}

impl Host for ScriptedHost {
    fn alert(&self, alert: Alert) {
        self.alerts.lock().unwrap().push(alert);
    }

    fn activate_bundle(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<SwapFigures, SwapRefusal>> {
        // What is handed over is there, whole.
        let whole =
            std::fs::read(&bundle.path).is_ok_and(|bytes| moult_model::Digest::of(&bytes) == bundle.digest);
        assert!(whole, "{bundle:?}");
        self.bundles.lock().unwrap().push(bundle);
        let swap = self.swaps.lock().unwrap().pop_front().unwrap_or(Ok(()));
        Box::pin(async move {
            tokio::task::yield_now().await;
            swap.map(|()| SwapFigures::default())
        })
    }

    fn rehearse(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<(), String>> {
        self.rehearsed.lock().unwrap().push(bundle.version.to_string());
        let outcome = self.rehearsals.lock().unwrap().pop_front().unwrap_or(Ok(()));
        Box::pin(std::future::ready(outcome))
    }

    fn activate_executable(&self, staged: StagedExecutable) -> BoxFuture<'static, ExecutableDecision> {
        self.executables.lock().unwrap().push(staged);
        let decision = self
            .decisions
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(ExecutableDecision::Now);
        Box::pin(async move { decision })
    }

    fn restart(&self) {
        *self.restarts.lock().unwrap() += 1;
    }

    fn hand_over(&self) -> Option<BoxFuture<'static, HandOver>> {
        let outcome = self.hand_overs.lock().unwrap().pop_front()?;
        Some(Box::pin(std::future::ready(outcome)))
    }

    fn idle_for(&self) -> Duration {
        *self.idle.lock().unwrap()
    }

    fn changed(&self) {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "scripted");
        self.changed.notify_one();
    }

    fn granted(&self, _subject: &Subject, capability: &str) -> bool {
        self.granted.lock().unwrap().contains(capability)
    }
}
