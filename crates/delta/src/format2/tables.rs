//! The two functions that mixing needs: a probability to its logit and back, in integers.
//!
//! Logits are in units of 1/256 and lie in -3071..=3071; probabilities are in units of 1/65536 and
//! lie in 1..=65535. The tables are made by integer arithmetic alone, so that every machine has the
//! same ones. Refuses to know what is predicted.

use std::sync::LazyLock;

/// The largest logit, in 1/256.
pub(crate) const MAX_LOGIT: i32 = 3071;
/// e^(1/256) in units of 2^-32, rounded down.
const ROOT_OF_E: u128 = 4_311_777_322;
const ONE: u128 = 1 << 32;

struct Tables {
    squash: [u16; 2 * MAX_LOGIT as usize + 1],
    stretch: Vec<i16>,
    /// Of every 16th probability, so that it stays in the nearest cache.
    coarse: [i16; 4096],
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

impl Tables {
    fn new() -> Self {
        let mut squash = [0; 2 * MAX_LOGIT as usize + 1];
        let mut power = ONE;
        for logit in 0..=MAX_LOGIT as usize {
            let chance = ((65536 * power) / (power + ONE)).clamp(1, 65535) as u16;
            squash[MAX_LOGIT as usize + logit] = chance;
            squash[MAX_LOGIT as usize - logit] = (65536 - u32::from(chance)) as u16;
            power = power * ROOT_OF_E / ONE;
        }
        // The largest logit whose probability is not above the one asked for.
        let mut stretch = vec![0; 65536];
        let mut logit = 0_u16;
        for (chance, entry) in stretch.iter_mut().enumerate() {
            while usize::from(logit) + 1 < squash.len()
                && usize::from(squash[usize::from(logit) + 1]) <= chance
            {
                logit += 1;
            }
            *entry = logit.cast_signed() - MAX_LOGIT as i16;
        }
        let mut coarse = [0; 4096];
        for (at, entry) in coarse.iter_mut().enumerate() {
            *entry = stretch[16 * at + 8];
        }
        Self {
            squash,
            stretch,
            coarse,
        }
    }
}

/// The tables, fetched once by who needs them often.
#[derive(Clone, Copy)]
pub(crate) struct Logistic(&'static Tables);

impl Logistic {
    pub(crate) fn new() -> Self {
        Self(&TABLES)
    }

    /// The probability of a logit; a logit out of range counts as the nearest one within.
    #[inline]
    pub(crate) fn squash(self, logit: i32) -> u32 {
        self.0.squash[(logit.clamp(-MAX_LOGIT, MAX_LOGIT) + MAX_LOGIT) as usize].into()
    }

    /// The logit of a probability of 12 bits.
    #[inline]
    pub(crate) fn stretch_coarse(self, chance: u16) -> i16 {
        self.0.coarse[usize::from(chance & 0xfff)]
    }

    /// The logit of a probability below 65536.
    #[inline]
    pub(crate) fn stretch(self, chance: u32) -> i16 {
        self.0.stretch[(chance & 0xffff) as usize]
    }
}
