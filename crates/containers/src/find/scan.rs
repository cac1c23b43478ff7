//! Finding compressed streams in a file: by the bytes that they begin with, and by trying.
//!
//! Runs where a patch is made, never where it is applied. What only looks like a stream is bytes like
//! all others. What is inside of a stream is not searched. Refuses to know how streams were made.

use crate::codec::Codec;
use crate::deflate::Trailer;
use crate::{MAX_CONTENT, MAX_STREAMS};

use super::{deflate, xz, zstandard};

/// Shorter streams are not worth their entry in a recipe.
const MIN_PLAIN: usize = 64;

/// A compressed stream of a file.
pub(crate) struct Stream {
    pub(crate) offset: usize,
    /// How many bytes it has in the file, its trailer included.
    pub(crate) length: usize,
    pub(crate) codec: Codec,
    pub(crate) plain: Vec<u8>,
}

impl Stream {
    /// Where it ends in the file.
    pub(crate) const fn end(&self) -> usize {
        self.offset + self.length
    }
}

/// All streams of a file, in order.
pub(crate) fn streams(file: &[u8]) -> Vec<Stream> {
    let mut found = Vec::new();
    // So that the content with all else of the file stays within what is allowed.
    let mut left = MAX_CONTENT.saturating_sub(file.len() as u64);
    let mut at = 0;
    while at < file.len() && found.len() < MAX_STREAMS {
        let bytes = &file[at..];
        let mut here = match bytes[0] {
            0x1f => gzip(bytes, left),
            b'P' => zip(bytes, left),
            0x78 => zlib(bytes, left),
            0x28 if bytes.starts_with(&zstandard::FRAME) => zstandard_frame(bytes, left),
            0xfd if bytes.starts_with(&xz::HEAD) => xz_blocks(bytes, left),
            _ => Vec::new(),
        };
        here.retain(|stream| stream.plain.len() >= MIN_PLAIN);
        here.truncate(MAX_STREAMS - found.len());
        match here.last() {
            None => at += 1,
            Some(last) => {
                let end = at + last.end();
                for mut stream in here {
                    stream.offset += at;
                    left -= stream.plain.len() as u64;
                    found.push(stream);
                }
                at = end;
            }
        }
    }
    found
}

/// The stream that begins at `start`, as deflate.
fn deflated(bytes: &[u8], start: usize, trailer: Trailer, most: u64) -> Vec<Stream> {
    let unpacked = bytes
        .get(start..)
        .and_then(|bytes| deflate::unpack(bytes, trailer, most));
    let stream = unpacked.map(|(plain, length)| Stream {
        offset: start,
        length,
        codec: Codec::Deflate(trailer),
        plain,
    });
    stream.into_iter().collect()
}

/// RFC 1952.
fn gzip(bytes: &[u8], most: u64) -> Vec<Stream> {
    match gzip_header(bytes) {
        Some(start) => deflated(bytes, start, Trailer::Gzip, most),
        None => Vec::new(),
    }
}

fn gzip_header(bytes: &[u8]) -> Option<usize> {
    const CHECKED: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *bytes.get(3)?;
    if !bytes.starts_with(&[0x1f, 0x8b, 8]) || flags >= 0x20 {
        return None;
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16_at(bytes, at)?);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & CHECKED != 0 {
        at += 2;
    }
    Some(at)
}

/// RFC 1950, with the window that all encoders write.
fn zlib(bytes: &[u8], most: u64) -> Vec<Stream> {
    const DICTIONARY: u8 = 0x20;
    match bytes {
        [head, flags, ..]
            if (u16::from(*head) * 256 + u16::from(*flags)) % 31 == 0 && flags & DICTIONARY == 0 =>
        {
            deflated(bytes, 2, Trailer::Adler, most)
        }
        _ => Vec::new(),
    }
}

/// An entry of a zip file by its local header. Entries that are not deflated are found by their own
/// first bytes, if at all.
fn zip(bytes: &[u8], most: u64) -> Vec<Stream> {
    zip_entry(bytes, most).unwrap_or_default()
}

fn zip_entry(bytes: &[u8], most: u64) -> Option<Vec<Stream>> {
    const HEADER: usize = 30;
    const ENCRYPTED: u16 = 1;
    const LENGTH_FOLLOWS: u16 = 8;
    const DEFLATED: u16 = 8;
    if !bytes.starts_with(b"PK\x03\x04") || u16_at(bytes, 8)? != DEFLATED {
        return None;
    }
    let flags = u16_at(bytes, 6)?;
    let length = u32::from_le_bytes(*bytes.get(18..)?.first_chunk()?);
    let start = HEADER + usize::from(u16_at(bytes, 26)?) + usize::from(u16_at(bytes, 28)?);
    if flags & ENCRYPTED != 0 {
        return None;
    }
    let mut found = deflated(bytes, start, Trailer::None, most);
    let is_told = flags & LENGTH_FOLLOWS == 0 && length != u32::MAX;
    found.retain(|stream| !is_told || stream.length == length as usize);
    Some(found)
}

fn zstandard_frame(bytes: &[u8], most: u64) -> Vec<Stream> {
    let stream = zstandard::unpack(bytes, most).map(|(plain, length)| Stream {
        offset: 0,
        length,
        codec: Codec::Zstandard,
        plain,
    });
    stream.into_iter().collect()
}

fn xz_blocks(bytes: &[u8], most: u64) -> Vec<Stream> {
    let streams = xz::blocks(bytes, most).into_iter().map(|block| Stream {
        offset: block.start,
        length: block.length,
        codec: Codec::Lzma(block.chain),
        plain: block.plain,
    });
    streams.collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_begins_like_a_stream_is_none() {
        let heads: [&[u8]; 6] = [
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0],
            &[0x1f, 0x8b, 8, 0x1f],
            &[0x78, 0x9c],
            b"PK\x03\x04\x14\0\0\0\x08\0",
            &zstandard::FRAME,
            &xz::HEAD,
        ];
        for head in heads {
            for tail in [0, 1, 40, 4000] {
                let noise = (0..tail).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8);
                let file: Vec<u8> = head.iter().copied().chain(noise).collect();
                assert!(streams(&file).is_empty(), "{head:?} and {tail} bytes");
            }
        }
    }
}
