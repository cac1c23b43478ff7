//! New bytes of files that are no executables: bit by bit, by contexts that reach far back.
//!
//! Bitwise mixing after Mahoney's lpaq (2007), over contexts of our own. Slower than what executables
//! get, and smaller; text has few new bytes. Refuses to know which bytes are new.

use super::chance::Chance;
use super::history::{History, LONGEST, hash, last};
use super::mixer::Mixer;
use super::range::Coder;
use super::slots::{Slot, Slots};
use super::tables::Logistic;

/// How many bytes are remembered, as a power of two.
const HISTORY_BITS: u32 = 23;
/// How many contexts give an opinion on each bit, beside two others.
const CONTEXTS: usize = 6;
/// Matches of the last bytes that are longer count as this long.
const LONGEST_OPINION: u32 = 31;
/// The byte after a match of so many bytes is asked for by itself.
const SURE: u32 = 16;

/// What was learnt of new bytes.
pub(crate) struct Text {
    logistic: Logistic,
    pub(crate) history: History<2>,
    sure: Vec<Chance>,
    slots: Slots<Half>,
    order0: Vec<Chance>,
    by_match: Vec<Chance>,
    mixer: Mixer<8>,
}

impl Text {
    /// With 2^`bits` slots for contexts.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            logistic: Logistic::new(),
            history: History::new(HISTORY_BITS, 19),
            sure: vec![Chance::at(3000, 2); LONGEST as usize + 1],
            slots: Slots::new(bits),
            order0: vec![Chance::EVEN; 256],
            by_match: vec![Chance::EVEN; LONGEST_OPINION as usize + 1],
            mixer: Mixer::new(16 * 4, 30, 3),
        }
    }

    /// Codes a byte after `recent`.
    pub(crate) fn byte(&mut self, coder: &mut impl Coder, recent: u64, truth: u8) -> u8 {
        let mut guess = None;
        if let Some((expected, length)) = self.history.expected() {
            if length < SURE {
                guess = Some((expected, length));
            } else {
                // Not worth a look at anything else. If it is another byte the match says no more.
                let sure = &mut self.sure[length as usize];
                if sure.code(coder, u32::from(truth != expected)) == 0 {
                    self.history.remember(recent, expected);
                    return expected;
                }
            }
        }
        let contexts = contexts(recent);
        let mut byte = 1_u32;
        for half in 0..2 {
            let salt = if half == 0 { 0 } else { byte & 15 | 16 };
            let places = contexts.map(|context| self.slots.find(context, salt.saturating_sub(15)));
            self.half(coder, places, guess, &mut byte, truth);
        }
        let byte = byte as u8;
        self.history.remember(recent, byte);
        byte
    }

    /// Codes 4 more bits of a byte.
    #[inline]
    fn half(
        &mut self,
        coder: &mut impl Coder,
        places: [usize; CONTEXTS],
        guess: Option<(u8, u32)>,
        byte: &mut u32,
        truth: u8,
    ) {
        let mut halves = places.map(|place| *self.slots.get(place));
        let (expected, length) = guess.unwrap_or((0, 0));
        let expected = u32::from(expected) | 256;
        let mut node = 1_usize;
        for _ in 0..4 {
            // How many bits are to come after this one.
            let shift = byte.leading_zeros() - 24;
            // The match speaks while the byte so far is the one that it expects.
            let speaks = length > 0 && expected >> (shift + 1) == *byte;
            let bit_expected = expected >> shift & 1;
            let (mut by_match, mut set) = (0, 0);
            if speaks {
                let logit = self.by_match[length as usize].logit(self.logistic);
                by_match = if bit_expected == 1 { logit } else { -logit };
                set = 1 + usize::from(length > 7);
            }
            let logit = |at: usize| halves[at].logit(node, self.logistic);
            let order0 = *byte as usize;
            let logits = [
                logit(0),
                logit(1),
                logit(2),
                logit(3),
                logit(4),
                logit(5),
                self.order0[order0].logit(self.logistic),
                by_match,
            ];
            let bit = u32::from(truth) >> shift & 1;
            let bit = self.mixer.code(coder, node * 4 + set, logits, bit);
            for half in &mut halves {
                half.update(node, bit);
            }
            self.order0[order0].update(bit, 120);
            if speaks {
                self.by_match[length as usize].update(u32::from(bit == bit_expected), 120);
            }
            node = node << 1 | bit as usize;
            *byte = *byte << 1 | bit;
        }
        for (place, half) in places.into_iter().zip(halves) {
            *self.slots.get_mut(place) = half;
        }
    }
}

fn contexts(recent: u64) -> [u32; CONTEXTS] {
    [
        hash(1, last(recent, 1), 0),
        hash(2, last(recent, 2), 0),
        hash(3, last(recent, 3), 0),
        hash(4, last(recent, 4), 0),
        hash(5, last(recent, 6), 0),
        hash(6, word(recent).into(), 0),
    ]
}

/// A hash of the letters and digits before, and of the one byte before them.
#[inline]
pub(crate) fn word(recent: u64) -> u32 {
    let mut word = 0_u32;
    for back in 0..8 {
        let byte = (recent >> (8 * back)) as u8;
        word = word.wrapping_mul(0x2f0b_4c47).wrapping_add(u32::from(byte) + 1);
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 128) {
            break;
        }
    }
    word
}

/// The 15 probabilities of half a byte, each in 12 bits with a count in 4. The first entry checks.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Half([u16; 16]);

/// How far a probability of this count moves, in 1/65536 of the way.
const RATES: [i32; 16] = [
    40000, 26000, 19000, 15000, 12400, 10500, 9100, 8000, 7200, 6500, 6000, 5500, 5100, 4700, 4400, 4100,
];

impl Slot for Half {
    fn fresh(check: u16) -> Self {
        let mut half = [2048 << 4; 16];
        half[0] = check;
        Self(half)
    }

    #[inline]
    fn is(&self, check: u16) -> bool {
        self.0[0] == check
    }

    #[inline]
    fn age(&self) -> u16 {
        self.0[1] & 15
    }
}

impl Half {
    /// The logit of a node 1..=15; 0 if it was never used.
    #[inline]
    fn logit(&self, node: usize, logistic: Logistic) -> i16 {
        let entry = self.0[node & 15];
        let logit = logistic.stretch_coarse(entry >> 4);
        let unused = entry.trailing_zeros() >= 4;
        if unused { 0 } else { logit }
    }

    #[inline]
    fn update(&mut self, node: usize, bit: u32) {
        let entry = &mut self.0[node & 15];
        let chance = i32::from(*entry >> 4);
        let count = *entry & 15;
        let goal = bit.cast_signed().wrapping_neg() & 4095;
        let step = (goal - chance) * RATES[usize::from(count)];
        let moved = chance + ((step + 32768) >> 16);
        *entry = (moved as u16) << 4 | (count + 1).min(15);
    }
}
