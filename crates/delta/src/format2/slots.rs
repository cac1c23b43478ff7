//! A table of fixed size from contexts to the 15 probabilities of half a byte.
//!
//! A slot is found by the hash of its context and checked by 16 bits of it. Where two contexts want
//! one place the one that was used less goes. Refuses to know what a context is.

use super::tables::Logistic;

/// A probability in 12 bits and a count in 4.
const FRESH: u16 = 2048 << 4;
/// How far a probability of this count moves, in 1/65536 of the way.
const RATES: [i32; 16] = [
    40000, 26000, 19000, 15000, 12400, 10500, 9100, 8000, 7200, 6500, 6000, 5500, 5100, 4700, 4400, 4100,
];

/// The first entry checks, the others are the probabilities. Two slots share a line of the cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Slot([u16; 16]);

/// The table.
pub(crate) struct Slots {
    slots: Vec<Slot>,
    shift: u32,
}

impl Slots {
    /// With 2^`bits` slots of 32 bytes.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            slots: vec![fresh(0); 1 << bits],
            shift: 32 - bits,
        }
    }

    /// The place of a context, taken for it if it was another's.
    #[inline]
    pub(crate) fn find(&mut self, context: u32) -> usize {
        let mixed = context.wrapping_mul(0x9e37_79b1);
        let check = (mixed & 0xffff) as u16 | 1;
        let place = (mixed >> self.shift) as usize;
        if self.slots[place].0[0] == check {
            return place;
        }
        let other = place ^ 1;
        if self.slots[other].0[0] == check {
            return other;
        }
        let worse = if self.slots[place].0[1] & 15 <= self.slots[other].0[1] & 15 {
            place
        } else {
            other
        };
        self.slots[worse] = fresh(check);
        worse
    }

    #[inline]
    pub(crate) fn read(&self, place: usize) -> Half {
        Half(self.slots[place].0)
    }

    #[inline]
    pub(crate) fn write(&mut self, place: usize, half: Half) {
        self.slots[place].0 = half.0;
    }
}

/// The probabilities of half a byte, taken out of the table while they are in use.
#[derive(Clone, Copy)]
pub(crate) struct Half([u16; 16]);

impl Half {
    /// The logit of a node 1..=15; 0 if it was never used.
    #[inline]
    pub(crate) fn logit(&self, node: usize, logistic: Logistic) -> i16 {
        let entry = self.0[node & 15];
        let logit = logistic.stretch_coarse(entry >> 4);
        let unused = entry.trailing_zeros() >= 4;
        if unused { 0 } else { logit }
    }

    #[inline]
    pub(crate) fn update(&mut self, node: usize, bit: u32) {
        let entry = &mut self.0[node & 15];
        let chance = i32::from(*entry >> 4);
        let count = *entry & 15;
        let goal = bit.cast_signed().wrapping_neg() & 4095;
        let step = (goal - chance) * RATES[usize::from(count)];
        let moved = chance + ((step + 32768) >> 16);
        *entry = (moved as u16) << 4 | (count + 1).min(15);
    }
}

const fn fresh(check: u16) -> Slot {
    let mut slot = [FRESH; 16];
    slot[0] = check;
    Slot(slot)
}
