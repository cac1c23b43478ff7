//! What the person is told when the launcher ends: what happened, what was kept, what to do.

use std::path::Path;

use super::rescue::Outcome;
use super::session::Parting;
use super::{Ending, RESTARTS, causes};
use crate::BootError;

/// What is known when the launcher ends.
pub(super) struct Known<'a> {
    /// Why nothing could be started.
    pub(super) trouble: Option<&'a BootError>,
    /// The last thing that kept a version from starting.
    pub(super) problem: Option<&'a str>,
    /// What came of the rescue.
    pub(super) rescue: Option<Outcome>,
    /// The folder of the log.
    pub(super) log: &'a Path,
}

impl Ending {
    pub(super) fn quiet(code: i32) -> Self {
        Self { code, message: None }
    }

    /// What went wrong, with its causes, and what to do.
    pub(crate) fn failed(error: &dyn std::error::Error, advice: &str) -> Self {
        Self {
            code: 1,
            message: Some(format!("Moult could not be started: {}. {advice}", causes(error))),
        }
    }

    pub(super) fn parting(code: i32, parting: Parting, known: &Known<'_>) -> Self {
        let message = match parting {
            Parting::Quiet => return Self::quiet(code),
            Parting::NoScreen => {
                "Moult found no screen to show itself on, or the screen has gone. Nothing was \
                 changed. Start it again where there is one."
                    .to_owned()
            }
            Parting::Trouble => {
                let advice = "Your data is kept. Install Moult again if this goes on.";
                return match known.trouble {
                    Some(error) => Self::failed(error, advice),
                    None => Self {
                        code,
                        message: Some(format!("Moult could not be started. {advice}")),
                    },
                };
            }
            Parting::RestartedTooOften => format!(
                "Moult restarted itself {RESTARTS} times in a row and was ended. Your data is kept. Start it again."
            ),
            Parting::NothingLeft => {
                let happened = match known.problem {
                    Some(problem) => format!("Moult could not be started: {problem}."),
                    None => format!(
                        "Moult ended with code {code} too often and was not started again, and so did each \
                         version before it."
                    ),
                };
                let rescue = known.rescue.map_or("", Outcome::in_words);
                let log = known.log.join("launcher.log");
                format!(
                    "{happened} {rescue} Your data is kept. Start it again. Install Moult again if this \
                     goes on. More is in {}.",
                    log.display()
                )
            }
        };
        Self {
            code,
            message: Some(message),
        }
    }
}
