//! Deflate streams: preflate tells how an encoder came to its bytes, and does it again.
//!
//! What zlib, miniz, libdeflate, zopfli and others made can be rebuilt, since what preflate does not
//! predict it corrects. Refuses to know what is around a stream, but for the checksum after it.

use std::io::{BufReader, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use flate2::Crc;
use preflate_rs::RecreateStreamProcessor;

use crate::StreamError;

/// The most plain bytes of a chunk. Encoder and decoder keep about 10 bytes for each.
pub(crate) const MAX_CHUNK: u64 = 8 << 20;

pub(crate) fn version() -> String {
    "preflate-rs 0.7.6".to_owned()
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

    /// Its length.
    #[cfg(feature = "diff")]
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Adler => 4,
            Self::Gzip => 8,
        }
    }
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

/// What it takes to rebuild a chunk of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many plain bytes it has.
    pub(crate) plain: u64,
    /// What preflate needs besides them.
    pub(crate) corrections: Vec<u8>,
}

/// Rebuilds a stream.
pub(crate) struct Encoder {
    state: RecreateStreamProcessor,
    chunks: std::vec::IntoIter<Chunk>,
    /// The chunk that is being gathered, and its plain bytes as far as they are there.
    current: Option<Chunk>,
    gathered: Vec<u8>,
    checksum: Checksum,
}

impl Encoder {
    pub(crate) fn new(chunks: Vec<Chunk>, trailer: Trailer) -> Self {
        let mut chunks = chunks.into_iter();
        Self {
            state: RecreateStreamProcessor::new(),
            current: chunks.next(),
            chunks,
            gathered: Vec::new(),
            checksum: Checksum::new(trailer),
        }
    }

    /// Takes plain bytes, never more than the stream has.
    pub(crate) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        self.checksum.update(plain);
        while let Some(chunk) = &self.current {
            let missing = chunk.plain as usize - self.gathered.len();
            let (now, later) = plain.split_at(missing.min(plain.len()));
            self.gathered.extend_from_slice(now);
            plain = later;
            if now.len() < missing {
                break;
            }
            // What a patch says may make preflate panic: that is an error like any other.
            let (state, gathered) = (&mut self.state, &self.gathered);
            let made = catch(|| state.recompress(&mut Cursor::new(gathered), &chunk.corrections));
            let (bytes, _) = made
                .map_err(|()| StreamError::Encode("preflate gave up".to_owned()))?
                .map_err(|error| StreamError::Encode(error.to_string()))?;
            out.extend_from_slice(&bytes);
            self.gathered.clear();
            self.current = self.chunks.next();
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        // A stream of no bytes has a chunk all the same.
        self.push(&[], out)?;
        if self.current.is_some() {
            return Err(StreamError::Length);
        }
        out.extend_from_slice(&self.checksum.finish());
        Ok(())
    }
}

/// What preflate does, even if it panics.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, ()> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| ())
}
