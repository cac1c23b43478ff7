//! Format 2.

mod damage;
mod files;
mod golden;
mod progress;
mod round_trip;

use std::io::Cursor;

use moult_delta::{Applied, ApplyError, DiffStats, Limits, apply, diff};
use sha2::{Digest as _, Sha256};

use crate::programs::{Format, Program};

/// A pair of files with a name.
type Named = (String, Vec<u8>, Vec<u8>);

fn made(old: &[u8], new: &[u8]) -> (DiffStats, Vec<u8>) {
    let mut patch = Vec::new();
    let stats = diff(old, new, &mut patch).unwrap();
    assert_eq!(stats.patch_bytes, patch.len() as u64);
    assert_eq!(
        (stats.old_bytes, stats.new_bytes),
        (old.len() as u64, new.len() as u64)
    );
    assert_eq!(stats.format, 2);
    (stats, patch)
}

fn patch(old: &[u8], new: &[u8]) -> Vec<u8> {
    made(old, new).1
}

fn applied(old: &[u8], patch: &[u8], new_bytes: usize) -> Result<Vec<u8>, ApplyError> {
    let mut out = Vec::new();
    let limits = Limits::exactly(new_bytes as u64);
    let Applied { bytes, sha256 } = apply(&mut Cursor::new(old), patch, &mut out, limits)?;
    assert_eq!(bytes, out.len() as u64);
    assert_eq!(sha256, <[u8; 32]>::from(Sha256::digest(&out)));
    Ok(out)
}

/// A little of everything, each with a patch of some 100 bytes.
fn small_pairs() -> Vec<Named> {
    let text = b"the quick brown fox jumps over the lazy dog. ".repeat(8);
    let mut edited = text.clone();
    edited.splice(100..103, *b"new words");
    let mut pairs = vec![
        ("text".into(), text.clone(), edited),
        ("to nothing".into(), text, Vec::new()),
        ("from nothing".into(), Vec::new(), b"all of this is new".to_vec()),
    ];
    for format in Format::ALL {
        let old = Program::new(format, 5, 20);
        let new = old.next(6, 1, 1);
        pairs.push((format!("{format:?}"), old.link(), new.link()));
    }
    pairs
}
