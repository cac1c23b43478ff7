//! Arithmetic coding: bits and symbols with their probabilities to bytes, and back.
//!
//! A range coder with carries after Martin (1979) and Schindler (1998), with a range of 64 bits that
//! is widened by 32 at once. One piece of code drives encoder and decoder: a [`Coder`] is given the
//! bit or symbol, which the decoder ignores, and gives it back. Refuses to know the models.

mod decoder;
#[cfg(feature = "diff")]
mod encoder;
mod weighing;

pub(crate) use decoder::Decoder;
#[cfg(feature = "diff")]
pub(crate) use encoder::Encoder;
pub(crate) use weighing::Weighing;

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

/// The range is widened when it falls below this.
const NARROW: u64 = 1 << 32;

/// An encoder leaves out zeros at its end, of which there may be any number; more than these are
/// not believed.
const TRAILING_ZEROS: u64 = 64;
