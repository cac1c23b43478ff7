//! Finding instructions and references in x86-64 code, by a linear sweep.
//!
//! Refuses to know what instructions do: it knows how long they are and where a field that leads to
//! an address stands. The rules, which are part of the patch format:
//!
//! * An instruction is: legacy prefixes and REX prefixes in any number and order, an opcode (by
//!   [`tables`]), a ModRM, a SIB, a displacement and an immediate as the opcode asks for. A REX
//!   prefix that is not directly before the opcode does nothing.
//! * A VEX or EVEX prefix after `LOCK`, `REPNE`, `REP`, 66 or a REX that counts is invalid. So is one
//!   whose map is not known, and an EVEX whose first payload byte has bit 3 set or whose second has
//!   bit 2 clear. Their W does not change a length.
//! * An instruction of more than 15 bytes, an invalid opcode, and an instruction that does not end
//!   within the bytes looked at, is none: its first byte is a byte of data, and the sweep goes on at
//!   the next byte.
//! * A field is `NEAR`'s 4 bytes, or the displacement of a ModRM with mod 0 and rm 5 unless there is a
//!   prefix 67. It is a reference if its target (modulo 2^32) is within the image.

pub(crate) mod class;
pub(crate) mod parser;
mod tables;

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{Flow, Listing, Reference, ReferenceKind, WINDOW};
use tables::{
    ADDRESSING, BYTE, ESCAPE, ESCAPE_3A, ESCAPE_38, EVEX, EXTENT, FOLLOWS, LENGTHS, MODE_ADDRESS,
    MODE_OPERAND, MODE_WIDE, MODRM, MODRMS, NEAR, ONE, OPERAND, PREFIX, REGISTERS, RELATIVE, REPEAT, REX,
    SPECIAL, TEST_BYTE, TWO, VEX2, VEX3,
};

/// The longest instruction.
const LONGEST: usize = 15;

/// An instruction's length, and where in it the field stands that leads to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instruction {
    /// In bytes; 0 if there is no instruction.
    length: u8,
    /// Where the field of 4 bytes begins; 0 if there is none.
    field: u8,
    /// What the instruction does with the field's target.
    flow: Flow,
}

const DATA: Instruction = Instruction {
    length: 0,
    field: 0,
    flow: Flow::Data,
};

/// Where the opcode of an instruction stands, and what follows it.
#[derive(Clone, Copy)]
struct Head {
    /// Where the opcode's last byte stands.
    at: usize,
    /// The index of `LENGTHS`.
    mode: u8,
    /// The opcode's entry; never `SPECIAL`.
    entry: u8,
}

/// Reads the instruction that begins with `code`. Whether its end is within the bytes at hand is for
/// the caller to see.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the sweep's speed hangs on it")]
fn decode(code: &[u8; 16]) -> Instruction {
    // Nearly all instructions are: a REX or none, perhaps 0F, an opcode. What cannot be foreseen (REX,
    // ModRM, SIB) is reckoned without branches.
    let rex = u8::from(code[0] & 0xF0 == 0x40);
    let mut at = usize::from(rex);
    let mut mode = (code[0] >> 2) & MODE_WIDE & rex.wrapping_neg();
    let mut opcode = code[at];
    let mut entry = ONE[usize::from(opcode)];
    if entry == ESCAPE {
        at += 1;
        opcode = code[at];
        entry = TWO[usize::from(opcode)];
    }
    if entry & SPECIAL != 0 {
        let Some(head) = head(code) else { return DATA };
        Head { at, mode, entry } = head;
        opcode = code[at];
    }
    let modrm = code[(at + 1) & 15];
    let mut extent = MODRMS[usize::from(modrm)] & (entry >> 7).wrapping_neg();
    let mut follows = LENGTHS[usize::from(mode & 7)][usize::from(entry & FOLLOWS)];
    if entry & FOLLOWS >= TEST_BYTE {
        if entry & FOLLOWS == REGISTERS {
            extent = 1;
        } else if modrm & 0x30 != 0 {
            follows = 0;
        }
    }
    let decided = (extent >> 7) & u8::from(code[(at + 2) & 15] & 7 == 5);
    let length = at as u8 + 1 + (extent & EXTENT) + (decided << 2) + follows;
    if length > LONGEST as u8 {
        return DATA;
    }
    if extent & RELATIVE == 0 && entry != NEAR {
        return Instruction {
            length,
            field: 0,
            flow: Flow::Data,
        };
    }
    if entry == NEAR {
        let flow = match opcode {
            0xE8 => Flow::Call,
            0xE9 => Flow::Jump,
            _ => Flow::Branch,
        };
        return Instruction {
            length,
            field: at as u8 + 1,
            flow,
        };
    }
    let field = if mode & MODE_ADDRESS == 0 { at as u8 + 2 } else { 0 };
    Instruction {
        length,
        field,
        flow: Flow::Data,
    }
}

/// Finds the opcode of an instruction with prefixes that are not one REX alone, or with an opcode of
/// the rarer maps.
fn head(code: &[u8; 16]) -> Option<Head> {
    let mut mode = 0;
    let mut rex = false;
    let mut refuses_vector = false;
    for at in 0..LONGEST {
        let byte = |distance: usize| code[(at + distance) & 15];
        let (distance, entry) = match ONE[usize::from(byte(0))] {
            PREFIX => {
                mode &= !MODE_WIDE;
                rex = false;
                continue;
            }
            REPEAT => {
                mode &= !MODE_WIDE;
                rex = false;
                refuses_vector = true;
                continue;
            }
            OPERAND => {
                mode = (mode & !MODE_WIDE) | MODE_OPERAND;
                rex = false;
                refuses_vector = true;
                continue;
            }
            ADDRESSING => {
                mode = (mode & !MODE_WIDE) | MODE_ADDRESS;
                rex = false;
                continue;
            }
            REX => {
                mode = (mode & !MODE_WIDE) | ((byte(0) >> 2) & MODE_WIDE);
                rex = true;
                continue;
            }
            ESCAPE => match TWO[usize::from(byte(1))] {
                ESCAPE_38 => (2, MODRM),
                ESCAPE_3A => (2, MODRM | BYTE),
                entry => (1, entry),
            },
            VEX2 | VEX3 | EVEX if rex || refuses_vector => return None,
            VEX2 => (2, tables::vex(1, byte(2))),
            VEX3 => (3, tables::vex(byte(1) & 0x1F, byte(3))),
            EVEX if byte(1) & 8 != 0 || byte(2) & 4 == 0 => return None,
            EVEX => (4, tables::evex(byte(1) & 7, byte(4))),
            entry => (0, entry),
        };
        return (entry & SPECIAL == 0 && at + distance < LONGEST).then_some(Head {
            at: at + distance,
            mode,
            entry,
        });
    }
    None
}

/// The 16 bytes from `at` on; zeros stand for what is not there.
fn padded(bytes: &[u8], at: usize) -> [u8; 16] {
    let mut code = [0; 16];
    for (to, from) in code.iter_mut().zip(bytes.iter().skip(at)) {
        *to = *from;
    }
    code
}

/// Lists what begins in a window. `bytes` are up to [`super::MARGIN`] bytes before the window
/// (`before` of them), the window's `window_len` bytes (at most [`super::WINDOW`]) and up to
/// [`super::MARGIN`] bytes after it. The window's first byte stands at `address`. The sweep begins
/// with the first of `bytes`. Each instruction and each byte of data sets its bit of `starts`.
pub(crate) fn list(
    bytes: &[u8],
    before: usize,
    window_len: usize,
    address: u32,
    image: Range<u32>,
    out: &mut Listing,
) {
    out.clear();
    let beginning = sweep(bytes, 0, before, |_, _, _| ());
    let end = bytes.len().min(before + window_len.min(WINDOW));
    let Listing { starts, references } = out;
    sweep(bytes, beginning, end, |at, code, instruction| {
        let place = at - before;
        starts[place / 64 % (WINDOW / 64)] |= 1 << (place % 64);
        if instruction.field != 0 {
            let field = usize::from(instruction.field & 15);
            let distance = [
                code[field],
                code[(field + 1) & 15],
                code[(field + 2) & 15],
                code[(field + 3) & 15],
            ];
            let end = address.wrapping_add(place as u32 + u32::from(instruction.length));
            let target = end.wrapping_add(u32::from_le_bytes(distance));
            if image.contains(&target) {
                let tail = instruction.length - instruction.field - 4;
                let kind = ReferenceKind::X86 {
                    tail,
                    flow: instruction.flow,
                };
                references.push(Reference {
                    at: (place + field) as u16,
                    kind,
                    target,
                });
            }
        }
    });
}

/// Tells `each` where every instruction and byte of data stands that begins at `from` or above, but
/// below `to`. Gives where the first stands that does not.
#[inline]
fn sweep(bytes: &[u8], from: usize, to: usize, mut each: impl FnMut(usize, &[u8; 16], Instruction)) -> usize {
    let mut at = from;
    while at < to {
        let Some(code) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            break;
        };
        let instruction = decode(code);
        each(at, code, instruction);
        at += usize::from(instruction.length.max(1));
    }
    while at < to {
        let code = padded(bytes, at);
        let mut instruction = decode(&code);
        if at + usize::from(instruction.length) > bytes.len() {
            instruction = DATA;
        }
        each(at, &code, instruction);
        at += usize::from(instruction.length.max(1));
    }
    at
}
