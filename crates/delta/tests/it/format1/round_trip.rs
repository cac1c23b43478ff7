//! What goes in comes out: any two files, by our decoder, in any way of reading and writing.

use std::io::Cursor;

use moult_delta::format1::{FORMAT, diff};
use moult_delta::{Applied, ApplyError, Checksum, Limits, apply, inspect};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::files::Drip;

fn patch(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut patch = Vec::new();
    diff(old, new, &mut patch).unwrap();
    patch
}

fn applied(old: &[u8], patch: &[u8], new_bytes: usize) -> Result<Vec<u8>, ApplyError> {
    let mut out = Vec::new();
    let Applied { bytes, sha256 } = apply(
        &mut Cursor::new(old),
        patch,
        &mut out,
        Limits::exactly(new_bytes as u64),
    )?;
    assert_eq!(bytes, out.len() as u64);
    assert_eq!(sha256, <[u8; 32]>::from(Sha256::digest(&out)));
    Ok(out)
}

#[test]
fn empty_identical_and_unrelated_files() {
    let big: Vec<u8> = (0_u32..6_000_000)
        .map(|at| (at % 251) as u8 ^ (at >> 12) as u8)
        .collect();
    let table: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"", b"new"),
        (b"old", b""),
        (b"same", b"same"),
        (b"a", b"b"),
        (b"abc", b"abcabcabc"),
        (&[0; 5000], &[0; 6000]),
        (b"one byte more", b"one byte more."),
        // More than one block.
        (&big, &big),
        (&big[..1000], &big),
        (&big, &big[3_000_000..]),
    ];
    for (old, new) in table {
        let made = patch(old, new);
        assert!(
            applied(old, &made, new.len()).unwrap() == *new,
            "{} to {} bytes",
            old.len(),
            new.len()
        );
        let header = inspect(&made[..]).unwrap();
        assert_eq!(
            (header.old.bytes, header.new.bytes),
            (old.len() as u64, new.len() as u64)
        );
        assert_eq!(header.format, FORMAT);
        assert_eq!(header.new.checksum, Checksum::Sha256(Sha256::digest(new).into()));
    }
}

#[test]
fn the_same_files_give_the_same_patch() {
    let (old, new) = (b"the quick brown fox".repeat(50), b"the quick red fox".repeat(60));
    assert_eq!(patch(&old, &new), patch(&old, &new));
}

#[test]
fn a_patch_can_be_read_and_written_in_drips() {
    let (old, new) = (b"the quick brown fox".repeat(5), b"the quick red fox".repeat(6));
    let made = patch(&old, &new);
    let mut out = Drip::new(Vec::new());
    apply(
        &mut Drip::new(Cursor::new(&old)),
        Drip::new(&made[..]),
        &mut out,
        Limits::exactly(new.len() as u64),
    )
    .unwrap();
    assert_eq!(out.into_inner(), new);
}

#[test]
fn where_the_old_file_stands_does_not_matter() {
    let made = patch(b"old bytes", b"new bytes");
    let mut old = Cursor::new(b"old bytes");
    old.set_position(5);
    let mut out = Vec::new();
    apply(&mut old, &made[..], &mut out, Limits::exactly(9)).unwrap();
    assert_eq!(out, b"new bytes");
}

#[test]
fn files_of_one_layout_are_described_directly() {
    let old: Vec<u8> = (0_u32..1_000_000)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut new = old.clone();
    new.iter_mut().step_by(1000).for_each(|byte| *byte ^= 1);
    let mut made = Vec::new();
    diff(&old, &new, &mut made).unwrap();
    assert!(made.len() < 2000, "{} bytes", made.len());
    assert!(applied(&old, &made, new.len()).unwrap() == new);
}

/// An edit of a file: at a place, so many bytes are replaced by others.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    (
        any::<prop::sample::Index>(),
        0_usize..40,
        prop::collection::vec(any::<u8>(), 0..40),
    )
}

proptest! {
    #[test]
    fn any_edits_of_any_file(
        old in prop::collection::vec(0_u8..8, 0..2000),
        edits in prop::collection::vec(edit(), 0..8),
    ) {
        let mut new = old.clone();
        for (at, removed, added) in edits {
            let at = at.index(new.len() + 1);
            let end = (at + removed).min(new.len());
            new.splice(at..end, added);
        }
        let made = patch(&old, &new);
        prop_assert_eq!(applied(&old, &made, new.len()).unwrap(), new);
    }

    #[test]
    fn any_two_files(
        old in prop::collection::vec(any::<u8>(), 0..500),
        new in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let made = patch(&old, &new);
        prop_assert_eq!(applied(&old, &made, new.len()).unwrap(), new);
    }
}
