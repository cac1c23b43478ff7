//! Which bytes are copied from where: the segments, as few bits as they need.
//!
//! Refuses to know how segments are found.

use super::Segment;
use super::chance::{Chance, Number, Signed, Symbol};
use super::range::{Coder, Stream};

/// How many ends of segments are remembered.
const ENDS: usize = 64;

/// What was learnt of segments.
pub(crate) struct Control {
    ways: Vec<Symbol<4>>,
    gaps: Vec<Number>,
    lengths: Vec<Number>,
    near: Vec<Signed>,
    ranks: Symbol<ENDS>,
    resumed: Signed,
    far_sign: Chance,
    far: Number,
    low_bits: Vec<Symbol<16>>,
    /// What followed a gap and a length the last time: an edit that is made in many places.
    habits: Vec<Habit>,
    habit_flags: [Chance; 16],
    previous: (u32, u32),
    /// Where in old segments ended, the last first.
    ends: Vec<u32>,
    previous_way: u32,
    previous_gap: u32,
    /// Where in old and new the last segment ended.
    old: u32,
    new: u32,
}

/// A gap, a distance from the straight continuation, and a length.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Step {
    gap: u32,
    distance: u32,
    length: u32,
}

#[derive(Clone, Copy, Default)]
struct Habit {
    step: Step,
    /// How often it held in a row, 0 for none.
    trust: u8,
}

const HABIT_BITS: u32 = 12;

/// How a segment's place in old is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As far on as the new bytes before it are long.
    Straight,
    /// Not far from that.
    Near,
    /// Near the end of an earlier segment.
    Resume,
    /// Anywhere.
    Far,
}

const NEAR: i64 = 4096;
const RESUME: i64 = 64;

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            ways: vec![Symbol::new(); 4 * 16],
            gaps: vec![Number::new(); 4],
            lengths: vec![Number::new(); 4 * 4],
            near: vec![Signed::new(); 16],
            ranks: Symbol::new(),
            resumed: Signed::new(),
            far_sign: Chance::EVEN,
            far: Number::new(),
            low_bits: vec![Symbol::new(); 16],
            habits: vec![Habit::default(); 1 << HABIT_BITS],
            habit_flags: [Chance::EVEN; 16],
            previous: (0, 0),
            ends: Vec::with_capacity(ENDS + 1),
            previous_way: 0,
            previous_gap: 0,
            old: 0,
            new: 0,
        }
    }

    /// Codes a segment that begins at or after the last one's end. What a decoder gets back may lie
    /// outside both files.
    pub(crate) fn segment(&mut self, coder: &mut impl Coder, truth: Segment) -> Segment {
        coder.enter(Stream::Control);
        let step = Step {
            gap: truth.new.wrapping_sub(self.new),
            distance: truth
                .old
                .wrapping_sub(self.old.wrapping_add(truth.new.wrapping_sub(self.new))),
            length: truth.length,
        };
        let mixed = (u64::from(self.previous.0) << 32 | u64::from(self.previous.1))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (mixed >> (64 - HABIT_BITS)) as usize;
        let Habit { step: usual, trust } = self.habits[place];
        let other = match trust {
            0 => 1,
            _ => self.habit_flags[usize::from(trust & 15)].code(coder, u32::from(step != usual)),
        };
        let segment = if other == 1 {
            self.unusual(coder, truth)
        } else {
            self.usual(usual)
        };
        let gap = segment.new.wrapping_sub(self.new);
        let straight = self.old.wrapping_add(gap);
        let step = Step {
            gap,
            distance: segment.old.wrapping_sub(straight),
            length: segment.length,
        };
        self.habits[place] = Habit {
            step,
            trust: if step == usual { (trust + 1).min(15) } else { 1 },
        };
        if step.distance != 0 {
            self.leave(straight);
        }
        self.previous_gap = 32 - gap.leading_zeros();
        self.previous = (gap, segment.length);
        self.old = segment.old.wrapping_add(segment.length);
        self.new = segment.new.wrapping_add(segment.length);
        segment
    }

    /// The segment that follows as the last time.
    fn usual(&mut self, usual: Step) -> Segment {
        self.previous_way = u32::from(usual.distance != 0);
        Segment {
            new: self.new.wrapping_add(usual.gap),
            old: self.old.wrapping_add(usual.gap).wrapping_add(usual.distance),
            length: usual.length,
        }
    }

    fn unusual(&mut self, coder: &mut impl Coder, truth: Segment) -> Segment {
        let gap = self.gaps[self.previous_way as usize].code(coder, truth.new.wrapping_sub(self.new));
        let new = self.new.wrapping_add(gap);
        let gap_size = 32 - gap.leading_zeros();
        let straight = self.old.wrapping_add(gap);

        let (way, rank) = self.way(truth.old, straight);
        let context = (self.previous_way * 16 + gap_size.min(15)) as usize;
        let way = self.ways[context].code(coder, way as u32);
        let old = match way {
            0 => straight,
            1 => {
                let distance = truth.old.wrapping_sub(straight).cast_signed();
                let near = &mut self.near[gap_size.min(15) as usize];
                straight.wrapping_add(near.code(coder, distance).cast_unsigned())
            }
            2 => {
                let rank = self.ranks.code(coder, rank) as usize;
                let end = self.ends.get(rank).copied().unwrap_or(0);
                let distance = truth.old.wrapping_sub(end).cast_signed();
                end.wrapping_add(self.resumed.code(coder, distance).cast_unsigned())
            }
            _ => {
                // Functions keep their alignment, so the low bits follow from those of new.
                let low = self.low_bits[(new & 15) as usize].code(coder, truth.old & 15);
                let distance = i64::from(truth.old >> 4) - i64::from(straight >> 4);
                let negative = self.far_sign.code(coder, u32::from(distance < 0));
                let distance = self.far.code(coder, distance.unsigned_abs() as u32);
                let high = (straight >> 4).wrapping_add(if negative == 1 {
                    distance.wrapping_neg()
                } else {
                    distance
                });
                high << 4 | low
            }
        };
        let length_context = way * 4 + self.previous_gap.min(3);
        let length = self.lengths[length_context as usize].code(coder, truth.length);

        self.previous_way = way;
        Segment { new, old, length }
    }

    fn way(&self, old: u32, straight: u32) -> (Way, u32) {
        if old == straight {
            return (Way::Straight, 0);
        }
        let from = |place: u32| (i64::from(old) - i64::from(place)).abs();
        if from(straight) < 256 {
            return (Way::Near, 0);
        }
        let rank = (0..self.ends.len())
            .filter(|rank| from(self.ends[*rank]) < RESUME)
            .min_by_key(|rank| (from(self.ends[*rank]).max(1).ilog2() * 2, *rank));
        match rank {
            Some(rank) => (Way::Resume, rank as u32),
            None if from(straight) < NEAR => (Way::Near, 0),
            None => (Way::Far, 0),
        }
    }

    /// Notes where the copying in old was left, unless that place is noted already.
    fn leave(&mut self, end: u32) {
        self.ends
            .retain(|other| (i64::from(*other) - i64::from(end)).abs() >= 16);
        self.ends.insert(0, end);
        self.ends.truncate(ENDS);
    }
}
