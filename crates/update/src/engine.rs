//! The handle that the application holds, and the picture it shows.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use moult_boot::{Base, BootState, BundleSlots, BundleStore, Installed, StartToken, Store};
use moult_model::stage::ConsentRequest;
use moult_model::{
    Activity, Channel, Explanation, HistoryEntry, Outcome, Problem, Settings, Subject, Version,
};
use moult_trust::{Anchor, Client};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::check::Checker;
use crate::driver::{Command, Driver};
use crate::error::UpdateError;
use crate::fetch::{Limits, Repository, Route};
use crate::host::Host;
use crate::perform::Tools;
use crate::records::Records;
use crate::vitals::{self, Vitals};

/// What the engine has to know of the application it lives in.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The data root.
    pub data: PathBuf,
    /// The packaged executable.
    pub base: Base,
    /// The target triple that the application was built for.
    pub triple: String,
    /// What is trusted from the beginning.
    pub anchor: Anchor,
    /// The executable that runs now.
    pub running: Installed,
    /// Its file.
    pub executable: PathBuf,
    /// The version of the host's contract with bundles.
    pub host_api: u32,
    /// How much the time between checks varies, in percent, up and down.
    pub check_jitter_percent: u8,
}

/// What there is to see. A snapshot.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The updates on their way.
    pub activities: Vec<Activity>,
    /// What happened, newest first, at most 100 lines.
    pub history: Vec<HistoryEntry>,
    /// When a check of this process last reached the repository and believed it.
    pub checked_at: Option<Timestamp>,
    /// Why the last check failed, in whole or for one subject.
    pub check_problem: Option<Problem>,
    /// The installed bundles.
    pub bundles: BTreeMap<Subject, BundleSlots>,
    /// The installed executables. None if the store can't be read.
    pub boot: Option<BootState>,
    /// What this computer believes, by name, for a person.
    pub beliefs: BTreeMap<String, String>,
    /// The releases of each subject, highest version first, with their channels.
    pub releases: BTreeMap<Subject, Vec<(Version, Vec<Channel>)>>,
    /// Why each subject has the version it has.
    pub explanations: BTreeMap<Subject, Explanation>,
    /// What waits for the user's consent.
    pub waiting: Vec<ConsentRequest>,
}

/// The update engine. A cheap handle; when the last one is dropped the engine ends.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    store: Arc<Store>,
    about: Arc<About>,
}

/// What the handle knows of the process it is in.
#[derive(Debug)]
struct About {
    running: Installed,
    data: PathBuf,
    anchor: Anchor,
}

/// What handle and driver share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    picture: Mutex<Picture>,
}

impl Shared {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Picture) -> T) -> T {
        work(&mut self.picture.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Starts the engine on the current tokio runtime. It looks at what an earlier process left, and then
    /// checks at once.
    ///
    /// It needs no network: without one everything goes on from what is on the disk. Fails if the data
    /// folder can't be used, or if the anchor is not one.
    pub fn start(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        host: Arc<dyn Host>,
    ) -> Result<Self, UpdateError> {
        let limits = Limits::of_checks(settings.stages.in_range().detect);
        let repository = Repository::along(Route::of(&settings), limits);
        Self::begin(config, settings, wanted, host, repository, true)
    }

    /// Starts the engine with limits of its own, whatever the settings say of them.
    pub fn start_with(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        host: Arc<dyn Host>,
        limits: Limits,
    ) -> Result<Self, UpdateError> {
        let repository = Repository::along(Route::of(&settings), limits);
        Self::start_at(config, settings, wanted, host, repository)
    }

    /// Starts the engine at a repository that was opened before, with the limits that it was opened with.
    pub fn start_at(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        host: Arc<dyn Host>,
        repository: Repository,
    ) -> Result<Self, UpdateError> {
        Self::begin(config, settings, wanted, host, repository, false)
    }

    fn begin(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        host: Arc<dyn Host>,
        repository: Repository,
        follows_settings: bool,
    ) -> Result<Self, UpdateError> {
        let runtime = Handle::try_current().map_err(|_| UpdateError::NoRuntime)?;
        let store = Arc::new(Store::open(&config.data, config.base.clone())?);
        let bundles = Arc::new(BundleStore::open(&config.data)?);
        let repository = Arc::new(repository);
        let client = Client::open(&config.anchor, repository.clone(), &config.data.join("trust"))?;
        let checker = Checker {
            client,
            triple: config.triple.clone(),
        };
        let records = Records::open(&config.data)?;
        let tools = Tools {
            store: store.clone(),
            bundles,
            repository,
            host,
            download_limits: follows_settings
                .then(|| Limits::of_downloads(settings.stages.in_range().download)),
            minisign: config.anchor.minisign.as_str().into(),
            host_api: config.host_api,
        };
        let shared = Arc::new(Shared::default());
        let running = config.running.clone();
        let (commands, inbox) = mpsc::unbounded_channel();
        let about = Arc::new(About {
            running,
            data: config.data.clone(),
            anchor: config.anchor.clone(),
        });
        let driver = Driver::new(config, settings, wanted, tools, checker, records, shared.clone());
        runtime.spawn(supervise(driver.run(inbox)));
        Ok(Self {
            shared,
            commands,
            store,
            about,
        })
    }

    /// Looks for updates now. If a check is under way, another one follows it. A consent that was given
    /// takes effect with this.
    pub fn check_now(&self) {
        self.send(Command::CheckNow);
    }

    /// Takes over new settings. If a channel or the repository changed, a check follows.
    pub fn set_settings(&self, settings: Settings) {
        self.send(Command::SetSettings(Box::new(settings)));
    }

    /// Says which widgets are to be kept current; executable and shell always are. If there is a new one,
    /// a check follows.
    pub fn set_wanted(&self, wanted: Vec<Subject>) {
        self.send(Command::SetWanted(wanted));
    }

    /// Returns to a kept version, or from there to a kept higher one. Nothing between the two is offered
    /// again until there is something above both.
    pub fn go_back(&self, subject: Subject, version: Version) {
        self.send(Command::GoBack(subject, version));
    }

    /// Stops an update that has not begun to switch.
    pub fn cancel(&self, activity: &str) {
        self.send(Command::Cancel(activity.to_owned()));
    }

    /// Restarts into the executable that waits, if one does.
    pub fn restart_now(&self) {
        self.send(Command::RestartNow);
    }

    /// Confirms the running executable, if it is the one on trial. It is confirmed on the disk when this
    /// returns; the call blocks for a moment.
    pub fn confirm_executable(&self) -> Result<(), UpdateError> {
        self.confirm_executable_of(StartToken::from_environment().as_ref())
    }

    /// The same for a process that knows by other ways which start it belongs to.
    pub fn confirm_executable_of(&self, start: Option<&StartToken>) -> Result<(), UpdateError> {
        let state = self.store.state()?;
        let trial = state.trial.as_ref().and_then(|trial| state.slot(&trial.slot));
        if let Some(slot) = trial.filter(|slot| slot.digest == self.about.running.digest) {
            self.store.confirm(&slot.name, start)?;
        }
        self.send(Command::Confirmed);
        Ok(())
    }

    /// Whether the updater is in working order. Asks no network, takes 5 s at most plus a few small writes.
    ///
    /// A version on trial confirms itself only if this is [`Verdict::Fit`](crate::Verdict::Fit).
    pub async fn vitals(&self) -> Vitals {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Ping(answer));
        let answered = tokio::time::timeout(vitals::DRIVER_LIMIT, answered).await;
        Vitals {
            driver: vitals::driver(answered.ok().map(|answer| answer.is_ok())),
            trust: vitals::trust(&self.about.anchor, &self.about.data.join("trust")).await,
            delta: vitals::delta(),
            disk: vitals::disk(&self.about.data).await,
            client: vitals::client(),
        }
    }

    /// Looks again at what became of the executable that was to take over while this process went on: the
    /// hand-over to it is over, and this process still holds everything.
    pub fn hand_over_ended(&self) {
        self.send(Command::HandOverEnded);
    }

    /// How the update with this id ends. `None`: it is not known, is no longer wanted, or the engine ended.
    pub async fn on_end(&self, activity: &str) -> Option<Outcome> {
        let (listener, outcome) = oneshot::channel();
        self.send(Command::OnEnd(activity.to_owned(), listener));
        outcome.await.ok()
    }

    /// Waits until the engine has taken up everything that was asked of it before. At once if it has ended.
    pub async fn taken_up(&self) {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Ping(answer));
        let _ = answered.await;
    }

    /// What there is to see now.
    pub fn picture(&self) -> Picture {
        self.shared.with(|picture| picture.clone())
    }

    /// Ends the engine and waits for its end. What is on its way goes on in the next process.
    pub async fn shutdown(&self) {
        let (done, ended) = oneshot::channel();
        self.send(Command::Shutdown(done));
        let _ = ended.await;
    }

    /// A command to an engine that has ended does nothing.
    fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

/// A panic of the driver ends the engine and nothing else: whoever asks for its vitals hears of it.
async fn supervise(driver: impl Future<Output = ()>) {
    if AssertUnwindSafe(driver).catch_unwind().await.is_err() {
        tracing::error!("the engine ended by a fault of its own; everything goes on without updates");
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("running", &self.about.running)
            .finish_non_exhaustive()
    }
}
