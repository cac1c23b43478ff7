//! The driver: one task that owns every update, lets events happen, and starts the work that follows.
//! It refuses to decide: that is done by the machine, by `select` and by `plan`.

mod checks;
mod choosing;
mod ends;
mod explaining;
mod jobs;
mod keep;
mod reminders;
mod resume;
mod sets;
mod surroundings;
mod wishes;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moult_model::{Explanation, Index, Outcome, Phase, Settings, Subject, Version};
use moult_trust::{Authentic, Beliefs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use checks::pause as between_checks;

use crate::check::{Checked, Checker};
use crate::choices::Choices;
use crate::engine::{EngineConfig, Shared};
use crate::error::chain;
use crate::fetch::Route;
use crate::job::{Brought, Job};
use crate::link::{Clocks, Link};
use crate::machine::{Decision, Event};
use crate::perform::Tools;
use crate::record::Record;
use crate::records::{History, Loaded, Records, Tasks};
use crate::schedule::{self, Schedule};
use crate::select::{InstallId, Standing};
use crate::set::Set;

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
    HandOverEnded,
    OnEnd(String, oneshot::Sender<Outcome>),
    Ping(oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

/// What comes back from work.
#[derive(Debug)]
enum Message {
    Checked(Box<Checked>),
    /// Of which update, which piece of work, and what.
    Brought(String, u64, Brought),
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
    schedule: Schedule,
    history: History,
    choices: Choices,
    /// The orders that are obeyed.
    standing: Standing,
    /// Who this computer is in a rollout.
    install: Option<InstallId>,
    /// What takes over together with an executable.
    set: Option<Set>,
    /// What was noted of explanations, and when.
    explained: Option<(Vec<Explanation>, Instant)>,
    /// What an earlier process began and did not end, to go on under the same id.
    leftovers: Vec<Record>,
    /// What is kept with both beside the updates themselves.
    tasks: Tasks,
    /// What is on the disk of all of it.
    noted: Tasks,
    /// Who waits for the end of which update.
    listeners: BTreeMap<String, Vec<oneshot::Sender<Outcome>>>,
    indexes: BTreeMap<Subject, Arc<Authentic<Index>>>,
    /// None while a check is under way.
    checker: Option<Checker>,
    check_again: bool,
    /// Whether something was put off because the queue was full.
    is_full: bool,
    /// When it is looked again whether an executable that waits is due.
    next_look: Instant,
    next_check: Instant,
    /// Checks in a row that the server failed.
    server_failures: u32,
    /// The line and the clocks when they were looked at last.
    link: Link,
    clocks: Clocks,
    work: JoinSet<()>,
    sender: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
    shown_at: Option<Instant>,
}

impl Driver {
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
        let Loaded {
            history,
            mut tasks,
            choices,
            orders: standing,
            set,
        } = records.load();
        let install = records.install_id();
        let open = std::mem::take(&mut tasks.open);
        let schedule = Schedule::new(settings.stages.in_range(), tasks.ended.clone());
        let mut driver = Self {
            config,
            settings,
            wanted,
            tools,
            records: Arc::new(records),
            shared,
            jobs: Vec::new(),
            schedule,
            history,
            choices,
            standing,
            install,
            set,
            explained: None,
            leftovers: Vec::new(),
            tasks,
            noted: Tasks::default(),
            listeners: BTreeMap::new(),
            indexes: BTreeMap::new(),
            checker: Some(checker),
            check_again: false,
            is_full: false,
            next_look: Instant::now() + Self::LOOK_EVERY,
            next_check: Instant::now(),
            server_failures: 0,
            link: Link::default(),
            clocks: Clocks::now(),
            work: JoinSet::new(),
            sender,
            messages,
            shown_at: None,
        };
        driver.show_beliefs();
        driver.follow_set();
        driver.take_up(open);
        driver.sweep_staging();
        driver.read_stores();
        driver.draw();
        driver
    }

    /// Runs until the last handle is gone or asks for the end. Dropping the driver ends all work.
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        self.tools.host.changed();
        self.go_on().await;
        loop {
            let wakes_at = self.wakes_at();
            tokio::select! {
                // In this order each time: on one thread, what happens is then the same from run to run.
                biased;
                command = inbox.recv() => match command {
                    None => return,
                    Some(Command::Shutdown(done)) => {
                        self.quit().await;
                        self.work.shutdown().await;
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                },
                Some(message) = self.messages.recv() => self.hear(message).await,
                () = tokio::time::sleep_until(self.next_check), if self.checker.is_some() => self.begin_check(),
                () = tokio::time::sleep_until(wakes_at) => {
                    let random = getrandom::u32().unwrap_or(0);
                    self.advance(schedule::Event::Tick { random }).await;
                    self.remind().await;
                }
            }
            while self.work.try_join_next().is_some() {}
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::CheckNow => {
                // Who asks is answered by the server, not by what it did before.
                self.tools.repository.refresh();
                self.begin_check();
            }
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
                let waiting = self.jobs.iter().find(waits).filter(|job| self.is_complete(job));
                if let Some(id) = waiting.map(|job| job.id().to_owned()) {
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
            Command::HandOverEnded => self.look_again().await,
            Command::OnEnd(id, listener) => self.listen(id, listener),
            Command::Ping(answer) => drop(answer.send(())),
            Command::Shutdown(_) => {}
        }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Checked(checked) => self.end_check(*checked).await,
            Message::Told(id, event) => self.happen(&id, event).await,
            Message::Brought(id, number, brought) => self.take(&id, number, brought).await,
        }
    }

    async fn set_settings(&mut self, settings: Settings) {
        let moved = self.tools.repository.set_route(Route::of(&settings));
        let mut changed = moved;
        for subject in self.subjects() {
            if settings.channel_of(&subject) != self.settings.channel_of(&subject) {
                changed = true;
                // Another channel is another wish: an earlier one to stay back ends with it.
                self.choices.went_back.remove(&subject);
            }
            if settings.pins.get(&subject) != self.settings.pins.get(&subject) {
                changed = true;
                self.choices.went_back.remove(&subject);
            }
        }
        self.follow(&settings);
        self.advance(schedule::Event::Policies(settings.stages.in_range()))
            .await;
        let sooner = settings.check_every_seconds != self.settings.check_every_seconds;
        self.settings = settings;
        self.weigh_downloads().await;
        // Another patience may be over already.
        self.next_look = Instant::now();
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
            picture.history = self.history.entries().to_vec();
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
