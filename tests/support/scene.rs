//! A scene: a publisher, a server, an installed product, a display, and what is needed to say why
//! something did not happen.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use moult_boot::BootState;
use moult_durable::Lock;
use moult_model::{HistoryEntry, Mode, Outcome, Settings, Subject};

use crate::display::Display;
use crate::fixtures::Fixtures;
use crate::install::{Install, Running};
use crate::proxy::Proxy;
use crate::publisher::{Item, Published, Publisher};
use crate::records;
use crate::serve::Serve;
use crate::stage::{Part, Stage};
use crate::wait::{Hopeless, Look, until};

/// How long anything may take that the product does by itself. Generous: machines are busy.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How a scene differs from the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// How executables are updated.
    pub mode: Mode,
    /// Whether the product reaches the server through a proxy that can damage answers.
    pub through_proxy: bool,
}

/// Everything that a story needs.
#[derive(Debug)]
pub struct Scene {
    // Dropped in this order: the product before the display, the folder last.
    stage: Option<Stage>,
    running: Option<Running>,
    proxy: Option<Proxy>,
    serve: Serve,
    display: Display,
    install: Install,
    publisher: Publisher,
    fixtures: Fixtures,
    evidence: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Sets a scene with an empty repository that is served and the application 0.1.0, installed and not started.
    /// Evidence of failures goes to `evidence`.
    pub fn set(
        fixtures: &Fixtures,
        display: Display,
        publisher: impl FnOnce(&Fixtures, &Path) -> anyhow::Result<Publisher>,
        setting: Setting,
        evidence: &Path,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(evidence).with_context(|| evidence.display().to_string())?;
        let folder = tempfile::Builder::new()
            .prefix("moult-")
            .tempdir()
            .context("no temporary folder")?;
        let publisher = publisher(fixtures, &folder.path().join("publisher"))?;
        let access = folder.path().join("access.jsonl");
        let serve = Serve::start(&fixtures.moult(), &publisher.config(), &access)?;
        let proxy = if setting.through_proxy {
            Some(Proxy::start(serve.url())?)
        } else {
            None
        };
        let settings = Settings {
            repository: proxy.as_ref().map_or_else(|| serve.url().to_string(), Proxy::url),
            mode: setting.mode,
            check_every_seconds: 1,
            ..Settings::default()
        };
        let install = Install::new(fixtures, &folder.path().join("install"), "0.1.0", &settings)?;
        Ok(Self {
            stage: None,
            running: None,
            proxy,
            serve,
            display,
            install,
            publisher,
            fixtures: fixtures.clone(),
            evidence: evidence.to_owned(),
            _folder: folder,
        })
    }

    /// The builds.
    pub fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    /// The server.
    pub fn serve(&mut self) -> &mut Serve {
        &mut self.serve
    }

    /// What the server was asked for.
    pub fn access(&self) -> &crate::access::AccessLog {
        self.serve.access()
    }

    /// The proxy; a scene without one is the story's mistake.
    pub fn proxy(&self) -> anyhow::Result<&Proxy> {
        self.proxy.as_ref().context("this scene has no proxy")
    }

    /// The display.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// What is installed.
    pub fn install(&self) -> &Install {
        &self.install
    }

    /// The running product.
    pub fn running(&mut self) -> anyhow::Result<&mut Running> {
        self.running.as_mut().context("the product was not started")
    }

    /// The stage of the present start.
    pub fn stage(&self) -> anyhow::Result<&Stage> {
        self.stage.as_ref().context("the product was not started")
    }

    /// Publishes one thing.
    pub fn publish(&mut self, item: &Item) -> anyhow::Result<Published> {
        self.publisher
            .publish(item)
            .with_context(|| format!("{} could not be published", item.subject()))
    }

    /// The publisher.
    pub fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// Starts the product through the launcher and waits until its stage can be driven.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let running = self.running.insert(self.install.start(&self.display)?);
        self.stage = Some(Stage::attach(running, None).await?);
        Ok(())
    }

    /// Ends the product as the end of a session does.
    pub fn end(&mut self) {
        self.stage = None;
        if let Some(mut running) = self.running.take() {
            running.end();
        }
    }

    /// Waits for the next start of the application and attaches to it.
    pub async fn attach_again(&mut self) -> anyhow::Result<()> {
        let before = self.stage.take().map(|stage| stage.inspector().clone());
        let running = self.running.as_mut().context("the product was not started")?;
        self.stage = Some(Stage::attach(running, before.as_ref()).await?);
        Ok(())
    }

    /// Attaches to whatever start runs now, if it is not the one attached to.
    pub async fn attach_present(&mut self) -> anyhow::Result<()> {
        let attached = self.stage.as_ref().map(|stage| stage.inspector().start.clone());
        let running = self.running.as_mut().context("the product was not started")?;
        if attached.as_ref() != Some(&running.inspector()?.start) {
            self.stage = None;
            self.stage = Some(Stage::attach(running, None).await?);
        }
        Ok(())
    }

    /// Attaches once more to the start that runs now: its page was loaded again.
    pub async fn attach_to_page(&mut self) -> anyhow::Result<()> {
        self.stage = None;
        let running = self.running.as_mut().context("the product was not started")?;
        self.stage = Some(Stage::attach(running, None).await?);
        Ok(())
    }

    /// The history.
    pub fn history(&self) -> anyhow::Result<Vec<HistoryEntry>> {
        records::history(&self.install.data())
    }

    /// The slots.
    pub fn boot(&self) -> anyhow::Result<BootState> {
        records::boot(&self.install.data())
    }

    /// Waits until an update has ended like this. One that ends otherwise ends the wait.
    pub async fn ended(
        &mut self,
        subject: &Subject,
        to: &str,
        outcome: Outcome,
    ) -> anyhow::Result<HistoryEntry> {
        let data = self.install.data();
        let what = format!("{subject} {to} to end as {outcome:?}");
        until(&what, PATIENCE * 2, async || {
            if let Some(status) = self.running.as_mut().and_then(Running::ended) {
                return Err(Hopeless(format!("the launcher ended with {status}")).into());
            }
            let entries = records::updates(&data, subject, to)?;
            if let Some(entry) = entries.iter().find(|entry| entry.outcome == outcome) {
                return Ok(Look::There(entry.clone()));
            }
            let seen: Vec<String> = entries.iter().map(records::describe).collect();
            if entries.iter().any(|entry| entry.outcome != Outcome::Failed) {
                return Err(Hopeless(format!("it ended otherwise: {seen:?}")).into());
            }
            Ok(Look::NotYet(if seen.is_empty() {
                "no line in the history".to_owned()
            } else {
                format!("{seen:?}")
            }))
        })
        .await
    }

    /// Waits until this version is live in a part.
    pub async fn live(&self, part: Part<'_>, version: &str) -> anyhow::Result<()> {
        let stage = self.stage()?;
        until(&format!("{version} live in {part:?}"), PATIENCE, async || {
            let live = stage.version(part).await?;
            Ok(Look::when(live == version, format!("{live} is live")))
        })
        .await
    }

    /// Takes a picture into the evidence folder.
    pub fn picture(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.display.picture(&self.evidence.join(format!("{name}.png")))
    }

    /// Adds to an error what is needed to understand it: a picture, the logs, the requests, the history.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let picture = match self.picture("failure") {
            Ok(path) => path.display().to_string(),
            Err(error) => format!("none: {error:#}"),
        };
        let history = self.history().map_or_else(
            |error| format!("{error:#}"),
            |entries| {
                entries
                    .iter()
                    .map(records::describe)
                    .collect::<Vec<_>>()
                    .join("\n")
            },
        );
        let boot = self
            .boot()
            .map_or_else(|error| format!("{error:#}"), |state| format!("{state:?}"));
        let logs = self
            .running
            .as_ref()
            .map_or_else(String::new, |running| running.tail(25));
        let log = self.install.data().join("log");
        if log.is_dir() && crate::publisher::copy_tree(&log, &self.evidence.join("log")).is_err() {
            return error.context("the logs could not be kept either");
        }
        let requests = self.access().tail(25);
        error.context(format!(
            "picture: {picture}\nhistory:\n{history}\nboot state: {boot}\n{logs}\n--- last requests\n{requests}"
        ))
    }
}

/// Plays a story in a scene of its own, on a display of its own, one story at a time on this computer.
/// What went wrong is explained.
pub async fn play(
    name: &str,
    setting: Setting,
    story: impl AsyncFnOnce(&mut Scene) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let fixtures = tokio::task::spawn_blocking(|| Fixtures::ensure(&mut |_| {})).await??;
    let path = fixtures.folder().join("turn.lock");
    // Two applications at a time would only slow each other down and blur the figures.
    let _turn = tokio::task::spawn_blocking(move || Lock::acquire(&path)).await??;
    let evidence = fixtures.folder().with_file_name("e2e").join(name);
    let open = |fixtures: &Fixtures, folder: &Path| Ok(Publisher::open(fixtures, folder)?.remembering());
    let mut scene = Scene::set(&fixtures, Display::own()?, open, setting, &evidence)?;
    // A failed assertion deserves the same explanation as an error; its own words are on stderr already.
    match AssertUnwindSafe(story(&mut scene)).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(scene.explain(error)),
        Err(_) => Err(scene.explain(anyhow::anyhow!("an assertion failed"))),
    }
}
