use super::super::{decode, padded};
use super::*;
use crate::testing::Noise;

/// The lengths into which the sweep cuts `bytes`, up to the last that no byte after them changes.
fn swept(bytes: &[u8]) -> Vec<u8> {
    let mut lengths = Vec::new();
    let mut at = 0;
    while at + 16 <= bytes.len() {
        let length = decode(&padded(bytes, at)).length.max(1);
        lengths.push(length);
        at += usize::from(length);
    }
    lengths
}

fn followed(bytes: &[u8]) -> Vec<u8> {
    let mut lengths = Vec::new();
    let mut parser = Parser::new();
    for byte in bytes {
        parser.take(*byte, &mut |length| lengths.push(length));
    }
    assert!(parser.pending() < 16);
    lengths
}

#[test]
fn it_cuts_random_bytes_as_the_sweep_does() {
    let bytes = Noise::new(1).bytes(300_000);
    let swept = swept(&bytes);
    assert_eq!(followed(&bytes)[..swept.len()], swept);
}

#[test]
fn it_cuts_heaps_of_prefixes_as_the_sweep_does() {
    let heap = [
        0x66, 0x67, 0xF0, 0xF3, 0x48, 0x40, 0x0F, 0x38, 0x3A, 0x62, 0xC4, 0xC5, 0x2E, 0x05, 0x81, 0xE8,
    ];
    let mut noise = Noise::new(2);
    let bytes: Vec<u8> = (0..300_000).map(|_| heap[noise.below(16) as usize]).collect();
    let swept = swept(&bytes);
    assert_eq!(followed(&bytes)[..swept.len()], swept);
    assert!(swept.contains(&15), "the longest are among them");
}

#[test]
fn it_tells_what_the_next_byte_is() {
    use FieldClass::{Disp8, Disp32, Imm, ModRm, OpcodeMore, Prefixed, Rel8, Rel32, RipDisp32, Sib, Start};
    let disp = |index| Disp32 { index };
    let rip = |index| RipDisp32 { index };
    let rel = |index| Rel32 { index };
    let imm = |width| move |index| Imm { index, width };
    // bytes, classes of the bytes after the first
    let table: &[(&[u8], Vec<FieldClass>)] = &[
        (&[0xC3], vec![]),
        (&[0x74, 1], vec![Rel8]),
        (&[0xE8, 1, 2, 3, 4], vec![rel(0), rel(1), rel(2), rel(3)]),
        (
            &[0x0F, 0x84, 1, 2, 3, 4],
            vec![OpcodeMore, rel(0), rel(1), rel(2), rel(3)],
        ),
        (&[0x48, 0x8B, 0x44, 0x24, 8], vec![Prefixed, ModRm, Sib, Disp8]),
        (
            &[0x48, 0x8D, 0x05, 1, 2, 3, 4],
            vec![Prefixed, ModRm, rip(0), rip(1), rip(2), rip(3)],
        ),
        (
            &[0x66, 0x81, 0x80, 1, 2, 3, 4, 5, 6],
            vec![
                Prefixed,
                ModRm,
                disp(0),
                disp(1),
                disp(2),
                disp(3),
                imm(2)(0),
                imm(2)(1),
            ],
        ),
        (
            &[0x67, 0x8B, 0x05, 1, 2, 3, 4],
            vec![Prefixed, ModRm, disp(0), disp(1), disp(2), disp(3)],
        ),
        (&[0xC5, 0xF8, 0x77], vec![OpcodeMore, OpcodeMore]),
        (
            &[0xC4, 0xE3, 0x79, 0x0F, 0xC1, 8],
            vec![OpcodeMore, OpcodeMore, OpcodeMore, ModRm, imm(1)(0)],
        ),
        (
            &[0x62, 0xF1, 0x7C, 0x48, 0x10, 0x40, 1],
            vec![OpcodeMore, OpcodeMore, OpcodeMore, OpcodeMore, ModRm, Disp8],
        ),
        (&[0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8], {
            let mut classes = vec![Prefixed];
            classes.extend((0..8).map(imm(8)));
            classes
        }),
    ];
    for (bytes, classes) in table {
        let mut parser = Parser::new();
        for (byte, class) in bytes.iter().zip([Start].iter().chain(classes)) {
            assert_eq!(parser.next_field(), *class, "{bytes:02x?}");
            assert!(usize::from(class.context()) < FieldClass::CONTEXTS);
            parser.push(*byte);
        }
        assert_eq!(
            (parser.next_field(), parser.pending()),
            (Start, 0),
            "{bytes:02x?}"
        );
    }
}

#[test]
fn it_names_opcodes_by_their_map() {
    // bytes, opcode, ModRM
    let table: &[(&[u8], u16, u8)] = &[
        (&[0xC3], 0x00C3, 0),
        (&[0x0F], 0x000F, 0),
        (&[0x0F, 0xB6, 0xC1], 0x01B6, 0xC1),
        (&[0x0F, 0x38], 0x0138, 0),
        (&[0x66, 0x0F, 0x38, 0x17, 0xC1], 0x0217, 0xC1),
        (&[0x66, 0x0F, 0x3A, 0x0F, 0xC1, 8], 0x030F, 0xC1),
        (&[0xC5, 0xF8, 0x77], 0x0577, 0),
        (&[0xC4, 0xE2, 0x79, 0x18, 0xC1], 0x0618, 0xC1),
        (&[0x62, 0xF1, 0x7C, 0x48, 0x10, 0xC1], 0x0910, 0xC1),
        (&[0x89, 0xC1, 0x48], 0x0089, 0xC1),
    ];
    for (bytes, opcode, modrm) in table {
        let mut parser = Parser::new();
        bytes.iter().for_each(|byte| parser.push(*byte));
        assert_eq!(
            (parser.opcode(), parser.modrm()),
            (*opcode, *modrm),
            "{bytes:02x?}"
        );
        assert!(usize::from(parser.opcode()) < Parser::OPCODES);
        parser.reset();
        assert_eq!((parser.opcode(), parser.next_field()), (0, FieldClass::Start));
    }
}
