//! A publisher, a server with faults, a computer with Moult on it, and the host that the engine lives in.

pub(crate) mod host;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use moult_boot::{Base, BundleStore, Installed, Store};
use moult_model::bundle::{BundleKind, EntryPoints, HostApi, Permission};
use moult_model::index::{Download, Encoding};
use moult_model::{
    Activity, Bundle, BundleManifest, Channel, Digest, ErrorCode, HistoryEntry, Outcome, Patch, Phase,
    Release, Settings, Subject, Version,
};
use moult_trust::sign::{Editor, Keys};
use moult_update::fetch::Limits;
use moult_update::{Engine, EngineConfig, Picture};

use host::ScriptedHost;
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

/// A publisher with a repository.
pub(crate) struct Publisher {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) keys: Keys,
    /// The artifacts that were released.
    pub(crate) artifacts: BTreeMap<Digest, Vec<u8>>,
}

/// What is released.
pub(crate) struct Issue<'a> {
    pub(crate) subject: Subject,
    pub(crate) version: &'a str,
    pub(crate) channels: &'a str,
    pub(crate) permissions: &'a [&'a str],
    pub(crate) size: usize,
}

impl<'a> Issue<'a> {
    pub(crate) fn of(subject: &Subject, version: &'a str) -> Self {
        Self {
            subject: subject.clone(),
            version,
            channels: "stable beta",
            permissions: &[],
            size: 40_000,
        }
    }

    pub(crate) fn on(self, channels: &'a str) -> Self {
        Self { channels, ..self }
    }

    pub(crate) fn asking(self, permissions: &'a [&'a str]) -> Self {
        Self { permissions, ..self }
    }

    pub(crate) fn sized(self, size: usize) -> Self {
        Self { size, ..self }
    }

    fn permissions(&self) -> Vec<Permission> {
        let wish = |name: &&str| Permission {
            capability: (*name).to_owned(),
            reason: "for the test".to_owned(),
        };
        self.permissions.iter().map(wish).collect()
    }

    /// The artifact: much of it is the same in all versions.
    pub(crate) fn artifact(&self) -> Vec<u8> {
        let common = noise(7, self.size);
        let own = noise(Digest::of(self.version.as_bytes()).as_bytes()[0].into(), 500);
        let kind = match self.subject {
            Subject::Executable => return [common, self.version.as_bytes().to_vec(), own].concat(),
            Subject::Shell => BundleKind::Shell,
            Subject::Widget(_) => BundleKind::Widget,
        };
        let manifest = BundleManifest {
            kind,
            id: self.subject.clone(),
            version: version(self.version),
            name: "Notes".into(),
            description: String::new(),
            entry: EntryPoints {
                ui: "index.html".into(),
                logic: None,
            },
            host_api: HostApi { min: 1, max: 1 },
            state: None,
            permissions: self.permissions(),
            sizes: Vec::new(),
            whole_tile: false,
        };
        let files = BTreeMap::from([("index.html".to_owned(), own), ("picture".to_owned(), common)]);
        Bundle::pack(&manifest, &files).unwrap()
    }
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let repository = folder.path().join("repository");
        fs::create_dir(&repository).unwrap();
        let mut editor = Editor::create(&repository, &keys, Timestamp::now()).unwrap();
        editor.add_publisher("moult").unwrap();
        editor.commit(Timestamp::now()).unwrap();
        Self {
            folder,
            keys,
            artifacts: BTreeMap::new(),
        }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Releases, with patches from all earlier releases, and commits.
    pub(crate) fn release(&mut self, issue: &Issue<'_>) -> Digest {
        let artifact = issue.artifact();
        self.release_bytes(issue, artifact, |_| {})
    }

    /// Releases these bytes, whatever they are, with a chance to tamper with the release.
    pub(crate) fn release_bytes(
        &mut self,
        issue: &Issue<'_>,
        artifact: Vec<u8>,
        tamper: impl FnOnce(&mut Release),
    ) -> Digest {
        let mut editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let mut index = editor.index(&issue.subject, TRIPLE).unwrap();
        let folder = format!("{}/files", issue.subject.folder(TRIPLE));
        let digest = Digest::of(&artifact);
        let packed = zstd::encode_all(&artifact[..], 3).unwrap();
        let full = self.file(&folder, &packed, "zst");
        for release in &index.releases {
            let mut bytes = Vec::new();
            moult_delta::diff(&self.artifacts[&release.digest], &artifact, &mut bytes).unwrap();
            let Download {
                path,
                size,
                digest: patch,
                ..
            } = self.file(&folder, &bytes, "mpatch");
            let format = moult_delta::FORMAT;
            index.patches.push(Patch {
                from: release.digest,
                to: digest,
                path,
                size,
                digest: patch,
                format,
            });
        }
        let is_executable = issue.subject == Subject::Executable;
        let sign = || {
            self.keys
                .sign_artifact(&artifact, &version(issue.version), "moult-app")
                .unwrap()
        };
        let mut release = Release {
            version: version(issue.version),
            channels: issue
                .channels
                .split_whitespace()
                .map(|name| name.parse().unwrap())
                .collect(),
            published: Timestamp::now().to_string(),
            notes: BTreeMap::from([("en".to_owned(), "Better.".to_owned())]),
            digest,
            size: artifact.len() as u64,
            full,
            signature: is_executable.then(sign),
            host_api: (!is_executable).then_some(HostApi { min: 1, max: 1 }),
            permissions: issue.permissions(),
            state_schema: None,
        };
        tamper(&mut release);
        index.releases.insert(0, release);
        editor.set_index(&index).unwrap();
        editor.commit(Timestamp::now()).unwrap();
        self.artifacts.insert(digest, artifact);
        digest
    }

    fn file(&self, folder: &str, bytes: &[u8], extension: &str) -> Download {
        let digest = Digest::of(bytes);
        let path = format!("{folder}/{digest}.{extension}");
        let place = self.repository().join("targets").join(&path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, bytes).unwrap();
        Download {
            path,
            size: bytes.len() as u64,
            digest,
            encoding: Encoding::Zstd,
        }
    }

    /// The path of a release's full file, relative to the repository.
    pub(crate) fn full_path(&self, subject: &Subject, text: &str) -> String {
        let editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let index = editor.index(subject, TRIPLE).unwrap();
        format!("targets/{}", index.release(&version(text)).unwrap().full.path)
    }

    /// The path of a patch, relative to the repository.
    pub(crate) fn patch_path(&self, subject: &Subject, from: &str, to: &str) -> String {
        let editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let index = editor.index(subject, TRIPLE).unwrap();
        let digest = |text| index.release(&version(text)).unwrap().digest;
        let patch = index
            .patches
            .iter()
            .find(|patch| patch.from == digest(from) && patch.to == digest(to));
        format!("targets/{}", patch.unwrap().path)
    }
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
        let due = self.store().start(SystemTime::now()).unwrap();
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
    let rests = |activity: &Activity| match activity.phase {
        Phase::Waiting => true,
        Phase::Switching => activity.subject == Subject::Executable,
        _ => false,
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
