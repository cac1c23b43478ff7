//! Segments and parts that lie outside of the files or of each other.

use super::super::{MAX_SEGMENTS, MAX_SEGMENTS_UNLED, MIN_PART_BYTES};
use super::*;

#[test]
fn a_good_segment_is_taken() {
    let body = vec![0; 100];
    let good = patch(NEW_BYTES, &[(NEW_BYTES, control(&[segment(3, 0, 10)]), body)]);
    // The body is nonsense: what is refused is that, not the segment.
    assert_eq!(contents(&good[..]).unwrap().copied_bytes, 10);
}

#[test]
fn a_negative_length_is_refused() {
    // CVE-2014-9862: a length with its sign bit set passed the check and moved the pointer back.
    for length in [1 << 31, (1 << 31) + 5, u32::MAX, u32::MAX - 12, i32::MIN as u32] {
        assert_eq!(
            fault(control(&[segment(0, 0, length)])),
            PartFault::OutsideNew,
            "{length:#x}"
        );
        assert_eq!(
            fault(control(&[segment(13, 10, length)])),
            PartFault::OutsideNew,
            "{length:#x}"
        );
    }
}

#[test]
fn lengths_whose_sum_overflows_are_refused() {
    // CVE-2020-14315: the check of a sum that had wrapped around.
    let table = [
        (segment(u32::MAX, 0, 2), PartFault::OutsideNew),
        (segment(8, 0, u32::MAX - 6), PartFault::OutsideNew),
        (segment(0, u32::MAX, 2), PartFault::OutsideOld),
        (segment(0, u32::MAX - 5, 10), PartFault::OutsideOld),
        (segment(0, u32::MAX - 9, 10), PartFault::OutsideOld),
    ];
    for (segment, expected) in table {
        assert_eq!(fault(control(&[segment])), expected, "{segment:?}");
    }
    // The second goes on where the sum of the first has wrapped around.
    let twice = [segment(0, 0, 4), segment(4_u32.wrapping_sub(8), 0, 12)];
    assert_eq!(fault(control(&twice)), PartFault::OutsideNew);
}

#[test]
fn reads_outside_of_the_old_file_are_refused() {
    let table = [
        ("before its beginning", segment(0, 0_u32.wrapping_sub(1), 5)),
        ("far before it", segment(0, 1 << 31, 5)),
        ("over its end", segment(0, 6, 5)),
        ("at its end", segment(0, 10, 1)),
        ("behind its end", segment(0, 11, 1)),
        ("all of it and more", segment(0, 0, 11)),
    ];
    for (what, segment) in table {
        assert_eq!(fault(control(&[segment])), PartFault::OutsideOld, "{what}");
        let second = Segment { new: 2, ..segment };
        let first = Segment {
            new: 0,
            old: 3,
            length: 2,
        };
        assert_eq!(fault(control(&[first, second])), PartFault::OutsideOld, "{what}");
    }
}

#[test]
fn writes_outside_of_the_new_file_are_refused() {
    let table = [
        ("over its end", segment(4, 0, 10)),
        ("at its end", segment(13, 0, 1)),
        ("behind its end", segment(14, 0, 1)),
        ("before its beginning", segment(u32::MAX, 0, 5)),
        ("nothing", segment(4, 0, 0)),
    ];
    for (what, segment) in table {
        assert_eq!(fault(control(&[segment])), PartFault::OutsideNew, "{what}");
    }
    let back = [segment(4, 0, 4), segment(7, 0, 4)];
    assert_eq!(
        fault(control(&back)),
        PartFault::OutsideNew,
        "before the end of the last"
    );
}

/// What is wrong with the first of two parts.
fn fault_of_first(length: u32, control: Vec<u8>) -> Option<PartFault> {
    let new_bytes = length + 1;
    let bad = patch(new_bytes, &[(length, control, vec![0; 50])]);
    match applied(&bad, new_bytes).0 {
        Err(ApplyError::Part { part: 0, fault }) => Some(fault),
        _ => None,
    }
}

#[test]
fn a_segment_over_the_end_of_its_part_is_refused() {
    let over = segment(MIN_PART_BYTES - 6, 0, 7);
    let fault = fault_of_first(MIN_PART_BYTES, control(&[over]));
    assert_eq!(fault, Some(PartFault::OutsideNew));
}

#[test]
fn parts_that_give_too_much_or_tell_what_needs_no_telling_are_refused() {
    for length in [NEW_BYTES, NEW_BYTES + 1, 1 << 31, u32::MAX] {
        let mut bad = patch(NEW_BYTES, &[]);
        put_number(&mut bad, length);
        let (result, _) = applied(&[bad, vec![0; 50]].concat(), NEW_BYTES);
        assert!(
            matches!(
                result,
                Err(ApplyError::Part {
                    part: 0,
                    fault: PartFault::Length
                })
            ),
            "{length}: {result:?}"
        );
    }
}

/// Layouts with references.
fn led() -> Layout {
    layout(&[(0, 10, 0)], vec![region(0, 10, Kind::X86_64)])
}

#[test]
fn more_segments_than_a_part_may_have_are_refused() {
    for (most, layout) in [(MAX_SEGMENTS_UNLED, Layout::default()), (MAX_SEGMENTS, led())] {
        for count in [most as u32 + 1, (1 << COUNT_BITS) - 1] {
            let control = control_claiming(count, &layout, &layout, &[], &[]);
            assert_eq!(fault(control), PartFault::Segments, "{count}");
        }
    }
}

#[test]
fn a_short_part_that_is_not_the_last_is_refused() {
    let short = Some(PartFault::Short);
    let few = || control(&[segment(0, 0, 1)]);
    for (length, expected) in [
        (1, short),
        (1 << 16, short),
        (MIN_PART_BYTES - 1, short),
        (MIN_PART_BYTES, None),
        (1 << 18, None),
    ] {
        let found = fault_of_first(length, few());
        assert_eq!(found == short, expected == short, "{length}: {found:?}");
    }
    // As many segments as there may be are enough.
    let most = MAX_SEGMENTS_UNLED as u32;
    for (count, expected) in [(most - 1, short), (most, None)] {
        let segments: Vec<_> = (0..count).map(|at| segment(at, 3, 1)).collect();
        let found = fault_of_first(MIN_PART_BYTES - 1, control(&segments));
        assert_eq!(found == short, expected == short, "{count}: {found:?}");
    }
    let last = patch(NEW_BYTES, &[(NEW_BYTES, few(), vec![0; 50])]);
    assert_eq!(contents(&last[..]).unwrap().parts, 1, "the last one may be short");
}
