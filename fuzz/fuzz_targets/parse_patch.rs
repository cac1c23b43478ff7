//! Any bytes as a patch.
#![no_main]

use std::io::{self, Cursor};

use libfuzzer_sys::fuzz_target;
use moult_delta::{Limits, apply, breakdown, contents, inspect};

/// Longer results only take longer.
const MOST: u64 = 1 << 16;

fuzz_target!(|patch: &[u8]| {
    let Ok(header) = inspect(patch) else { return };
    if header.new.bytes > MOST {
        return;
    }
    let _ = contents(patch);
    let old = b"the old file, which is seldom the right one";
    let limits = Limits {
        output_bytes: header.new.bytes,
        patch_bytes: MOST,
    };
    let _ = apply(&mut Cursor::new(old), patch, &mut io::sink(), limits);
    let _ = breakdown(&mut Cursor::new(old), patch);
});
