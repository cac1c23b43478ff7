//! Which of 16 symbols come in a context, as a distribution that moves towards what came.
//!
//! Refuses to know what the symbols are.

use super::range::Below;
use super::slots::Slot;

/// How many symbols were seen, up to 31.
const AGE: u16 = 31;
/// Set once something came that was not likely.
const SURPRISED: u16 = 32;
/// The rest is of the hash of the context.
const CHECK: u16 = !63;

/// What is above a symbol moves towards this.
const FULL: i16 = 0x7fff;
/// How far a distribution moves by its age, in 1/65536 of the way.
const RATES: [i16; 32] = {
    let mut rates = [0; 32];
    let mut age = 0_u32;
    while age < 32 {
        let slow = if age < 20 { age } else { 20 };
        let rate = 2 * 65536 / (2 * slow + 3);
        rates[age as usize] = if rate > 32767 { 32767 } else { rate as i16 };
        age += 1;
    }
    rates
};

/// By age, below 8.
const CONFIDENCE: [u8; 32] = {
    let mut of = [0; 32];
    let mut age = 1;
    while age < 32 {
        of[age] = match age {
            1..=3 => age as u8,
            4..=6 => 4,
            7..=12 => 5,
            13..=30 => 6,
            _ => 7,
        };
        age += 1;
    }
    of
};

/// What the entries move towards after a symbol.
const GOALS: [[i16; 16]; 16] = {
    let mut goals = [[0; 16]; 16];
    let mut symbol = 0;
    while symbol < 16 {
        let mut above = symbol + 1;
        while above < 16 {
            goals[symbol][above] = FULL;
            above += 1;
        }
        symbol += 1;
    }
    goals
};

/// How many levels of confidence there are.
pub(crate) const CONFIDENCES: usize = 16;

/// The distribution. The first entry tells whose it is and how it did; the others, how much of 32768
/// the symbols before each have. Two of them share a line of the cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Distribution([u16; 16]);

impl Slot for Distribution {
    fn fresh(check: u16) -> Self {
        let mut below = std::array::from_fn(|symbol| 2048 * symbol as u16);
        below[0] = check & CHECK;
        Self(below)
    }

    #[inline]
    fn is(&self, check: u16) -> bool {
        self.0[0] & CHECK == check & CHECK
    }

    #[inline]
    fn age(&self) -> u16 {
        self.0[0] & AGE
    }
}

impl Distribution {
    /// How much it has seen, and whether that was as expected: below [`CONFIDENCES`].
    #[inline]
    pub(crate) fn confidence(&self) -> usize {
        let surprised = usize::from(self.0[0] & SURPRISED) / 4;
        usize::from(CONFIDENCE[usize::from(self.age())]) + surprised
    }

    /// How much of 32768 the symbols before each have.
    #[inline]
    pub(crate) fn below(&self) -> Below {
        let mut below = self.0;
        below[0] = 0;
        below
    }

    /// How much of 32768 a symbol has.
    #[inline]
    pub(crate) fn share(&self, symbol: usize) -> u32 {
        let begin = if symbol == 0 { 0 } else { self.0[symbol & 15] };
        let end = self.0.get(symbol + 1).copied().unwrap_or(1 << 15);
        u32::from(end - begin)
    }

    /// Learns that a symbol came.
    #[inline]
    pub(crate) fn update(&mut self, symbol: usize) {
        let own = self.0[0];
        let age = own & AGE;
        let surprised = if age > 0 && self.share(symbol) < 1 << 14 {
            SURPRISED
        } else {
            0
        };
        let rate = RATES[usize::from(age)];
        for (below, goal) in self.0.iter_mut().zip(&GOALS[symbol & 15]) {
            let apart = goal.wrapping_sub(below.cast_signed());
            // Factors of 16 bits: eight of these products are one instruction.
            let step = ((i32::from(apart) * i32::from(rate)) >> 16) as i16;
            *below = below.wrapping_add_signed(step);
        }
        self.0[0] = (own | surprised) + u16::from(age < AGE);
    }
}
