//! Bits and symbols to bytes. Refuses to know where their probabilities come from.

use super::{Below, Coder, NARROW, TRAILING_ZEROS};

/// Writes.
#[derive(Debug)]
pub(crate) struct Encoder {
    low: u64,
    range: u64,
    bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: 0,
            range: u64::MAX,
            bytes: Vec::new(),
        }
    }

    /// Leaves `range` of what is left, `above` its beginning.
    #[inline]
    fn narrow(&mut self, above: u64, range: u64) {
        let (low, carries) = self.low.overflowing_add(above);
        self.low = low;
        self.range = range;
        if carries {
            self.carry();
        }
        if self.range < NARROW {
            self.bytes.extend_from_slice(&self.low.to_be_bytes()[..4]);
            self.low <<= 32;
            self.range <<= 32;
        }
    }

    /// Adds 1 to what was written.
    #[cold]
    fn carry(&mut self) {
        for byte in self.bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// The bytes. A decoder reads zeros after them, so only those are written that are needed to
    /// stay in the last interval.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for count in 0..=8_u32 {
            let mask = u64::MAX.checked_shr(8 * count).unwrap_or(0);
            let (value, carries) = self.low.overflowing_add(mask);
            let value = value & !mask;
            if value.wrapping_sub(self.low) < self.range {
                if carries {
                    self.carry();
                }
                self.bytes
                    .extend_from_slice(&value.to_be_bytes()[..count as usize]);
                break;
            }
        }
        let zeros = self.bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let spared = zeros.min(TRAILING_ZEROS as usize);
        self.bytes.truncate(self.bytes.len() - spared);
        self.bytes
    }
}

impl Coder for Encoder {
    #[inline]
    fn code(&mut self, bit: u32, chance: u32) -> u32 {
        let ones = (self.range >> 16) * u64::from(chance);
        if bit == 1 {
            self.narrow(0, ones);
        } else {
            self.narrow(ones, self.range - ones);
        }
        bit
    }

    #[inline]
    fn symbol(&mut self, symbol: usize, below: &Below) -> usize {
        let unit = self.range >> 15;
        let begin = u64::from(below[symbol & 15]) * unit;
        let range = match below.get(symbol + 1) {
            Some(end) => u64::from(*end) * unit - begin,
            None => self.range - begin,
        };
        self.narrow(begin, range);
        symbol
    }
}
