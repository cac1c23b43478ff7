#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use interprocess::os::unix::uds_local_socket;
use serde_json::json;

use super::*;
use crate::wire::{LONGEST, ToNew, ToOld};

const LIMIT: Duration = Duration::from_secs(20);

fn pair() -> ((Channel, Incoming), (Channel, Incoming)) {
    let (one, other) = UnixStream::pair().unwrap();
    let over = |stream: UnixStream| {
        Channel::over(Stream::UdSocket(uds_local_socket::Stream::from(stream)), LIMIT).unwrap()
    };
    (over(one), over(other))
}

/// A file whose content tells it from others.
fn file(content: &str) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

fn content(descriptor: Option<Descriptor>) -> Option<String> {
    let mut file = std::fs::File::from(descriptor?);
    let mut content = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut content).unwrap();
    Some(content)
}

#[test]
fn descriptors_come_with_their_messages_in_their_order() {
    let ((sender, _), (_, mut receiver)) = pair();
    let listener = ToNew::Listener {
        port: 1,
        token: String::new(),
    };
    sender.send(&ToNew::Last(Box::default())).unwrap();
    sender.send_with(&listener, file("one").as_fd()).unwrap();
    sender.send_with(&ToNew::Right, file("two").as_fd()).unwrap();
    sender.send(&ToNew::Bye).unwrap();
    assert_eq!(
        receiver.receive().unwrap(),
        Received::Message(ToNew::Last(Box::default()))
    );
    assert_eq!(receiver.receive().unwrap(), Received::Message(listener));
    assert_eq!(content(receiver.descriptor()).as_deref(), Some("one"));
    assert_eq!(receiver.receive().unwrap(), Received::Message(ToNew::Right));
    assert_eq!(content(receiver.descriptor()).as_deref(), Some("two"));
    assert_eq!(receiver.receive().unwrap(), Received::Message(ToNew::Bye));
    assert!(receiver.descriptor().is_none());
}

#[test]
fn descriptors_that_nobody_asked_for_are_closed() {
    let ((sender, _), (_, mut receiver)) = pair();
    let (reader, writer) = io::pipe().unwrap();
    for _ in 0..20 {
        sender.send_with(&ToOld::Ready, writer.as_fd()).unwrap();
        assert_eq!(receiver.receive().unwrap(), Received::Message(ToOld::Ready));
        assert!(receiver.descriptors.len() <= DESCRIPTORS);
    }
    drop((writer, receiver));
    // All copies are closed, so the pipe ends.
    let mut reader = reader;
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_message_of_the_greatest_length_goes_through_and_unknown_ones_are_told() {
    let ((sender, _), (_, mut receiver)) = pair();
    let around = wire::encode(&ToNew::Keys {
        keys: vec![json!("")],
    })
    .unwrap()
    .len();
    let long = ToNew::Keys {
        keys: vec![json!("x".repeat(LONGEST - around))],
    };
    let sent = long.clone();
    let sending = std::thread::spawn(move || {
        sender.send(&sent).unwrap();
        sender.send(&json!({ "kind": "of a later version" })).unwrap();
        sender.send(&ToNew::Bye).unwrap();
    });
    assert_eq!(receiver.receive().unwrap(), Received::Message(long));
    assert_eq!(receiver.receive::<ToNew>().unwrap(), Received::Unknown);
    assert_eq!(receiver.receive().unwrap(), Received::Message(ToNew::Bye));
    sending.join().unwrap();
    assert_eq!(receiver.receive::<ToNew>().unwrap(), Received::End);
}

#[test]
fn what_was_sent_before_an_end_is_still_received_and_then_the_end() {
    for hang_up in [true, false] {
        let ((sender, other), (answering, mut receiver)) = pair();
        sender.send_with(&ToNew::Right, file("right").as_fd()).unwrap();
        if hang_up {
            sender.hang_up();
        } else {
            drop((sender, other));
        }
        assert_eq!(receiver.receive().unwrap(), Received::Message(ToNew::Right));
        assert_eq!(content(receiver.descriptor()).as_deref(), Some("right"));
        assert_eq!(receiver.receive::<ToNew>().unwrap(), Received::End);
        assert!(matches!(
            answering.send(&ToOld::Ready),
            Err(HandOverError::Send { .. })
        ));
    }
}

#[test]
fn hanging_up_wakes_the_one_who_waits() {
    let ((one, mut waiting), _other) = pair();
    let waits = std::thread::spawn(move || waiting.receive::<ToOld>().unwrap());
    one.hang_up();
    assert_eq!(waits.join().unwrap(), Received::End);
}

#[test]
fn a_side_that_does_not_read_does_not_stop_the_other() {
    let (one, other) = UnixStream::pair().unwrap();
    let stream = Stream::UdSocket(uds_local_socket::Stream::from(one));
    let (sender, _incoming) = Channel::over(stream, Duration::from_millis(50)).unwrap();
    let long = ToNew::Keys {
        keys: vec![json!("x".repeat(LONGEST / 2))],
    };
    assert!(matches!(sender.send(&long), Err(HandOverError::Send { .. })));
    drop(other);
}
