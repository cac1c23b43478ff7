//! The first 10 bytes of every patch: a magic number and the number of its format.

use std::io::{self, Read};

use crate::ApplyError;

/// How every patch begins.
pub(crate) const MAGIC: [u8; 8] = *b"MOULTPCH";

/// Reads the magic number, and gives the number of the format.
pub(crate) fn read(patch: &mut impl Read) -> Result<u16, ApplyError> {
    let magic: [u8; 8] = take(patch)?;
    if magic != MAGIC {
        return Err(ApplyError::Magic);
    }
    Ok(u16::from_le_bytes(take(patch)?))
}

/// Reads so many bytes.
pub(crate) fn take<const N: usize>(patch: &mut impl Read) -> Result<[u8; N], ApplyError> {
    let mut bytes = [0; N];
    match patch.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ApplyError::Truncated),
        Err(error) => Err(ApplyError::Patch(error)),
    }
}

/// Reads a number of 7 bits in each byte, the lowest first (LEB128), in its shortest form and below
/// 2^32.
pub(crate) fn take_number(patch: &mut impl Read) -> Result<u32, ApplyError> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let [byte] = take(patch)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let shortest = byte != 0 || shift == 0;
            return u32::try_from(number)
                .ok()
                .filter(|_| shortest)
                .ok_or(ApplyError::Number);
        }
    }
    Err(ApplyError::Number)
}

/// Writes such a number.
#[cfg(feature = "diff")]
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
