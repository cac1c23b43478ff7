//! Each stage alone, for benches and fuzz targets.
//!
//! No part of what the crate offers: behind a feature of its own, and may change at any time.
//! Refuses to know what is measured and what is tried.

use std::io::{self, Cursor};
use std::ops::{ControlFlow, Range};

use crate::align::{self, Weights};
use crate::format2::{Description, OldFile, encode};
use crate::layout::{Form, Kind, Layout, MAX_REGIONS, MAX_SPANS, Probe, Region, Span};
use crate::matching::Pair;
use crate::scan::x86_64::parser::Parser;
use crate::scan::{self, Listing, Reference, WINDOW, field};
use crate::{DiffError, image};

/// What stands in bytes that are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Machine code of x86-64.
    X86_64,
    /// Machine code of AArch64.
    Arm64,
    /// Words of data, some of them pointers.
    Words,
    /// As `Words`, but at each byte.
    Bytes,
    /// A table of functions.
    Functions,
}

/// Where bytes that are listed alone stand in memory.
const ADDRESS: u32 = 0x1000;

impl Content {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::X86_64,
        Self::Arm64,
        Self::Words,
        Self::Bytes,
        Self::Functions,
    ];

    fn kind(self, length: u32) -> Kind {
        let probe = |form| Probe {
            form,
            low: ADDRESS,
            high: ADDRESS.saturating_add(length),
            ..Probe::NONE
        };
        let wide = Form::Absolute64 { base: 0, bits: 48 };
        let near = Form::Absolute32 { base: 0 };
        match self {
            Self::X86_64 => Kind::X86_64,
            Self::Arm64 => Kind::Arm64,
            Self::Words => Kind::Words(vec![
                Probe {
                    stride: 8,
                    align: 1,
                    ..probe(wide)
                },
                probe(Form::Relative32),
                probe(Form::Backward32),
            ]),
            Self::Bytes => Kind::Words(vec![
                Probe {
                    stride: 3,
                    phase: 1,
                    ..probe(near)
                },
                probe(wide),
            ]),
            Self::Functions => Kind::Functions([near; 5].map(probe).to_vec()),
        }
    }
}

/// Bytes as one region of a file.
fn layout(content: Content, length: u32) -> Layout {
    Layout {
        spans: vec![Span {
            offset: 0,
            length,
            address: ADDRESS,
        }],
        regions: vec![Region {
            offset: 0,
            length,
            kind: content.kind(length),
        }],
    }
}

/// Tells `each` what is found, window by window, as a decoder lists them.
fn windows(
    content: Content,
    bytes: &[u8],
    mut each: impl FnMut(Range<usize>, &Listing, &[Probe]),
) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let layout = layout(content, length);
    let kind = content.kind(length);
    let mut file = OldFile::new(Cursor::new(bytes), length, layout);
    let mut at = 0;
    while at < length {
        let window = file.window(at)?;
        let end = window.offset + window.length;
        each(
            window.offset as usize..end as usize,
            &window.listing,
            kind.probes(),
        );
        at = end;
    }
    Ok(())
}

/// How many references are found.
pub fn references(content: Content, bytes: &[u8]) -> io::Result<usize> {
    let mut found = 0;
    windows(content, bytes, |_, listing, _| found += listing.references.len())?;
    Ok(found)
}

/// Panics unless what is listed is what readers of listings rely on.
pub fn check_references(content: Content, bytes: &[u8]) -> io::Result<()> {
    let image = ADDRESS..ADDRESS.saturating_add(2 * bytes.len() as u32);
    windows(content, bytes, |window, listing, probes| {
        let mut end = 0;
        for Reference { at, kind, target } in &listing.references {
            let at = usize::from(*at);
            let from = window.start + at;
            assert!(at >= end, "fields are sorted and disjoint");
            end = at + field::len(*kind, probes);
            let Some(bytes) = bytes.get(from..window.start + end) else {
                unreachable!("a field is within its region");
            };
            assert!(image.contains(target), "a target is in the image");
            let mut same = bytes.to_vec();
            let place = ADDRESS + from as u32;
            field::write(*kind, probes, &mut same, place, *target);
            let low_bits = matches!(
                kind,
                scan::ReferenceKind::ArmAdrp | scan::ReferenceKind::ArmLow12 { .. }
            );
            assert!(low_bits || same == bytes, "a field leads to its target");
        }
        let length = window.len();
        let starts = (length..WINDOW).filter(|at| listing.starts_at(*at)).count();
        assert_eq!(starts, 0, "nothing begins behind the window");
    })
}

/// Panics unless new code is followed as old code is listed: at each of its bytes, the instruction in
/// progress is one that the sweep has found. Looks at the first window alone.
pub fn check_following(code: &[u8]) {
    let code = code.get(..WINDOW).unwrap_or(code);
    let mut listing = Listing::default();
    scan::x86_64::list(code, 0, code.len(), ADDRESS, 0..u32::MAX, &mut listing);
    let mut parser = Parser::new();
    for (at, byte) in code.iter().enumerate() {
        parser.push(*byte);
        let begin = at + 1 - parser.pending();
        assert!(
            begin == code.len() || listing.starts_at(begin),
            "at {at}, from {begin}"
        );
    }
}

/// How many regions two executables have in common, and how many page hashes the new one has.
/// Panics unless both layouts are what their readers rely on.
pub fn regions(old: &[u8], new: &[u8]) -> (usize, usize) {
    let hashes = image::page_hashes(new);
    for table in &hashes {
        assert!(table.end() as usize <= new.len(), "hashes are within their file");
    }
    let regions = image::layouts(old, new).map_or(0, |(left, right)| {
        for (layout, file) in [(&left, old), (&right, new)] {
            assert!(layout.is_sound(file.len() as u32), "{layout:x?}");
            assert!(layout.spans.len() <= MAX_SPANS && layout.regions.len() <= MAX_REGIONS);
        }
        assert_eq!(left.regions.len(), right.regions.len());
        left.regions.len()
    });
    (regions, hashes.len())
}

/// How many segments two images have in common: the search alone.
pub fn segments(old: &[u8], new: &[u8]) -> Result<usize, DiffError> {
    let found = align::align(old, new, &Weights::DEFAULT, &|_, _| ControlFlow::Continue(()));
    found
        .map(|segments| segments.len())
        .map_err(|align::Cancelled| DiffError::Cancelled)
}

/// Two files that were matched.
pub struct Matched<'a> {
    old: &'a [u8],
    new: &'a [u8],
    description: Description,
}

impl<'a> Matched<'a> {
    /// Matches two files.
    pub fn new(old: &'a [u8], new: &'a [u8]) -> Result<Self, DiffError> {
        let progress = |_, _, _| ControlFlow::Continue(());
        let description = Pair::new(old, new).describe(&Weights::DEFAULT, &progress)?;
        Ok(Self {
            old,
            new,
            description,
        })
    }

    /// Codes the patch, and nothing else.
    pub fn encode(&self) -> Result<Vec<u8>, DiffError> {
        encode(self.old, self.new, &self.description, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn an_instruction_that_grows_too_long_is_followed_byte_by_byte() {
        // Found by `scan`: prefixes up to the limit, then an opcode with ModRM and SIB.
        for prefixes in 0..40 {
            for rest in [
                &[0, 0x94, 0xf7, 0xcd, 0x68, 0xc3, 0xec][..],
                &[0x0f, 0x38, 0, 0x44, 0x24, 8],
            ] {
                for prefix in [0x4f, 0x2e, 0x66] {
                    let code = [&vec![prefix; prefixes], rest, &[0x90; 40]].concat();
                    check_following(&code);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_listed_and_followed_alike(
            code in vec(prop_oneof![
                any::<u8>(),
                select(vec![0x4f, 0x66, 0x2e, 0xc4, 0xc5, 0x62, 0x0f, 0x38, 0x3a, 0x04, 0x94, 0x05, 0xf7, 0xe8]),
            ], 0..1200),
        ) {
            check_following(&code);
            for content in Content::ALL {
                check_references(content, &code).map_err(|error| TestCaseError::fail(error.to_string()))?;
            }
        }
    }
}
