//! Several opinions on one bit to a single probability: logistic mixing (Mahoney, PAQ7, 2005).
//!
//! Numbers of 16 bits, four or eight of them, since every machine adds and multiplies so many at
//! once.
//! Refuses to know where the opinions come from.

use super::range::Coder;
use super::tables::Logistic;

/// A weight of 1.
const ONE: i32 = 1 << 13;

/// Sets of weights for `OPINIONS` opinions; those that are not there are 0.
pub(crate) struct Mixer<const OPINIONS: usize> {
    weights: Vec<[i16; OPINIONS]>,
    rate: i32,
    logistic: Logistic,
}

impl<const OPINIONS: usize> Mixer<OPINIONS> {
    /// `first` is each weight at the beginning, in hundredths; `rate` how fast they learn.
    pub(crate) fn new(sets: usize, first: i32, rate: i32) -> Self {
        Self {
            weights: vec![[(first * ONE / 100) as i16; OPINIONS]; sets],
            rate,
            logistic: Logistic::new(),
        }
    }

    /// Codes a bit by the opinions as one set weighs them. The set learns from it.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the opinions stay in a register: a third of the time"
    )]
    pub(crate) fn code(
        &mut self,
        coder: &mut impl Coder,
        set: usize,
        logits: [i16; OPINIONS],
        bit: u32,
    ) -> u32 {
        let weights = &mut self.weights[set];
        let mut sum = 0;
        for at in 0..OPINIONS {
            sum += i32::from(weights[at]) * i32::from(logits[at]);
        }
        let chance = self.logistic.squash(sum >> 13);
        let bit = coder.code(bit, chance);
        let error = ((((bit << 16).cast_signed() - chance.cast_signed()) * self.rate) >> 5) as i16;
        for at in 0..OPINIONS {
            let step = ((i32::from(logits[at] << 1) * i32::from(error)) >> 16) as i16;
            weights[at] = weights[at].saturating_add((step + 1) >> 1);
        }
        bit
    }
}
