//! A layout in the making: whatever a parser claims, cut down to what a layout may say.
//!
//! Refuses to know executable formats. Earlier claims win: a parser claims what it knows best first,
//! and what it claims later is cut around that.

use crate::layout::{Form, Kind, MAX_REGIONS, MAX_SPANS, Probe, Region, Span};

/// Regions shorter than this are not worth their place in the patch.
const SHORTEST: u32 = 64;

/// A region with the name by which its counterpart in the other release is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) region: Region,
}

/// A layout in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// Format and machine: two releases are compared only if these are equal.
    pub(super) machine: String,
    /// Sorted by offset, disjoint in offsets and in addresses.
    pub(super) spans: Vec<Span>,
    /// Sorted by offset, disjoint, each in one span.
    pub(super) regions: Vec<Named>,
    /// The first address after the image, what has no bytes in the file included.
    pub(super) extent: u32,
    file: u32,
}

impl Draft {
    /// Of a file with `file` bytes.
    pub(super) fn new(machine: String, file: u64) -> Self {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        Self {
            machine,
            spans: Vec::new(),
            regions: Vec::new(),
            extent: 0,
            file,
        }
    }

    /// Claims that `length` bytes at `offset` are mapped at `address`, as far as the file has them
    /// and no earlier span does.
    pub(super) fn span(&mut self, offset: u64, length: u64, address: u64) {
        let Some((begin, end)) = clip(offset, length, self.file) else {
            return;
        };
        let Ok(address) = u32::try_from(address) else {
            return;
        };
        let taken = self
            .spans
            .iter()
            .map(|span| (span.offset, span.offset + span.length));
        // Only the first free piece: a file that maps bytes twice isn't worth more.
        let Some((from, to)) = free(taken, begin, end).into_iter().next() else {
            return;
        };
        let Some(address) = address.checked_add(from - begin) else {
            return;
        };
        let Some(last) = address.checked_add(to - from) else {
            return;
        };
        let apart = |span: &Span| last <= span.address || span.address + span.length <= address;
        if self.spans.len() >= MAX_SPANS || !self.spans.iter().all(apart) {
            return;
        }
        let place = self.spans.partition_point(|span| span.offset < from);
        self.spans.insert(
            place,
            Span {
                offset: from,
                length: to - from,
                address,
            },
        );
        self.extent = self.extent.max(last);
    }

    /// Claims references in `length` bytes at `offset`, as far as they are mapped and not claimed
    /// yet. Pieces begin where addresses are multiples of `align`.
    pub(super) fn region(&mut self, name: &str, offset: u64, length: u64, align: u32, kind: &Kind) {
        let Some((begin, end)) = clip(offset, length, self.file) else {
            return;
        };
        let taken = self.regions.iter().map(|named| {
            let region = &named.region;
            (region.offset, region.offset + region.length)
        });
        for (from, to) in free(taken, begin, end) {
            let within: Vec<Span> = self
                .spans
                .iter()
                .filter(|span| span.offset < to && from < span.offset + span.length)
                .copied()
                .collect();
            for span in within {
                let from = from.max(span.offset);
                let to = to.min(span.offset + span.length);
                let address = span.address + (from - span.offset);
                let skip = (align - address % align) % align;
                if to - from >= skip.saturating_add(SHORTEST) && self.regions.len() < MAX_REGIONS {
                    let place = self.regions.partition_point(|named| named.region.offset < from);
                    let region = Region {
                        offset: from + skip,
                        length: to - from - skip,
                        kind: kind.clone(),
                    };
                    self.regions.insert(
                        place,
                        Named {
                            name: name.to_owned(),
                            region,
                        },
                    );
                }
            }
        }
    }

    /// As [`Self::region`], for bytes that are known by their address.
    pub(super) fn region_at(&mut self, name: &str, address: u64, length: u64, align: u32, kind: &Kind) {
        if let Some(offset) = self.offset(address) {
            self.region(name, offset, length, align, kind);
        }
    }

    /// Where in the file the byte at `address` is.
    pub(super) fn offset(&self, address: u64) -> Option<u64> {
        self.spans.iter().find_map(|span| {
            let into = address.checked_sub(u64::from(span.address))?;
            (into < u64::from(span.length)).then(|| u64::from(span.offset) + into)
        })
    }

    /// At which address the byte at `offset` is.
    pub(super) fn address(&self, offset: u64) -> Option<u32> {
        self.spans.iter().find_map(|span| {
            let into = offset.checked_sub(u64::from(span.offset))?;
            (into < u64::from(span.length)).then_some(span.address + u32::try_from(into).ok()?)
        })
    }
}

/// `offset` and its end, as far as the file reaches. None if nothing is left.
fn clip(offset: u64, length: u64, file: u32) -> Option<(u32, u32)> {
    let begin = u32::try_from(offset).ok()?;
    let end = offset.saturating_add(length).min(u64::from(file));
    let end = u32::try_from(end).ok()?;
    (begin < end).then_some((begin, end))
}

/// What of `begin..end` is outside of `taken`, which is sorted and disjoint.
fn free(taken: impl Iterator<Item = (u32, u32)>, begin: u32, end: u32) -> Vec<(u32, u32)> {
    let mut pieces = Vec::new();
    let mut at = begin;
    for (from, to) in taken {
        if from >= end {
            break;
        }
        if from > at {
            pieces.push((at, from));
        }
        at = at.max(to);
    }
    if at < end {
        pieces.push((at, end));
    }
    pieces
}

/// Which targets are accepted: `low..high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Range {
    /// Grows to hold `low..high`.
    pub(super) fn include(&mut self, low: u32, high: u32) {
        if self.low == self.high {
            *self = Self { low, high };
        } else {
            self.low = self.low.min(low);
            self.high = self.high.max(high);
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.low >= self.high
    }

    /// A probe that accepts these targets.
    pub(super) fn probe(self, stride: u16, phase: u16, form: Form) -> Probe {
        Probe {
            stride,
            phase,
            form,
            low: self.low,
            high: self.high,
            align: 0,
        }
    }
}
