//! Bytes to bits and symbols. Refuses to know where their probabilities come from.

use std::io::{self, Read};

use super::{Below, Coder, NARROW, TRAILING_ZEROS};

/// Reads. What fails is kept until it is asked for, so that decoding a bit can't fail.
pub(crate) struct Decoder<R> {
    range: u64,
    /// How far the number that was read lies above the beginning of the interval; less than `range`.
    value: u64,
    input: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    left: u64,
    /// How many zeros were read after the end.
    beyond: u64,
    failed: Option<io::Error>,
    /// The reader ended before all bytes that were allowed.
    cut: bool,
}

const BUFFER_BYTES: usize = 32 * 1024;

impl<R: Read> Decoder<R> {
    /// Reads at most `limit` bytes of `input`.
    pub(crate) fn new(input: R, limit: u64) -> Self {
        let mut decoder = Self {
            range: u64::MAX,
            value: 0,
            input,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            left: limit,
            beyond: 0,
            failed: None,
            cut: false,
        };
        decoder.value = decoder.four() << 32;
        decoder.value |= decoder.four();
        // No encoder writes the one number that is not below the first range.
        decoder.value = decoder.value.min(u64::MAX - 1);
        decoder
    }

    /// The next 4 bytes.
    #[inline]
    fn four(&mut self) -> u64 {
        match self.buffer[..self.filled]
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
        {
            Some(four) => {
                self.at += 4;
                u32::from_be_bytes(*four).into()
            }
            None => self.last_four(),
        }
    }

    /// The next 4 bytes, at the end of the buffer.
    #[cold]
    fn last_four(&mut self) -> u64 {
        let mut four = 0;
        for _ in 0..4 {
            let byte = if self.at < self.filled || self.fill() {
                self.at += 1;
                self.buffer[self.at - 1]
            } else {
                self.beyond += 1;
                0
            };
            four = four << 8 | u64::from(byte);
        }
        four
    }

    #[inline]
    fn widen(&mut self) {
        if self.range < NARROW {
            self.range <<= 32;
            self.value = self.value << 32 | self.four();
        }
    }

    #[cold]
    fn fill(&mut self) -> bool {
        let want = self.left.min(BUFFER_BYTES as u64) as usize;
        if want == 0 || self.failed.is_some() {
            return false;
        }
        loop {
            match self.input.read(&mut self.buffer[..want]) {
                Ok(read) => {
                    self.at = 0;
                    self.filled = read;
                    self.left -= read as u64;
                    if read == 0 {
                        self.left = 0;
                        self.cut = true;
                    }
                    return read > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    return false;
                }
            }
        }
    }

    /// True if all bytes that were allowed have been read.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.at == self.filled && !self.fill()
    }

    /// What reading failed with, if it did. To have needed bytes that are not there is an unexpected
    /// end.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        let ended = self.has_failed().then(|| io::ErrorKind::UnexpectedEof.into());
        self.failed.take().or(ended)
    }
}

impl<R> AsMut<Self> for Decoder<R> {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl<R: Read> Coder for Decoder<R> {
    #[inline]
    fn has_failed(&self) -> bool {
        self.cut || self.failed.is_some() || self.beyond > 8 + TRAILING_ZEROS
    }

    #[inline]
    fn code(&mut self, _bit: u32, chance: u32) -> u32 {
        let ones = (self.range >> 16) * u64::from(chance);
        let bit = if self.value < ones {
            self.range = ones;
            1
        } else {
            self.value -= ones;
            self.range -= ones;
            0
        };
        self.widen();
        bit
    }

    #[inline]
    fn symbol(&mut self, _symbol: usize, below: &Below) -> usize {
        let unit = self.range >> 15;
        let at = (self.value / unit).min(0x7fff) as i16;
        let symbol = below
            .iter()
            .map(|end| u16::from(end.cast_signed() <= at))
            .sum::<u16>() as usize
            - 1;
        let begin = u64::from(below[symbol & 15]) * unit;
        self.value -= begin;
        self.range = match below.get(symbol + 1) {
            Some(end) => u64::from(*end) * unit - begin,
            None => self.range - begin,
        };
        self.widen();
        symbol
    }
}
