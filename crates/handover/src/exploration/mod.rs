//! Both machines, the launcher, the right and a user who types, in every order in which things can happen:
//! messages that are late, a connection that is cut, limits that pass, the death of each of the three.
//!
//! At no moment have two the right, nothing that was saved is lost, and a window is always there. The
//! world is small: two keys, two starts of the successor, one mishap. Every state of it is visited.

mod acts;
mod judge;
mod others;
mod step;
mod world;

use std::collections::{HashSet, VecDeque};

use step::Step;
use world::World;

/// Visits every state that can be reached, and says how many there are and which ends were seen.
fn explore(mishaps: u8, keys: u8) -> (usize, HashSet<&'static str>) {
    let mut seen = HashSet::new();
    let mut ends = HashSet::new();
    let mut next = VecDeque::from([World::new(mishaps, keys)]);
    seen.insert(next[0].clone());
    while let Some(world) = next.pop_front() {
        let steps = world.steps();
        if steps.iter().all(|step| matches!(step, Step::Type)) {
            ends.insert(world.judge_end());
        }
        for step in steps {
            let mut after = world.clone();
            after.take(&step);
            if seen.insert(after.clone()) {
                next.push_back(after);
            }
        }
    }
    (seen.len(), ends)
}

#[test]
fn without_a_mishap_the_new_one_takes_over_or_the_old_one_stays() {
    let (states, ends) = explore(0, 2);
    assert!(states > 1000, "{states}");
    assert_eq!(ends, HashSet::from(["the new one alone", "the old one stays"]));
}

#[test]
fn with_any_one_mishap_nobody_shares_the_right_and_nothing_saved_is_lost() {
    let (states, ends) = explore(1, 2);
    assert!(states > 10_000, "{states}");
    for end in [
        "the new one alone",
        "the old one stays",
        "nobody is left",
        "the launcher is gone",
    ] {
        assert!(ends.contains(end), "{end}: {ends:?}");
    }
}

#[test]
fn with_any_two_mishaps_as_well() {
    let (states, _) = explore(2, 1);
    assert!(states > 10_000, "{states}");
}
