//! What follows the first 10 bytes of a patch: which file it starts from and which it leads to.
//! Refuses to know the parts.

use std::io::Read;

use crate::preamble::{take, take_number};
use crate::{ApplyError, Checksum, Identity};

use super::{MAX_MEMORY, RULES};

/// Which file a patch starts from and which it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// What a decoder may need: models, tables and caches together, in MiB.
    pub(crate) memory: u8,
    pub(crate) old: Identity,
    pub(crate) new: Identity,
}

impl Header {
    /// Reads what follows the magic number and the format.
    pub(crate) fn read_rest(patch: &mut impl Read) -> Result<Self, ApplyError> {
        let [rules] = take(patch)?;
        if rules != RULES {
            return Err(ApplyError::Rules(rules));
        }
        let [memory] = take(patch)?;
        if memory > MAX_MEMORY {
            return Err(ApplyError::Memory(memory));
        }
        let mut identity = || {
            Ok(Identity {
                bytes: take_number(patch)?.into(),
                checksum: Checksum::Crc32(u32::from_le_bytes(take(patch)?)),
            })
        };
        Ok(Self {
            memory,
            old: identity()?,
            new: identity()?,
        })
    }

    /// The whole header, with the magic number and the format.
    #[cfg(feature = "diff")]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = crate::preamble::MAGIC.to_vec();
        bytes.extend_from_slice(&super::FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[RULES, self.memory]);
        for file in [self.old, self.new] {
            crate::preamble::put_number(&mut bytes, file.bytes as u32);
            let crc32 = match file.checksum {
                Checksum::Crc32(crc32) => crc32,
                Checksum::Sha256(_) => 0,
            };
            bytes.extend_from_slice(&crc32.to_le_bytes());
        }
        bytes
    }
}
