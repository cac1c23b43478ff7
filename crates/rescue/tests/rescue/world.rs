//! A computer with an installation, its store, and what a rescue does to them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use moult_boot::launcher::{self, Deadlines, Settings};
use moult_boot::{Base, SlotName, StartToken, Store, Why};
use moult_model::{Channel, Digest};
use moult_rescue::{RescueConfig, RescueError, Rescued, rescue};

use crate::publisher::{Publisher, TRIPLE, application};
use crate::server::Server;

pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) publisher: Rc<Publisher>,
    pub(crate) server: Server,
    pub(crate) config: RescueConfig,
    now: Timestamp,
}

/// Makes a file something that can't run.
pub(crate) fn damage(file: &Path) {
    fs::write(file, b"\0\0\0 not a program").unwrap();
}

impl World {
    /// Version 1.0.0 is packaged and runs; these are published.
    pub(crate) fn new(published: &[&str]) -> Self {
        Self::of(Rc::new(Publisher::of(published)))
    }

    /// The same, for a publisher that is there already.
    pub(crate) fn of(publisher: Rc<Publisher>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&publisher.repository());
        let install = folder.path().join("install ä");
        fs::create_dir(&install).unwrap();
        fs::write(install.join("moult-app"), application("1.0.0")).unwrap();
        fs::set_permissions(install.join("moult-app"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(install.join("moult-app.json"), r#"{"version":"1.0.0"}"#).unwrap();
        let config = RescueConfig {
            data: folder.path().join("data ä"),
            install,
            anchor: publisher.keys.anchor().unwrap(),
            repositories: vec![server.url().to_owned()],
            channel: Channel::stable(),
            triple: TRIPLE.to_owned(),
            failed: Vec::new(),
            patience: Duration::ZERO,
        };
        Self {
            folder,
            publisher,
            server,
            config,
            now: Timestamp::now(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> Store {
        let base = Base::from_install(&self.config.install).unwrap();
        Store::open(&self.config.data, base).unwrap()
    }

    /// Installs and confirms a version, as an update does.
    pub(crate) fn update_to(&self, version: &str) -> SlotName {
        let store = self.store();
        let slot = Self::installed(&store, version);
        store.begin_trial(&slot).unwrap();
        let token = StartToken::of([7; 16]);
        store.start(SystemTime::now(), &token).unwrap();
        store.confirm(&slot, Some(&token)).unwrap();
        slot
    }

    /// Lets a version fail its trial.
    pub(crate) fn ban(&self, version: &str) {
        let store = self.store();
        let slot = Self::installed(&store, version);
        store.begin_trial(&slot).unwrap();
        for _ in 0..3 {
            let token = StartToken::of([7; 16]);
            store.start(SystemTime::now(), &token).unwrap();
            store
                .trial_failed(&slot, Why::Crashed { code: 1 }, SystemTime::now())
                .unwrap();
        }
        assert!(store.is_banned(&Digest::of(&application(version))).unwrap());
    }

    fn installed(store: &Store, version: &str) -> SlotName {
        let file = store.staging().join("x");
        fs::write(&file, application(version)).unwrap();
        let digest = Digest::of(&application(version));
        store.install(&file, &version.parse().unwrap(), digest).unwrap()
    }

    pub(crate) fn packaged(&self) -> PathBuf {
        self.config.install.join("moult-app")
    }

    pub(crate) fn slot_file(&self, slot: &SlotName) -> PathBuf {
        self.config
            .data
            .join("versions")
            .join(slot.as_str())
            .join("moult-app")
    }

    /// Puts the rescue beside the packaged executable, as an installation has it, and names the repository
    /// in the settings.
    pub(crate) fn install_rescue(&self) {
        let trust = self.config.install.join("trust");
        fs::create_dir(&trust).unwrap();
        let anchor = &self.config.anchor;
        fs::write(trust.join("root.json"), &anchor.root).unwrap();
        fs::write(
            trust.join("floor.json"),
            serde_json::to_vec(&anchor.floor).unwrap(),
        )
        .unwrap();
        fs::write(trust.join("minisign.pub"), &anchor.minisign).unwrap();
        let test = std::env::current_exe().unwrap();
        let built = test
            .ancestors()
            .nth(2)
            .unwrap()
            .join("examples/rescue_with_trust");
        fs::copy(built, self.config.install.join("moult-rescue")).unwrap();
        let settings = serde_json::json!({ "repository": self.server.url(), "of_a_later_release": 1 });
        fs::create_dir_all(&self.config.data).unwrap();
        fs::write(self.config.data.join("settings.json"), settings.to_string()).unwrap();
    }

    /// One try. The next one comes a little more than a minute later.
    pub(crate) fn rescue(&mut self) -> Result<Rescued, RescueError> {
        self.now += jiff::SignedDuration::from_secs(61);
        self.rescue_at_once()
    }

    /// One try at the time of the last one.
    pub(crate) fn rescue_at_once(&self) -> Result<Rescued, RescueError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(rescue(&self.config, self.now, &|_| {}))
    }

    /// The version that was brought back, or the exit code.
    pub(crate) fn outcome(&mut self) -> Result<String, u8> {
        match self.rescue() {
            Ok(rescued) => Ok(rescued.version.to_string()),
            Err(error) => Err(error.exit().code()),
        }
    }

    /// Runs the launcher until it ends: its exit code, and the versions that started.
    pub(crate) fn launch(&self) -> (i32, Vec<String>) {
        let settings = Settings {
            install: self.config.install.clone(),
            data: self.config.data.clone(),
            arguments: Vec::new(),
            automation: true,
            deadlines: Deadlines::default(),
        };
        let journal = self.config.data.join("started");
        let _ = fs::remove_file(&journal);
        let ending = launcher::run(&settings);
        let started = fs::read_to_string(journal).unwrap_or_default();
        let versions = started
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned());
        (ending.code, versions.collect())
    }
}
