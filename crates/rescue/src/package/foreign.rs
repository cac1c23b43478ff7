//! Opens a file that somebody else chose, to read it. Refuses to change anything.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::PackageError;

/// Opens a file that belongs to the caller: no link, no device that would keep this waiting, and no file
/// that they could not read themselves.
pub(super) fn open(path: &Path, caller: u32, max_bytes: u64) -> Result<File, PackageError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|_| PackageError::Refused)?;
    let file = File::from(opened);
    let data = file.metadata().map_err(|_| PackageError::Refused)?;
    if data.is_file() && data.uid() == caller && data.len() <= max_bytes {
        Ok(file)
    } else {
        Err(PackageError::Refused)
    }
}
