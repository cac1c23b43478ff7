//! What can go wrong in this crate, its exit codes, and what a person reads about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use moult_boot::BootError;
use moult_boot::place::Statement;
use moult_durable::DurableError;
use moult_model::{ErrorCode, Version};
use moult_trust::TrustError;
use moult_update::UpdateError;

/// What could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RescueError {
    /// This build was made without trust files.
    #[error("this build knows nobody whom it may trust")]
    NoTrust,
    /// The floor that was compiled in can't be read.
    #[error("the compiled-in floor is broken")]
    Floor {
        /// Why.
        source: serde_json::Error,
    },
    /// The arguments can't be understood.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
    },
    /// Another process has the right to write: Moult runs, or another rescue does.
    #[error("Moult or another rescue is running")]
    Running,
    /// The last try was a moment ago.
    #[error("the last try was a moment ago; the next is possible in {} seconds", wait.as_secs() + 1)]
    TooSoon {
        /// How long the next try has to wait.
        wait: Duration,
    },
    /// Neither the settings nor the build name a repository.
    #[error("no repository is known")]
    NoRepository,
    /// The store of installed versions could not be used.
    #[error("the store of installed versions could not be used")]
    Store {
        /// Why.
        source: BootError,
    },
    /// A record could not be written.
    #[error("the try could not be noted")]
    Note {
        /// Why.
        source: DurableError,
    },
    /// The async runtime or a client could not be made.
    #[error("the network could not be used")]
    Network {
        /// Why.
        source: io::Error,
    },
    /// What is published could not be had, or not be believed.
    #[error("what is published at `{repository}` could not be believed or had")]
    Trust {
        /// The repository.
        repository: String,
        /// Why.
        source: TrustError,
    },
    /// Nothing is published that is good, signed, and did not fail here.
    #[error("nothing is published that did not fail here already")]
    NothingLeft,
    /// A release could not be fetched, or is not what was announced.
    #[error("version {version} could not be brought here")]
    Bring {
        /// The version.
        version: Version,
        /// Why.
        source: Box<UpdateError>,
    },
    /// A package could not be installed.
    #[error(transparent)]
    #[cfg(unix)]
    Package(#[from] crate::package::PackageError),
    /// The program's own place is not known.
    #[error("the program's own folder is not known")]
    Place {
        /// Why.
        source: io::Error,
    },
    /// A file that is needed is missing.
    #[error("`{path}` is missing")]
    Missing {
        /// The file.
        path: PathBuf,
    },
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A good version waits for its start.
    Restored,
    /// Something that none of the others names.
    Failed,
    /// It was called wrongly.
    Usage,
    /// The repository could not be reached.
    Offline,
    /// Nothing can be had: nothing is published, all failed, or nothing can be believed.
    Nothing,
    /// The disk is full, or refuses.
    Disk,
    /// Moult runs, or another rescue does, or one did a moment ago.
    NotNow,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Restored => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Offline => 3,
            Self::Nothing => 4,
            Self::Disk => 5,
            Self::NotNow => 6,
        }
    }

    fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Offline | ErrorCode::ServerFailed => Self::Offline,
            ErrorCode::DiskFull | ErrorCode::DiskFailed | ErrorCode::FloorNotWritten => Self::Disk,
            ErrorCode::Internal => Self::Failed,
            _ => Self::Nothing,
        }
    }
}

impl RescueError {
    /// How the process ends with this error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::Usage,
            Self::Running | Self::TooSoon { .. } => Exit::NotNow,
            Self::NoTrust | Self::NoRepository | Self::NothingLeft => Exit::Nothing,
            Self::Store { source } => Exit::of(source.code()),
            Self::Note { .. } => Exit::Disk,
            Self::Trust { source, .. } => Exit::of(source.code()),
            Self::Bring { source, .. } => Exit::of(source.code()),
            Self::Network { .. } => Exit::Offline,
            _ => Exit::Failed,
        }
    }

    /// What a person reads: what happened, what was kept, what to do.
    pub fn statement(&self) -> Statement {
        let advice = match self.exit() {
            Exit::Offline => "Connect to the internet and start Moult again.",
            Exit::Disk => "Make room on the disk, or see to its permissions, and start Moult again.",
            Exit::NotNow if matches!(self, Self::Running) => "Quit Moult first, then try again.",
            Exit::NotNow => "Wait a minute and start Moult again.",
            Exit::Usage => "Start it without arguments to bring a good version back.",
            Exit::Nothing | Exit::Failed | Exit::Restored => {
                "Start Moult again later, or install it again from where you got it."
            }
        };
        Statement {
            happened: format!(
                "No good version of Moult could be brought back: {}.",
                self.causes()
            ),
            kept: "Your data and the installed versions are as they were.".to_owned(),
            advice: advice.to_owned(),
        }
    }

    /// The error with its causes, on one line.
    pub fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            // Transparent variants repeat their cause.
            if !text.ends_with(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_code_and_its_advice() {
        let request = |code| RescueError::Trust {
            repository: "https://r/".to_owned(),
            source: TrustError::NotRefreshed { last: code },
        };
        let table = [
            (RescueError::Running, 6, "Quit Moult"),
            (
                RescueError::TooSoon {
                    wait: Duration::from_secs(9),
                },
                6,
                "Wait a minute",
            ),
            (request(ErrorCode::Offline), 3, "Connect"),
            (request(ErrorCode::ServerFailed), 3, "Connect"),
            (request(ErrorCode::MetadataReplayed), 4, "later"),
            (request(ErrorCode::FloorNotWritten), 5, "disk"),
            (RescueError::NothingLeft, 4, "install it again"),
            (RescueError::NoRepository, 4, "install it again"),
            (RescueError::NoTrust, 4, "install it again"),
            (
                RescueError::Usage { what: "x".to_owned() },
                2,
                "without arguments",
            ),
        ];
        for (error, code, advice) in table {
            assert_eq!(error.exit().code(), code, "{error}");
            let statement = error.statement();
            assert!(statement.advice.contains(advice), "{error}: {statement}");
            assert!(statement.happened.contains(&error.to_string()), "{statement}");
        }
    }
}
