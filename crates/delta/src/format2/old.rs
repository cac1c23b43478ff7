//! The old file, seen through windows of fixed size whose references are listed when they are needed.
//!
//! What is listed depends on the file and the layout alone; the cache only saves work. Refuses to
//! know what is made of the old bytes.

use std::io::{self, Read, Seek};

use crate::layout::{Kind, Layout, Span};
use crate::scan::{self, Listing, MARGIN, WINDOW};

use super::blocks::Blocks;
use super::projection::address;

/// How many windows are kept. Twice as many would spare one listing in 15.
const KEPT: usize = 512;
/// How many bytes a window holds: its own, those behind it, and zeros, so that 16 bytes can be taken
/// anywhere.
const HELD: usize = WINDOW + MARGIN + 16;

/// What the windows and blocks of a file take at most, in bytes: with references, and without. Fields
/// of references do not overlap and have at least 4 bytes.
#[cfg(test)]
pub(crate) const BYTES: [usize; 2] = {
    let window = size_of::<Window>() + HELD;
    let listed = window + WINDOW / 4 * size_of::<scan::Reference>();
    [
        super::blocks::BYTES + KEPT * listed,
        super::blocks::BYTES + KEPT * window,
    ]
};

/// A stretch of the old file in which one rule finds references, or none.
#[derive(Clone, Copy)]
struct Part {
    offset: u32,
    length: u32,
    /// Which region of the layout it is.
    region: Option<usize>,
    /// The number of its first window.
    window: u32,
}

/// Up to [`WINDOW`] bytes of the old file and what was found in them.
pub(crate) struct Window {
    number: u32,
    /// Where it begins in the file.
    pub(crate) offset: u32,
    /// How many bytes are listed.
    pub(crate) length: u32,
    /// The listed bytes, and those after them that a reference may reach into.
    pub(crate) bytes: Vec<u8>,
    pub(crate) listing: Listing,
    /// Which region of the layout it lies in.
    pub(crate) region: Option<usize>,
    /// 0 data without a rule, 1 x86-64, 2 AArch64, 3 words of data.
    pub(crate) mode: u32,
}

const NO_WINDOW: u32 = u32::MAX;

/// The old file.
pub(crate) struct OldFile<R> {
    blocks: Blocks<R>,
    parts: Vec<Part>,
    layout: Layout,
    windows: Vec<Window>,
    image: std::ops::Range<u32>,
    scratch: Vec<u8>,
}

impl<R: Read + Seek> OldFile<R> {
    /// `layout`'s regions are sorted, disjoint and inside the file of `length` bytes.
    pub(crate) fn new(reader: R, length: u32, layout: Layout) -> Self {
        let mut parts = Vec::with_capacity(2 * layout.regions.len() + 1);
        let (mut end, mut window) = (0, 0);
        let mut push = |offset: u32, to: u32, region| {
            if offset < to {
                parts.push(Part {
                    offset,
                    length: to - offset,
                    region,
                    window,
                });
                window += (to - offset).div_ceil(WINDOW as u32);
            }
        };
        for (at, region) in layout.regions.iter().enumerate() {
            push(end, region.offset, None);
            end = region.offset + region.length;
            push(region.offset, end, Some(at));
        }
        push(end, length, None);
        let windows = (0..KEPT).map(|_| Window::empty()).collect();
        Self {
            blocks: Blocks::new(reader, length),
            parts,
            image: image(&layout.spans),
            layout,
            windows,
            scratch: Vec::with_capacity(WINDOW + 2 * MARGIN),
        }
    }

    /// Reads the last `count` bytes of the file, in pieces.
    pub(crate) fn last(&mut self, count: u32, take: impl FnMut(&[u8])) -> io::Result<()> {
        self.blocks.last(count, take)
    }

    /// Bytes of the file from `offset` on, which is inside of it: at least one. Nothing is listed.
    pub(crate) fn bytes(&mut self, offset: u32) -> io::Result<&[u8]> {
        self.blocks.from(offset)
    }

    /// The window that holds the byte at `offset`, which is inside the file.
    pub(crate) fn window(&mut self, offset: u32) -> io::Result<&Window> {
        let after = self.parts.partition_point(|part| part.offset <= offset);
        let part = self.parts[after.saturating_sub(1)];
        let inside = (offset - part.offset) / WINDOW as u32;
        let number = part.window + inside;
        let place = number as usize % KEPT;
        if self.windows[place].number != number {
            self.load(part, inside, place)?;
        }
        Ok(&self.windows[place])
    }

    fn load(&mut self, part: Part, inside: u32, place: usize) -> io::Result<()> {
        let start = part.offset + inside * WINDOW as u32;
        let part_end = part.offset + part.length;
        let length = (part_end - start).min(WINDOW as u32);
        let before = (start - part.offset).min(MARGIN as u32);
        let after = (part_end - start - length).min(MARGIN as u32);
        // Not to be found while it is half made.
        self.windows[place].number = NO_WINDOW;
        self.scratch.clear();
        let looked_at = (before + length + after) as usize;
        self.blocks.extend(&mut self.scratch, start - before, looked_at)?;

        let window = &mut self.windows[place];
        window.offset = start;
        window.length = length;
        window.region = part.region;
        window.bytes.clear();
        window.bytes.reserve_exact(HELD);
        window.bytes.extend_from_slice(&self.scratch[before as usize..]);
        window.bytes.extend_from_slice(&[0; 16]);
        window.listing.clear();
        window.mode = 0;
        if let Some(region) = part.region {
            let at = address(&self.layout.spans, start);
            let (bytes, before, length) = (&self.scratch[..], before as usize, length as usize);
            let image = self.image.clone();
            let listing = &mut window.listing;
            match &self.layout.regions[region].kind {
                Kind::X86_64 => {
                    window.mode = 1;
                    scan::x86_64::list(bytes, before, length, at, image, listing);
                }
                Kind::Arm64 => {
                    window.mode = 2;
                    scan::arm64::list(bytes, before, length, at, image, listing);
                }
                Kind::Functions(probes) => {
                    window.mode = 3;
                    scan::functions::list(bytes, before, length, probes, listing);
                }
                Kind::Words(probes) => {
                    let position = inside * WINDOW as u32;
                    window.mode = 3;
                    scan::words::list(&bytes[before..before + length], position, at, probes, listing);
                }
            }
        }
        window.number = part.window + inside;
        Ok(())
    }
}

impl Window {
    fn empty() -> Self {
        Self {
            number: NO_WINDOW,
            offset: 0,
            length: 0,
            bytes: Vec::new(),
            listing: Listing::default(),
            region: None,
            mode: 0,
        }
    }

    /// The `length` bytes at `at`, and zeros after them.
    #[inline]
    pub(crate) fn sixteen(&self, at: u32, length: usize) -> [u8; 16] {
        let bytes = self.bytes[at as usize..]
            .first_chunk()
            .copied()
            .unwrap_or_default();
        let mask = u128::MAX >> (128 - 8 * length.clamp(1, 16));
        (u128::from_le_bytes(bytes) & mask).to_le_bytes()
    }

    /// Where the last instruction or word begins that begins at `at` or before, but after `from`;
    /// `from` if none does.
    #[inline]
    pub(crate) fn token_start(&self, from: u32, at: u32) -> u32 {
        if self.region.is_none() {
            return (at - ((self.offset + at) & 3).min(at)).max(from);
        }
        let mut mask = u64::MAX >> (63 - at % 64);
        for word in (from / 64..=at / 64).rev() {
            let bits = self.listing.starts.get(word as usize).copied().unwrap_or(0) & mask;
            if bits != 0 {
                return (word * 64 + 63 - bits.leading_zeros()).max(from);
            }
            mask = u64::MAX;
        }
        from
    }

    /// Where the instruction or word ends that holds the byte at `at`, as far as the window goes.
    #[inline]
    pub(crate) fn token_end(&self, at: u32) -> u32 {
        if self.region.is_none() {
            return (at + 4 - ((self.offset + at) & 3)).min(self.length);
        }
        let next = at + 1;
        let mut word = (next / 64) as usize;
        if word < self.listing.starts.len() {
            let mut bits = self.listing.starts[word] & (u64::MAX << (next % 64));
            loop {
                if bits != 0 {
                    let start = word as u32 * 64 + bits.trailing_zeros();
                    return start.min(self.length).min(at + LONGEST_TOKEN);
                }
                word += 1;
                if word == self.listing.starts.len() {
                    break;
                }
                bits = self.listing.starts[word];
            }
        }
        self.length.min(at + LONGEST_TOKEN)
    }
}

/// No token is longer, in bytes.
pub(crate) const LONGEST_TOKEN: u32 = 16;

/// From the lowest address to the one after the highest that has bytes in the file, and as much
/// again for memory without bytes.
fn image(spans: &[Span]) -> std::ops::Range<u32> {
    let low = spans.iter().map(|span| span.address).min().unwrap_or(0);
    let high = spans
        .iter()
        .map(|span| span.address.saturating_add(span.length))
        .max()
        .unwrap_or(0);
    low..high.saturating_add(high - low)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::layout::Region;
    use crate::testing::Noise;

    const LENGTH: u32 = 700_000;

    fn opened(bytes: &[u8]) -> OldFile<Cursor<&[u8]>> {
        let region = |offset, length, kind| Region { offset, length, kind };
        let span = Span {
            offset: 0,
            length: LENGTH,
            address: 0x1000,
        };
        let layout = Layout {
            spans: vec![span],
            regions: vec![
                region(100, 300_001, Kind::X86_64),
                region(400_000, 100_000, Kind::Arm64),
            ],
        };
        OldFile::new(Cursor::new(bytes), LENGTH, layout)
    }

    #[test]
    fn a_window_follows_from_the_file_alone_whatever_was_asked_for_before() -> io::Result<()> {
        let mut noise = Noise::new(1);
        let bytes = noise.bytes(LENGTH as usize);
        let mut used = opened(&bytes);
        for _ in 0..3000 {
            // Near the last one, or anywhere: what is kept is found, and is given up.
            let at = noise.below(LENGTH);
            for offset in [at, noise.below(LENGTH), at.saturating_sub(1500)] {
                let mut fresh = opened(&bytes);
                let (seen, expected) = (used.window(offset)?, fresh.window(offset)?);
                let inside = expected.offset..expected.offset + expected.length;
                assert!(inside.contains(&offset), "{offset} in {inside:?}");
                assert_eq!(seen.offset, expected.offset, "{offset}");
                assert_eq!(seen.listing, expected.listing, "{offset}");
                assert!(seen.bytes == expected.bytes, "{offset}");
                let own = &bytes[inside.start as usize..inside.end as usize];
                assert!(seen.bytes.starts_with(own), "{offset}");
                let told = (seen.length, seen.region, seen.mode);
                assert_eq!(
                    told,
                    (expected.length, expected.region, expected.mode),
                    "{offset}"
                );
                let more = used.bytes(offset)?;
                assert!(
                    !more.is_empty() && bytes[offset as usize..].starts_with(more),
                    "{offset}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_window_has_no_more_references_than_are_counted_on() -> io::Result<()> {
        // Calls and words that all lead to themselves: more do not fit.
        let calls = [0xe8, 0xfb, 0xff, 0xff, 0xff].repeat(LENGTH as usize / 5);
        let mut file = opened(&calls);
        for offset in (0..LENGTH).step_by(WINDOW) {
            let window = file.window(offset)?;
            assert!(window.listing.references.len() <= WINDOW / 4);
            assert!(window.listing.references.capacity() <= WINDOW / 4, "{offset}");
            assert_eq!(window.bytes.capacity(), HELD, "{offset}");
        }
        Ok(())
    }
}
