//! Fetching a version that works, when none of the installed ones starts: another program does it, which
//! lies beside the launcher. Refuses to know networks, signatures and what that program does.

use std::ffi::OsString;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_json::json;

use super::Launcher;
use super::run::Input;
use super::session::Seen;
use crate::layout::{DATA_VARIABLE, INSTALL_VARIABLE};
use crate::platform::{self, Application, End, Order, Stop};

/// How long it may take in all. It shows how it gets on, and its user can end it.
const LIMIT: Duration = Duration::from_mins(30);
/// How often the time is looked at.
const TICK: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Another version is on trial now.
    Restored,
    /// There was no connection.
    Offline,
    /// There is no other version.
    NothingThere,
    /// The disk is full, or can't be written.
    Disk,
    /// The program is not there, or ended in another way.
    Failed,
}

impl Outcome {
    fn of(end: End) -> Self {
        match end {
            End::Code(0) => Self::Restored,
            End::Code(3) => Self::Offline,
            End::Code(4) => Self::NothingThere,
            End::Code(5) => Self::Disk,
            _ => Self::Failed,
        }
    }

    /// A sentence for the person.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Restored => "Another version was fetched, and did not start either.",
            Self::Offline => "Another version could not be fetched, because there was no connection.",
            Self::NothingThere => "There is no other version to be fetched.",
            Self::Disk => "Another version could not be fetched, because the disk can't be written.",
            Self::Failed => "Another version could not be fetched.",
        }
    }
}

impl Launcher<'_> {
    /// Starts the program that fetches a version, and stays until it ends.
    pub(super) fn fetch_another(&mut self) -> Seen {
        let executable = self
            .settings
            .install
            .join(format!("moult-rescue{}", std::env::consts::EXE_SUFFIX));
        self.keeper
            .log
            .write("rescue_started", &json!({ "failed": self.keeper.failed }));
        let arguments: Vec<OsString> = self
            .keeper
            .failed
            .iter()
            .flat_map(|digest| [OsString::from("--failed"), digest.to_string().into()])
            .collect();
        let variables = [
            (DATA_VARIABLE, self.keeper.layout.root.clone().into()),
            (INSTALL_VARIABLE, self.settings.install.clone().into()),
        ];
        let spawned = platform::spawn(&Order {
            executable: &executable,
            name: "moult-rescue",
            arguments: &arguments,
            variables: &variables,
            changes: &[],
        });
        let (outcome, stopped) = match spawned {
            Ok(program) => self.stay_with(program),
            Err(fault) => {
                let path = executable.display().to_string();
                self.keeper.log.write(
                    "rescue_not_started",
                    &json!({ "path": path, "fault": format!("{fault:?}") }),
                );
                (Outcome::Failed, None)
            }
        };
        self.keeper
            .log
            .write("rescue_ended", &json!({ "outcome": format!("{outcome:?}") }));
        self.rescue = Some(outcome);
        stopped.map_or(Seen::Rescued, Seen::Stopped)
    }

    fn stay_with(&mut self, program: Application) -> (Outcome, Option<Stop>) {
        self.starts += 1;
        let number = self.starts;
        let (sender, awaiter) = (self.sender.clone(), program.awaiter());
        std::thread::spawn(move || {
            // If waiting fails there is nothing left to wait for; reaping tells what it was.
            let _ = awaiter();
            let _ = sender.send(Input::Ended { start: number });
        });
        let (mut stopped, mut waited) = (None, Duration::ZERO);
        loop {
            match self.inputs.recv_timeout(TICK) {
                Ok(Input::Ended { start }) if start == number => break,
                Ok(Input::Stop(stop)) => {
                    program.stop(stop);
                    stopped = Some(stop);
                }
                Ok(Input::Open(opening)) => self.waiting.push(opening),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    waited += TICK;
                    if waited >= LIMIT {
                        program.kill_group();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let end = program.reap();
        let outcome = self
            .keeper
            .noted("rescue", end)
            .map_or(Outcome::Failed, Outcome::of);
        (outcome, stopped)
    }
}
