//! What applying a patch of any format checks of the files around it: the length that was asked for,
//! the old file, the end of the patch, and the new file.
//!
//! Refuses to know what stands between a patch's header and its end.

use std::io::{self, Read, Seek, Write};

use sha2::{Digest as _, Sha256};

use crate::{Applied, ApplyError, Checksum, Identity};

const BUFFER_BYTES: usize = 64 * 1024;

/// Checks that a patch leads to a file of the length that was asked for, in bytes.
pub(crate) fn check_length(new: Identity, output_bytes: u64) -> Result<(), ApplyError> {
    if new.bytes == output_bytes {
        Ok(())
    } else {
        Err(ApplyError::OutputLength {
            announced: new.bytes,
            expected: output_bytes,
        })
    }
}

/// Reads the old file once, to know that it is the right one before anything is written.
pub(crate) fn check_base(old: &mut (impl Read + Seek), expected: Identity) -> Result<(), ApplyError> {
    let found_bytes = old.seek(io::SeekFrom::End(0)).map_err(ApplyError::Old)?;
    let wrong = ApplyError::WrongBase {
        expected,
        found_bytes,
    };
    if found_bytes != expected.bytes {
        return Err(wrong);
    }
    old.rewind().map_err(ApplyError::Old)?;
    let mut sum = Sum::like(expected.checksum);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match old.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => sum.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ApplyError::Old(error)),
        }
    }
    if sum.finish() == expected.checksum {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// Checks that nothing follows in the patch.
pub(crate) fn check_end(patch: &mut impl Read) -> Result<(), ApplyError> {
    match patch.read_exact(&mut [0]) {
        Ok(()) => Err(ApplyError::Trailing),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(ApplyError::Patch(error)),
    }
}

/// The checksum of some bytes, as far as they are known.
enum Sum {
    Sha256(Sha256),
    Crc32(crc32fast::Hasher),
}

impl Sum {
    /// Of no bytes, of the same kind as `checksum`.
    fn like(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Sha256(_) => Self::Sha256(Sha256::new()),
            Checksum::Crc32(_) => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Crc32(sum) => sum.update(bytes),
        }
    }

    fn finish(self) -> Checksum {
        match self {
            Self::Sha256(sum) => Checksum::Sha256(sum.finalize().into()),
            Self::Crc32(sum) => Checksum::Crc32(sum.finalize()),
        }
    }
}

/// The new file: counts and hashes what is written to it.
pub(crate) struct Output<W> {
    out: W,
    expected: Identity,
    bytes: u64,
    sha256: Sha256,
    /// Of a format whose checksum is no SHA-256.
    other: Option<Sum>,
}

impl<W: Write> Output<W> {
    /// A file that should become what `expected` says.
    pub(crate) fn new(out: W, expected: Identity) -> Self {
        let other = match expected.checksum {
            Checksum::Sha256(_) => None,
            Checksum::Crc32(_) => Some(Sum::like(expected.checksum)),
        };
        Self {
            out,
            expected,
            bytes: 0,
            sha256: Sha256::new(),
            other,
        }
    }

    /// How many bytes are still missing.
    pub(crate) fn missing(&self) -> u64 {
        self.expected.bytes.saturating_sub(self.bytes)
    }

    /// Checks that what was written is what was expected.
    pub(crate) fn finish(mut self) -> Result<Applied, ApplyError> {
        let sha256 = self.sha256.finalize().into();
        let found = Identity {
            bytes: self.bytes,
            checksum: self.other.map_or(Checksum::Sha256(sha256), Sum::finish),
        };
        if found != self.expected {
            return Err(ApplyError::WrongResult {
                expected: self.expected,
                found,
            });
        }
        self.out.flush().map_err(ApplyError::New)?;
        Ok(Applied {
            bytes: found.bytes,
            sha256,
        })
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        let bytes = &bytes[..written];
        self.sha256.update(bytes);
        if let Some(sum) = &mut self.other {
            sum.update(bytes);
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
