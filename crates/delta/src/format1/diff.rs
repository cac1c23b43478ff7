//! Making a patch: the bsdiff algorithm finds what is alike, blocks describe it, zstd packs it.
//! Refuses to know where the files come from.

use std::io::{self, Cursor, Write};

use sha2::{Digest as _, Sha256};

use super::block::{BlockWriter, MAX_OUTPUT};
use super::header::HEADER_BYTES;
use super::{Header, MAX_WINDOW_LOG};
use crate::{Checksum, DiffError, Identity, Limits, apply};

/// The level of zstd. Level 22 makes patches 0.3 % smaller and takes a quarter longer.
const LEVEL: i32 = 19;
/// The size of a control triple of the bsdiff algorithm.
const TRIPLE_BYTES: usize = 24;

/// Makes a patch that leads from `old` to `new`. The same input gives the same patch.
///
/// The patch is applied before it is written: what is written works. Runs on one thread and needs
/// about 17 bytes of memory for each old byte and 4 for each new one.
pub fn diff(old: &[u8], new: &[u8], out: &mut impl Write) -> Result<(), DiffError> {
    let patch = encode(old, new, MAX_OUTPUT)?;
    check(old, new, &patch)?;
    out.write_all(&patch).map_err(DiffError::Write)
}

fn encode(old: &[u8], new: &[u8], max_output: usize) -> Result<Vec<u8>, DiffError> {
    let body = describe(old, new, max_output)?;
    let header = Header {
        old: identity(old),
        new: identity(new),
    };
    let mut patch = Vec::with_capacity(HEADER_BYTES + body.len() / 4);
    patch.extend_from_slice(&header.encode());
    compress(&body, &mut patch).map_err(DiffError::Write)?;
    Ok(patch)
}

/// Describes the new file by the old one, in blocks.
fn describe(old: &[u8], new: &[u8], max_output: usize) -> Result<Vec<u8>, DiffError> {
    let mut writer = BlockWriter::new(max_output);
    if is_same_layout(old, new) {
        let differences: Vec<u8> = new
            .iter()
            .zip(old)
            .map(|(new, old)| new.wrapping_sub(*old))
            .collect();
        writer.push(0, &differences, &[]);
    } else {
        search(old, new, &mut writer)?;
    }
    Ok(writer.finish().0)
}

/// Whether the files have one length and at most one byte in a thousand differs, as two builds do
/// that differ in a number alone. A search could save little there and would take minutes.
fn is_same_layout(old: &[u8], new: &[u8]) -> bool {
    let differ = || old.iter().zip(new).filter(|(old, new)| old != new).count();
    old.len() == new.len() && differ() <= old.len() / 1000
}

/// Finds what is alike, and turns the algorithm's triples into entries. A triple moves in the old
/// file after its step, an entry before its own, so that a step that only moves needs no entry.
fn search(old: &[u8], new: &[u8], writer: &mut BlockWriter) -> Result<(), DiffError> {
    let mut found = Vec::new();
    bsdiff::diff(old, new, &mut found).map_err(DiffError::Write)?;
    let mut rest = &found[..];
    let mut seek = 0_i64;
    while let Some((triple, data)) = rest.split_first_chunk::<TRIPLE_BYTES>() {
        let [add, copy, then_seek] = numbers(triple);
        let add = usize::try_from(add).map_err(|_| DiffError::Engine)?;
        let copy = usize::try_from(copy).map_err(|_| DiffError::Engine)?;
        let (diff, data) = data.split_at_checked(add).ok_or(DiffError::Engine)?;
        let (extra, data) = data.split_at_checked(copy).ok_or(DiffError::Engine)?;
        if add + copy > 0 {
            writer.push(seek, diff, extra);
            seek = 0;
        }
        seek = seek.checked_add(then_seek).ok_or(DiffError::Engine)?;
        rest = data;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(DiffError::Engine)
    }
}

/// The three numbers of a triple: 63 bits and a sign each.
fn numbers(triple: &[u8; TRIPLE_BYTES]) -> [i64; 3] {
    let mut numbers = [0; 3];
    for (number, bytes) in numbers.iter_mut().zip(triple.as_chunks::<8>().0) {
        let bits = u64::from_le_bytes(*bytes);
        let size = (bits & (u64::MAX >> 1)).cast_signed();
        *number = if bits >> 63 == 1 { -size } else { size };
    }
    numbers
}

fn compress(body: &[u8], patch: &mut Vec<u8>) -> io::Result<()> {
    // A window that is larger than the body would only cost memory where the patch is applied.
    let window = (body.len() as u64)
        .next_power_of_two()
        .ilog2()
        .clamp(10, MAX_WINDOW_LOG);
    let mut encoder = zstd::Encoder::new(patch, LEVEL)?;
    encoder.window_log(window)?;
    encoder.long_distance_matching(true)?;
    encoder.set_pledged_src_size(Some(body.len() as u64))?;
    encoder.write_all(body)?;
    encoder.finish()?;
    Ok(())
}

fn check(old: &[u8], new: &[u8], patch: &[u8]) -> Result<(), DiffError> {
    let limits = Limits {
        output_bytes: new.len() as u64,
        patch_bytes: patch.len() as u64,
    };
    apply(&mut Cursor::new(old), patch, &mut io::sink(), limits)
        .map(|_| ())
        .map_err(|error| DiffError::SelfCheck(Box::new(error)))
}

fn identity(file: &[u8]) -> Identity {
    Identity {
        bytes: file.len() as u64,
        checksum: Checksum::Sha256(Sha256::digest(file).into()),
    }
}

#[cfg(test)]
#[path = "golden.rs"]
mod golden;
