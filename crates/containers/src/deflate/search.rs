//! The search of zlib and of what descends from the same program: matches by chains of equal hashes,
//! with or without waiting for a better one. Each level searches so long and no longer, and that decides
//! the bytes. Refuses to know how symbols are written.

use super::block::Blocks;

const WINDOW: usize = 32 * 1024;
const MASK: usize = WINDOW - 1;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 258;
/// So many bytes ahead the search wants to see.
const MIN_AHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
const MAX_DISTANCE: usize = WINDOW - MIN_AHEAD;
/// The shortest match is not worth it from farther away.
const TOO_FAR: usize = 4096;
/// No place in the window: the first one is never matched.
const NOWHERE: u16 = 0;

/// How long a level searches.
#[derive(Clone, Copy)]
struct Effort {
    /// With a match as long, a better one is searched less.
    good: usize,
    /// With a match as long, no better one is waited for; without waiting: no longer match is hashed.
    lazy: usize,
    /// A match as long ends the search.
    nice: usize,
    /// So many are looked at.
    chain: usize,
    waits: bool,
}

const fn effort(good: usize, lazy: usize, nice: usize, chain: usize, waits: bool) -> Effort {
    Effort {
        good,
        lazy,
        nice,
        chain,
        waits,
    }
}

/// By level, from 1 on.
const EFFORTS: [Effort; 9] = [
    effort(4, 4, 8, 4, false),
    effort(4, 5, 16, 8, false),
    effort(4, 6, 32, 32, false),
    effort(4, 4, 16, 16, true),
    effort(8, 16, 32, 32, true),
    effort(8, 16, 128, 128, true),
    effort(8, 32, 128, 256, true),
    effort(32, 128, 258, 1024, true),
    effort(32, 258, 258, 4096, true),
];

/// What tells the relatives apart.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) hash_bits: u32,
    /// How many symbols are gathered.
    pub(super) buffer: usize,
    /// The older ones, gzip and Info-ZIP: blocks may end early, and at the end of the file they compare
    /// bytes that are not there.
    pub(super) is_old: bool,
}

impl Kind {
    /// gzip and Info-ZIP.
    pub(super) const GZIP: Self = Self {
        hash_bits: 15,
        buffer: 32 * 1024,
        is_old: true,
    };

    /// zlib with a `memLevel` from 1 to 9.
    pub(super) const fn zlib(memory: u8) -> Self {
        Self {
            hash_bits: memory as u32 + 7,
            buffer: 1 << (memory + 6),
            is_old: false,
        }
    }
}

/// Compresses.
pub(super) struct Search {
    kind: Kind,
    effort: Effort,
    blocks: Blocks,
    window: Vec<u8>,
    /// The last place with each hash, and the place before each place with the same hash.
    heads: Vec<u16>,
    chain: Vec<u16>,
    /// Where the search stands, and how many bytes are known from there on.
    at: usize,
    ahead: usize,
    /// Where the block begins; before the window if it is that long.
    block: isize,
    length: usize,
    start: usize,
    /// Whether the byte before waits for a better match than its own.
    is_waiting: bool,
    /// What the window has no room for yet.
    input: Vec<u8>,
    taken: usize,
    is_at_end: bool,
}

impl Search {
    /// `level` is from 1 to 9.
    pub(super) fn new(kind: Kind, level: u8) -> Self {
        let effort = EFFORTS[usize::from(level.clamp(1, 9)) - 1];
        Self {
            kind,
            effort,
            blocks: Blocks::new(kind.buffer, kind.is_old && level > 2),
            // What is compared beyond the window's end is never the match that is taken.
            window: vec![0; 2 * WINDOW + MIN_AHEAD],
            heads: vec![NOWHERE; 1 << kind.hash_bits],
            chain: vec![NOWHERE; WINDOW],
            at: 0,
            ahead: 0,
            block: 0,
            length: if effort.waits { MIN_MATCH - 1 } else { 0 },
            start: 0,
            is_waiting: false,
            input: Vec::new(),
            taken: 0,
            is_at_end: false,
        }
    }

    /// Takes plain bytes.
    pub(super) fn push(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        // The window is filled whenever there is room, as by a program that has all input at hand.
        self.input.drain(..self.taken);
        self.taken = 0;
        self.input.extend_from_slice(plain);
        while self.input.len() - self.taken >= 2 * WINDOW {
            self.step(out);
        }
    }

    /// Ends the last block.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        while self.step(out) {}
        if self.is_waiting {
            let plain = self.plain();
            self.blocks.literal(self.window[self.at - 1], plain);
        }
        self.end_block(true, out);
    }

    /// Does one step. False if there is nothing to do.
    fn step(&mut self, out: &mut Vec<u8>) -> bool {
        if self.ahead < MIN_AHEAD {
            self.fill();
            if self.ahead == 0 {
                return false;
            }
        }
        if self.effort.waits {
            self.step_lazily(out);
        } else {
            self.step_fast(out);
        }
        true
    }

    fn fill(&mut self) {
        while self.ahead < MIN_AHEAD && !(self.kind.is_old && self.is_at_end) {
            let mut room = 2 * WINDOW - self.ahead - self.at;
            if self.at >= WINDOW + MAX_DISTANCE {
                self.slide();
                room += WINDOW;
            }
            let rest = &self.input[self.taken..];
            let now = rest.len().min(room);
            let end = self.at + self.ahead;
            self.window[end..end + now].copy_from_slice(&rest[..now]);
            self.taken += now;
            self.ahead += now;
            if now == 0 {
                self.is_at_end = true;
                let end = self.at + self.ahead;
                self.window[end..end + MIN_MATCH - 1].fill(0);
                break;
            }
        }
    }

    fn slide(&mut self) {
        self.window.copy_within(WINDOW..2 * WINDOW, 0);
        // A match that was not taken may lie before it: nobody asks for its start.
        self.start = self.start.wrapping_sub(WINDOW);
        self.at -= WINDOW;
        self.block -= WINDOW.cast_signed();
        for place in self.heads.iter_mut().chain(&mut self.chain) {
            *place = place.saturating_sub(WINDOW as u16);
        }
    }

    /// How many plain bytes the block has.
    fn plain(&self) -> usize {
        self.at.wrapping_add_signed(-self.block)
    }

    fn end_block(&mut self, is_last: bool, out: &mut Vec<u8>) {
        let plain = usize::try_from(self.block)
            .ok()
            .and_then(|start| self.window.get(start..self.at));
        self.blocks.finish(plain, self.plain(), is_last, out);
        self.block = self.at.cast_signed();
    }

    /// Makes a place known, and tells the last one with the same hash.
    fn insert(&mut self, at: usize) -> usize {
        let shift = self.kind.hash_bits.div_ceil(MIN_MATCH as u32);
        let [first, second, third] = [0, 1, 2].map(|by| u32::from(self.window[at + by]));
        let hash = (first << (2 * shift)) ^ (second << shift) ^ third;
        let head = &mut self.heads[(hash & ((1 << self.kind.hash_bits) - 1)) as usize];
        let before = *head;
        self.chain[at & MASK] = before;
        *head = at as u16;
        before.into()
    }

    /// Whether a place can be made known.
    fn is_known(&self, ahead: usize) -> bool {
        self.kind.is_old || ahead >= MIN_MATCH
    }

    fn is_near(&self, head: usize) -> bool {
        head != usize::from(NOWHERE)
            && self.at - head <= MAX_DISTANCE
            && (!self.kind.is_old || self.at <= 2 * WINDOW - MIN_AHEAD)
    }

    /// Searches a match that is longer than `best`, and gives its length or `best`.
    fn longest(&mut self, mut place: usize, mut best: usize) -> usize {
        let Effort {
            good,
            nice,
            mut chain,
            ..
        } = self.effort;
        let nice = if self.kind.is_old {
            nice
        } else {
            nice.min(self.ahead)
        };
        if best >= good {
            chain >>= 2;
        }
        let limit = self.at.saturating_sub(MAX_DISTANCE);
        let window = &self.window[..];
        let scan = &window[self.at..self.at + MAX_MATCH];
        loop {
            let found = &window[place..place + MAX_MATCH];
            if found[best] == scan[best] && found[best - 1] == scan[best - 1] {
                let same = scan.iter().zip(found).take_while(|(one, other)| one == other);
                let length = same.count();
                if length > best {
                    self.start = place;
                    best = length;
                    if length >= nice || length == MAX_MATCH {
                        break;
                    }
                }
            }
            place = self.chain[place & MASK].into();
            chain -= 1;
            if place <= limit || chain == 0 {
                break;
            }
        }
        best.min(self.ahead)
    }

    fn step_fast(&mut self, out: &mut Vec<u8>) {
        let head = if self.is_known(self.ahead) {
            self.insert(self.at)
        } else {
            NOWHERE.into()
        };
        if self.is_near(head) {
            self.length = self.longest(head, MIN_MATCH - 1);
        }
        let ends;
        if self.length >= MIN_MATCH {
            let (distance, plain) = (self.at.wrapping_sub(self.start), self.plain());
            ends = self.blocks.copy(distance, self.length, plain);
            self.ahead -= self.length;
            if self.length <= self.effort.lazy && self.is_known(self.ahead) {
                for at in self.at + 1..self.at + self.length {
                    self.insert(at);
                }
            }
            self.at += self.length;
            self.length = 0;
        } else {
            let plain = self.plain();
            ends = self.blocks.literal(self.window[self.at], plain);
            self.at += 1;
            self.ahead -= 1;
        }
        if ends {
            self.end_block(false, out);
        }
    }

    fn step_lazily(&mut self, out: &mut Vec<u8>) {
        let head = if self.is_known(self.ahead) {
            self.insert(self.at)
        } else {
            NOWHERE.into()
        };
        let (length_before, start_before) = (self.length, self.start);
        self.length = MIN_MATCH - 1;
        if length_before < self.effort.lazy && self.is_near(head) {
            self.length = self.longest(head, length_before);
            if self.length == MIN_MATCH && self.at.wrapping_sub(self.start) > TOO_FAR {
                self.length = MIN_MATCH - 1;
            }
        }
        let plain = self.plain();
        if length_before >= MIN_MATCH && self.length <= length_before {
            let ends = self
                .blocks
                .copy((self.at - 1).wrapping_sub(start_before), length_before, plain);
            // The first byte is known already, and the one before it.
            for at in self.at + 1..self.at + length_before - 1 {
                if self.is_known(self.at + self.ahead - at) {
                    self.insert(at);
                }
            }
            self.ahead -= length_before - 1;
            self.at += length_before - 1;
            self.is_waiting = false;
            self.length = MIN_MATCH - 1;
            if ends {
                self.end_block(false, out);
            }
        } else if self.is_waiting {
            if self.blocks.literal(self.window[self.at - 1], plain) {
                self.end_block(false, out);
            }
            self.at += 1;
            self.ahead -= 1;
        } else {
            self.is_waiting = true;
            self.at += 1;
            self.ahead -= 1;
        }
    }
}
