//! Ends a process together with everything that it started.
//!
//! A job does not end its processes when its last handle closes: an application whose launcher was killed
//! is told so by its connection, and saves what it has; and what it opened for its user, a browser say,
//! is not Moult's to end.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::null;

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{OpenThread, ResumeThread, THREAD_SUSPEND_RESUME};

use super::checked;

/// The code of a process that was ended so. Nobody looks at it: who ends a job knows why.
const ENDED: u32 = 1;

/// A group of processes: one and what it starts, at any depth.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

impl Job {
    /// A job with one process in it, which has not run yet.
    #[expect(unsafe_code, reason = "the standard library knows no jobs")]
    pub(super) fn with(process: &impl AsHandle) -> io::Result<Self> {
        // SAFETY: a job without attributes and name.
        let handle = unsafe { CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above made it, and nobody else owns it.
        let job = unsafe { OwnedHandle::from_raw_handle(handle) };
        // SAFETY: both handles are open for the call.
        checked(unsafe {
            AssignProcessToJobObject(job.as_raw_handle(), process.as_handle().as_raw_handle())
        })?;
        Ok(Self(job))
    }

    /// Ends all its processes, at once.
    #[expect(unsafe_code, reason = "the standard library knows no jobs")]
    pub(super) fn end(&self) {
        // SAFETY: the handle is open. A job whose processes have ended is no error.
        unsafe { TerminateJobObject(self.0.as_raw_handle(), ENDED) };
    }
}

/// Lets a process run that was made without running.
#[expect(
    unsafe_code,
    reason = "the standard library keeps no handle of a child's first thread"
)]
pub(super) fn resume(process: u32) -> io::Result<()> {
    // SAFETY: a list of threads takes no number of a process.
    let handle = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above made it, and nobody else owns it.
    let list = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut entry = THREADENTRY32 {
        dwSize: size_of::<THREADENTRY32>() as u32,
        ..THREADENTRY32::default()
    };
    let mut resumed = false;
    // SAFETY: the entry says its own size, and the list is open.
    let mut more = unsafe { Thread32First(list.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        if entry.th32OwnerProcessID == process {
            resume_thread(entry.th32ThreadID)?;
            resumed = true;
        }
        // SAFETY: as above.
        more = unsafe { Thread32Next(list.as_raw_handle(), &raw mut entry) };
    }
    if resumed {
        Ok(())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[expect(unsafe_code, reason = "the standard library resumes no threads")]
fn resume_thread(thread: u32) -> io::Result<()> {
    // SAFETY: opening a thread by its number touches no memory.
    let handle = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, thread) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above opened it, and nobody else owns it.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the handle is open and allows it.
    if unsafe { ResumeThread(handle.as_raw_handle()) } == u32::MAX {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
