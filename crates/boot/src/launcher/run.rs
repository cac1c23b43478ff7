//! One run of the application: starting it, listening to it, and carrying out what the watch says.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Launcher;
use super::inspector::Inspector;
use super::instance::Opening;
use super::watch::{Conclusion, Do, Seen, Watch};
use crate::layout::{
    DATA_VARIABLE, INSTALL_VARIABLE, LAUNCHER_FD_VARIABLE, SLOT_VARIABLE, START_TOKEN_VARIABLE,
};
use crate::lines::{self, Line};
use crate::platform::{self, Application, Channel, Fault, Order, Stop};
use crate::{BootError, InUse, SlotName, Start, Store, ToApp, ToLauncher};

/// What the application's process is called: its windows are grouped by it, whatever its file's name.
const APPLICATION_NAME: &str = "Moult";
/// How long a message to the application may take to be accepted.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// How long after its end something that the application said may still arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is to be started.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) slot: SlotName,
    pub(super) executable: PathBuf,
    pub(super) on_trial: bool,
    _in_use: Option<InUse>,
}

/// What reaches the launcher while something runs.
#[derive(Debug)]
pub(super) enum Input {
    Stop(Stop),
    Open(Opening),
    Said { start: u64, message: ToLauncher },
    LinkClosed { start: u64 },
    Ended { start: u64 },
}

/// An application that was started.
#[derive(Debug)]
pub(super) struct Run {
    application: Application,
    link: Channel,
}

impl From<Start> for Due {
    fn from(start: Start) -> Self {
        let Start {
            slot,
            executable,
            on_trial,
            in_use,
            ..
        } = start;
        Self {
            slot,
            executable,
            on_trial,
            _in_use: Some(in_use),
        }
    }
}

impl Due {
    /// Something that starts without the store having counted it, so it is not on trial.
    pub(super) fn without_count(slot: SlotName, executable: PathBuf) -> Self {
        Self {
            slot,
            executable,
            on_trial: false,
            _in_use: None,
        }
    }
}

impl Launcher<'_> {
    pub(super) fn spawn(&mut self, due: &Due) -> Result<Run, Fault> {
        let (link, inherited) = platform::pair().map_err(Fault::Trouble)?;
        link.set_write_limit(WRITE_LIMIT).map_err(Fault::Trouble)?;
        let token = platform::random().map_err(|error| Fault::Trouble(std::io::Error::other(error)))?;
        let token = token.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let mut variables: Vec<(&str, OsString)> = vec![
            (DATA_VARIABLE, self.layout.root.clone().into()),
            (INSTALL_VARIABLE, self.settings.install.clone().into()),
            (SLOT_VARIABLE, due.slot.as_str().into()),
            (START_TOKEN_VARIABLE, token.into()),
            (LAUNCHER_FD_VARIABLE, inherited.name().into()),
        ];
        let port = if self.settings.automation {
            self.announce_inspector(due, None, None)
        } else {
            None
        };
        if let Some(port) = port {
            variables.push(("WEBKIT_INSPECTOR_SERVER", format!("127.0.0.1:{port}").into()));
            variables.push(("TAURI_WEBVIEW_AUTOMATION", "true".into()));
        }
        let application = platform::spawn(&Order {
            executable: &due.executable,
            name: APPLICATION_NAME,
            arguments: &self.settings.arguments,
            variables: &variables,
        })?;
        // The application has its end now; with this one open nobody would notice that it closed it.
        drop(inherited);
        if port.is_some() {
            self.announce_inspector(due, port, Some(application.id()));
        }
        self.log.write(
            "started",
            &json!({ "slot": due.slot, "on_trial": due.on_trial, "start": self.starts, "pid": application.id() }),
        );
        self.follow(&application, &link).map_err(Fault::Trouble)?;
        Ok(Run { application, link })
    }

    fn announce_inspector(&mut self, due: &Due, port: Option<u16>, pid: Option<u32>) -> Option<u16> {
        let chosen = port.map_or_else(|| self.ports.next(), Ok);
        let port = self.noted("inspector_port", chosen)?;
        let inspector = Inspector {
            port,
            pid,
            slot: &due.slot,
            start: self.starts,
        };
        let written = inspector.write(&self.layout.run);
        self.noted("inspector_file", written)?;
        Some(port)
    }

    /// Starts the two threads that wait for the application's end and for what it says.
    fn follow(&self, application: &Application, link: &Channel) -> std::io::Result<()> {
        let start = self.starts;
        let mut reader = BufReader::new(link.try_clone()?);
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            loop {
                match lines::read(&mut reader) {
                    Ok(Line::Value(message)) => {
                        if sender.send(Input::Said { start, message }).is_err() {
                            return;
                        }
                    }
                    Ok(Line::Unknown) => {}
                    Ok(Line::End) | Err(_) => break,
                }
            }
            let _ = sender.send(Input::LinkClosed { start });
        });
        let (sender, awaiter) = (self.sender.clone(), application.awaiter());
        std::thread::spawn(move || {
            // If waiting fails there is nothing left to wait for; reaping tells what it was.
            let _ = awaiter();
            let _ = sender.send(Input::Ended { start });
        });
        Ok(())
    }

    /// Stays with the application until it is gone.
    pub(super) fn supervise(&mut self, run: Run, due: &Due) -> Result<Conclusion, BootError> {
        let Run {
            application,
            mut link,
        } = run;
        let mut watch = Watch::new(self.settings.deadlines.clone(), due.on_trial);
        let tick = self.settings.deadlines.tick();
        let mut seen_at = Instant::now();
        let mut ended_at: Option<Instant> = None;
        let mut link_closed = false;
        for opening in std::mem::take(&mut self.waiting) {
            self.open(opening, &mut link, &watch);
        }
        while !(ended_at.is_some_and(|at| link_closed || at.elapsed() >= LAST_WORDS)) {
            let wait = if ended_at.is_some() || watch.needs_time() {
                Some(tick)
            } else {
                None
            };
            let input = match wait {
                Some(wait) => self.inputs.recv_timeout(wait),
                None => self.inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let wish = match input {
                Ok(Input::Stop(stop)) => {
                    self.log.write("passed_on", &json!({ "signal": stop.number() }));
                    application.stop(stop);
                    watch.see(Seen::PassedOn(stop))
                }
                Ok(Input::Open(opening)) => {
                    self.open(opening, &mut link, &watch);
                    None
                }
                Ok(Input::Said { start, message }) if start == self.starts => {
                    self.hear(&mut watch, due, message);
                    None
                }
                Ok(Input::LinkClosed { start }) if start == self.starts => {
                    link_closed = true;
                    None
                }
                Ok(Input::Ended { start }) if start == self.starts => {
                    ended_at = Some(Instant::now());
                    None
                }
                // From a run before this one.
                Ok(Input::Said { .. } | Input::LinkClosed { .. } | Input::Ended { .. }) | Err(_) => None,
            };
            self.carry_out(wish, &application);
            // A gap far over the tick means that the computer slept, or that this process was stopped.
            let passed = seen_at.elapsed().min(tick * 2);
            seen_at = Instant::now();
            if watch.needs_time() && ended_at.is_none() {
                let wish = watch.see(Seen::Awake(passed));
                self.carry_out(wish, &application);
            }
        }
        if watch.was_ended() {
            application.kill_group();
        }
        Ok(watch.conclude(application.reap()?))
    }

    fn hear(&mut self, watch: &mut Watch, due: &Due, message: ToLauncher) {
        if message != ToLauncher::Heartbeat {
            self.log.write(
                "said",
                &json!({ "slot": due.slot, "start": self.starts, "message": message }),
            );
        }
        if message == ToLauncher::Confirmed {
            // The store is believed, not the word.
            let state = self.store.as_ref().map(Store::state);
            if let Some(Some(state)) = state.map(|state| self.noted("confirmed", state))
                && state.current == due.slot
            {
                watch.see(Seen::Confirmed);
            }
        }
        watch.see(Seen::Said(message));
    }

    /// Gives the application something to open. If it can't take it now, the next one may.
    fn open(&mut self, opening: Opening, link: &mut Channel, watch: &Watch) {
        let message = ToApp::Open {
            arguments: opening.arguments.clone(),
        };
        if watch.is_staying() && lines::write(link, &message).is_ok() {
            opening.done();
        } else {
            self.waiting.push(opening);
        }
    }

    fn carry_out(&mut self, wish: Option<Do>, application: &Application) {
        match wish {
            Some(Do::AskToEnd) => {
                self.log.write("hung", &json!({ "start": self.starts }));
                application.stop(Stop::Terminate);
            }
            Some(Do::Kill) => {
                self.log.write("killed", &json!({ "start": self.starts }));
                application.kill_group();
            }
            None => {}
        }
    }
}
