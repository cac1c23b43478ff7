//! The sorted suffixes of the old image, and the longest match of a place in the new one.
//!
//! Refuses to know what a match is worth: it tells the longest, and a few neighbours that are as good
//! or nearly so.

use libsais::SuffixArrayConstruction;

/// The shortest match that is told, in bytes: 8 to 16. Shorter ones stand in executables everywhere.
pub(super) const SEED: usize = 8;
/// The longest match that is told: the path follows a longer one by itself. Bounds the work on
/// repetitive input.
const CAP: usize = 1 << 14;
/// Above this depth an interval of many suffixes is not narrowed any more: they are repetitions of
/// one another.
const DEEP: usize = 1 << 10;
/// So few suffixes are compared one by one.
const FEW: usize = 4;
/// How many neighbours are looked at on each side.
const NEIGHBOURS: usize = 16;

/// A text and its suffixes in order: 4 bytes for each byte of text, and at most 2.5 for the tables.
pub(super) struct Suffixes<'a> {
    text: &'a [u8],
    order: Vec<i32>,
    /// Where the suffixes begin whose first bits are the index, and at the end their number.
    heads: Vec<u32>,
    /// How many bits of a suffix's first 8 bytes are not part of the index of `heads`.
    shift: u32,
    /// A bit for each hash of `SEED` bytes: whether they stand somewhere in the text. A search costs
    /// some fifty reads from all over the memory, and nine of ten would find nothing.
    seeds: Vec<u64>,
}

/// Suffixes that share the beginning of a pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// How long the longest match is, in bytes. 0 if it is shorter than [`SEED`].
    pub(super) length: usize,
    /// Where matches begin in the text: the longest first, then its neighbours. Not sorted
    /// otherwise, and never two of a kind.
    pub(super) places: Vec<u32>,
}

impl<'a> Suffixes<'a> {
    /// Sorts. `None` if the text is too long for it (2 GiB), or the sorter fails.
    pub(super) fn new(text: &'a [u8]) -> Option<Self> {
        if text.is_empty() || i32::try_from(text.len()).is_err() {
            return None;
        }
        let order = SuffixArrayConstruction::for_text(text)
            .in_owned_buffer32()
            .single_threaded()
            .run()
            .ok()?
            .into_vec();
        let bits = (text.len().ilog2().saturating_sub(3)).clamp(8, 24);
        let shift = 64 - bits;
        let mut heads = vec![0_u32; (1 << bits) + 1];
        for at in 0..text.len() {
            heads[(word(text, at) >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for head in &mut heads {
            sum += *head;
            *head = sum;
        }
        // 8 to 16 bits for each place of the text.
        let mut seeds = vec![0; 1 << (text.len().ilog2() + 1).saturating_sub(3).max(1)];
        for seed in text.windows(SEED) {
            let (at, bit) = place_of_seed(&seeds, seed);
            seeds[at] |= bit;
        }
        Some(Self {
            text,
            order,
            heads,
            shift,
            seeds,
        })
    }

    fn place(&self, rank: usize) -> usize {
        self.order[rank] as usize
    }

    /// The first rank in `low..high` whose 8 bytes at `depth` are not below `key`.
    fn lower(&self, mut low: usize, mut high: usize, depth: usize, key: u64) -> usize {
        while low < high {
            let middle = usize::midpoint(low, high);
            if word(self.text, self.place(middle) + depth) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Finds the longest match of the beginning of `pattern`.
    pub(super) fn find(&self, pattern: &[u8], found: &mut Found) {
        found.length = 0;
        found.places.clear();
        let pattern = &pattern[..pattern.len().min(CAP)];
        if pattern.len() < SEED {
            return;
        }
        let (at, bit) = place_of_seed(&self.seeds, pattern);
        if self.seeds[at] & bit == 0 {
            return;
        }
        let key = word(pattern, 0);
        let head = (key >> self.shift) as usize;
        let (mut low, mut high) = (self.heads[head] as usize, self.heads[head + 1] as usize);
        let mut depth = 0;
        // Each round leaves the suffixes that share 8 more bytes with the pattern.
        let middle = loop {
            let key = word(pattern, depth);
            let first = self.lower(low, high, depth, key);
            let whole = depth + 8 <= pattern.len();
            if !whole || first == high || word(self.text, self.place(first) + depth) != key {
                break first;
            }
            high = match key.checked_add(1) {
                Some(above) => self.upper(first, high, depth, above),
                None => high,
            };
            low = self.long_enough(first, high, depth + 8);
            if low == high {
                break low;
            }
            depth += 8;
            if high - low <= FEW {
                break low;
            }
            depth += self.common(pattern, low, high, depth) & !7;
            low = self.long_enough(low, high, depth);
            if depth >= DEEP {
                break low;
            }
        };
        if depth >= SEED {
            self.collect(pattern, low, high, middle, depth, found);
        }
    }

    /// The first of equals that does not end before `depth`. Those that do were taken to go on with
    /// zeros, and sort first.
    fn long_enough(&self, low: usize, high: usize, depth: usize) -> usize {
        let short = |place: &i32| *place as usize + depth > self.text.len();
        if short(&self.order[low]) {
            low + self.order[low..high].partition_point(short)
        } else {
            low
        }
    }

    /// How many bytes from `depth` on the pattern shares with all of the suffixes.
    fn common(&self, pattern: &[u8], low: usize, high: usize, depth: usize) -> usize {
        let with = |rank: usize| match self.text.get(self.place(rank) + depth..) {
            Some(rest) => shared(&pattern[depth..], rest),
            None => 0,
        };
        let first = with(low);
        if first < 8 { 0 } else { first.min(with(high - 1)) }
    }

    /// Like `lower`, but in steps that grow: most intervals are short.
    fn upper(&self, low: usize, high: usize, depth: usize, key: u64) -> usize {
        let mut step = 1;
        let mut from = low;
        while from + step < high && word(self.text, self.place(from + step) + depth) < key {
            from += step;
            step *= 2;
        }
        self.lower(from, high.min(from + step), depth, key)
    }

    /// Lists the suffixes around `middle`, where the pattern would stand or a few are left; all
    /// in `low..high` share `depth` bytes with it.
    fn collect(
        &self,
        pattern: &[u8],
        low: usize,
        high: usize,
        middle: usize,
        depth: usize,
        found: &mut Found,
    ) {
        let from = low.max(middle.saturating_sub(NEIGHBOURS));
        let to = high.min(middle + NEIGHBOURS);
        // The longest stands beside where the pattern would, but a few are quicker compared than sorted.
        let compared = if high - low <= FEW {
            low..high
        } else {
            middle.saturating_sub(1).max(from)..to.min(middle + 1)
        };
        let mut longest = from;
        for rank in compared {
            let length = match self.text.get(self.place(rank) + depth..) {
                Some(rest) => depth + shared(&pattern[depth..], rest),
                None => 0,
            };
            if length > found.length {
                (found.length, longest) = (length, rank);
            }
        }
        if found.length < SEED {
            found.length = 0;
            return;
        }
        found.places.push(self.place(longest) as u32);
        for rank in from..to {
            if rank != longest {
                found.places.push(self.place(rank) as u32);
            }
        }
    }
}

/// The word and the bit of the hash of the first `SEED` bytes.
#[inline]
fn place_of_seed(seeds: &[u64], bytes: &[u8]) -> (usize, u64) {
    let (first, last) = (word(bytes, 0), word(bytes, SEED - 8));
    let hash = (first ^ last.rotate_left(31).wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = hash ^ hash >> 29;
    (hash as usize >> 6 & (seeds.len() - 1), 1 << (hash & 63))
}

/// 8 bytes as a number that sorts as they do; zeros after the text's end. (A suffix that ends there
/// sorts before one that goes on with zeros, and both have one number.)
#[inline]
fn word(text: &[u8], at: usize) -> u64 {
    if let Some(bytes) = text.get(at..at + 8)
        && let Ok(bytes) = bytes.try_into()
    {
        return u64::from_be_bytes(bytes);
    }
    let mut bytes = [0; 8];
    let rest = text.get(at..).unwrap_or_default();
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(bytes)
}

/// How many bytes two texts share at their beginnings.
#[inline]
pub(super) fn shared(one: &[u8], other: &[u8]) -> usize {
    let bytes = one.len().min(other.len());
    let (ones, others) = (one[..bytes].as_chunks::<8>().0, other[..bytes].as_chunks::<8>().0);
    for (at, (one, other)) in ones.iter().zip(others).enumerate() {
        let different = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if different != 0 {
            return at * 8 + different.trailing_zeros() as usize / 8;
        }
    }
    let at = ones.len() * 8;
    at + one[at..bytes]
        .iter()
        .zip(&other[at..bytes])
        .take_while(|(one, other)| one == other)
        .count()
}
