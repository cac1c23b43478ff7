//! The bits of a field that lead to an address: reading them, and writing other ones.
//!
//! Refuses to know where fields are and which targets are accepted. All arithmetic is modulo 2^32, or
//! modulo the width of the field: what does not fit is cut off, so that writing never fails.

use super::ReferenceKind;
use crate::layout::{Form, Probe};

/// How many bytes the field of this kind has: 4 or 8. A word whose probe is not there has none.
#[inline]
pub(crate) fn len(kind: ReferenceKind, probes: &[Probe]) -> usize {
    match kind {
        ReferenceKind::Word { probe } => probes
            .get(usize::from(probe))
            .map_or(0, |probe| width(probe.form)),
        _ => 4,
    }
}

/// How many bytes a word of this form has.
#[inline]
pub(super) fn width(form: Form) -> usize {
    match form {
        Form::Absolute32 { .. } | Form::Relative32 | Form::Backward32 => 4,
        Form::Absolute64 { .. } => 8,
    }
}

/// Where the field leads that stands at `address`; nothing if `field` has too few bytes or leads
/// beyond 32 bits. Of an `ADRP` it is the page; of the low 12 bits, these alone: their page is in
/// another instruction.
#[inline]
pub(crate) fn target(kind: ReferenceKind, probes: &[Probe], field: &[u8], address: u32) -> Option<u32> {
    if let ReferenceKind::Word { probe } = kind {
        return word_target(probes.get(usize::from(probe))?.form, field, address);
    }
    let word = u32::from_le_bytes(*field.first_chunk()?);
    Some(match kind {
        ReferenceKind::X86 { tail, .. } => word.wrapping_add(address).wrapping_add(4 + u32::from(tail)),
        ReferenceKind::ArmBranch26 { .. } => address.wrapping_add(extend(word, 26) << 2),
        ReferenceKind::ArmBranch19 | ReferenceKind::ArmLiteral19 => {
            address.wrapping_add(extend(word >> 5, 19) << 2)
        }
        ReferenceKind::ArmBranch14 => address.wrapping_add(extend(word >> 5, 14) << 2),
        ReferenceKind::ArmAdr => address.wrapping_add(split(word)),
        ReferenceKind::ArmAdrp => (address & PAGE).wrapping_add(split(word) << 12),
        ReferenceKind::ArmLow12 { shift } => (word >> 10 & 0xFFF).wrapping_shl(u32::from(shift)),
        ReferenceKind::Word { .. } => return None,
    })
}

/// Makes the field that stands at `address` lead to `target`, and leaves its other bits. A field with
/// too few bytes, or whose probe is not there, stays as it is.
#[inline]
pub(crate) fn write(kind: ReferenceKind, probes: &[Probe], field: &mut [u8], address: u32, target: u32) {
    if let ReferenceKind::Word { probe } = kind {
        if let Some(probe) = probes.get(usize::from(probe)) {
            write_word(probe.form, field, address, target);
        }
        return;
    }
    let Some(bytes) = field.first_chunk_mut() else {
        return;
    };
    let word = u32::from_le_bytes(*bytes);
    let distance = target.wrapping_sub(address);
    let (mask, value) = match kind {
        ReferenceKind::X86 { tail, .. } => (u32::MAX, distance.wrapping_sub(4 + u32::from(tail))),
        ReferenceKind::ArmBranch26 { .. } => (0x03FF_FFFF, distance >> 2),
        ReferenceKind::ArmBranch19 | ReferenceKind::ArmLiteral19 => (0x7FFFF << 5, distance >> 2 << 5),
        ReferenceKind::ArmBranch14 => (0x3FFF << 5, distance >> 2 << 5),
        ReferenceKind::ArmAdr => (SPLIT, join(distance)),
        ReferenceKind::ArmAdrp => (SPLIT, join(pages(address, target))),
        ReferenceKind::ArmLow12 { shift } => {
            (0xFFF << 10, (target & 0xFFF).wrapping_shr(u32::from(shift)) << 10)
        }
        ReferenceKind::Word { .. } => return,
    };
    *bytes = ((word & !mask) | (value & mask)).to_le_bytes();
}

/// Where a word of data leads that stands at `address`.
#[inline]
pub(super) fn word_target(form: Form, field: &[u8], address: u32) -> Option<u32> {
    match form {
        Form::Absolute32 { base } => Some(u32::from_le_bytes(*field.first_chunk()?).wrapping_sub(base)),
        Form::Relative32 => Some(u32::from_le_bytes(*field.first_chunk()?).wrapping_add(address)),
        Form::Backward32 => Some(address.wrapping_sub(u32::from_le_bytes(*field.first_chunk()?))),
        Form::Absolute64 { base, bits } => {
            let word = u64::from_le_bytes(*field.first_chunk()?);
            u32::try_from(word.wrapping_sub(base) & mask(bits)).ok()
        }
    }
}

fn write_word(form: Form, field: &mut [u8], address: u32, target: u32) {
    match form {
        Form::Absolute32 { base } => {
            if let Some(bytes) = field.first_chunk_mut() {
                *bytes = target.wrapping_add(base).to_le_bytes();
            }
        }
        Form::Backward32 => {
            if let Some(bytes) = field.first_chunk_mut() {
                *bytes = address.wrapping_sub(target).to_le_bytes();
            }
        }
        Form::Relative32 => {
            if let Some(bytes) = field.first_chunk_mut() {
                *bytes = target.wrapping_sub(address).to_le_bytes();
            }
        }
        Form::Absolute64 { base, bits } => {
            if let Some(bytes) = field.first_chunk_mut() {
                let mask = mask(bits);
                let value = u64::from(target).wrapping_add(base);
                *bytes = ((u64::from_le_bytes(*bytes) & !mask) | (value & mask)).to_le_bytes();
            }
        }
    }
}

/// The lowest `bits` bits.
#[inline]
fn mask(bits: u8) -> u64 {
    u64::MAX.checked_shr(64 - u32::from(bits.min(64))).unwrap_or(0)
}

/// The bits of an address that are its page of 4096 bytes.
pub(super) const PAGE: u32 = !0xFFF;

/// The bits of `ADR` and `ADRP` that are their distance: immlo and immhi.
const SPLIT: u32 = 0x60FF_FFE0;

/// How many pages `target` is above `address`, as a signed number: an assembler sets the sign.
#[inline]
fn pages(address: u32, target: u32) -> u32 {
    ((target & PAGE).wrapping_sub(address & PAGE).cast_signed() >> 12).cast_unsigned()
}

/// The lowest `bits` bits as a signed number.
#[inline]
fn extend(value: u32, bits: u32) -> u32 {
    ((value << (32 - bits)).cast_signed() >> (32 - bits)).cast_unsigned()
}

/// The 21 bits of `ADR` and `ADRP`, as a signed number.
#[inline]
fn split(word: u32) -> u32 {
    extend((word >> 3 & 0x1F_FFFC) | (word >> 29 & 3), 21)
}

/// The lowest 21 bits where `ADR` and `ADRP` have them.
#[inline]
fn join(value: u32) -> u32 {
    ((value & 3) << 29) | ((value & 0x1F_FFFC) << 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Flow;

    const PROBES: [Probe; 4] = [
        probe(Form::Absolute32 { base: 0xFFFF_F000 }),
        probe(Form::Relative32),
        probe(Form::Absolute64 {
            base: 0x1_4000_0000,
            bits: 64,
        }),
        probe(Form::Absolute64 {
            base: 0x1_0000_0000,
            bits: 36,
        }),
    ];

    const fn probe(form: Form) -> Probe {
        Probe {
            stride: 4,
            phase: 0,
            form,
            low: 0,
            high: u32::MAX,
            align: 0,
        }
    }

    const fn x86(tail: u8) -> ReferenceKind {
        ReferenceKind::X86 {
            tail,
            flow: Flow::Data,
        }
    }

    const fn word(probe: u8) -> ReferenceKind {
        ReferenceKind::Word { probe }
    }

    #[test]
    fn what_is_written_is_read() {
        let wide = [0, 1, 0x1234_5678, 0x7FFF_FFFF, 0xFFFF_FFFF].as_slice();
        // kind, address, targets that it can reach
        let table: &[(ReferenceKind, u32, &[u32])] = &[
            (x86(0), 0x1000, wide),
            (x86(4), 0xFFFF_FFFE, wide),
            (
                ReferenceKind::ArmBranch26 { link: true },
                0x0800_0000,
                &[0, 0x0800_0000, 0x0FFF_FFFC],
            ),
            (ReferenceKind::ArmBranch19, 0x10_0000, &[0, 0x10_0000, 0x1F_FFFC]),
            (ReferenceKind::ArmLiteral19, 0x10_0000, &[0, 0x10_0000, 0x1F_FFFC]),
            (
                ReferenceKind::ArmBranch14,
                0x1_0000,
                &[0x8000, 0x1_0000, 0x1_7FFC],
            ),
            (ReferenceKind::ArmAdr, 0x10_0000, &[0, 0x10_0001, 0x1F_FFFF]),
            (
                ReferenceKind::ArmAdrp,
                0x8000_0ABC,
                &[0, 0x8000_0000, 0x1234_5000, 0xFFFF_F000],
            ),
            (ReferenceKind::ArmLow12 { shift: 0 }, 0, &[0, 1, 0xFFF]),
            (ReferenceKind::ArmLow12 { shift: 4 }, 0, &[0, 0x10, 0xFF0]),
            (word(0), 0, wide),
            (word(1), 0x1000, wide),
            (word(2), 0, wide),
            (word(3), 0, wide),
        ];
        for (kind, address, targets) in table {
            for wanted in *targets {
                for before in [[0; 8], [0xFF; 8], [0x5A; 8]] {
                    let mut field = before;
                    write(*kind, &PROBES, &mut field, *address, *wanted);
                    let read = target(*kind, &PROBES, &field, *address);
                    assert_eq!(read, Some(*wanted), "{kind:?} at {address:x}");
                    let length = len(*kind, &PROBES);
                    assert_eq!(
                        field[length..],
                        before[length..],
                        "{kind:?} writes no more than its length"
                    );
                    let mut again = field;
                    write(*kind, &PROBES, &mut again, *address, *wanted);
                    assert_eq!(again, field);
                }
            }
        }
    }

    #[test]
    fn bits_that_are_not_the_target_stay() {
        // kind, bits of the first 8 bytes that may change
        let table = [
            (ReferenceKind::ArmBranch26 { link: false }, 0x03FF_FFFF),
            (ReferenceKind::ArmBranch19, 0x00FF_FFE0),
            (ReferenceKind::ArmLiteral19, 0x00FF_FFE0),
            (ReferenceKind::ArmBranch14, 0x0007_FFE0),
            (ReferenceKind::ArmAdr, 0x60FF_FFE0),
            (ReferenceKind::ArmAdrp, 0x60FF_FFE0),
            (ReferenceKind::ArmLow12 { shift: 3 }, 0x003F_FC00),
            (word(0), 0xFFFF_FFFF),
            (word(3), 0x000F_FFFF_FFFF),
        ];
        for (kind, mask) in table {
            let mut changed = 0;
            for before in [0, u64::MAX] {
                for wanted in [0, 0xFFFF_FFFF, 0x5A5A_5A5A, 0xA5A5_A5A5] {
                    let mut field = before.to_le_bytes();
                    write(kind, &PROBES, &mut field, 0x0BCD_E120, wanted);
                    changed |= u64::from_le_bytes(field) ^ before;
                }
            }
            assert_eq!(changed & !mask, 0, "{kind:?}");
        }
    }

    #[test]
    fn an_instruction_is_written_as_an_assembler_writes_it() {
        // kind, address, target, word without the field, whole word
        let table = [
            (
                ReferenceKind::ArmBranch26 { link: true },
                0x1000,
                0xFFC,
                0x9400_0000,
                0x97FF_FFFF,
            ),
            (
                ReferenceKind::ArmBranch19,
                0x1000,
                0x1008,
                0x5400_0001,
                0x5400_0041,
            ),
            (
                ReferenceKind::ArmBranch14,
                0x1000,
                0xFF0,
                0x3718_0009,
                0x371F_FF89,
            ),
            (
                ReferenceKind::ArmLiteral19,
                0x1000,
                0x1010,
                0x5800_0001,
                0x5800_0081,
            ),
            (ReferenceKind::ArmAdr, 0x1000, 0x1007, 0x1000_0003, 0x7000_0023),
            (ReferenceKind::ArmAdrp, 0x5123, 0x3FFF, 0x9000_0008, 0xD0FF_FFE8),
            (ReferenceKind::ArmAdrp, 0x1123, 0x8000, 0x9000_0008, 0xF000_0028),
            (
                ReferenceKind::ArmLow12 { shift: 3 },
                0,
                0x1238,
                0xF940_0108,
                0xF941_1D08,
            ),
        ];
        for (kind, address, target, bare, whole) in table {
            let mut field = u32::to_le_bytes(bare);
            write(kind, &[], &mut field, address, target);
            assert_eq!(u32::from_le_bytes(field), whole, "{kind:?}");
        }
    }

    #[test]
    fn a_field_that_is_too_short_is_none() {
        for kind in [x86(0), ReferenceKind::ArmAdr, word(0), word(1), word(2), word(9)] {
            let mut field = [7; 3];
            write(kind, &PROBES, &mut field, 0, 99);
            assert_eq!(field, [7; 3]);
            assert_eq!(target(kind, &PROBES, &field, 0), None);
        }
    }

    #[test]
    fn a_word_that_leads_beyond_32_bits_is_none() {
        assert_eq!(
            target(word(2), &PROBES, &0x2_4000_0000_u64.to_le_bytes(), 0),
            None
        );
        assert_eq!(
            target(word(2), &PROBES, &0x1_3FFF_FFFF_u64.to_le_bytes(), 0),
            None
        );
        assert_eq!(
            target(word(3), &PROBES, &0xABC0_0001_0000_0007_u64.to_le_bytes(), 0),
            Some(7)
        );
    }
}
