//! Executables of ELF, PE and Mach-O to layouts.
//!
//! Runs where a patch is made, never where it is applied. What does not parse is data: nothing here
//! fails, and nothing is believed. A header that lies costs bytes of the patch, never its
//! correctness, since references are only predictions. Refuses to know of patches, and of how
//! references are used.

mod draft;
mod elf;
#[cfg(test)]
mod findings;
mod frames;
mod go;
mod macho;
mod pair;
mod pe;
mod reader;
#[cfg(test)]
mod samples;
mod signature;
#[cfg(test)]
mod tests;

use crate::layout::Layout;
use draft::Draft;
use reader::Reader;

pub(crate) use signature::page_hashes;

/// The layouts of two releases of one executable: region `i` of one and region `i` of the other are
/// of the same kind. None if one is no executable that is known, or if the two are of different
/// formats or machines.
pub(crate) fn layouts(old: &[u8], new: &[u8]) -> Option<(Layout, Layout)> {
    let old = draft(old)?;
    let new = draft(new)?;
    pair::pair(old, new)
}

fn draft(file: &[u8]) -> Option<Draft> {
    // Offsets in a layout have 32 bits.
    u32::try_from(file.len()).ok()?;
    let file = Reader::new(file);
    elf::parse(file)
        .or_else(|| pe::parse(file))
        .or_else(|| macho::parse(file))
}
