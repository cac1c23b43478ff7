//! Patches between compressed containers and between files that hold executables: `.tar.gz`, zip, deb,
//! squashfs, tar and what is built like them.
//!
//! Old and new are unpacked to their *content* (what was compressed in them as plain bytes, all else as
//! it is), the patch leads from content to content, each executable in it on its own, and the new
//! container is compressed again bit for bit. `patches/CONTAINERS.md` describes the format. This crate
//! computes: it reads what it is given, writes what it is given, and refuses to know of files, networks
//! and clocks. How two contents differ is for `moult-delta` to know; whether a patch is authentic is for
//! its caller.

mod apply;
mod codec;
#[cfg(feature = "diff")]
mod content;
mod contents;
mod deflate;
#[cfg(feature = "diff")]
mod diff;
mod error;
#[cfg(feature = "diff")]
mod executable;
#[cfg(feature = "diff")]
mod find;
#[cfg(all(test, feature = "diff"))]
mod hazards;
mod lzma;
mod number;
mod old;
mod rebuild;
mod recipe;
#[cfg(feature = "diff")]
mod sections;
mod zstandard;

pub use apply::{Applied, Header, apply, inspect};
pub use contents::{Contents, PartContents, StreamContents, contents};
#[cfg(feature = "diff")]
pub use diff::{Stats, diff, diff_below, diff_with};
#[cfg(feature = "diff")]
pub use error::DiffError;
pub use error::{ApplyError, Fault, StreamError};
pub use moult_delta::Limits;

/// The format that this crate reads and writes.
pub const FORMAT: u16 = 3;

/// The most bytes that a content may have: 1 GiB.
pub const MAX_CONTENT: u64 = 1 << 30;

/// The most compressed streams of a container.
pub const MAX_STREAMS: usize = 1 << 16;

/// How a patch begins.
const MAGIC: &[u8; 8] = b"MOULTPCH";

/// The encoders of this build and their exact versions. A patch names the ones that it was made with,
/// and only the very same ones are known to give the same bytes.
pub fn encoders() -> String {
    format!(
        "{}, {}, {}",
        deflate::version(),
        zstandard::version(),
        lzma::version()
    )
}
