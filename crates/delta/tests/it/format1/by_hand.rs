//! A small good patch, and patches that are put together by hand, right or wrong.

use std::io::Cursor;

use moult_delta::format1::diff;
use moult_delta::{ApplyError, Fault, Limits, apply};
use sha2::{Digest as _, Sha256};

pub(crate) const OLD: &[u8] = b"0123456789";
pub(crate) const NEW: &[u8] = b"01234new56789";

pub(crate) fn good() -> Vec<u8> {
    let mut patch = Vec::new();
    diff(OLD, NEW, &mut patch).unwrap();
    patch
}

pub(crate) fn applied(patch: &[u8]) -> Result<Vec<u8>, ApplyError> {
    let mut out = Vec::new();
    apply(
        &mut Cursor::new(OLD),
        patch,
        &mut out,
        Limits::exactly(NEW.len() as u64),
    )
    .map(|_| out)
}

/// A header from `OLD` to a file of this length and hash.
pub(crate) fn header(new_bytes: u64, new: &[u8]) -> Vec<u8> {
    let mut bytes = b"MOULTPCH\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&(OLD.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(OLD));
    bytes.extend_from_slice(&new_bytes.to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(new));
    bytes
}

pub(crate) fn with_body(body: &[u8]) -> Vec<u8> {
    let mut patch = header(NEW.len() as u64, NEW);
    patch.extend(zstd::encode_all(body, 1).unwrap());
    patch
}

/// A block by hand: its four lengths, and whatever follows.
pub(crate) fn block(lengths: [u32; 4], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes: Vec<u8> = lengths.iter().flat_map(|length| length.to_le_bytes()).collect();
    for part in rest {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A block with one entry that carries `NEW` whole, after a seek and an add.
pub(crate) fn entry(seek: &[u8], add: &[u8], diff: usize) -> Vec<u8> {
    let control = [add, &[(NEW.len() - diff) as u8], seek].concat();
    let lengths = [1, control.len() as u32, diff as u32, (NEW.len() - diff) as u32];
    block(lengths, &[&control, &vec![0; diff], &NEW[diff..]])
}

pub(crate) fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub(crate) fn seek(by: i64) -> Vec<u8> {
    number((by.cast_unsigned() << 1) ^ (by >> 63).cast_unsigned())
}

pub(crate) fn fault(body: &[u8]) -> Fault {
    match applied(&with_body(body)) {
        Err(ApplyError::Block { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}
