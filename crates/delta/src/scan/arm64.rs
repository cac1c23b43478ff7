//! Finding references in AArch64 code: words of 4 bytes, little-endian.
//!
//! Refuses to know what instructions do beyond the addresses they lead to. The rules, which are part
//! of the patch format:
//!
//! * Words stand at multiples of 4 from the region's beginning; up to 3 bytes at its end are none.
//! * A word's top byte says what it is (see [`CLASSES`] and the masks below). Its target is computed
//!   modulo 2^32 and accepted if it is within the image.
//! * Behind each `ADRP` the next [`REACH`] words are its reach. In their order: a word that adds an
//!   immediate to the `ADRP`'s register (64 bits, not shifted), or loads, stores or prefetches by it
//!   with an unsigned offset, is a partner if its immediate times its access size is below 4096: it
//!   leads that far into the page. Behind a word that writes the
//!   register (see `writes`), and behind one that always goes elsewhere (see `leaves`), the reach is
//!   at its end; such a word can itself be the last partner.
//! * An `ADRP` leads to where its first partner leads, or to its page if it has none.

use std::ops::Range;

use super::field::{self, PAGE};
use super::{Listing, Reference, ReferenceKind, WINDOW};

/// How many words behind an `ADRP` its partners are looked for. A margin has twice as many.
const REACH: usize = 8;

/// How many words' pages are remembered: a power of two above `REACH`.
const RING: usize = 16;

/// What a word is by its top byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing that is listed.
    Other,
    /// A reference that needs no other word.
    Alone(ReferenceKind),
    /// `ADRP`.
    Adrp,
    /// `ADD` of an immediate to 64 bits.
    Add,
    /// A load, store or prefetch with an unsigned offset.
    Unsigned,
}

/// Of each top byte.
const CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut top = 0;
    while top < 256 {
        table[top] = if top & 0x7C == 0x14 {
            Class::Alone(ReferenceKind::ArmBranch26 {
                link: top & 0x80 != 0,
            })
        } else if top == 0x54 || top & 0x7E == 0x34 {
            Class::Alone(ReferenceKind::ArmBranch19)
        } else if top & 0x7E == 0x36 {
            Class::Alone(ReferenceKind::ArmBranch14)
        } else if top & 0x3B == 0x18 && top != 0xDC {
            Class::Alone(ReferenceKind::ArmLiteral19)
        } else if top & 0x9F == 0x10 {
            Class::Alone(ReferenceKind::ArmAdr)
        } else if top & 0x9F == 0x90 {
            Class::Adrp
        } else if top == 0x91 {
            Class::Add
        } else if top & 0x3B == 0x39 {
            Class::Unsigned
        } else {
            Class::Other
        };
        top += 1;
    }
    table
};

/// By how many bits the immediate of this word is shifted, if the word may be a partner.
#[inline]
fn shift(word: u32) -> Option<u8> {
    let shift = match CLASSES[(word >> 24) as usize] {
        Class::Add if word & 0x00C0_0000 == 0 => 0,
        // A vector of 128 bits.
        Class::Unsigned if word & 0xC480_0000 == 0x0480_0000 => 4,
        Class::Unsigned => word >> 30,
        _ => return None,
    };
    ((word >> 10 & 0xFFF) << shift <= 0xFFF).then_some(shift as u8)
}

/// Whether the word writes the general register of this number, as far as is looked at: data processing
/// and loads do by their lowest 5 bits, loads of pairs by bits 10 to 14 as well.
#[inline]
fn writes(word: u32, register: u32) -> bool {
    let lowest = word & 31 == register;
    match word >> 25 & 15 {
        // Data processing of immediates and of registers.
        8 | 9 | 5 | 13 => lowest,
        // Loads and stores of general registers.
        4 | 12 => match word >> 28 & 3 {
            1 => lowest,
            0 => word & 1 << 22 != 0 && lowest,
            2 => word & 1 << 22 != 0 && (lowest || word >> 10 & 31 == register),
            _ => word & 3 << 22 != 0 && lowest,
        },
        _ => false,
    }
}

/// Whether the word always goes elsewhere: `B`, `BL`, `BR`, `BLR`, `RET` and their like.
#[inline]
fn leaves(word: u32) -> bool {
    word & 0x7C00_0000 == 0x1400_0000 || word & 0xFE00_0000 == 0xD600_0000
}

/// The page that the `ADRP` at `here` leads to.
#[inline]
fn page(word: u32, here: u32) -> u32 {
    field::target(ReferenceKind::ArmAdrp, &[], &word.to_le_bytes(), here).unwrap_or(here & PAGE)
}

/// The word of this number.
#[inline]
fn word(bytes: &[u8], number: usize) -> Option<u32> {
    bytes
        .get(number * 4..)
        .and_then(|rest| rest.first_chunk())
        .map(|word| u32::from_le_bytes(*word))
}

/// Notes in `pages` for each partner of the `ADRP` of this number that it leads into this page, and
/// gives where the first partner leads.
#[inline]
fn pair(bytes: &[u8], number: usize, register: u32, page: u32, pages: &mut [u32; RING]) -> Option<u32> {
    let mut first = None;
    for next in number + 1..=number + REACH {
        let Some(word) = word(bytes, next) else { break };
        if word >> 5 & 31 == register
            && let Some(shift) = shift(word)
        {
            pages[next % RING] = page | 1;
            first = first.or(Some(low(word, shift, page)));
        }
        if writes(word, register) || leaves(word) {
            break;
        }
    }
    first
}

/// Where a partner leads whose `ADRP` leads to this page.
#[inline]
fn low(word: u32, shift: u8, page: u32) -> u32 {
    page.wrapping_add((word >> 10 & 0xFFF) << shift)
}

/// Lists what begins in a window. `bytes` are up to [`super::MARGIN`] bytes before the window
/// (`before` of them, a multiple of 4), the window's `window_len` bytes (at most [`WINDOW`]) and up to
/// [`super::MARGIN`] bytes after it. The window's first byte stands at `address`. Each word sets its
/// bit of `starts`, and so do the up to 3 bytes behind the last.
pub(crate) fn list(
    bytes: &[u8],
    before: usize,
    window_len: usize,
    address: u32,
    image: Range<u32>,
    out: &mut Listing,
) {
    out.clear();
    let window = bytes.get(before..).unwrap_or(&[]);
    let window = &window[..window_len.min(WINDOW).min(window.len())];
    for place in (0..window.len()).step_by(4) {
        out.starts[place / 64] |= 1 << (place % 64);
    }
    let first = before / 4;
    let origin = address.wrapping_sub(before as u32);
    let mut pages = pages_before(bytes, first, origin);
    for (number, code) in (first..).zip(window.chunks_exact(4)) {
        let class = CLASSES[usize::from(code[3])];
        if class == Class::Other {
            continue;
        }
        let here = origin.wrapping_add(number as u32 * 4);
        let word = u32::from_le_bytes([code[0], code[1], code[2], code[3]]);
        let (kind, target) = match class {
            Class::Add | Class::Unsigned => {
                // Taken out: the place in the ring is another word's next.
                let page = std::mem::take(&mut pages[number % RING]);
                match shift(word) {
                    Some(shift) if page != 0 => {
                        (ReferenceKind::ArmLow12 { shift }, low(word, shift, page - 1))
                    }
                    _ => continue,
                }
            }
            Class::Adrp => {
                let page = page(word, here);
                let full = pair(bytes, number, word & 31, page, &mut pages);
                (ReferenceKind::ArmAdrp, full.unwrap_or(page))
            }
            Class::Alone(kind) => match field::target(kind, &[], code, here) {
                Some(target) => (kind, target),
                None => continue,
            },
            Class::Other => continue,
        };
        if image.contains(&target) {
            let at = (number * 4 - before) as u16;
            out.references.push(Reference { at, kind, target });
        }
    }
}

/// The pages of the partners from the word `first` on whose `ADRP` stands before it.
fn pages_before(bytes: &[u8], first: usize, origin: u32) -> [u32; RING] {
    let mut pages = [0; RING];
    for number in first.saturating_sub(REACH)..first {
        if let Some(word) = word(bytes, number)
            && CLASSES[(word >> 24) as usize] == Class::Adrp
        {
            let page = page(word, origin.wrapping_add(number as u32 * 4));
            pair(bytes, number, word & 31, page, &mut pages);
        }
        pages[number % RING] = 0;
    }
    pages
}

#[cfg(test)]
mod tests;
