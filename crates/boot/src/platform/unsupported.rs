//! The side for systems without process groups, inherited sockets and file modes.
//!
//! Here the store works, but nothing that is installed is used and nothing is started: each such request
//! is refused. A side for Windows (job objects, a named pipe, access control lists) takes this one's place.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::{End, Fault, Order, Stop};
use crate::BootError;

/// There is no connection here.
#[derive(Debug)]
pub(crate) enum Channel {}

/// There is no inherited end here.
#[derive(Debug)]
pub(crate) enum Inherited {}

/// There is no application here.
#[derive(Debug)]
pub(crate) enum Application {}

/// There is no socket here.
#[derive(Debug)]
pub(crate) enum Listener {}

impl Channel {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match *self {}
    }

    pub(crate) fn set_write_limit(&self, _limit: Duration) -> io::Result<()> {
        match *self {}
    }
}

impl Read for Channel {
    fn read(&mut self, _bytes: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for Channel {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl Inherited {
    pub(crate) fn name(&self) -> String {
        match *self {}
    }
}

impl Application {
    pub(crate) fn id(&self) -> u32 {
        match *self {}
    }

    pub(crate) fn awaiter(&self) -> impl FnOnce() -> io::Result<()> + Send + 'static {
        // The type is needed though the code can't be reached.
        move || Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn stop(&self, _stop: Stop) {
        match *self {}
    }

    pub(crate) fn kill_group(&self) {
        match *self {}
    }

    pub(crate) fn reap(self) -> Result<End, BootError> {
        match self {}
    }
}

impl Listener {
    pub(crate) fn accept(&self, _limit: Duration) -> io::Result<Channel> {
        match *self {}
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match *self {}
    }
}

pub(crate) fn pair() -> io::Result<(Channel, Inherited)> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn take_inherited(_name: &str) -> Result<Channel, BootError> {
    Err(BootError::Unsupported {
        what: "a connection to the launcher",
    })
}

/// Nothing is inherited here unless a program asks for it.
pub(crate) fn close_others_at_start() {}

pub(crate) fn spawn(_order: &Order<'_>) -> Result<Application, Fault> {
    Err(Fault::Trouble(io::ErrorKind::Unsupported.into()))
}

pub(crate) fn on_stop(_tell: impl FnMut(Stop) -> bool + Send + 'static) -> Result<(), BootError> {
    Err(BootError::Unsupported {
        what: "receiving signals",
    })
}

pub(crate) fn listen(_path: &Path) -> Result<Listener, BootError> {
    Err(BootError::Unsupported {
        what: "a single instance",
    })
}

pub(crate) fn connect(_path: &Path, _limit: Duration) -> io::Result<Channel> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn random() -> Result<[u8; 16], BootError> {
    Err(BootError::Unsupported {
        what: "a start token",
    })
}

/// A user's own folder is private here unless somebody changed that.
pub(crate) fn make_private(_folder: &Path) -> Result<(), BootError> {
    Ok(())
}

/// What is a program is told by its name here.
pub(crate) fn make_executable(_file: &Path) -> Result<(), BootError> {
    Ok(())
}

pub(crate) fn check_own_file(_file: &Path) -> Result<(), BootError> {
    Err(BootError::Unsupported {
        what: "checking who may write a file",
    })
}

pub(crate) fn check_own_folder(_folder: &Path) -> Result<(), BootError> {
    Err(BootError::Unsupported {
        what: "checking who may write a folder",
    })
}
