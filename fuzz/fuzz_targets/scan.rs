//! Any bytes as code and data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moult_delta::internals::{Content, check_following, check_references};

fuzz_target!(|bytes: &[u8]| {
    check_following(bytes);
    for content in Content::ALL {
        if let Err(error) = check_references(content, bytes) {
            panic!("{content:?}: {error}");
        }
    }
});
