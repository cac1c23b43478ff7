use super::*;
use crate::scan::MARGIN;

const PAGE_5: u32 = 0xB000_0028; // adrp x8, 0x5000 (from page 0)

/// The references in these words, the first of which stands at 0x100: place, kind, target.
fn listed(words: &[u32]) -> Vec<(u16, ReferenceKind, u32)> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut out = Listing::default();
    list(&bytes, 0, bytes.len(), 0x100, 0..0x10000, &mut out);
    out.references
        .iter()
        .map(|reference| (reference.at, reference.kind, reference.target))
        .collect()
}

#[test]
fn a_word_that_stands_alone_leads_where_its_encoding_says() {
    use ReferenceKind::{ArmAdr, ArmBranch14, ArmBranch19, ArmBranch26, ArmLiteral19};
    let table = [
        ("b", 0x1400_0002, ArmBranch26 { link: false }, 0x108),
        ("bl", 0x97FF_FFFE, ArmBranch26 { link: true }, 0xF8),
        ("b.ne", 0x5400_0041, ArmBranch19, 0x108),
        ("cbz", 0xB400_0041, ArmBranch19, 0x108),
        ("cbnz", 0x35FF_FFC1, ArmBranch19, 0xF8),
        ("tbz", 0x3618_0041, ArmBranch14, 0x108),
        ("tbnz of a high bit", 0xB747_FFC1, ArmBranch14, 0xF8),
        ("ldr x1", 0x5800_0081, ArmLiteral19, 0x110),
        ("ldr w1", 0x1800_0081, ArmLiteral19, 0x110),
        ("ldr q1", 0x9C00_0081, ArmLiteral19, 0x110),
        ("ldrsw x1", 0x9800_0081, ArmLiteral19, 0x110),
        ("prfm", 0xD800_0080, ArmLiteral19, 0x110),
        ("adr", 0x7000_0021, ArmAdr, 0x107),
    ];
    for (what, word, kind, target) in table {
        assert_eq!(listed(&[word]), [(0, kind, target)], "{what}");
    }
    let none = [
        ("nop", 0xD503_201F),
        ("ret", 0xD65F_03C0),
        ("add without adrp", 0x9104_8D08),
        ("no such literal", 0xDC00_0081),
        ("b beyond the image", 0x1500_0000),
        ("b before the image", 0x17FF_0000),
    ];
    for (what, word) in none {
        assert_eq!(listed(&[word]), [], "{what}");
    }
}

#[test]
fn an_adrp_leads_where_its_first_partner_leads() {
    let low = |shift| ReferenceKind::ArmLow12 { shift };
    let table = [
        ("add", 0x9104_8D08, low(0), 0x5123),
        ("ldrb", 0x3940_1500, low(0), 0x5005),
        ("ldrh", 0x7940_0D01, low(1), 0x5006),
        ("str w", 0xB900_0901, low(2), 0x5008),
        ("ldrsw", 0xB980_0501, low(2), 0x5004),
        ("ldr x", 0xF940_0D00, low(3), 0x5018),
        ("ldr d", 0xFD40_1101, low(3), 0x5020),
        ("prfm", 0xF980_0500, low(3), 0x5008),
        ("ldr q", 0x3DC0_0901, low(4), 0x5020),
        ("str q", 0x3D80_0901, low(4), 0x5020),
    ];
    for (what, word, kind, target) in table {
        let adrp = (0, ReferenceKind::ArmAdrp, target);
        assert_eq!(listed(&[PAGE_5, word]), [adrp, (4, kind, target)], "{what}");
        assert_eq!(
            listed(&[PAGE_5, word | 0x20]),
            [(0, ReferenceKind::ArmAdrp, 0x5000)],
            "{what} by x9"
        );
    }
    let none = [
        ("add of 32 bits", 0x1100_0508),
        ("add of a shifted immediate", 0x9140_0508),
        ("ldr beyond the page", 0xF948_0100),
        ("ldp", 0xA940_2428),
    ];
    for (what, word) in none {
        assert_eq!(
            listed(&[PAGE_5, word]),
            [(0, ReferenceKind::ArmAdrp, 0x5000)],
            "{what}"
        );
    }
}

#[test]
fn the_reach_ends_behind_a_word_that_writes_the_register_or_leaves() {
    const LDR: u32 = 0xF940_0D00; // ldr x0, [x8, #24]
    let table = [
        ("nop", 0xD503_201F, true),
        ("b.ne", 0x5400_0041, true),
        ("cmp x8, x9", 0xEB09_011F, true),
        ("str x8, [x1, #8]", 0xF900_0428, true),
        ("stp x8, x9, [x1]", 0xA900_2428, true),
        ("ldr d8, [x1]", 0xFD40_0028, true),
        ("fmov d8, x8", 0x9E67_0108, true),
        ("mov x8, x9", 0xAA09_03E8, false),
        ("add x8, x8, #1, lsl 12", 0x9140_0508, false),
        ("ldr x8, [x1]", 0xF940_0028, false),
        ("ldr x8, literal", 0x5800_0088, false),
        ("ldp x8, x9, [x1]", 0xA940_2428, false),
        ("ldp x9, x8, [x1]", 0xA940_2029, false),
        ("ldxr x8, [x1]", 0xC85F_7C28, false),
        ("adrp x8", PAGE_5 - 0x20, false),
        ("b", 0x1400_0002, false),
        ("bl", 0x9400_0002, false),
        ("br x8", 0xD61F_0100, false),
        ("blr x9", 0xD63F_0120, false),
        ("ret", 0xD65F_03C0, false),
    ];
    for (what, word, goes_on) in table {
        let target = if goes_on { 0x5018 } else { 0x5000 };
        let found = listed(&[PAGE_5, word, LDR]);
        assert_eq!(found[0], (0, ReferenceKind::ArmAdrp, target), "{what}");
    }
    let mut words = [0xD503_201F; 12];
    words[0] = PAGE_5;
    words[REACH] = LDR;
    assert_eq!(listed(&words).len(), 2, "the last word in reach");
    words.swap(REACH, REACH + 1);
    assert_eq!(listed(&words).len(), 1, "the first beyond it");
}

#[test]
fn several_partners_lead_into_the_same_page() {
    let low = |shift| ReferenceKind::ArmLow12 { shift };
    // Two stores, then an add that writes the register, then a load by what it wrote.
    let found = listed(&[PAGE_5, 0xB900_0901, 0xF940_0D00, 0x9104_8D08, 0xF940_0D00]);
    let wanted = [
        (0, ReferenceKind::ArmAdrp, 0x5008),
        (4, low(2), 0x5008),
        (8, low(3), 0x5018),
        (12, low(0), 0x5123),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_listing_is_the_same_wherever_windows_lie() {
    let likely = [
        PAGE_5,
        0x9104_8D08,
        0xF940_0D00,
        0xB900_0901,
        0xD503_201F,
        0xAA09_03E8,
        0x9400_0002,
        0xD000_0009,
    ];
    let mut state = 7_u64;
    let bytes: Vec<u8> = (0..1 << 14)
        .flat_map(|_| {
            state = state
                .wrapping_mul(0x5851_F42D_4C95_7F2D)
                .wrapping_add(0x1405_7B7E_F767_814F);
            u32::to_le_bytes(likely[(state >> 61) as usize])
        })
        .collect();
    let in_windows_of = |length: usize| {
        let mut all = Vec::new();
        let mut out = Listing::default();
        for at in (0..bytes.len()).step_by(length) {
            let before = at.min(MARGIN);
            let end = bytes.len().min(at + length + MARGIN);
            list(
                &bytes[at - before..end],
                before,
                length,
                at as u32,
                0..1 << 20,
                &mut out,
            );
            let listed = out.references.iter();
            all.extend(
                listed.map(|reference| (at + usize::from(reference.at), reference.kind, reference.target)),
            );
        }
        all
    };
    let wanted = in_windows_of(WINDOW);
    assert!(wanted.len() > 1000);
    for length in [4, 64, WINDOW / 2, WINDOW - 4] {
        let found = in_windows_of(length);
        let same = found
            .iter()
            .zip(&wanted)
            .take_while(|(found, wanted)| found == wanted)
            .count();
        assert_eq!(
            (same, found.len()),
            (wanted.len(), wanted.len()),
            "windows of {length} bytes"
        );
    }
}

#[test]
fn bytes_that_are_no_whole_word_are_none() {
    let mut out = Listing::default();
    list(&[2, 0, 0, 0x14, 2, 0, 0], 0, 7, 0, 0..0x100, &mut out);
    assert_eq!((out.references.len(), out.starts[0]), (1, 0b1_0001));
    list(&[2, 0], 8, 9, 0, 0..0x100, &mut out);
    assert_eq!(out, Listing::default());
}
