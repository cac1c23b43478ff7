//! What the engine asks of the application it lives in. It refuses to know windows and frames.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use moult_boot::SlotName;
use moult_model::stage::{SwapFailure, SwapReason};
use moult_model::{Digest, Subject, Version};

use crate::fetch::Alert;

pub use crate::machine::Decision as ExecutableDecision;

/// The application, as the engine sees it. No call may block.
pub trait Host: Send + Sync + 'static {
    /// Loads a bundle into every place that shows its subject, switches, and waits for the end of the
    /// trial. `Ok` means that it is confirmed; for a subject that is not on screen that is so at once.
    fn activate_bundle(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<SwapFigures, SwapRefusal>>;

    /// Runs a bundle's logic beside the live one's, whose place it may take if its answers are equal for as long and as
    /// often as its manifest says. Takes days; dropped when something newer replaces the bundle or the engine ends, and
    /// called again after a restart. `Err` is the difference, in words. Asked only for bundles that want it.
    fn rehearse(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<(), String>> {
        drop(bundle);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Decides when an executable takes over, and asks the user if the mode says so. The future may take
    /// as long as it likes; it is dropped if something newer replaces the executable. After `Now` the
    /// engine begins the trial and calls [`restart`](Self::restart).
    fn activate_executable(&self, staged: StagedExecutable) -> BoxFuture<'static, ExecutableDecision>;

    /// Ends the application so that its launcher starts what is due.
    fn restart(&self);

    /// Hands over to what is due while this process goes on, and says how that went. None: there is no way to
    /// do that here; then, and after [`HandOver::NotHere`], the engine calls [`restart`](Self::restart). The
    /// future is dropped when the engine is shut down meanwhile; what was begun has to go on without it.
    fn hand_over(&self) -> Option<BoxFuture<'static, HandOver>> {
        None
    }

    /// For how long nobody has touched this computer, as far as is known. Zero: somebody is here.
    fn idle_for(&self) -> Duration {
        Duration::ZERO
    }

    /// A server answered what it should not, and another try does not mend that: somebody should look at it.
    /// Told once for each address and kind in the life of a process; it is in the log as well.
    fn alert(&self, alert: Alert) {
        drop(alert);
    }

    /// The picture changed.
    fn changed(&self);

    /// Whether the user has granted a capability to a subject.
    fn granted(&self, subject: &Subject, capability: &str) -> bool;
}

/// How the hand-over to a newer process went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// The new process holds everything; this one is about to end.
    Done,
    /// It turned out that there is no way to hand over here: restart instead.
    NotHere,
    /// The new process did not get ready, and this one goes on. The store says what became of the trial.
    Stayed,
}

/// A bundle that is installed and on trial in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedBundle {
    /// The update's id.
    pub activity: String,
    /// What it is.
    pub subject: Subject,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// Its file.
    pub path: PathBuf,
    /// The version that runs.
    pub from: Option<Version>,
    /// Why it is to take over.
    pub reason: SwapReason,
}

/// An executable in its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedExecutable {
    /// The update's id.
    pub activity: String,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// Its slot.
    pub slot: SlotName,
    /// The version that runs.
    pub from: Version,
    /// Why it is to take over.
    pub reason: SwapReason,
    /// Whether the versions before it should not be used any longer. It can be put off, not skipped.
    pub critical: bool,
    /// Its release notes in Markdown, by language tag.
    pub notes: std::collections::BTreeMap<String, String>,
}

/// How a swap went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SwapFigures {
    /// From the order to the new version being ready, in milliseconds.
    pub ready_ms: f64,
    /// From the freeze of the old version to the first frame of the new one, in milliseconds.
    pub switch_ms: f64,
    /// The bytes of state that were handed over, as JSON.
    pub state_bytes: u32,
    /// The keys that were typed meanwhile and replayed.
    pub replayed_keys: u32,
}

/// Why a bundle did not take over. The old one goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct SwapRefusal {
    /// What happened.
    pub failure: SwapFailure,
    /// Whether it is never to be tried again.
    pub ban: bool,
}
