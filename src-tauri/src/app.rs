//! Puts the application together and runs it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::link::{Link, Quit, ToApp, ToLauncher};
use moult_boot::{Base, BootState, BundleStore, Installed, SlotName, Store};
use moult_model::{Digest, Subject};
use moult_sandbox::Broker;
use moult_update::{Engine, EngineConfig};
use tauri::AppHandle;

use crate::build::{Build, TRIPLE};
use crate::figures::Computer;
use crate::health::Health;
use crate::host::AppHost;
use crate::loads::Loads;
use crate::places::Places;
use crate::protocol::HostFiles;
use crate::records::Records;
use crate::stage::Stage;
use crate::{commands, log, protocol, window};

/// How long the stage may take to save what the user typed last.
const FLUSH_BUDGET: Duration = Duration::from_millis(800);

/// Everything that lives as long as the application.
pub(crate) struct Context {
    pub(crate) build: Build,
    pub(crate) places: Places,
    pub(crate) records: Records,
    pub(crate) store: Store,
    pub(crate) bundles: BundleStore,
    pub(crate) loads: Loads,
    pub(crate) stage: Stage,
    pub(crate) broker: Broker<Computer>,
    pub(crate) health: Health,
    pub(crate) link: Option<Link>,
    /// None in a build without trust files, which does not update.
    pub(crate) engine: OnceLock<Engine>,
    pub(crate) handle: OnceLock<AppHandle>,
}

/// Runs until the last window is closed or the engine restarts the application.
pub(crate) fn run(version: &str) -> anyhow::Result<()> {
    let build = Build::new(version)?;
    let places = Places::from_environment()?;
    moult_durable::create_dir_all(&places.data)?;
    log::open(&places.log())?;
    tracing::info!(version = %build.version, slot = places.slot, triple = TRIPLE, "starts");
    let link = match Link::from_environment() {
        Some(link) => Some(link.context("the launcher's channel can't be used")?),
        None => None,
    };
    let context = Arc::new(open(build, places, link)?);
    crate::host::adopt_embedded_shell(&context)?;
    start(&context)
}

fn open(build: Build, places: Places, link: Option<Link>) -> anyhow::Result<Context> {
    let records = Records::open(&places.data)?;
    let store = Store::open(&places.data, base(&build, &places)?)?;
    let bundles = BundleStore::open(&places.data)?;
    let broker = Broker::new(Computer::new(&places.data));
    Ok(Context {
        build,
        places,
        records,
        store,
        bundles,
        loads: Loads::default(),
        stage: Stage::new(),
        broker,
        health: Health::new(),
        link,
        engine: OnceLock::new(),
        handle: OnceLock::new(),
    })
}

/// The packaged version, as the installer recorded it; of a build that was started by hand, itself.
fn base(build: &Build, places: &Places) -> anyhow::Result<Base> {
    match Base::from_install(&places.install) {
        Ok(base) => Ok(base),
        Err(error) => {
            tracing::info!(error = %error, "this is no installation; the running executable counts as packaged");
            let mut file = std::fs::File::open(&places.executable).context("the executable can't be read")?;
            let (digest, _) = Digest::of_reader(&mut file)?;
            Ok(Base {
                executable: places.executable.clone(),
                version: build.version.clone(),
                digest,
            })
        }
    }
}

fn start(context: &Arc<Context>) -> anyhow::Result<()> {
    let mut tauri_context = tauri::generate_context!();
    tauri_context.package_info_mut().version = context.build.version.clone();
    let files = HostFiles {
        font: tauri_context
            .assets()
            .get(&"fonts/inter-latin.woff2".into())
            .map(std::borrow::Cow::into_owned)
            .context("the font is not among the stage's files")?,
    };
    let serving = Arc::clone(context);
    let setup = Arc::clone(context);
    let minisign = context
        .build
        .anchor
        .as_ref()
        .map(|anchor| anchor.minisign.clone())
        .unwrap_or_default();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_updater::Builder::new().pubkey(minisign).build())
        .manage(Arc::clone(context))
        .invoke_handler(tauri::generate_handler![
            commands::stage_open,
            commands::stage_report,
            commands::state_save,
            commands::capability,
            commands::shell_command,
        ])
        .register_asynchronous_uri_scheme_protocol("widget", move |_, request, responder| {
            responder.respond(protocol::answer(&serving.loads, &files, &request));
        })
        .setup(move |app| {
            setup.stage.attach(app.handle().clone());
            let _ = setup.handle.set(app.handle().clone());
            start_engine(&setup)?;
            window::build(app, &setup)?;
            listen_to_launcher(&setup);
            listen_to_signals(&setup);
            Ok(())
        })
        .build(tauri_context)
        .context("the window system can't be used")?;
    app.run(|_, _| {});
    Ok(())
}

fn start_engine(context: &Arc<Context>) -> anyhow::Result<()> {
    let Some(anchor) = context.build.anchor.clone() else {
        tracing::warn!("this build has no trust files and does not update");
        return Ok(());
    };
    let state = context.store.state()?;
    let digest = running_digest(context, &state)?;
    let config = EngineConfig {
        data: context.places.data.clone(),
        base: context.store.base().clone(),
        triple: TRIPLE.to_owned(),
        anchor,
        running: Installed {
            version: context.build.version.clone(),
            digest,
        },
        executable: context.places.executable.clone(),
        host_api: moult_model::HOST_API,
        check_jitter_percent: 10,
    };
    let _runtime = tauri::async_runtime::handle().inner().enter();
    let host = Arc::new(AppHost(Arc::downgrade(context)));
    let engine = Engine::start(config, context.records.settings(), wanted(context), host)?;
    let _ = context.engine.set(engine);
    Ok(())
}

/// The digest of what runs: of a slot as the store recorded it, else that of the file.
fn running_digest(context: &Context, state: &BootState) -> anyhow::Result<Digest> {
    let slot: Option<SlotName> = context.places.slot.parse().ok();
    if let Some(found) = state
        .slots
        .iter()
        .find(|found| Some(&found.name) == slot.as_ref())
    {
        return Ok(found.digest);
    }
    let mut file = std::fs::File::open(&context.places.executable).context("the executable can't be read")?;
    Ok(Digest::of_reader(&mut file)?.0)
}

/// What is to be kept current: executable, shell, and each widget on the board once.
pub(crate) fn wanted(context: &Context) -> Vec<Subject> {
    let mut subjects = vec![Subject::Executable, Subject::Shell];
    for tile in context.records.board().tiles {
        let subject = Subject::Widget(tile.widget);
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    subjects
}

fn listen_to_launcher(context: &Arc<Context>) {
    let Some(messages) = context.link.as_ref().map(Link::receiver) else {
        return;
    };
    let context = Arc::clone(context);
    std::thread::spawn(move || {
        for message in messages {
            match message {
                ToApp::Open { arguments } => {
                    tracing::info!(?arguments, "opened again");
                    window::show(&context);
                }
            }
        }
        // The launcher is gone. Whoever ended it wants the application to end as well.
        tracing::warn!("the launcher is gone");
        tauri::async_runtime::block_on(quit(&context, Quit::Session));
    });
}

#[cfg(unix)]
fn listen_to_signals(context: &Arc<Context>) {
    use tokio::signal::unix::{SignalKind, signal};
    let context = Arc::clone(context);
    tauri::async_runtime::spawn(async move {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
                quit(&context, Quit::Session).await;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM is not listened to"),
        }
    });
}

#[cfg(not(unix))]
fn listen_to_signals(_: &Arc<Context>) {}

/// Ends the application: what was typed is saved first, and the launcher is told why.
pub(crate) async fn quit(context: &Arc<Context>, why: Quit) {
    context.stage.flush(FLUSH_BUDGET).await;
    if let Some(engine) = context.engine.get() {
        engine.shutdown().await;
    }
    tell(context, &ToLauncher::Quitting { why });
    tracing::info!(?why, "ends");
    if let Some(handle) = context.handle.get() {
        window::remember(context);
        handle.exit(0);
    }
}

/// Tells the launcher something, if there is one.
pub(crate) fn tell(context: &Context, message: &ToLauncher) {
    if let Some(link) = &context.link
        && let Err(error) = link.send(message)
    {
        tracing::warn!(%error, "the launcher could not be told");
    }
}
