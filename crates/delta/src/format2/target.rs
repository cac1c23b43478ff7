//! Where references in new code lead: often where one in like surroundings led, else somewhere that
//! is told by its bytes, the highest first.
//!
//! Refuses to know how a reference is written.

use super::bytes::Bytes;
use super::chance::Chance;
use super::range::{Below, Coder};

/// How many contexts a byte of a target has.
const CONTEXTS: usize = 3;
const CONTEXT_BITS: u32 = 14;

/// What was learnt of targets.
pub(crate) struct Targets {
    /// By what stands before the reference, from far to near.
    seen: [Vec<(u32, u8)>; 2],
    flags: Vec<Chance>,
    bytes: Bytes<CONTEXTS>,
}

impl Targets {
    pub(crate) fn new() -> Self {
        Self {
            seen: std::array::from_fn(|_| vec![(0, 0); 1 << CONTEXT_BITS]),
            flags: vec![Chance::EVEN; 2 * 8 * 16],
            bytes: Bytes::new(15, 8 * 4),
        }
    }

    /// Codes a target. `flow` is below 8; `before` are the last 8 bytes.
    pub(crate) fn code(&mut self, coder: &mut impl Coder, flow: u32, before: u64, truth: u32) -> u32 {
        let places = places(flow, before);
        let mut other = None;
        for (rank, place) in places.into_iter().enumerate() {
            let (seen, trust) = self.seen[rank][place];
            if trust == 0 || other == Some(seen) {
                continue;
            }
            let flag = &mut self.flags[(rank * 8 + flow as usize) * 16 + usize::from(trust.min(15))];
            if flag.code(coder, u32::from(seen != truth)) == 0 {
                self.learn(flow, before, seen);
                self.bytes(&mut Silent, flow, seen);
                return seen;
            }
            other = Some(seen);
        }
        let target = self.bytes(coder, flow, truth);
        self.learn(flow, before, target);
        target
    }

    /// Notes where a reference in such surroundings led.
    pub(crate) fn learn(&mut self, flow: u32, before: u64, target: u32) {
        for (rank, place) in places(flow, before).into_iter().enumerate() {
            let entry = &mut self.seen[rank][place];
            *entry = if entry.1 > 0 && entry.0 == target {
                (target, (entry.1 + 1).min(15))
            } else {
                (target, 1)
            };
        }
    }

    fn bytes(&mut self, coder: &mut impl Coder, flow: u32, truth: u32) -> u32 {
        let mut target = 0_u32;
        for at in 0..4_u32 {
            let byte = truth >> (24 - 8 * at) & 0xff;
            let contexts = [
                hash(target, at * 8 + flow),
                hash(target, at * 8 + 512),
                hash(target >> 8, at * 8 + flow + 1024),
            ];
            let got = self
                .bytes
                .code(coder, (flow * 4 + at) as usize, contexts, byte as u8);
            target = target << 8 | u32::from(got);
        }
        target
    }
}

/// Codes nothing: for models that learn what is known already.
struct Silent;

impl Coder for Silent {
    fn code(&mut self, bit: u32, _chance: u32) -> u32 {
        bit
    }

    fn symbol(&mut self, symbol: usize, _below: &Below) -> usize {
        symbol
    }
}

fn places(flow: u32, before: u64) -> [usize; 2] {
    [before, before & 0xff_ffff_ffff].map(|before| {
        let mixed = (before ^ u64::from(flow) << 59).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (64 - CONTEXT_BITS)) as usize
    })
}

fn hash(value: u32, salt: u32) -> u32 {
    let mixed = (u64::from(value) << 16 | u64::from(salt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 29) as u32
}
