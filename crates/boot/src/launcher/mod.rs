//! The launcher: it starts the version that is due, watches it, and starts another when that one fails.
//!
//! It decides nothing by itself. The boot machine says what is due, [`watch`] judges a run, [`session`] says
//! what follows, and this module only carries out. What fails here is logged, and whatever can still be
//! started is started: a folder that can't be written, say, costs updates and never the application.

mod budget;
mod deadlines;
mod drive;
mod inspector;
mod instance;
mod keeper;
mod log;
pub mod message;
mod parting;
mod rehearse;
mod rescue;
mod run;
mod self_test;
mod session;
mod settings;
mod watch;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

pub use deadlines::Deadlines;
pub use rehearse::{Body, LifeEnd, Lived, Starting, rehearse};
pub use self_test::{is_wished as is_self_test_wished, self_test};
pub use settings::Settings;
#[cfg(test)]
pub(crate) use watch::UNFIT;

use self::inspector::Ports;
use self::instance::{Claim, Instance, Opening};
use self::keeper::Keeper;
use self::run::{Input, Offer, Run};
use self::session::{Limits, RunId, Session};
use crate::layout::Layout;
use crate::{BootError, platform};

/// How often versions may make room for each other within the restart window.
const RESTARTS: usize = 20;

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
    let (sender, inputs) = channel();
    let mut launcher = Launcher {
        settings,
        keeper: Keeper::open(settings),
        session: Session::new(limits(&settings.deadlines)),
        runs: Vec::new(),
        inputs,
        sender,
        ports: Ports::default(),
        starts: 0,
        offer: None,
        waiting: Vec::new(),
        trouble: None,
        rescue: None,
        begun: Instant::now(),
        seen_at: Instant::now(),
    };
    let instance = launcher.keeper.noted("single_instance", instance);
    launcher.listen(instance.as_ref());
    let ending = launcher.run();
    launcher.keeper.log.write(
        "launcher_ends",
        &json!({ "code": ending.code, "message": ending.message }),
    );
    ending
}

/// What the deadlines mean for what follows from what.
fn limits(deadlines: &Deadlines) -> Limits {
    Limits {
        crashes: deadlines.restarts,
        restarts: RESTARTS,
        window: deadlines.restart_window,
        hand_over: deadlines.hand_over,
        closing: deadlines.closing,
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
    keeper: Keeper,
    session: Session,
    /// What runs: the one with the window, and what is beside it.
    runs: Vec<Run>,
    inputs: Receiver<Input>,
    sender: Sender<Input>,
    ports: Ports,
    /// How many processes were started, the rescue's among them.
    starts: RunId,
    /// Where the one that hands over waits for the next.
    offer: Option<Offer>,
    /// What other launchers brought while nothing ran that could take it.
    waiting: Vec<Opening>,
    /// Why nothing could be started.
    trouble: Option<BootError>,
    /// What came of the attempt to fetch a version that works.
    rescue: Option<rescue::Outcome>,
    begun: Instant,
    seen_at: Instant,
}

impl Launcher<'_> {
    fn listen(&mut self, instance: Option<&Instance>) {
        let sender = self.sender.clone();
        let signals = platform::on_stop(move |stop| sender.send(Input::Stop(stop)).is_ok());
        self.keeper.noted("signals", signals);
        if let Some(instance) = instance {
            let sender = self.sender.clone();
            let limit = self.settings.deadlines.answer;
            let listening = instance.listen(limit, move |opening| sender.send(Input::Open(opening)).is_ok());
            self.keeper.noted("listen", listening);
        }
    }

    /// How long it has been since the launcher began. A computer's sleep counts on some systems.
    fn at(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// The time that is noted in the store.
fn now() -> SystemTime {
    SystemTime::now()
}
