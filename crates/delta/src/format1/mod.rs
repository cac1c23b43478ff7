//! Format 1: bsdiff's differences in blocks, as one zstd frame. Decoded for ever; made where format 2
//! can't be, since a file is too large for it.

mod apply;
#[cfg_attr(
    not(feature = "diff"),
    expect(dead_code, reason = "only a publisher writes blocks")
)]
mod block;
#[cfg(feature = "diff")]
mod diff;
#[cfg_attr(
    not(feature = "diff"),
    expect(dead_code, reason = "only a publisher writes headers")
)]
mod header;

pub(crate) use apply::apply;
#[cfg(feature = "diff")]
pub use diff::diff;
pub(crate) use header::Header;

/// The number of this format.
pub const FORMAT: u16 = 1;

/// The largest window of a patch's zstd frame, as a power of two: 16 MiB. A patch that asks for more
/// memory is refused.
pub const MAX_WINDOW_LOG: u32 = 24;
