//! The handle that the application holds, and the picture it shows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use moult_boot::{Base, BootState, BundleSlots, BundleStore, Installed, Store};
use moult_model::stage::ConsentRequest;
use moult_model::{Activity, Channel, HistoryEntry, Problem, Settings, Subject, Version};
use moult_trust::{Anchor, Client};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::check::Checker;
use crate::driver::{Command, Driver};
use crate::error::UpdateError;
use crate::fetch::{Limits, Repository};
use crate::host::Host;
use crate::perform::Tools;
use crate::record::Records;
use crate::select::Explanation;

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
    running: Installed,
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
        Self::start_with(config, settings, wanted, host, Limits::default())
    }

    /// Starts the engine with other limits than the usual ones.
    pub fn start_with(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        host: Arc<dyn Host>,
        limits: Limits,
    ) -> Result<Self, UpdateError> {
        let runtime = Handle::try_current().map_err(|_| UpdateError::NoRuntime)?;
        let store = Arc::new(Store::open(&config.data, config.base.clone())?);
        let bundles = Arc::new(BundleStore::open(&config.data)?);
        let repository = Arc::new(Repository::new(&settings.repository, limits));
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
            downloads: Arc::new(Semaphore::new(Driver::DOWNLOADS)),
            minisign: config.anchor.minisign.as_str().into(),
            host_api: config.host_api,
        };
        let shared = Arc::new(Shared::default());
        let running = config.running.clone();
        let (commands, inbox) = mpsc::unbounded_channel();
        let driver = Driver::new(config, settings, wanted, tools, checker, records, shared.clone());
        runtime.spawn(driver.run(inbox));
        Ok(Self {
            shared,
            commands,
            store,
            running,
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
        let state = self.store.state()?;
        let trial = state.trial.as_ref().and_then(|trial| state.slot(&trial.slot));
        if let Some(slot) = trial.filter(|slot| slot.digest == self.running.digest) {
            self.store.confirm(&slot.name)?;
        }
        self.send(Command::Confirmed);
        Ok(())
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

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
