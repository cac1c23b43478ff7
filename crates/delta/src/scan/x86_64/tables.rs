//! What the x86-64 length decoder knows of each opcode.
//!
//! One byte an opcode: in the low four bits what follows the opcode and its ModRM, above them flags.
//! These tables are part of the patch format: a change of one bit is a new scanner version. Refuses
//! to know what an instruction does, and whether a processor would accept its operands.

/// Nothing follows.
pub(super) const NONE: u8 = 0;
/// An immediate of 1 byte.
pub(super) const BYTE: u8 = 1;
/// An immediate of 2 bytes.
pub(super) const WORD: u8 = 2;
/// `ENTER`: 2 bytes and 1 byte.
pub(super) const ENTER: u8 = 3;
/// An immediate of 4 bytes; of 2 with operand size 16.
pub(super) const SIZED: u8 = 4;
/// An immediate of the operand's size: 4, 2 or 8 bytes.
pub(super) const FULL: u8 = 5;
/// An address of 8 bytes; of 4 with address size 32.
pub(super) const ADDRESS: u8 = 6;
/// A distance of 4 bytes from the instruction's end. The operand size does not change it.
pub(super) const NEAR: u8 = 7;
/// A distance of 1 byte from the instruction's end.
pub(super) const SHORT: u8 = 8;
/// As `BYTE`, if the ModRM's middle field is 0 or 1; else as `NONE`.
pub(super) const TEST_BYTE: u8 = 9;
/// As `SIZED`, if the ModRM's middle field is 0 or 1; else as `NONE`.
pub(super) const TEST_SIZED: u8 = 10;
/// Nothing follows; and the ModRM names registers whatever its two highest bits are, so that no
/// displacement follows it either.
pub(super) const REGISTERS: u8 = 11;
/// The low bits that say what follows.
pub(super) const FOLLOWS: u8 = 0x0F;

/// A ModRM follows the opcode.
pub(super) const MODRM: u8 = 0x80;
/// Not an opcode of its own: the low four bits say what it is, see below.
pub(super) const SPECIAL: u8 = 0x40;
/// No instruction begins with this byte, or the map has no such opcode.
pub(super) const INVALID: u8 = SPECIAL;
/// A prefix that changes no length: segments, `LOCK`. `REPNE` and `REP` are `REPEAT`.
pub(super) const PREFIX: u8 = SPECIAL | 0x1;
/// `LOCK`, `REPNE`, `REP`: as `PREFIX`, but no VEX or EVEX may follow.
pub(super) const REPEAT: u8 = SPECIAL | 0x2;
/// 66: operand size 16. No VEX or EVEX may follow.
pub(super) const OPERAND: u8 = SPECIAL | 0x3;
/// 67: address size 32.
pub(super) const ADDRESSING: u8 = SPECIAL | 0x4;
/// 40 to 4F: a REX prefix.
pub(super) const REX: u8 = SPECIAL | 0x5;
/// 0F: the opcode is the next byte, in the second map.
pub(super) const ESCAPE: u8 = SPECIAL | 0x6;
/// 0F 38 and 0F 3A: the opcode is the next byte, in the third or fourth map.
pub(super) const ESCAPE_38: u8 = SPECIAL | 0x7;
/// See `ESCAPE_38`.
pub(super) const ESCAPE_3A: u8 = SPECIAL | 0x8;
/// C5: one byte, then an opcode of the second map.
pub(super) const VEX2: u8 = SPECIAL | 0x9;
/// C4: two bytes, the first of which names the map, then the opcode.
pub(super) const VEX3: u8 = SPECIAL | 0xA;
/// 62: three bytes, the first of which names the map, then the opcode.
pub(super) const EVEX: u8 = SPECIAL | 0xB;

/// Operand size 16 in the index of `LENGTHS`.
pub(super) const MODE_OPERAND: u8 = 1;
/// REX.W in the index of `LENGTHS`: it wins over operand size 16.
pub(super) const MODE_WIDE: u8 = 2;
/// Address size 32 in the index of `LENGTHS`.
pub(super) const MODE_ADDRESS: u8 = 4;

/// How many bytes follow opcode, ModRM, SIB and displacement: by mode, then by the low four bits of
/// the opcode's entry.
pub(super) const LENGTHS: [[u8; 16]; 8] = {
    let mut lengths = [[0; 16]; 8];
    let mut mode = 0;
    while mode < 8 {
        let wide = mode & MODE_WIDE as usize != 0;
        let narrow = !wide && mode & MODE_OPERAND as usize != 0;
        let sized = if narrow { 2 } else { 4 };
        let row = &mut lengths[mode];
        row[BYTE as usize] = 1;
        row[WORD as usize] = 2;
        row[ENTER as usize] = 3;
        row[SIZED as usize] = sized;
        row[FULL as usize] = if wide { 8 } else { sized };
        row[ADDRESS as usize] = if mode & MODE_ADDRESS as usize != 0 { 4 } else { 8 };
        row[NEAR as usize] = 4;
        row[SHORT as usize] = 1;
        row[TEST_BYTE as usize] = 1;
        row[TEST_SIZED as usize] = sized;
        mode += 1;
    }
    lengths
};

/// In an entry of `MODRMS`: mod is 0 and rm is 4, so the SIB byte decides whether 4 more follow.
pub(super) const SIB_DECIDES: u8 = 0x80;
/// In an entry of `MODRMS`: the displacement is relative to the instruction's end.
pub(super) const RELATIVE: u8 = 0x40;
/// In an entry of `MODRMS`: a SIB byte follows.
pub(super) const SIB: u8 = 0x20;
/// In an entry of `MODRMS`: how many bytes ModRM, SIB and displacement are together.
pub(super) const EXTENT: u8 = 0x0F;

/// What each ModRM byte leads to.
pub(super) const MODRMS: [u8; 256] = {
    let mut table = [1; 256];
    let mut byte = 0;
    while byte < 0xC0 {
        let (mode, rm) = (byte >> 6, byte & 7);
        let mut entry = 1;
        if mode == 1 {
            entry += 1;
        } else if mode == 2 {
            entry += 4;
        }
        if rm == 4 {
            entry = (entry + 1) | SIB;
            if mode == 0 {
                entry |= SIB_DECIDES;
            }
        } else if mode == 0 && rm == 5 {
            entry = (entry + 4) | RELATIVE;
        }
        table[byte] = entry;
        byte += 1;
    }
    table
};

/// Sets the entries from `first` to `last`.
const fn set(table: &mut [u8; 256], first: usize, last: usize, entry: u8) {
    let mut opcode = first;
    while opcode <= last {
        table[opcode] = entry;
        opcode += 1;
    }
}

/// The opcodes of one byte, and the prefixes.
pub(super) const ONE: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut row = 0;
    while row < 0x40 {
        set(&mut table, row, row + 3, MODRM);
        table[row + 4] = BYTE;
        table[row + 5] = SIZED;
        set(&mut table, row + 6, row + 7, INVALID);
        row += 8;
    }
    table[0x0F] = ESCAPE;
    table[0x26] = PREFIX;
    table[0x2E] = PREFIX;
    table[0x36] = PREFIX;
    table[0x3E] = PREFIX;
    set(&mut table, 0x40, 0x4F, REX);
    set(&mut table, 0x60, 0x61, INVALID);
    table[0x62] = EVEX;
    table[0x63] = MODRM;
    set(&mut table, 0x64, 0x65, PREFIX);
    table[0x66] = OPERAND;
    table[0x67] = ADDRESSING;
    table[0x68] = SIZED;
    table[0x69] = MODRM | SIZED;
    table[0x6A] = BYTE;
    table[0x6B] = MODRM | BYTE;
    set(&mut table, 0x70, 0x7F, SHORT);
    table[0x80] = MODRM | BYTE;
    table[0x81] = MODRM | SIZED;
    table[0x82] = INVALID;
    table[0x83] = MODRM | BYTE;
    set(&mut table, 0x84, 0x8F, MODRM);
    table[0x9A] = INVALID;
    set(&mut table, 0xA0, 0xA3, ADDRESS);
    table[0xA8] = BYTE;
    table[0xA9] = SIZED;
    set(&mut table, 0xB0, 0xB7, BYTE);
    set(&mut table, 0xB8, 0xBF, FULL);
    set(&mut table, 0xC0, 0xC1, MODRM | BYTE);
    table[0xC2] = WORD;
    table[0xC4] = VEX3;
    table[0xC5] = VEX2;
    table[0xC6] = MODRM | BYTE;
    table[0xC7] = MODRM | SIZED;
    table[0xC8] = ENTER;
    table[0xCA] = WORD;
    table[0xCD] = BYTE;
    table[0xCE] = INVALID;
    set(&mut table, 0xD0, 0xD3, MODRM);
    set(&mut table, 0xD4, 0xD6, INVALID);
    set(&mut table, 0xD8, 0xDF, MODRM);
    set(&mut table, 0xE0, 0xE3, SHORT);
    set(&mut table, 0xE4, 0xE7, BYTE);
    set(&mut table, 0xE8, 0xE9, NEAR);
    table[0xEA] = INVALID;
    table[0xEB] = SHORT;
    table[0xF0] = REPEAT;
    set(&mut table, 0xF2, 0xF3, REPEAT);
    table[0xF6] = MODRM | TEST_BYTE;
    table[0xF7] = MODRM | TEST_SIZED;
    set(&mut table, 0xFE, 0xFF, MODRM);
    table
};

/// The opcodes after 0F.
pub(super) const TWO: [u8; 256] = {
    let mut table = [MODRM; 256];
    table[0x04] = INVALID;
    set(&mut table, 0x05, 0x09, NONE);
    table[0x0A] = INVALID;
    table[0x0B] = NONE;
    table[0x0C] = INVALID;
    table[0x0E] = NONE;
    table[0x0F] = MODRM | BYTE;
    set(&mut table, 0x20, 0x23, MODRM | REGISTERS);
    set(&mut table, 0x24, 0x27, INVALID);
    set(&mut table, 0x30, 0x35, NONE);
    table[0x36] = INVALID;
    table[0x37] = NONE;
    table[0x38] = ESCAPE_38;
    table[0x39] = INVALID;
    table[0x3A] = ESCAPE_3A;
    set(&mut table, 0x3B, 0x3F, INVALID);
    set(&mut table, 0x70, 0x73, MODRM | BYTE);
    table[0x77] = NONE;
    set(&mut table, 0x7A, 0x7B, INVALID);
    set(&mut table, 0x80, 0x8F, NEAR);
    set(&mut table, 0xA0, 0xA2, NONE);
    table[0xA4] = MODRM | BYTE;
    set(&mut table, 0xA8, 0xAA, NONE);
    table[0xAC] = MODRM | BYTE;
    table[0xBA] = MODRM | BYTE;
    table[0xC2] = MODRM | BYTE;
    set(&mut table, 0xC4, 0xC6, MODRM | BYTE);
    set(&mut table, 0xC8, 0xCF, NONE);
    table
};

/// The entry of an opcode of a VEX map (1, 2, 3), or `INVALID` if there is no such map.
pub(super) const fn vex(map: u8, opcode: u8) -> u8 {
    match (map, opcode) {
        (1, 0x77) => NONE,
        _ => vector(map, opcode),
    }
}

/// The entry of an opcode of an EVEX map (1, 2, 3, 5, 6), or `INVALID` if there is no such map.
pub(super) const fn evex(map: u8, opcode: u8) -> u8 {
    match map {
        5 | 6 => MODRM,
        _ => vector(map, opcode),
    }
}

/// What VEX and EVEX have in common.
const fn vector(map: u8, opcode: u8) -> u8 {
    match (map, opcode) {
        (1, 0x70..=0x73 | 0xC2 | 0xC4..=0xC6) | (3, _) => MODRM | BYTE,
        (1 | 2, _) => MODRM,
        _ => INVALID,
    }
}
