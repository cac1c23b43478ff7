//! Containers as real programs make them, and as they are written by hand: what comes out of a patch is
//! the new container, bit for bit.

use std::io::Cursor;

use crate::make::{
    ar, by_program, deb_member, executable, gzip, noise, random, tar, text, xz, zip, zlib, zstandard,
};
use moult_containers::{ApplyError, Limits, Stats};
use proptest::prelude::*;

fn diff(old: &[u8], new: &[u8]) -> Option<(Vec<u8>, Stats)> {
    let mut patch = Vec::new();
    let stats = moult_containers::diff(old, new, &mut patch).expect("a patch can be tried");
    assert_eq!(stats.is_none(), patch.is_empty());
    stats.map(|stats| (patch, stats))
}

fn apply(old: &[u8], patch: &[u8], new_bytes: usize) -> Result<Vec<u8>, ApplyError> {
    let mut out = Vec::new();
    moult_containers::apply(
        &mut Cursor::new(old),
        patch,
        &mut out,
        &mut Cursor::new(Vec::new()),
        Limits::exactly(new_bytes as u64),
    )?;
    Ok(out)
}

/// Two releases of a text that compresses badly enough to be worth a patch.
fn releases() -> (Vec<u8>, Vec<u8>) {
    let old = text(1, 2500);
    let mut new = old.clone();
    new.splice(20_000..20_010, *b"something else");
    new.extend_from_slice(b"and a last line\n");
    (old, new)
}

/// What zlib makes of its input, at the level that is given.
const PYTHON: &str = "import sys, zlib; \
    sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read(), int(sys.argv[1])))";

/// A way to make a container, by its name.
type Way = (&'static str, Box<dyn Fn(&[u8]) -> Vec<u8>>);

fn ways() -> Vec<Way> {
    let mut ways: Vec<Way> = vec![
        (
            "zip",
            Box::new(|plain| zip(&[("a.txt", plain), ("b.txt", b"short")])),
        ),
        (
            "zlib",
            Box::new(|plain| [&noise(3, 900)[..], &zlib(plain)].concat()),
        ),
        ("xz -6", Box::new(|plain| xz(plain, 6))),
        ("xz -0", Box::new(|plain| xz(plain, 0))),
        ("xz -4e", Box::new(|plain| xz(plain, 4 | 1 << 31))),
        (
            "deb of gz",
            Box::new(|plain| {
                ar(&[
                    ("debian-binary", b"2.0\n"),
                    ("control.tar.gz", &gzip(&text(9, 50), 9)),
                    ("data.tar.gz", &deb_member(plain, "gz")),
                ])
            }),
        ),
        (
            "deb of zst",
            Box::new(|plain| ar(&[("data.tar.zst", &deb_member(plain, "zst"))])),
        ),
        (
            "deb of xz",
            Box::new(|plain| ar(&[("data.tar.xz", &deb_member(plain, "xz"))])),
        ),
        (
            "blocks of zstd, as squashfs has them",
            Box::new(|plain| {
                let blocks = plain
                    .chunks(32 * 1024)
                    .map(|block| zstd::bulk::compress(block, 15).expect("zstd"));
                blocks.flatten().collect()
            }),
        ),
    ];
    for level in [1, 6, 9] {
        ways.push(("gzip", Box::new(move |plain| gzip(plain, level))));
    }
    for level in [-2, 1, 3, 9, 15, 19, 22] {
        for (checksum, told) in [(false, true), (true, true), (true, false)] {
            // Without a length it takes an encoder of 700 MiB.
            if level == 22 && !told {
                continue;
            }
            ways.push((
                "zstd",
                Box::new(move |plain| zstandard(plain, level, checksum, told.then_some(plain.len()), 0)),
            ));
        }
    }
    ways
}

#[test]
fn each_container_comes_back_bit_for_bit_from_a_small_patch() {
    let (old_text, new_text) = releases();
    for (number, (name, make)) in ways().iter().enumerate() {
        let (old, new) = (make(&old_text), make(&new_text));
        let name = format!("{name} ({number})");
        let Some((patch, stats)) = diff(&old, &new) else {
            panic!("{name}: no patch");
        };
        assert_eq!(apply(&old, &patch, new.len()).expect(&name), new, "{name}");
        assert!(
            patch.len() * 4 < stats.plain_patch_bytes as usize,
            "{name}: {stats:?}"
        );
        assert_eq!(stats.streams, stats.rebuilt, "{name}");
    }
}

#[test]
fn a_frame_that_workers_made_comes_back() {
    // Workers do nothing for less than 512 KiB.
    let old_text = text(5, 30_000);
    let new_text = [&old_text[..700_000], b"a change", &old_text[700_000..]].concat();
    for told in [true, false] {
        let make = |plain: &[u8]| zstandard(plain, 3, true, told.then_some(plain.len()), 2);
        let (old, new) = (make(&old_text), make(&new_text));
        let (patch, _) = diff(&old, &new).expect("a patch");
        assert_eq!(apply(&old, &patch, new.len()).expect("the new file"), new);
    }
}

#[test]
fn streams_that_both_have_are_left_alone() {
    let (old_text, new_text) = releases();
    let picture = zlib(&text(7, 3000));
    let old = [gzip(&old_text, 6), picture.clone()].concat();
    let new = [picture, gzip(&new_text, 6)].concat();
    let (patch, stats) = diff(&old, &new).expect("a patch");
    assert_eq!(apply(&old, &patch, new.len()).expect("the new file"), new);
    assert_eq!((stats.streams, stats.rebuilt), (1, 1));
}

#[test]
fn what_programs_of_this_machine_make_comes_back() {
    let (old_text, new_text) = releases();
    let commands: [(&str, &[&str]); 10] = [
        ("gzip", &["-n", "-9", "-c"]),
        ("gzip", &["-6", "-c"]),
        ("gzip", &["-1", "-c"]),
        ("zip", &["-9", "-", "-"]),
        ("zip", &["-3", "-", "-"]),
        ("python3", &["-c", PYTHON, "9"]),
        ("python3", &["-c", PYTHON, "2"]),
        ("xz", &["-6", "-T1", "-c"]),
        ("xz", &["-2", "-T2", "--block-size=50000", "-c"]),
        ("xz", &["--x86", "--lzma2=preset=6e", "-c"]),
    ];
    for (program, arguments) in commands {
        let made = by_program(program, arguments, &old_text)
            .and_then(|old| Some((old, by_program(program, arguments, &new_text)?)));
        // A program that is not there proves nothing.
        let Some((old, new)) = made else { continue };
        let (patch, stats) = diff(&old, &new).unwrap_or_else(|| panic!("{program} {arguments:?}: no patch"));
        assert_eq!(stats.streams, stats.rebuilt, "{program} {arguments:?}");
        assert_eq!(apply(&old, &patch, new.len()).expect(program), new, "{program}");
    }
}

#[test]
fn each_executable_of_a_container_gets_a_patch_of_its_own() {
    let [a, b] = [executable(1, 3000, 9000), executable(2, 2000, 9000)];
    let [new_a, new_b] = [executable(1, 3000, 500), executable(2, 2000, 900)];
    let (notes, new_notes) = (text(1, 4000), text(2, 100));
    let old = tar(&[("v1/a", &a), ("v1/notes", &notes), ("v1/b", &b)]);
    let new = tar(&[("v2/notes", &new_notes), ("v2/b", &new_b), ("v2/a", &new_a)]);
    for (name, old, new, streams) in [
        ("tar", old.clone(), new.clone(), 0),
        ("tar.gz", gzip(&old, 6), gzip(&new, 6), 1),
        (
            "tar.zst",
            zstandard(&old, 3, true, None, 0),
            zstandard(&new, 3, true, None, 0),
            1,
        ),
        (
            "one after the other",
            [&a[..], &b].concat(),
            [&new_a[..], &new_b].concat(),
            0,
        ),
    ] {
        let (patch, stats) = diff(&old, &new).unwrap_or_else(|| panic!("{name}: no patch"));
        assert_eq!(apply(&old, &patch, new.len()).expect(name), new, "{name}");
        assert_eq!((stats.executables, stats.rebuilt), (2, streams), "{name}");
        let contents = moult_containers::contents(&patch[..]).expect(name);
        assert!(contents.parts.len() <= 4, "{name}: {contents:?}");
        let made: u64 = contents.parts.iter().map(|part| part.bytes).sum();
        assert_eq!(made, stats.new_content_bytes, "{name}");
        assert_eq!(contents.rebuilt.len() as u64, streams as u64, "{name}");
    }
}

#[test]
fn a_single_executable_is_for_the_delta_crate_alone() {
    let (old, new) = (executable(1, 3000, 9000), executable(1, 3000, 500));
    assert!(diff(&old, &new).is_none());
}

#[test]
fn without_a_stream_that_can_be_rebuilt_there_is_no_patch() {
    let (old_text, new_text) = releases();
    let heads = random(11, 70_000);
    let mut full_of_heads = heads.clone();
    for (at, head) in [
        &[0x1f, 0x8b, 8, 0][..],
        b"PK\x03\x04",
        &[0x78, 0x9c],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
    ]
    .iter()
    .cycle()
    .take(1000)
    .enumerate()
    {
        full_of_heads[at * 61..at * 61 + head.len()].copy_from_slice(head);
    }
    let table = [
        ("nothing", Vec::new(), Vec::new()),
        ("no containers", old_text.clone(), new_text.clone()),
        ("random bytes", heads, full_of_heads.clone()),
        ("the same", gzip(&new_text, 6), gzip(&new_text, 6)),
        ("what only begins like streams", full_of_heads, text(3, 100)),
        // A dictionary of 64 MiB takes an encoder of 674 MiB.
        ("xz -9", xz(&old_text, 9), xz(&new_text, 9)),
        (
            "zstd -22 of a stream",
            zstandard(&old_text, 22, true, None, 0),
            zstandard(&new_text, 22, true, None, 0),
        ),
    ];
    for (name, old, new) in table {
        assert!(diff(&old, &new).is_none(), "{name}");
    }
}

/// Bytes of chance with the beginnings of containers and executables among them.
fn bytes_with_heads() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..400),
        Just(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        Just(b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        Just(vec![0x78, 0x9c]),
        Just(vec![0x28, 0xb5, 0x2f, 0xfd, 0x84, 0x58]),
        Just(vec![0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4]),
        Just(b"\x7fELF\x02\x01\x01\0".to_vec()),
        Just(b"MZ".to_vec()),
        Just(vec![0xcf, 0xfa, 0xed, 0xfe]),
        Just(vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2]),
        Just(gzip(&text(4, 40), 6)),
        Just(zlib(&text(4, 30))),
        Just(zstandard(&text(5, 40), 3, true, None, 0)),
        Just(xz(&text(6, 40), 1)),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bytes_of_chance_never_give_a_patch_that_fails(
        old in bytes_with_heads(),
        new in bytes_with_heads(),
    ) {
        if let Some((patch, _)) = diff(&old, &new) {
            prop_assert_eq!(apply(&old, &patch, new.len()).expect("the new file"), new);
        }
    }

    #[test]
    fn any_edit_of_any_container_comes_back(
        way in 0..ways().len(),
        seed in 0_u64..1000,
        edits in proptest::collection::vec((0_usize..50_000, 0_usize..300, 0_usize..300), 0..4),
    ) {
        let old_text = text(seed, 1200);
        let mut new_text = old_text.clone();
        for (at, removed, added) in edits {
            let at = at.min(new_text.len());
            let end = (at + removed).min(new_text.len());
            new_text.splice(at..end, noise(seed, added));
        }
        let (_, make) = &ways()[way];
        let (old, new) = (make(&old_text), make(&new_text));
        if let Some((patch, _)) = diff(&old, &new) {
            prop_assert_eq!(apply(&old, &patch, new.len()).expect("the new file"), new);
        }
    }
}
