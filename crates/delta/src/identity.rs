//! A file by its length and a checksum.

use std::fmt;

/// A file by its length and a checksum.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its length in bytes.
    pub bytes: u64,
    /// Of its bytes.
    pub checksum: Checksum,
}

/// What a patch carries of its files to tell them from others. Which file is the right one only a
/// digest can tell that is signed: not the patch's business.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256, in patches of format 1.
    Sha256([u8; 32]),
    /// CRC-32 of ISO-HDLC, in patches of format 2.
    Crc32(u32),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes with {}", self.bytes, self.checksum)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(sha256) => {
                f.write_str("SHA-256 ")?;
                sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Crc32(crc32) => write!(f, "CRC-32 {crc32:08x}"),
        }
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
