//! Any bytes as a PE file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moult_delta::internals::regions;

fuzz_target!(|file: &[u8]| {
    regions(file, file);
    // As they are, and with a beginning that is looked at.
    let mut begun = file.to_vec();
    let magic = b"MZ";
    if let Some(begin) = begun.get_mut(..magic.len()) {
        begin.copy_from_slice(magic);
        regions(&begun, &begun);
        regions(file, &begun);
    }
});
