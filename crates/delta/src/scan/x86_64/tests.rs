use super::*;
use crate::scan::MARGIN;

/// What `decode` finds in `code`, with zeros behind it.
fn decoded(code: &[u8]) -> Instruction {
    decode(&padded(code, 0))
}

#[test]
fn an_instruction_is_as_long_as_its_encoding_says() {
    // What follows the encoding in question would make a longer instruction if it were misread.
    let table: &[(&str, &[u8])] = &[
        ("ret", &[0xC3]),
        ("ret 8", &[0xC2, 8, 0]),
        ("push r12", &[0x41, 0x54]),
        ("push imm32", &[0x68, 1, 2, 3, 4]),
        ("push imm16", &[0x66, 0x68, 1, 2]),
        ("enter", &[0xC8, 16, 0, 1]),
        ("int3", &[0xCC]),
        ("jz short", &[0x74, 5]),
        ("loop", &[0xE2, 5]),
        ("add al, imm8", &[0x04, 1]),
        ("add eax, imm32", &[0x05, 1, 2, 3, 4]),
        ("add ax, imm16", &[0x66, 0x05, 1, 2]),
        ("add rax, imm32, with 66 in vain", &[0x66, 0x48, 0x05, 1, 2, 3, 4]),
        ("add ax, imm16, with REX.W in vain", &[0x48, 0x66, 0x05, 1, 2]),
        ("mov eax, imm32", &[0xB8, 1, 2, 3, 4]),
        ("mov ax, imm16", &[0x66, 0xB8, 1, 2]),
        ("mov rax, imm64", &[0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("mov r8d, imm32", &[0x41, 0xB8, 1, 2, 3, 4]),
        ("mov al, moffs64", &[0xA0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("mov al, moffs32", &[0x67, 0xA0, 1, 2, 3, 4]),
        ("mov rax, [rbx]", &[0x48, 0x8B, 0x03]),
        ("mov eax, [r13]", &[0x41, 0x8B, 0x45, 0]),
        ("mov eax, [rbx + disp32]", &[0x8B, 0x83, 1, 2, 3, 4]),
        ("mov eax, [rsp]", &[0x8B, 0x04, 0x24]),
        ("mov eax, [rsp + disp8]", &[0x8B, 0x44, 0x24, 8]),
        ("mov eax, [rsp + disp32]", &[0x8B, 0x84, 0x24, 1, 2, 3, 4]),
        ("mov eax, [disp32 + 4 * rbx]", &[0x8B, 0x04, 0x9D, 1, 2, 3, 4]),
        ("mov eax, [rbp + 4 * rbx + disp8]", &[0x8B, 0x44, 0x9D, 1]),
        (
            "mov dword [rsp + 16], imm32",
            &[0xC7, 0x44, 0x24, 0x10, 1, 0, 0, 0],
        ),
        ("mov word [rax], imm16", &[0x66, 0xC7, 0, 1, 0]),
        (
            "add dword fs:[16 + 8 * rbp], imm8",
            &[0x64, 0x83, 0x04, 0xED, 0x10, 0, 0, 0, 1],
        ),
        ("test al, imm8", &[0xF6, 0xC0, 1]),
        ("test al, imm8 (its twin)", &[0xF6, 0xC8, 1]),
        ("not al", &[0xF6, 0xD0]),
        ("test eax, imm32", &[0xF7, 0xC0, 1, 2, 3, 4]),
        ("test ax, imm16", &[0x66, 0xF7, 0xC0, 1, 2]),
        ("not eax", &[0xF7, 0xD0]),
        ("imul eax, ecx, imm8", &[0x6B, 0xC1, 7]),
        ("imul eax, ecx, imm32", &[0x69, 0xC1, 1, 2, 3, 4]),
        ("fld st1", &[0xD9, 0xC1]),
        ("rep movsb", &[0xF3, 0xA4]),
        ("call, with 66 in vain", &[0x66, 0xE8, 1, 2, 3, 4]),
        ("syscall", &[0x0F, 0x05]),
        ("mov rax, cr0, whose mod does not count", &[0x0F, 0x20, 0x04]),
        ("bswap eax", &[0x0F, 0xC8]),
        ("movzx eax, cl", &[0x0F, 0xB6, 0xC1]),
        ("bt eax, imm8", &[0x0F, 0xBA, 0xE0, 3]),
        ("shld eax, ecx, imm8", &[0x0F, 0xA4, 0xC8, 3]),
        ("pshufd xmm0, xmm1, imm8", &[0x66, 0x0F, 0x70, 0xC1, 3]),
        (
            "nop word cs:[rax + rax + disp32]",
            &[0x66, 0x2E, 0x0F, 0x1F, 0x84, 0, 1, 2, 3, 4],
        ),
        ("endbr64", &[0xF3, 0x0F, 0x1E, 0xFA]),
        ("movbe ecx, [rax]", &[0x0F, 0x38, 0xF0, 0x08]),
        ("palignr xmm0, xmm1, imm8", &[0x66, 0x0F, 0x3A, 0x0F, 0xC1, 3]),
        ("vzeroupper", &[0xC5, 0xF8, 0x77]),
        ("vpsrld xmm2, xmm1, imm8", &[0xC5, 0xE9, 0x72, 0xD1, 3]),
        ("vaddps xmm0, xmm0, xmm1 by C4", &[0xC4, 0xE1, 0x78, 0x58, 0xC1]),
        ("vcvtph2ps xmm2, xmm1", &[0xC4, 0xE2, 0x79, 0x13, 0xD1]),
        ("rorx eax, ecx, imm8", &[0xC4, 0xE3, 0x7B, 0xF0, 0xC1, 3]),
        (
            "vmovups zmm1, [rax + 64]",
            &[0x62, 0xF1, 0x7C, 0x48, 0x10, 0x48, 1],
        ),
        ("vaddph zmm0, zmm0, zmm1", &[0x62, 0xF5, 0x7C, 0x48, 0x58, 0xC1]),
        (
            "vfmadd132ph zmm0, zmm0, zmm1",
            &[0x62, 0xF6, 0x7D, 0x48, 0x98, 0xC1],
        ),
        (
            "15 bytes",
            &[
                0x2E, 0x2E, 0x2E, 0x2E, 0x66, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 0x2E,
            ],
        ),
    ];
    for (what, code) in table {
        let wanted = if *what == "15 bytes" { 14 } else { code.len() };
        assert_eq!(usize::from(decoded(code).length), wanted, "{what}");
        assert_eq!(decoded(code).field == 0, !what.starts_with("call"), "{what}");
    }
}

#[test]
fn a_field_stands_where_its_encoding_says() {
    use Flow::{Branch, Call, Data, Jump};
    // what, bytes, field, tail, flow
    let table: &[(&str, &[u8], u8, u8, Flow)] = &[
        ("call", &[0xE8, 1, 2, 3, 4], 1, 0, Call),
        (
            "data16 rex.W call",
            &[0x66, 0x66, 0x48, 0xE8, 1, 2, 3, 4],
            4,
            0,
            Call,
        ),
        ("jmp", &[0xE9, 1, 2, 3, 4], 1, 0, Jump),
        ("jz", &[0x0F, 0x84, 1, 2, 3, 4], 2, 0, Branch),
        ("jz, not taken", &[0x2E, 0x0F, 0x84, 1, 2, 3, 4], 3, 0, Branch),
        ("lea rax", &[0x48, 0x8D, 0x05, 1, 2, 3, 4], 3, 0, Data),
        (
            "data16 lea rdi",
            &[0x66, 0x48, 0x8D, 0x3D, 1, 2, 3, 4],
            4,
            0,
            Data,
        ),
        ("call [rip]", &[0xFF, 0x15, 1, 2, 3, 4], 2, 0, Data),
        ("jmp [rip]", &[0xFF, 0x25, 1, 2, 3, 4], 2, 0, Data),
        ("cmp byte, imm8", &[0x80, 0x3D, 1, 2, 3, 4, 9], 2, 1, Data),
        (
            "cmp word, imm16",
            &[0x66, 0x81, 0x3D, 1, 2, 3, 4, 9, 9],
            3,
            2,
            Data,
        ),
        (
            "cmp qword, imm32",
            &[0x48, 0x81, 0x3D, 1, 2, 3, 4, 9, 9, 9, 9],
            3,
            4,
            Data,
        ),
        (
            "test dword, imm32",
            &[0xF7, 0x05, 1, 2, 3, 4, 9, 9, 9, 9],
            2,
            4,
            Data,
        ),
        ("not dword", &[0xF7, 0x15, 1, 2, 3, 4], 2, 0, Data),
        (
            "lock cmpxchg",
            &[0xF0, 0x48, 0x0F, 0xB1, 0x0D, 1, 2, 3, 4],
            5,
            0,
            Data,
        ),
        ("pshufb", &[0x66, 0x0F, 0x38, 0x00, 0x0D, 1, 2, 3, 4], 5, 0, Data),
        (
            "pclmulqdq, imm8",
            &[0x66, 0x0F, 0x3A, 0x44, 0x05, 1, 2, 3, 4, 9],
            5,
            1,
            Data,
        ),
        ("vmovups by C5", &[0xC5, 0xF8, 0x10, 0x05, 1, 2, 3, 4], 4, 0, Data),
        (
            "vpermq by C4, imm8",
            &[0xC4, 0xE3, 0xFD, 0x00, 0x0D, 1, 2, 3, 4, 9],
            5,
            1,
            Data,
        ),
        (
            "vaddps by EVEX",
            &[0x62, 0xF1, 0x74, 0x48, 0x58, 0x15, 1, 2, 3, 4],
            6,
            0,
            Data,
        ),
        (
            "vpternlogd by EVEX, imm8",
            &[0x62, 0xF3, 0x75, 0x48, 0x25, 0x15, 1, 2, 3, 4, 9],
            6,
            1,
            Data,
        ),
    ];
    for (what, code, field, tail, flow) in table {
        let found = decoded(code);
        assert_eq!(
            (found.length, found.field, found.flow),
            (code.len() as u8, *field, *flow),
            "{what}"
        );
        assert_eq!(found.length - found.field - 4, *tail, "{what}");
    }
    assert_eq!(
        decoded(&[0x67, 0x48, 0x8D, 0x05, 1, 2, 3, 4]),
        Instruction { length: 8, ..DATA }
    );
}

#[test]
fn what_is_no_instruction_is_a_byte_of_data() {
    let table: &[(&str, &[u8])] = &[
        ("push es", &[0x06]),
        ("daa", &[0x27]),
        ("pusha", &[0x60]),
        ("far call", &[0x9A]),
        ("group 1's twin", &[0x82, 0xC0, 1]),
        ("aam", &[0xD4, 10]),
        ("unknown in the second map", &[0x0F, 0x04]),
        ("unknown behind a prefix", &[0xF2, 0x0F, 0x0A]),
        ("C5 behind REX", &[0x48, 0xC5, 0xF8, 0x77]),
        ("C5 behind 66", &[0x66, 0xC5, 0xF8, 0x77]),
        ("C4 behind REP", &[0xF3, 0xC4, 0xE2, 0x79, 0x13, 0xD1]),
        ("C4 of map 0", &[0xC4, 0xE0, 0x79, 0x13, 0xD1]),
        ("C4 of map 9", &[0xC4, 0xE9, 0x79, 0x13, 0xD1]),
        ("EVEX of map 4", &[0x62, 0xF4, 0x7C, 0x48, 0x10, 0xC1]),
        ("EVEX with bit 3 set", &[0x62, 0xF9, 0x7C, 0x48, 0x10, 0xC1]),
        ("EVEX with bit 2 clear", &[0x62, 0xF1, 0x78, 0x48, 0x10, 0xC1]),
        ("nothing but prefixes", &[0x66; 16]),
        (
            "16 bytes",
            &[
                0x2E, 0x2E, 0x2E, 0x2E, 0x2E, 0x2E, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 7,
            ],
        ),
    ];
    for (what, code) in table {
        assert_eq!(decoded(code), DATA, "{what}");
    }
    // A segment's prefix before C5 is none of those that it refuses; nor is a REX that does not count.
    assert_eq!(decoded(&[0x48, 0x2E, 0xC5, 0xF8, 0x77]).length, 5);
}

fn listed(bytes: &[u8], before: usize, window_len: usize) -> (Vec<usize>, Vec<(u16, u32)>) {
    let mut out = Listing::default();
    list(bytes, before, window_len, 0x1000, 0x1000..0x2000, &mut out);
    let starts = (0..WINDOW).filter(|at| out.starts_at(*at)).collect();
    (
        starts,
        out.references
            .iter()
            .map(|reference| (reference.at, reference.target))
            .collect(),
    )
}

#[test]
fn only_what_begins_in_the_window_is_listed() {
    // nop, call 0x1010, ret
    let code = [0x90, 0xE8, 0x0A, 0, 0, 0, 0xC3];
    assert_eq!(listed(&code, 0, 7), (vec![0, 1, 6], vec![(2, 0x1010)]));
    assert_eq!(
        listed(&code, 1, 6),
        (vec![0, 5], vec![(1, 0x100F)]),
        "what is before leads the sweep"
    );
    assert_eq!(
        listed(&code, 2, 5).0,
        vec![4],
        "an instruction from before reaches into the window"
    );
    assert_eq!(
        listed(&code, 0, 2),
        (vec![0, 1], vec![(2, 0x1010)]),
        "a field may stand behind the window"
    );
    assert_eq!(
        listed(&code[..5], 0, 5),
        (vec![0, 1, 2, 4], vec![]),
        "cut off, it is data"
    );
    assert_eq!(listed(&[], 0, 0), (vec![], vec![]));
    assert_eq!(
        listed(&code[..3], 9, 9),
        (vec![], vec![]),
        "lengths beyond the bytes do no harm"
    );
}

#[test]
fn a_target_outside_the_image_is_no_reference() {
    for (distance, accepted) in [
        (0_u32, true),
        (0xFFFF_FFFB, true),
        (0xFFFF_FFFA, false),
        (0xFFA, true),
        (0xFFB, false),
    ] {
        let mut code = vec![0xE8];
        code.extend(distance.to_le_bytes());
        assert_eq!(listed(&code, 0, 5).1.len(), usize::from(accepted), "{distance:x}");
    }
}

/// The scanner's answers to random bytes and to bytes that are much like code. A change of these
/// numbers is a new version of the scanner.
#[test]
fn its_answers_are_for_ever() {
    let likely = [
        0x48, 0x8B, 0x05, 0x89, 0xE8, 0x0F, 0x84, 0x24, 0x66, 0xC5, 0xF7, 0x00, 0xFF, 0x62, 0xF1, 0x41,
    ];
    let mut state = 7_u64;
    let mut next = || {
        state = state
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (state >> 56) as u8
    };
    let random: Vec<u8> = (0..1 << 17).map(|_| next()).collect();
    let code: Vec<u8> = (0..1 << 17).map(|_| likely[usize::from(next() >> 4)]).collect();
    let digest = |bytes: &[u8]| {
        let mut out = Listing::default();
        let mut digest = 0xCBF2_9CE4_8422_2325_u64;
        let mut add = |value: u64| digest = (digest ^ value).wrapping_mul(0x0100_0000_01B3);
        for at in (0..bytes.len()).step_by(1024) {
            let before = at.min(MARGIN);
            let end = bytes.len().min(at + 1024 + MARGIN);
            list(
                &bytes[at - before..end],
                before,
                WINDOW,
                at as u32,
                0..0x8000_0000,
                &mut out,
            );
            out.starts.iter().take(1024 / 64).for_each(|bits| add(*bits));
            for reference in &out.references {
                add(u64::from(reference.at) << 40
                    | u64::from(reference.kind.context()) << 32
                    | u64::from(reference.target));
            }
        }
        digest
    };
    assert_eq!(
        (digest(&random), digest(&code)),
        (0xBE81_93A3_ABC6_2D2F, 0xD41E_DCB8_A1B1_15AB)
    );
}
