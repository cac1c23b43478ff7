//! A byte by what is known around it: each half of it by a mix of the distributions that its
//! contexts have seen.
//!
//! Distributions over halves of bytes as in LZNA (Bloom, 2015), mixed by weights that learn from
//! what each one expected (one step of expectation maximization for each symbol). A sixth of the
//! work of mixing bit by bit, for a few hundredths more of size. Refuses to know what a context is.

use super::distribution::{CONFIDENCES, Distribution};
use super::range::{Below, Coder};
use super::slots::Slots;

/// What a weight is at first, by confidence.
const FIRST: [u16; CONFIDENCES] = [
    100, 2500, 5000, 8000, 10000, 14000, 16000, 18000, 100, 1000, 1500, 2000, 3000, 4000, 5000, 6000,
];
const LEAST: i32 = 32;
const MOST: i32 = 60_000;

/// A model of bytes with `CONTEXTS` contexts for each, at most 8.
pub(crate) struct Bytes<const CONTEXTS: usize> {
    slots: Slots<Distribution>,
    /// By set and half, of each context by its confidence.
    weights: Vec<[[u16; CONFIDENCES]; CONTEXTS]>,
}

impl<const CONTEXTS: usize> Bytes<CONTEXTS> {
    /// With 2^`bits` slots for contexts, and `sets` sets of weights.
    pub(crate) fn new(bits: u32, sets: usize) -> Self {
        Self {
            slots: Slots::new(bits),
            weights: vec![[FIRST; CONTEXTS]; 2 * sets],
        }
    }

    /// Codes a byte by the weights of a set.
    #[inline]
    pub(crate) fn code(
        &mut self,
        coder: &mut impl Coder,
        set: usize,
        contexts: [u32; CONTEXTS],
        truth: u8,
    ) -> u8 {
        let places = contexts.map(|context| self.slots.find(context, 0));
        let high = self.half(coder, 2 * set, places, truth >> 4);
        let places = contexts.map(|context| self.slots.find(context, u32::from(high) + 1));
        let low = self.half(coder, 2 * set + 1, places, truth & 15);
        high << 4 | low
    }

    #[inline]
    fn half(&mut self, coder: &mut impl Coder, set: usize, places: [usize; CONTEXTS], truth: u8) -> u8 {
        let weights = &mut self.weights[set];
        let slots = &mut self.slots;
        let confidences = places.map(|place| slots.get(place).confidence());
        let mut shares = [0; CONTEXTS];
        for at in 0..CONTEXTS {
            shares[at] = u32::from(weights[at][confidences[at]]);
        }
        // Of 65536, all together.
        let unit = (65535 << 12) / shares.iter().sum::<u32>();
        let shares = shares.map(|share| ((share * unit) >> 12) as u16);
        let mut mixed: Below = [0; 16];
        for at in 0..CONTEXTS {
            // Factors of 16 bits: eight of these products are one instruction.
            let (below, share) = (slots.get(places[at]).below(), shares[at]);
            for (mixed, below) in mixed.iter_mut().zip(below) {
                *mixed += ((u32::from(below) * u32::from(share)) >> 16) as u16;
            }
        }
        for (symbol, mixed) in mixed.iter_mut().enumerate() {
            // None is impossible.
            *mixed = *mixed - (*mixed >> 10) + 2 * symbol as u16;
        }
        let symbol = coder.symbol(truth.into(), &mixed);
        // Of what was expected of it, how much came from each?
        let mut parts = [0; CONTEXTS];
        for at in 0..CONTEXTS {
            parts[at] = (slots.get(places[at]).share(symbol) * u32::from(shares[at])) >> 8;
        }
        let unit = (1 << 31) / (parts.iter().sum::<u32>() + 1);
        for at in 0..CONTEXTS {
            let part = ((u64::from(parts[at]) * u64::from(unit)) >> 15) as i32;
            let weight = &mut weights[at][confidences[at]];
            let old = i32::from(*weight);
            let moved = old + ((old * ((part - i32::from(shares[at])) >> 4)) >> 13);
            *weight = moved.clamp(LEAST, MOST) as u16;
            slots.get_mut(places[at]).update(symbol);
        }
        symbol as u8
    }
}
