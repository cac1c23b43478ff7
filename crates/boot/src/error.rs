//! What can go wrong in this crate. Each variant is one action that failed.

use std::io;
use std::path::PathBuf;

use moult_durable::DurableError;
use moult_model::{Digest, ErrorCode, Obstacle, Version};

use crate::{SlotName, platform};

/// What could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// A write, sync, rename or lock failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// Another process has been changing the same state for too long.
    #[error("another process has held `{path}` for {seconds} s: it may have been stopped")]
    Busy {
        /// The lock.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Something was opened to be read, and is not changed by this process.
    #[error("this process only reads what is installed, and changes nothing")]
    ReadingOnly,
    /// A file or folder could not be read.
    #[error("`{path}` could not be read")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is no longer needed could not be removed.
    #[error("`{path}` could not be removed")]
    Remove {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Permissions could not be set.
    #[error("the permissions of `{path}` could not be set")]
    Permissions {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the data folder belongs to somebody else, or others may write it.
    #[error("`{path}` is not used: {reason}")]
    NotOurs {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system does not accept a program's code signature.
    #[error(
        "the system does not accept the code signature of `{path}` ({said}), so it is not started; the version before it was kept"
    )]
    SignatureRefused {
        /// The program.
        path: PathBuf,
        /// What the system says.
        said: String,
    },
    /// A file is not the one that was announced.
    #[error("`{path}` has the digest {found}, but {expected} was expected")]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// The digest that it should have.
        expected: Digest,
        /// The digest that it has.
        found: Digest,
    },
    /// This artifact failed before and is not tried again.
    #[error("{digest} failed before and is not tried again")]
    Banned {
        /// The artifact.
        digest: Digest,
    },
    /// Another artifact is installed under the same slot name.
    #[error("the slot {slot} holds another file")]
    SlotTaken {
        /// The slot.
        slot: SlotName,
    },
    /// No such slot is installed.
    #[error("the slot {slot} is not installed")]
    NotInstalled {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is the current one already.
    #[error("the slot {slot} is the current one already")]
    AlreadyCurrent {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is not on trial.
    #[error("the slot {slot} is not on trial")]
    NotOnTrial {
        /// The slot.
        slot: SlotName,
    },
    /// A start that is over speaks for its slot.
    #[error("another start of the slot {slot} is under way, so this one can't confirm it")]
    StaleStart {
        /// The slot.
        slot: SlotName,
    },
    /// Each slot that could be started ended too often.
    #[error("no installed version of Moult is left that starts")]
    NothingLeft,
    /// There is no earlier version.
    #[error("there is no earlier version to go back to")]
    NothingToGoBackTo,
    /// No such bundle is installed for the subject.
    #[error("no bundle {digest} is installed for {subject}")]
    BundleNotInstalled {
        /// What the bundle would be for.
        subject: String,
        /// The bundle.
        digest: Digest,
    },
    /// No earlier bundle of this version is installed for the subject.
    #[error("no earlier version {version} of {subject} is installed")]
    BundleVersionNotInstalled {
        /// What the bundle would be for.
        subject: String,
        /// The version that was asked for.
        version: Version,
    },
    /// The bundle is not on trial.
    #[error("the bundle {digest} of {subject} is not on trial")]
    BundleNotOnTrial {
        /// What the bundle is for.
        subject: String,
        /// The bundle.
        digest: Digest,
    },
    /// Nothing tells where the user's data belongs.
    #[error("no folder for the user's data is known: set MOULT_DATA or HOME")]
    NoDataFolder,
    /// The right to write the user's data is no longer this process's.
    #[error("another process has taken over the right to write (`{path}`)")]
    RightLost {
        /// The file that stands for the right.
        path: PathBuf,
    },
    /// What another process sent is not the right to write.
    #[error("what was received is not the right to write (`{path}`)")]
    NotTheRight {
        /// The file that stands for the right.
        path: PathBuf,
    },
    /// `MOULT_LAUNCHER_FD` does not name a socket, or was taken before.
    #[error("`{value}` in MOULT_LAUNCHER_FD is not a connection to the launcher")]
    NotALink {
        /// The variable's value.
        value: String,
    },
    /// The connection between launcher and application could not be used.
    #[error("the connection between the launcher and the application failed")]
    Link {
        /// Why.
        source: io::Error,
    },
    /// The application could not be started.
    #[error("`{path}` could not be started")]
    Start {
        /// The executable.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The application's end could not be awaited.
    #[error("the application's end could not be awaited")]
    Wait {
        /// Why.
        source: io::Error,
    },
    /// Signals could not be received.
    #[error("signals could not be received")]
    Signals {
        /// Why.
        source: io::Error,
    },
    /// The socket for second launchers could not be used.
    #[error("the socket `{path}` could not be used")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another launcher runs, but does not answer.
    #[error("Moult runs already, but does not answer at `{path}`")]
    NoAnswer {
        /// The socket.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random {
        /// Why.
        source: io::Error,
    },
    /// No free port was found for the inspector.
    #[error("no free port was found for the inspector")]
    Port {
        /// Why.
        source: io::Error,
    },
    /// The packaged executable can't be used, so nothing is left to start.
    #[error("the packaged application `{path}` can't be used")]
    Base {
        /// The executable.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system did not take this process or its window for one of Moult.
    #[error("the system did not put this window among those of Moult")]
    Identity {
        /// Why.
        source: io::Error,
    },
    /// This system is not supported yet.
    #[error("{what} is not supported on this system")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
}

impl BootError {
    /// What kind of problem this is, in the vocabulary of the screen.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::DigestMismatch { .. } => ErrorCode::FileCorrupt,
            Self::SignatureRefused { .. } => ErrorCode::SignatureInvalid,
            Self::Durable(_) | Self::Read { .. } | Self::Remove { .. } | Self::Permissions { .. } => {
                if self.obstacle() == Obstacle::DiskFull {
                    ErrorCode::DiskFull
                } else {
                    ErrorCode::DiskFailed
                }
            }
            Self::Banned { .. } => ErrorCode::Crashed,
            _ => ErrorCode::Internal,
        }
    }

    /// What was in the way, for the person.
    pub(crate) fn obstacle(&self) -> Obstacle {
        if matches!(self, Self::Busy { .. }) {
            return Obstacle::Busy;
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return obstacle(error);
            }
            cause = error.source();
        }
        Obstacle::Other
    }
}

fn obstacle(error: &io::Error) -> Obstacle {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Obstacle::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Obstacle::NotWritable,
        _ if error.raw_os_error().is_some_and(platform::is_out_of_files) => Obstacle::TooManyFiles,
        _ => Obstacle::DiskFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        for (kind, code) in [
            (io::ErrorKind::StorageFull, ErrorCode::DiskFull),
            (io::ErrorKind::PermissionDenied, ErrorCode::DiskFailed),
        ] {
            let error = BootError::from(DurableError::Write {
                path: "state.a".into(),
                source: kind.into(),
            });
            assert_eq!(error.code(), code, "{kind}");
        }
    }
    #[test]
    fn what_was_in_the_way_is_told_by_the_systems_error() {
        let of = |source: io::Error| {
            let path = "state.a".into();
            BootError::from(DurableError::Write { path, source }).obstacle()
        };
        let table = [
            (io::ErrorKind::StorageFull, Obstacle::DiskFull),
            (io::ErrorKind::QuotaExceeded, Obstacle::DiskFull),
            (io::ErrorKind::PermissionDenied, Obstacle::NotWritable),
            (io::ErrorKind::ReadOnlyFilesystem, Obstacle::NotWritable),
            (io::ErrorKind::Other, Obstacle::DiskFailed),
        ];
        for (kind, obstacle) in table {
            assert_eq!(of(kind.into()), obstacle, "{kind}");
        }
        let codes = if cfg!(windows) { vec![4] } else { vec![23, 24] };
        for code in codes {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(of(error), Obstacle::TooManyFiles, "{code}");
        }
        let busy = BootError::Busy {
            path: "state.lock".into(),
            seconds: 10,
        };
        assert_eq!(
            (busy.obstacle(), BootError::NothingLeft.obstacle()),
            (Obstacle::Busy, Obstacle::Other)
        );
    }
}
