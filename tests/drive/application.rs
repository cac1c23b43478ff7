//! The application of the drive: the real engine, and around it what a window would have done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::{Installed, Quit, StartToken};
use moult_model::stage::{SwapCause, SwapFailure};
use moult_model::{Activity, Outcome, Phase, Subject, Version};
use moult_update::{
    BoxFuture, Engine, ExecutableDecision, Host, Picture, StagedBundle, StagedExecutable, SwapFigures,
    SwapRefusal, UpdateError, Verdict,
};
use tokio::runtime::Builder;
use tokio::sync::Notify;

use crate::installation::Installation;

/// An engine that has nothing more to do says so long before this. Only a guard: no outcome hangs on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// An engine that goes on for ever, which is wrong whatever the disk does.
#[derive(Debug, thiserror::Error)]
#[error("the engine of {0} came to no end")]
pub(crate) struct NoEnd(Version);

/// A version whose updater does not work, and that says so.
#[derive(Debug, thiserror::Error)]
#[error("the updater does not work: {0}")]
pub(crate) struct Unfit(String);

/// How the new version does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    /// It starts, confirms, and is quit by its user.
    #[default]
    Good,
    /// It crashes at each start, and the new widget fails.
    Crashing,
    /// It confirms; then its user goes back to the version before.
    GoBack,
    /// What is compiled into its updater is damaged.
    BrokenUpdater,
}

/// What is to run.
#[derive(Debug)]
pub(crate) struct Running {
    /// Its version and digest.
    pub(crate) installed: Installed,
    /// Its file.
    pub(crate) executable: std::path::PathBuf,
    /// Whether it is on trial.
    pub(crate) on_trial: bool,
    /// The name of its start.
    pub(crate) start: StartToken,
}

/// What the engine asks of a window, without one.
#[derive(Debug, Default)]
struct Window {
    changed: Notify,
    restarts: AtomicBool,
    refuses_bundles_from: Mutex<Option<Version>>,
}

impl Host for Window {
    fn activate_bundle(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<SwapFigures, SwapRefusal>> {
        let refuses = self
            .refuses_bundles_from
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|from| bundle.version >= *from);
        let refusal = SwapRefusal {
            failure: SwapFailure {
                cause: SwapCause::Exception,
                detail: "it fails, as this life says".to_owned(),
            },
            ban: true,
        };
        Box::pin(async move {
            if refuses {
                Err(refusal)
            } else {
                Ok(SwapFigures::default())
            }
        })
    }

    fn activate_executable(&self, _staged: StagedExecutable) -> BoxFuture<'static, ExecutableDecision> {
        Box::pin(async { ExecutableDecision::Now })
    }

    fn restart(&self) {
        self.restarts.store(true, Ordering::SeqCst);
        self.changed.notify_one();
    }

    fn changed(&self) {
        self.changed.notify_one();
    }

    fn granted(&self, _subject: &Subject, _capability: &str) -> bool {
        true
    }
}

/// Runs the engine until it has nothing more to do, on this thread alone. Says why the application ends, and what there
/// was to see then.
pub(crate) fn run(
    installation: &Installation,
    running: &Running,
    life: Life,
) -> anyhow::Result<(Quit, Picture)> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let session = session(installation, running, life);
        match tokio::time::timeout(PATIENCE, session).await {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::Error::new(NoEnd(running.installed.version.clone()))),
        }
    })
}

async fn session(
    installation: &Installation,
    running: &Running,
    life: Life,
) -> anyhow::Result<(Quit, Picture)> {
    let settings = installation.settings()?;
    let window = Arc::new(Window::default());
    if life == Life::Crashing {
        *window
            .refuses_bundles_from
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Version::new(1, 1, 0));
    }
    let mut config = installation.engine(running.installed.clone(), &running.executable)?;
    if life == Life::BrokenUpdater && running.on_trial {
        let half = config.anchor.root.len() / 2;
        config.anchor.root.truncate(half);
    }
    let wanted = vec![Installation::widget()?];
    let repository = installation.repository(&settings);
    let engine = match Engine::start_at(config, settings, wanted, window.clone(), repository) {
        Ok(engine) => engine,
        // What anchors all trust is compiled in: if it is no good, that is this version's fault.
        Err(UpdateError::Trust(error)) if running.on_trial => {
            return Err(anyhow::Error::new(Unfit(error.to_string())));
        }
        Err(error) => return Err(anyhow::Error::new(error).context("the engine did not start")),
    };
    // As the application does it: only a version whose updater works confirms itself.
    let verdict = if running.on_trial {
        engine.vitals().await.verdict()
    } else {
        Verdict::Fit
    };
    let mut waits_for_confirmation = false;
    match verdict {
        Verdict::Fit => engine
            .confirm_executable_of(Some(&running.start))
            .context("it could not be confirmed")?,
        Verdict::Unfit(what) => {
            engine.shutdown().await;
            return Err(anyhow::Error::new(Unfit(what)));
        }
        // The disk keeps it from looking. The application looks again and again; here the user quits before.
        Verdict::Later(_) => waits_for_confirmation = true,
    }
    let mut went_back = false;
    let quit = loop {
        window.changed.notified().await;
        if window.restarts.load(Ordering::SeqCst) {
            break Quit::Update;
        }
        let picture = engine.picture();
        if !is_settled(&picture, waits_for_confirmation) {
            continue;
        }
        match way_back(running, &picture).filter(|_| life == Life::GoBack && !went_back) {
            Some(version) => {
                went_back = true;
                engine.go_back(Subject::Executable, version);
                // Until then there is nothing on its way, and it looks as if all were done.
                engine.taken_up().await;
            }
            None => break Quit::User,
        }
    };
    engine.shutdown().await;
    Ok((quit, engine.picture()))
}

/// Whether a check of this process has ended, and all that followed from it. An executable that is armed
/// waits for the next start: this one was asked for already, or the launcher could not count it. One that
/// could not be confirmed is still on trial when its user quits.
fn is_settled(picture: &Picture, waits_for_confirmation: bool) -> bool {
    let is_armed = picture.boot.as_ref().is_some_and(|boot| boot.trial.is_some());
    let waits_for_start = |activity: &Activity| {
        is_armed && activity.subject == Subject::Executable && activity.phase == Phase::Switching
    };
    let on_trial = |activity: &Activity| {
        waits_for_confirmation
            && activity.subject == Subject::Executable
            && activity.phase == Phase::Confirming
    };
    let waits = |activity: &Activity| waits_for_start(activity) || on_trial(activity);
    let is_checked = picture.checked_at.is_some() || picture.check_problem.is_some();
    is_checked && picture.activities.iter().all(waits)
}

/// The version before, if this one took over from it and nobody has gone back yet.
fn way_back(running: &Running, picture: &Picture) -> Option<Version> {
    let lines = || {
        picture
            .history
            .iter()
            .filter(|line| line.subject == Subject::Executable)
    };
    let went_back =
        lines().any(|line| line.outcome == Outcome::Updated && line.to < running.installed.version);
    if went_back {
        return None;
    }
    let boot = picture.boot.as_ref()?;
    let previous = boot.slot(boot.previous.as_ref()?)?;
    (previous.version < running.installed.version).then(|| previous.version.clone())
}
