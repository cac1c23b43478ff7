//! Applying a patch of format 2. Refuses to know how parts are read and bytes are made.

use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest as _, Sha256};

use crate::{Applied, ApplyError, Checksum, Identity};

use super::Header;
use super::decode::{Parts, Sizes};
use super::range::Decoder;

const BUFFER_BYTES: usize = 64 * 1024;

/// Writes the new file. The magic number and the format were read already.
pub(crate) fn apply(
    old: &mut (impl Read + Seek),
    patch: &mut impl Read,
    out: &mut impl Write,
    output_bytes: u64,
) -> Result<Applied, ApplyError> {
    let header = Header::read_rest(patch)?;
    if header.new.bytes != output_bytes {
        return Err(ApplyError::OutputLength {
            announced: header.new.bytes,
            expected: output_bytes,
        });
    }
    check_base(old, header.old)?;
    let sizes = Sizes {
        old: header.old.bytes as u32,
        new: header.new.bytes as u32,
    };
    let mut parts = Parts::new(sizes);
    let mut state = None;
    let mut old = Some(old);
    let mut out = Hashed {
        out,
        sha256: Sha256::new(),
        crc32: crc32fast::Hasher::new(),
        bytes: 0,
    };
    while let Some((frame, segments)) = parts.next(patch)? {
        if let Some(old) = old.take() {
            state = Some(parts.body(old)?);
        }
        if let Some((file, body)) = &mut state {
            let mut coder = Decoder::new(&mut *patch, frame.body_bytes.into());
            parts.make(frame, &segments, body, file, &mut coder, &mut out)?;
        }
    }
    if !ends(patch)? {
        return Err(ApplyError::Trailing);
    }
    let found = Identity {
        bytes: out.bytes,
        checksum: Checksum::Crc32(out.crc32.finalize()),
    };
    if found != header.new {
        return Err(ApplyError::WrongResult {
            expected: header.new,
            found,
        });
    }
    out.out.flush().map_err(ApplyError::New)?;
    Ok(Applied {
        bytes: found.bytes,
        sha256: out.sha256.finalize().into(),
    })
}

/// Whether nothing follows.
pub(crate) fn ends(patch: &mut impl Read) -> Result<bool, ApplyError> {
    match patch.read_exact(&mut [0]) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
        Err(error) => Err(ApplyError::Patch(error)),
    }
}

/// Reads the old file once, to know that it is the right one before anything is written.
pub(crate) fn check_base(old: &mut (impl Read + Seek), expected: Identity) -> Result<(), ApplyError> {
    let found_bytes = old.seek(SeekFrom::End(0)).map_err(ApplyError::Old)?;
    let wrong = ApplyError::WrongBase {
        expected,
        found_bytes,
    };
    if found_bytes != expected.bytes {
        return Err(wrong);
    }
    old.rewind().map_err(ApplyError::Old)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match old.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ApplyError::Old(error)),
        }
    }
    if Checksum::Crc32(hasher.finalize()) == expected.checksum {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// Counts and hashes what is written.
struct Hashed<W> {
    out: W,
    sha256: Sha256,
    crc32: crc32fast::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.crc32.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
