//! Bytes that look random. Refuses to know what is made of them.

/// Numbers that look random and are the same for ever (xorshift).
pub(crate) struct Noise(u64);

impl Noise {
    /// The same numbers for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    /// The next number below a limit.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.number() % limit.max(1)
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.number() as u8).collect()
    }
}
