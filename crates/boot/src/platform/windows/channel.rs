//! The connection between launcher and application: two pipes, one for each direction. The only place
//! that takes a handle by its number.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle as _, FromRawHandle as _, OwnedHandle, RawHandle};
use std::sync::OnceLock;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};

use super::within::within;
use super::{checked, names};
use crate::BootError;

/// One end of the connection between launcher and application.
#[derive(Debug)]
pub(crate) struct Channel {
    reader: PipeReader,
    /// `None` once a write was given up in its middle: what follows would be read as its end.
    writer: Option<PipeWriter>,
    limit: OnceLock<Duration>,
}

/// The application's end, until the application has it.
#[derive(Debug)]
pub(crate) struct Inherited {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Channel {
    fn new(reader: PipeReader, writer: PipeWriter) -> Self {
        Self {
            reader,
            writer: Some(writer),
            limit: OnceLock::new(),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            reader: self.reader.try_clone()?,
            writer: self.writer.as_ref().map(PipeWriter::try_clone).transpose()?,
            limit: self.limit.clone(),
        })
    }

    /// How long a write may take before it fails. Set once.
    pub(crate) fn set_write_limit(&self, limit: Duration) -> io::Result<()> {
        self.limit
            .set(limit)
            .map_err(|_| io::ErrorKind::AlreadyExists.into())
    }
}

impl Read for Channel {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.reader.read(bytes)
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let writer = self.writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let Some(limit) = self.limit.get().copied() else {
            return writer.write(bytes);
        };
        let mut of_thread = writer.try_clone()?;
        let bytes = bytes.to_vec();
        let written = within(limit, move || of_thread.write(&bytes));
        if matches!(&written, Err(error) if error.kind() == io::ErrorKind::TimedOut) {
            self.writer = None;
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inherited {
    /// What the application is told: the numbers of the handles.
    pub(crate) fn name(&self) -> String {
        let number = |handle: RawHandle| handle.addr();
        names::ends(
            number(self.reader.as_raw_handle()),
            number(self.writer.as_raw_handle()),
        )
    }
}

/// A connection. The second end is inherited by whatever is started before it is dropped.
pub(crate) fn pair() -> io::Result<(Channel, Inherited)> {
    let (reader, their_writer) = io::pipe()?;
    let (their_reader, writer) = io::pipe()?;
    set_inherited(&their_reader, true)?;
    set_inherited(&their_writer, true)?;
    let inherited = Inherited {
        reader: their_reader,
        writer: their_writer,
    };
    Ok((Channel::new(reader, writer), inherited))
}

/// Takes the inherited end by its name, once; from then on no child of this process inherits it.
///
/// The caller makes sure that it is called once per process.
pub(crate) fn take_inherited(name: &str) -> Result<Channel, BootError> {
    let refuse = || BootError::NotALink {
        value: name.to_owned(),
    };
    let (reading, writing) = names::of_ends(name).ok_or_else(refuse)?;
    if !is_pipe(reading) || !is_pipe(writing) {
        return Err(refuse());
    }
    let (reading, writing) = (own(reading), own(writing));
    let fail = |source| BootError::Link { source };
    set_inherited(&reading, false).map_err(fail)?;
    set_inherited(&writing, false).map_err(fail)?;
    Ok(Channel::new(PipeReader::from(reading), PipeWriter::from(writing)))
}

/// Does nothing: here a child gets only the handles that its starter made inheritable, and the standard
/// library makes none so.
pub(crate) fn close_others_at_start() {}

#[expect(
    unsafe_code,
    reason = "the standard library can't change whether a handle is inherited"
)]
fn set_inherited(handle: &impl AsHandle, inherited: bool) -> io::Result<()> {
    let flags = if inherited { HANDLE_FLAG_INHERIT } else { 0 };
    // SAFETY: the handle is open, since it is borrowed for the call; the call changes a flag of it.
    checked(unsafe { SetHandleInformation(handle.as_handle().as_raw_handle(), HANDLE_FLAG_INHERIT, flags) })
}

#[expect(
    unsafe_code,
    reason = "a handle that was inherited is known by its number only"
)]
fn is_pipe(number: usize) -> bool {
    let handle: RawHandle = std::ptr::without_provenance_mut(number);
    // SAFETY: asking for the kind of a handle touches no memory; one that is not open gives an error.
    unsafe { GetFileType(handle) == FILE_TYPE_PIPE }
}

/// Owns a handle that was inherited.
#[expect(
    unsafe_code,
    reason = "the standard library takes an inherited handle only so"
)]
fn own(number: usize) -> OwnedHandle {
    // SAFETY: the launcher left this handle open for this process and told its number; it is an open pipe
    // (checked by the caller), and `Link` takes it once per process, so nobody else owns it.
    unsafe { OwnedHandle::from_raw_handle(std::ptr::without_provenance_mut(number)) }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn only_inherited_pipes_are_taken() {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let number = file.as_raw_handle().addr();
        for name in [
            "",
            "x",
            "4:8",
            "ffffff0:ffffff4",
            &names::ends(number, number + 4),
        ] {
            assert!(
                matches!(take_inherited(name), Err(BootError::NotALink { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_written_at_one_end_is_read_at_the_other_and_a_full_pipe_has_a_limit() {
        let (mut own, inherited) = pair().unwrap();
        let mut theirs = take_inherited(&inherited.name()).unwrap();
        // The handles have another owner now.
        std::mem::forget(inherited);
        own.write_all(b"down").unwrap();
        theirs.write_all(b"up").unwrap();
        let mut bytes = [0; 4];
        theirs.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"down");
        own.read_exact(&mut bytes[..2]).unwrap();
        assert_eq!(&bytes[..2], b"up");

        own.set_write_limit(Duration::from_millis(50)).unwrap();
        let error = loop {
            if let Err(error) = own.write_all(&[0; 8192]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let after = own.write_all(b"more").unwrap_err();
        assert_eq!(
            after.kind(),
            io::ErrorKind::BrokenPipe,
            "nothing follows half a message"
        );
    }
}
