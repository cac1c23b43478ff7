//! Starting, ending and awaiting the application. Refuses to know why.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use super::super::{End, Fault, Order, Stop};
use crate::BootError;

/// The application: a child process that leads a process group of its own.
#[derive(Debug)]
pub(crate) struct Application {
    child: Child,
    pid: Pid,
}

/// Starts an application.
pub(crate) fn spawn(order: &Order<'_>) -> Result<Application, Fault> {
    let mut command = Command::new(order.executable);
    for (name, value) in order.changes {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .arg0(order.name)
        .args(order.arguments)
        .envs(order.variables.iter().map(|(name, value)| (name, value)))
        // A process group in the background is stopped when it reads from the terminal.
        .stdin(Stdio::null())
        .process_group(0);
    let mut patience = 20;
    loop {
        match command.spawn() {
            Ok(child) => {
                let pid = Pid::from_child(&child);
                return Ok(Application { child, pid });
            }
            // Somebody who was just started still has the file open from before its own start.
            Err(error) if is(&error, Errno::TXTBSY) && patience > 0 => {
                patience -= 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(fault(error)),
        }
    }
}

impl Application {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Something that waits for the end on another thread. It leaves the process's number and group
    /// taken until [`reap`](Self::reap), so that no signal can reach a stranger.
    pub(crate) fn awaiter(&self) -> impl FnOnce() -> io::Result<()> + Send + 'static {
        let pid = self.pid;
        move || loop {
            match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Passes a wish to end on to the application. One that has ended is no error.
    pub(crate) fn stop(&self, stop: Stop) {
        let signal = match stop {
            Stop::Interrupt => Signal::INT,
            Stop::HangUp => Signal::HUP,
            Stop::Terminate => Signal::TERM,
        };
        let _ = kill_process(self.pid, signal);
    }

    /// Ends the application and everything in its group, at once.
    pub(crate) fn kill_group(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// How it ended. Called when the awaiter has returned.
    pub(crate) fn reap(mut self) -> Result<End, BootError> {
        let status = self.child.wait().map_err(|source| BootError::Wait { source })?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => End::Code(code),
            (None, Some(number)) => End::Signal(number),
            (None, None) => End::Code(status.into_raw()),
        })
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn fault(error: io::Error) -> Fault {
    let any = |errnos: &[Errno]| errnos.iter().any(|errno| is(&error, *errno));
    if any(&[Errno::ACCESS, Errno::PERM]) {
        Fault::Forbidden(error)
    } else if any(&[
        Errno::NOENT,
        Errno::NOTDIR,
        Errno::NOEXEC,
        Errno::ISDIR,
        Errno::INVAL,
        Errno::LOOP,
    ]) {
        Fault::Unfit(error)
    } else {
        Fault::Trouble(error)
    }
}
