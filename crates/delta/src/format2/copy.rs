//! Bytes that are copied with corrections: token by token, is it what was expected, and if not, what
//! is it.
//!
//! A token is an instruction, a word of data, or what is left of one at a segment's edge. What is
//! expected of it are its old bytes, with its reference led to where the target has gone. Refuses
//! to know where tokens come from.

use super::chance::{Chance, Signed};
use super::corrections::{Corrections, HASH_BITS};
use super::mixer::Mixer;
use super::range::{Coder, Stream};
use super::tables::Logistic;
use super::token::{Guess, LONGEST, Token};

/// After so many tokens as expected a miss is not looked for closely.
const CALM: u32 = 12;
const HASHED: usize = 1 << HASH_BITS;

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

    corrections: Corrections,
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
            corrections: Corrections::new(),
        }
    }

    /// Codes a token without a reference. `truth` are its new bytes, nothing for a decoder. Gives
    /// them.
    #[inline]
    pub(crate) fn plain(&mut self, coder: &mut impl Coder, token: &Token<'_>) -> [u8; LONGEST] {
        coder.enter(Stream::Flags);
        let other = token.differs(&token.old);
        let mut given = token.old;
        if self.hit(coder, token, None, other) == 1 {
            self.corrections.token(coder, token, &mut given);
        }
        given
    }

    /// Codes a token with a reference. If none of the guesses so far is right `more` are asked for.
    #[inline]
    pub(crate) fn referring(
        &mut self,
        coder: &mut impl Coder,
        token: &Token<'_>,
        guess: &mut Guess,
        more: impl FnOnce() -> Guess,
    ) -> [u8; LONGEST] {
        coder.enter(Stream::References);
        let field = guess.at..guess.at + guess.length;
        let mut given = token.old;
        given[field.clone()].copy_from_slice(&guess.fields[0][..guess.length]);
        let other = token.differs(&given);
        if self.hit(coder, token, Some(guess), other) == 0 {
            return given;
        }
        // Is it only where the reference leads?
        let truth = token.truth;
        let rest_differs = !truth.is_empty()
            && (truth[..field.start] != token.old[..field.start]
                || truth[field.end..] != token.old[field.end..token.length]);
        let context = (guess.kind * 4 + (self.reference_history >> 1 & 3)) as usize;
        if self.rest_flags[context].code(coder, rest_differs.into()) == 0 {
            let wrong = guess.fields[0];
            if guess.candidates == 1 {
                *guess = more();
            }
            self.field(coder, token, guess, wrong, &mut given);
        } else {
            self.corrections
                .bytes(coder, token, 0..token.length, &mut given, true);
        }
        given
    }

    /// Codes whether a token is other than expected.
    #[inline]
    fn hit(&mut self, coder: &mut impl Coder, token: &Token<'_>, guess: Option<&Guess>, missed: u32) -> u32 {
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
        let hash = token.hash(guess);
        let own = hash >> (32 - HASH_BITS);
        let head = (u32::from(token.old[0]) | u32::from(token.old[1]) << 8)
            .wrapping_add(kind << 12)
            .wrapping_add((length as u32) << 18)
            .wrapping_mul(0x9e37_79b1)
            >> (32 - HASH_BITS);
        let history = (kind * 16 + token.size() as u32) * 256 + (self.history & 0xff);
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

    /// Codes a field that is not as in the `wrong` guess, and nothing else of its token.
    fn field(
        &mut self,
        coder: &mut impl Coder,
        token: &Token<'_>,
        guess: &Guess,
        wrong: [u8; 8],
        given: &mut [u8; LONGEST],
    ) {
        let range = guess.at..guess.at + guess.length;
        let truth = token.truth;
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
            self.corrections.bytes(coder, token, 0..token.length, given, true);
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
            let rest = range.start + 4..range.end;
            self.corrections.bytes(coder, token, rest, given, false);
        }
    }
}
