//! What differs between systems: permissions, inherited connections, processes, signals, the socket.
//!
//! Both sides have the same names. Nothing here knows what it is used for.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

// Its tables are pure, and are tested on each system.
#[cfg(any(windows, test))]
#[cfg_attr(
    not(windows),
    expect(
        dead_code,
        reason = "only the tables of the other system are used here, by their tests"
    )
)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::*;

use std::ffi::OsString;
use std::path::Path;

/// What to start, and how.
pub(crate) struct Order<'a> {
    /// The file.
    pub(crate) executable: &'a Path,
    /// The name that the process bears: what its windows are grouped by.
    #[cfg_attr(windows, expect(dead_code, reason = "it joins its group by itself there"))]
    pub(crate) name: &'a str,
    /// Its arguments, without its name.
    pub(crate) arguments: &'a [OsString],
    /// Variables that are set besides those of this process.
    pub(crate) variables: &'a [(&'a str, OsString)],
    /// Variables of this process that it gets changed, or not at all.
    pub(crate) changes: &'a [(OsString, Option<OsString>)],
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this code.
    Code(i32),
    /// By a signal with this number.
    Signal(i32),
}

impl End {
    /// The code that a shell would report.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => 128 + number,
        }
    }
}

/// Why a file could not be started.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The system does not allow it.
    Forbidden(std::io::Error),
    /// The file is missing, or nothing that the system can run.
    Unfit(std::io::Error),
    /// The system is short of something. It says nothing about the file.
    Trouble(std::io::Error),
}

impl Fault {
    pub(crate) fn into_source(self) -> std::io::Error {
        match self {
            Self::Forbidden(source) | Self::Unfit(source) | Self::Trouble(source) => source,
        }
    }
}

/// Whether there is a screen to show something on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    all(not(unix), not(test)),
    expect(dead_code, reason = "such a system always has one")
)]
pub(crate) enum Screen {
    /// It answers, or this system always has one.
    There,
    /// It was told where the screen is, and nothing is there.
    Gone,
    /// Nothing tells where a screen would be.
    NotTold,
}

/// Whether there is a screen.
#[cfg(not(unix))]
pub(crate) fn screen() -> Screen {
    Screen::There
}

/// Succeeds: here the system itself looks at signatures when it starts a program, as its user has set it.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the shape is that of the other systems")]
pub(crate) fn check_signature(_file: &Path) -> Result<(), crate::BootError> {
    Ok(())
}

/// A wish of the system or the user that the application end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Interrupted from the keyboard.
    Interrupt,
    /// Its terminal or session has gone.
    HangUp,
    /// Asked to end.
    Terminate,
}

impl Stop {
    /// The code that a shell would report for a process that ended so.
    pub(crate) fn code(self) -> i32 {
        128 + self.number()
    }

    /// The signal's number, the same on each Unix.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// Whether a signal of this number asks for an end rather than reports a fault.
    pub(crate) fn is_stop(number: i32) -> bool {
        [Self::HangUp, Self::Interrupt, Self::Terminate]
            .iter()
            .any(|stop| stop.number() == number)
    }
}
