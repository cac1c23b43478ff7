//! Small executables, damaged ones, and bytes that are none.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use super::samples::{File, elf, macho, pe, universal};
use super::{layouts, page_hashes};
use crate::layout::{Form, Kind, Layout, MAX_REGIONS, MAX_SPANS};
use proptest::prelude::*;

/// Fails unless the layout keeps what its readers rely on.
fn check(layout: &Layout, file: &[u8]) {
    assert!(layout.spans.len() <= MAX_SPANS && layout.regions.len() <= MAX_REGIONS);
    assert!(layout.is_sound(file.len() as u32), "{layout:x?}");
    for region in &layout.regions {
        let mut spans = layout.spans.iter();
        let within = spans.any(|span| {
            span.offset <= region.offset && region.offset + region.length <= span.offset + span.length
        });
        assert!(within && region.length > 0, "{region:x?}");
    }
}

fn parsed(file: &[u8]) -> Layout {
    let (old, new) = layouts(file, file).unwrap();
    assert_eq!(old, new);
    check(&old, file);
    old
}

fn kinds(layout: &Layout) -> Vec<(u32, u32, &str)> {
    let name = |kind: &Kind| match kind {
        Kind::X86_64 => "x86-64",
        Kind::Arm64 => "arm64",
        Kind::Words(_) => "words",
        Kind::Functions(_) => "functions",
    };
    layout
        .regions
        .iter()
        .map(|region| (region.offset, region.length, name(&region.kind)))
        .collect()
}

// what, the file, its regions: offset, length, kind
type Row = (&'static str, Vec<u8>, &'static [(u32, u32, &'static str)]);

#[test]
fn regions_are_where_the_headers_say() {
    let table: [Row; 4] = [
        (
            "ELF",
            elf(),
            &[
                (0, 0x20c, "words"),
                (0x20c, 0x50, "words"),
                (0x260, 0x88, "words"),
                (0x2e8, 0x98, "words"),
                (0x380, 0x60, "words"),
                (0x400, 0x800, "x86-64"),
            ],
        ),
        (
            "PE",
            pe(),
            &[
                (0x400, 0x400, "x86-64"),
                (0x800, 0x1d0, "words"),
                (0x9d0, 0x230, "words"),
                (0xc00, 0x60, "words"),
                (0xc60, 0x3a0, "words"),
            ],
        ),
        (
            "Mach-O",
            macho(),
            &[(0x400, 0x400, "arm64"), (0x1400, 0x400, "words")],
        ),
        (
            "universal",
            universal(),
            &[
                (0x1400, 0x400, "arm64"),
                (0x2400, 0x400, "words"),
                (0x4400, 0x400, "x86-64"),
                (0x5400, 0x400, "words"),
            ],
        ),
    ];
    for (what, file, regions) in table {
        assert_eq!(kinds(&parsed(&file)), regions, "{what}");
    }
}

#[test]
fn frames_lead_to_code_to_their_common_record_and_to_exceptions() {
    let layout = parsed(&elf());
    let frames = layout
        .regions
        .iter()
        .find(|region| region.offset == 0x260)
        .unwrap();
    let probes = frames.kind.probes();
    let all: Vec<_> = probes
        .iter()
        .map(|probe| (probe.form, probe.phase, probe.low, probe.high))
        .collect();
    assert_eq!(all[0], (Form::Relative32, 0, 0x1400, 0x1c00));
    assert_eq!(all[1..5].iter().filter(|probe| probe.2 < probe.3).count(), 1);
    assert_eq!(all[5], (Form::Relative32, 1, 0x3f0, 0x3f1));
}

#[test]
fn slices_of_a_universal_file_have_addresses_far_apart() {
    let layout = parsed(&universal());
    let addresses: Vec<_> = layout.spans.iter().map(|span| span.address).collect();
    assert_eq!(addresses, [0, 0x1000, 0x4000_0000, 0x4000_1000]);
    let pointers = layout.regions[3].kind.probes()[0];
    assert_eq!(
        pointers.form,
        Form::Absolute64 {
            base: 0xc000_0000,
            bits: 64
        }
    );
}

#[test]
fn hashes_of_pages_are_found_in_each_slice() {
    let found = |file: &[u8]| -> Vec<_> {
        let tables = page_hashes(file).into_iter();
        tables
            .map(|table| {
                (
                    table.begin,
                    table.at,
                    table.pages(),
                    table.page_bits,
                    table.covered,
                )
            })
            .collect()
    };
    assert_eq!(found(&macho()), [(0, 0x2040, 2, 12, 0x2000)]);
    assert_eq!(
        found(&universal()),
        [(0x1000, 0x3040, 2, 12, 0x2000), (0x4000, 0x6040, 2, 12, 0x2000)]
    );
    assert_eq!(found(&elf()), []);
}

#[test]
fn different_formats_and_machines_have_nothing_in_common() {
    let mut arm = elf();
    arm[18] = 183;
    let files = [
        elf(),
        arm,
        pe(),
        macho(),
        universal(),
        b"neither".to_vec(),
        Vec::new(),
    ];
    for (at, old) in files.iter().enumerate() {
        for (other, new) in files.iter().enumerate() {
            assert_eq!(
                layouts(old, new).is_some(),
                at == other && at < 5,
                "{at} and {other}"
            );
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_does_no_harm() {
    for whole in [elf(), pe(), macho(), universal()] {
        // Headers at every length; what follows by steps.
        for length in (0..0x800).chain((0x800..whole.len()).step_by(61)) {
            harmless(&whole, &whole[..length.min(whole.len())]);
        }
    }
}

#[test]
fn a_wrong_byte_in_the_headers_does_no_harm() {
    for whole in [elf(), pe(), macho(), universal()] {
        for at in (0..0x500)
            .chain(0xc00..0xc20)
            .chain(0x1000..0x1200)
            .chain(0x2000..0x2060)
        {
            for flip in [0x01, 0xff] {
                let mut file = whole.clone();
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= flip;
                    harmless(&whole, &file);
                }
            }
        }
    }
}

fn harmless(old: &[u8], new: &[u8]) {
    if let Some((left, right)) = layouts(old, new) {
        check(&left, old);
        check(&right, new);
        let shape = |layout: &Layout| {
            let kinds = layout.regions.iter().map(|region| &region.kind);
            kinds
                .map(|kind| (std::mem::discriminant(kind), kind.probes().len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&left), shape(&right));
    }
    page_hashes(new);
}

proptest! {
    #[test]
    fn random_numbers_in_the_headers_do_no_harm(
        which in 0_usize..4,
        places in proptest::collection::vec((0_usize..0x400, any::<u32>()), 1..6),
    ) {
        let whole = [elf, pe, macho, universal][which]();
        let mut file = File(whole.clone());
        for (at, value) in places {
            file.u32s(at & !3, &[value]);
        }
        harmless(&whole, &file.0);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600), which in 0_usize..4) {
        let begin: &[u8] = [&b"\x7fELF\x02\x01"[..], b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02"][which];
        let file = [begin, &bytes].concat();
        harmless(&file, &file);
    }
}
