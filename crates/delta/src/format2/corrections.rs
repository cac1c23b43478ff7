//! What copied bytes become that are other than they were: as the last time the same bytes were
//! other, or byte by byte. Refuses to know which ones are.

use super::bytes::Bytes;
use super::chance::Chance;
use super::range::{Coder, Stream};
use super::token::{LONGEST, Token};

/// How many tokens are told apart by their hash, as a power of two.
pub(crate) const HASH_BITS: u32 = 14;

/// What was learnt of bytes that are other than they were.
pub(crate) struct Corrections {
    substitutes: Vec<Substitute>,
    substitute_flags: Vec<Chance>,
    flags: Vec<Chance>,
    by_token: Vec<Chance>,
    model: Bytes<3>,
    /// How far the last byte at each place of a token was from what it had been.
    last_delta: [u8; 64],
}

/// What a token became the last time that it was other.
#[derive(Clone, Copy, Default)]
struct Substitute {
    check: u32,
    trust: u8,
    new: [u8; LONGEST],
}

impl Corrections {
    pub(crate) fn new() -> Self {
        Self {
            substitutes: vec![Substitute::default(); 1 << HASH_BITS],
            substitute_flags: vec![Chance::EVEN; 4 * 16 * 4],
            flags: vec![Chance::EVEN; 4 * 16 * 16 * 16],
            by_token: vec![Chance::EVEN; 1 << HASH_BITS],
            model: Bytes::new(13, 4 * 16),
            last_delta: [0; 64],
        }
    }

    /// Codes a token that is other than it was.
    pub(crate) fn token(&mut self, coder: &mut impl Coder, token: &Token<'_>, given: &mut [u8; LONGEST]) {
        coder.enter(Stream::Corrections);
        let hash = token.hash(None);
        let entry = self.substitutes[(hash >> (32 - HASH_BITS)) as usize];
        if entry.trust > 0 && entry.check == hash && entry.new[..token.length] != token.old[..token.length] {
            let trust = u32::from(entry.trust.min(3));
            let context = ((token.mode * 16 + token.size() as u32) * 4 + trust) as usize;
            let other = token.differs(&entry.new);
            if self.substitute_flags[context].code(coder, other) == 0 {
                *given = entry.new;
                self.learn(token, hash, given);
                return;
            }
        }
        self.bytes(coder, token, 0..token.length, given, true);
        self.learn(token, hash, given);
    }

    fn learn(&mut self, token: &Token<'_>, hash: u32, given: &[u8; LONGEST]) {
        let entry = &mut self.substitutes[(hash >> (32 - HASH_BITS)) as usize];
        let same = entry.check == hash && entry.new[..token.length] == given[..token.length];
        let trust = if same { (entry.trust + 1).min(15) } else { 1 };
        *entry = Substitute {
            check: hash,
            trust,
            new: *given,
        };
    }

    /// Codes some bytes of a token one by one. If one of them must be other than `given` is at
    /// first, and all but the last are not, the last is.
    pub(crate) fn bytes(
        &mut self,
        coder: &mut impl Coder,
        token: &Token<'_>,
        range: std::ops::Range<usize>,
        given: &mut [u8; LONGEST],
        one_differs: bool,
    ) {
        coder.enter(Stream::Corrections);
        let mut missed = 0_usize;
        let hash = token.hash(None);
        let last = range.end - 1;
        for at in range {
            let expected = given[at];
            let truth = token.truth.get(at).copied().unwrap_or(expected);
            let sure = one_differs && missed == 0 && at == last;
            let differs = if sure {
                1
            } else {
                let context = ((token.mode as usize * 16 + at) * 16 + token.size()) * 16 + missed.min(15);
                let own =
                    (hash.wrapping_add(at as u32).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize;
                let chance = u32::midpoint(self.flags[context].get(), self.by_token[own].get());
                let bit = coder.code(u32::from(truth != expected), chance.clamp(1, 65535));
                self.flags[context].update(bit, 120);
                self.by_token[own].update(bit, 30);
                bit
            };
            if differs == 1 {
                missed = missed * 2 + 1;
                given[at] = self.byte(coder, token, at, expected, truth);
            }
        }
    }

    fn byte(&mut self, coder: &mut impl Coder, token: &Token<'_>, at: usize, expected: u8, truth: u8) -> u8 {
        let class = (token.mode as usize * 16 + at) & 63;
        let by_delta = expected.wrapping_add(self.last_delta[class]);
        let (wide, expected_wide) = (class as u32, u32::from(expected));
        let contexts = [
            3 << 28 | expected_wide << 8 | token.mode,
            1 << 28 | wide << 20 | expected_wide << 8 | u32::from(by_delta),
            5 << 28 | u32::from(token.old[0]) << 8 | u32::from(token.old[1]) << 16 | wide,
        ]
        .map(|context: u32| context.wrapping_mul(0x2c1b_3c6d) ^ context >> 15);
        let byte = self
            .model
            .code(coder, token.mode as usize * 16 + at, contexts, truth);
        self.last_delta[class] = byte.wrapping_sub(expected);
        byte
    }
}
