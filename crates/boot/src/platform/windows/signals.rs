//! Being asked to end. Refuses to know what that leads to.
//!
//! A program with windows has no console, so nothing can be sent to it as to a program in one. Each
//! process of Moult has an event instead, named by its number, which its launcher sets. What comes from
//! a console or from the end of the session sets it too.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::null;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::{io, process};

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, INFINITE, OpenEventW, SetEvent, SetProcessShutdownParameters,
    WaitForSingleObject,
};

use super::super::Stop;
use super::{checked, names, wide};
use crate::BootError;

/// When this process ends with its session: after all applications, which have 0x280.
const LATE: u32 = 0x1F0;

/// The event of this process, for the console's thread.
static OWN: OnceLock<OwnedHandle> = OnceLock::new();
/// What the console said last, as a signal's number; 0 if nothing.
static FROM_CONSOLE: AtomicU8 = AtomicU8::new(0);

/// Calls `tell` on a thread of its own whenever this process is asked to end, for as long as it returns
/// true. Called once per process.
pub(crate) fn on_stop(mut tell: impl FnMut(Stop) -> bool + Send + 'static) -> Result<(), BootError> {
    let fail = |source| BootError::Signals { source };
    let event = create_event().map_err(fail)?;
    let of_console = event.try_clone().map_err(fail)?;
    OWN.set(of_console)
        .map_err(|_| fail(io::ErrorKind::AlreadyExists.into()))?;
    listen_to_console().map_err(fail)?;
    std::thread::spawn(move || {
        while await_event(&event) {
            let stop = match FROM_CONSOLE.swap(0, Ordering::SeqCst) {
                1 => Stop::HangUp,
                2 => Stop::Interrupt,
                _ => Stop::Terminate,
            };
            if !tell(stop) {
                return;
            }
        }
    });
    Ok(())
}

/// Asks a process of Moult to end. One that has not said that it listens hears nothing.
#[expect(unsafe_code, reason = "the standard library knows no events")]
pub(super) fn ask_to_end(process: u32) {
    let name = wide(names::stop_event(process));
    // SAFETY: the name ends with a zero and outlives the call.
    let handle = unsafe { OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()) };
    if handle.is_null() {
        return;
    }
    // SAFETY: the call above opened it, and nobody else owns it.
    let event = unsafe { OwnedHandle::from_raw_handle(handle) };
    set(&event);
}

#[expect(unsafe_code, reason = "the standard library knows no events")]
fn create_event() -> io::Result<OwnedHandle> {
    let name = wide(names::stop_event(process::id()));
    // SAFETY: the name ends with a zero and outlives the call. The event resets itself.
    let handle = unsafe { CreateEventW(null(), 0, 0, name.as_ptr()) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above made or opened it, and nobody else owns the handle.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

#[expect(unsafe_code, reason = "the standard library knows no events")]
fn await_event(event: &OwnedHandle) -> bool {
    // SAFETY: the handle is open for the call.
    unsafe { WaitForSingleObject(event.as_raw_handle(), INFINITE) == WAIT_OBJECT_0 }
}

#[expect(unsafe_code, reason = "the standard library knows no events")]
fn set(event: &OwnedHandle) {
    // SAFETY: the handle is open and may be set. Failing means that nobody waits any more.
    unsafe { SetEvent(event.as_raw_handle()) };
}

#[expect(unsafe_code, reason = "the standard library does not listen to a console")]
fn listen_to_console() -> io::Result<()> {
    // SAFETY: two numbers; the launcher outlives the applications of the session, and so sees how they end.
    // A system that refuses loses only that.
    let _ = unsafe { SetProcessShutdownParameters(LATE, 0) };
    // SAFETY: the function is there as long as the process is.
    checked(unsafe { SetConsoleCtrlHandler(Some(said), 1) })
}

/// Runs on a thread of the console's own, so it may do what any thread may.
#[expect(unsafe_code, reason = "the system calls it, and so says its shape")]
unsafe extern "system" fn said(what: u32) -> i32 {
    hear(what);
    // The system ends the process when this returns, where it ends it at all; the application needs a
    // moment to save. It waits five seconds at most.
    if what != CTRL_C_EVENT && what != CTRL_BREAK_EVENT {
        std::thread::sleep(std::time::Duration::from_secs(5));
    }
    1
}

fn hear(what: u32) {
    let stop = match what {
        CTRL_C_EVENT => Stop::Interrupt,
        CTRL_CLOSE_EVENT => Stop::HangUp,
        // Control and break, or the end of the session: for programs without windows.
        _ => Stop::Terminate,
    };
    FROM_CONSOLE.store(stop.number() as u8, Ordering::SeqCst);
    if let Some(event) = OWN.get() {
        set(event);
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_process_hears_that_it_is_to_end_by_its_number_and_from_its_console() {
        let (sender, heard) = channel();
        on_stop(move |stop| sender.send(stop).is_ok()).unwrap();
        ask_to_end(process::id());
        assert_eq!(heard.recv().unwrap(), Stop::Terminate);
        let table = [
            (CTRL_C_EVENT, Stop::Interrupt),
            (CTRL_BREAK_EVENT, Stop::Terminate),
            (CTRL_CLOSE_EVENT, Stop::HangUp),
        ];
        for (event, stop) in table {
            hear(event);
            assert_eq!(heard.recv().unwrap(), stop);
        }
        // Nobody listens under this number, and nothing happens.
        ask_to_end(0);
    }
}
