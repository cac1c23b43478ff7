//! New bytes of a file, by what is around them: its region, the instruction in progress, the bytes
//! before.
//!
//! Refuses to know how bytes are modelled.

use crate::layout::{Kind, Region, Span};
use crate::scan::x86_64::class::FieldClass;
use crate::scan::x86_64::parser::Parser;
use crate::scan::{Flow, ReferenceKind, field};

use super::literal::{Literals, Surroundings, hash};
use super::projection::address;
use super::range::{Coder, Stream};
use super::target::Targets;

/// The most bytes that are made in one step.
pub(crate) const LONGEST_STEP: usize = 4;

/// How many bytes of text are remembered, as a power of two.
const TEXT_HISTORY_BITS: u32 = 23;
/// How many of them are of the old file at first.
const PRIMED: u32 = 7 << 20;

/// What was learnt of new bytes.
pub(crate) struct Fresh {
    /// Of files that are no executables, which have fewer new bytes and longer contexts, or none.
    text: Option<Literals<6>>,
    code: Literals<4>,
    targets: Targets,
    parser: Parser,
    /// The opcodes before the one in progress, of 12 bits each, the last one lowest.
    opcodes: u64,
    spans: Vec<Span>,
}

impl Fresh {
    /// For a new file with these `spans`, with 2^`bits` slots for contexts of bytes.
    pub(crate) fn new(bits: u32, spans: &[Span]) -> Self {
        let text = spans.is_empty();
        Self {
            text: text.then(|| Literals::new(bits, TEXT_HISTORY_BITS, 19)),
            code: if text {
                Literals::new(1, 1, 1)
            } else {
                Literals::new(bits, 20, 16)
            },
            targets: Targets::new(),
            parser: Parser::new(),
            opcodes: 0,
            spans: spans.to_vec(),
        }
    }

    /// How many bytes of the old file [`Self::prime`] wants: its last ones.
    pub(crate) fn wanted(&self) -> u32 {
        if self.text.is_some() { PRIMED } else { 0 }
    }

    /// Notes bytes of the old file before anything is made.
    pub(crate) fn prime(&mut self, bytes: &[u8]) {
        if let Some(text) = &mut self.text {
            text.prime(bytes);
        }
    }

    /// Forgets the instruction in progress: bytes were copied.
    pub(crate) fn begin(&mut self, recent: u64) {
        self.parser.reset();
        match &mut self.text {
            Some(text) => text.begin(recent),
            None => self.code.begin(recent),
        }
    }

    /// Notes old bytes that new ones stand in for.
    pub(crate) fn replaced(&mut self, recent: u64, bytes: &[u8]) {
        let mut recent = recent;
        for byte in bytes {
            match &mut self.text {
                Some(text) => text.replaced(recent, *byte),
                None => self.code.replaced(recent, *byte),
            }
            recent = recent << 8 | u64::from(*byte);
        }
    }

    /// Codes the next byte, or the next 4 if they are a reference. `region` holds the position,
    /// `recent` are the last 8 bytes, `left` how many may be made, `truth` those that are to come
    /// (empty for a decoder). Gives the bytes and how many there are.
    #[inline]
    pub(crate) fn step(
        &mut self,
        coder: &mut impl Coder,
        region: Option<&Region>,
        position: u32,
        recent: u64,
        left: u32,
        truth: &[u8],
    ) -> ([u8; LONGEST_STEP], usize) {
        let x86 = region.is_some_and(|region| region.kind == Kind::X86_64);
        if x86
            && left >= 4
            && let Some(field) = self.reference(coder, position, recent, truth)
        {
            let mut before = recent;
            for byte in field {
                self.code.remember(before, byte);
                before = before << 8 | u64::from(byte);
                self.parse(byte);
            }
            return (field, 4);
        }
        coder.enter(Stream::Literals);
        let truth = truth.first().copied().unwrap_or(0);
        let byte = if let Some(text) = &mut self.text {
            text.byte(coder, of_text(recent), truth)
        } else {
            let around = self.surroundings(region, position, recent);
            self.code.byte(coder, around, truth)
        };
        if x86 {
            self.parse(byte);
        }
        ([byte, 0, 0, 0], 1)
    }

    #[inline]
    fn parse(&mut self, byte: u8) {
        self.parser.push(byte);
        if self.parser.pending() == 0 {
            self.opcodes = self.opcodes << 12 | u64::from(self.parser.opcode());
        }
    }

    /// Codes the field of a reference in new code, if one comes next.
    fn reference(
        &mut self,
        coder: &mut impl Coder,
        position: u32,
        recent: u64,
        truth: &[u8],
    ) -> Option<[u8; 4]> {
        let flow = match (self.parser.next_field(), self.parser.opcode()) {
            (FieldClass::Rel32 { index: 0 }, 0xe8) => 0,
            (FieldClass::Rel32 { index: 0 }, 0xe9) => 1,
            (FieldClass::Rel32 { index: 0 }, _) => 2,
            (FieldClass::RipDisp32 { index: 0 }, _) => 3,
            _ => return None,
        };
        coder.enter(Stream::Targets);
        let kind = ReferenceKind::X86 {
            tail: self.parser.immediate(),
            flow: Flow::Data,
        };
        let place = address(&self.spans, position);
        let target = field::target(kind, &[], truth, place).unwrap_or(0);
        let target = self.targets.code(coder, flow, recent, target);
        let mut field = [0; 4];
        field::write(kind, &[], &mut field, place, target);
        Some(field)
    }

    fn surroundings(&self, region: Option<&Region>, position: u32, recent: u64) -> Surroundings<4> {
        let at = |back: u32| (recent >> (8 * back)) as u32 & 0xff;
        let (place, coarse, fine) = match region.map(|region| (&region.kind, region.offset)) {
            None => (0, word(recent), at(3) | at(7) << 8 | (position & 3) << 16),
            Some((Kind::Words(_) | Kind::Functions(_), offset)) => {
                let phase = (position - offset) & 7;
                (1 + phase, at(3) | at(7) << 8, at(7) | at(0) << 8 | at(1) << 16)
            }
            Some((Kind::X86_64, _)) => {
                let opcode = u32::from(self.parser.opcode());
                let modrm = u32::from(self.parser.modrm());
                let field = u32::from(self.parser.next_field().context());
                let before = (self.opcodes & 0xff_ffff) as u32;
                (
                    9 + field,
                    opcode | modrm << 12 | (before & 0xfff) << 20,
                    opcode ^ before << 8 ^ modrm << 3,
                )
            }
            Some((Kind::Arm64, offset)) => {
                let phase = (position - offset) & 3;
                (
                    48 + phase,
                    at(phase) | at(phase + 4) << 8,
                    at(3) | at(phase) << 8 | at(0) << 16,
                )
            }
        };
        Surroundings {
            recent,
            place,
            contexts: [
                hash(1, last(recent, 1), place),
                hash(2, last(recent, 2), place),
                hash(6, coarse.into(), place),
                hash(7, fine.into(), place),
            ],
        }
    }
}

fn of_text(recent: u64) -> Surroundings<6> {
    Surroundings {
        recent,
        place: 0,
        contexts: [
            hash(1, last(recent, 1), 0),
            hash(2, last(recent, 2), 0),
            hash(3, last(recent, 3), 0),
            hash(4, last(recent, 4), 0),
            hash(5, last(recent, 6), 0),
            hash(6, word(recent).into(), 0),
        ],
    }
}

/// The last `bytes` bytes, 1 to 8.
#[inline]
fn last(recent: u64, bytes: u32) -> u64 {
    recent & (u64::MAX >> (64 - 8 * bytes))
}

/// A hash of the letters and digits before, and of the one byte before them.
#[inline]
fn word(recent: u64) -> u32 {
    let mut word = 0_u32;
    for back in 0..8 {
        let byte = (recent >> (8 * back)) as u8;
        word = word.wrapping_mul(0x2f0b_4c47).wrapping_add(u32::from(byte) + 1);
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 128) {
            break;
        }
    }
    word
}
