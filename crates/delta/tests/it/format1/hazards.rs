//! Patches that were made by somebody who means harm.

use std::io::{self, Cursor, Read as _, Write as _};

use moult_delta::format1::MAX_WINDOW_LOG;
use moult_delta::{ApplyError, Fault, Limits, apply};
use proptest::prelude::*;

use super::by_hand::{NEW, OLD, applied, block, entry, fault, header, number, seek, with_body};

#[test]
fn a_patch_by_hand_is_applied() {
    assert_eq!(applied(&with_body(&entry(&seek(0), &[0], 0))).unwrap(), NEW);
    assert_eq!(applied(&with_body(&entry(&seek(0), &[5], 5))).unwrap(), NEW);
}

#[test]
fn a_negative_length_is_refused() {
    // CVE-2014-9862: a length with its sign bit set passed the check and moved the pointer back.
    for length in [
        1_u64 << 63,
        u64::MAX,
        (1 << 63) + 5,
        1 << 32,
        u64::from(u32::MAX) + 14,
    ] {
        assert_eq!(
            fault(&entry(&seek(0), &number(length), 0)),
            Fault::Number,
            "{length:#x}"
        );
    }
    let head = |lengths| fault(&block(lengths, &[&[0; 64]]));
    assert_eq!(head([1, 3, 0x8000_0000, 13]), Fault::Output);
    assert_eq!(head([1, 3, 0, u32::MAX]), Fault::Output);
    assert_eq!(head([1, u32::MAX, 0, 13]), Fault::ControlTooLong);
    assert_eq!(head([u32::MAX, 3, 0, 13]), Fault::Entries);
}

#[test]
fn lengths_whose_sum_overflows_are_refused() {
    // CVE-2020-14315: the check of a sum that had wrapped around.
    let head = |lengths| fault(&block(lengths, &[&[0; 64]]));
    assert_eq!(head([1, 3, 0x8000_0000, 0x8000_000d]), Fault::Output);
    assert_eq!(head([1, 3, u32::MAX, 14]), Fault::Output);
    // Two entries whose lengths wrap around to the block's own, in 32 bits.
    let control = [number(u32::MAX.into()), number(14), vec![0, 0], seek(0), seek(0)].concat();
    let body = block([2, control.len() as u32, 13, 0], &[&control, &[0; 13]]);
    assert_eq!(fault(&body), Fault::Sum);
}

#[test]
fn lengths_that_do_not_add_up_are_refused() {
    assert_eq!(fault(&block([1, 3, 5, 8], &[&[4, 9, 0], &[0; 13]])), Fault::Sum);
    assert_eq!(fault(&block([1, 3, 5, 8], &[&[5, 7, 0], &[0; 13]])), Fault::Sum);
}

#[test]
fn reads_outside_of_the_old_file_are_refused() {
    let far = [
        (seek(-1), 5),
        (seek(6), 5),
        (seek(11), 1),
        (seek(i64::MAX), 5),
        (seek(i64::MIN), 5),
        (seek(0), 11),
        // Nothing is read there, but the place is still refused.
        (seek(11), 0),
        (seek(-1), 0),
    ];
    for (seek, add) in far {
        assert_eq!(
            fault(&entry(&seek, &[add], add.into())),
            Fault::OutsideOld,
            "{seek:?} {add}"
        );
    }
    // A first entry that ends at the end of the old file, and a second that goes on from there.
    let control = [vec![5, 1, 0, 7], seek(5), seek(0)].concat();
    let body = block([2, control.len() as u32, 6, 7], &[&control, &[0; 13]]);
    assert_eq!(fault(&body), Fault::OutsideOld);
    // Twice almost 2^63 forward.
    let control = [vec![0, 0, 1, 12], seek(i64::MAX), seek(i64::MAX)].concat();
    let body = block([2, control.len() as u32, 0, 13], &[&control, &[0; 13]]);
    assert_eq!(fault(&body), Fault::OutsideOld);
}

#[test]
fn a_block_that_starts_where_the_last_one_ended_is_held_to_the_same_bounds() {
    let first = block([1, 3, 9, 0], &[&[9, 0, 0], &[0; 9]]);
    let second = block([1, 3, 2, 2], &[&[2, 2, 0], &[0; 4]]);
    assert_eq!(fault(&[first, second].concat()), Fault::OutsideOld);
}

#[test]
fn writes_beyond_the_new_file_are_refused() {
    assert_eq!(
        fault(&block([1, 3, 0, 14], &[&[0, 14, 0], &[0; 14]])),
        Fault::OutsideNew
    );
    let first = block([1, 3, 0, 10], &[&[0, 10, 0], &NEW[..10]]);
    let second = block([1, 3, 0, 4], &[&[0, 4, 0], &[0; 4]]);
    assert_eq!(fault(&[first, second].concat()), Fault::OutsideNew);
}

#[test]
fn blocks_and_entries_that_give_nothing_are_refused() {
    // Else a small patch could keep a processor busy for ever.
    assert_eq!(fault(&block([1, 3, 0, 0], &[&[0, 0, 0]])), Fault::Output);
    assert_eq!(fault(&block([0, 0, 0, 13], &[NEW])), Fault::Entries);
    assert_eq!(
        fault(&block([2, 6, 0, 13], &[&[0, 0, 0, 13, 0, 0], NEW])),
        Fault::EmptyEntry
    );
    assert_eq!(
        fault(&block([1, 4, 0, 13], &[&[0, 13, 0, 0], NEW])),
        Fault::ControlRest
    );
    assert_eq!(
        fault(&block([1, 4, 0, 13], &[&[0x80, 0, 13, 0], NEW])),
        Fault::Number
    );
}

#[test]
fn a_huge_length_allocates_nothing() {
    // The header announces all there can be, and so does the caller; the blocks are still small.
    let mut patch = header(u64::MAX, NEW);
    patch.extend(zstd::encode_all(&block([1, 3, 0, 4 * 1024 * 1024], &[&[0; 3]])[..], 1).unwrap());
    let result = apply(
        &mut Cursor::new(OLD),
        &patch[..],
        &mut io::sink(),
        Limits::exactly(u64::MAX),
    );
    assert!(matches!(result, Err(ApplyError::Truncated)), "{result:?}");
}

#[test]
fn a_window_that_needs_more_memory_is_refused() {
    for (log, allowed) in [(MAX_WINDOW_LOG, true), (MAX_WINDOW_LOG + 1, false), (27, false)] {
        let mut encoder = zstd::Encoder::new(header(NEW.len() as u64, NEW), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&entry(&seek(0), &[0], 0)).unwrap();
        encoder.flush().unwrap();
        let patch = encoder.finish().unwrap();
        let result = applied(&patch);
        assert_eq!(result.is_ok(), allowed, "{log}: {result:?}");
        assert!(
            allowed || matches!(result, Err(ApplyError::Compression(_))),
            "{log}: {result:?}"
        );
    }
}

#[test]
fn a_frame_that_zstd_would_skip_is_refused() {
    let mut patch = header(0, b"");
    patch.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    let result = apply(
        &mut Cursor::new(OLD),
        &patch[..],
        &mut io::sink(),
        Limits::exactly(0),
    );
    assert!(matches!(result, Err(ApplyError::Compression(_))), "{result:?}");
}

#[test]
fn an_endless_patch_ends_at_its_limit() {
    // Raw zstd blocks of no bytes, for ever: a frame that never gives anything.
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58][..]].concat();
    let start = [header(NEW.len() as u64, NEW), frame].concat();
    let limits = Limits {
        output_bytes: NEW.len() as u64,
        patch_bytes: 1_000_000,
    };
    let result = apply(
        &mut Cursor::new(OLD),
        start.chain(io::repeat(0)),
        &mut io::sink(),
        limits,
    );
    assert!(
        matches!(result, Err(ApplyError::TooLong(1_000_000))),
        "{result:?}"
    );
}

proptest! {
    #[test]
    fn any_body_is_refused_or_gives_what_is_announced(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(out) = applied(&with_body(&body)) {
            prop_assert_eq!(out, NEW);
        }
    }

    #[test]
    fn any_control_bytes_are_refused_or_give_what_is_announced(
        entries in 1_u32..4,
        control in prop::collection::vec(any::<u8>(), 3..20),
        diff in 0_u32..14,
    ) {
        let body = block([entries, control.len() as u32, diff, 13 - diff], &[&control, &[0; 13]]);
        if let Ok(out) = applied(&with_body(&body)) {
            prop_assert_eq!(out, NEW);
        }
    }
}
