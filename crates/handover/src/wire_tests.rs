#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use serde_json::json;

use super::*;

#[test]
fn messages_have_the_shape_that_other_versions_know() {
    let welcome = Welcome {
        protocol: 1,
        version: "1.0.0".into(),
        window: Window {
            x: 1.0,
            width: 800.0,
            scale: 2.0,
            focused: true,
            native: Some(7),
            ..Window::default()
        },
        board: json!({ "tiles": [] }),
        states: json!({ "a": 1 }),
        theme: "dark".into(),
    };
    let last = Last {
        snapshots: json!({ "a": 2 }),
        focus: json!(null),
        keys: vec![json!("k")],
        generation: 3,
    };
    let to_new = [
        (
            ToNew::Welcome(Box::new(welcome)),
            r#"{"kind":"welcome","protocol":1,"version":"1.0.0","window":{"x":1.0,"y":0.0,"width":800.0,"height":0.0,"scale":2.0,"maximized":false,"minimized":false,"focused":true,"native":7},"board":{"tiles":[]},"states":{"a":1},"theme":"dark"}"#,
        ),
        (
            ToNew::Last(Box::new(last)),
            r#"{"kind":"last","snapshots":{"a":2},"focus":null,"keys":["k"],"generation":3}"#,
        ),
        (
            ToNew::Keys { keys: vec![json!(1)] },
            r#"{"kind":"keys","keys":[1]}"#,
        ),
        (
            ToNew::Listener {
                port: 80,
                token: "t".into(),
            },
            r#"{"kind":"listener","port":80,"token":"t"}"#,
        ),
        (ToNew::Right, r#"{"kind":"right"}"#),
        (ToNew::Stay { why: "w".into() }, r#"{"kind":"stay","why":"w"}"#),
        (ToNew::Bye, r#"{"kind":"bye"}"#),
    ];
    for (message, line) in to_new {
        assert_eq!(encode(&message).unwrap(), format!("{line}\n").into_bytes());
        assert_eq!(decode::<ToNew>(line.as_bytes()), Some(message));
    }
    let hello = ToOld::Hello {
        protocol: 1,
        version: "1.1.0".into(),
        token: "t".into(),
        start: "s".into(),
    };
    let to_old = [
        (
            hello,
            r#"{"kind":"hello","protocol":1,"version":"1.1.0","token":"t","start":"s"}"#,
        ),
        (
            ToOld::Progress { what: "w".into() },
            r#"{"kind":"progress","what":"w"}"#,
        ),
        (ToOld::Ready, r#"{"kind":"ready"}"#),
        (
            ToOld::Taken { generation: 4 },
            r#"{"kind":"taken","generation":4}"#,
        ),
        (ToOld::Raised, r#"{"kind":"raised"}"#),
        (ToOld::Returned, r#"{"kind":"returned"}"#),
    ];
    for (message, line) in to_old {
        assert_eq!(encode(&message).unwrap(), format!("{line}\n").into_bytes());
        assert_eq!(decode::<ToOld>(line.as_bytes()), Some(message));
    }
}

#[test]
fn what_a_newer_side_adds_is_passed_over_and_what_an_older_one_lacks_has_a_default() {
    let added = br#"{"kind":"welcome","version":"2.0.0","mood":"new","window":{"x":3,"corner":1}}"#;
    let Some(ToNew::Welcome(welcome)) = decode::<ToNew>(added) else {
        panic!("it is a welcome")
    };
    assert_eq!((welcome.version.as_str(), welcome.window.x), ("2.0.0", 3.0));
    assert_eq!((welcome.protocol, welcome.board), (0, Value::Null));
    assert_eq!(
        decode::<ToNew>(br#"{"kind":"right","since":9}"#),
        Some(ToNew::Right)
    );
    assert_eq!(decode::<ToNew>(br#"{"kind":"later"}"#), None);
}

/// All lines of some bytes that come in pieces of this size.
fn lines_of(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        lines.push(piece);
        while let Some(line) = lines.next() {
            found.push(line);
        }
    }
    found
}

#[test]
fn lines_are_the_same_whatever_pieces_they_come_in() {
    let bytes = b"{\"kind\":\"ready\"}\n\n\xff\xfe\n{\"kind\":\"raised\"}\nunfinished";
    let expected: Vec<&[u8]> = vec![br#"{"kind":"ready"}"#, b"", b"\xff\xfe", br#"{"kind":"raised"}"#];
    for piece in [1, 2, 3, 7, 16, 1000] {
        assert_eq!(lines_of(bytes, piece), expected, "{piece}");
    }
}

#[test]
fn a_line_of_the_limit_is_read_and_one_byte_more_is_skipped_and_not_kept() {
    let piece = 64 * 1024;
    for (length, read) in [
        (LONGEST - 1, true),
        (LONGEST, false),
        (LONGEST + piece, false),
        (3 * LONGEST, false),
    ] {
        let mut bytes = vec![b'x'; length];
        bytes.extend_from_slice(b"\n{\"kind\":\"ready\"}\n");
        let mut lines = Lines::default();
        let mut found = Vec::new();
        let mut kept = 0;
        for piece in bytes.chunks(piece) {
            lines.push(piece);
            while let Some(line) = lines.next() {
                found.push(line.len());
            }
            kept = kept.max(lines.pending.len());
        }
        let expected = if read { vec![length, 16] } else { vec![16] };
        assert_eq!(found, expected, "{length}");
        assert!(kept <= LONGEST + piece, "{kept}");
    }
}

#[test]
fn what_would_be_too_long_is_not_sent() {
    let keys = |length: usize| ToNew::Keys {
        keys: vec![json!("x".repeat(length))],
    };
    // {"kind":"keys","keys":["..."]} and the line end.
    let around = encode(&keys(0)).unwrap().len();
    assert_eq!(encode(&keys(LONGEST - around)).unwrap().len(), LONGEST);
    assert!(matches!(
        encode(&keys(LONGEST - around + 1)),
        Err(HandOverError::TooLong { bytes, limit: LONGEST }) if bytes == LONGEST + 1
    ));
}

#[test]
fn foreign_bytes_are_no_message_and_no_panic() {
    let good: Vec<Vec<u8>> = [
        encode(&ToNew::Stay {
            why: "ä\u{0}\n".into(),
        })
        .unwrap(),
        encode(&ToNew::Last(Box::default())).unwrap(),
        encode(&ToNew::Welcome(Box::default())).unwrap(),
        encode(&ToOld::Progress { what: "x".into() }).unwrap(),
    ]
    .into();
    let mut seed = 0x9e37_79b9_u32;
    let mut random = move |below: usize| {
        // xorshift32, Marsaglia 2003.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as usize % below
    };
    let read = |bytes: &[u8]| {
        for line in lines_of(bytes, 11) {
            let _ = (decode::<ToNew>(&line), decode::<ToOld>(&line));
        }
    };
    for good in &good {
        for cut in 0..good.len() {
            read(&good[..cut]);
            read(&good[cut..]);
        }
        for _ in 0..2000 {
            let mut bytes = good.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = random(256) as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"{}[]\",:\n\x00\xff0e-"[random(13)]),
                }
            }
            read(&bytes);
        }
    }
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..random(300)).map(|_| random(256) as u8).collect();
        read(&bytes);
    }
    // Deeper than a stack: the reader has a limit of its own.
    let deep = [
        b"{\"kind\":\"keys\",\"keys\":".as_slice(),
        &vec![b'['; 1_000_000],
        b"\n",
    ]
    .concat();
    read(&deep);
    for wrong in [
        r#"{"kind":"keys"}"#,
        r#"{"kind":"keys","keys":{}}"#,
        r#"{"kind":"listener","port":65536,"token":""}"#,
        r#"{"kind":"listener","port":-1,"token":""}"#,
        r#"{"kind":"right","kind":"bye"}"#,
        r#"["later"]"#,
        r#""right""#,
        "null",
        "",
        "{",
    ] {
        assert_eq!(decode::<ToNew>(wrong.as_bytes()), None, "{wrong}");
    }
}
