//! A publisher, a server, an engine, and an application around it that does as it is told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::{Base, Installed};
use moult_model::{Digest, HistoryEntry, Outcome, Settings, Subject, Version};
use moult_tests::fixtures::Fixtures;
use moult_tests::proxy::Proxy;
use moult_tests::publisher::{Item, Published, Publisher};
use moult_tests::serve::Serve;
use moult_tests::wait::{Look, until};
use moult_trust::Anchor;
use moult_update::{
    BoxFuture, Engine, EngineConfig, ExecutableDecision, Host, StagedBundle, StagedExecutable, SwapFigures,
    SwapRefusal,
};
use serde_json::json;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) application: Arc<Application>,
    pub(crate) publisher: Publisher,
    pub(crate) serve: Serve,
    pub(crate) proxy: Proxy,
    fixtures: Fixtures,
    folder: tempfile::TempDir,
}

/// The application around the engine.
#[derive(Debug, Default)]
pub(crate) struct Application {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    refusals: VecDeque<SwapRefusal>,
    grants: BTreeSet<String>,
    activated: Vec<Version>,
    restarts: usize,
}

impl Application {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bundle that is activated goes back like this.
    pub(crate) fn refuse_next(&self, refusal: SwapRefusal) {
        self.inner().refusals.push_back(refusal);
    }

    /// The user grants a capability.
    pub(crate) fn grant(&self, capability: &str) {
        self.inner().grants.insert(capability.to_owned());
    }

    /// The bundle versions that were activated, in their order, those that were refused too.
    pub(crate) fn activated(&self) -> Vec<String> {
        self.inner().activated.iter().map(ToString::to_string).collect()
    }

    /// How often the engine asked for a restart.
    pub(crate) fn restarts(&self) -> usize {
        self.inner().restarts
    }
}

impl Host for Application {
    fn activate_bundle(&self, bundle: StagedBundle) -> BoxFuture<'static, Result<SwapFigures, SwapRefusal>> {
        let mut inner = self.inner();
        inner.activated.push(bundle.version);
        let refusal = inner.refusals.pop_front();
        Box::pin(async move { refusal.map_or_else(|| Ok(SwapFigures::default()), Err) })
    }

    fn activate_executable(&self, _staged: StagedExecutable) -> BoxFuture<'static, ExecutableDecision> {
        Box::pin(async { ExecutableDecision::Now })
    }

    fn restart(&self) {
        self.inner().restarts += 1;
    }

    fn changed(&self) {}

    fn granted(&self, _subject: &Subject, capability: &str) -> bool {
        self.inner().grants.contains(capability)
    }
}

impl World {
    /// An engine in an application 1.0.0 that wants one widget, before a repository with nothing in it.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let fixtures = Fixtures::ensure_tools(&mut |_| {})?;
        let folder = tempfile::tempdir()?;
        let publisher = Publisher::open(&fixtures, &folder.path().join("publisher"))?;
        let access = folder.path().join("access.jsonl");
        let serve = Serve::start(&fixtures.moult(), &publisher.config(), &access)?;
        let proxy = Proxy::start(serve.url())?;
        let application = Arc::new(Application::default());
        let base = executable(folder.path(), "1.0.0", 0)?;
        let engine = start(
            config(&fixtures, folder.path(), &base, "1.0.0")?,
            &proxy,
            &application,
        )?;
        Ok(Self {
            engine,
            application,
            publisher,
            serve,
            proxy,
            fixtures,
            folder,
        })
    }

    /// The same, with version 1.0.0 of the widget published and installed.
    pub(crate) async fn with_widget() -> anyhow::Result<(Self, Published)> {
        let mut world = Self::new()?;
        let first = world.publish_widget("1.0.0", &[])?;
        world.ended(&Self::widget()?, "1.0.0").await?;
        Ok((world, first))
    }

    /// Waits until the widget's update to a version has ended, and insists that it took over.
    pub(crate) async fn updated(&self, version: &str) -> anyhow::Result<()> {
        let line = self.ended(&Self::widget()?, version).await?;
        anyhow::ensure!(
            line.outcome == Outcome::Updated,
            "{version} did not take over: {line:?}"
        );
        Ok(())
    }

    /// The widget that is wanted.
    pub(crate) fn widget() -> anyhow::Result<Subject> {
        Ok("w/moult/notes".parse()?)
    }

    /// The application's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The packaged executable as the store knows it.
    pub(crate) fn base(&self) -> anyhow::Result<Base> {
        base(self.folder.path())
    }

    /// Starts the engine again in a build whose publisher has another signing key for executables.
    pub(crate) async fn trust_other_minisign_key(&mut self) -> anyhow::Result<()> {
        let stranger = self.folder.path().join("stranger");
        let publisher = moult_trust::sign::Keys::create(&stranger)?;
        self.engine.shutdown().await;
        let mut config = config(&self.fixtures, self.folder.path(), &self.packaged(), "1.0.0")?;
        config.anchor.minisign = publisher.minisign_public();
        self.engine = start(config, &self.proxy, &self.application)?;
        Ok(())
    }

    /// Ends the engine and starts it again in a process that runs this executable.
    pub(crate) async fn restart_as(&mut self, version: &str, executable: &Path) -> anyhow::Result<()> {
        self.engine.shutdown().await;
        let folder = self.folder.path();
        let config = config(&self.fixtures, folder, executable, version)?;
        self.engine = start(config, &self.proxy, &self.application)?;
        Ok(())
    }

    /// Publishes a version of the widget that asks for these capabilities.
    pub(crate) fn publish_widget(&mut self, version: &str, asks: &[&str]) -> anyhow::Result<Published> {
        let folder = self.folder.path().join("source").join(version);
        let permissions: Vec<_> = asks
            .iter()
            .map(|name| json!({ "capability": name, "reason": "To be tried." }))
            .collect();
        let manifest = json!({
            "kind": "widget", "id": "w/moult/notes", "version": version, "name": "Notes",
            "entry": { "ui": "index.html" }, "host_api": { "min": 1, "max": 1 },
            "permissions": permissions,
        });
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("moult.json"), serde_json::to_vec(&manifest)?)?;
        fs::write(
            folder.join("index.html"),
            format!("<title>Notes {version}</title>"),
        )?;
        fs::write(folder.join("words.bin"), noise(200_000, 7))?;
        self.publisher.publish(&Item::bundle(Self::widget()?, &folder))
    }

    /// Publishes an executable that differs from the packaged one in some bytes.
    pub(crate) fn publish_executable(
        &mut self,
        version: &str,
        seed: u64,
    ) -> anyhow::Result<(Published, PathBuf)> {
        let file = executable(self.folder.path(), version, seed)?;
        Ok((self.publisher.publish(&Item::executable(version, &file))?, file))
    }

    /// The packaged executable.
    pub(crate) fn packaged(&self) -> PathBuf {
        self.folder.path().join("executables/1.0.0")
    }

    /// Checks until the history has a line about this version that ended.
    pub(crate) async fn ended(&self, subject: &Subject, version: &str) -> anyhow::Result<HistoryEntry> {
        until(&format!("{subject} {version} to end"), PATIENCE, async || {
            let picture = self.engine.picture();
            let line = picture
                .history
                .iter()
                .find(|line| line.subject == *subject && line.to.to_string() == version);
            let seen = format!("{:?}, {:?}", picture.activities, picture.check_problem);
            if line.is_none() && picture.activities.is_empty() {
                self.engine.check_now();
            }
            Ok(Look::from_option(line.cloned(), seen))
        })
        .await
    }

    /// Asks for some checks, one after the other, and waits until the server has seen them.
    pub(crate) async fn check_times(&self, times: usize) -> anyhow::Result<()> {
        for _ in 0..times {
            let mark = self.serve.access().mark()?;
            self.engine.check_now();
            until("a check", PATIENCE, async || {
                let checks = self.serve.access().since(mark)?.checks();
                Ok(Look::when(checks >= 1, "no request"))
            })
            .await?;
        }
        Ok(())
    }
}

fn base(folder: &Path) -> anyhow::Result<Base> {
    let packaged = folder.join("executables/1.0.0");
    Ok(Base {
        digest: digest(&packaged)?,
        executable: packaged,
        version: "1.0.0".parse()?,
    })
}

fn config(fixtures: &Fixtures, folder: &Path, running: &Path, version: &str) -> anyhow::Result<EngineConfig> {
    let read = |name: &str| fs::read(fixtures.trust().join(name)).with_context(|| name.to_owned());
    let anchor = Anchor {
        root: read("root.json")?,
        floor: serde_json::from_slice(&read("floor.json")?)?,
        minisign: String::from_utf8(read("minisign.pub")?)?.trim().to_owned(),
    };
    let data = folder.join("data");
    moult_durable::create_dir_all(&data)?;
    Ok(EngineConfig {
        data,
        base: base(folder)?,
        triple: fixtures.triple().to_owned(),
        anchor,
        running: Installed {
            version: version.parse()?,
            digest: digest(running)?,
        },
        executable: running.to_owned(),
        host_api: moult_model::HOST_API,
        check_jitter_percent: 0,
    })
}

fn start(config: EngineConfig, proxy: &Proxy, application: &Arc<Application>) -> anyhow::Result<Engine> {
    // Checks come when a test asks for them.
    let settings = Settings {
        repository: proxy.url(),
        check_every_seconds: 86_400,
        ..Settings::default()
    };
    let wanted = vec![Subject::Executable, Subject::Shell, World::widget()?];
    Ok(Engine::start(config, settings, wanted, application.clone())?)
}

fn executable(folder: &Path, version: &str, seed: u64) -> anyhow::Result<PathBuf> {
    let folder = folder.join("executables");
    fs::create_dir_all(&folder)?;
    let mut bytes = noise(1_500_000, 1);
    // What differs is spread over the file, as addresses are.
    for (place, byte) in bytes.iter_mut().step_by(9_973).enumerate() {
        *byte = byte.wrapping_add((seed as u8).wrapping_mul(place as u8));
    }
    bytes.extend_from_slice(version.as_bytes());
    let path = folder.join(version);
    fs::write(&path, bytes)?;
    Ok(path)
}

pub(crate) fn digest(path: &Path) -> anyhow::Result<Digest> {
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    Ok(Digest::of_reader(&mut file)?.0)
}

/// Bytes that don't compress, the same ones for each seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// How often each path was asked for, for messages.
pub(crate) fn counted(traffic: &moult_tests::access::Traffic) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in traffic.answers() {
        *counts.entry(answer.path.clone()).or_default() += 1;
    }
    counts
}
