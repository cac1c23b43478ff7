//! Any parts behind a header that is right, against a fixed old file: a small program.
//!
//! The first two bytes say how long the new file is, the next two how the rest is shared between
//! control and body of the first part; what follows the rest of that is more parts.
#![no_main]

#[path = "../../crates/delta/tests/it/programs.rs"]
#[allow(dead_code, reason = "other targets use the rest of it")]
mod programs;

use std::io::{self, Cursor};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use moult_delta::{Limits, apply};

use programs::{Format, Program};

static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| Program::new(Format::ElfX86, 1, 100).link());

fn number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fuzz_target!(|input: &[u8]| {
    let Some((numbers, rest)) = input.split_first_chunk::<6>() else {
        return;
    };
    let number_at = |at: usize| u32::from(numbers[at]) | u32::from(numbers[at + 1]) << 8;
    // A part that is not the last has at least 2^17 bytes; the last one says nothing of its length.
    let (first, new_bytes) = match numbers[5] & 0x80 {
        0 => (0, number_at(0)),
        _ => (1 << 17, (1 << 17) + 1 + number_at(0)),
    };
    let mut patch = b"MOULTPCH\x02\0\x01\x14".to_vec();
    number(&mut patch, OLD.len() as u32);
    patch.extend_from_slice(&crc32fast::hash(&OLD).to_le_bytes());
    number(&mut patch, new_bytes);
    patch.extend_from_slice(&[0; 4]);
    let control = (number_at(2) as usize).min(rest.len());
    let body = (number_at(4) as usize).min(rest.len() - control);
    number(&mut patch, first);
    number(&mut patch, control as u32);
    number(&mut patch, body as u32);
    patch.extend_from_slice(rest);
    let limits = Limits::exactly(new_bytes.into());
    let _ = apply(&mut Cursor::new(&OLD[..]), &patch[..], &mut io::sink(), limits);
});
