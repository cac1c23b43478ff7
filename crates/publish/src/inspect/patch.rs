//! What a patch says of itself in its header. Refuses to know what follows.

use std::fmt;

use moult_delta::{Checksum, Header};
use moult_model::Digest;
use serde::Serialize;

use crate::output::Size;

/// A patch's header.
#[derive(Debug, Serialize)]
pub struct PatchHeader {
    size: u64,
    digest: Digest,
    format: u16,
    from: End,
    to: End,
}

/// The file at an end of a patch.
#[derive(Debug, Serialize)]
struct End {
    size: u64,
    checksum: NamedChecksum,
}

/// A checksum that says of which kind it is: formats differ in it.
#[derive(Debug, Serialize)]
struct NamedChecksum {
    kind: &'static str,
    value: String,
}

impl PatchHeader {
    /// Of a patch of this size and digest.
    pub fn new(size: u64, digest: Digest, header: &Header) -> Self {
        Self {
            size,
            digest,
            format: header.format,
            from: End::of(&header.old),
            to: End::of(&header.new),
        }
    }

    /// Of a patch between containers of this size and digest.
    pub fn of_containers(size: u64, digest: Digest, header: &moult_containers::Header) -> Self {
        Self {
            size,
            digest,
            format: moult_containers::FORMAT,
            from: End::of(&header.old),
            to: End::of(&header.new),
        }
    }

    /// The patch's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl End {
    fn of(file: &moult_delta::Identity) -> Self {
        let checksum = match file.checksum {
            Checksum::Sha256(sha256) => NamedChecksum {
                kind: "sha256",
                value: hex::encode(sha256),
            },
            Checksum::Crc32(crc32) => NamedChecksum {
                kind: "crc32",
                value: format!("{crc32:08x}"),
            },
        };
        Self {
            size: file.bytes,
            checksum,
        }
    }
}

impl fmt::Display for PatchHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "patch   {:>10}  sha256 {}", Size(self.size), self.digest)?;
        writeln!(f, "format  {:>10}", self.format)?;
        writeln!(f, "from    {}", self.from)?;
        write!(f, "to      {}", self.to)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedChecksum { kind, value } = &self.checksum;
        write!(f, "{:>10}  {kind} {value}", Size(self.size))
    }
}
