//! A patch's first 92 bytes: which file it starts from and which it leads to. Refuses to know the body.

use std::fmt;
use std::io::{self, Read};

use crate::{ApplyError, FORMAT};

const MAGIC: &[u8; 8] = b"MOULTPCH";

/// The size of a header, in bytes.
pub(crate) const HEADER_BYTES: usize = 92;

/// What a patch says of itself. Nothing of it is true until the patch was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The file that it starts from.
    pub old: Identity,
    /// The file that it leads to.
    pub new: Identity,
}

/// A file by its length and its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes with SHA-256 ", self.bytes)?;
        self.sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        // 10..12 are the flags: none is defined.
        bytes[12..20].copy_from_slice(&self.old.bytes.to_le_bytes());
        bytes[20..52].copy_from_slice(&self.old.sha256);
        bytes[52..60].copy_from_slice(&self.new.bytes.to_le_bytes());
        bytes[60..].copy_from_slice(&self.new.sha256);
        bytes
    }

    pub(crate) fn read(patch: &mut impl Read) -> Result<Self, ApplyError> {
        let magic: [u8; 8] = take(patch)?;
        if magic != *MAGIC {
            return Err(ApplyError::Magic);
        }
        // The format comes before all else: a later one may have a header of another shape.
        let format = u16::from_le_bytes(take(patch)?);
        if format != FORMAT {
            return Err(ApplyError::Format(format));
        }
        let flags = u16::from_le_bytes(take(patch)?);
        if flags != 0 {
            return Err(ApplyError::Flags(flags));
        }
        let mut identity = || {
            Ok(Identity {
                bytes: u64::from_le_bytes(take(patch)?),
                sha256: take(patch)?,
            })
        };
        Ok(Self {
            old: identity()?,
            new: identity()?,
        })
    }
}

fn take<const N: usize>(patch: &mut impl Read) -> Result<[u8; N], ApplyError> {
    let mut bytes = [0; N];
    match patch.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ApplyError::Truncated),
        Err(error) => Err(ApplyError::Patch(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_was_written() -> Result<(), ApplyError> {
        let header = Header {
            old: Identity {
                bytes: 1,
                sha256: [2; 32],
            },
            new: Identity {
                bytes: u64::MAX,
                sha256: [3; 32],
            },
        };
        assert_eq!(Header::read(&mut &header.encode()[..])?, header);
        Ok(())
    }
}
