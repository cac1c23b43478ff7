//! Starting, ending and awaiting the application. Refuses to know why.

use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _};
use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_SUSPENDED, INFINITE, WaitForSingleObject,
};

use super::super::{End, Fault, Order, Stop};
use super::faults::{self, Kind};
use super::job::{self, Job};
use super::signals;
use crate::BootError;

/// The first pause before another try at a file that somebody holds. Each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);
/// How often it is tried: for about six seconds.
const TRIES: u32 = 7;

/// The application: a child process, in a job of its own.
#[derive(Debug)]
pub(crate) struct Application {
    child: Child,
    /// `None` where the system refused one: then only the process itself can be ended.
    job: Option<Job>,
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
        .args(order.arguments)
        .envs(order.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        // It runs when it is in its job, so that nothing that it starts is outside.
        .creation_flags(CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP);
    let mut pause = PAUSE;
    for left in (0..TRIES).rev() {
        let error = match command.spawn() {
            Ok(child) => return admit(child).map_err(Fault::Trouble),
            Err(error) => error,
        };
        match faults::classify(error.raw_os_error()) {
            Kind::Held if left > 0 => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            Kind::Forbidden => return Err(Fault::Forbidden(error)),
            Kind::Unfit => return Err(Fault::Unfit(error)),
            Kind::Held | Kind::Trouble => return Err(Fault::Trouble(error)),
        }
    }
    Err(Fault::Trouble(io::ErrorKind::ResourceBusy.into()))
}

/// Puts a process that was made into a job, and lets it run.
fn admit(mut child: Child) -> io::Result<Application> {
    let job = Job::with(&child).ok();
    if let Err(error) = job::resume(child.id()) {
        // It has not run, so nothing is lost.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(Application { child, job })
}

impl Application {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Something that waits for the end on another thread. The process's number stays taken until
    /// [`reap`](Self::reap).
    pub(crate) fn awaiter(&self) -> impl FnOnce() -> io::Result<()> + Send + 'static {
        let process = self.child.as_handle().try_clone_to_owned();
        move || await_end(process?.as_raw_handle())
    }

    /// Passes a wish to end on to the application. One that has ended, or does not listen, is no error.
    pub(crate) fn stop(&self, _stop: Stop) {
        signals::ask_to_end(self.child.id());
    }

    /// Ends the application and everything that it started, at once.
    pub(crate) fn kill_group(&self) {
        match &self.job {
            Some(job) => job.end(),
            None => end(self.child.as_raw_handle()),
        }
    }

    /// How it ended. Called when the awaiter has returned.
    pub(crate) fn reap(mut self) -> Result<End, BootError> {
        let status = self.child.wait().map_err(|source| BootError::Wait { source })?;
        Ok(status
            .code()
            .map_or(End::Code(1), |code| End::of_status(code.cast_unsigned())))
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library waits for a child by a handle that can't be shared"
)]
fn await_end(process: std::os::windows::io::RawHandle) -> io::Result<()> {
    // SAFETY: the caller owns the handle and keeps it open for the call.
    if unsafe { WaitForSingleObject(process, INFINITE) } == WAIT_OBJECT_0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library ends a child by a handle that can't be shared"
)]
fn end(process: std::os::windows::io::RawHandle) {
    // SAFETY: the caller owns the handle and keeps it open for the call; a process that has ended is no error.
    unsafe { windows_sys::Win32::System::Threading::TerminateProcess(process, 1) };
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;

    fn order<'a>(executable: &'a Path, arguments: &'a [OsString]) -> Order<'a> {
        Order {
            executable,
            name: "Moult",
            arguments,
            variables: &[],
            changes: &[],
        }
    }

    #[test]
    fn a_process_ends_by_its_code_and_by_being_ended() {
        let shell = Path::new(r"C:\windows\system32\cmd.exe");
        let ends: [OsString; 2] = ["/c".into(), "exit 7".into()];
        let application = spawn(&order(shell, &ends)).unwrap();
        application.awaiter()().unwrap();
        assert_eq!(application.reap().unwrap(), End::Code(7));

        let stays: [OsString; 2] = ["/c".into(), "pause".into()];
        let application = spawn(&order(shell, &stays)).unwrap();
        assert!(application.job.is_some(), "it is in a job");
        application.kill_group();
        application.awaiter()().unwrap();
        assert_eq!(application.reap().unwrap(), End::Code(1));
    }

    #[test]
    fn what_is_no_program_is_unfit() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.exe");
        assert!(matches!(spawn(&order(&missing, &[])), Err(Fault::Unfit(_))));
        let text = folder.path().join("text.exe");
        std::fs::write(&text, "not a program").unwrap();
        let fault = spawn(&order(&text, &[])).map(drop);
        assert!(matches!(fault, Err(Fault::Unfit(_))), "{fault:?}");
    }
}
