//! One run of the application: starting it and listening to it. Refuses to know what follows from it.

use std::ffi::OsString;
use std::io::{self, BufReader};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Launcher;
use super::inspector::Inspector;
use super::instance::Opening;
use super::keeper::Due;
use super::session::RunId;
use super::watch::Watch;
use crate::layout::{
    DATA_VARIABLE, HAND_OVER_VARIABLE, INSTALL_VARIABLE, LAUNCHER_FD_VARIABLE, PROTOCOL_VARIABLE,
    SLOT_VARIABLE, START_TOKEN_VARIABLE,
};
use crate::lines::{self, Line};
use crate::place::slot_environment;
use crate::platform::{self, Application, Channel, Fault, Order, Stop};
use crate::{ToApp, ToLauncher};

/// What the application's process is called: its windows are grouped by it, whatever its file's name.
const APPLICATION_NAME: &str = "Moult";
/// Which messages this launcher knows (`MOULT_LAUNCHER_PROTOCOL`).
pub(super) const PROTOCOL: &str = "2";
/// How long a message to the application may take to be accepted.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// How long after its end something that the application said may still arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What reaches the launcher while something runs.
#[derive(Debug)]
pub(super) enum Input {
    Stop(Stop),
    Open(Opening),
    Said { start: RunId, message: ToLauncher },
    LinkClosed { start: RunId },
    Ended { start: RunId },
}

/// Where the one that hands over waits for the next.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) address: String,
    pub(super) token: String,
}

/// An application that was started.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) due: Due,
    pub(super) application: Application,
    pub(super) watch: Watch,
    link: Channel,
    /// The inspector's port, under automation.
    port: Option<u16>,
    pub(super) ended_at: Option<Instant>,
    pub(super) link_closed: bool,
}

impl Run {
    /// Whether it is gone, with all that it said.
    pub(super) fn is_over(&self) -> bool {
        self.ended_at
            .is_some_and(|at| self.link_closed || at.elapsed() >= LAST_WORDS)
    }

    /// Whether time matters for it now.
    pub(super) fn needs_time(&self) -> bool {
        self.ended_at.is_some() || self.watch.needs_time()
    }

    /// Tells it something; false if it can't be told.
    pub(super) fn tell(&mut self, message: &ToApp) -> bool {
        lines::write(&mut self.link, message).is_ok()
    }
}

impl Launcher<'_> {
    /// Starts what is due. With `beside` another run has the window and hands it over.
    pub(super) fn spawn(&mut self, due: Due, beside: bool) -> Result<Run, Box<(Due, Fault)>> {
        let started = self.spawn_process(&due, beside);
        let (application, link, port) = match started {
            Ok(started) => started,
            Err(fault) => return Err(Box::new((due, fault))),
        };
        let id = self.starts;
        self.keeper.log.write(
            "started",
            &json!({ "slot": due.slot, "on_trial": due.on_trial, "start": id, "pid": application.id(), "beside": beside }),
        );
        if let Err(error) = self.follow(&application, &link) {
            // Nobody would learn how it ends.
            application.kill_group();
            let reaped = application.reap();
            self.keeper.noted("reap", reaped);
            return Err(Box::new((due, Fault::Trouble(error))));
        }
        let watch = Watch::new(self.settings.deadlines.clone(), due.on_trial);
        Ok(Run {
            id,
            watch: if beside { watch.beside() } else { watch },
            due,
            application,
            link,
            port,
            ended_at: None,
            link_closed: false,
        })
    }

    fn spawn_process(
        &mut self,
        due: &Due,
        beside: bool,
    ) -> Result<(Application, Channel, Option<u16>), Fault> {
        let (link, inherited) = platform::pair().map_err(Fault::Trouble)?;
        link.set_write_limit(WRITE_LIMIT).map_err(Fault::Trouble)?;
        let mut variables: Vec<(&str, OsString)> = vec![
            (DATA_VARIABLE, self.keeper.layout.root.clone().into()),
            (INSTALL_VARIABLE, self.settings.install.clone().into()),
            (SLOT_VARIABLE, due.slot.as_str().into()),
            (START_TOKEN_VARIABLE, due.start.as_str().into()),
            (PROTOCOL_VARIABLE, PROTOCOL.into()),
            (LAUNCHER_FD_VARIABLE, inherited.name().into()),
        ];
        // The packaged executable of an AppImage needs what its package set.
        let mut changes = if due.slot.is_base() {
            Vec::new()
        } else {
            slot_environment(std::env::vars_os())
        };
        match self.offer.as_ref().filter(|_| beside) {
            Some(Offer { address, token }) => {
                variables.push((HAND_OVER_VARIABLE, format!("{address} {token}").into()));
            }
            // Nobody hands over to what is started alone, whatever the environment says.
            None => changes.push((HAND_OVER_VARIABLE.into(), None)),
        }
        let port = self.settings.automation.then(|| {
            let port = self.ports.next();
            self.keeper.noted("inspector_port", port)
        });
        let port = port.flatten();
        if let Some(port) = port {
            // The file tells where the window is that is seen; one that is beside it has none yet.
            if !beside {
                self.announce_inspector(due, self.starts, port, None);
            }
            variables.push(("WEBKIT_INSPECTOR_SERVER", format!("127.0.0.1:{port}").into()));
            variables.push(("TAURI_WEBVIEW_AUTOMATION", "true".into()));
        }
        // The packaged executable is its package's business.
        if !due.slot.is_base() {
            platform::check_signature(&due.executable)
                .map_err(|error| Fault::Unfit(io::Error::other(error)))?;
        }
        let application = platform::spawn(&Order {
            executable: &due.executable,
            name: APPLICATION_NAME,
            arguments: &self.settings.arguments,
            variables: &variables,
            changes: &changes,
        })?;
        // The application has its end now; with this one open nobody would notice that it closed it.
        drop(inherited);
        if let Some(port) = port.filter(|_| !beside) {
            self.announce_inspector(due, self.starts, port, Some(application.id()));
        }
        Ok((application, link, port))
    }

    /// Notes that a run has the window.
    pub(super) fn has_window(&mut self, id: RunId) {
        let Some(index) = self.runs.iter().position(|run| run.id == id) else {
            return;
        };
        let run = &mut self.runs[index];
        run.watch.see(super::watch::Seen::OnItsOwn);
        let Some(port) = run.port else { return };
        let run = &self.runs[index];
        let written = Inspector {
            port,
            pid: Some(run.application.id()),
            slot: &run.due.slot,
            start: id,
        }
        .write(&self.keeper.layout.run);
        self.keeper.noted("inspector_file", written);
    }

    fn announce_inspector(&mut self, due: &Due, start: RunId, port: u16, pid: Option<u32>) {
        let slot = &due.slot;
        let written = Inspector {
            port,
            pid,
            slot,
            start,
        }
        .write(&self.keeper.layout.run);
        self.keeper.noted("inspector_file", written);
    }

    /// Starts the two threads that wait for the application's end and for what it says.
    fn follow(&self, application: &Application, link: &Channel) -> io::Result<()> {
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
}
