//! Applying a patch: old is unpacked by the list in the patch, its content is patched, and what comes
//! out is compressed again on its way.
//!
//! The patch may come from anybody. Nothing is allocated, read or written by a number of the patch
//! before that number was checked. Refuses to know who signed what.

use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use moult_delta::Limits;

use crate::old::{self, View};
use crate::rebuild::Rebuilder;
use crate::recipe::{self, Recipe};
use crate::{ApplyError, FORMAT, Fault, MAGIC, encoders};

const BUFFER_BYTES: usize = 64 * 1024;

/// What a patch says of itself. Nothing of it is true until the patch was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The encoders that it was made with, and that it takes to apply it: see [`encoders`].
    pub encoders: String,
    /// The length of the container that it starts from.
    pub old_bytes: u64,
    /// The length of the container that it leads to.
    pub new_bytes: u64,
}

/// A new file that was written. Compare its hash with what is trusted: a patch carries none.
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
/// Needs the memory that the delta crate needs, and that of one encoder at a time: at most 256 MiB.
pub fn apply_containers(
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
    if header.new_bytes != output_bytes {
        return Err(ApplyError::OutputLength {
            announced: header.new_bytes,
            expected: output_bytes,
        });
    }
    let found = old.seek(SeekFrom::End(0)).map_err(ApplyError::Old)?;
    if found != header.old_bytes {
        return Err(ApplyError::WrongBase {
            expected: header.old_bytes,
            found,
        });
    }
    let recipe = read_recipe(patch, &header)?;
    let content = recipe.old_content(header.old_bytes).map_err(ApplyError::Recipe)?;
    old::unpack(old, header.old_bytes, &recipe.olds, scratch)?;

    let mut rebuilder = Rebuilder::new(out, recipe.news, header.new_bytes);
    for (number, part) in recipe.parts.iter().enumerate() {
        let mut base = View::new(&mut *scratch, content, part.old_start, part.old_length);
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
    if bytes != header.new_bytes {
        return Err(ApplyError::Incomplete {
            expected: header.new_bytes,
            written: bytes,
        });
    }
    if patch.read(&mut [0]).map_err(ApplyError::Patch)? > 0 {
        return Err(ApplyError::Trailing);
    }
    Ok(Applied { bytes, sha256 })
}

fn read_header(patch: &mut impl Read) -> Result<Header, ApplyError> {
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
        old_bytes: read_number(patch)?,
        new_bytes: read_number(patch)?,
    })
}

fn read_recipe(patch: &mut impl Read, header: &Header) -> Result<Recipe, ApplyError> {
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
    Recipe::read(&bytes[..], length, header.old_bytes, header.new_bytes).map_err(ApplyError::Recipe)
}

fn read_number(patch: &mut impl Read) -> Result<u64, ApplyError> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let [byte] = read_bytes(patch)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(ApplyError::Recipe(Fault::Number))
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
