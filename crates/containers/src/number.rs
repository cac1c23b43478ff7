//! Numbers of 7 bits in each byte, the lowest first. Refuses to know what is counted.

use crate::Fault;

/// The most bytes of a number.
pub(crate) const MAX_BYTES: usize = 9;

/// Appends a number.
#[cfg(feature = "diff")]
pub(crate) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front.
pub(crate) fn take(input: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = take_byte(input)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // There is one way to write a number, so that two readers never differ.
            let is_shortest = byte != 0 || shift == 0;
            return is_shortest.then_some(number).ok_or(Fault::Number);
        }
    }
    Err(Fault::Number)
}

/// Takes a byte off the front.
pub(crate) fn take_byte(input: &mut &[u8]) -> Result<u8, Fault> {
    let (byte, rest) = input.split_first().ok_or(Fault::Number)?;
    *input = rest;
    Ok(*byte)
}

#[cfg(all(test, feature = "diff"))]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for number in [0, 1, 127, 128, 300, 1 << 30, (1 << 63) - 1] {
            let mut bytes = Vec::new();
            write(&mut bytes, number);
            let mut rest = &bytes[..];
            assert_eq!((take(&mut rest), rest.len()), (Ok(number), 0));
        }
    }

    #[test]
    fn a_number_without_an_end_or_with_a_rest_is_refused() {
        assert_eq!(take(&mut &[0x80_u8; 3][..]), Err(Fault::Number));
        assert_eq!(take(&mut &[0x80_u8; 20][..]), Err(Fault::Number));
        assert_eq!(
            take(&mut &[0x81_u8, 0][..]),
            Err(Fault::Number),
            "not the shortest"
        );
    }
}
