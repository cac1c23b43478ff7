//! Patches that were damaged or mistaken, and files that fail.

use std::io::{self, Cursor, Read as _};

use moult_delta::format1::diff;
use moult_delta::{ApplyError, Limits, apply};

use crate::files::Broken;

use super::by_hand::{NEW, OLD, applied, entry, good, header, seek, with_body};

#[test]
fn every_truncation_is_refused() {
    let patch = good();
    for length in 0..patch.len() {
        let result = applied(&patch[..length]);
        assert!(
            matches!(result, Err(ApplyError::Truncated)),
            "cut at {length}: {result:?}"
        );
    }
}

#[test]
fn every_truncation_of_a_patch_to_nothing_is_refused() {
    let mut patch = Vec::new();
    diff(OLD, b"", &mut patch).unwrap();
    for length in 0..patch.len() {
        let result = apply(
            &mut Cursor::new(OLD),
            &patch[..length],
            &mut io::sink(),
            Limits::exactly(0),
        );
        assert!(
            matches!(result, Err(ApplyError::Truncated)),
            "cut at {length}: {result:?}"
        );
    }
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    let patch = good();
    let mut harmless = 0;
    for at in 0..patch.len() {
        for bit in 0..8 {
            let mut bad = patch.clone();
            bad[at] ^= 1 << bit;
            if let Ok(out) = applied(&bad) {
                assert_eq!(out, NEW, "bit {bit} of byte {at}");
                harmless += 1;
            }
        }
    }
    assert!(harmless < 8, "{harmless} flips went unnoticed");
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut patch = good();
    patch.push(0);
    assert!(matches!(applied(&patch), Err(ApplyError::Trailing)));
    // A second frame, and content after the last block.
    let twice = [good(), zstd::encode_all(&b""[..], 1).unwrap()].concat();
    assert!(matches!(applied(&twice), Err(ApplyError::Trailing)));
    let body = [entry(&seek(0), &[0], 0), vec![0]].concat();
    assert!(matches!(applied(&with_body(&body)), Err(ApplyError::Trailing)));
}

#[test]
fn a_wrong_base_is_its_own_error_before_anything_is_written() {
    let patch = good();
    for base in [&b"012345678X"[..], b"", b"01234567890", NEW] {
        let mut out = Vec::new();
        let result = apply(&mut Cursor::new(base), &patch[..], &mut out, Limits::exactly(13));
        assert!(
            matches!(result, Err(ApplyError::WrongBase { .. })),
            "{base:?}: {result:?}"
        );
        assert!(out.is_empty());
    }
}

#[test]
fn another_magic_format_or_flag_is_its_own_error() {
    let with = |at: usize, byte: u8| {
        let mut patch = good();
        patch[at] = byte;
        applied(&patch)
    };
    assert!(matches!(with(0, b'X'), Err(ApplyError::Magic)));
    assert!(matches!(with(8, 3), Err(ApplyError::Format(3))));
    assert!(matches!(with(9, 1), Err(ApplyError::Format(0x101))));
    assert!(matches!(with(10, 1), Err(ApplyError::Flags(1))));
}

#[test]
fn a_result_of_another_length_than_asked_for_is_refused_first() {
    let mut out = Vec::new();
    let result = apply(&mut Cursor::new(OLD), &good()[..], &mut out, Limits::exactly(12));
    assert!(
        matches!(
            result,
            Err(ApplyError::OutputLength {
                announced: 13,
                expected: 12
            })
        ),
        "{result:?}"
    );
    assert!(out.is_empty());
}

#[test]
fn a_result_with_another_hash_than_announced_is_refused() {
    let mut patch = header(NEW.len() as u64, b"something else");
    patch.extend(zstd::encode_all(&entry(&seek(0), &[0], 0)[..], 1).unwrap());
    assert!(matches!(applied(&patch), Err(ApplyError::WrongResult { .. })));
}

#[test]
fn a_patch_of_exactly_its_limit_is_applied() {
    let patch = good();
    let mut limits = Limits {
        output_bytes: NEW.len() as u64,
        patch_bytes: patch.len() as u64,
    };
    assert!(apply(&mut Cursor::new(OLD), &patch[..], &mut io::sink(), limits).is_ok());
    limits.patch_bytes -= 1;
    let result = apply(&mut Cursor::new(OLD), &patch[..], &mut io::sink(), limits);
    assert!(matches!(result, Err(ApplyError::TooLong(_))), "{result:?}");
}

#[test]
fn each_file_that_fails_is_named() {
    let (patch, limits) = (good(), Limits::exactly(NEW.len() as u64));
    let old = apply(&mut Broken, &patch[..], &mut io::sink(), limits);
    assert!(matches!(old, Err(ApplyError::Old(_))), "{old:?}");
    let new = apply(&mut Cursor::new(OLD), &patch[..], &mut Broken, limits);
    assert!(matches!(new, Err(ApplyError::New(_))), "{new:?}");
    for length in [0, 50, 95, 100, patch.len() - 1] {
        let broken = (&patch[..length]).chain(Broken);
        let read = apply(&mut Cursor::new(OLD), broken, &mut io::sink(), limits);
        assert!(matches!(read, Err(ApplyError::Patch(_))), "{length}: {read:?}");
    }
    assert!(diff(OLD, NEW, &mut Broken).is_err());
}
