//! Old bytes and new bytes to a patch, and old bytes and a patch to new bytes.
//!
//! The format is described byte by byte in `patches/FORMAT.md`. This crate is pure: it reads and
//! writes what it is given, and refuses to know of files, networks and clocks. What it can prove
//! with a patch's own header it proves; whether the patch is authentic is for its caller to know.

mod apply;
mod block;
mod diff;
mod error;
mod header;

pub use apply::{Applied, Limits, apply, inspect};
pub use diff::{DiffStats, diff};
pub use error::{ApplyError, DiffError, Fault};
pub use header::{Header, Identity};

/// The version of the patch format that this crate writes and reads.
pub const FORMAT: u16 = 1;

/// The largest window of a patch's zstd frame, as a power of two: 16 MiB. A patch that asks for more
/// memory is refused.
pub const MAX_WINDOW_LOG: u32 = 24;
