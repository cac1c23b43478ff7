//! A patch's first 92 bytes: which file it starts from and which it leads to. Refuses to know the body.

use std::io::Read;

use super::FORMAT;
use crate::preamble::{MAGIC, take};
use crate::{ApplyError, Checksum, Identity};

/// The size of a header, in bytes.
pub(crate) const HEADER_BYTES: usize = 92;

/// Which file a patch starts from and which it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) old: Identity,
    pub(crate) new: Identity,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        // 10..12 are the flags: none is defined.
        bytes[12..20].copy_from_slice(&self.old.bytes.to_le_bytes());
        bytes[20..52].copy_from_slice(&sha256(self.old));
        bytes[52..60].copy_from_slice(&self.new.bytes.to_le_bytes());
        bytes[60..].copy_from_slice(&sha256(self.new));
        bytes
    }

    /// Reads what follows the magic number and the format.
    pub(crate) fn read_rest(patch: &mut impl Read) -> Result<Self, ApplyError> {
        let flags = u16::from_le_bytes(take(patch)?);
        if flags != 0 {
            return Err(ApplyError::Flags(flags));
        }
        let mut identity = || {
            Ok(Identity {
                bytes: u64::from_le_bytes(take(patch)?),
                checksum: Checksum::Sha256(take(patch)?),
            })
        };
        Ok(Self {
            old: identity()?,
            new: identity()?,
        })
    }
}

/// A patch of this format has no other checksums.
fn sha256(file: Identity) -> [u8; 32] {
    match file.checksum {
        Checksum::Sha256(sha256) => sha256,
        Checksum::Crc32(_) => [0; 32],
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
                checksum: Checksum::Sha256([2; 32]),
            },
            new: Identity {
                bytes: u64::MAX,
                checksum: Checksum::Sha256([3; 32]),
            },
        };
        assert_eq!(Header::read_rest(&mut &header.encode()[10..])?, header);
        Ok(())
    }
}
