//! Bytes that are copied with corrections: token by token, is it what was expected, and if not, what
//! is it.
//!
//! A token is an instruction, a word of data, or what is left of one at a segment's edge. What is
//! expected of it are its old bytes, with its reference led to where the target has gone. Refuses
//! to know where tokens come from.

use super::bytes::Bytes;
use super::chance::{Chance, Signed};
use super::mixer::Mixer;
use super::old::LONGEST_TOKEN;
use super::range::{Coder, Stream};
use super::tables::Logistic;

const LONGEST: usize = LONGEST_TOKEN as usize;

/// A token of the old file, as it is copied.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    /// Its old bytes, and zeros after them.
    pub(crate) old: [u8; LONGEST],
    pub(crate) length: usize,
    /// 0 data without a rule, 1 x86-64, 2 AArch64, 3 words of data.
    pub(crate) mode: u32,
}

/// The reference of a token.
#[derive(Clone, Copy)]
pub(crate) struct Guess {
    /// Where its field is in the token.
    pub(crate) at: usize,
    pub(crate) length: usize,
    /// See [`crate::scan::ReferenceKind::context`].
    pub(crate) kind: u32,
    /// What the field is expected to be, best first; the first `candidates` count.
    pub(crate) fields: [[u8; 8]; CANDIDATES],
    pub(crate) candidates: usize,
    /// By which ways each candidate was found, a bit for each way.
    pub(crate) ways: [u32; CANDIDATES],
    /// How far what was learnt of the target can be trusted, 0..=3, and whether a segment holds it.
    pub(crate) trust: u32,
}

/// How many guesses a reference may have.
pub(crate) const CANDIDATES: usize = 5;

/// After so many tokens as expected a miss is not looked for closely.
const CALM: u32 = 12;
const HASHED: usize = 1 << 14;

/// What was learnt of copied tokens.
pub(crate) struct Copying {
    logistic: Logistic,
    /// One bit for each of the last tokens: 1 if it was not as expected.
    history: u32,
    reference_history: u32,
    since_miss: u32,

    hit_flags: Mixer<4>,
    by_history: Vec<Chance>,
    by_token: Vec<Chance>,
    by_head: Vec<Chance>,
    by_calm: Vec<Chance>,
    by_trust: Vec<Chance>,

    candidate_flags: Vec<Chance>,
    rest_flags: Vec<Chance>,
    distances: Vec<Signed>,

    substitutes: Vec<Substitute>,
    substitute_flags: Vec<Chance>,

    byte_flags: Vec<Chance>,
    byte_tokens: Vec<Chance>,
    bytes: Bytes<5>,
    last_delta: [u8; 64],
}

#[derive(Clone, Copy, Default)]
struct Substitute {
    check: u32,
    trust: u8,
    new: [u8; LONGEST],
}

impl Copying {
    pub(crate) fn new() -> Self {
        // A miss is rare.
        let calm = Chance::at(2000, 2);
        Self {
            logistic: Logistic::new(),
            history: 0,
            reference_history: 0,
            since_miss: 0,
            hit_flags: Mixer::new(4 * 2 * 256, 30, 2),
            by_history: vec![calm; 4 * 2 * 16 * 256],
            by_token: vec![calm; HASHED],
            by_head: vec![calm; HASHED],
            by_calm: vec![calm; 4 * 8 * 16 * 4],
            by_trust: vec![calm; 64 * 64 * 8 * 4],
            candidate_flags: vec![Chance::EVEN; 64 * 64],
            rest_flags: vec![Chance::at(6000, 2); 64 * 4],
            distances: vec![Signed::new(); 64],
            substitutes: vec![Substitute::default(); 1 << 14],
            substitute_flags: vec![Chance::EVEN; 4 * 16 * 4],
            byte_flags: vec![Chance::EVEN; 4 * 16 * 16 * 16],
            byte_tokens: vec![Chance::EVEN; HASHED],
            bytes: Bytes::new(15, 4 * 16),
            last_delta: [0; 64],
        }
    }

    /// Codes a token without a reference. `truth` are its new bytes, nothing for a decoder. Gives
    /// them.
    #[inline]
    pub(crate) fn plain(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        recent: u64,
        truth: &[u8],
    ) -> [u8; LONGEST] {
        coder.enter(Stream::Flags);
        let other = !truth.is_empty() && token.old[..token.length] != *truth;
        let mut given = token.old;
        if self.hit(coder, token, None, other.into()) == 1 {
            self.plain_miss(coder, token, recent, truth, &mut given);
        }
        given
    }

    /// Codes a token with a reference. If none of the guesses so far is right `more` are asked for.
    #[inline]
    pub(crate) fn referring(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        guess: &mut Guess,
        more: impl FnOnce() -> Guess,
        recent: u64,
        truth: &[u8],
    ) -> [u8; LONGEST] {
        coder.enter(Stream::References);
        let field = guess.at..guess.at + guess.length;
        let mut given = token.old;
        given[field.clone()].copy_from_slice(&guess.fields[0][..guess.length]);
        let other = !truth.is_empty() && given[..token.length] != *truth;
        if self.hit(coder, token, Some(guess), other.into()) == 0 {
            return given;
        }
        // Is it only where the reference leads?
        let rest_differs = !truth.is_empty()
            && (truth[..field.start] != token.old[..field.start]
                || truth[field.end..] != token.old[field.end..token.length]);
        let context = (guess.kind * 4 + (self.reference_history >> 1 & 3)) as usize;
        if self.rest_flags[context].code(coder, rest_differs.into()) == 0 {
            let wrong = guess.fields[0];
            if guess.candidates == 1 {
                *guess = more();
            }
            self.field(coder, token, guess, wrong, recent, truth, &mut given);
        } else {
            self.bytes(coder, token, 0..token.length, recent, truth, &mut given, true);
        }
        given
    }

    /// Codes whether a token is other than expected.
    #[inline]
    fn hit(&mut self, coder: &mut impl Coder, token: &Token, guess: Option<&Guess>, missed: u32) -> u32 {
        let length = token.length;
        let refers = u32::from(guess.is_some());
        let kind = token.mode * 2 + refers;
        let trust = match guess {
            Some(guess) => {
                ((guess.kind * 64 + (guess.ways[0] & 63)) * 8 + guess.trust) * 4
                    + (self.reference_history & 3)
            }
            None => token.mode * 4 + (self.reference_history & 3),
        };
        if self.is_calm() && refers == 1 {
            let missed = self.by_trust[trust as usize].code(coder, missed);
            self.note(missed, true);
            return missed;
        }
        let hash = Self::hash(token, guess);
        let own = hash >> 18;
        let head = (u32::from(token.old[0]) | u32::from(token.old[1]) << 8)
            .wrapping_add(kind << 12)
            .wrapping_add((length as u32) << 18)
            .wrapping_mul(0x9e37_79b1)
            >> 18;
        let history = (kind * 16 + length.min(15) as u32) * 256 + (self.history & 0xff);
        let at = [history as usize, own as usize, head as usize, trust as usize];
        let logits = [
            self.by_history[at[0]],
            self.by_token[at[1]],
            self.by_head[at[2]],
            self.by_trust[at[3]],
        ]
        .map(|chance| chance.logit(self.logistic));
        let set = (kind * 256 + (self.history & 0x1f) * 8 + (self.reference_history & 7)) as usize;
        let missed = self.hit_flags.code(coder, set, logits, missed);
        self.by_history[at[0]].update(missed, 250);
        self.by_token[at[1]].update(missed, 30);
        self.by_head[at[2]].update(missed, 250);
        self.by_trust[at[3]].update(missed, 250);

        self.note(missed, refers == 1);
        missed
    }

    #[inline]
    fn note(&mut self, missed: u32, refers: bool) {
        self.history = self.history << 1 | missed;
        if refers {
            self.reference_history = self.reference_history << 1 | missed;
        }
        self.since_miss = if missed == 1 { 0 } else { self.since_miss + 1 };
    }

    /// Whether so little was missed of late that whole runs of tokens are coded at once.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.since_miss >= CALM
    }

    /// Codes whether in a run of tokens without references anything is other than it was.
    #[inline]
    pub(crate) fn run(&mut self, coder: &mut impl Coder, mode: u32, length: u32, missed: u32) -> u32 {
        coder.enter(Stream::Flags);
        let size = length.clamp(1, 127).ilog2();
        let calm = (32 - self.since_miss.leading_zeros()).min(15);
        let at = ((mode * 8 + size) * 16 + calm) * 4 + (self.reference_history & 3);
        let missed = self.by_calm[at as usize].code(coder, missed);
        if missed == 1 {
            self.since_miss = 0;
        } else {
            self.since_miss += 1 + length / 4;
            self.history = 0;
        }
        missed
    }

    /// A hash of a token without the field that refers.
    #[inline]
    fn hash(token: &Token, guess: Option<&Guess>) -> u32 {
        let mut value = u128::from_le_bytes(token.old);
        if let Some(guess) = guess {
            let field = u64::MAX >> (64 - 8 * guess.length.clamp(1, 8));
            value &= !(u128::from(field) << (8 * (guess.at & 15)));
        }
        let low = value as u64;
        let high = (value >> 64) as u64;
        let mixed = (low ^ high.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
            .wrapping_add(token.length as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as u32
    }

    fn plain_miss(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        recent: u64,
        truth: &[u8],
        given: &mut [u8; LONGEST],
    ) {
        coder.enter(Stream::Corrections);
        let hash = Self::hash(token, None);
        let entry = self.substitutes[(hash >> 18) as usize];
        if entry.trust > 0 && entry.check == hash && entry.new[..token.length] != token.old[..token.length] {
            let trust = u32::from(entry.trust.min(3));
            let context = ((token.mode * 16 + token.length.min(15) as u32) * 4 + trust) as usize;
            let other = !truth.is_empty() && entry.new[..token.length] != *truth;
            if self.substitute_flags[context].code(coder, other.into()) == 0 {
                *given = entry.new;
                self.learn_substitute(token, hash, given);
                return;
            }
        }
        self.bytes(coder, token, 0..token.length, recent, truth, given, true);
        self.learn_substitute(token, hash, given);
    }

    fn learn_substitute(&mut self, token: &Token, hash: u32, given: &[u8; LONGEST]) {
        let entry = &mut self.substitutes[(hash >> 18) as usize];
        let same = entry.check == hash && entry.new[..token.length] == given[..token.length];
        let trust = if same { (entry.trust + 1).min(15) } else { 1 };
        *entry = Substitute {
            check: hash,
            trust,
            new: *given,
        };
    }

    /// Codes a field that is not as in the `wrong` guess, and nothing else of its token.
    #[expect(clippy::too_many_arguments, reason = "they are one thing only here")]
    fn field(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        guess: &Guess,
        wrong: [u8; 8],
        recent: u64,
        truth: &[u8],
        given: &mut [u8; LONGEST],
    ) {
        let range = guess.at..guess.at + guess.length;
        for candidate in 0..guess.candidates {
            if guess.fields[candidate] == wrong {
                continue;
            }
            let field = &guess.fields[candidate][..guess.length];
            let other = !truth.is_empty() && truth[range.clone()] != *field;
            let context = (guess.kind * 64 + (guess.ways[candidate] & 63)) as usize;
            if self.candidate_flags[context].code(coder, other.into()) == 0 {
                given[range].copy_from_slice(field);
                return;
            }
        }
        if token.mode == 2 {
            self.bytes(coder, token, 0..token.length, recent, truth, given, true);
            return;
        }
        // The distance from the last guess.
        let last = guess.fields[guess.candidates - 1];
        let base = u32::from_le_bytes([last[0], last[1], last[2], last[3]]);
        let distance = match truth.get(range.clone()) {
            Some(field) if !truth.is_empty() => u32::from_le_bytes([field[0], field[1], field[2], field[3]])
                .wrapping_sub(base)
                .cast_signed(),
            _ => 0,
        };
        let distance = self.distances[guess.kind as usize & 63].code(coder, distance);
        let value = base.wrapping_add(distance.cast_unsigned()).to_le_bytes();
        given[range.start..range.start + 4].copy_from_slice(&value);
        if guess.length > 4 {
            self.bytes(
                coder,
                token,
                range.start + 4..range.end,
                recent,
                truth,
                given,
                false,
            );
        }
    }

    /// Codes some bytes of a token one by one. If one of them must be other than `given` is at
    /// first, and all but the last are not, the last is.
    #[expect(clippy::too_many_arguments, reason = "they are one thing only here")]
    fn bytes(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        range: std::ops::Range<usize>,
        recent: u64,
        truth: &[u8],
        given: &mut [u8; LONGEST],
        one_differs: bool,
    ) {
        coder.enter(Stream::Corrections);
        let mut missed = 0_usize;
        let mut before = recent as u32;
        let hash = Self::hash(token, None);
        let last = range.end - 1;
        for at in range {
            let expected = given[at];
            let truth = truth.get(at).copied().unwrap_or(expected);
            let sure = one_differs && missed == 0 && at == last;
            let differs = if sure {
                1
            } else {
                let context =
                    ((token.mode as usize * 16 + at) * 16 + token.length.min(15)) * 16 + missed.min(15);
                let own = (hash.wrapping_add(at as u32).wrapping_mul(0x9e37_79b1) >> 18) as usize;
                let chance = u32::midpoint(self.byte_flags[context].get(), self.byte_tokens[own].get());
                let bit = coder.code(u32::from(truth != expected), chance.clamp(1, 65535));
                self.byte_flags[context].update(bit, 120);
                self.byte_tokens[own].update(bit, 30);
                bit
            };
            if differs == 1 {
                missed = missed * 2 + 1;
                given[at] = self.byte(coder, token, at, expected, before, truth);
            }
            before = before << 8 | u32::from(given[at]);
        }
    }

    fn byte(
        &mut self,
        coder: &mut impl Coder,
        token: &Token,
        at: usize,
        expected: u8,
        before: u32,
        truth: u8,
    ) -> u8 {
        let class = (token.mode as usize * 16 + at) & 63;
        let by_delta = expected.wrapping_add(self.last_delta[class]);
        let (wide, expected_wide) = (class as u32, u32::from(expected));
        let contexts = [
            3 << 28 | expected_wide << 8 | token.mode,
            1 << 28 | wide << 20 | expected_wide << 8 | u32::from(by_delta),
            2 << 28 | (before & 0xff) << 16 | expected_wide << 8 | wide,
            4 << 28 | (before & 0xffff) << 8 | token.mode,
            5 << 28 | u32::from(token.old[0]) << 8 | u32::from(token.old[1]) << 16 | wide,
        ]
        .map(|context: u32| context.wrapping_mul(0x2c1b_3c6d) ^ context >> 15);
        let byte = self
            .bytes
            .code(coder, token.mode as usize * 16 + at, contexts, truth);
        self.last_delta[class] = byte.wrapping_sub(expected);
        byte
    }
}
