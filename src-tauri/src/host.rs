//! What the update engine asks of the application: put this bundle on the screen, restart into that executable.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use moult_boot::link::Quit;
use moult_model::board::Tile;
use moult_model::stage::{Load, StageEvent};
use moult_model::{Bundle, Mode, Subject, Version};
use moult_update::{
    ExecutableDecision, HandOver, Host, StagedBundle, StagedExecutable, SwapFigures, SwapRefusal,
};
use serde_json::{Map, Value};

use crate::app::{Context, quit};
use crate::stage::withdrawn;
use crate::swaps::{activate, refusal};
use crate::{hand_over, logic, overview, prompt};

/// An update waits until its tile was without input for this long, and the application likewise.
pub(crate) const QUIET: Duration = Duration::from_secs(2);
/// After this long it is carried out all the same.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

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
        let load = shown_in(context, &tile).and_then(|bundle| {
            bundle
                .filter(|bundle| !is_kept_off(context, &tile.instance, &bundle.manifest().version))
                .map(|bundle| open(context, Some(&tile.instance), &bundle))
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

/// Whether a widget is not to come onto the board with the others.
fn is_kept_off(context: &Context, instance: &str, version: &Version) -> bool {
    context.revival.waits(instance)
        || context
            .records
            .held()
            .iter()
            .any(|held| held.instance == instance && held.version == *version)
}

/// Puts a widget that is installed into a new tile.
pub(crate) fn open_tile(context: &Context, instance: &str) -> anyhow::Result<()> {
    let board = context.records.board();
    let tile = board
        .tiles
        .iter()
        .find(|tile| tile.instance == instance)
        .context("there is no such tile")?;
    let bundle = shown_in(context, tile)?.context("the widget is not installed")?;
    let load = open(context, Some(instance), &bundle)?;
    context.stage.send(&StageEvent::Open { load });
    Ok(())
}

/// The bundle that stands for a subject now.
pub(crate) fn current(context: &Context, subject: &Subject) -> anyhow::Result<Option<Arc<Bundle>>> {
    if let Some(bundle) = context.records.session().bundle(subject) {
        return Ok(Some(bundle));
    }
    let bundles = context.writing.bundles();
    match bundles.subject(subject)?.current {
        Some(installed) => Ok(Some(read(&bundles.path(&installed.digest))?)),
        None => Ok(None),
    }
}

/// The bundle that a tile shows: the version that it is held on if that is still there, else what is current.
pub(crate) fn shown_in(context: &Context, tile: &Tile) -> anyhow::Result<Option<Arc<Bundle>>> {
    let subject = Subject::Widget(tile.widget.clone());
    let bundles = context.writing.bundles();
    if let Some(version) = &tile.pinned {
        if let Some(held) = bundles.subject(&subject)?.of_version(version) {
            return Ok(Some(read(&bundles.path(&held.digest))?));
        }
        tracing::error!(%subject, %version, "the version that a tile is held on is not there");
    }
    current(context, &subject)
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Arc<Bundle>> {
    let bytes = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(Arc::new(Bundle::parse(bytes)?))
}

pub(crate) fn open(context: &Context, place: Option<&str>, bundle: &Arc<Bundle>) -> anyhow::Result<Load> {
    let load = prepare(context, place.map(str::to_owned), bundle)?;
    stand(context, place, &load.token);
    context.logic.begin(&load.token);
    Ok(load)
}

/// From now on this load is the one in its place; the one that was is closed.
pub(crate) fn stand(context: &Context, place: Option<&str>, token: &str) {
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
