//! Any bytes as what the application and the process that runs logic say to each other.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use moult_sandbox::logic::wire::{Frame, FromChild, ToChild, read_frame, write_message};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    read::<FromChild>(data);
    read::<ToChild>(data);
});

fn read<T: DeserializeOwned + Serialize>(data: &[u8]) {
    let mut from = Cursor::new(data);
    while let Ok(Some(frame)) = read_frame::<T>(&mut from) {
        let Frame::Message(message) = frame else { continue };
        let mut written = Vec::new();
        write_message(&mut written, &message).expect("what was read can be written");
        let again = read_frame::<T>(&mut Cursor::new(written)).expect("what was written can be read");
        assert!(matches!(again, Some(Frame::Message(_))));
    }
}
