//! The driver: one task that owns every update, lets events happen, and starts the work that follows.
//! It refuses to decide: that is done by the machine, by `select` and by `plan`.

mod checks;
mod jobs;
mod wishes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moult_model::{Digest, HistoryEntry, Index, Phase, Settings, Subject, Version};
use moult_trust::{Authentic, Beliefs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::check::{Checked, Checker};
use crate::engine::{EngineConfig, Shared};
use crate::error::chain;
use crate::fetch::blocking;
use crate::job::{Brought, Job};
use crate::machine::{Decision, Event};
use crate::perform::Tools;
use crate::record::{Choices, Failures, Record, Records};

/// What the handle asks for.
#[derive(Debug)]
pub(crate) enum Command {
    CheckNow,
    SetSettings(Box<Settings>),
    SetWanted(Vec<Subject>),
    GoBack(Subject, Version),
    Cancel(String),
    RestartNow,
    Confirmed,
    Shutdown(oneshot::Sender<()>),
}

/// What comes back from work.
#[derive(Debug)]
enum Message {
    Checked(Box<Checked>),
    Brought(String, Brought),
    /// An event on the way of a piece of work, which goes on.
    Told(String, Event),
}

/// The driver's state.
pub(crate) struct Driver {
    config: EngineConfig,
    settings: Settings,
    wanted: Vec<Subject>,
    tools: Tools,
    records: Arc<Records>,
    shared: Arc<Shared>,
    jobs: Vec<Job>,
    history: Vec<HistoryEntry>,
    choices: Choices,
    /// What an earlier process began and did not end, to go on under the same id.
    leftovers: Vec<Record>,
    /// What is on the disk of both.
    noted: Vec<Record>,
    failures: BTreeMap<Digest, Failures>,
    indexes: BTreeMap<Subject, Arc<Authentic<Index>>>,
    /// None while a check is under way.
    checker: Option<Checker>,
    check_again: bool,
    next_check: Instant,
    /// Checks in a row that the server failed.
    server_failures: u32,
    work: JoinSet<()>,
    sender: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
    shown_at: Option<Instant>,
}

impl Driver {
    /// How many downloads may run at once.
    pub(crate) const DOWNLOADS: usize = 2;
    /// How many earlier versions of each subject are kept to be returned to.
    const KEPT: usize = 3;
    /// How often progress alone is worth a new picture.
    const PROGRESS_BEAT: Duration = Duration::from_millis(100);

    /// Takes up what an earlier process left. Blocks for a moment.
    pub(crate) fn new(
        config: EngineConfig,
        settings: Settings,
        wanted: Vec<Subject>,
        tools: Tools,
        checker: Checker,
        records: Records,
        shared: Arc<Shared>,
    ) -> Self {
        let (sender, messages) = mpsc::unbounded_channel();
        let (history, pending, choices) = records.load();
        let mut driver = Self {
            config,
            settings,
            wanted,
            tools,
            records: Arc::new(records),
            shared,
            jobs: Vec::new(),
            history,
            choices,
            leftovers: Vec::new(),
            noted: Vec::new(),
            failures: BTreeMap::new(),
            indexes: BTreeMap::new(),
            checker: Some(checker),
            check_again: false,
            next_check: Instant::now(),
            server_failures: 0,
            work: JoinSet::new(),
            sender,
            messages,
            shown_at: None,
        };
        driver.show_beliefs();
        driver.take_up(pending);
        driver.sweep_staging();
        driver.read_stores();
        driver.draw();
        driver
    }

    /// Runs until the last handle is gone or asks for the end. Dropping the driver ends all work.
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        self.tools.host.changed();
        loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    None => return,
                    Some(Command::Shutdown(done)) => {
                        self.keep_pending().await;
                        self.work.shutdown().await;
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                },
                Some(message) = self.messages.recv() => self.hear(message).await,
                () = tokio::time::sleep_until(self.next_check), if self.checker.is_some() => self.begin_check(),
            }
            while self.work.try_join_next().is_some() {}
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::CheckNow => self.begin_check(),
            Command::SetSettings(settings) => self.set_settings(*settings).await,
            Command::SetWanted(wanted) => {
                let is_new = wanted.iter().any(|subject| !self.subjects().contains(subject));
                self.wanted = wanted;
                if is_new {
                    self.begin_check();
                }
            }
            Command::GoBack(subject, version) => self.go_back(subject, version).await,
            Command::Cancel(id) => self.cancel(&id).await,
            Command::RestartNow => {
                let waits =
                    |job: &&Job| *job.subject() == Subject::Executable && job.phase() == Phase::Waiting;
                if let Some(id) = self.jobs.iter().find(waits).map(|job| job.id().to_owned()) {
                    self.happen(&id, Event::Decided(Decision::Now)).await;
                }
            }
            Command::Confirmed => {
                let confirming =
                    |job: &&Job| *job.subject() == Subject::Executable && job.phase() == Phase::Confirming;
                if let Some(id) = self.jobs.iter().find(confirming).map(|job| job.id().to_owned()) {
                    self.happen(&id, Event::Confirmed).await;
                }
            }
            Command::Shutdown(_) => {}
        }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Checked(checked) => self.end_check(*checked).await,
            Message::Told(id, event) => self.happen(&id, event).await,
            Message::Brought(id, brought) => self.take(&id, brought).await,
        }
    }

    async fn set_settings(&mut self, settings: Settings) {
        let moved = self.tools.repository.set_address(&settings.repository);
        let mut changed = moved;
        for subject in self.subjects() {
            if settings.channel_of(&subject) != self.settings.channel_of(&subject) {
                changed = true;
                // Another channel is another wish: an earlier one to stay back ends with it.
                self.choices.went_back.remove(&subject);
            }
        }
        let sooner = settings.check_every_seconds != self.settings.check_every_seconds;
        self.settings = settings;
        if sooner {
            self.next_check = self.after_a_while();
        }
        if changed {
            self.keep_choices().await;
            self.begin_check();
        }
    }

    /// What is kept current: executable and shell always, widgets as wanted.
    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = vec![Subject::Executable, Subject::Shell];
        for subject in &self.wanted {
            if !subjects.contains(subject) {
                subjects.push(subject.clone());
            }
        }
        subjects
    }

    fn job(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id() == id)
    }

    /// Writes the updates on their way, if they changed, so that they go on in another process.
    async fn keep_pending(&mut self) {
        let pending = self.pending();
        if pending == self.noted {
            return;
        }
        let (records, noted) = (self.records.clone(), pending.clone());
        match blocking(move || Ok(records.store_pending(&pending)?)).await {
            Ok(()) => self.noted = noted,
            Err(error) => tracing::warn!(error = chain(&error), "what is on its way could not be noted"),
        }
    }

    fn pending(&self) -> Vec<Record> {
        self.jobs
            .iter()
            .map(|job| job.record.clone())
            .chain(self.leftovers.iter().cloned())
            .collect()
    }

    async fn keep_choices(&self) {
        let (records, choices) = (self.records.clone(), self.choices.clone());
        if let Err(error) = blocking(move || Ok(records.store_choices(&choices)?)).await {
            tracing::warn!(error = chain(&error), "what was chosen could not be noted");
        }
    }

    async fn keep_history(&mut self) {
        let (records, mut history) = (self.records.clone(), std::mem::take(&mut self.history));
        let before = history.clone();
        let kept = blocking(move || {
            let outcome = records.store_history(&mut history);
            Ok((history, outcome))
        });
        self.history = match kept.await {
            Ok((history, outcome)) => {
                if let Err(error) = outcome {
                    tracing::warn!(error = chain(&error), "the history could not be noted");
                }
                history
            }
            Err(_) => before,
        };
    }

    /// Brings the picture up to date and tells the host.
    fn show(&mut self) {
        self.draw();
        self.shown_at = Some(Instant::now());
        self.tools.host.changed();
    }

    /// Like `show`, but not more often than is worth it.
    fn show_progress(&mut self) {
        if self.shown_at.is_none_or(|at| at.elapsed() >= Self::PROGRESS_BEAT) {
            self.show();
        }
    }

    fn draw(&self) {
        let activities = self
            .jobs
            .iter()
            .map(|job| job.record.state.activity.clone())
            .collect();
        self.shared.with(|picture| {
            picture.activities = activities;
            picture.history.clone_from(&self.history);
            let jobs = &self.jobs;
            picture.waiting.retain(|request| {
                jobs.iter().any(|job| {
                    job.phase() == Phase::Waiting && *job.subject() == Subject::Widget(request.widget.clone())
                })
            });
        });
    }

    /// Reads what is installed into the picture.
    fn read_stores(&self) {
        let (boot, bundles) = (self.tools.store.state(), self.tools.bundles.all());
        self.shared.with(|picture| {
            match boot {
                Ok(boot) => picture.boot = Some(boot),
                Err(error) => tracing::error!(error = chain(&error), "the store can't be read"),
            }
            match bundles {
                Ok(bundles) => picture.bundles = bundles,
                Err(error) => tracing::error!(error = chain(&error), "the bundles can't be listed"),
            }
        });
    }

    fn show_beliefs(&self) {
        if let Some(checker) = &self.checker {
            let beliefs = in_words(&checker.beliefs());
            self.shared.with(|picture| picture.beliefs = beliefs);
        }
    }

    /// Removes what an earlier process left half rebuilt, and downloads that nobody has gone on with for a
    /// week.
    fn sweep_staging(&self) {
        const WEEK: Duration = Duration::from_hours(7 * 24);
        let Ok(entries) = std::fs::read_dir(self.tools.store.staging()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_rebuilt = name.contains(".new");
            let is_download = [".part", ".json", ".download"]
                .iter()
                .any(|end| name.ends_with(end));
            let age = path
                .metadata()
                .and_then(|data| data.modified())
                .ok()
                .and_then(|at| at.elapsed().ok());
            if is_rebuilt || is_download && age.is_some_and(|age| age > WEEK) {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

/// An id that is unique for an update: 16 random bytes.
fn new_id(now: Timestamp) -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without randomness the time in nanoseconds is unique enough for a name.
        bytes.copy_from_slice(&now.as_nanosecond().to_le_bytes());
    }
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn in_words(beliefs: &Beliefs) -> BTreeMap<String, String> {
    let version = |version: Option<u64>| version.map(|version| version.to_string());
    let floors = beliefs
        .floor
        .roles
        .iter()
        .map(|(role, floor)| (format!("floor of {role}"), floor.version.to_string()));
    let seen = [
        ("root", version(beliefs.root)),
        ("timestamp", version(beliefs.timestamp)),
        ("snapshot", version(beliefs.snapshot)),
        ("expires", beliefs.expires.map(|at| at.to_string())),
        ("floor problem", beliefs.floor_problem.clone()),
    ];
    seen.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .chain(floors)
        .collect()
}
