//! Blocks of deflate (RFC 1951), by the rules of zlib: when a block ends, and in which of the three ways
//! it is written. Refuses to know how matches are found.

use super::tree::{
    self, Code, DISTANCE_EXTRA, DISTANCES, LENGTH_EXTRA, LENGTHS, LITERALS, OF_DISTANCES, OF_LENGTHS,
    OF_LITERALS,
};

/// The symbol that ends a block.
const END: usize = 256;
/// The order in which the lengths of the lengths of codes are written.
const ORDER: [usize; LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const REPEAT: usize = 16;
const SHORT_ZEROS: usize = 17;
const LONG_ZEROS: usize = 18;

/// Bits to bytes, the lowest bit first.
#[derive(Default)]
struct Bits {
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, out: &mut Vec<u8>, bits: u16, count: u32) {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            out.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Fills the last byte with zeros.
    fn align(&mut self, out: &mut Vec<u8>) {
        let missing = self.count.wrapping_neg() % 8;
        self.put(out, 0, missing);
    }
}

/// Where numbers of lengths and distances begin.
struct Ranges {
    /// The symbol of each length from 3 on, without 257.
    lengths: [u8; 256],
    /// The first length of each symbol, without 3.
    first_lengths: [u16; LENGTH_EXTRA.len()],
    /// The first distance of each symbol, without 1.
    first_distances: [u16; DISTANCES],
}

impl Ranges {
    fn new() -> Self {
        let mut ranges = Self {
            lengths: [0; 256],
            first_lengths: [0; LENGTH_EXTRA.len()],
            first_distances: [0; DISTANCES],
        };
        let mut next = 0;
        for (symbol, extra) in LENGTH_EXTRA.iter().enumerate() {
            // The longest length has a symbol of its own and no part in the one before it.
            ranges.first_lengths[symbol] = next.min(255);
            let end = (next + (1 << extra)).min(256);
            for length in next.min(255)..end {
                ranges.lengths[usize::from(length)] = symbol as u8;
            }
            next = end;
        }
        let mut next = 0_u16;
        for (symbol, extra) in DISTANCE_EXTRA.iter().enumerate() {
            ranges.first_distances[symbol] = next;
            next = next.wrapping_add(1 << extra);
        }
        ranges
    }

    fn distance(&self, distance: u16) -> usize {
        self.first_distances.partition_point(|first| *first <= distance) - 1
    }
}

/// Gathers symbols, and writes them block by block.
pub(super) struct Blocks {
    bits: Bits,
    ranges: Ranges,
    fixed: [Code; 2],
    /// A length without 3, or a byte; a distance, or 0.
    symbols: Vec<(u8, u16)>,
    /// How many symbols a block may have.
    most: usize,
    /// Whether a block ends early where that seems to pay.
    is_impatient: bool,
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
    matches: usize,
}

impl Blocks {
    pub(super) fn new(buffer: usize, is_impatient: bool) -> Self {
        let fixed = |symbol: usize| match symbol {
            0..144 | 280.. => 8,
            144..256 => 9,
            _ => 7,
        };
        let mut blocks = Self {
            bits: Bits::default(),
            ranges: Ranges::new(),
            fixed: [
                Code::of_lengths((0..288).map(fixed).collect(), 287),
                Code::of_lengths(vec![5; DISTANCES], DISTANCES - 1),
            ],
            symbols: Vec::with_capacity(buffer),
            most: buffer - 1,
            is_impatient,
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
            matches: 0,
        };
        blocks.reset();
        blocks
    }

    fn reset(&mut self) {
        self.symbols.clear();
        self.literals = [0; LITERALS];
        self.distances = [0; DISTANCES];
        self.literals[END] = 1;
        self.matches = 0;
    }

    /// Takes a byte. Says whether the block is to end; it has `plain` plain bytes up to where the search
    /// stands.
    pub(super) fn literal(&mut self, byte: u8, plain: usize) -> bool {
        self.symbols.push((byte, 0));
        self.literals[usize::from(byte)] += 1;
        self.is_full(plain)
    }

    /// Takes a match. Says whether the block is to end.
    pub(super) fn copy(&mut self, distance: usize, length: usize, plain: usize) -> bool {
        let length = (length - 3) as u8;
        self.symbols.push((length, distance as u16));
        self.literals[END + 1 + usize::from(self.ranges.lengths[usize::from(length)])] += 1;
        self.distances[self.ranges.distance(distance as u16 - 1)] += 1;
        self.matches += 1;
        self.is_full(plain)
    }

    fn is_full(&self, plain: usize) -> bool {
        let count = self.symbols.len();
        if self.is_impatient && count.is_multiple_of(4096) && self.matches < count / 2 {
            let far: u64 = (self.distances.iter().zip(DISTANCE_EXTRA))
                .map(|(frequency, extra)| u64::from(*frequency) * (5 + u64::from(extra)))
                .sum();
            if ((count as u64 * 8 + far) >> 3) < plain as u64 / 2 {
                return true;
            }
        }
        count == self.most
    }

    /// Ends a block. `plain` are its plain bytes if they are still known, and `length` is how many.
    pub(super) fn finish(&mut self, plain: Option<&[u8]>, length: usize, is_last: bool, out: &mut Vec<u8>) {
        let literals = tree::build(&self.literals, OF_LITERALS);
        let distances = tree::build(&self.distances, OF_DISTANCES);
        let lengths = Lengths::new(&literals, &distances);
        let cost = |literals: &Code, distances: &Code| {
            literals.cost(&self.literals, OF_LITERALS) + distances.cost(&self.distances, OF_DISTANCES)
        };
        let own = (cost(&literals, &distances) + lengths.cost() + 3 + 7) >> 3;
        let fixed = (cost(&self.fixed[0], &self.fixed[1]) + 3 + 7) >> 3;
        let last = u16::from(is_last);
        match plain {
            Some(plain) if length as u64 + 4 <= own.min(fixed) && u16::try_from(length).is_ok() => {
                self.bits.put(out, last, 3);
                self.bits.align(out);
                out.extend_from_slice(&(length as u16).to_le_bytes());
                out.extend_from_slice(&(!(length as u16)).to_le_bytes());
                out.extend_from_slice(plain);
            }
            _ if fixed <= own => {
                self.bits.put(out, 2 + last, 3);
                let [literals, distances] = std::mem::take(&mut self.fixed);
                self.write(&literals, &distances, out);
                self.fixed = [literals, distances];
            }
            _ => {
                self.bits.put(out, 4 + last, 3);
                lengths.write(&literals, &distances, &mut self.bits, out);
                self.write(&literals, &distances, out);
            }
        }
        self.reset();
        if is_last {
            self.bits.align(out);
        }
    }

    fn write(&mut self, literals: &Code, distances: &Code, out: &mut Vec<u8>) {
        let put = |bits: &mut Bits, code: &Code, symbol: usize, out: &mut Vec<u8>| {
            bits.put(out, code.bits[symbol], code.lengths[symbol].into());
        };
        for (value, distance) in &self.symbols {
            let bits = &mut self.bits;
            let Some(distance) = distance.checked_sub(1) else {
                put(bits, literals, usize::from(*value), out);
                continue;
            };
            let symbol = usize::from(self.ranges.lengths[usize::from(*value)]);
            put(bits, literals, END + 1 + symbol, out);
            let rest = u16::from(*value) - self.ranges.first_lengths[symbol];
            bits.put(out, rest, LENGTH_EXTRA[symbol].into());
            let symbol = self.ranges.distance(distance);
            put(bits, distances, symbol, out);
            let rest = distance - self.ranges.first_distances[symbol];
            bits.put(out, rest, DISTANCE_EXTRA[symbol].into());
        }
        put(&mut self.bits, literals, END, out);
    }
}

/// The lengths of two codes, as they are written before the block.
struct Lengths {
    /// Symbols and the numbers after them.
    symbols: Vec<(usize, u16)>,
    frequencies: [u32; LENGTHS],
    code: Code,
    /// How many lengths of lengths are written.
    count: usize,
}

impl Lengths {
    fn new(literals: &Code, distances: &Code) -> Self {
        let mut symbols = Vec::new();
        for code in [literals, distances] {
            // The two never share a run.
            for run in code.lengths[..=code.last].chunk_by(|one, next| one == next) {
                push_run(usize::from(run[0]), run.len(), &mut symbols);
            }
        }
        let mut frequencies = [0; LENGTHS];
        for (symbol, _) in &symbols {
            frequencies[*symbol] += 1;
        }
        let code = tree::build(&frequencies, OF_LENGTHS);
        let count = ORDER.iter().rposition(|symbol| code.lengths[*symbol] > 0);
        Self {
            symbols,
            frequencies,
            code,
            count: (count.unwrap_or(0) + 1).max(4),
        }
    }

    fn cost(&self) -> u64 {
        self.code.cost(&self.frequencies, OF_LENGTHS) + 3 * self.count as u64 + 5 + 5 + 4
    }

    fn write(&self, literals: &Code, distances: &Code, bits: &mut Bits, out: &mut Vec<u8>) {
        bits.put(out, (literals.last + 1 - 257) as u16, 5);
        bits.put(out, distances.last as u16, 5);
        bits.put(out, (self.count - 4) as u16, 4);
        for symbol in &ORDER[..self.count] {
            bits.put(out, self.code.lengths[*symbol].into(), 3);
        }
        for (symbol, rest) in &self.symbols {
            bits.put(out, self.code.bits[*symbol], self.code.lengths[*symbol].into());
            let extra = match *symbol {
                REPEAT => 2,
                SHORT_ZEROS => 3,
                LONG_ZEROS => 7,
                _ => continue,
            };
            bits.put(out, *rest, extra);
        }
    }
}

/// Appends a run of equal lengths.
fn push_run(length: usize, mut count: usize, symbols: &mut Vec<(usize, u16)>) {
    if length == 0 {
        while count > 0 {
            let now = count.min(138);
            match now {
                1 | 2 => symbols.extend([(0, 0)].repeat(now)),
                3..=10 => symbols.push((SHORT_ZEROS, (now - 3) as u16)),
                _ => symbols.push((LONG_ZEROS, (now - 11) as u16)),
            }
            count -= now;
        }
        return;
    }
    // The first one is written, at most six are repeated at a time.
    symbols.push((length, 0));
    count -= 1;
    while count > 0 {
        let now = count.min(6);
        if now < 3 {
            symbols.extend([(length, 0)].repeat(now));
        } else {
            symbols.push((REPEAT, (now - 3) as u16));
        }
        count -= now;
    }
}
