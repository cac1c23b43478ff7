//! The launcher: it starts the version that is due, watches it, and starts another when that one fails.
//!
//! It decides nothing by itself. The boot machine says what is due, [`watch`] judges a run, and this
//! module only carries out. What fails here is logged, and whatever can still be started is started:
//! a folder that can't be written, say, costs updates and never the application.

mod deadlines;
mod inspector;
mod instance;
mod log;
mod run;
mod settings;
mod watch;

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

pub use deadlines::Deadlines;
pub use settings::Settings;

use self::inspector::Ports;
use self::instance::{Claim, Instance, Opening};
use self::log::Log;
use self::run::{Due, Input, Run};
use self::watch::{Conclusion, Then, Verdict};
use crate::layout::Layout;
use crate::platform::{self, Fault};
use crate::{Base, BootError, SlotName, Store, Why};

/// How often versions may hand over to each other within the restart window.
const HAND_OVERS: usize = 20;

/// How the launcher ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code.
    pub code: i32,
    /// What it tells the user on the way out.
    pub message: Option<String>,
}

/// Starts the application and stays until it is gone for good.
///
/// Called once per process, before any thread is started or file opened.
pub fn run(settings: &Settings) -> Ending {
    platform::close_others_at_start();
    let layout = Layout::new(&settings.data);
    let instance = match claim(settings, &layout) {
        Ok(Claim::HandedOver) => return Ending::quiet(0),
        Ok(Claim::First(instance)) => Ok(instance),
        Err(error @ BootError::NoAnswer { .. }) => {
            return Ending::failed(&error, "Nothing was changed. End it and try again.");
        }
        Err(error) => Err(error),
    };
    let base = match Base::from_install(&settings.install) {
        Ok(base) => base,
        Err(error) => return Ending::failed(&error, "Your data is kept. Install Moult again."),
    };
    let store = Store::open(&settings.data, base.clone());
    let mut log = Log::open(&layout.log);
    log.write(
        "launcher_started",
        &json!({ "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id() }),
    );
    if let Ok(store) = &store
        && store.recovered()
    {
        log.write("state_was_unreadable", &json!({ "kept": "the packaged version" }));
    }
    let (sender, inputs) = channel();
    let mut launcher = Launcher {
        settings,
        layout,
        base,
        store: None,
        log,
        inputs,
        sender,
        ports: Ports::default(),
        starts: 0,
        avoided: Vec::new(),
        waiting: Vec::new(),
        crashes: Budget::new(settings.deadlines.restarts, settings.deadlines.restart_window),
        hand_overs: Budget::new(HAND_OVERS, settings.deadlines.restart_window),
    };
    launcher.store = launcher.noted("open_store", store);
    let instance = launcher.noted("single_instance", instance);
    launcher.listen(instance.as_ref());
    let ending = launcher.run();
    launcher.log.write(
        "launcher_ends",
        &json!({ "code": ending.code, "message": ending.message }),
    );
    ending
}

impl Ending {
    fn quiet(code: i32) -> Self {
        Self { code, message: None }
    }

    /// What went wrong, with its causes, and what to do.
    pub(crate) fn failed(error: &dyn std::error::Error, advice: &str) -> Self {
        Self {
            code: 1,
            message: Some(format!("Moult could not be started: {}. {advice}", causes(error))),
        }
    }
}

/// An error with its causes, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn claim(settings: &Settings, layout: &Layout) -> Result<Claim, BootError> {
    moult_durable::create_dir_all(&layout.run)?;
    platform::make_private(&layout.run)?;
    let arguments: Vec<_> = settings
        .arguments
        .iter()
        .map(|one| one.to_string_lossy().into_owned())
        .collect();
    instance::claim(&layout.run, &arguments, settings.deadlines.answer)
}

struct Launcher<'a> {
    settings: &'a Settings,
    layout: Layout,
    base: Base,
    /// `None` if it can't be opened; then only the packaged executable starts.
    store: Option<Store>,
    log: Log,
    inputs: Receiver<Input>,
    sender: Sender<Input>,
    ports: Ports,
    starts: u64,
    /// Slots that can't be started though that could not be recorded.
    avoided: Vec<SlotName>,
    /// What other launchers brought while nothing ran that could take it.
    waiting: Vec<Opening>,
    crashes: Budget,
    hand_overs: Budget,
}

impl Launcher<'_> {
    fn listen(&mut self, instance: Option<&Instance>) {
        let sender = self.sender.clone();
        let signals = platform::on_stop(move |stop| sender.send(Input::Stop(stop)).is_ok());
        self.noted("signals", signals);
        if let Some(instance) = instance {
            let sender = self.sender.clone();
            let limit = self.settings.deadlines.answer;
            let listening = instance.listen(limit, move |opening| sender.send(Input::Open(opening)).is_ok());
            self.noted("listen", listening);
        }
    }

    fn run(&mut self) -> Ending {
        loop {
            let due = self.due();
            self.starts += 1;
            let started = match self.start(&due) {
                Ok(run) => run,
                Err(ending) => match ending {
                    Some(ending) => return ending,
                    None => continue,
                },
            };
            let conclusion = match self.supervise(started, &due) {
                Ok(conclusion) => conclusion,
                Err(error) => return Ending::failed(&error, "Your data is kept. Start Moult again."),
            };
            let about = format!("{conclusion:?}");
            self.log.write(
                "run_ended",
                &json!({ "slot": due.slot, "start": self.starts, "conclusion": about }),
            );
            if let Some(ending) = self.conclude(&due, conclusion) {
                return ending;
            }
        }
    }

    /// What the store says is due. If it can't say, or can't lower the tries of a trial, the current
    /// slot or the packaged executable: never a trial, whose starts could not be counted.
    fn due(&mut self) -> Due {
        let started = self.store.as_ref().map(|store| store.start(SystemTime::now()));
        if let Some(Some(start)) = started.map(|started| self.noted("choose", started)) {
            for effect in &start.effects {
                self.log.write("effect", &json!(effect));
            }
            if !self.avoided.contains(&start.slot) {
                return start.into();
            }
        }
        let current = self.store.as_ref().and_then(|store| {
            let current = store.state().ok()?.current;
            let start_it = store.is_usable(&current) && !self.avoided.contains(&current);
            start_it.then(|| Due::without_count(current.clone(), store.executable(&current)))
        });
        current.unwrap_or_else(|| Due::without_count(SlotName::base(), self.base.executable.clone()))
    }

    /// Starts what is due. If that is not possible: notes why, and tells to choose again (`None`) or to end.
    fn start(&mut self, due: &Due) -> Result<Run, Option<Ending>> {
        let fault = match self.spawn(due) {
            Ok(run) => return Ok(run),
            Err(fault) => fault,
        };
        self.log.write(
            "could_not_start",
            &json!({ "slot": due.slot, "fault": format!("{fault:?}") }),
        );
        let (slot, executable) = (due.slot.clone(), due.executable.clone());
        let give_up = |fault: Fault| {
            let error = BootError::Start {
                path: executable,
                source: fault.into_source(),
            };
            Err(Some(Ending::failed(
                &error,
                "Your data is kept. Install Moult again if this goes on.",
            )))
        };
        let Some(store) = self.store.as_ref() else {
            return give_up(fault);
        };
        let recorded = match fault {
            _ if slot.is_base() && !due.on_trial => return give_up(fault),
            Fault::Trouble(_) => {
                if due.on_trial {
                    let given_back = store.trial_quit(&slot);
                    self.noted("give_try_back", given_back);
                }
                return give_up(fault);
            }
            Fault::Forbidden(_) => store.forbidden(&slot),
            Fault::Unfit(_) if due.on_trial && store.is_intact(&slot).unwrap_or(false) => {
                // The file is what was published, and is nothing that this system can run.
                store.trial_failed(&slot, Why::Crashed { code: 126 }, SystemTime::now())
            }
            Fault::Unfit(_) => store.lost(&slot),
        };
        self.record(&slot, recorded);
        Err(None)
    }

    /// Notes what a run showed, and decides whether the launcher ends.
    fn conclude(&mut self, due: &Due, conclusion: Conclusion) -> Option<Ending> {
        if let Some(store) = &self.store {
            match conclusion.trial {
                Verdict::Failed(why) => {
                    // Bytes that the disk changed are no fault of the version.
                    let recorded = if store.is_intact(&due.slot).unwrap_or(true) {
                        store.trial_failed(&due.slot, why, SystemTime::now())
                    } else {
                        store.lost(&due.slot)
                    };
                    self.record(&due.slot, recorded);
                }
                Verdict::Quit => {
                    let given_back = store.trial_quit(&due.slot);
                    self.noted("give_try_back", given_back);
                }
                Verdict::NotOnTrial | Verdict::Unknown => {}
            }
        }
        match conclusion.then {
            Then::Leave(code) => Some(Ending::quiet(code)),
            Then::Start if conclusion.trial != Verdict::NotOnTrial && conclusion.trial != Verdict::Quit => {
                None
            }
            Then::Start if self.hand_overs.spend() => None,
            Then::Start => Some(Ending {
                code: 1,
                message: Some(format!(
                    "Moult restarted itself {HAND_OVERS} times in a row and was ended. Your data is kept. Start it again."
                )),
            }),
            Then::Crashed(code) => self.crashed(due, code),
        }
    }

    fn crashed(&mut self, due: &Due, code: i32) -> Option<Ending> {
        let intact = self
            .store
            .as_ref()
            .is_none_or(|store| store.is_intact(&due.slot).unwrap_or(true));
        if !intact && !due.slot.is_base() {
            let recorded = self.store.as_ref().map(|store| store.lost(&due.slot));
            if let Some(recorded) = recorded {
                self.record(&due.slot, recorded);
            }
            return None;
        }
        if self.crashes.spend() {
            return None;
        }
        let log = self.layout.log.join("launcher.log");
        let message = format!(
            "Moult ended with code {code} too often and was not started again. Your data is kept. \
             Start it again, or install it again if this goes on. More is in {}.",
            log.display()
        );
        Some(Ending {
            code,
            message: Some(message),
        })
    }

    /// Logs what a change of the state came to. A change that could not be written is made up for by not
    /// starting the slot again in this session.
    fn record(&mut self, slot: &SlotName, recorded: Result<Vec<crate::machine::Effect>, BootError>) {
        match self.noted("record", recorded) {
            Some(effects) => {
                for effect in effects {
                    self.log.write("effect", &json!(effect));
                }
            }
            None => self.avoided.push(slot.clone()),
        }
    }

    fn noted<T>(&mut self, action: &str, outcome: Result<T, BootError>) -> Option<T> {
        if let Err(error) = &outcome {
            self.log
                .write("failed", &json!({ "action": action, "error": causes(error) }));
        }
        outcome.ok()
    }
}

/// So many times within a moving window, and no more.
#[derive(Debug)]
struct Budget {
    limit: usize,
    window: Duration,
    spent: VecDeque<Instant>,
}

impl Budget {
    fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            spent: VecDeque::new(),
        }
    }

    fn spend(&mut self) -> bool {
        let now = Instant::now();
        while self
            .spent
            .front()
            .is_some_and(|then| now.duration_since(*then) > self.window)
        {
            self.spent.pop_front();
        }
        let within = self.spent.len() < self.limit;
        if within {
            self.spent.push_back(now);
        }
        within
    }
}
