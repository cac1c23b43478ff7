//! Any bytes as what a developer's tool and the application say to each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moult_model::Bundle;
use moult_model::developer::{HEADER_BYTES, MESSAGE_BYTES, ToApp, ToTool, fitting, lengths, read, write};

fuzz_target!(|data: &[u8]| {
    let Some((header, rest)) = data.split_first_chunk::<HEADER_BYTES>() else {
        return;
    };
    let Ok((length, raw)) = lengths(*header) else { return };
    assert!(length <= MESSAGE_BYTES as usize && raw as u64 <= Bundle::MAX_BYTES);
    let message = &rest[..length.min(rest.len())];
    if let Ok(message) = read::<ToApp>(message) {
        if let ToApp::Trouble { text } = &message {
            let text = fitting(text);
            assert!(write(&ToApp::Trouble { text }, 0).is_ok());
        }
        if let Ok(bytes) = write(&message, raw) {
            assert_eq!(read::<ToApp>(&bytes[HEADER_BYTES..]).ok(), Some(message));
        }
    }
    let _ = read::<ToTool>(message);
});
