//! Binary arithmetic coding: bits and their probabilities to bytes, and back.
//!
//! A coder of intervals [low, high] in 64 bits without carries, as in Mahoney's lpaq (2007) but
//! twice as wide. One piece of code drives encoder and decoder: a [`Coder`] is given the bit, which
//! the decoder ignores, and gives the bit, which the encoder repeats. Refuses to know the models.

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

/// Encodes, decodes or weighs bits.
pub(crate) trait Coder {
    /// Codes a bit, 0 or 1, that is 1 with `chance` in 65536, 1..=65535.
    fn code(&mut self, bit: u32, chance: u32) -> u32;

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
    high: u64,
    bytes: Vec<u8>,
}

#[cfg(feature = "diff")]
impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: 0,
            high: u64::MAX,
            bytes: Vec::new(),
        }
    }

    /// The bytes. A decoder reads zeros after them, so only those are written that are needed to
    /// stay in the last interval.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for count in 0..=8_u32 {
            let mask = u64::MAX.checked_shr(8 * count).unwrap_or(0);
            let value = (self.low.saturating_add(mask)) & !mask;
            if value >= self.low && value <= self.high {
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

/// The first value of the interval for 0; those up to it are for 1.
#[inline]
fn middle(low: u64, high: u64, chance: u32) -> u64 {
    low + ((high - low) >> 16) * u64::from(chance)
}

#[cfg(feature = "diff")]
impl Coder for Encoder {
    #[inline]
    fn code(&mut self, bit: u32, chance: u32) -> u32 {
        let middle = middle(self.low, self.high, chance);
        if bit == 0 {
            self.low = middle + 1;
        } else {
            self.high = middle;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.bytes.push((self.high >> 56) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
        bit
    }
}

/// Reads. What fails is kept until it is asked for, so that decoding a bit can't fail.
pub(crate) struct Decoder<R> {
    low: u64,
    high: u64,
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
            low: 0,
            high: u64::MAX,
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
        for _ in 0..8 {
            decoder.value = decoder.value << 8 | u64::from(decoder.byte());
        }
        decoder
    }

    #[inline]
    fn byte(&mut self) -> u8 {
        if self.at == self.filled && !self.fill() {
            self.beyond += 1;
            return 0;
        }
        let byte = self.buffer[self.at];
        self.at += 1;
        byte
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
        let middle = middle(self.low, self.high, chance);
        let bit = u32::from(self.value <= middle);
        if bit == 0 {
            self.low = middle + 1;
        } else {
            self.high = middle;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.value = self.value << 8 | u64::from(self.byte());
        }
        bit
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
        let chance = if bit == 1 { chance } else { 65536 - chance };
        // For people to read: nothing depends on these floats.
        let cost = (f64::from(chance) / 65536.0).log2() * -65536.0;
        if let Some(streams) = self.costs.get_mut(self.section) {
            streams[self.stream] += cost as u64;
        }
        bit
    }
}
