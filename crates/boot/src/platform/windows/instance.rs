//! The pipe on which a second launcher reaches the first. Refuses to know what is said.
//!
//! A pipe has its name from the path of the socket that other systems have there: the name is no file, so
//! nothing is left when its process ends, however it ends. Only this user can open it, and only from this
//! computer; a pipe of somebody else under the name is not talked to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
};

use super::security::{self, Descriptor};
use super::within::within;
use super::{access, checked, names, wide};
use crate::BootError;

/// How much of what was not yet read a pipe keeps, in bytes.
const ROOM: u32 = 64 * 1024;
/// How long to wait for the ends of an earlier launcher's pipe, which go right after its lock.
const OVERLAP: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections. Nobody can connect any more when the first of its clones is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    shared: Arc<Shared>,
    /// The one that ends it: a clone does not.
    is_first: bool,
}

#[derive(Debug)]
struct Shared {
    name: String,
    closed: AtomicBool,
    /// The end that the next connection gets. There is one at any time, else a launcher that comes
    /// between two would find nobody.
    next: Mutex<Option<OwnedHandle>>,
}

/// A connection. Reading and writing on it fail after a limit.
#[derive(Debug)]
pub(crate) struct Stream {
    pipe: File,
    limit: Duration,
}

/// Listens. The caller holds the lock that makes it the only one, so a pipe that is there is one that its
/// process is about to close, or a stranger's.
pub(crate) fn listen(path: &Path) -> Result<Listener, BootError> {
    let fail = |source| BootError::Socket {
        path: path.to_owned(),
        source,
    };
    let name = name(path).map_err(fail)?;
    let begin = Instant::now();
    let first = loop {
        match create(&name, true) {
            Err(error) if is(&error, ERROR_ACCESS_DENIED) && begin.elapsed() < OVERLAP => {
                std::thread::sleep(PAUSE);
            }
            outcome => break outcome.map_err(fail)?,
        }
    };
    Ok(Listener {
        shared: Arc::new(Shared {
            name,
            closed: AtomicBool::new(false),
            next: Mutex::new(Some(first)),
        }),
        is_first: true,
    })
}

impl Listener {
    /// Waits for the next connection; reading and writing on it fail after `limit`.
    pub(crate) fn accept(&self, limit: Duration) -> io::Result<Stream> {
        let shared = &*self.shared;
        // Held while it waits: two that accept take turns.
        let mut next = shared.next.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.closed.load(Ordering::SeqCst) {
            *next = None;
            return Err(io::ErrorKind::NotConnected.into());
        }
        let end = match next.take() {
            Some(end) => end,
            None => create(&shared.name, false)?,
        };
        let connected = await_connection(&end);
        if shared.closed.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        *next = create(&shared.name, false).ok();
        connected?;
        Ok(Stream {
            pipe: File::from(end),
            limit,
        })
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape is that of the other systems")]
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            shared: Arc::clone(&self.shared),
            is_first: false,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if !self.is_first {
            return;
        }
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes whoever waits for a connection, which then finds that it is closed.
        let _ = open(&self.shared.name);
        if let Ok(mut next) = self.shared.next.try_lock() {
            *next = None;
        }
    }
}

/// Connects to the first launcher; reading and writing fail after `limit`.
pub(crate) fn connect(path: &Path, limit: Duration) -> io::Result<Stream> {
    let name = name(path)?;
    let begin = Instant::now();
    let pipe = loop {
        match open(&name) {
            // All its ends are taken for a moment.
            Err(error) if is(&error, ERROR_PIPE_BUSY) && begin.elapsed() < limit => std::thread::sleep(PAUSE),
            outcome => break outcome?,
        }
    };
    if security::facts_of_pipe(&pipe)?.owner != security::user()? {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(Stream { pipe, limit })
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.pipe.try_clone()?;
        let mut room = vec![0; bytes.len()];
        let (count, room) = within(self.limit, move || Ok((pipe.read(&mut room)?, room)))?;
        bytes[..count].copy_from_slice(&room[..count]);
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.pipe.try_clone()?;
        let bytes = bytes.to_vec();
        within(self.limit, move || pipe.write(&bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The pipe that stands for a path. The folder exists, so it has one name, however it is written.
fn name(path: &Path) -> io::Result<String> {
    let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let path = std::fs::canonicalize(folder)?.join(file);
    Ok(names::pipe(&path.to_string_lossy()))
}

/// What opens the pipe lets its other side know who it is, and nothing more.
fn open(name: &str) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(name)
}

#[expect(unsafe_code, reason = "the standard library makes no pipes with a name")]
fn create(name: &str, is_first: bool) -> io::Result<OwnedHandle> {
    let description = Descriptor::of(&access::own_pipe(&security::user()?))?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: description.as_ptr(),
        bInheritHandle: 0,
    };
    let first = if is_first {
        FILE_FLAG_FIRST_PIPE_INSTANCE
    } else {
        0
    };
    let name = wide(name);
    // SAFETY: the name ends with a zero; name, attributes and description outlive the call.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | first,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES,
            ROOM,
            ROOM,
            0,
            &raw const attributes,
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above made it, and nobody else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

#[expect(
    unsafe_code,
    reason = "the standard library waits for no connection to a pipe"
)]
fn await_connection(end: &OwnedHandle) -> io::Result<()> {
    // SAFETY: the handle is borrowed for the call; it was not made for overlapped use, so none is given.
    match checked(unsafe { ConnectNamedPipe(end.as_raw_handle(), null_mut()) }) {
        Err(error) if is(&error, ERROR_PIPE_CONNECTED) => Ok(()),
        outcome => outcome,
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}
