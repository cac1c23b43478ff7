//! Probabilities that learn: one bit's, and numbers and symbols made of such bits.
//!
//! Refuses to know contexts: who keeps many of these chooses which one is asked.

use super::range::Coder;
use super::tables::Logistic;

/// The probability of a bit, in 22 bits, and how often it was updated, in 10 bits: the first
/// updates move it far, later ones by 1 in `limit` (adaptive rate, as the state maps of lpaq).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance(u32);

/// 65536 / (n + 1.5), rounded down.
const RATES: [u32; 256] = {
    let mut rates = [0; 256];
    let mut n = 0;
    while n < 256 {
        rates[n] = 2 * 65536 / (2 * n as u32 + 3);
        n += 1;
    }
    rates
};

impl Chance {
    pub(crate) const EVEN: Self = Self(1 << 31);

    /// One that holds the bit to be 1 in `chance` of 65536, and moves as if it had been updated
    /// `count` times.
    pub(crate) const fn at(chance: u32, count: u32) -> Self {
        Self(chance << 16 | count)
    }

    /// In 1..=65535.
    #[inline]
    pub(crate) fn get(self) -> u32 {
        (self.0 >> 16).clamp(1, 65535)
    }

    /// Its logit.
    #[inline]
    pub(crate) fn logit(self, logistic: Logistic) -> i16 {
        let chance = self.0 >> 16;
        // Only the outer parts need the fine table.
        if chance.wrapping_sub(512) < 65536 - 1024 {
            logistic.stretch_coarse((chance >> 4) as u16)
        } else {
            logistic.stretch(chance.clamp(1, 65535))
        }
    }

    /// `limit` is below 256.
    #[inline]
    pub(crate) fn update(&mut self, bit: u32, limit: u32) {
        let count = self.0 & 0x3ff;
        let chance = i64::from(self.0 >> 10);
        let goal = i64::from(bit.wrapping_neg() >> 10);
        let moved = chance + (((goal - chance) * i64::from(RATES[(count & 255) as usize])) >> 16);
        self.0 = (moved as u32) << 10 | if count < limit { count + 1 } else { count };
    }

    /// Codes a bit by this alone.
    #[inline]
    pub(crate) fn code(&mut self, coder: &mut impl Coder, bit: u32) -> u32 {
        let bit = coder.code(bit, self.get());
        self.update(bit, 250);
        bit
    }
}

/// A symbol of `BITS` bits, coded from the highest bit down.
#[derive(Clone, Debug)]
pub(crate) struct Symbol<const SIZE: usize>([Chance; SIZE]);

impl<const SIZE: usize> Symbol<SIZE> {
    pub(crate) const fn new() -> Self {
        Self([Chance::EVEN; SIZE])
    }

    /// `SIZE` is a power of two, `value` below it.
    pub(crate) fn code(&mut self, coder: &mut impl Coder, value: u32) -> u32 {
        let bits = SIZE.trailing_zeros();
        let mut node = 1;
        for at in (0..bits).rev() {
            let bit = self.0[node].code(coder, value >> at & 1);
            node = node << 1 | bit as usize;
        }
        node as u32 - SIZE as u32
    }
}

/// Numbers of up to 32 bits: how many bits they have, then the bits below the highest, of which the
/// first `MODELLED` are learnt.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    lengths: Symbol<64>,
    bits: Vec<[Chance; 1 << MODELLED]>,
}

const MODELLED: u32 = 4;

impl Number {
    pub(crate) fn new() -> Self {
        Self {
            lengths: Symbol::new(),
            bits: vec![[Chance::EVEN; 1 << MODELLED]; 33],
        }
    }

    pub(crate) fn code(&mut self, coder: &mut impl Coder, value: u32) -> u32 {
        let length = self.lengths.code(coder, 32 - value.leading_zeros()).min(32);
        if length <= 1 {
            return length;
        }
        let below = length - 1;
        let learnt = below.min(MODELLED);
        let mut node = 1;
        for at in 0..learnt {
            let bit = value >> (below - 1 - at) & 1;
            node = node << 1 | self.bits[length as usize][node].code(coder, bit) as usize;
        }
        let top = node as u32;
        let rest = below - learnt;
        top << rest | coder.raw(value, rest)
    }
}

/// Numbers with a sign.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    sign: Chance,
    positive: Number,
    negative: Number,
}

impl Signed {
    pub(crate) fn new() -> Self {
        Self {
            sign: Chance::EVEN,
            positive: Number::new(),
            negative: Number::new(),
        }
    }

    pub(crate) fn code(&mut self, coder: &mut impl Coder, value: i32) -> i32 {
        let negative = self.sign.code(coder, u32::from(value < 0));
        if negative == 0 {
            self.positive.code(coder, value.cast_unsigned()).cast_signed()
        } else {
            !self.negative.code(coder, (!value).cast_unsigned()).cast_signed()
        }
    }
}
