//! A patch between any two files, or between two releases of a program, applied.
//!
//! The first byte says which, the next two where the old file ends.
#![no_main]

#[path = "../../crates/delta/tests/it/programs.rs"]
#[allow(dead_code, reason = "other targets use the rest of it")]
mod programs;

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use moult_delta::{Limits, apply, contents, diff};

use programs::{Format, Program};

fuzz_target!(|input: &[u8]| {
    let Some(([which, low, high], rest)) = input.split_first_chunk::<3>() else {
        return;
    };
    let number = usize::from(*low) | usize::from(*high) << 8;
    let (old, new) = match usize::from(*which) {
        format @ 0..5 => {
            // Bytes of a program are replaced: place and value.
            let program = Program::new(Format::ALL[format], number as u64 & 15, 8);
            let old = program.link();
            let mut new = program.next(number as u64, 1, 1).link();
            for edit in rest.as_chunks::<3>().0 {
                let at = usize::from(edit[0]) | usize::from(edit[1]) << 8;
                let length = new.len();
                new[at % length] = edit[2];
            }
            (old, new)
        }
        _ => {
            let (old, new) = rest.split_at(number.min(rest.len()));
            (old.to_vec(), new.to_vec())
        }
    };
    let mut patch = Vec::new();
    if let Err(error) = diff(&old, &new, &mut patch) {
        panic!("{error:?}");
    }
    let mut out = Vec::new();
    let limits = Limits::exactly(new.len() as u64);
    if let Err(error) = apply(&mut Cursor::new(&old), &patch[..], &mut out, limits) {
        panic!("{error:?}");
    }
    assert!(out == new);
    if let Err(error) = contents(&patch[..]) {
        panic!("{error:?}");
    }
});
