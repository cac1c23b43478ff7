//! What is copied at once: an instruction, a word of data, or what is left of one at a segment's edge,
//! and what its reference is expected to become. Refuses to know where they come from.

use super::old::LONGEST_TOKEN;

/// No token is longer, in bytes.
pub(crate) const LONGEST: usize = LONGEST_TOKEN as usize;

/// A token of the old file, as it is copied.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    /// Its old bytes, and zeros after them.
    pub(crate) old: [u8; LONGEST],
    pub(crate) length: usize,
    /// 0 data without a rule, 1 x86-64, 2 AArch64, 3 words of data.
    pub(crate) mode: u32,
    /// What it becomes; nothing for a decoder.
    pub(crate) truth: &'a [u8],
}

impl Token<'_> {
    /// 1 if these are known not to be its new bytes. A decoder does not know.
    #[inline]
    pub(crate) fn differs(&self, given: &[u8; LONGEST]) -> u32 {
        u32::from(!self.truth.is_empty() && given[..self.length] != *self.truth)
    }

    /// Its length in the contexts.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.length.min(15)
    }

    /// A hash of it without the field that refers.
    #[inline]
    pub(crate) fn hash(&self, guess: Option<&Guess>) -> u32 {
        let mut value = u128::from_le_bytes(self.old);
        if let Some(guess) = guess {
            let field = u64::MAX >> (64 - 8 * guess.length.clamp(1, 8));
            value &= !(u128::from(field) << (8 * (guess.at & 15)));
        }
        let low = value as u64;
        let high = (value >> 64) as u64;
        let mixed = (low ^ high.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
            .wrapping_add(self.length as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as u32
    }
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
