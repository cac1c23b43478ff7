//! What came the last time after the same bytes.
//!
//! A match model as in Mahoney's lpaq (2007). Refuses to know how much is made of it.

/// The shortest match that is believed when it is found, in bytes.
const SHORTEST: u32 = 5;
/// After a match of so many bytes one other byte does not end it.
const RECOVERS: u32 = 8;
/// Longer matches count as this long.
pub(crate) const LONGEST: u32 = 47;

/// The bytes so far, and where in them it goes on as now. They are found by the last 5 of them, with
/// 2 `HEADS` by the last 8 too.
pub(crate) struct History<const HEADS: usize> {
    bytes: Vec<u8>,
    /// How many bytes were ever remembered, modulo 2^32.
    written: u32,
    heads: Vec<u32>,
    head_shift: u32,
    matched: u32,
    length: u32,
}

impl<const HEADS: usize> History<HEADS> {
    /// Remembers 2^`bits` bytes and 2^`head_bits` places in them.
    pub(crate) fn new(bits: u32, head_bits: u32) -> Self {
        Self {
            bytes: vec![0; 1 << bits],
            written: 0,
            heads: vec![0; 1 << head_bits],
            head_shift: 32 - head_bits,
            matched: 0,
            length: 0,
        }
    }

    /// The byte that came the last time, and how many bytes before it were alike, 1..=[`LONGEST`].
    #[inline]
    pub(crate) fn expected(&self) -> Option<(u8, u32)> {
        (self.length > 0).then(|| (self.at(self.matched), self.length))
    }

    #[inline]
    fn at(&self, at: u32) -> u8 {
        self.bytes[at as usize & (self.bytes.len() - 1)]
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        let place = self.written as usize & (self.bytes.len() - 1);
        self.bytes[place] = byte;
        self.written = self.written.wrapping_add(1);
    }

    /// The places of the last bytes in `heads`: of 8 if there are two, and of 5.
    #[inline]
    fn heads_of(&self, recent: u64) -> [usize; HEADS] {
        std::array::from_fn(|head| {
            let (order, bytes) = [(8, recent), (9, last(recent, 5))][2 - HEADS + head];
            hash(order, bytes, 0) as usize >> self.head_shift
        })
    }

    /// Where the bytes at a place of `heads` were, if they are still remembered.
    #[inline]
    fn found(&self, head: usize) -> Option<u32> {
        let found = self.heads[head];
        let back = self.written.wrapping_sub(found) as usize;
        (found > 0 && back < self.bytes.len()).then_some(found)
    }

    /// Notes bytes of the old file before anything is made. Every 2nd place can be found again.
    /// `recent` are the last 8 of them so far; gives those after these.
    pub(crate) fn prime(&mut self, recent: u64, bytes: &[u8]) -> u64 {
        let mut recent = recent;
        for byte in bytes {
            recent = recent << 8 | u64::from(*byte);
            self.push(*byte);
            if self.written & 1 == 0 {
                for head in self.heads_of(recent) {
                    self.heads[head] = self.written;
                }
            }
        }
        recent
    }

    /// Notes old bytes after `recent` ones that new ones stand in for. Gives the last 8 after them.
    pub(crate) fn replaced(&mut self, recent: u64, bytes: &[u8]) -> u64 {
        let mut recent = recent;
        for byte in bytes {
            recent = recent << 8 | u64::from(*byte);
            self.push(*byte);
            for head in self.heads_of(recent) {
                self.heads[head] = self.written;
            }
        }
        recent
    }

    /// Begins anew after bytes that were copied: what came the last time after these `recent` ones?
    pub(crate) fn begin(&mut self, recent: u64) {
        self.length = 0;
        for head in self.heads_of(recent) {
            if let (0, Some(found)) = (self.length, self.found(head)) {
                self.matched = found;
                self.length = SHORTEST - 1;
            }
            self.heads[head] = self.written;
        }
    }

    /// Notes a new byte that follows `recent`.
    #[inline]
    pub(crate) fn remember(&mut self, recent: u64, byte: u8) {
        if self.length > 0 {
            if self.at(self.matched) == byte {
                self.length = (self.length + 1).min(LONGEST);
            } else {
                // What differs in one byte often goes on alike.
                self.length = u32::from(self.length >= RECOVERS);
            }
            self.matched = self.matched.wrapping_add(1);
        }
        self.push(byte);
        let recent = recent << 8 | u64::from(byte);
        for head in self.heads_of(recent) {
            if let Some(found) = self.found(head).filter(|_| self.length < SHORTEST) {
                let same = (0..8.min(found))
                    .take_while(|back| self.at(found.wrapping_sub(1 + back)) == (recent >> (8 * back)) as u8)
                    .count() as u32;
                if same >= SHORTEST {
                    self.matched = found;
                    self.length = same;
                }
            }
            self.heads[head] = self.written;
        }
    }
}

/// A context: a value, where it was seen, and which of the contexts it is, 0 to 15.
#[inline]
pub(crate) fn hash(order: u32, value: u64, place: u32) -> u32 {
    let mixed = (value ^ u64::from(place) << 56 ^ u64::from(order) << 50)
        .wrapping_add(u64::from(order) << 32 | u64::from(place))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32 ^ (mixed >> 15) as u32 & 0xffff
}

/// The last `bytes` of 8 bytes, 1 to 8.
#[inline]
pub(crate) fn last(recent: u64, bytes: u32) -> u64 {
    recent & (u64::MAX >> (64 - 8 * bytes))
}
