//! Patches that are damaged, cut off, or meant for others: each is refused, with an error that says why.

use std::io::{self, Cursor, Write};

use crate::make::{gzip, text, xz, zlib, zstandard};
use moult_containers::{Applied, ApplyError, FORMAT, Limits, apply, diff, encoders, inspect};

struct Case {
    old: Vec<u8>,
    new: Vec<u8>,
    patch: Vec<u8>,
}

impl Case {
    fn apply(&self, patch: &[u8]) -> Result<(Applied, Vec<u8>), ApplyError> {
        apply_to(&self.old, patch, Limits::exactly(self.new.len() as u64))
    }
}

fn apply_to(old: &[u8], patch: &[u8], limits: Limits) -> Result<(Applied, Vec<u8>), ApplyError> {
    let (mut out, mut scratch) = (Vec::new(), Cursor::new(Vec::new()));
    let applied = apply(&mut Cursor::new(old), patch, &mut out, &mut scratch, limits)?;
    Ok((applied, out))
}

/// A container with a stream of each codec.
fn case() -> Case {
    let old_text = text(1, 1500);
    let new_text = [&old_text[..9000], b"something else", &old_text[9050..]].concat();
    let make = |text: &[u8]| {
        let (first, rest) = text.split_at(12_000);
        let told = Some(first.len());
        let streams = [
            gzip(first, 6),
            zlib(rest),
            xz(text, 1),
            zstandard(first, 3, true, told, 0),
        ];
        streams.concat()
    };
    let (old, new) = (make(&old_text), make(&new_text));
    let mut patch = Vec::new();
    diff(&old, &new, &mut patch)
        .expect("a patch")
        .expect("a small patch");
    Case { old, new, patch }
}

#[test]
fn a_whole_patch_gives_the_new_file_and_its_header_tells_of_it() {
    let case = case();
    let (applied, out) = case.apply(&case.patch).expect("the new file");
    assert_eq!((out == case.new, applied.bytes), (true, case.new.len() as u64));
    let header = inspect(&case.patch[..]).expect("a header");
    assert_eq!(header.encoders, encoders());
    assert_eq!(
        (header.old.bytes, header.new.bytes),
        (case.old.len() as u64, case.new.len() as u64)
    );
}

#[test]
fn a_patch_that_is_cut_off_never_gives_a_file() {
    let case = case();
    for end in (0..case.patch.len()).step_by(7) {
        assert!(case.apply(&case.patch[..end]).is_err(), "{end} bytes");
    }
    assert!(matches!(
        case.apply(&case.patch[..30]),
        Err(ApplyError::Truncated)
    ));
}

#[test]
fn a_patch_that_is_damaged_gives_an_error_or_the_new_file() {
    let case = case();
    for at in (0..case.patch.len()).step_by(5) {
        let mut patch = case.patch.clone();
        patch[at] ^= 0x41;
        if let Ok((_, out)) = case.apply(&patch) {
            assert!(out == case.new, "byte {at}");
        }
    }
}

#[test]
fn each_thing_that_does_not_fit_has_its_own_error() {
    let case = case();
    let changed = |at: usize, byte: u8| {
        let mut patch = case.patch.clone();
        patch[at] = byte;
        case.apply(&patch)
    };
    assert!(matches!(changed(0, b'X'), Err(ApplyError::Magic)));
    assert!(matches!(changed(8, 9), Err(ApplyError::Format(9))));
    let foreign = changed(11, b'Q');
    assert!(
        matches!(&foreign, Err(ApplyError::Encoders { needed, present })
            if needed.starts_with('Q') && *present == encoders()),
        "{foreign:?}"
    );
    let rest = [&case.patch[..], b"!"].concat();
    assert!(matches!(case.apply(&rest), Err(ApplyError::Trailing)));

    let bytes = case.new.len() as u64;
    let with = |old: &[u8], limits| apply_to(old, &case.patch, limits).map(|_| ());
    let short = &case.old[1..];
    assert!(matches!(
        with(short, Limits::exactly(bytes)),
        Err(ApplyError::WrongBase { .. })
    ));
    let other = Limits::exactly(bytes + 1);
    assert!(matches!(
        with(&case.old, other),
        Err(ApplyError::OutputLength { .. })
    ));
    let small = Limits {
        output_bytes: bytes,
        patch_bytes: 100,
    };
    assert!(matches!(with(&case.old, small), Err(ApplyError::TooLong(100))));
    let mut broken = case.old.clone();
    broken[40] ^= 255;
    assert!(with(&broken, Limits::exactly(bytes)).is_err());
}

#[test]
fn a_disk_that_is_full_is_told_as_such() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let case = case();
    let limits = Limits::exactly(case.new.len() as u64);
    let mut scratch = Cursor::new(Vec::new());
    let result = apply(
        &mut Cursor::new(&case.old),
        &case.patch[..],
        &mut Full,
        &mut scratch,
        limits,
    );
    assert!(matches!(result, Err(ApplyError::New(_))), "{result:?}");
    let mut no_room = Cursor::new([0; 100]);
    let result = apply(
        &mut Cursor::new(&case.old),
        &case.patch[..],
        &mut io::sink(),
        &mut Fixed(&mut no_room),
        limits,
    );
    assert!(matches!(result, Err(ApplyError::Scratch(_))), "{result:?}");
}

/// A scratch that can't grow.
struct Fixed<'a>(&'a mut Cursor<[u8; 100]>);

impl Write for Fixed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Read for Fixed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Seek for Fixed<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn the_versions_of_the_encoders_are_those_that_are_built_in() {
    const LOCK: &str = include_str!("../../../../Cargo.lock");
    assert_eq!(FORMAT, 3);
    let all = encoders();
    let all: Vec<&str> = all.split(", ").collect();
    let [deflate, miniz, zstd, liblzma] = all[..] else {
        panic!("not four encoders: {all:?}");
    };
    assert_eq!(deflate, "deflate 1");
    let (name, version) = miniz.split_once(' ').expect("a version");
    assert!(LOCK.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")));
    let version = zstd.strip_prefix("zstd ").expect("a version");
    assert!(LOCK.contains(&format!("+zstd.{version}\"")));
    assert!(liblzma.starts_with("liblzma 5."));
}
