//! Puts the application together and runs it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::link::{Link, Quit, ToApp, ToLauncher};
use moult_boot::{Base, BootState, InUse, Installed, SlotName, StartToken, Store, WriteRight};
use moult_handover::{Caller, Limits, Met, Offer, Taker, Welcome};
use moult_model::{Digest, Subject};
use moult_update::{Engine, EngineConfig};
use tauri::AppHandle;

use crate::build::{Build, TRIPLE};
use crate::frame_watch::Secret;
use crate::health::Health;
use crate::host::AppHost;
use crate::live::Live;
use crate::loads::Loads;
use crate::logic::Logic;
use crate::places::Places;
use crate::powers::Powers;
use crate::protocol::HostFiles;
use crate::records::Records;
use crate::revival::{self, Revival};
use crate::stage::Stage;
use crate::writing::Writing;
use crate::{
    commands, developer, hand_over, health, local_api, log, not_tried, overview, protocol, take_over, window,
    writing,
};

/// How long the stage may take to save what the user typed last.
pub(crate) const FLUSH_BUDGET: Duration = Duration::from_millis(800);

/// How long the engine may take to stop when the application ends.
const STOP_BUDGET: Duration = Duration::from_secs(1);

/// Everything that lives as long as the application.
pub(crate) struct Context {
    pub(crate) build: Build,
    pub(crate) places: Places,
    pub(crate) records: Records,
    pub(crate) store: Store,
    /// The slot's files stay while this process runs, also if its launcher is gone.
    _in_use: Option<InUse>,
    pub(crate) writing: Writing,
    pub(crate) loads: Loads,
    /// Which load of each widget its user has.
    pub(crate) live: Live,
    pub(crate) logic: Logic,
    pub(crate) stage: Stage,
    /// What the watch in the frames proves itself with.
    pub(crate) watch: Secret,
    pub(crate) revival: Revival,
    pub(crate) powers: Powers,
    pub(crate) health: Health,
    pub(crate) link: Option<Link>,
    pub(crate) handle: OnceLock<AppHandle>,
    /// This process hands over to the next, or takes over from the one before.
    pub(crate) hand_over: hand_over::Present,
    pub(crate) take_over: take_over::Present,
    pub(crate) local_api: local_api::Present,
    pub(crate) developer: developer::Present,
    /// A newer version that the launcher could not try.
    pub(crate) not_tried: not_tried::Present,
}

/// How this start begins.
enum Beginning {
    /// Alone, or beside another process that does not give up the right to write.
    Alone(Option<WriteRight>),
    /// Beside the process that it takes over from.
    Beside(Box<Taker>, Box<Welcome>),
}

/// Runs until the last window is closed or the engine restarts the application.
pub(crate) fn run(version: &str) -> anyhow::Result<()> {
    let build = Build::new(version)?;
    let places = Places::from_environment()?;
    moult_durable::create_dir_all(&places.data)?;
    log::open(&places.log())?;
    tracing::info!(version = %build.version, slot = places.slot, triple = TRIPLE, "starts");
    if let Some(statement) = &places.statement {
        tracing::info!(statement, "where it is installed");
    }
    let link = match Link::from_environment() {
        Some(link) => Some(link.context("the launcher's channel can't be used")?),
        None => None,
    };
    let context = Arc::new(open(build, places, link)?);
    context.logic.attach(&context);
    health::progress(&context, "the data is opened");
    let beginning = begin(&context)?;
    start(&context, beginning)
}

fn open(build: Build, places: Places, link: Option<Link>) -> anyhow::Result<Context> {
    let records = Records::read(&places.data)?;
    let store = Store::open(&places.data, base(&build, &places)?)?;
    let powers = Powers::new(&places);
    let in_use = places.slot.parse().ok().map(|slot| store.hold(&slot)).transpose();
    Ok(Context {
        _in_use: in_use.unwrap_or_else(|error| {
            tracing::warn!(%error, "the slot is not marked as in use");
            None
        }),
        writing: Writing::reading(&places),
        build,
        places,
        records,
        store,
        loads: Loads::default(),
        live: Live::default(),
        logic: Logic::default(),
        stage: Stage::new(),
        watch: Secret::new()?,
        revival: Revival::default(),
        powers,
        health: Health::new(),
        link,
        handle: OnceLock::new(),
        hand_over: hand_over::Present::default(),
        take_over: take_over::Present::default(),
        local_api: local_api::Present::default(),
        developer: developer::Present::default(),
        not_tried: not_tried::Present::default(),
    })
}

/// Meets the process that hands over, if there is one; else takes the right to write.
fn begin(context: &Arc<Context>) -> anyhow::Result<Beginning> {
    let right = match Offer::from_environment() {
        Some(offer) => {
            let me = Caller {
                version: context.build.version.to_string(),
                start: StartToken::from_environment()
                    .map(|token| token.as_str().to_owned())
                    .unwrap_or_default(),
            };
            match Taker::connect(&context.places.data, &offer?, me, Limits::default())? {
                Met::Welcomed(taker, welcome) => {
                    tracing::info!(version = welcome.version, "beside a version that hands over");
                    return Ok(Beginning::Beside(taker, welcome));
                }
                Met::Alone(right) => Some(right),
            }
        }
        None => writing::seek(&context.places, || {
            health::progress(context, "the right to write is waited for");
        })?,
    };
    Ok(Beginning::Alone(right))
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

fn start(context: &Arc<Context>, beginning: Beginning) -> anyhow::Result<()> {
    // Without `test` it would embed a second, shorter description of the executable on macOS, beside that of `build.rs`.
    let mut tauri_context = tauri::generate_context!(test = true);
    tauri_context.package_info_mut().version = context.build.version.clone();
    let files = HostFiles {
        font: tauri_context
            .assets()
            .get(&"fonts/inter-latin.woff2".into())
            .map(std::borrow::Cow::into_owned)
            .context("the font is not among the stage's files")?,
    };
    #[cfg(target_os = "linux")]
    crate::fonts::make_known(&context.places, &files.font);
    let serving = Arc::clone(context);
    let setup = Arc::clone(context);
    let minisign = context
        .build
        .anchor
        .as_ref()
        .map(|anchor| anchor.minisign.clone())
        .unwrap_or_default();
    if let Err(error) = moult_boot::presence::join_group() {
        tracing::warn!(%error, "the task bar will not know this window");
    }
    let builder = tauri::Builder::default();
    #[cfg(target_os = "macos")]
    let builder = {
        let ended = Arc::clone(context);
        builder.on_web_content_process_terminate(move |_| revival::gone(&ended, false))
    };
    let app = builder
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
            set_up(app, &setup, beginning)?;
            Ok(())
        })
        .build(tauri_context)
        .context("the window system can't be used")?;
    app.run(|_, _| {});
    Ok(())
}

fn set_up(app: &tauri::App, context: &Arc<Context>, beginning: Beginning) -> anyhow::Result<()> {
    match beginning {
        Beginning::Alone(right) => {
            if let Some(right) = right {
                writing::begin(context, right)?;
                writing::update_if_possible(context);
                local_api::open(context);
            } else {
                tracing::error!("another process holds the right to write; this one only reads");
                writing::begin_when_free(context);
            }
            window::build(app, context, None)?;
        }
        Beginning::Beside(taker, welcome) => {
            window::build(app, context, Some(welcome.window))?;
            take_over::begin(context, *taker);
        }
    }
    #[cfg(windows)]
    {
        window::name(app, context);
        listen_to_session(context);
    }
    health::progress(context, "the window is built");
    #[cfg(all(unix, debug_assertions))]
    crate::drill::open(context);
    listen_to_launcher(context);
    listen_to_signals(context);
    revival::watch(context);
    tauri::async_runtime::spawn(health::watch(Arc::clone(context)));
    Ok(())
}

/// Starts the update engine. None in a build without trust files.
pub(crate) fn start_engine(context: &Arc<Context>) -> anyhow::Result<Option<Engine>> {
    let Some(anchor) = context.build.anchor.clone() else {
        tracing::warn!("this build has no trust files and does not update");
        return Ok(None);
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
    Ok(Some(engine))
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

/// What is to be kept current: executable (unless its package does that), shell, and each widget on the board once.
pub(crate) fn wanted(context: &Context) -> Vec<Subject> {
    let mut subjects = vec![Subject::Shell];
    if moult_boot::updates_executable(&context.places.install) {
        subjects.insert(0, Subject::Executable);
    }
    for tile in context.records.kept_board().tiles {
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
            if context.not_tried.hear(&message) {
                overview::announce(&context);
            }
            match message {
                ToApp::Open { arguments } => {
                    tracing::info!(?arguments, "opened again");
                    window::show(&context);
                }
                other => hand_over::heard(&context, &other),
            }
        }
        // The launcher is gone. Whoever ended it wants the application to end as well.
        tracing::warn!("the launcher is gone");
        hand_over::launcher_gone(&context);
        take_over::launcher_gone(&context);
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

/// Elsewhere there are no signals: the launcher has another way, and so have the console and the session.
#[cfg(not(unix))]
fn listen_to_signals(context: &Arc<Context>) {
    let context = Arc::clone(context);
    let listening = moult_boot::presence::on_wish_to_end(move |why| {
        tauri::async_runtime::block_on(quit(&context, why));
        false
    });
    if let Err(error) = listening {
        tracing::warn!(%error, "a wish to end is not heard");
    }
}

/// A logout is told to windows there, and the process ends with their answer: so the answer waits.
#[cfg(windows)]
fn listen_to_session(context: &Arc<Context>) {
    let (saving, ending) = (Arc::clone(context), Arc::clone(context));
    let save = move || {
        let context = Arc::clone(&saving);
        tauri::async_runtime::spawn(async move { context.stage.flush(FLUSH_BUDGET).await });
    };
    let end = move || {
        let context = Arc::clone(&ending);
        let (done, told) = std::sync::mpsc::channel();
        tauri::async_runtime::spawn(async move {
            quit(&context, Quit::Session).await;
            drop(done);
        });
        told
    };
    if let Err(error) = moult_boot::presence::on_end_of_session(save, end) {
        tracing::warn!(%error, "the end of the session is not heard");
    }
}

/// Ends the application: what was typed is saved first, and the launcher is told why.
pub(crate) async fn quit(context: &Arc<Context>, why: Quit) {
    hand_over::withdraw(context);
    if let Err(error) = developer::set(context, false) {
        tracing::warn!(
            error = format!("{error:#}"),
            "the door for developers could not be closed"
        );
    }
    context.stage.flush(FLUSH_BUDGET).await;
    let _right = writing::end(context, STOP_BUDGET).await;
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
