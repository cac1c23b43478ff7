//! Format 2: segments, references and new bytes, coded by models that learn as they go.
//!
//! Encoder and decoder are one piece of code that is run with two kinds of [`range::Coder`], so they
//! can't disagree. Refuses to know how segments and layouts are found.

mod apply;
mod body;
mod chance;
mod contents;
mod control;
mod copy;
mod decode;
#[cfg(feature = "diff")]
mod encode;
mod fresh;
mod guess;
pub(crate) mod hashes;
#[cfg(all(test, feature = "diff"))]
mod hazards;
mod header;
mod layouts;
mod literal;
mod mixer;
mod old;
mod projection;
mod range;
mod slots;
mod tables;
mod target;

pub(crate) use apply::apply;
pub use contents::{Breakdown, Contents, SectionContents, breakdown, contents};
#[cfg(feature = "diff")]
pub(crate) use encode::{Description, encode};
pub(crate) use header::Header;
#[cfg(feature = "diff")]
pub(crate) use old::OldFile;
#[cfg(feature = "diff")]
pub(crate) use projection::Projection;
pub use range::Stream;

/// The number of this format.
pub(crate) const FORMAT: u16 = 2;

/// The version of the rules by which references are found in the old file: of `crate::scan`.
pub(crate) const RULES: u8 = 1;

/// The most segments of a part.
pub(crate) const MAX_SEGMENTS: usize = 1 << 17;

/// Bytes of the new file that are made of as many bytes of the old one, with corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where in the new file.
    pub(crate) new: u32,
    /// Where in the old file.
    pub(crate) old: u32,
    /// How many bytes.
    pub(crate) length: u32,
}

impl Segment {
    const NONE: Self = Self {
        new: 0,
        old: 0,
        length: 0,
    };
}

/// How large the table of contexts of new bytes is, as a power of two, for a new file of this size.
fn literal_bits(new_bytes: u32) -> u32 {
    (new_bytes.max(1).ilog2() + 1).clamp(12, 16)
}
