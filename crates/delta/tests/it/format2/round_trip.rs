//! What goes in comes out: any two files, and programs of every format.

use std::collections::BTreeSet;

use moult_delta::{Checksum, contents, inspect};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{applied, made, patch, small_pairs};
use crate::programs::{Format, Noise, Program};

/// The most bytes of a patch that say what every patch says: format, files and lengths.
const FRAMING: u64 = 40;

fn round_trip(old: &[u8], new: &[u8]) {
    let made = patch(old, new);
    assert!(
        applied(old, &made, new.len()).unwrap() == new,
        "{} to {} bytes",
        old.len(),
        new.len()
    );
    let header = inspect(&made[..]).unwrap();
    assert_eq!(header.format, moult_delta::FORMAT);
    for (identity, file) in [(header.old, old), (header.new, new)] {
        assert_eq!(identity.bytes, file.len() as u64);
        assert_eq!(identity.checksum, Checksum::Crc32(crc32fast::hash(file)));
    }
    let contents = contents(&made[..]).unwrap();
    assert_eq!(
        contents.copied_bytes + contents.new_bytes + contents.hash_bytes,
        new.len() as u64
    );
    let framing = made.len() as u64 - contents.control_bytes - contents.body_bytes;
    assert!(
        contents.parts > 1 || framing <= FRAMING,
        "{framing} bytes of framing"
    );
}

#[test]
fn empty_identical_and_unrelated_files() {
    let big: Vec<u8> = (0_u32..3_000_000)
        .map(|at| (at % 251) as u8 ^ (at >> 12) as u8)
        .collect();
    let noise = Noise::new(7).bytes(300_000);
    let table: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"", b"n"),
        (b"", b"new"),
        (b"o", b""),
        (b"old", b""),
        (b"same", b"same"),
        (b"a", b"b"),
        (b"a", b"a"),
        (b"abc", b"abcabcabc"),
        (&[0; 5000], &[0; 6000]),
        (&[0; 5000], &[255; 6000]),
        (b"one byte more", b"one byte more."),
        (&big, &big),
        (&big[..1000], &big),
        (&big, &big[1_500_000..]),
        (&noise, &noise),
        (&noise[..150_000], &noise[150_000..]),
        (&[], &noise),
    ];
    for (old, new) in table {
        round_trip(old, new);
    }
}

#[test]
fn every_byte_of_a_patch_is_accounted_for() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let contents = contents(&made[..]).unwrap();
        let all = contents.framing_bytes + contents.control_bytes + contents.body_bytes;
        assert_eq!(all, made.len() as u64, "{name}");
    }
}

#[test]
fn identical_files_take_next_to_nothing() {
    let noise = Noise::new(8).bytes(1_000_000);
    let made = patch(&noise, &noise);
    assert!(made.len() < 100, "{} bytes", made.len());
}

#[test]
fn programs_of_every_format_are_recognised() {
    for format in Format::ALL {
        let old = Program::new(format, 1, 200);
        let new = old.next(2, 5, 5);
        let (old, new) = (old.link(), new.link());
        let (stats, made) = made(&old, &new);
        assert!(stats.executable, "{format:?}");
        round_trip(&old, &new);
        let contents = contents(&made[..]).unwrap();
        let kinds: BTreeSet<_> = contents.sections.iter().map(|section| section.kind).collect();
        let code = match format {
            Format::ElfX86 | Format::PeX86 => "x86-64 code",
            _ => "AArch64 code",
        };
        assert!(kinds.contains(code), "{format:?}: {kinds:?}");
        assert!(kinds.contains("words of data"), "{format:?}: {kinds:?}");
        assert_eq!(contents.hash_bytes > 0, format == Format::MachO, "{format:?}");
    }
}

#[test]
fn what_is_appended_to_a_program_is_not_its_own() {
    for format in [Format::ElfX86, Format::PeX86] {
        let program = Program::new(format, 1, 200).link();
        let appended = [&program[..], &vec![b'x'; 3 * program.len()]].concat();
        let (bare, _) = made(&program, &program);
        let (more, _) = made(&appended, &appended);
        assert!(bare.executable_bytes * 2 > bare.new_bytes, "{format:?}");
        assert_eq!(more.executable_bytes, bare.executable_bytes, "{format:?}");
    }
}

#[test]
fn moved_functions_cost_little() {
    for format in Format::ALL {
        let old = Program::new(format, 3, 500);
        let new = old.next(4, 3, 0);
        let (old, new) = (old.link(), new.link());
        let made = patch(&old, &new);
        // Nearly every call in them is another one; a hundredth is what knowing that brings.
        assert!(
            made.len() < new.len() / 50,
            "{format:?}: {} of {} bytes",
            made.len(),
            new.len()
        );
        assert!(applied(&old, &made, new.len()).unwrap() == new);
    }
}

#[test]
fn page_hashes_are_made_anew_only_if_they_are_right() {
    let old = Program::new(Format::MachO, 5, 400);
    let new = old.next(6, 2, 2);
    let (old, new) = (old.link(), new.link());
    let right = patch(&old, &new);
    let mut broken = new.clone();
    if let Some(last) = broken.last_mut() {
        *last ^= 1;
    }
    round_trip(&old, &broken);
    let wrong = patch(&old, &broken);
    assert_eq!(contents(&wrong[..]).unwrap().hash_bytes, 0);
    assert!(wrong.len() > right.len());
    // From a file without a signature, and to one.
    round_trip(b"none", &new);
    round_trip(&new, b"none");
}

#[test]
fn a_program_to_one_of_another_format() {
    let files: Vec<_> = Format::ALL
        .map(|format| Program::new(format, 7, 60).link())
        .into();
    for old in &files {
        for new in &files {
            round_trip(old, new);
        }
    }
}

#[test]
fn very_many_segments() {
    // Every 24 bytes from another place.
    let old = Noise::new(9).bytes(600_000);
    let mut noise = Noise::new(10);
    let new: Vec<u8> = (0..20_000)
        .flat_map(|_| {
            let at = noise.below(old.len() as u32 - 24) as usize;
            old[at..at + 24].to_vec()
        })
        .collect();
    let (stats, made) = made(&old, &new);
    assert!(stats.segments > 10_000, "{}", stats.segments);
    assert!(applied(&old, &made, new.len()).unwrap() == new);
}

/// An edit of a file: at a place, so many bytes are replaced by others.
fn edit(most: usize) -> impl Strategy<Value = (Index, usize, Vec<u8>)> {
    (any::<Index>(), 0..most, vec(any::<u8>(), 0..most))
}

fn edited(old: &[u8], edits: Vec<(Index, usize, Vec<u8>)>) -> Vec<u8> {
    let mut new = old.to_vec();
    for (at, removed, added) in edits {
        let at = at.index(new.len() + 1);
        let end = (at + removed).min(new.len());
        new.splice(at..end, added);
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_edits_of_any_file(old in vec(0_u8..8, 0..3000), edits in vec(edit(40), 0..8)) {
        let new = edited(&old, edits);
        round_trip(&old, &new);
    }

    #[test]
    fn any_edits_of_text(words in vec("[a-z]{1,8}[ ,.\n]", 0..400), edits in vec(edit(12), 0..6)) {
        let old = words.concat().into_bytes();
        let new = edited(&old, edits);
        round_trip(&old, &new);
    }

    #[test]
    fn any_two_files(old in vec(any::<u8>(), 0..500), new in vec(any::<u8>(), 0..500)) {
        round_trip(&old, &new);
    }

    #[test]
    fn any_release_of_any_program(
        format in select(Format::ALL.to_vec()),
        seed: u64,
        count in 1..120_usize,
        moved in 0..20_usize,
        changed in 0..20_usize,
        edits in vec(edit(9), 0..4),
    ) {
        let old = Program::new(format, seed, count);
        let new = old.next(seed, moved, changed).link();
        let old = old.link();
        // Edits of the file, its headers included: what no longer parses is data.
        round_trip(&old, &edited(&new, edits.clone()));
        round_trip(&edited(&old, edits), &new);
    }

    #[test]
    fn any_bytes_as_code(
        format in select(Format::ALL.to_vec()),
        seed: u64,
        flips in vec((any::<Index>(), any::<u8>()), 0..60),
    ) {
        let old = Program::new(format, seed, 40).link();
        let mut new = old.clone();
        for (at, byte) in flips {
            // Behind the headers.
            let at = 0x400 + at.index(new.len() - 0x400);
            new[at] = byte;
        }
        round_trip(&old, &new);
    }
}
