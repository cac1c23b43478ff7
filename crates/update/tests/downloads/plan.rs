//! What is done to one download, from its seed.

use std::collections::VecDeque;

use crate::fault::Fault;

/// One download.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Bytes of the file: 1 to 2 MiB.
    pub(crate) size: usize,
    pub(crate) mirrors: Vec<Mirror>,
    /// What each server does to it, request by request, and then for ever.
    pub(crate) scripts: Vec<(VecDeque<Fault>, Fault)>,
}

/// An address that the fetcher is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirror {
    /// The server of this number.
    Server(usize),
    /// A port on which nobody listens.
    Nobody,
    /// A name that there is not.
    NoName,
}

/// The generator known as splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const LARGEST: usize = 2 * 1024 * 1024;
/// The servers that a plan may use; one more is kept as the other host of redirects.
pub(crate) const SERVERS: usize = 3;

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random(seed ^ 0x4D6F_756C_7400_0000);
        let size = size(&mut random);
        let count = 1 + random.below(SERVERS);
        let mut mirrors = Vec::new();
        let mut scripts = Vec::new();
        for server in 0..SERVERS {
            let is_dead = random.percent(3);
            let has_no_name = random.percent(1);
            let begun: VecDeque<Fault> = (0..random.below(4)).map(|_| fault(&mut random, size)).collect();
            let after = if random.percent(12) {
                fault(&mut random, size)
            } else {
                Fault::None
            };
            // A fetcher that is killed for ever comes to no end.
            let after = if matches!(after, Fault::Kill(_)) {
                Fault::None
            } else {
                after
            };
            if server < count {
                mirrors.push(match (is_dead, has_no_name) {
                    (true, _) => Mirror::Nobody,
                    (_, true) => Mirror::NoName,
                    _ => Mirror::Server(server),
                });
            }
            scripts.push((begun, after));
        }
        Self {
            seed,
            size,
            mirrors,
            scripts,
        }
    }
}

/// As many small ones as large ones by orders of magnitude, and now and then one that is on an edge.
fn size(random: &mut Random) -> usize {
    const EDGES: [usize; 8] = [1, 2, 32_767, 32_768, 32_769, 65_536, 65_537, LARGEST];
    if random.percent(6) {
        return EDGES[random.below(EDGES.len())];
    }
    let bits = random.below(22);
    ((1 << bits) + random.below(1 << bits)).min(LARGEST)
}

fn fault(random: &mut Random, size: usize) -> Fault {
    let at = random.below(size + 1);
    let status = [400, 401, 403, 404, 410, 451][random.below(6)];
    let broken = [500, 502, 503, 504][random.below(4)];
    let busy = [429, 503][random.below(2)];
    match random.below(64) {
        0..=7 => Fault::Cut(at),
        8..=12 => Fault::Reset(at),
        13 => Fault::Drip,
        14..=15 => Fault::Silence(at),
        16 => Fault::SlowHead,
        17 => Fault::NoAnswer,
        18..=19 => Fault::Endless,
        20..=21 => Fault::LongLength,
        22..=23 => Fault::ShortLength,
        24..=26 => Fault::CutChunks(at),
        27..=28 => Fault::IgnoreRange,
        29..=30 => Fault::OtherTag,
        31..=32 => Fault::OtherTagInPart,
        33..=34 => Fault::WrongRange,
        35 => Fault::NoTag,
        36 => Fault::WeakTag,
        37 => Fault::Gzip,
        38 => Fault::DoubleGzip,
        39 => Fault::Loop,
        40 => Fault::Away,
        41 => Fault::OtherHost,
        42 => Fault::Portal,
        43 => Fault::PortalInDisguise,
        44..=46 => Fault::Status(status),
        47..=49 => Fault::Status(broken),
        50 => Fault::Busy(busy, 0),
        51 => Fault::Busy(busy, 1),
        52 => Fault::Busy(busy, 86_400),
        53 => Fault::BusyUntil(busy),
        54..=55 => Fault::Flip,
        56 => Fault::Garbage,
        57 => Fault::HugeHead,
        58 => Fault::Empty,
        _ => Fault::Kill(at),
    }
}
