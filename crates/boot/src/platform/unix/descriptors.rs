//! Descriptors that cross the start of another program. The only place that takes one by its number.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::io::FdFlags;

use crate::BootError;

/// One end of the connection between launcher and application.
#[derive(Debug)]
pub(crate) struct Channel(UnixStream);

/// The application's end, until the application has it.
#[derive(Debug)]
pub(crate) struct Inherited(OwnedFd);

impl Channel {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// How long a write may take before it fails.
    pub(crate) fn set_write_limit(&self, limit: Duration) -> io::Result<()> {
        self.0.set_write_timeout(Some(limit))
    }
}

impl Read for Channel {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inherited {
    /// What the application is told: the number of the descriptor.
    pub(crate) fn name(&self) -> String {
        self.0.as_raw_fd().to_string()
    }
}

/// A connection. The second end is inherited by whatever is started before it is dropped.
pub(crate) fn pair() -> io::Result<(Channel, Inherited)> {
    let (own, other) = UnixStream::pair()?;
    let other = OwnedFd::from(other);
    rustix::io::fcntl_setfd(&other, FdFlags::empty())?;
    Ok((Channel(own), Inherited(other)))
}

/// Takes the inherited end by its name, once; from then on no child of this process inherits it.
///
/// The caller makes sure that it is called once per process.
pub(crate) fn take_inherited(name: &str) -> Result<Channel, BootError> {
    let refuse = || BootError::NotALink {
        value: name.to_owned(),
    };
    // 0, 1 and 2 are the standard streams, which others use.
    let number: RawFd = name
        .parse()
        .ok()
        .filter(|number| *number > 2)
        .ok_or_else(refuse)?;
    if !is_open_socket(number) {
        return Err(refuse());
    }
    let descriptor = own(number);
    rustix::io::fcntl_setfd(&descriptor, FdFlags::CLOEXEC)
        .map_err(|errno| BootError::Link { source: errno.into() })?;
    Ok(Channel(UnixStream::from(descriptor)))
}

/// Makes sure that nothing this process has open, beside the standard streams, is open in what it starts.
/// Called once, before anything is opened. What can't be listed stays as it is.
pub(crate) fn close_others_at_start() {
    let Ok(entries) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let numbers: Vec<RawFd> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The descriptor that listed the folder is closed by now; setting its flag fails, and may.
        let _ = borrow(number).map(|descriptor| rustix::io::fcntl_setfd(descriptor, FdFlags::CLOEXEC));
    }
}

fn is_open_socket(number: RawFd) -> bool {
    borrow(number)
        .and_then(|descriptor| rustix::fs::fstat(descriptor).ok())
        .is_some_and(|data| rustix::fs::FileType::from_raw_mode(data.st_mode) == rustix::fs::FileType::Socket)
}

/// Borrows a descriptor by its number, if the system says that it is open.
#[expect(
    unsafe_code,
    reason = "the standard library takes a descriptor by its number only so"
)]
fn borrow<'a>(number: RawFd) -> Option<BorrowedFd<'a>> {
    let path = format!("/dev/fd/{number}");
    std::fs::symlink_metadata(path).ok()?;
    // SAFETY: the number is at least 3 and was open a moment ago, and the borrow is used at once for one
    // system call. Were it closed in between, that call fails or reads the flags of another descriptor;
    // nothing is closed and no memory is touched.
    Some(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Owns a descriptor that was inherited.
#[expect(
    unsafe_code,
    reason = "the standard library takes an inherited descriptor only so"
)]
fn own(number: RawFd) -> OwnedFd {
    // SAFETY: the launcher left this descriptor open for this process and told its number; it is an open
    // socket (checked by the caller), and `Link` takes it once per process, so nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn only_an_inherited_socket_is_taken() {
        let file = std::fs::File::open("/dev/null").unwrap();
        for name in ["", "x", "-1", "0", "2", "987654", &file.as_raw_fd().to_string()] {
            assert!(
                matches!(take_inherited(name), Err(BootError::NotALink { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn the_inherited_end_stays_open_at_a_start_and_the_own_one_does_not() {
        let (own, inherited) = pair().unwrap();
        assert_eq!(rustix::io::fcntl_getfd(&own.0).unwrap(), FdFlags::CLOEXEC);
        assert_eq!(rustix::io::fcntl_getfd(&inherited.0).unwrap(), FdFlags::empty());
        let taken = take_inherited(&inherited.name()).unwrap();
        // The descriptor has another owner now.
        std::mem::forget(inherited);
        assert_eq!(
            rustix::io::fcntl_getfd(&taken.0).unwrap(),
            FdFlags::CLOEXEC,
            "no child inherits it"
        );
    }
}
