//! A publisher, a server with faults, a computer with Moult on it, and the host that the engine lives in.

pub(crate) mod host;
pub(crate) mod publisher;
pub(crate) mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moult_boot::{Base, BundleStore, Installed, Store};
use moult_model::{
    Activity, Channel, Digest, ErrorCode, HistoryEntry, Outcome, Phase, Settings, Subject, Version,
};
use moult_update::fetch::Limits;
use moult_update::{Engine, EngineConfig, Picture};

use host::ScriptedHost;
pub(crate) use publisher::{Issue, Publisher};
use server::Server;

pub(crate) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn notes() -> Subject {
    "w/moult/notes".parse().unwrap()
}

/// Bytes that don't compress, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A computer with Moult 1.0.0 on it.
pub(crate) struct Computer {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) host: Arc<ScriptedHost>,
    pub(crate) settings: Settings,
    pub(crate) wanted: Vec<Subject>,
    anchor: moult_trust::Anchor,
    base: Base,
    pub(crate) running: Installed,
    executable: PathBuf,
}

impl Computer {
    pub(crate) fn new(publisher: &Publisher, server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let install = folder.path().join("install");
        fs::create_dir(&install).unwrap();
        let executable = install.join("moult-app");
        let bytes = Issue::of(&Subject::Executable, "1.0.0").artifact();
        fs::write(&executable, &bytes).unwrap();
        let running = Installed {
            version: version("1.0.0"),
            digest: Digest::of(&bytes),
        };
        let base = Base {
            executable: executable.clone(),
            version: running.version.clone(),
            digest: running.digest,
        };
        let settings = Settings {
            repository: server.url(),
            check_every_seconds: 3600,
            ..Settings::default()
        };
        let anchor = publisher.keys.anchor().unwrap();
        let host = Arc::new(ScriptedHost::default());
        Self {
            folder,
            host,
            settings,
            wanted: vec![notes()],
            anchor,
            base,
            running,
            executable,
        }
    }

    /// A computer with 1.0.0 of the shell and the widget as well.
    pub(crate) fn with_bundles(publisher: &Publisher, server: &Server) -> Self {
        let computer = Self::new(publisher, server);
        for subject in [Subject::Shell, notes()] {
            computer.install(&Issue::of(&subject, "1.0.0"));
        }
        computer
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.data().join("staging")
    }

    pub(crate) fn executable(&self) -> &Path {
        &self.executable
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.data(), self.base.clone()).unwrap()
    }

    /// Puts a bundle on the computer, as an earlier update would have.
    pub(crate) fn install(&self, issue: &Issue<'_>) -> Digest {
        let store = BundleStore::open(&self.data()).unwrap();
        let bytes = issue.artifact();
        let file = store.staging().join("given.bundle");
        fs::write(&file, &bytes).unwrap();
        let digest = Digest::of(&bytes);
        store
            .install(&file, &issue.subject, &version(issue.version), digest)
            .unwrap();
        store.begin_trial(&issue.subject, &digest).unwrap();
        store.confirm(&issue.subject, &digest).unwrap();
        digest
    }

    pub(crate) fn start(&self) -> Engine {
        let config = EngineConfig {
            data: self.data(),
            base: self.base.clone(),
            triple: TRIPLE.to_owned(),
            anchor: self.anchor.clone(),
            running: self.running.clone(),
            executable: self.executable.clone(),
            host_api: 1,
            check_jitter_percent: 0,
        };
        Engine::start_with(
            config,
            self.settings.clone(),
            self.wanted.clone(),
            self.host.clone(),
            limits(),
        )
        .unwrap()
    }

    /// Does what the launcher does at a start: what is due runs from now on.
    pub(crate) fn boot(&mut self) {
        let due = self
            .store()
            .start(SystemTime::now(), &moult_boot::StartToken::of([1; 16]))
            .unwrap();
        let state = self.store().state().unwrap();
        let slot = state.slot(&due.slot).unwrap();
        self.running = Installed {
            version: slot.version.clone(),
            digest: slot.digest,
        };
        self.executable = due.executable;
    }
}

/// Short waits, so that faults take no time.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        control: Duration::from_secs(5),
        stall: Duration::from_secs(5),
        tries: 3,
        pause: Duration::from_millis(2),
        ..Limits::default()
    }
}

/// Waits until the picture is as it should be.
pub(crate) async fn until(
    computer: &Computer,
    engine: &Engine,
    what: &str,
    is: impl Fn(&Picture) -> bool,
) -> Picture {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let picture = engine.picture();
        if is(&picture) {
            return picture;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "it never came to be that {what}: {picture:#?}"
        );
        let _ = tokio::time::timeout(Duration::from_millis(50), computer.host.changed.notified()).await;
    }
}

/// Whether a check ended and all that followed has ended too, or waits for a restart or for somebody.
pub(crate) fn is_settled(picture: &Picture) -> bool {
    let is_armed = picture.boot.as_ref().is_some_and(|boot| boot.trial.is_some());
    let rests = |activity: &Activity| match (&activity.subject, activity.phase) {
        (Subject::Executable, Phase::Waiting | Phase::Switching) => is_armed,
        (_, phase) => phase == Phase::Waiting,
    };
    (picture.checked_at.is_some() || picture.check_problem.is_some()) && picture.activities.iter().all(rests)
}

/// Starts the engine and waits until its first check and all that follows has ended.
pub(crate) async fn settled(computer: &Computer) -> (Engine, Picture) {
    let engine = computer.start();
    let picture = until(computer, &engine, "the first check has ended", is_settled).await;
    (engine, picture)
}

/// Checks once more and waits for the end of it.
pub(crate) async fn check_again(computer: &Computer, engine: &Engine) -> Picture {
    let before = engine.picture();
    engine.check_now();
    until(computer, engine, "another check has ended", |picture| {
        let ended = picture.checked_at > before.checked_at
            || picture.check_problem.is_some() && picture.check_problem != before.check_problem;
        ended && is_settled(picture)
    })
    .await
}

pub(crate) fn current(picture: &Picture, subject: &Subject) -> Option<String> {
    Some(
        picture
            .bundles
            .get(subject)?
            .current
            .as_ref()?
            .version
            .to_string(),
    )
}

pub(crate) fn entry<'a>(picture: &'a Picture, subject: &Subject) -> Option<&'a HistoryEntry> {
    picture.history.iter().find(|entry| entry.subject == *subject)
}

pub(crate) fn outcome(picture: &Picture, subject: &Subject) -> Option<Outcome> {
    entry(picture, subject).map(|entry| entry.outcome)
}

pub(crate) fn codes(entry: &HistoryEntry) -> Vec<ErrorCode> {
    entry.problems.iter().map(|problem| problem.code).collect()
}

pub(crate) fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

/// Every file below a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap().to_str().unwrap();
                // As an address has it.
                found.push(path.replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}
