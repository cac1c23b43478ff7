//! What the update engine asks of the application: put this bundle on the screen, restart into that executable.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use moult_boot::link::Quit;
use moult_model::stage::{Load, StageEvent, SwapCause, SwapFailure, SwapOrder, SwapReason};
use moult_model::{Bundle, Mode, Subject, Version};
use moult_update::{
    ExecutableDecision, HandOver, Host, StagedBundle, StagedExecutable, SwapFigures, SwapRefusal,
};
use serde_json::{Map, Value};

use crate::app::{Context, quit};
use crate::stage::withdrawn;
use crate::{hand_over, logic, overview, prompt};

/// An update waits until its tile was without input for this long, and the application likewise.
const QUIET: Duration = Duration::from_secs(2);
/// After this long it is carried out all the same.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a bundle may take to get ready.
const READY: Duration = Duration::from_secs(5);
/// How long a bundle is on trial after the switch.
const TRIAL: Duration = Duration::from_secs(4);
/// What the stage may need beyond these.
const SLACK: Duration = Duration::from_secs(5);
/// How long an order waits for a stage that is not open yet.
const STAGE: Duration = Duration::from_secs(30);

/// The application as the engine sees it.
pub(crate) struct AppHost(pub(crate) Weak<Context>);

impl Host for AppHost {
    fn activate_bundle(&self, staged: StagedBundle) -> BoxFuture<'static, Result<SwapFigures, SwapRefusal>> {
        let context = self.0.upgrade();
        Box::pin(async move {
            match context {
                Some(context) => activate(&context, &staged).await,
                None => Err(refusal(withdrawn("the application is ending"))),
            }
        })
    }

    fn rehearse(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<(), String>> {
        let context = self.0.upgrade();
        Box::pin(async move {
            match context {
                Some(context) => logic::shadow::rehearse(&context, &bundle).await,
                // Nobody waits for it any more.
                None => std::future::pending().await,
            }
        })
    }

    fn activate_executable(&self, staged: StagedExecutable) -> BoxFuture<'static, ExecutableDecision> {
        let context = self.0.upgrade();
        Box::pin(async move {
            match context {
                Some(context) => decide(&context, &staged).await,
                None => ExecutableDecision::Later,
            }
        })
    }

    fn restart(&self) {
        if let Some(context) = self.0.upgrade() {
            tauri::async_runtime::spawn(async move { quit(&context, Quit::Update).await });
        }
    }

    fn hand_over(&self) -> Option<BoxFuture<'static, HandOver>> {
        let context = self.0.upgrade();
        Some(Box::pin(async move {
            match context {
                Some(context) => hand_over::offer(&context).await,
                None => HandOver::NotHere,
            }
        }))
    }

    fn idle_for(&self) -> Duration {
        self.0
            .upgrade()
            .map_or(Duration::ZERO, |context| context.health.quiet())
    }

    fn changed(&self) {
        if let Some(context) = self.0.upgrade() {
            overview::announce(&context);
        }
    }

    fn granted(&self, subject: &Subject, capability: &str) -> bool {
        match (self.0.upgrade(), subject) {
            (Some(context), Subject::Widget(widget)) => context.records.grants().allows(widget, capability),
            _ => false,
        }
    }
}

/// Installs the shell that came with the executable, if there is none or an older one: patches start from it,
/// and the first start needs no network.
pub(crate) fn adopt_embedded_shell(context: &Context) -> anyhow::Result<()> {
    let embedded = &context.build.shell;
    let version = &embedded.manifest().version;
    let bundles = context.writing.bundles();
    if !is_embedded_shell_newer(context)? {
        return Ok(());
    }
    let file = context.store.staging().join("embedded-shell.bundle");
    moult_durable::write_atomic(&file, embedded.bytes())?;
    let digest = embedded.digest();
    bundles.install(&file, &Subject::Shell, version, digest)?;
    bundles.begin_trial(&Subject::Shell, &digest)?;
    bundles.confirm(&Subject::Shell, &digest)?;
    tracing::info!(%version, "the embedded shell is installed");
    Ok(())
}

/// Whether the shell that came with the executable is one that this computer never had, and above what it has.
fn is_embedded_shell_newer(context: &Context) -> anyhow::Result<bool> {
    let version = &context.build.shell.manifest().version;
    let slots = context.writing.bundles().subject(&Subject::Shell)?;
    let newest = slots.current.as_ref().map(|installed| &installed.version);
    Ok(newest.is_none_or(|newest| newest < version)
        && !slots.earlier.iter().any(|kept| kept.version == *version))
}

/// Opens a load of the shell: the installed one, else the embedded one. Before this process may write, the
/// embedded one is not installed yet, and shown all the same if it will be.
pub(crate) fn load_shell(context: &Context) -> anyhow::Result<Load> {
    let adopted = is_embedded_shell_newer(context).unwrap_or_default();
    let installed = if adopted {
        Ok(None)
    } else {
        current(context, &Subject::Shell)
    };
    let installed = installed.unwrap_or_else(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "the installed shell can't be read; the embedded one is shown"
        );
        None
    });
    let bundle = installed.unwrap_or_else(|| Arc::new(context.build.shell.clone()));
    open(context, None, &bundle)
}

/// Opens a load for each widget on the board that is installed. One that can't be read is left out, and said.
pub(crate) fn load_widgets(context: &Context) -> Vec<Load> {
    let tiles = context.records.board().tiles;
    let mut loads = Vec::new();
    for tile in tiles {
        let load = current(context, &Subject::Widget(tile.widget.clone())).and_then(|bundle| {
            bundle
                .map(|bundle| open(context, Some(tile.instance.clone()), &bundle))
                .transpose()
        });
        match load {
            Ok(load) => loads.extend(load),
            Err(error) => {
                tracing::error!(widget = %tile.widget, error = format!("{error:#}"), "can't be loaded");
            }
        }
    }
    loads
}

/// Puts a widget that is installed into a new tile.
pub(crate) fn open_tile(context: &Context, instance: &str) -> anyhow::Result<()> {
    let board = context.records.board();
    let tile = board
        .tiles
        .iter()
        .find(|tile| tile.instance == instance)
        .context("there is no such tile")?;
    let bundle =
        current(context, &Subject::Widget(tile.widget.clone()))?.context("the widget is not installed")?;
    let load = open(context, Some(instance.to_owned()), &bundle)?;
    context.stage.send(&StageEvent::Open { load });
    Ok(())
}

/// The bundle that stands for a subject now.
pub(crate) fn current(context: &Context, subject: &Subject) -> anyhow::Result<Option<Arc<Bundle>>> {
    let bundles = context.writing.bundles();
    match bundles.subject(subject)?.current {
        Some(installed) => Ok(Some(read(&bundles.path(&installed.digest))?)),
        None => Ok(None),
    }
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Arc<Bundle>> {
    let bytes = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(Arc::new(Bundle::parse(bytes)?))
}

fn open(context: &Context, place: Option<String>, bundle: &Arc<Bundle>) -> anyhow::Result<Load> {
    let load = prepare(context, place.clone(), bundle)?;
    stand(context, place.as_deref(), &load.token);
    context.logic.begin(&load.token);
    Ok(load)
}

/// From now on this load is the one in its place; the one that was is closed.
fn stand(context: &Context, place: Option<&str>, token: &str) {
    if let Some(instance) = place {
        context.live.set(instance, token);
    }
    if let Some(old) = context.stage.stand(place.map(str::to_owned), token.to_owned()) {
        close(context, &old);
    }
}

/// Closes a load: its host serves nothing any more, its logic ends, and it hears nothing.
pub(crate) fn close(context: &Context, token: &str) {
    context.loads.close(token);
    context.logic.close(token);
    context.powers.talk.close(token);
}

/// Closes everything: the page that held all frames is new.
pub(crate) fn close_all(context: &Context) {
    context.loads.close_all();
    context.logic.close_all();
    context.powers.talk.close_all();
    context.live.clear();
}

/// Opens a load without putting it in its place yet.
pub(crate) fn prepare(
    context: &Context,
    place: Option<String>,
    bundle: &Arc<Bundle>,
) -> anyhow::Result<Load> {
    let granted = match &bundle.manifest().id {
        Subject::Widget(widget) => context
            .records
            .grants()
            .allowed_of(widget, &bundle.manifest().permissions),
        Subject::Shell | Subject::Executable => Vec::new(),
    };
    let saved = place
        .as_deref()
        .and_then(|instance| context.records.state(instance));
    let settings = settings(context, place.as_deref(), bundle);
    let load = context.loads.open(bundle, place, saved, granted, settings)?;
    if let Some(live) = context.loads.by_token(&load.token) {
        context.logic.open(&live);
    }
    Ok(load)
}

/// What a bundle gets for settings in a place: what its user chose, as far as it fits.
pub(crate) fn settings(context: &Context, place: Option<&str>, bundle: &Bundle) -> Map<String, Value> {
    let tiles = context.records.board().tiles;
    let tile = tiles.into_iter().find(|tile| Some(&*tile.instance) == place);
    let chosen = tile.map(|tile| tile.settings).unwrap_or_default();
    moult_model::bundle::values(&bundle.manifest().settings, &chosen)
}

/// Tells a widget on the board its settings.
pub(crate) fn tell_settings(context: &Context, instance: &str) {
    let token = context.stage.standing(Some(instance));
    if let Some(load) = token.and_then(|token| context.loads.by_token(&token)) {
        let settings = settings(context, Some(instance), &load.bundle);
        context.stage.send(&StageEvent::Settings {
            instance: instance.to_owned(),
            settings,
        });
    }
    context.logic.set_settings(context, instance);
}

/// Puts a bundle into every place that shows its subject. If one place refuses it, all go back.
async fn activate(context: &Arc<Context>, staged: &StagedBundle) -> Result<SwapFigures, SwapRefusal> {
    if !context.stage.ready(STAGE).await {
        return Err(refusal(withdrawn("no stage is open")));
    }
    let bundle = read(&staged.path).map_err(|error| refusal(withdrawn(&format!("{error:#}"))))?;
    let mut figures = SwapFigures::default();
    let mut done = Vec::new();
    for place in places(context, &staged.subject) {
        match put(
            context,
            place.as_deref(),
            &bundle,
            staged.from.as_ref(),
            staged.reason,
        )
        .await
        {
            Ok(here) => {
                figures = worst(figures, here);
                done.push(place);
            }
            Err(failure) => {
                // Its frame was confirmed, its logic was not.
                if shows(context, place.as_deref(), &bundle) {
                    done.push(place);
                }
                take_back(context, &staged.subject, &staged.version, done).await;
                return Err(refusal(failure));
            }
        }
    }
    Ok(figures)
}

fn shows(context: &Context, place: Option<&str>, bundle: &Arc<Bundle>) -> bool {
    let standing = context.stage.standing(place);
    let load = standing.and_then(|token| context.loads.by_token(&token));
    load.is_some_and(|load| load.bundle.digest() == bundle.digest())
}

/// The places that show a subject. The shell's place is `None`.
pub(crate) fn places(context: &Context, subject: &Subject) -> Vec<Option<String>> {
    match subject {
        Subject::Shell => vec![None],
        Subject::Widget(widget) => {
            let tiles = context.records.board().tiles;
            tiles
                .into_iter()
                .filter(|tile| tile.widget == *widget)
                .map(|tile| Some(tile.instance))
                .collect()
        }
        Subject::Executable => Vec::new(),
    }
}

async fn put(
    context: &Arc<Context>,
    place: Option<&str>,
    bundle: &Arc<Bundle>,
    from: Option<&Version>,
    reason: SwapReason,
) -> Result<SwapFigures, SwapFailure> {
    let load = prepare(context, place.map(str::to_owned), bundle)
        .map_err(|error| withdrawn(&format!("{error:#}")))?;
    let token = load.token.clone();
    if let Err(failure) = logic::swap::prepare(context, &token).await {
        close(context, &token);
        return Err(failure);
    }
    let ending = context.stage.await_ending(&token);
    let standing = context.stage.standing(place);
    let event = match (&standing, from) {
        (Some(_), Some(from)) => StageEvent::Swap {
            order: order(load, from, reason),
        },
        _ => StageEvent::Open { load },
    };
    context.stage.send(&event);
    let result = match tokio::time::timeout(READY + PATIENCE + TRIAL + SLACK, ending).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(withdrawn("the stage was loaded anew")),
        Err(_) => Err(SwapFailure {
            cause: SwapCause::Hung,
            detail: "the stage did not say how it ended".to_owned(),
        }),
    };
    context.stage.forget(&token);
    match result {
        Ok(figures) => {
            let committed = logic::swap::commit(context, &token).await;
            stand(context, place, &token);
            committed.map(|state| {
                logic::swap::confirmed(context, &token, state);
                figures.unwrap_or_default()
            })
        }
        Err(failure) => {
            logic::swap::roll_back(context, &token, standing.as_deref()).await;
            close(context, &token);
            Err(failure)
        }
    }
}

fn order(load: Load, from: &Version, reason: SwapReason) -> SwapOrder {
    let forced = !matches!(reason, SwapReason::Update);
    SwapOrder {
        load,
        from: from.clone(),
        reason,
        quiet_ms: if forced { 0 } else { milliseconds(QUIET) },
        patience_ms: milliseconds(PATIENCE),
        ready_ms: milliseconds(READY),
        trial_ms: milliseconds(TRIAL),
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Brings the version that is still current back into places that had the new one already.
async fn take_back(context: &Arc<Context>, subject: &Subject, from: &Version, places: Vec<Option<String>>) {
    if places.is_empty() {
        return;
    }
    match current(context, subject) {
        Ok(Some(bundle)) => {
            for place in places {
                if let Err(failure) =
                    put(context, place.as_deref(), &bundle, Some(from), SwapReason::GoBack).await
                {
                    tracing::error!(
                        ?failure,
                        ?place,
                        "a place could not go back; it does so at the next start"
                    );
                }
            }
        }
        Ok(None) => {}
        Err(error) => tracing::error!(error = format!("{error:#}"), "the current version can't be read"),
    }
}

/// A refusal; only what the new version did itself counts towards its ban.
fn refusal(failure: SwapFailure) -> SwapRefusal {
    let ban = match failure.cause {
        SwapCause::Exception | SwapCause::NotReady | SwapCause::Hung | SwapCause::StateRefused => true,
        SwapCause::Withdrawn => false,
    };
    SwapRefusal { failure, ban }
}

/// What the slowest place took.
fn worst(one: SwapFigures, other: SwapFigures) -> SwapFigures {
    SwapFigures {
        ready_ms: one.ready_ms.max(other.ready_ms),
        switch_ms: one.switch_ms.max(other.switch_ms),
        state_bytes: one.state_bytes.max(other.state_bytes),
        replayed_keys: one.replayed_keys + other.replayed_keys,
    }
}

/// When to restart into a new executable: the user's choice, or by itself when nobody is typing.
async fn decide(context: &Arc<Context>, staged: &StagedExecutable) -> ExecutableDecision {
    match context.records.settings().mode {
        Mode::OnQuit => ExecutableDecision::OnQuit,
        Mode::NextStart => ExecutableDecision::NextStart,
        Mode::Prompt => match context.handle.get() {
            Some(handle) => prompt::ask_restart(handle, staged).await,
            None => ExecutableDecision::Later,
        },
        Mode::Silent => {
            let until = tokio::time::Instant::now() + PATIENCE;
            while context.health.quiet() < QUIET && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            ExecutableDecision::Now
        }
    }
}
