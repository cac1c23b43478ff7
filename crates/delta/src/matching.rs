//! From two files to a description of the new one: references are masked, the rest is matched,
//! references are led to where they go, and all is matched again.
//!
//! What is found decides the size of a patch, never what it gives. Refuses to know how a patch is
//! written.

use std::io::Cursor;
use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use crate::align::{self, Weights};
use crate::format2::{Description, OldFile, Projection};
use crate::layout::{HASH_BYTES, HashTable, Layout, MAX_PAGES};
use crate::scan::{ReferenceKind, field};
use crate::segment::Segment;
use crate::{DiffError, image};

/// How often executables are matched. The second time brings a third of a patch's size, the third
/// time a hundredth.
pub(crate) const PASSES: usize = 3;

/// Both files and what is known of them before they are matched.
pub(crate) struct Pair<'a> {
    old: &'a [u8],
    new: &'a [u8],
    layouts: (Layout, Layout),
}

impl<'a> Pair<'a> {
    pub(crate) fn new(old: &'a [u8], new: &'a [u8]) -> Self {
        let layouts = image::layouts(old, new).unwrap_or_default();
        Self { old, new, layouts }
    }

    /// Whether both are executables of one kind.
    pub(crate) fn is_executable(&self) -> bool {
        !self.layouts.0.spans.is_empty()
    }

    /// How many bytes of the new file its layout holds, at most all of them.
    pub(crate) fn executable_bytes(&self) -> u64 {
        let spans = self.layouts.1.spans.iter();
        let held: u64 = spans.map(|span| u64::from(span.length)).sum();
        held.min(self.new.len() as u64)
    }

    /// Matches both files. `progress` is told the number of the pass, and how many of how many bytes
    /// are done, and ends all with `Break`.
    pub(crate) fn describe(
        &self,
        weights: &Weights,
        progress: &(dyn Fn(usize, u64, u64) -> ControlFlow<()> + Sync),
    ) -> Result<Description, DiffError> {
        let (old_layout, new_layout) = &self.layouts;
        let run = |pass, old: &[u8], new: &[u8]| {
            let progress = |done, total| progress(pass, done, total);
            align::align(old, new, weights, &progress).map_err(|align::Cancelled| DiffError::Cancelled)
        };
        let mut segments;
        if self.is_executable() {
            segments = {
                let old = masked(self.old, old_layout, |_| 0)?;
                let new = masked(self.new, new_layout, |_| 0)?;
                run(0, &old, &new)?
            };
            let new = masked(self.new, new_layout, |target| target)?;
            for pass in 1..PASSES {
                let old = {
                    let projection = Projection::new(&segments, old_layout, new_layout);
                    masked(self.old, old_layout, |target| projection.project(target).to)?
                };
                segments = run(pass, &old, &new)?;
            }
        } else {
            segments = run(0, self.old, self.new)?;
        }
        let tables = tables(self.new);
        Ok(Description {
            old: old_layout.clone(),
            new: new_layout.clone(),
            segments: outside(segments, &tables),
            tables,
        })
    }
}

/// The file with each reference's field replaced by what `value` makes of its target.
///
/// References are listed anew each time: all of them take more memory than the file, and finding them
/// little time.
fn masked(file: &[u8], layout: &Layout, value: impl Fn(u32) -> u32) -> Result<Vec<u8>, DiffError> {
    let mut masked = file.to_vec();
    let mut windows = OldFile::new(Cursor::new(file), file.len() as u32, layout.clone());
    for region in &layout.regions {
        let probes = region.kind.probes();
        let mut at = region.offset;
        while at < region.offset + region.length {
            let window = windows.window(at).map_err(DiffError::Read)?;
            for reference in &window.listing.references {
                let from = (window.offset + u32::from(reference.at)) as usize;
                let length = field::len(reference.kind, probes);
                let Some(bytes) = masked.get_mut(from..from + length) else {
                    continue;
                };
                let value = value(reference.target);
                match reference.kind {
                    ReferenceKind::X86 { .. } | ReferenceKind::Word { .. } => {
                        bytes[..4].copy_from_slice(&value.to_le_bytes());
                    }
                    kind => field::write(kind, probes, bytes, 0, value),
                }
            }
            at = window.offset + window.length;
        }
    }
    Ok(masked)
}

/// The tables of page hashes that are right, so that they need not be sent. Of a longer one than a patch
/// may have, the beginning.
fn tables(new: &[u8]) -> Vec<HashTable> {
    let mut tables = image::page_hashes(new);
    tables.iter_mut().for_each(cut);
    tables.sort_unstable_by_key(|table| table.at);
    let sound = HashTable::are_sound(&tables, new.len() as u32);
    if sound && tables.iter().all(|table| is_right(new, table)) {
        tables
    } else {
        Vec::new()
    }
}

fn cut(table: &mut HashTable) {
    table.covered = table.covered.min(MAX_PAGES << table.page_bits);
}

fn is_right(new: &[u8], table: &HashTable) -> bool {
    let covered = new.get(table.begin as usize..(table.begin + table.covered) as usize);
    let stated = new.get(table.at as usize..table.end() as usize);
    let (Some(covered), Some(stated)) = (covered, stated) else {
        return false;
    };
    let pages = covered.chunks(1 << table.page_bits);
    pages
        .zip(stated.chunks(HASH_BYTES as usize))
        .all(|(page, stated)| Sha256::digest(page)[..] == *stated)
}

/// The segments without what they have of the tables.
fn outside(segments: Vec<Segment>, tables: &[HashTable]) -> Vec<Segment> {
    let mut rest = segments;
    for table in tables {
        rest = rest
            .into_iter()
            .flat_map(|segment| {
                let end = segment.new + segment.length;
                let before = segment.new..end.min(table.at);
                let after = segment.new.max(table.end())..end;
                [before, after]
                    .into_iter()
                    .filter(|range| !range.is_empty())
                    .map(move |range| Segment {
                        new: range.start,
                        old: segment.old + (range.start - segment.new),
                        length: range.end - range.start,
                    })
            })
            .collect();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Kind, Region, Span};

    #[test]
    fn a_file_without_the_bytes_of_its_layout_can_not_be_read() {
        let span = Span {
            offset: 0,
            length: 9,
            address: 0,
        };
        let region = Region {
            offset: 4,
            length: 5,
            kind: Kind::X86_64,
        };
        let layout = Layout {
            spans: vec![span],
            regions: vec![region],
        };
        for (old, new) in [(8, 9), (9, 8)] {
            let pair = Pair {
                old: &[0; 9][..old],
                new: &[0; 9][..new],
                layouts: (layout.clone(), layout.clone()),
            };
            let described = pair.describe(&Weights::DEFAULT, &|_, _, _| ControlFlow::Continue(()));
            assert!(matches!(described, Err(DiffError::Read(_))), "{old} {new}");
        }
    }

    #[test]
    fn a_table_of_more_hashes_than_may_be_is_cut() {
        for (pages, left) in [(1, 1), (MAX_PAGES, MAX_PAGES), (MAX_PAGES + 1, MAX_PAGES)] {
            let mut table = HashTable {
                begin: 0,
                covered: pages << 12,
                page_bits: 12,
                at: MAX_PAGES << 13,
            };
            assert_eq!(HashTable::are_sound(&[table], u32::MAX), pages <= MAX_PAGES);
            cut(&mut table);
            assert_eq!(table.pages(), left, "of {pages}");
            assert!(HashTable::are_sound(&[table], u32::MAX), "of {pages}");
        }
    }
}
