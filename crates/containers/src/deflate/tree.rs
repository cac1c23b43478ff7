//! Huffman codes of deflate (RFC 1951), by the rules of zlib: which of the many best codes is taken is
//! part of what makes its bytes what they are. Refuses to know what the symbols stand for.

/// The symbols of a literal or length, 256 to 285 being the end and lengths.
pub(super) const LITERALS: usize = 286;
/// The symbols of a distance.
pub(super) const DISTANCES: usize = 30;
/// The symbols that lengths of codes are written with.
pub(super) const LENGTHS: usize = 19;

/// The extra bits of each kind of symbol, and the first symbol that has any.
#[derive(Clone, Copy)]
pub(super) struct Alphabet {
    pub(super) size: usize,
    pub(super) first_extra: usize,
    pub(super) extra: &'static [u8],
    /// The longest code that is allowed.
    pub(super) longest: usize,
}

pub(super) const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
pub(super) const DISTANCE_EXTRA: [u8; DISTANCES] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const REPEAT_EXTRA: [u8; 3] = [2, 3, 7];

pub(super) const OF_LITERALS: Alphabet = Alphabet {
    size: LITERALS,
    first_extra: 257,
    extra: &LENGTH_EXTRA,
    longest: 15,
};
pub(super) const OF_DISTANCES: Alphabet = Alphabet {
    size: DISTANCES,
    first_extra: 0,
    extra: &DISTANCE_EXTRA,
    longest: 15,
};
pub(super) const OF_LENGTHS: Alphabet = Alphabet {
    size: LENGTHS,
    first_extra: 16,
    extra: &REPEAT_EXTRA,
    longest: 7,
};

/// A code: how many bits each symbol has, and which, the first one lowest.
#[derive(Clone, Default)]
pub(super) struct Code {
    pub(super) lengths: Vec<u8>,
    pub(super) bits: Vec<u16>,
    /// The last symbol that has a code.
    pub(super) last: usize,
}

impl Code {
    /// The code that belongs to these lengths.
    pub(super) fn of_lengths(lengths: Vec<u8>, last: usize) -> Self {
        let mut counts = [0_u16; 16];
        for length in &lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut next = [0_u16; 16];
        for length in 1..16 {
            next[length] = (next[length - 1] + counts[length - 1]) << 1;
        }
        let bits = lengths.iter().map(|length| match *length {
            0 => 0,
            length => {
                let next = &mut next[usize::from(length)];
                let code = *next;
                *next += 1;
                code.reverse_bits() >> (16 - u32::from(length))
            }
        });
        Self {
            bits: bits.collect(),
            lengths,
            last,
        }
    }

    /// How many bits symbols of these frequencies take, extra bits included.
    pub(super) fn cost(&self, frequencies: &[u32], alphabet: Alphabet) -> u64 {
        let symbols = frequencies.iter().zip(&self.lengths).enumerate();
        let costs = symbols.map(|(symbol, (frequency, length))| {
            let extra = symbol
                .checked_sub(alphabet.first_extra)
                .and_then(|at| alphabet.extra.get(at));
            u64::from(*frequency) * u64::from(length + extra.copied().unwrap_or(0))
        });
        costs.sum()
    }
}

/// A heap whose order among equals is that of zlib.
struct Heap {
    /// From 1 on: nodes, the rarest first.
    nodes: Vec<usize>,
    frequencies: Vec<u32>,
    depths: Vec<u8>,
}

impl Heap {
    fn is_before(&self, one: usize, other: usize) -> bool {
        (self.frequencies[one], self.depths[one]) <= (self.frequencies[other], self.depths[other])
    }

    fn sink(&mut self, mut at: usize) {
        let node = self.nodes[at];
        let last = self.nodes.len() - 1;
        let mut below = at * 2;
        while below <= last {
            if below < last && self.is_before(self.nodes[below + 1], self.nodes[below]) {
                below += 1;
            }
            if self.is_before(node, self.nodes[below]) {
                break;
            }
            self.nodes[at] = self.nodes[below];
            at = below;
            below *= 2;
        }
        self.nodes[at] = node;
    }

    /// Takes the rarest node away.
    fn pop(&mut self) -> usize {
        let first = self.nodes[1];
        let last = self.nodes.pop().unwrap_or_default();
        if self.nodes.len() > 1 {
            self.nodes[1] = last;
            self.sink(1);
        }
        first
    }
}

/// The best code for these frequencies. Symbols that never come get none, but for as many as it takes to
/// have two: these then count as if they came once.
pub(super) fn build(frequencies: &[u32], alphabet: Alphabet) -> Code {
    let size = alphabet.size;
    let mut heap = Heap {
        nodes: vec![0],
        frequencies: frequencies.to_vec(),
        depths: vec![0; size],
    };
    let mut last = None;
    for (symbol, frequency) in frequencies.iter().enumerate() {
        if *frequency > 0 {
            heap.nodes.push(symbol);
            last = Some(symbol);
        }
    }
    while heap.nodes.len() < 3 {
        let symbol = match last {
            Some(last) if last < 2 => last + 1,
            None | Some(_) => 0,
        };
        last = last.max(Some(symbol));
        heap.nodes.push(symbol);
        heap.frequencies[symbol] = 1;
    }
    let last = last.unwrap_or_default();
    for at in (1..=(heap.nodes.len() - 1) / 2).rev() {
        heap.sink(at);
    }
    let mut parents = vec![0; size];
    // The pairs that were joined, the last one first, are the nodes from the root down.
    let mut joined = Vec::new();
    while heap.nodes.len() > 2 {
        let one = heap.pop();
        let other = heap.nodes[1];
        joined.extend([one, other]);
        let node = heap.frequencies.len();
        heap.frequencies
            .push(heap.frequencies[one] + heap.frequencies[other]);
        heap.depths
            .push(heap.depths[one].max(heap.depths[other]).saturating_add(1));
        parents.push(0);
        parents[one] = node;
        parents[other] = node;
        heap.nodes[1] = node;
        heap.sink(1);
    }
    let lengths = lengths(&joined, &parents, heap.frequencies.len(), alphabet);
    Code::of_lengths(lengths, last)
}

/// How many bits each symbol gets: as deep as it stands, and where that is too deep by as small a change
/// as zlib makes.
fn lengths(joined: &[usize], parents: &[usize], nodes: usize, alphabet: Alphabet) -> Vec<u8> {
    let longest = alphabet.longest;
    let mut depths = vec![0_usize; nodes];
    let mut counts = vec![0_usize; longest + 2];
    let mut overflow = 0_isize;
    for node in joined.iter().rev() {
        let mut depth = depths[parents[*node]] + 1;
        if depth > longest {
            depth = longest;
            overflow += 1;
        }
        depths[*node] = depth;
        if *node < alphabet.size {
            counts[depth] += 1;
        }
    }
    if overflow > 0 {
        while overflow > 0 {
            let mut depth = longest - 1;
            while counts[depth] == 0 {
                depth -= 1;
            }
            counts[depth] -= 1;
            counts[depth + 1] += 2;
            counts[longest] -= 1;
            overflow -= 2;
        }
        // The rarest get the longest.
        let mut symbols = joined.iter().filter(|node| **node < alphabet.size);
        for depth in (1..=longest).rev() {
            for symbol in symbols.by_ref().take(counts[depth]) {
                depths[*symbol] = depth;
            }
        }
    }
    depths[..alphabet.size].iter().map(|depth| *depth as u8).collect()
}
