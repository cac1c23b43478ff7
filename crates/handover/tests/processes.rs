//! The hand-over between real processes, one of which is killed, or stops, at each point of it.
//!
//! The test plays the launcher and the user. Whatever happens: no two ever have the right, what was saved
//! is never undone, one application stands in the end, shows what was typed, takes further keys, and the
//! local interface answers at the port where it was.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

mod stage;

use stage::{Fault, Stage};

/// The points of the old one, in the order in which they come.
const OLD: [&str; 15] = [
    "called",
    "welcome",
    "said welcome",
    "built",
    "heard ready",
    "freeze",
    "frozen",
    "said last",
    "gave listener",
    "gave right",
    "heard taken",
    "heard raised",
    "parting",
    "said bye",
    "leaving",
];

/// The points of the new one.
const NEW: [&str; 14] = [
    "start",
    "welcomed",
    "said progress",
    "said ready",
    "heard last",
    "got listener",
    "got right",
    "said taken",
    "taking",
    "opened",
    "said raised",
    "heard bye",
    "claimed",
    "alone",
];

#[test]
fn a_hand_over_goes_through_every_point_in_this_order() {
    let stage = Stage::play(None);
    assert_eq!(stage.points("old"), OLD);
    assert_eq!(stage.points("new-1"), NEW);
    stage.judge(&["new-1"]);
}

#[test]
fn the_old_one_is_killed_at_each_point() {
    each(&OLD, |point| Fault::Dies("old", point), &["new-1"]);
}

#[test]
fn the_new_one_is_killed_at_each_point() {
    // Before the right has moved a second one is started; after that the old one calls it off. Once it is on
    // top the old one may have said farewell, and what is due is started.
    let dies = |point| Fault::Dies("new-1", point);
    each(&NEW[..4], dies, &["new-2"]);
    each(&NEW[4..10], dies, &["old"]);
    each(&NEW[10..12], dies, &["old", "new-2", "old-again"]);
    each(&NEW[12..], dies, &["old-again"]);
}

#[test]
fn the_new_one_stops_when_the_old_one_is_frozen() {
    let points = [
        "heard last",
        "got listener",
        "got right",
        "said taken",
        "taking",
        "opened",
    ];
    each(&points, |point| Fault::Hangs("new-1", point), &["old"]);
}

#[test]
fn the_old_one_stops_when_the_new_one_has_the_right() {
    each(
        &["heard raised", "parting", "said bye"],
        |point| Fault::Hangs("old", point),
        &["new-1"],
    );
}

/// All of them at the same time: they mostly wait.
fn each(points: &[&'static str], fault: impl Fn(&'static str) -> Fault, survivors: &[&str]) {
    std::thread::scope(|scope| {
        for point in points {
            let fault = fault(point);
            scope.spawn(move || Stage::play(Some(fault)).judge(survivors));
        }
    });
}
