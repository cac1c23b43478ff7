//! Following new x86-64 code byte by byte, as it comes into being.
//!
//! Cuts code into the same instructions and bytes of data as the sweep does that begins where the
//! parser was new or reset. Where the sweep can look ahead, the parser has to take back: when an
//! instruction turns out to be none, its first byte becomes a byte of data and the others are followed
//! again. Refuses to know where the code stands, so also where its references lead.

use super::LONGEST;
use super::class::FieldClass;
use super::tables::{
    self, ADDRESSING, BYTE, ESCAPE, ESCAPE_3A, ESCAPE_38, EVEX, EXTENT, FOLLOWS, INVALID, LENGTHS,
    MODE_ADDRESS, MODE_OPERAND, MODE_WIDE, MODRM, MODRMS, NEAR, ONE, OPERAND, PREFIX, REGISTERS, RELATIVE,
    REPEAT, REX, SHORT, SIB, SIB_DECIDES, SPECIAL, TEST_BYTE, TEST_SIZED, TWO, VEX2, VEX3,
};

/// What the parser is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A prefix or the first byte of the opcode.
    Head,
    /// After 0F.
    Second,
    /// After 0F 38 or 0F 3A, or after all of VEX or EVEX: the opcode, in this map.
    Mapped(u8),
    /// In VEX or EVEX, `left` bytes before the opcode.
    Payload { left: u8, kind: u8 },
    /// At the ModRM.
    ModRm,
    /// At the SIB.
    Sib,
    /// In what follows.
    Tail,
}

/// The first of the maps by which [`Parser::opcode`] tells VEX opcodes from others.
const VEX_MAPS: u8 = 4;
/// The first of the maps by which [`Parser::opcode`] tells EVEX opcodes from others.
const EVEX_MAPS: u8 = 8;

/// What is known of the instruction in progress.
#[derive(Clone, Debug)]
pub(crate) struct Parser {
    /// Its bytes so far: up to 14 prefixes, 5 bytes of EVEX and its opcode, ModRM and SIB, before it
    /// shows that they are too many.
    bytes: [u8; 32],
    /// How many they are.
    length: u8,
    stage: Stage,
    class: FieldClass,
    mode: u8,
    rex: bool,
    refuses_vector: bool,
    entry: u8,
    /// The ModRM's entry; of the displacement in the tail, whether it is relative.
    extent: u8,
    modrm: u8,
    opcode: u16,
    /// How many bytes of displacement there are.
    displacement: u8,
    /// How many bytes of the tail were read.
    index: u8,
    /// How many bytes the tail has.
    tail: u8,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// How many numbers [`Parser::opcode`] has.
    #[cfg(test)]
    pub(crate) const OPCODES: usize = 1 << 12;

    /// A parser at the beginning of an instruction.
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; 32],
            length: 0,
            stage: Stage::Head,
            class: FieldClass::Start,
            mode: 0,
            rex: false,
            refuses_vector: false,
            entry: 0,
            extent: 0,
            modrm: 0,
            opcode: 0,
            displacement: 0,
            index: 0,
            tail: 0,
        }
    }

    /// Forgets all: the next byte begins an instruction.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// What the next byte is.
    #[inline]
    pub(crate) fn next_field(&self) -> FieldClass {
        self.class
    }

    /// Which opcode the instruction in progress has, or the one before it as long as no byte of an
    /// opcode was read: its map times 256 and its last byte that was read. The maps: 0 to 3 are those
    /// of one byte, 0F, 0F 38 and 0F 3A, 4 and more those of VEX, 8 and more those of EVEX.
    #[inline]
    pub(crate) fn opcode(&self) -> u16 {
        self.opcode
    }

    /// The ModRM of the instruction [`Parser::opcode`] tells of; 0 if it has none, or none yet.
    #[inline]
    pub(crate) fn modrm(&self) -> u8 {
        self.modrm
    }

    /// How many bytes of the instruction in progress were read.
    #[inline]
    pub(crate) fn pending(&self) -> usize {
        usize::from(self.length)
    }

    /// How many bytes stand between the field at hand, if it has 4 bytes, and the instruction's end.
    #[inline]
    pub(crate) fn immediate(&self) -> u8 {
        self.tail.saturating_sub(self.displacement)
    }

    /// Takes the next byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.take(byte, &mut |_| ());
    }

    /// Takes the next byte, and tells `cut` the length of each instruction, and 1 for each byte of
    /// data, that is behind the parser now.
    #[inline]
    pub(super) fn take(&mut self, byte: u8, cut: &mut impl FnMut(u8)) {
        self.bytes[usize::from(self.length & 31)] = byte;
        self.length += 1;
        match self.stage {
            Stage::Tail => {
                self.index += 1;
                if self.index == self.tail {
                    self.finish(cut);
                } else {
                    self.class = self.tail_class();
                }
            }
            Stage::Head => self.head(byte, cut),
            Stage::ModRm => {
                self.modrm = byte;
                self.extent = if self.entry & FOLLOWS == REGISTERS {
                    1
                } else {
                    MODRMS[usize::from(byte)]
                };
                if self.extent & SIB == 0 {
                    self.displacement = (self.extent & EXTENT) - 1;
                    self.settle(cut);
                } else {
                    self.stage = Stage::Sib;
                    self.class = FieldClass::Sib;
                }
            }
            Stage::Sib => {
                let decided = self.extent & SIB_DECIDES != 0 && byte & 7 == 5;
                self.displacement = if decided { 4 } else { (self.extent & EXTENT) - 2 };
                self.settle(cut);
            }
            Stage::Second => match TWO[usize::from(byte)] {
                ESCAPE_38 => self.more(Stage::Mapped(2), 1, byte),
                ESCAPE_3A => self.more(Stage::Mapped(3), 1, byte),
                entry => self.enter(1, byte, entry, cut),
            },
            Stage::Mapped(map) => self.enter(map, byte, if map == 2 { MODRM } else { MODRM | BYTE }, cut),
            Stage::Payload { left: 0, kind } => self.vector(kind, byte, cut),
            Stage::Payload { left, kind } => self.stage = Stage::Payload { left: left - 1, kind },
        }
    }

    /// Takes a prefix or the first byte of an opcode.
    #[inline]
    fn head(&mut self, byte: u8, cut: &mut impl FnMut(u8)) {
        let entry = ONE[usize::from(byte)];
        if entry & SPECIAL == 0 {
            self.enter(0, byte, entry, cut);
            return;
        }
        match entry {
            REX => {
                self.mode = (self.mode & !MODE_WIDE) | ((byte >> 2) & MODE_WIDE);
                self.rex = true;
                self.prefixed(cut);
            }
            ESCAPE => self.more(Stage::Second, 0, byte),
            PREFIX | REPEAT | OPERAND | ADDRESSING => {
                self.rex = false;
                self.refuses_vector |= matches!(entry, REPEAT | OPERAND);
                self.mode &= !MODE_WIDE;
                match entry {
                    OPERAND => self.mode |= MODE_OPERAND,
                    ADDRESSING => self.mode |= MODE_ADDRESS,
                    _ => {}
                }
                self.prefixed(cut);
            }
            VEX2 | VEX3 | EVEX if !self.rex && !self.refuses_vector => {
                self.more(
                    Stage::Payload {
                        left: entry - VEX2 + 1,
                        kind: entry,
                    },
                    0,
                    byte,
                );
            }
            _ => self.reject(cut),
        }
    }

    /// A prefix was taken.
    #[inline]
    fn prefixed(&mut self, cut: &mut impl FnMut(u8)) {
        if usize::from(self.length) < LONGEST {
            self.class = FieldClass::Prefixed;
        } else {
            self.reject(cut);
        }
    }

    /// A byte was taken after which more of the opcode comes.
    #[inline]
    fn more(&mut self, stage: Stage, map: u8, byte: u8) {
        self.stage = stage;
        self.class = FieldClass::OpcodeMore;
        self.opcode = u16::from_be_bytes([map, byte]);
        self.modrm = 0;
    }

    /// Takes the opcode after VEX or EVEX.
    fn vector(&mut self, kind: u8, byte: u8, cut: &mut impl FnMut(u8)) {
        let payload = |back: u8| self.bytes[usize::from(self.length.wrapping_sub(back) & 31)];
        let (map, entry) = match kind {
            VEX2 => (VEX_MAPS + 1, tables::vex(1, byte)),
            VEX3 => {
                let map = payload(3) & 0x1F;
                (VEX_MAPS + (map & 3), tables::vex(map, byte))
            }
            _ => {
                let (first, second) = (payload(4), payload(3));
                let known = first & 8 == 0 && second & 4 != 0;
                let map = first & 7;
                (
                    EVEX_MAPS + map,
                    if known { tables::evex(map, byte) } else { INVALID },
                )
            }
        };
        self.enter(map, byte, entry, cut);
    }

    /// Takes the opcode.
    #[inline]
    fn enter(&mut self, map: u8, opcode: u8, entry: u8, cut: &mut impl FnMut(u8)) {
        if entry & SPECIAL != 0 {
            self.reject(cut);
            return;
        }
        self.opcode = u16::from_be_bytes([map, opcode]);
        self.modrm = 0;
        self.entry = entry;
        self.extent = 0;
        if entry & MODRM == 0 {
            self.displacement = 0;
            self.settle(cut);
        } else {
            self.stage = Stage::ModRm;
            self.class = FieldClass::ModRm;
        }
    }

    /// All is known that decides the length.
    #[inline]
    fn settle(&mut self, cut: &mut impl FnMut(u8)) {
        let follows = self.entry & FOLLOWS;
        let mut immediate = LENGTHS[usize::from(self.mode & 7)][usize::from(follows)];
        if matches!(follows, TEST_BYTE | TEST_SIZED) && self.modrm & 0x30 != 0 {
            immediate = 0;
        }
        self.tail = self.displacement + immediate;
        if usize::from(self.length + self.tail) > LONGEST {
            self.reject(cut);
        } else if self.tail == 0 {
            self.finish(cut);
        } else {
            self.index = 0;
            self.stage = Stage::Tail;
            self.class = self.tail_class();
        }
    }

    /// What the next byte of the tail is.
    #[inline]
    fn tail_class(&self) -> FieldClass {
        let index = self.index;
        if index >= self.displacement {
            let index = index - self.displacement;
            return match self.entry & FOLLOWS {
                NEAR => FieldClass::Rel32 { index },
                SHORT => FieldClass::Rel8,
                _ => FieldClass::Imm {
                    index,
                    width: self.tail - self.displacement,
                },
            };
        }
        if self.displacement == 1 {
            FieldClass::Disp8
        } else if self.extent & RELATIVE != 0 && self.mode & MODE_ADDRESS == 0 {
            FieldClass::RipDisp32 { index }
        } else {
            FieldClass::Disp32 { index }
        }
    }

    /// The instruction is at its end.
    #[inline]
    fn finish(&mut self, cut: &mut impl FnMut(u8)) {
        cut(self.length);
        self.begin();
    }

    #[inline]
    fn begin(&mut self) {
        self.length = 0;
        self.stage = Stage::Head;
        self.class = FieldClass::Start;
        self.mode = 0;
        self.rex = false;
        self.refuses_vector = false;
    }

    /// There is no such instruction: its first byte is data, the others are read again.
    #[cold]
    #[inline(never)]
    fn reject(&mut self, cut: &mut impl FnMut(u8)) {
        let (bytes, length) = (self.bytes, usize::from(self.length));
        cut(1);
        self.begin();
        for byte in bytes.into_iter().take(length).skip(1) {
            self.take(byte, cut);
        }
    }
}

#[cfg(test)]
mod tests;
