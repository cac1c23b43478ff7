//! Applying a patch: old is unpacked by the list in the patch, its content is patched, and what comes
//! out is compressed again on its way.
//!
//! The patch may come from anybody. Nothing is allocated, read or written by a number of the patch
//! before that number was checked. Refuses to know who signed what.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use moult_delta::{Checksum, Identity, Limits};
use sha2::{Digest as _, Sha256};

use crate::old::{self, View};
use crate::rebuild::Rebuilder;
use crate::recipe::{self, Recipe};
use crate::{ApplyError, FORMAT, Fault, MAGIC, encoders, number};

const BUFFER_BYTES: usize = 64 * 1024;

/// What a patch says of itself. Nothing of it is true until the patch was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The encoders that it was made with, and that it takes to apply it: see [`encoders`].
    pub encoders: String,
    /// The container that it starts from.
    pub old: Identity,
    /// The container that it leads to.
    pub new: Identity,
}

/// A new file that was written and that is the one the patch announced. Compare its hash with what is
/// trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// Reads a patch's header and no more. Works for patches that were made with other encoders, too.
pub fn inspect(mut patch: impl Read) -> Result<Header, ApplyError> {
    read_header(&mut patch)
}

/// Writes the new container that a patch makes of the old one.
///
/// `scratch` is an empty file for the content of the old container: at most [`crate::MAX_CONTENT`]
/// bytes, and worthless afterwards. The new content is never stored. On any error what was written to
/// `out` is worthless.
///
/// Needs the memory that the delta crate needs, and that of one encoder at a time: at most 256 MiB. What
/// a patch needs [`crate::contents`] tells.
pub fn apply(
    old: &mut (impl Read + Seek),
    patch: impl Read,
    out: &mut impl Write,
    scratch: &mut (impl Read + Write + Seek),
    limits: Limits,
) -> Result<Applied, ApplyError> {
    let limited = Limited {
        patch,
        left: limits.patch_bytes,
        is_too_long: false,
    };
    let mut patch = BufReader::with_capacity(BUFFER_BYTES, limited);
    let applied = apply_buffered(old, &mut patch, out, scratch, limits.output_bytes);
    match applied {
        Err(_) if patch.get_ref().is_too_long => Err(ApplyError::TooLong(limits.patch_bytes)),
        applied => applied,
    }
}

fn apply_buffered(
    old: &mut (impl Read + Seek),
    patch: &mut impl Read,
    out: &mut impl Write,
    scratch: &mut (impl Read + Write + Seek),
    output_bytes: u64,
) -> Result<Applied, ApplyError> {
    let header = read_header(patch)?;
    let present = encoders();
    if header.encoders != present {
        return Err(ApplyError::Encoders {
            needed: header.encoders,
            present,
        });
    }
    if header.new.bytes != output_bytes {
        return Err(ApplyError::OutputLength {
            announced: header.new.bytes,
            expected: output_bytes,
        });
    }
    let found = identify(old).map_err(ApplyError::Old)?;
    if found != header.old {
        return Err(ApplyError::WrongBase {
            expected: header.old,
            found,
        });
    }
    let recipe = read_recipe(patch, &header)?;
    old::unpack(old, header.old.bytes, &recipe.olds, scratch)?;

    let mut rebuilder = Rebuilder::new(out, recipe.news, header.new.bytes);
    for (number, part) in recipe.parts.iter().enumerate() {
        let mut base = View::new(&mut *scratch, part.old_start, part.old_length);
        let mut inner = patch.take(part.patch);
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, &mut rebuilder);
        let limits = Limits {
            output_bytes: part.length,
            patch_bytes: part.patch,
        };
        let result = moult_delta::apply(&mut base, &mut inner, &mut writer, limits);
        let flushed = writer.flush();
        drop(writer);
        if let Some(failure) = rebuilder.take_failure() {
            return Err(failure);
        }
        result.map_err(|source| ApplyError::Delta { part: number, source })?;
        flushed.map_err(ApplyError::New)?;
        if inner.read(&mut [0]).map_err(ApplyError::Patch)? > 0 {
            return Err(ApplyError::Trailing);
        }
    }
    let (bytes, sha256) = rebuilder.finish()?;
    let made = Identity {
        bytes,
        checksum: Checksum::Sha256(sha256),
    };
    if made != header.new {
        return Err(ApplyError::WrongResult {
            expected: header.new,
            found: made,
        });
    }
    if patch.read(&mut [0]).map_err(ApplyError::Patch)? > 0 {
        return Err(ApplyError::Trailing);
    }
    Ok(Applied { bytes, sha256 })
}

/// Reads a file from its beginning to its end.
fn identify(file: &mut (impl Read + Seek)) -> io::Result<Identity> {
    file.rewind()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Identity {
        bytes,
        checksum: Checksum::Sha256(hasher.finalize().into()),
    })
}

pub(crate) fn read_header(patch: &mut impl Read) -> Result<Header, ApplyError> {
    if &read_bytes::<8>(patch)? != MAGIC {
        return Err(ApplyError::Magic);
    }
    let format = u16::from_le_bytes(read_bytes(patch)?);
    if format != FORMAT {
        return Err(ApplyError::Format(format));
    }
    let [length] = read_bytes(patch)?;
    let mut encoders = vec![0; usize::from(length)];
    patch.read_exact(&mut encoders).map_err(read_error)?;
    Ok(Header {
        encoders: String::from_utf8_lossy(&encoders).into_owned(),
        old: read_identity(patch)?,
        new: read_identity(patch)?,
    })
}

fn read_identity(patch: &mut impl Read) -> Result<Identity, ApplyError> {
    Ok(Identity {
        bytes: read_number(patch)?,
        checksum: Checksum::Sha256(read_bytes(patch)?),
    })
}

pub(crate) fn read_recipe(patch: &mut impl Read, header: &Header) -> Result<Recipe, ApplyError> {
    let (length, packed) = (read_number(patch)?, read_number(patch)?);
    if length > recipe::MAX_BYTES || packed > recipe::MAX_BYTES {
        return Err(ApplyError::Recipe(Fault::Compression));
    }
    let mut bytes = Vec::new();
    patch
        .take(packed)
        .read_to_end(&mut bytes)
        .map_err(ApplyError::Patch)?;
    if bytes.len() as u64 != packed {
        return Err(ApplyError::Truncated);
    }
    Recipe::read(&bytes[..], length, header.old.bytes, header.new.bytes).map_err(ApplyError::Recipe)
}

fn read_number(patch: &mut impl Read) -> Result<u64, ApplyError> {
    // In memory a number is read as in the recipe: so it is gathered first.
    let mut bytes = Vec::new();
    while bytes.len() < number::MAX_BYTES && bytes.last().is_none_or(|byte| *byte >= 0x80) {
        bytes.extend(read_bytes::<1>(patch)?);
    }
    number::take(&mut &bytes[..]).map_err(ApplyError::Recipe)
}

fn read_bytes<const N: usize>(patch: &mut impl Read) -> Result<[u8; N], ApplyError> {
    let mut bytes = [0; N];
    patch.read_exact(&mut bytes).map_err(read_error)?;
    Ok(bytes)
}

fn read_error(error: io::Error) -> ApplyError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        ApplyError::Truncated
    } else {
        ApplyError::Patch(error)
    }
}

/// A patch that may have so many bytes and no more.
struct Limited<R> {
    patch: R,
    left: u64,
    is_too_long: bool,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            if self.patch.read(&mut [0])? == 0 {
                return Ok(0);
            }
            self.is_too_long = true;
            return Err(io::Error::other("the patch is too long"));
        }
        let most = self.left.min(buffer.len() as u64) as usize;
        let read = self.patch.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}
