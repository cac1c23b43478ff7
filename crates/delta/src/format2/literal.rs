//! New bytes: a context-mixing model over the bytes before, the instruction they are in, and what
//! followed the last time.
//!
//! Bytewise mixing after Mahoney's lpaq (2007), over contexts of our own. Refuses to know which
//! bytes are new.

use super::chance::Chance;
use super::mixer::Mixer;
use super::range::Coder;
use super::slots::Slots;
use super::tables::Logistic;

/// Matches of the last bytes that are longer count as this long.
const LONGEST_MATCH: u32 = 31;
/// The shortest match that is believed when it is found, in bytes.
const SHORTEST: u32 = 5;
/// After a match of so many bytes one other byte does not end it.
const RECOVERS: u32 = 8;
/// The byte after a match of so many bytes is asked for by itself.
const SURE: u32 = 16;

/// What was learnt of new bytes.
/// `ORDERS` contexts give an opinion on each bit, up to 6, beside two others.
pub(crate) struct Literals<const ORDERS: usize> {
    logistic: Logistic,
    slots: Slots,
    order0: Vec<Chance>,
    mixer: Mixer,
    by_match: Vec<Chance>,
    sure: Vec<Chance>,

    history: Vec<u8>,
    /// How many bytes were ever remembered, modulo 2^32.
    written: u32,
    heads: Vec<u32>,
    head_shift: u32,
    matched: u32,
    match_length: u32,
}

/// What is known of the place of a new byte.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<const ORDERS: usize> {
    /// The last 8 bytes, the last one lowest.
    pub(crate) recent: u64,
    /// Where in an instruction or record the byte is, below 64.
    pub(crate) place: u32,
    /// Hashes of what is around, made by [`hash`].
    pub(crate) contexts: [u32; ORDERS],
}

impl<const ORDERS: usize> Literals<ORDERS> {
    /// With 2^`bits` slots, that remembers 2^`history_bits` bytes and 2^`head_bits` places in them.
    pub(crate) fn new(bits: u32, history_bits: u32, head_bits: u32) -> Self {
        Self {
            logistic: Logistic::new(),
            slots: Slots::new(bits),
            order0: vec![Chance::EVEN; 64 * 256],
            mixer: Mixer::new(64 * 16 * 4, 30, 3),
            sure: vec![Chance::at(3000, 2); SURE as usize + 32],
            by_match: vec![Chance::EVEN; 2 * 64 * 32],
            history: vec![0; 1 << history_bits],
            written: 0,
            heads: vec![0; 1 << head_bits],
            head_shift: 32 - head_bits,
            matched: 0,
            match_length: 0,
        }
    }

    pub(crate) fn byte(&mut self, coder: &mut impl Coder, around: Surroundings<ORDERS>, truth: u8) -> u8 {
        let Surroundings { recent, place, .. } = around;
        let place = place & 63;
        let mut refuted = false;
        if self.match_length >= SURE {
            // Not worth a look at anything else.
            let expected = self.byte_at(self.matched);
            let sure = &mut self.sure[self.match_length.min(SURE + 31) as usize];
            if sure.code(coder, u32::from(truth != expected)) == 0 {
                self.remember(recent, expected);
                return expected;
            }
            // It is some other byte; the match speaks no more of it.
            refuted = true;
        }
        let contexts = around.contexts;
        let length = self.match_length.min(LONGEST_MATCH);
        let guess = match length {
            0 => 0,
            _ if refuted => 0,
            _ => u32::from(self.byte_at(self.matched)) | 256,
        };
        let by_match = place as usize * 32 + length as usize;
        let mut byte = 1_u32;
        for half in 0..2 {
            let salt = if half == 0 {
                0
            } else {
                byte.wrapping_mul(0x01f3_5a97)
            };
            let places = contexts.map(|context| self.slots.find(context.wrapping_add(salt)));
            let mut halves = places.map(|place| self.slots.read(place));
            let mut node = 1_usize;
            for low in 0..4 {
                let shift = 7 - half * 4 - low;
                let order0 = place as usize * 256 + byte as usize;
                let opinion = |at: usize| {
                    if at < ORDERS {
                        halves[at].logit(node, self.logistic)
                    } else {
                        0
                    }
                };
                // The match speaks while the byte so far is the one that it expects.
                let mut expected = 2;
                let mut set = 0;
                let mut by_match_logit = 0;
                if guess >> (shift + 1) == byte {
                    expected = guess >> shift & 1;
                    let logit = self.by_match[by_match].logit(self.logistic);
                    by_match_logit = if expected == 1 { logit } else { -logit };
                    set = 1 + usize::from(length > 7) + usize::from(length > 15);
                }
                let set = (place as usize * 16 + node) * 4 + set;
                let logits = [
                    opinion(0),
                    opinion(1),
                    opinion(2),
                    opinion(3),
                    opinion(4),
                    opinion(5),
                    self.order0[order0].logit(self.logistic),
                    by_match_logit,
                ];
                let bit = self.mixer.code(coder, set, logits, u32::from(truth) >> shift & 1);
                for half in &mut halves {
                    half.update(node, bit);
                }
                self.order0[order0].update(bit, 120);
                if expected < 2 {
                    self.by_match[by_match].update(u32::from(bit == expected), 120);
                }
                node = node << 1 | bit as usize;
                byte = byte << 1 | bit;
            }
            for (place, half) in places.into_iter().zip(halves) {
                self.slots.write(place, half);
            }
        }
        let byte = byte as u8;
        self.remember(recent, byte);
        byte
    }

    /// The places of the last 8 and of the last 5 bytes in `heads`.
    #[inline]
    fn heads_of(&self, recent: u64) -> [usize; 2] {
        let place = |order, bytes| hash(order, bytes, 0) as usize >> self.head_shift;
        [place(8, recent), place(9, recent & 0xff_ffff_ffff)]
    }

    /// Where the bytes at a place of `heads` were, if they are still remembered.
    #[inline]
    fn found(&self, head: usize) -> Option<u32> {
        let found = self.heads[head];
        let back = self.written.wrapping_sub(found) as usize;
        (found > 0 && back < self.history.len()).then_some(found)
    }

    #[inline]
    fn byte_at(&self, at: u32) -> u8 {
        self.history[at as usize & (self.history.len() - 1)]
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        let place = self.written as usize & (self.history.len() - 1);
        self.history[place] = byte;
        self.written = self.written.wrapping_add(1);
    }

    /// Notes bytes of the old file before anything is made. They are not learnt, but what comes may
    /// be like them. Every 2nd place can be found again.
    pub(crate) fn prime(&mut self, bytes: &[u8]) {
        let mut recent = 0;
        for byte in bytes {
            recent = recent << 8 | u64::from(*byte);
            self.push(*byte);
            if self.written & 1 == 0 {
                for head in self.heads_of(recent) {
                    self.heads[head] = self.written;
                }
            }
        }
    }

    /// Notes old bytes that new ones stand in for, 1 at a time. They are not learnt, but what comes
    /// may be like them.
    pub(crate) fn replaced(&mut self, recent: u64, byte: u8) {
        self.push(byte);
        for head in self.heads_of(recent << 8 | u64::from(byte)) {
            self.heads[head] = self.written;
        }
    }

    /// Begins anew after bytes that were copied: what came the last time after these `recent` ones?
    pub(crate) fn begin(&mut self, recent: u64) {
        self.match_length = 0;
        for head in self.heads_of(recent) {
            if let (0, Some(found)) = (self.match_length, self.found(head)) {
                self.matched = found;
                self.match_length = SHORTEST - 1;
            }
            self.heads[head] = self.written;
        }
    }

    /// Notes a new byte that follows `recent`.
    #[inline]
    pub(crate) fn remember(&mut self, recent: u64, byte: u8) {
        if self.match_length > 0 {
            if self.byte_at(self.matched) == byte {
                self.match_length = (self.match_length + 1).min(SURE + 31);
            } else {
                // What differs in one byte often goes on alike.
                self.match_length = u32::from(self.match_length >= RECOVERS);
            }
            self.matched = self.matched.wrapping_add(1);
        }
        self.push(byte);
        let recent = recent << 8 | u64::from(byte);
        for head in self.heads_of(recent) {
            if let Some(found) = self.found(head).filter(|_| self.match_length < SHORTEST) {
                let same = (0..8.min(found))
                    .take_while(|back| {
                        self.byte_at(found.wrapping_sub(1 + back)) == (recent >> (8 * back)) as u8
                    })
                    .count() as u32;
                if same >= SHORTEST {
                    self.matched = found;
                    self.match_length = same;
                }
            }
            self.heads[head] = self.written;
        }
    }
}

/// A context: a value, where it was seen, and which of the contexts it is, 1 to 15.
#[inline]
pub(crate) fn hash(order: u32, value: u64, place: u32) -> u32 {
    let mixed = (value ^ u64::from(place) << 56 ^ u64::from(order) << 50)
        .wrapping_add(u64::from(order) << 32 | u64::from(place))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32 ^ (mixed >> 15) as u32 & 0xffff
}
