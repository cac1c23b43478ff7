//! Deflate streams: compressed again with the encoder and the level that give the same bytes.
//!
//! There is no correction: a stream of an encoder that is not here can't be rebuilt. zlib, gzip and
//! Info-ZIP descend from one program, and [`search::Search`] does what all three do; miniz_oxide is the
//! encoder of most programs in Rust. Refuses to know what is around a stream, but for the checksum after
//! it.

mod block;
mod miniz;
mod search;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{BufReader, Read};

use flate2::Crc;

use crate::number::take_byte;
use crate::{Fault, StreamError};

/// What an encoder of its kind needs at most, in bytes: hash chains, symbols and a window.
pub(crate) const ENCODER_BYTES: u64 = 1 << 20;

/// The version of what [`search::Search`] does: it changes when any of its bytes do.
pub(crate) fn version() -> String {
    format!("deflate 1, miniz_oxide {}", miniz::VERSION)
}

/// The checksum that follows a stream and that is computed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trailer {
    /// None, or one that is elsewhere.
    None,
    /// Adler-32, highest byte first: zlib.
    Adler,
    /// CRC-32 and length, lowest bytes first: gzip.
    Gzip,
}

impl Trailer {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Adler, Self::Gzip];
}

/// Computes a trailer.
pub(crate) struct Checksum {
    trailer: Trailer,
    crc: Crc,
    adler: (u32, u32),
}

impl Checksum {
    pub(crate) fn new(trailer: Trailer) -> Self {
        Self {
            trailer,
            crc: Crc::new(),
            adler: (1, 0),
        }
    }

    pub(crate) fn update(&mut self, plain: &[u8]) {
        match self.trailer {
            Trailer::None => {}
            Trailer::Gzip => self.crc.update(plain),
            Trailer::Adler => {
                // After 5552 bytes the sums could overflow.
                for block in plain.chunks(5552) {
                    let (mut a, mut b) = self.adler;
                    for byte in block {
                        a += u32::from(*byte);
                        b += a;
                    }
                    self.adler = (a % 65521, b % 65521);
                }
            }
        }
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        match self.trailer {
            Trailer::None => Vec::new(),
            Trailer::Adler => (self.adler.1 << 16 | self.adler.0).to_be_bytes().to_vec(),
            Trailer::Gzip => [self.crc.sum().to_le_bytes(), self.crc.amount().to_le_bytes()].concat(),
        }
    }
}

/// Decompresses a stream of an old file.
pub(crate) fn decoder<'a>(encoded: impl Read + 'a) -> Box<dyn Read + 'a> {
    Box::new(flate2::bufread::DeflateDecoder::new(BufReader::new(encoded)))
}

/// Whose encoder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// zlib with this `memLevel`, from 1 to 9. Who does not choose has 8.
    Zlib(u8),
    /// gzip and Info-ZIP.
    Gzip,
    /// miniz_oxide.
    Miniz,
}

/// What an encoder has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) trailer: Trailer,
    pub(crate) maker: Maker,
    /// From 1 to 9; miniz_oxide has 10, too.
    pub(crate) level: u8,
}

impl Settings {
    #[cfg(feature = "diff")]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let maker = match self.maker {
            Maker::Zlib(memory) => memory,
            Maker::Gzip => 10,
            Maker::Miniz => 11,
        };
        out.extend([maker, self.level]);
    }

    pub(crate) fn take(input: &mut &[u8], trailer: Trailer) -> Result<Self, Fault> {
        let maker = match take_byte(input)? {
            memory @ 1..=9 => Maker::Zlib(memory),
            10 => Maker::Gzip,
            11 => Maker::Miniz,
            _ => return Err(Fault::Codec),
        };
        let level = take_byte(input)?;
        let most = if maker == Maker::Miniz { 10 } else { 9 };
        if !(1..=most).contains(&level) {
            return Err(Fault::Codec);
        }
        Ok(Self {
            trailer,
            maker,
            level,
        })
    }
}

enum Inner {
    Search(Box<search::Search>),
    Miniz(miniz::Encoder),
}

/// Rebuilds a stream.
pub(crate) struct Encoder {
    inner: Inner,
    checksum: Checksum,
}

impl Encoder {
    pub(crate) fn new(settings: Settings) -> Self {
        let search = |kind| Inner::Search(Box::new(search::Search::new(kind, settings.level)));
        let inner = match settings.maker {
            Maker::Zlib(memory) => search(search::Kind::zlib(memory)),
            Maker::Gzip => search(search::Kind::GZIP),
            Maker::Miniz => Inner::Miniz(miniz::Encoder::new(settings.level)),
        };
        Self {
            inner,
            checksum: Checksum::new(settings.trailer),
        }
    }

    /// Takes plain bytes, never more than the stream has.
    pub(crate) fn push(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        self.checksum.update(plain);
        match &mut self.inner {
            Inner::Search(search) => {
                search.push(plain, out);
                Ok(())
            }
            Inner::Miniz(encoder) => encoder.push(plain, out),
        }
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        match self.inner {
            Inner::Search(search) => search.finish(out),
            Inner::Miniz(encoder) => encoder.finish(out)?,
        }
        out.extend_from_slice(&self.checksum.finish());
        Ok(())
    }
}
