//! New bytes of executables: what came the last time after the same bytes, or what is usual here.
//!
//! Refuses to know which bytes are new, and what is around them.

use super::bytes::Bytes;
use super::chance::Chance;
use super::history::{History, LONGEST};
use super::range::Coder;

/// How many contexts a new byte has.
pub(crate) const CONTEXTS: usize = 3;
/// How many kinds of places a new byte can have.
pub(crate) const PLACES: usize = 64;
const LENGTHS: usize = LONGEST as usize + 1;

/// What was learnt of new bytes.
pub(crate) struct Literals {
    pub(crate) history: History<1>,
    /// Whether it is another byte than the last time, by place and by how many were alike.
    other: Vec<Chance>,
    bytes: Bytes<CONTEXTS>,
}

impl Literals {
    /// With 2^`bits` slots for contexts.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            history: History::new(18, 14),
            other: vec![Chance::at(20_000, 2); PLACES * LENGTHS],
            bytes: Bytes::new(bits, PLACES),
        }
    }

    /// Codes a byte after `recent` at a place below [`PLACES`].
    pub(crate) fn byte(
        &mut self,
        coder: &mut impl Coder,
        recent: u64,
        place: usize,
        contexts: [u32; CONTEXTS],
        truth: u8,
    ) -> u8 {
        let byte = match self.history.expected() {
            None => self.bytes.code(coder, place, contexts, truth),
            Some((expected, length)) => {
                let other = &mut self.other[place * LENGTHS + length as usize];
                // It is asked for only where it is rather so than not.
                let asked = other.get() < 1 << 15;
                if asked && other.code(coder, u32::from(truth != expected)) == 0 {
                    expected
                } else {
                    let byte = self.bytes.code(coder, place, contexts, truth);
                    if !asked {
                        other.update(u32::from(byte != expected), 250);
                    }
                    byte
                }
            }
        };
        self.history.remember(recent, byte);
        byte
    }
}
