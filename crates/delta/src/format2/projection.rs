//! From an address of the old file to the address of the same thing in the new one.
//!
//! Two sources: the segments, which are known before the first byte is made, and what references
//! turned out to mean so far. Refuses to know how references are found and coded.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::layout::{Layout, Span};

use super::Segment;

/// The addresses that segments lead to.
pub(crate) struct Projection {
    /// Disjoint, sorted by `old`.
    pieces: Vec<Segment>,
    old: Vec<Span>,
    new: Vec<Span>,
}

impl Projection {
    /// Where segments overlap in old the longest one counts; of two as long, the first in new.
    pub(crate) fn new(segments: &[Segment], old: &Layout, new: &Layout) -> Self {
        let mut sorted: Vec<u32> = (0..segments.len() as u32).collect();
        sorted.sort_unstable_by_key(|at| (segments[*at as usize].old, *at));
        let mut pieces: Vec<Segment> = Vec::with_capacity(segments.len());
        // Those that hold the place of the sweep, the longest first, then the first in new.
        let mut open: BinaryHeap<(u32, Reverse<u32>)> = BinaryHeap::new();
        let mut at = 0;
        let mut next = sorted.into_iter().peekable();
        loop {
            while let Some((_, Reverse(top))) = open.peek()
                && segments[*top as usize].old + segments[*top as usize].length <= at
            {
                open.pop();
            }
            let begins = next.peek().map(|number| segments[*number as usize].old);
            match (open.peek(), begins) {
                (None, None) => break,
                (None, Some(begin)) => at = begin,
                (Some((_, Reverse(top))), _) => {
                    let piece = segments[*top as usize];
                    let end = (piece.old + piece.length).min(begins.unwrap_or(u32::MAX));
                    if end > at {
                        push(&mut pieces, piece, at, end);
                        at = end;
                    }
                }
            }
            while let Some(number) = next.next_if(|number| segments[*number as usize].old == at) {
                open.push((segments[number as usize].length, Reverse(number)));
            }
        }
        Self {
            pieces,
            old: old.spans.clone(),
            new: new.spans.clone(),
        }
    }

    /// Where `target` has probably gone.
    pub(crate) fn project(&self, target: u32) -> Projected {
        let Some(at) = span_of_address(&self.old, target) else {
            return Projected::alike(target);
        };
        let span = self.old[at];
        let inside = target - span.address;
        if inside > span.length {
            // No bytes of the file: what has none moves with the end of those that are there.
            let new = self.new.get(at).copied().unwrap_or(span);
            let end = span.address.wrapping_add(span.length);
            let new_end = new.address.wrapping_add(new.length);
            return Projected::alike(target.wrapping_sub(end).wrapping_add(new_end));
        }
        let offset = span.offset + inside;
        let after = self.pieces.partition_point(|piece| piece.old <= offset);
        let piece = |at: usize| self.pieces.get(at).copied();
        let to = |piece: Segment| address(&self.new, offset.wrapping_sub(piece.old).wrapping_add(piece.new));
        let before = after.checked_sub(1).and_then(piece);
        let end = match before {
            // The end of one thing, more than the beginning of the next.
            Some(this) if this.old == offset => after.checked_sub(2).and_then(piece).map_or(to(this), to),
            Some(this) => to(this),
            None => target,
        };
        Projected {
            to: before.map_or(target, to),
            exact: before.is_some_and(|piece| offset - piece.old < piece.length),
            end,
            following: piece(after).map_or(target, to),
        }
    }
}

fn push(pieces: &mut Vec<Segment>, piece: Segment, at: u32, end: u32) {
    let new = piece.new + (at - piece.old);
    match pieces.last_mut() {
        Some(last) if last.old + last.length == at && last.new + last.length == new => {
            last.length += end - at;
        }
        _ => pieces.push(Segment {
            new,
            old: at,
            length: end - at,
        }),
    }
}

/// Where an old target has probably gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projected {
    /// Where the segment leads that holds it, or the last one before it.
    pub(crate) to: u32,
    /// Whether a segment holds it.
    pub(crate) exact: bool,
    /// Where the segment leads that holds the byte before it.
    pub(crate) end: u32,
    /// Where the first segment leads that begins after it.
    pub(crate) following: u32,
}

impl Projected {
    fn alike(to: u32) -> Self {
        Self {
            to,
            exact: false,
            end: to,
            following: to,
        }
    }
}

/// The span that holds an address, or the last one that begins before it.
fn span_of_address(spans: &[Span], address: u32) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (at, span) in spans.iter().enumerate() {
        if span.address <= address && best.is_none_or(|best| spans[best].address <= span.address) {
            best = Some(at);
        }
    }
    best
}

/// The address of an offset. Outside all spans the offset is the address.
pub(crate) fn address(spans: &[Span], offset: u32) -> u32 {
    let after = spans.partition_point(|span| span.offset <= offset);
    match after.checked_sub(1).map(|at| spans[at]) {
        Some(span) => span.address.wrapping_add(offset - span.offset),
        None => offset,
    }
}

/// What old targets have become so far: a table of fixed size, one place for each hash.
pub(crate) struct Learnt {
    entries: Vec<Entry>,
    shift: u32,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    old: u32,
    new: u32,
    /// How often it held in a row, 0 for an empty entry.
    trust: u8,
}

const MOST_TRUST: u8 = 15;

impl Learnt {
    /// With 2^`bits` entries of 12 bytes.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            entries: vec![Entry::default(); 1 << bits],
            shift: 32 - bits,
        }
    }

    #[inline]
    fn place(&self, old: u32) -> usize {
        (old.wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }

    /// What `old` became last, and how often in a row.
    #[inline]
    pub(crate) fn get(&self, old: u32) -> Option<(u32, u8)> {
        let entry = self.entries[self.place(old)];
        (entry.trust > 0 && entry.old == old).then_some((entry.new, entry.trust))
    }

    /// Notes that `old` became `new`. Another target's entry loses trust before it loses its place.
    #[inline]
    pub(crate) fn set(&mut self, old: u32, new: u32) {
        let place = self.place(old);
        let entry = &mut self.entries[place];
        if entry.trust > 0 && entry.old != old {
            entry.trust -= 1;
            if entry.trust > 0 {
                return;
            }
        }
        if entry.trust > 0 && entry.new == new {
            entry.trust = (entry.trust + 1).min(MOST_TRUST);
        } else {
            *entry = Entry { old, new, trust: 1 };
        }
    }
}
