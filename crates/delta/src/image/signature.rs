//! The hashes of pages in the signature of a Mach-O file.
//!
//! Refuses to know whether they are right, and who signed.

use super::macho::{Slice, commands, slices};
use super::reader::Reader;
use crate::layout::HashTable;

/// Where a Mach-O file has SHA-256 hashes of its pages: none, one, or one for each slice. All within
/// the file and after what they cover; whether the hashes are right is not checked.
pub(crate) fn page_hashes(file: &[u8]) -> Vec<HashTable> {
    let file = Reader::new(file);
    let slices = slices(file).unwrap_or_default();
    slices
        .into_iter()
        .filter_map(|slice| slice_hashes(file, slice))
        .collect()
}

fn slice_hashes(file: Reader, slice: Slice) -> Option<HashTable> {
    let part = file.part(slice.offset, slice.length)?;
    if part.u32(0)? != 0xfeed_facf {
        return None;
    }
    let (at, length) = commands(part)?.signature?;
    let signature = part.part(at, length)?;
    if signature.u32_big(0)? != 0xfade_0cc0 {
        return None;
    }
    (0..u64::from(signature.u32_big(8)?.min(64))).find_map(|index| {
        let kind = signature.u32_big(12 + 8 * index)?;
        let directory = u64::from(signature.u32_big(16 + 8 * index)?);
        if kind != 0 && !(0x1000..0x1006).contains(&kind) {
            return None;
        }
        let body = signature.part(directory, signature.length().checked_sub(directory)?)?;
        let sha256 = body.u8(36)? == 32 && body.u8(37)? == 2;
        let page = u32::from(body.u8(39)?);
        if body.u32_big(0)? != 0xfade_0c02 || !sha256 || !(12..=16).contains(&page) {
            return None;
        }
        let covered = u64::from(body.u32_big(32)?);
        let slots = u64::from(body.u32_big(28)?);
        let first = at + directory + u64::from(body.u32_big(16)?);
        let fits = covered > 0
            && slots == covered.div_ceil(1 << page)
            && covered <= first
            && first + 32 * slots <= part.length();
        fits.then_some(HashTable {
            begin: u32::try_from(slice.offset).ok()?,
            covered: u32::try_from(covered).ok()?,
            page_bits: page,
            at: u32::try_from(slice.offset + first).ok()?,
        })
    })
}
