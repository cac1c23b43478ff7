//! Format 2: segments, references and new bytes, coded by models that learn as they go.
//!
//! Encoder and decoder are one piece of code that is run with two kinds of [`range::Coder`], so they
//! can't disagree. Refuses to know how segments and layouts are found.

mod apply;
mod blocks;
mod body;
mod bytes;
mod chance;
mod contents;
mod control;
mod copy;
mod corrections;
mod decode;
mod distribution;
#[cfg(feature = "diff")]
mod encode;
mod fresh;
mod guess;
mod hashes;
#[cfg(all(test, feature = "diff"))]
mod hazards;
mod header;
mod history;
mod layouts;
mod literal;
mod mixer;
mod old;
mod projection;
mod range;
mod slots;
mod tables;
mod target;
mod text;
mod token;

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

pub(crate) use crate::segment::Segment;

use crate::layout::Layout;

/// The number of this format.
pub(crate) const FORMAT: u16 = 2;

/// The version of the rules by which references are found in the old file: of `crate::scan`.
pub(crate) const RULES: u8 = 1;

/// What a decoder may need at most, in MiB.
pub(crate) const MAX_MEMORY: u8 = 20;

/// What a decoder needs at most for a patch with this layout of the new file, in MiB.
fn memory(new: &Layout) -> u8 {
    if new.regions.is_empty() { MAX_MEMORY } else { 18 }
}

/// The most segments of a part.
///
/// References are led by the segments of their part, so that more parts make a patch larger. Where
/// nothing is led, they cost some bytes each, and a part has fewer segments.
pub(crate) const MAX_SEGMENTS: usize = 1 << 18;

/// In how many bits the number of segments of a part is told.
const COUNT_BITS: u32 = 19;
/// The most segments of a part if the layouts have no regions.
pub(crate) const MAX_SEGMENTS_UNLED: usize = 1 << 14;
/// The fewest bytes that a part gives, unless it is the last or has as many segments as it may have.
const MIN_PART_BYTES: u32 = 1 << 17;

/// The most segments of a part of a patch with this layout of the old file.
fn max_segments(old: &Layout) -> usize {
    if old.regions.is_empty() {
        MAX_SEGMENTS_UNLED
    } else {
        MAX_SEGMENTS
    }
}

/// How large the table of contexts of new bytes is, as a power of two, for a new file of this size.
fn literal_bits(new_bytes: u32, new: &Layout) -> u32 {
    // A table that stays in a near cache loses little where contexts are short.
    let most = if new.spans.is_empty() { 16 } else { 13 };
    (new_bytes.max(1).ilog2() + 1).clamp(12, most)
}
