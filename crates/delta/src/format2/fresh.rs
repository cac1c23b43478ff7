//! New bytes of a file, by what is around them: its region, the instruction in progress, the bytes
//! before.
//!
//! Refuses to know how bytes are modelled.

use crate::layout::{Kind, Region, Span};
use crate::scan::x86_64::class::FieldClass;
use crate::scan::x86_64::parser::Parser;
use crate::scan::{Flow, ReferenceKind, field};

use super::history::{hash, last};
use super::literal::{CONTEXTS, Literals, PLACES};
use super::projection::address;
use super::range::{Coder, Stream};
use super::target::Targets;
use super::text::{Text, word};

/// The most bytes that are made in one step.
pub(crate) const LONGEST_STEP: usize = 4;

/// How many bytes of the old file are remembered before anything is made.
const PRIMED: u32 = 7 << 20;

/// What is known where new bytes are made.
pub(crate) struct Next<'a> {
    /// The region of the new file that holds the position.
    pub(crate) region: Option<&'a Region>,
    pub(crate) position: u32,
    /// The last 8 bytes, the last one lowest.
    pub(crate) recent: u64,
    /// How many bytes may be made.
    pub(crate) left: u32,
    /// The bytes that are to come; nothing for a decoder.
    pub(crate) truth: &'a [u8],
}

/// What was learnt of new bytes.
pub(crate) enum Fresh {
    /// Of files that are no executables, which have fewer new bytes and longer contexts.
    Text(Box<Text>),
    /// Of executables.
    Code(Box<Code>),
}

impl Fresh {
    /// For a new file with these `spans`, with 2^`bits` slots for contexts of bytes.
    pub(crate) fn new(bits: u32, spans: &[Span]) -> Self {
        if spans.is_empty() {
            Self::Text(Box::new(Text::new(bits)))
        } else {
            Self::Code(Box::new(Code::new(bits, spans)))
        }
    }

    /// How many bytes of the old file [`Self::prime`] wants: its last ones.
    pub(crate) fn wanted(&self) -> u32 {
        match self {
            Self::Text(_) => PRIMED,
            Self::Code(_) => 0,
        }
    }

    /// Notes bytes of the old file before anything is made. They are not learnt, but what comes may
    /// be like them.
    /// `recent` are the last 8 of them so far; gives those after these.
    pub(crate) fn prime(&mut self, recent: u64, bytes: &[u8]) -> u64 {
        match self {
            Self::Text(text) => text.history.prime(recent, bytes),
            Self::Code(code) => code.literals.history.prime(recent, bytes),
        }
    }

    /// Forgets the instruction in progress: bytes were copied.
    pub(crate) fn begin(&mut self, recent: u64) {
        match self {
            Self::Text(text) => text.history.begin(recent),
            Self::Code(code) => {
                code.parser.reset();
                code.literals.history.begin(recent);
            }
        }
    }

    /// Notes old bytes that new ones stand in for. They are not learnt, but what comes may be like
    /// them. `recent` are the last 8 bytes; gives those after these.
    pub(crate) fn replaced(&mut self, recent: u64, bytes: &[u8]) -> u64 {
        match self {
            Self::Text(text) => text.history.replaced(recent, bytes),
            Self::Code(code) => code.literals.history.replaced(recent, bytes),
        }
    }

    /// Codes the next byte, or the next 4 if they are a reference. Gives the bytes and how many there are.
    #[inline]
    pub(crate) fn step(&mut self, coder: &mut impl Coder, next: &Next<'_>) -> ([u8; LONGEST_STEP], usize) {
        match self {
            Self::Code(code) => code.step(coder, next),
            Self::Text(text) => {
                coder.enter(Stream::Literals);
                let truth = next.truth.first().copied().unwrap_or(0);
                ([text.byte(coder, next.recent, truth), 0, 0, 0], 1)
            }
        }
    }
}

/// What was learnt of new bytes of executables.
pub(crate) struct Code {
    literals: Literals,
    targets: Targets,
    parser: Parser,
    /// The opcodes before the one in progress, of 12 bits each, the last one lowest.
    opcodes: u64,
    spans: Vec<Span>,
}

impl Code {
    fn new(bits: u32, spans: &[Span]) -> Self {
        Self {
            literals: Literals::new(bits),
            targets: Targets::new(),
            parser: Parser::new(),
            opcodes: 0,
            spans: spans.to_vec(),
        }
    }

    /// See [`Fresh::step`].
    #[inline]
    fn step(&mut self, coder: &mut impl Coder, next: &Next<'_>) -> ([u8; LONGEST_STEP], usize) {
        let &Next {
            region,
            position,
            recent,
            left,
            truth,
        } = next;
        let x86 = region.is_some_and(|region| region.kind == Kind::X86_64);
        if x86
            && left >= 4
            && let Some(field) = self.reference(coder, position, recent, truth)
        {
            let mut before = recent;
            for byte in field {
                self.literals.history.remember(before, byte);
                before = before << 8 | u64::from(byte);
                self.parse(byte);
            }
            return (field, 4);
        }
        coder.enter(Stream::Literals);
        let truth = truth.first().copied().unwrap_or(0);
        let (place, contexts) = self.surroundings(region, position, recent);
        let byte = self
            .literals
            .byte(coder, recent, place as usize & (PLACES - 1), contexts, truth);
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

    fn surroundings(&self, region: Option<&Region>, position: u32, recent: u64) -> (u32, [u32; CONTEXTS]) {
        let at = |back: u32| (recent >> (8 * back)) as u32 & 0xff;
        let (place, coarse) = match region.map(|region| (&region.kind, region.offset)) {
            None => (0, word(recent)),
            Some((Kind::Words(_) | Kind::Functions(_), offset)) => {
                let phase = (position - offset) & 7;
                (1 + phase, at(3) | at(7) << 8)
            }
            Some((Kind::X86_64, _)) => {
                let opcode = u32::from(self.parser.opcode());
                let modrm = u32::from(self.parser.modrm());
                let field = u32::from(self.parser.next_field().context());
                let before = (self.opcodes & 0xfff) as u32;
                (9 + field, opcode | modrm << 12 | before << 20)
            }
            Some((Kind::Arm64, offset)) => {
                let phase = (position - offset) & 3;
                (48 + phase, at(phase) | at(phase + 4) << 8)
            }
        };
        let contexts = [
            hash(10, 0, place),
            hash(1, last(recent, 1), place),
            hash(6, coarse.into(), place),
        ];
        (place, contexts)
    }
}
