//! Patches that were made by somebody who means harm: each is refused by its own error, before
//! anything is read, written or allocated by what it says.
//!
//! They are made with the encoder's own parts, which say whatever they are told to.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::{self, Cursor, Write};
use std::process::Command;

use super::body::{Body, Part};
use super::control::Control;
use super::hashes::{self, HashTable, MAX_PAGES};
use super::layouts::{self, MAX_REGIONS, MAX_SPANS};
use super::range::{Coder, Encoder};
use super::*;
use crate::layout::{Form, Kind, Layout, Probe, Region, Span};
use crate::preamble::put_number;
use crate::{ApplyError, Checksum, Identity, Limits, PartFault, apply};

const OLD: &[u8] = b"0123456789";
const NEW_BYTES: u32 = 13;

/// A part: the bytes it gives, its control and its body.
type Crafted = (u32, Vec<u8>, Vec<u8>);

fn segment(new: u32, old: u32, length: u32) -> Segment {
    Segment { new, old, length }
}

/// A patch from `OLD` to a file of this length.
fn patch(new_bytes: u32, parts: &[Crafted]) -> Vec<u8> {
    patch_from(OLD, new_bytes, parts)
}

fn patch_from(old: &[u8], new_bytes: u32, parts: &[Crafted]) -> Vec<u8> {
    let identity = |bytes, crc32| Identity {
        bytes,
        checksum: Checksum::Crc32(crc32),
    };
    let header = Header {
        old: identity(old.len() as u64, crc32fast::hash(old)),
        new: identity(new_bytes.into(), 0),
    };
    let mut patch = header.encode();
    for (length, control, body) in parts {
        for number in [*length, control.len() as u32, body.len() as u32] {
            put_number(&mut patch, number);
        }
        patch.extend_from_slice(control);
        patch.extend_from_slice(body);
    }
    patch
}

/// The control of a first part, without layouts.
fn control(segments: &[Segment]) -> Vec<u8> {
    control_with(&Layout::default(), &Layout::default(), &[], segments)
}

fn control_with(old: &Layout, new: &Layout, tables: &[HashTable], segments: &[Segment]) -> Vec<u8> {
    let mut coder = Encoder::new();
    layouts::layouts(&mut coder, old, new);
    hashes::tables(&mut coder, tables);
    coder.raw(segments.len() as u32, 18);
    let mut model = Control::new();
    for segment in segments {
        model.segment(&mut coder, *segment);
    }
    coder.finish()
}

/// Counts what is written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What comes of a patch from `OLD`, and how many bytes were written until then.
fn applied(patch: &[u8], new_bytes: u32) -> (Result<(), ApplyError>, u64) {
    let limits = Limits {
        output_bytes: new_bytes.into(),
        patch_bytes: 1 << 30,
    };
    let mut out = Counted(0);
    let result = apply(&mut Cursor::new(OLD), patch, &mut out, limits);
    // Who looks into a patch without its old file gets no further.
    let looked = contents(patch);
    if let (Err(ApplyError::Part { fault, .. }), Err(ApplyError::Part { fault: seen, .. })) =
        (&result, &looked)
    {
        assert_eq!(fault, seen);
    }
    (result.map(|_| ()), out.0)
}

fn fault(control: Vec<u8>) -> PartFault {
    let bad = patch(NEW_BYTES, &[(NEW_BYTES, control, vec![0; 100])]);
    let (result, written) = applied(&bad, NEW_BYTES);
    assert_eq!(written, 0, "{result:?}");
    match result {
        Err(ApplyError::Part { part: 0, fault }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_segment_is_taken() {
    let body = vec![0; 100];
    let good = patch(NEW_BYTES, &[(NEW_BYTES, control(&[segment(3, 0, 10)]), body)]);
    // The body is nonsense: what is refused is that, not the segment.
    assert_eq!(contents(&good[..]).unwrap().copied_bytes, 10);
}

#[test]
fn a_negative_length_is_refused() {
    // CVE-2014-9862: a length with its sign bit set passed the check and moved the pointer back.
    for length in [1 << 31, (1 << 31) + 5, u32::MAX, u32::MAX - 12, i32::MIN as u32] {
        assert_eq!(
            fault(control(&[segment(0, 0, length)])),
            PartFault::OutsideNew,
            "{length:#x}"
        );
        assert_eq!(
            fault(control(&[segment(13, 10, length)])),
            PartFault::OutsideNew,
            "{length:#x}"
        );
    }
}

#[test]
fn lengths_whose_sum_overflows_are_refused() {
    // CVE-2020-14315: the check of a sum that had wrapped around.
    let table = [
        (segment(u32::MAX, 0, 2), PartFault::OutsideNew),
        (segment(8, 0, u32::MAX - 6), PartFault::OutsideNew),
        (segment(0, u32::MAX, 2), PartFault::OutsideOld),
        (segment(0, u32::MAX - 5, 10), PartFault::OutsideOld),
        (segment(0, u32::MAX - 9, 10), PartFault::OutsideOld),
    ];
    for (segment, expected) in table {
        assert_eq!(fault(control(&[segment])), expected, "{segment:?}");
    }
    // The second goes on where the sum of the first has wrapped around.
    let twice = [segment(0, 0, 4), segment(4_u32.wrapping_sub(8), 0, 12)];
    assert_eq!(fault(control(&twice)), PartFault::OutsideNew);
}

#[test]
fn reads_outside_of_the_old_file_are_refused() {
    let table = [
        ("before its beginning", segment(0, 0_u32.wrapping_sub(1), 5)),
        ("far before it", segment(0, 1 << 31, 5)),
        ("over its end", segment(0, 6, 5)),
        ("at its end", segment(0, 10, 1)),
        ("behind its end", segment(0, 11, 1)),
        ("all of it and more", segment(0, 0, 11)),
    ];
    for (what, segment) in table {
        assert_eq!(fault(control(&[segment])), PartFault::OutsideOld, "{what}");
        let second = Segment { new: 2, ..segment };
        let first = Segment {
            new: 0,
            old: 3,
            length: 2,
        };
        assert_eq!(fault(control(&[first, second])), PartFault::OutsideOld, "{what}");
    }
}

#[test]
fn writes_outside_of_the_new_file_are_refused() {
    let table = [
        ("over its end", segment(4, 0, 10)),
        ("at its end", segment(13, 0, 1)),
        ("behind its end", segment(14, 0, 1)),
        ("before its beginning", segment(u32::MAX, 0, 5)),
        ("nothing", segment(4, 0, 0)),
    ];
    for (what, segment) in table {
        assert_eq!(fault(control(&[segment])), PartFault::OutsideNew, "{what}");
    }
    let back = [segment(4, 0, 4), segment(7, 0, 4)];
    assert_eq!(
        fault(control(&back)),
        PartFault::OutsideNew,
        "before the end of the last"
    );
}

#[test]
fn a_segment_over_the_end_of_its_part_is_refused() {
    let parts = [(6, control(&[segment(0, 0, 7)]), vec![0; 50])];
    let (result, _) = applied(&patch(NEW_BYTES, &parts), NEW_BYTES);
    let fault = PartFault::OutsideNew;
    assert!(matches!(result, Err(ApplyError::Part { part: 0, fault: found }) if found == fault));
}

#[test]
fn parts_that_give_nothing_or_too_much_are_refused() {
    for length in [0, NEW_BYTES + 1, 1 << 31, u32::MAX] {
        let (result, _) = applied(
            &patch(NEW_BYTES, &[(length, control(&[]), vec![0; 50])]),
            NEW_BYTES,
        );
        assert!(
            matches!(
                result,
                Err(ApplyError::Part {
                    part: 0,
                    fault: PartFault::Length
                })
            ),
            "{length}: {result:?}"
        );
    }
}

#[test]
fn more_segments_than_a_part_may_have_are_refused() {
    for count in [MAX_SEGMENTS as u32 + 1, (1 << 18) - 1] {
        let mut coder = Encoder::new();
        layouts::layouts(&mut coder, &Layout::default(), &Layout::default());
        hashes::tables(&mut coder, &[]);
        coder.raw(count, 18);
        assert_eq!(fault(coder.finish()), PartFault::Segments, "{count}");
    }
}

#[test]
fn numbers_of_the_framing_have_one_form() {
    let good = patch(NEW_BYTES, &[(NEW_BYTES, control(&[]), vec![0; 50])]);
    let header = good.len() - 1 - 1 - 1 - 50 - control(&[]).len();
    let long: [&[u8]; 4] = [
        &[0x8d, 0],
        &[0x80, 0x80, 0x80, 0x80, 0x10],
        &[0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x80; 9],
    ];
    for number in long {
        let bad = [&good[..header], number, &good[header + 1..]].concat();
        let (result, _) = applied(&bad, NEW_BYTES);
        assert!(
            matches!(result, Err(ApplyError::Number)),
            "{number:x?}: {result:?}"
        );
    }
}

#[test]
fn a_rest_of_control_or_body_is_refused() {
    let longer = [control(&[]), vec![7; 40]].concat();
    assert_eq!(fault(longer), PartFault::Rest);
    let new = *b"a new file...";
    let (control, body) = (control(&[]), body(&new, 0));
    let (good, _) = applied(
        &patch(NEW_BYTES, &[(NEW_BYTES, control.clone(), body.clone())]),
        NEW_BYTES,
    );
    // The checksum in the header is none of it: everything before is right.
    assert!(matches!(good, Err(ApplyError::WrongResult { .. })), "{good:?}");
    let longer = [body, vec![7; 40]].concat();
    let (result, _) = applied(&patch(NEW_BYTES, &[(NEW_BYTES, control, longer)]), NEW_BYTES);
    assert!(
        matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::Rest,
                ..
            })
        ),
        "{result:?}"
    );
}

/// The body of a part that makes all of `new` from nothing, with this instead of its own check.
fn body(new: &[u8], check: u32) -> Vec<u8> {
    let none = Layout::default();
    let mut coder = Encoder::new();
    let mut body = Body::new(&none, &none, Vec::new(), literal_bits(new.len() as u32));
    let mut old = OldFile::new(Cursor::new(OLD), OLD.len() as u32, none.clone());
    let projection = Projection::new(&[], &none, &none);
    let part = Part {
        segments: &[],
        projection: &projection,
        end: new.len() as u32,
        truth: new,
    };
    body.part(&mut coder, &mut old, part, &mut io::sink()).unwrap();
    coder.raw(check, 16);
    coder.finish()
}

#[test]
fn a_patch_made_with_other_references_is_refused() {
    let new = *b"a new file...";
    let (result, _) = applied(
        &patch(NEW_BYTES, &[(NEW_BYTES, control(&[]), body(&new, 1))]),
        NEW_BYTES,
    );
    assert!(
        matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::References,
                ..
            })
        ),
        "{result:?}"
    );
}

fn layout(spans: &[(u32, u32, u32)], regions: Vec<Region>) -> Layout {
    let span = |(offset, length, address): &(u32, u32, u32)| Span {
        offset: *offset,
        length: *length,
        address: *address,
    };
    Layout {
        spans: spans.iter().map(span).collect(),
        regions,
    }
}

fn region(offset: u32, length: u32, kind: Kind) -> Region {
    Region { offset, length, kind }
}

#[test]
fn layouts_outside_of_their_files_are_refused() {
    let code = |offset, length| vec![region(offset, length, Kind::X86_64)];
    let word = |probe| vec![region(0, 8, Kind::Words(vec![probe]))];
    let wide = |bits| Form::Absolute64 { base: 0, bits };
    let whole = [(0, 10, 0)];
    let table = [
        ("a span behind the end", layout(&[(5, 6, 0)], vec![])),
        ("a span whose end overflows", layout(&[(5, u32::MAX, 0)], vec![])),
        ("an address that overflows", layout(&[(0, 5, u32::MAX)], vec![])),
        ("spans that overlap", layout(&[(0, 5, 0), (4, 2, 100)], vec![])),
        (
            "spans that are not sorted",
            layout(&[(5, 1, 0), (0, 2, 100)], vec![]),
        ),
        ("a region behind the end", layout(&whole, code(5, 6))),
        ("a region whose end overflows", layout(&whole, code(5, u32::MAX))),
        (
            "regions that overlap",
            layout(&whole, [code(0, 5), code(4, 2)].concat()),
        ),
        (
            "a stride of nothing",
            layout(
                &whole,
                word(Probe {
                    stride: 0,
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "an alignment beyond all",
            layout(
                &whole,
                word(Probe {
                    align: 32,
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "a word that is too narrow",
            layout(
                &whole,
                word(Probe {
                    form: wide(31),
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "a word that is too wide",
            layout(
                &whole,
                word(Probe {
                    form: wide(65),
                    ..Probe::NONE
                }),
            ),
        ),
    ];
    let good = layout(&whole, word(Probe::NONE));
    for (what, bad) in table {
        let old = control_with(&bad, &bad, &[], &[]);
        assert_eq!(fault(old), PartFault::Layout, "{what}");
    }
    // The new one alone: its places are its own.
    for (what, bad) in [
        (
            "a span behind the end",
            layout(&[(5, 9, 0)], good.regions.clone()),
        ),
        (
            "a region behind the end",
            layout(&whole, vec![region(9, 8, good.regions[0].kind.clone())]),
        ),
    ] {
        assert_eq!(
            fault(control_with(&good, &bad, &[], &[])),
            PartFault::Layout,
            "{what}"
        );
    }
}

#[test]
fn numbers_of_a_layout_beyond_the_limits_allocate_nothing() {
    // A list that says it is longer than may be is cut there: the rest is read as something else.
    let spans = vec![(0, 0, 0); MAX_SPANS + 1];
    let regions = vec![region(0, 0, Kind::X86_64); MAX_REGIONS + 1];
    let probes = vec![Probe::NONE; layouts::MAX_PROBES + 1];
    for bad in [
        layout(&spans, vec![]),
        layout(&[(0, 10, 0)], regions),
        layout(&[(0, 10, 0)], vec![region(0, 8, Kind::Words(probes))]),
    ] {
        let bad = patch(
            NEW_BYTES,
            &[(NEW_BYTES, control_with(&bad, &bad, &[], &[]), vec![0; 50])],
        );
        assert!(applied(&bad, NEW_BYTES).0.is_err());
    }
}

#[test]
fn page_hashes_outside_of_the_new_file_are_refused() {
    let new_bytes = 100_000;
    let table = |begin, covered, page_bits, at| HashTable {
        begin,
        covered,
        page_bits,
        at,
    };
    let good = table(0, 0x5000, 12, 0x6000);
    assert!(hashes::are_sound(&[good], new_bytes));
    let bad = [
        ("nothing hashed", vec![table(0, 0, 12, 0x6000)]),
        ("pages too small", vec![table(0, 0x5000, 11, 0x6000)]),
        ("pages too large", vec![table(0, 0x5000, 17, 0x6000)]),
        ("pages beyond all", vec![table(0, 0x5000, 32, 0x6000)]),
        ("before their pages", vec![table(0, 0x7000, 12, 0x6000)]),
        ("a sum that overflows", vec![table(0x6000, u32::MAX, 12, 0x5fff)]),
        ("over the end", vec![table(0, 0x5000, 12, 99_999)]),
        ("behind the end", vec![table(0, 0x5000, 12, u32::MAX)]),
        ("more pages than may be", vec![table(0, u32::MAX, 12, u32::MAX)]),
        ("twice", vec![good, good]),
        ("over one another", vec![good, table(0x6010, 0x1000, 12, 0x8000)]),
    ];
    for (what, tables) in bad {
        let none = Layout::default();
        let control = control_with(&none, &none, &tables, &[]);
        let (result, written) = applied(&patch(new_bytes, &[(new_bytes, control, vec![0; 50])]), new_bytes);
        assert!(
            matches!(
                result,
                Err(ApplyError::Part {
                    fault: PartFault::Hashes,
                    ..
                })
            ),
            "{what}: {result:?}"
        );
        assert_eq!(written, 0);
    }
    const { assert!(MAX_PAGES * hashes::HASH_BYTES <= 2 << 20) };
}

#[test]
fn segments_and_parts_that_cut_page_hashes_are_refused() {
    let new_bytes = 100_000;
    let table = HashTable {
        begin: 0,
        covered: 0x5000,
        page_bits: 12,
        at: 0x6000,
    };
    let none = Layout::default();
    // The hashes are in 0x6000..0x60a0.
    for (segment, refused) in [
        (segment(0x5ffa, 0, 6), false),
        (segment(0x5ffa, 0, 7), true),
        (segment(0x6010, 0, 5), true),
        (segment(0x609f, 0, 2), true),
        (segment(0x60a0, 0, 5), false),
    ] {
        let control = control_with(&none, &none, &[table], &[segment]);
        let (result, _) = applied(&patch(new_bytes, &[(new_bytes, control, vec![0; 50])]), new_bytes);
        let found = matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::OutsideNew,
                ..
            })
        );
        assert_eq!(found, refused, "{segment:?}: {result:?}");
    }
    for (end, refused) in [(0x6000, false), (0x6001, true), (0x609f, true), (0x60a0, false)] {
        let control = control_with(&none, &none, &[table], &[]);
        let (result, _) = applied(&patch(new_bytes, &[(end, control, vec![0; 50])]), new_bytes);
        let found = matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::Hashes,
                ..
            })
        );
        assert_eq!(found, refused, "{end:#x}: {result:?}");
    }
}

/// Patches of a few bytes that claim 4 GiB.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let all = u32::MAX;
    let copies: Vec<_> = (0..1000).map(|at| segment(at * 20, 0, 10)).collect();
    let zeros = control(&[]);
    let mut patches: Vec<_> = [&[][..], &[0; 5], &[0xff; 5], &[0x80, 1, 2, 3, 4], &[0x55; 30]]
        .into_iter()
        .map(|body| {
            (
                "a body that ends",
                patch(all, &[(all, zeros.clone(), body.to_vec())]),
            )
        })
        .collect();
    patches.push(("copies", patch(all, &[(all, control(&copies), vec![0; 20])])));
    patches.push(("no control at all", patch(all, &[(all, vec![], vec![])])));
    let mut announced = patch(all, &[]);
    for number in [all, all, all] {
        put_number(&mut announced, number);
    }
    patches.push(("streams that are announced", announced.clone()));
    announced.extend_from_slice(&control(&[]));
    patches.push(("streams that are not there", announced));
    let mut bodyless = patch(all, &[]);
    for number in [all, zeros.len() as u32, all] {
        put_number(&mut bodyless, number);
    }
    patches.push(("a body that is announced", [bodyless, zeros].concat()));
    patches
}

#[test]
fn a_small_patch_that_claims_much_ends_early() {
    for (what, bomb) in bombs() {
        let (result, written) = applied(&bomb, u32::MAX);
        assert!(
            matches!(result, Err(ApplyError::Truncated | ApplyError::Part { .. })),
            "{what}: {result:?}"
        );
        assert!(written < 32 << 20, "{what}: {written} bytes were written");
    }
}

/// Segments of one byte, alike, so that they cost next to nothing: as many parts of as many as there
/// may be.
fn crowd() -> Vec<u8> {
    let count = MAX_SEGMENTS as u32;
    let mut model = Control::new();
    let parts: Vec<_> = (0..40)
        .map(|part| {
            let mut coder = Encoder::new();
            if part == 0 {
                layouts::layouts(&mut coder, &Layout::default(), &Layout::default());
                hashes::tables(&mut coder, &[]);
            }
            coder.raw(count, 18);
            for at in 0..count {
                model.segment(&mut coder, segment(part * count + at, 3, 1));
            }
            (count, coder.finish(), Vec::new())
        })
        .collect();
    patch(40 * count, &parts)
}

#[test]
#[ignore = "run by the test below, with little memory"]
fn hostile_patches_are_applied() {
    let limits = |output_bytes| Limits {
        output_bytes,
        patch_bytes: 1 << 30,
    };
    for (what, bomb) in bombs() {
        let all = limits(u32::MAX.into());
        let result = apply(&mut Cursor::new(OLD), &bomb[..], &mut io::sink(), all);
        assert!(result.is_err(), "{what}");
    }
    let crowd = crowd();
    assert!(crowd.len() < 50_000);
    let limits = limits(40 * MAX_SEGMENTS as u64);
    assert!(apply(&mut Cursor::new(OLD), &crowd[..], &mut io::sink(), limits).is_err());
}

#[test]
#[ignore = "run by the test below, with little memory"]
fn hostile_patches_are_looked_into() {
    for (_, bomb) in bombs() {
        // The bodies are passed over, so some of them look good.
        let _ = contents(&bomb[..]);
    }
    assert_eq!(contents(&crowd()[..]).unwrap().segments, 40 * MAX_SEGMENTS as u64);
}

/// Runs a test of this file in a process that may have 32 MiB.
#[cfg(target_os = "linux")]
fn with_little_memory(test: &str) {
    let this = std::env::current_exe().unwrap();
    let run = "ulimit -d 32768 && exec \"$0\" --test-threads 1 --ignored --exact \"$1\"";
    let output = Command::new("sh")
        .args(["-c", run])
        .env("RUST_BACKTRACE", "0")
        .arg(this)
        .arg(format!("format2::hazards::{test}"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}{failed}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn no_number_of_a_patch_decides_how_much_is_allocated_to_apply_it() {
    with_little_memory("hostile_patches_are_applied");
}

#[test]
#[cfg(target_os = "linux")]
fn no_number_of_a_patch_decides_how_much_is_allocated_to_look_into_it() {
    with_little_memory("hostile_patches_are_looked_into");
}
