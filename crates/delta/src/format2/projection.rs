//! From an address of the old file to the address of the same thing in the new one.
//!
//! Two sources: the segments, which are known before the first byte is made, and what references
//! turned out to mean so far. Refuses to know how references are found and coded.

use crate::layout::{Layout, Span};

use super::Segment;

/// Into how many stretches the old file is cut so that a piece is found soon.
const BUCKETS: u32 = 1 << 12;

/// The addresses that segments lead to.
pub(crate) struct Projection {
    /// Disjoint, sorted by `old`.
    pieces: Vec<Segment>,
    /// How many pieces begin before each of [`BUCKETS`] equal stretches of old, and before the end.
    before: Vec<u32>,
    /// How long a stretch is, as a power of two.
    bucket_bits: u32,
    old: Vec<Span>,
    new: Vec<Span>,
}

impl Projection {
    /// Where segments overlap in old the longest one counts; of two as long, the first in new. Without
    /// regions there are no references, and nothing is made.
    pub(crate) fn new(segments: &[Segment], old: &Layout, new: &Layout) -> Self {
        let pieces = if old.regions.is_empty() {
            Vec::new()
        } else {
            pieces(segments)
        };
        let end = pieces.last().map_or(0, |last| last.old);
        let bucket_bits = (u32::BITS - end.leading_zeros()).saturating_sub(BUCKETS.ilog2());
        let begin = |bucket: u32| u64::from(bucket) << bucket_bits;
        let before = (0..=BUCKETS)
            .map(|bucket| pieces.partition_point(|piece| u64::from(piece.old) < begin(bucket)) as u32)
            .collect();
        Self {
            pieces,
            before,
            bucket_bits,
            old: old.spans.clone(),
            new: new.spans.clone(),
        }
    }

    /// How many pieces begin at `offset` or before it.
    #[inline]
    fn after(&self, offset: u32) -> usize {
        let bucket = (offset >> self.bucket_bits) as usize;
        match self.before.get(bucket..bucket + 2) {
            Some([from, to]) => {
                let (from, to) = (*from as usize, *to as usize);
                from + self.pieces[from..to].partition_point(|piece| piece.old <= offset)
            }
            _ => self.pieces.len(),
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
        let after = self.after(offset);
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

/// What can be seen of a segment behind those that count more. That is always one stretch: one that
/// counts more is as long or longer, so it hides all of it, its beginning or its end.
#[derive(Clone, Copy)]
struct Seen {
    /// The number of the segment.
    number: u32,
    /// Where in old it begins and ends.
    begin: u32,
    end: u32,
}

/// Which bytes of old lead where: at most as many pieces as there are segments, made in their own place.
fn pieces(segments: &[Segment]) -> Vec<Segment> {
    // The list of what is seen grows over that of what was looked at: one is never ahead of the other.
    let mut seen: Vec<Seen> = Vec::with_capacity(segments.len());
    seen.extend((0_u32..).zip(segments).map(|(number, segment)| Seen {
        number,
        begin: segment.old,
        end: segment.old + segment.length,
    }));
    seen.sort_unstable_by_key(|segment| (segment.begin, segment.number));
    let rank = |seen: &Seen| (segments[seen.number as usize].length, u32::MAX - seen.number);
    let mut count = 0;
    for at in 0..seen.len() {
        let mut next = seen[at];
        while let Some(last) = seen[..count].last_mut() {
            if rank(&next) < rank(last) {
                next.begin = next.begin.max(last.end);
                break;
            }
            // From here on there is nothing left to see of the last one.
            last.end = last.end.min(next.begin);
            if last.begin < last.end {
                break;
            }
            count -= 1;
        }
        if next.begin < next.end {
            seen[count] = next;
            count += 1;
        }
    }
    seen.truncate(count);
    let piece = |seen: Seen| {
        let segment = segments[seen.number as usize];
        Segment {
            new: segment.new + (seen.begin - segment.old),
            old: seen.begin,
            length: seen.end - seen.begin,
        }
    };
    // As large as before, so the standard library makes them in the same place.
    let mut pieces: Vec<Segment> = seen.into_iter().map(piece).collect();
    pieces.dedup_by(|next, last| {
        let goes_on = last.old + last.length == next.old && last.new + last.length == next.new;
        if goes_on {
            last.length += next.length;
        }
        goes_on
    });
    pieces
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Which byte of new each byte of old leads to, by the words of the format.
    fn leads(segments: &[Segment], old_bytes: u32) -> Vec<Option<u32>> {
        let holds = |segment: &&Segment, at| segment.old <= at && at < segment.old + segment.length;
        let counts = |at| {
            let holding = segments.iter().filter(|segment| holds(segment, at));
            holding.min_by_key(|segment| (u32::MAX - segment.length, segment.new))
        };
        (0..old_bytes)
            .map(|at| counts(at).map(|segment| segment.new + (at - segment.old)))
            .collect()
    }

    proptest! {
        #[test]
        fn of_segments_that_overlap_the_longest_counts(
            found in vec((0_u32..4, 0_u32..60, 1_u32..20), 0..12),
        ) {
            let mut end = 0;
            let segments: Vec<_> = found
                .into_iter()
                .map(|(gap, old, length)| {
                    let new = end + gap;
                    end = new + length;
                    Segment { new, old, length }
                })
                .collect();
            let pieces = pieces(&segments);
            prop_assert!(pieces.len() <= segments.len());
            let mut told = vec![None; 80];
            for piece in &pieces {
                for at in 0..piece.length {
                    let place = &mut told[(piece.old + at) as usize];
                    prop_assert_eq!(*place, None, "two pieces hold {}", piece.old + at);
                    *place = Some(piece.new + at);
                }
            }
            prop_assert_eq!(told, leads(&segments, 80));
            for pair in pieces.windows(2) {
                let end = (pair[0].old + pair[0].length, pair[0].new + pair[0].length);
                prop_assert!(end.0 <= pair[1].old, "sorted");
                prop_assert!(end != (pair[1].old, pair[1].new), "what goes on is one piece");
            }
        }
    }
}
