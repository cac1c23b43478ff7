//! Files that are slow, fail, or change while they are read.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use moult_delta::{ApplyError, Limits, apply, breakdown, contents, diff};

use super::{patch, small_pairs};
use crate::files::{Broken, Drip, Until};

#[test]
fn all_files_can_be_read_and_written_in_drips() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let mut out = Drip::new(Vec::new());
        let limits = Limits::exactly(new.len() as u64);
        let mut slow = Drip::new(Cursor::new(&old));
        apply(&mut slow, Drip::new(&made[..]), &mut out, limits).unwrap();
        assert!(out.into_inner() == new, "{name}");
        assert_eq!(
            contents(Drip::new(&made[..])).unwrap(),
            contents(&made[..]).unwrap()
        );
        let slow = breakdown(&mut Drip::new(Cursor::new(&old)), Drip::new(&made[..])).unwrap();
        assert_eq!(slow, breakdown(&mut Cursor::new(&old), &made[..]).unwrap());
    }
}

#[test]
fn where_the_old_file_stands_does_not_matter() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let mut file = Cursor::new(&old);
        file.set_position(old.len() as u64 / 2);
        let mut out = Vec::new();
        apply(&mut file, &made[..], &mut out, Limits::exactly(new.len() as u64)).unwrap();
        assert!(out == new, "{name}");
    }
}

#[test]
fn a_patch_that_can_not_be_read_is_named() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let limits = Limits::exactly(new.len() as u64);
        for length in 0..=made.len() {
            let broken = (&made[..length]).chain(Broken);
            let result = apply(&mut Cursor::new(&old), broken, &mut io::sink(), limits);
            assert!(
                matches!(result, Err(ApplyError::Patch(_))),
                "{name} after {length} of {}: {result:?}",
                made.len()
            );
        }
    }
}

#[test]
fn an_old_file_that_can_not_be_read_is_named() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let limits = Limits::exactly(new.len() as u64);
        let result = apply(&mut Broken, &made[..], &mut io::sink(), limits);
        assert!(matches!(result, Err(ApplyError::Old(_))), "{name}: {result:?}");
        // It fails while it is checked, later, or never.
        let mut failed = 0;
        for left in (0..3 * old.len()).step_by(1 + old.len() / 50) {
            let mut file = Until {
                inner: Cursor::new(&old),
                left,
            };
            match apply(&mut file, &made[..], &mut io::sink(), limits) {
                Ok(_) => assert!(left > old.len(), "{name}"),
                Err(ApplyError::Old(_)) => failed += 1,
                Err(other) => panic!("{name} after {left}: {other:?}"),
            }
        }
        assert!(failed > 0 || old.is_empty(), "{name}");
    }
}

#[test]
fn a_new_file_that_can_not_be_written_is_named() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        for left in (0..new.len()).step_by(1 + new.len() / 50) {
            let mut out = Until {
                inner: io::sink(),
                left,
            };
            let limits = Limits::exactly(new.len() as u64);
            let result = apply(&mut Cursor::new(&old), &made[..], &mut out, limits);
            assert!(
                matches!(result, Err(ApplyError::New(_))),
                "{name} after {left}: {result:?}"
            );
        }
    }
    assert!(diff(b"old", b"new", &mut Broken).is_err());
}

/// Another file from the second time on that it is read from its beginning.
struct Changing {
    files: Vec<Cursor<Vec<u8>>>,
    read: bool,
}

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.files[0].read(buffer)?;
        self.read |= read > 0;
        Ok(read)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.read && self.files.len() > 1 {
            self.files.remove(0);
        }
        self.files[0].seek(to)
    }
}

#[test]
fn an_old_file_that_changes_after_it_was_checked_is_never_taken_for_the_right_one() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let mut damaged = old.clone();
        for byte in &mut damaged {
            *byte = byte.wrapping_mul(5).wrapping_add(1);
        }
        for second in [damaged, Vec::new(), old[..old.len() / 2].to_vec()] {
            let mut file = Changing {
                files: vec![Cursor::new(old.clone()), Cursor::new(second)],
                read: false,
            };
            let mut out = Vec::new();
            let limits = Limits::exactly(new.len() as u64);
            if apply(&mut file, &made[..], &mut out, limits).is_ok() {
                assert!(out == new, "{name}");
            }
        }
    }
}
