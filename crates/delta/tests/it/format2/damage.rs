//! Patches that were damaged or mistaken.

use std::io::{self, Cursor};

use moult_delta::{ApplyError, Limits, apply, inspect};

use super::{applied, patch, small_pairs};

#[test]
fn every_truncation_is_refused() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        for length in 0..made.len() {
            let result = applied(&old, &made[..length], new.len());
            assert!(
                matches!(result, Err(ApplyError::Truncated)),
                "{name} cut at {length} of {}: {result:?}",
                made.len()
            );
        }
    }
}

#[test]
fn every_flip_is_refused_or_harmless() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        // Every bit of a small patch, one of each byte of others.
        let bits = if made.len() < 100 { 8 } else { 1 };
        let mut harmless = 0;
        for at in 0..made.len() {
            for bit in 0..bits {
                let mut bad = made.clone();
                bad[at] ^= 1 << ((at + bit) % 8);
                if let Ok(out) = applied(&old, &bad, new.len()) {
                    assert!(out == new, "{name}: bit {bit} of byte {at}");
                    harmless += 1;
                }
            }
        }
        // The last bytes of an arithmetic code may have more than one good value.
        assert!(harmless < 16, "{name}: {harmless} flips went unnoticed");
    }
}

#[test]
fn every_byte_that_is_missing_or_doubled_is_refused() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        for at in (0..made.len()).step_by(1 + made.len() / 200) {
            let mut without = made.clone();
            let byte = without.remove(at);
            let mut doubled = made.clone();
            doubled.insert(at, byte);
            for bad in [without, doubled] {
                if let Ok(out) = applied(&old, &bad, new.len()) {
                    assert!(out == new, "{name}: byte {at}");
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for (name, old, new) in small_pairs() {
        for more in [&[0][..], &[255], &[0; 1000]] {
            let bad = [&patch(&old, &new), more].concat();
            let result = applied(&old, &bad, new.len());
            assert!(matches!(result, Err(ApplyError::Trailing)), "{name}: {result:?}");
        }
    }
}

#[test]
fn a_wrong_base_is_its_own_error_before_anything_is_written() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        let mut changed = old.clone();
        match changed.last_mut() {
            Some(last) => *last ^= 1,
            None => changed.push(0),
        }
        let longer = [&old[..], &[0]].concat();
        let shorter = old.get(1..).unwrap_or(b"not empty").to_vec();
        for base in [changed, longer, shorter] {
            let mut out = Vec::new();
            let limits = Limits::exactly(new.len() as u64);
            let result = apply(&mut Cursor::new(&base), &made[..], &mut out, limits);
            assert!(
                matches!(result, Err(ApplyError::WrongBase { .. })),
                "{name}: {result:?}"
            );
            assert!(out.is_empty(), "{name}");
        }
    }
}

#[test]
fn another_magic_format_rules_or_need_of_memory_is_its_own_error() {
    let made = patch(b"the old bytes", b"the new bytes");
    let with = |at: usize, byte: u8| {
        let mut bad = made.clone();
        bad[at] = byte;
        let result = inspect(&bad[..]).map(|_| ());
        let same = applied(b"the old bytes", &bad, 13).map(|_| ());
        assert_eq!(format!("{result:?}"), format!("{same:?}"));
        result
    };
    assert!(matches!(with(0, b'X'), Err(ApplyError::Magic)));
    assert!(matches!(with(7, b'h'), Err(ApplyError::Magic)));
    assert!(matches!(with(8, 0), Err(ApplyError::Format(0))));
    assert!(matches!(with(8, 3), Err(ApplyError::Format(3))));
    assert!(matches!(with(9, 1), Err(ApplyError::Format(0x102))));
    assert!(matches!(with(10, 0), Err(ApplyError::Rules(0))));
    assert!(matches!(with(10, 2), Err(ApplyError::Rules(2))));
    assert!(matches!(with(11, 21), Err(ApplyError::Memory(21))));
}

#[test]
fn a_result_of_another_length_than_asked_for_is_refused_first() {
    let made = patch(b"old", b"the new bytes");
    for asked in [0, 12, 14, u64::MAX] {
        let mut out = Vec::new();
        let limits = Limits::exactly(asked);
        let result = apply(&mut Cursor::new(b"old"), &made[..], &mut out, limits);
        assert!(
            matches!(result, Err(ApplyError::OutputLength { announced: 13, .. })),
            "{result:?}"
        );
        assert!(out.is_empty());
    }
}

#[test]
fn a_result_with_another_checksum_than_announced_is_refused() {
    let mut made = patch(b"old", b"the new bytes");
    // The checksum of the new file: after magic, format, rules, memory, and the old file's identity.
    made[12 + 5 + 1] ^= 1;
    let result = applied(b"old", &made, 13);
    assert!(
        matches!(result, Err(ApplyError::WrongResult { .. })),
        "{result:?}"
    );
}

#[test]
fn a_patch_of_exactly_its_limit_is_applied() {
    for (name, old, new) in small_pairs() {
        let made = patch(&old, &new);
        for short in 0..2 {
            let limits = Limits {
                output_bytes: new.len() as u64,
                patch_bytes: made.len() as u64 - short,
            };
            let result = apply(&mut Cursor::new(&old), &made[..], &mut io::sink(), limits);
            match short {
                0 => assert!(result.is_ok(), "{name}: {result:?}"),
                _ => assert!(
                    matches!(result, Err(ApplyError::TooLong(_))),
                    "{name}: {result:?}"
                ),
            }
        }
    }
}
