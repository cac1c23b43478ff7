//! Applying a patch of any format: each byte of the new file is written once, in order, and hashed
//! on the way.
//!
//! The patch may come from anybody. Nothing is allocated, read or written by a number of the patch
//! before that number was checked. Refuses to know who signed what.

use std::io::{self, BufReader, Read, Seek, Write};

use crate::{ApplyError, Identity, format1, format2, preamble};

const BUFFER_BYTES: usize = 64 * 1024;

/// What the caller allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The exact size of the new file, in bytes, from a source that is trusted.
    pub output_bytes: u64,
    /// The most bytes that are read of the patch.
    pub patch_bytes: u64,
}

impl Limits {
    /// Allows a new file of exactly `output_bytes`, and a patch of at most that and 1 MiB: a larger
    /// one is worth nothing, since the new file itself could be sent.
    pub const fn exactly(output_bytes: u64) -> Self {
        Self {
            output_bytes,
            patch_bytes: output_bytes.saturating_add(1024 * 1024),
        }
    }
}

/// A new file that was written and that is the one the patch announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// What a patch says of itself. Nothing of it is true until the patch was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The number of its format.
    pub format: u16,
    /// The file that it starts from.
    pub old: Identity,
    /// The file that it leads to.
    pub new: Identity,
}

/// Reads a patch's header and no more.
pub fn inspect(mut patch: impl Read) -> Result<Header, ApplyError> {
    let format = preamble::read(&mut patch)?;
    let (old, new) = match format {
        format1::FORMAT => {
            let header = format1::Header::read_rest(&mut patch)?;
            (header.old, header.new)
        }
        format2::FORMAT => {
            let header = format2::Header::read_rest(&mut patch)?;
            (header.old, header.new)
        }
        other => return Err(ApplyError::Format(other)),
    };
    Ok(Header { format, old, new })
}

/// Writes the new file that a patch makes of the old one.
///
/// The old file is read once from its beginning, wherever it stands: the wrong one is
/// [`ApplyError::WrongBase`] before anything is written. The result is compared with the header at
/// the end. On any error what was written is worthless, and applying may begin anew. `Ok` means that
/// the result is what the *patch* announces; compare its hash with what is trusted.
///
/// Needs at most 20 MiB of memory for a patch of format 2, and 30 MiB for one of format 1, whatever the
/// patch says and however large the files are.
pub fn apply(
    old: &mut (impl Read + Seek),
    patch: impl Read,
    out: &mut impl Write,
    limits: Limits,
) -> Result<Applied, ApplyError> {
    let limited = Limited {
        patch,
        left: limits.patch_bytes,
        failed: None,
    };
    let mut patch = BufReader::with_capacity(BUFFER_BYTES, limited);
    let applied = preamble::read(&mut patch).and_then(|format| match format {
        format1::FORMAT => format1::apply(old, &mut patch, out, limits.output_bytes),
        format2::FORMAT => format2::apply(old, &mut patch, out, limits.output_bytes),
        other => Err(ApplyError::Format(other)),
    });
    applied.map_err(|error| match (patch.get_ref().failed, error) {
        (Some(Failed::TooLong), _) => ApplyError::TooLong(limits.patch_bytes),
        (Some(Failed::Reader), ApplyError::Compression(source)) => ApplyError::Patch(source),
        (_, error) => error,
    })
}

/// A reader that fails after so many bytes, and remembers why it failed: its errors pass through
/// the decompressor, which has errors of its own.
struct Limited<R> {
    patch: R,
    left: u64,
    failed: Option<Failed>,
}

#[derive(Clone, Copy)]
enum Failed {
    TooLong,
    Reader,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An interruption is not passed on: not every reader above would try again.
        let read = loop {
            match self.patch.read(buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(Failed::Reader);
                    return Err(error);
                }
            }
        };
        if let Some(left) = self.left.checked_sub(read as u64) {
            self.left = left;
            Ok(read)
        } else {
            self.failed = Some(Failed::TooLong);
            Err(io::Error::other("the patch is longer than allowed"))
        }
    }
}
