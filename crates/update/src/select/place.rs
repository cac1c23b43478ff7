//! Where a computer stands in a rollout. Pure.
//!
//! The place is HMAC-SHA256 with the install id as key over the release's salt: the same one at each look, another one
//! for each release, and nobody who does not know the id can tell it. It is taken from the words of the result, 64
//! bits each, big-endian: a word counts only below the highest multiple of 10,000, so that no place is likelier than
//! another; its remainder is the place. If no word counts, the result is hashed again with the same key.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A random number that this installation was given once. It never leaves the computer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InstallId([u8; 16]);

/// How many places there are.
const PLACES: u64 = 10_000;
/// Words from here on don't count: they would make the first places likelier.
const END: u64 = u64::MAX - u64::MAX % PLACES;

impl InstallId {
    /// Takes random bytes as an id.
    pub const fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Where this computer stands among 10,000 in the rollout with this salt.
    pub fn place(self, salt: &[u8; 16]) -> u16 {
        let mut words = self.hash(salt);
        loop {
            for word in words.chunks_exact(8) {
                let word = word.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
                if let Some(place) = place_of(word) {
                    return place;
                }
            }
            words = self.hash(&words);
        }
    }

    fn hash(self, message: &[u8]) -> [u8; 32] {
        // HMAC fills a short key up with zeros.
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

fn place_of(word: u64) -> Option<u16> {
    // The remainder is below 10,000.
    (word < END).then_some((word % PLACES) as u16)
}

/// Not in a log either.
impl fmt::Debug for InstallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the definition, by another implementation: Python's `hmac.new(id, salt, 'sha256')`, first 8 bytes.
    #[test]
    fn the_place_is_the_hmac_of_the_salt_under_the_id() {
        for (id, salt, place) in PLACES_OF_PYTHON {
            assert_eq!(
                InstallId::of([*id; 16]).place(&[*salt; 16]),
                *place,
                "{id} {salt}"
            );
        }
    }

    const PLACES_OF_PYTHON: &[(u8, u8, u16)] = &[
        (0, 0, 7186),
        (1, 2, 5614),
        (7, 9, 1308),
        (255, 1, 6392),
        (16, 200, 7069),
    ];

    #[test]
    fn words_that_would_favour_the_first_places_do_not_count() {
        assert_eq!(END % PLACES, 0);
        const { assert!(u64::MAX - END < PLACES) };
        assert_eq!(place_of(END - 1), Some(9_999));
        assert_eq!(place_of(END), None);
        assert_eq!(place_of(u64::MAX), None);
        assert_eq!(place_of(0), Some(0));
    }

    #[test]
    fn each_place_is_as_likely_and_releases_are_independent() {
        const COMPUTERS: u32 = 200_000;
        let salts = [[3; 16], [4; 16]];
        let (mut first, mut both) = (0_u32, 0_u32);
        let mut bins = [0_u32; 100];
        for computer in 0..COMPUTERS {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&computer.to_le_bytes());
            let [one, other] = salts.map(|salt| InstallId::of(id).place(&salt));
            bins[usize::from(one / 100)] += 1;
            first += u32::from(one < 1_000);
            both += u32::from(one < 1_000 && other < 1_000);
        }
        // Chi-squared with 99 degrees of freedom: above 161 once in 10,000 times, and the ids are always the same.
        let expected = f64::from(COMPUTERS) / 100.0;
        let chi: f64 = bins
            .iter()
            .map(|found| (f64::from(*found) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 161.0, "{chi}");
        let (tenth, hundredth) = (f64::from(COMPUTERS) * 0.1, f64::from(COMPUTERS) * 0.01);
        assert!(
            (f64::from(first) - tenth).abs() < 4.0 * (tenth * 0.9).sqrt(),
            "{first}"
        );
        assert!(
            (f64::from(both) - hundredth).abs() < 4.0 * (hundredth * 0.99).sqrt(),
            "{both}"
        );
    }
}
