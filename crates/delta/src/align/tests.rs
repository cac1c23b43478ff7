use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{BLOCK, Cancelled, Weights, align_on};
use crate::segment::Segment;
use crate::testing::Noise;

fn segments_on(threads: usize, old: &[u8], new: &[u8]) -> Vec<Segment> {
    let found = align_on(threads, old, new, &Weights::DEFAULT, &|_, _| {
        ControlFlow::Continue(())
    });
    found.unwrap_or_else(|Cancelled| panic!("nobody cancelled"))
}

fn segments(old: &[u8], new: &[u8]) -> Vec<Segment> {
    let found = segments_on(1, old, new);
    let mut end = 0;
    for segment in &found {
        assert!(
            segment.length > 0 && segment.new >= end,
            "{segment:?} after {end}"
        );
        end = segment.new + segment.length;
        assert!(end as usize <= new.len(), "{segment:?}");
        assert!(
            (segment.old + segment.length) as usize <= old.len(),
            "{segment:?}"
        );
    }
    found
}

fn equal_bytes(old: &[u8], new: &[u8]) -> usize {
    let equal = |segment: &Segment| {
        let at = |start: u32| start as usize..(start + segment.length) as usize;
        let pairs = old[at(segment.old)].iter().zip(&new[at(segment.new)]);
        pairs.filter(|(old, new)| old == new).count()
    };
    segments(old, new).iter().map(equal).sum()
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    Noise::new(seed).bytes(length)
}

fn segment(new: u32, old: u32, length: usize) -> Segment {
    let length = length as u32;
    Segment { new, old, length }
}

#[test]
fn what_is_the_same_is_one_segment() {
    for length in [64, 1000, BLOCK - 1, BLOCK, BLOCK + 100, 3 * BLOCK + 7] {
        let file = noise(length as u64, length);
        assert_eq!(segments(&file, &file), [segment(0, 0, length)], "{length} bytes");
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let file = noise(1, 5000);
    for (old, new) in [
        (&[][..], &[][..]),
        (&file, &[]),
        (&[], &file),
        (&file[..7], &file[..7]),
        (&[0], &[0]),
    ] {
        assert_eq!(segments(old, new), [], "{} to {} bytes", old.len(), new.len());
    }
    assert_eq!(segments(&file, &noise(2, 5000)), [], "noise from other noise");
}

#[test]
fn an_insertion_and_a_removal_leave_two_segments() {
    let old = noise(3, 20_000);
    let inserted = [&old[..9000], &noise(4, 500), &old[9000..]].concat();
    assert_eq!(
        segments(&old, &inserted),
        [segment(0, 0, 9000), segment(9500, 9000, 11_000)]
    );
    let removed = [&old[..9000], &old[9500..]].concat();
    assert_eq!(
        segments(&old, &removed),
        [segment(0, 0, 9000), segment(9000, 9500, 10_500)]
    );
}

#[test]
fn parts_that_changed_places_are_found() {
    let old = noise(5, 30_000);
    let new = [&old[20_000..], &old[..5000], &old[5000..20_000]].concat();
    assert_eq!(
        segments(&old, &new),
        [segment(0, 20_000, 10_000), segment(10_000, 0, 20_000)]
    );
}

#[test]
fn a_segment_begins_before_the_first_long_match_if_that_is_cheaper() {
    let old = noise(6, 10_000);
    let mut moved = old[4000..6000].to_vec();
    // The first 200 bytes have no match of 8 bytes.
    for at in (0..200).step_by(7) {
        moved[at] ^= 0x55;
    }
    let new = [&noise(7, 3000)[..], &moved].concat();
    let found = segments(&old, &new);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].new < 3050 && found[0].old == found[0].new + 1000,
        "{found:?}"
    );
}

#[test]
fn single_bytes_that_differ_do_not_end_a_segment() {
    let old = noise(8, 50_000);
    let mut new = old.clone();
    for at in (50..50_000).step_by(40) {
        new[at] ^= 1;
    }
    assert_eq!(segments(&old, &new), [segment(0, 0, 50_000)]);
}

#[test]
fn repetitive_files_are_done_in_time() {
    let zeros = vec![0; 2 * BLOCK];
    let words = b"abcdefg".repeat(BLOCK / 7);
    let rare = (0..2 * BLOCK)
        .map(|at| u8::from(at % 4099 == 0))
        .collect::<Vec<_>>();
    for (old, new) in [
        (&zeros, &zeros),
        (&words, &words),
        (&rare, &rare),
        (&zeros, &rare),
        (&rare, &zeros),
        (&words, &rare),
    ] {
        let old = &old[..old.len() - 1000];
        let covered = equal_bytes(old, new);
        assert!(
            new == &words || covered > new.len() / 100 * 99 || old[0] == b'a',
            "{covered} of {}",
            new.len()
        );
    }
}

#[test]
fn a_caller_can_give_up() {
    let file = noise(9, 3 * BLOCK);
    let calls = AtomicU32::new(0);
    let progress = |done, total| {
        assert!(done <= total && total == 6 * BLOCK as u64);
        if calls.fetch_add(1, Ordering::Relaxed) == 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    assert_eq!(
        align_on(1, &file, &file, &Weights::DEFAULT, &progress),
        Err(Cancelled)
    );
    assert_eq!(calls.into_inner(), 2);
}

/// An edit: where, how many bytes go, and which come.
fn edits() -> impl Strategy<Value = Vec<(usize, usize, Vec<u8>)>> {
    vec((0..100_000_usize, 0..2000_usize, vec(any::<u8>(), 0..200)), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn edits_cost_little_more_than_what_they_change(seed: u64, edits in edits()) {
        let old = noise(seed, 100_000);
        let mut new = old.clone();
        let mut changed = 0;
        for (at, gone, come) in edits {
            let at = at.min(new.len());
            let end = (at + gone).min(new.len());
            changed += come.len() + 100;
            new.splice(at..end, come);
        }
        prop_assert!(equal_bytes(&old, &new) + changed >= new.len());
    }

    #[test]
    fn any_bytes_give_segments_inside_both_files(
        old in vec(0..4_u8, 0..3000),
        new in vec(0..4_u8, 0..3000),
    ) {
        segments(&old, &new);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn the_number_of_threads_changes_nothing(seed: u64, moves in vec((0..3 * BLOCK, 1..200_000_usize), 1..20)) {
        let old = noise(seed, 3 * BLOCK);
        let new = moves.iter().flat_map(|&(at, length)| &old[at..old.len().min(at + length)]).copied().collect::<Vec<_>>();
        let one = segments(&old, &new);
        for threads in [2, 3, 8] {
            prop_assert_eq!(&one, &segments_on(threads, &old, &new));
        }
    }
}
