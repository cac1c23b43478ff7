//! Arithmetic coding: bits and symbols with their probabilities to bytes, and back.
//!
//! A range coder with carries after Martin (1979) and Schindler (1998), with a range of 64 bits that
//! is widened by 32 at once. One piece of code drives encoder and decoder: a [`Coder`] is given the
//! bit or symbol, which the decoder ignores, and gives it back. Refuses to know the models.

use std::io::{self, Read};

/// What bits are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The layouts of both files and their page hashes.
    Layout,
    /// Which bytes are copied from where.
    Control,
    /// Whether copied instructions and words are as expected.
    Flags,
    /// Whether references lead where they are expected to, and where they lead if not.
    References,
    /// What copied bytes become that are not as expected.
    Corrections,
    /// New bytes.
    Literals,
    /// References in new code.
    Targets,
}

/// How many streams there are.
pub(crate) const STREAMS: usize = 7;

impl Stream {
    /// All of them.
    pub(crate) const ALL: [Self; STREAMS] = [
        Self::Layout,
        Self::Control,
        Self::Flags,
        Self::References,
        Self::Corrections,
        Self::Literals,
        Self::Targets,
    ];

    /// Its name in a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Control => "control",
            Self::Flags => "flags",
            Self::References => "references",
            Self::Corrections => "corrections",
            Self::Literals => "literals",
            Self::Targets => "targets",
        }
    }
}

/// Of 16 symbols, how much of 32768 those before each have.
pub(crate) type Below = [u16; 16];

/// Encodes, decodes or weighs bits.
pub(crate) trait Coder {
    /// Codes a bit, 0 or 1, that is 1 with `chance` in 65536, 1..=65535.
    fn code(&mut self, bit: u32, chance: u32) -> u32;

    /// Codes one of 16 symbols. `below` says of each how much of 32768 the symbols before it have,
    /// which grows from 0 and stays below 32768.
    fn symbol(&mut self, symbol: usize, below: &Below) -> usize;

    /// Says what the bits that follow are spent on.
    #[inline]
    fn enter(&mut self, _stream: Stream) {}

    /// Says of which region of the new file the bytes are that follow, 0 for none.
    #[inline]
    fn place(&mut self, _section: usize) {}

    /// True if a decoder can't have read what it should have.
    #[inline]
    fn has_failed(&self) -> bool {
        false
    }

    /// Codes the lowest `count` bits of a number, highest first, as they are.
    fn raw(&mut self, value: u32, count: u32) -> u32 {
        let mut got = 0;
        for at in (0..count).rev() {
            got = got << 1 | self.code(value >> at & 1, 1 << 15);
        }
        got
    }
}

/// Writes.
#[cfg(feature = "diff")]
#[derive(Debug)]
pub(crate) struct Encoder {
    low: u64,
    range: u64,
    bytes: Vec<u8>,
}

#[cfg(feature = "diff")]
impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: 0,
            range: u64::MAX,
            bytes: Vec::new(),
        }
    }

    /// Leaves `range` of what is left, `above` its beginning.
    #[inline]
    fn narrow(&mut self, above: u64, range: u64) {
        let (low, carries) = self.low.overflowing_add(above);
        self.low = low;
        self.range = range;
        if carries {
            self.carry();
        }
        if self.range < NARROW {
            self.bytes.extend_from_slice(&self.low.to_be_bytes()[..4]);
            self.low <<= 32;
            self.range <<= 32;
        }
    }

    /// Adds 1 to what was written.
    #[cold]
    fn carry(&mut self) {
        for byte in self.bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// The bytes. A decoder reads zeros after them, so only those are written that are needed to
    /// stay in the last interval.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for count in 0..=8_u32 {
            let mask = u64::MAX.checked_shr(8 * count).unwrap_or(0);
            let (value, carries) = self.low.overflowing_add(mask);
            let value = value & !mask;
            if value.wrapping_sub(self.low) < self.range {
                if carries {
                    self.carry();
                }
                self.bytes
                    .extend_from_slice(&value.to_be_bytes()[..count as usize]);
                break;
            }
        }
        let zeros = self.bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let spared = zeros.min(TRAILING_ZEROS as usize);
        self.bytes.truncate(self.bytes.len() - spared);
        self.bytes
    }
}

/// The range is widened when it falls below this.
const NARROW: u64 = 1 << 32;

#[cfg(feature = "diff")]
impl Coder for Encoder {
    #[inline]
    fn code(&mut self, bit: u32, chance: u32) -> u32 {
        let ones = (self.range >> 16) * u64::from(chance);
        if bit == 1 {
            self.narrow(0, ones);
        } else {
            self.narrow(ones, self.range - ones);
        }
        bit
    }

    #[inline]
    fn symbol(&mut self, symbol: usize, below: &Below) -> usize {
        let unit = self.range >> 15;
        let begin = u64::from(below[symbol & 15]) * unit;
        let range = match below.get(symbol + 1) {
            Some(end) => u64::from(*end) * unit - begin,
            None => self.range - begin,
        };
        self.narrow(begin, range);
        symbol
    }
}

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

/// An encoder leaves out zeros at its end, of which there may be any number; more than these are
/// not believed.
const TRAILING_ZEROS: u64 = 64;

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

/// Decodes, and notes what each bit cost.
pub(crate) struct Weighing<R> {
    decoder: Decoder<R>,
    stream: usize,
    section: usize,
    costs: Vec<[u64; STREAMS]>,
}

impl<R: Read> Weighing<R> {
    /// Adds to `costs`, by section and stream, in 1/65536 bit.
    pub(crate) fn new(decoder: Decoder<R>, costs: Vec<[u64; STREAMS]>) -> Self {
        Self {
            decoder,
            stream: 0,
            section: 0,
            costs,
        }
    }

    pub(crate) fn into_costs(self) -> Vec<[u64; STREAMS]> {
        self.costs
    }

    /// Something happened that had `chance` in 65536.
    fn note(&mut self, chance: u32) {
        // For people to read: nothing depends on these floats.
        let cost = (f64::from(chance) / 65536.0).log2() * -65536.0;
        if let Some(streams) = self.costs.get_mut(self.section) {
            streams[self.stream] += cost as u64;
        }
    }
}

impl<R> AsMut<Decoder<R>> for Weighing<R> {
    fn as_mut(&mut self) -> &mut Decoder<R> {
        &mut self.decoder
    }
}

impl<R: Read> Coder for Weighing<R> {
    fn enter(&mut self, stream: Stream) {
        self.stream = stream as usize;
    }

    fn place(&mut self, section: usize) {
        self.section = section;
        if self.costs.len() <= section {
            self.costs.resize(section + 1, [0; STREAMS]);
        }
    }

    fn has_failed(&self) -> bool {
        self.decoder.has_failed()
    }

    fn code(&mut self, bit: u32, chance: u32) -> u32 {
        let bit = self.decoder.code(bit, chance);
        self.note(if bit == 1 { chance } else { 65536 - chance });
        bit
    }

    fn symbol(&mut self, symbol: usize, below: &Below) -> usize {
        let symbol = self.decoder.symbol(symbol, below);
        let end = below.get(symbol + 1).map_or(1 << 15, |end| u32::from(*end));
        self.note(2 * (end - u32::from(below[symbol])));
        symbol
    }
}
