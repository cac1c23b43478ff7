//! Old bytes and new bytes to a patch, and old bytes and a patch to new bytes.
//!
//! The formats are described byte by byte in `patches/FORMAT.md`. This crate is pure: it reads and
//! writes what it is given, and refuses to know of files, networks and clocks. What it can prove
//! with a patch's own header it proves; whether the patch is authentic is for its caller to know.
//!
//! A publisher needs the feature `diff`; who only applies patches does without it, and has neither
//! the parsers of executables nor the search.

#[cfg(feature = "diff")]
mod align;
mod apply;
mod base;
#[cfg(feature = "diff")]
mod diff;
mod error;
pub mod format1;
mod format2;
mod identity;
#[cfg(feature = "diff")]
mod image;
#[cfg(feature = "internals")]
pub mod internals;
mod layout;
#[cfg(feature = "diff")]
mod matching;
mod preamble;
mod scan;
mod segment;
#[cfg(test)]
mod testing;

pub use apply::{Applied, Header, Limits, apply, inspect};
#[cfg(feature = "diff")]
pub use diff::{DiffStats, Progress, Stage, diff, diff_with};
pub use error::{ApplyError, DiffError, Fault, PartFault};
pub use format2::{Breakdown, Contents, SectionContents, Stream, breakdown, contents};
pub use identity::{Checksum, Identity};

/// The format of the patches that [`diff`] makes; of files that are too large for it,
/// [`format1::FORMAT`].
pub const FORMAT: u16 = format2::FORMAT;

/// The formats of the patches that [`apply`] reads.
pub const FORMATS: &[u16] = &[format1::FORMAT, format2::FORMAT];
