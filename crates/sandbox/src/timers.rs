//! Timers that wake logic. They go by the computer's clock and are kept on the disk, so that one of 30 days outlives a
//! restart. Pure: the time is told, in milliseconds since 1970.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Timers of one instance.
const MOST: usize = 16;
/// No timer goes off later than this from now, whatever the clock said when it was set.
const LONGEST_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// An instance has as many timers as it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} timers are as many as there may be")]
pub struct TooManyTimers;

/// All timers: for each instance the time at which each goes off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    #[serde(default)]
    instances: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A timer that went off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whose.
    pub instance: String,
    /// Its name.
    pub name: String,
}

impl Timers {
    /// Sets a timer. One of the same name is replaced.
    pub fn set(&mut self, instance: &str, name: &str, after_ms: u64, now: u64) -> Result<(), TooManyTimers> {
        let timers = self.instances.entry(instance.to_owned()).or_default();
        if timers.len() >= MOST && !timers.contains_key(name) {
            return Err(TooManyTimers);
        }
        timers.insert(name.to_owned(), now.saturating_add(after_ms.min(LONGEST_MS)));
        Ok(())
    }

    /// Takes a timer back. One that does not run is no error.
    pub fn clear(&mut self, instance: &str, name: &str) {
        if let Some(timers) = self.instances.get_mut(instance) {
            timers.remove(name);
        }
    }

    /// Takes out the timers that are due, the earliest first. If the clock was set back, none waits longer than any may.
    pub fn due(&mut self, now: u64) -> Vec<Due> {
        let latest = now.saturating_add(LONGEST_MS);
        let mut due = Vec::new();
        for (instance, timers) in &mut self.instances {
            timers.retain(|name, at| {
                *at = (*at).min(latest);
                let is_due = *at <= now;
                if is_due {
                    due.push((
                        *at,
                        Due {
                            instance: instance.clone(),
                            name: name.clone(),
                        },
                    ));
                }
                !is_due
            });
        }
        self.instances.retain(|_, timers| !timers.is_empty());
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, due)| due).collect()
    }

    /// When the next one goes off.
    pub fn next(&self) -> Option<u64> {
        self.instances.values().flat_map(BTreeMap::values).min().copied()
    }

    /// Only these instances are left on the board.
    pub fn keep(&mut self, instances: &[String]) {
        self.instances.retain(|instance, _| instances.contains(instance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(due: &[Due]) -> Vec<&str> {
        due.iter().map(|due| &*due.name).collect()
    }

    #[test]
    fn a_timer_goes_off_once_in_order_and_not_before_its_time() {
        let mut timers = Timers::default();
        for (name, after) in [("b", 2_000), ("a", 3_000), ("c", 1_000), ("again", 1_000)] {
            assert_eq!(timers.set("one", name, after, 10_000), Ok(()));
        }
        assert_eq!(timers.set("one", "again", 9_000, 10_000), Ok(()));
        timers.clear("one", "unknown");
        timers.clear("two", "unknown");
        let cases: [(u64, &[&str], Option<u64>); 4] = [
            (10_999, &[], Some(11_000)),
            (12_500, &["c", "b"], Some(13_000)),
            (12_500, &[], Some(13_000)),
            (99_000, &["a", "again"], None),
        ];
        for (now, expected, next) in cases {
            assert_eq!(names(&timers.due(now)), expected, "{now}");
            assert_eq!(timers.next(), next, "{now}");
        }
    }

    #[test]
    fn the_seventeenth_of_an_instance_is_refused_and_one_of_the_same_name_is_not() {
        let mut timers = Timers::default();
        for number in 0..MOST {
            assert_eq!(timers.set("one", &number.to_string(), 1_000, 0), Ok(()));
        }
        assert_eq!(timers.set("one", "more", 1_000, 0), Err(TooManyTimers));
        assert_eq!(timers.set("one", "0", 5_000, 0), Ok(()));
        assert_eq!(timers.set("two", "more", 1_000, 0), Ok(()));
        timers.clear("one", "0");
        assert_eq!(timers.set("one", "more", 1_000, 0), Ok(()));
        timers.keep(&["two".to_owned()]);
        assert_eq!(names(&timers.due(99_000)), ["more"]);
    }

    #[test]
    fn after_a_clock_that_was_ahead_no_timer_waits_longer_than_any_may() {
        let mut timers = Timers::default();
        let wrong = 400 * LONGEST_MS;
        assert_eq!(timers.set("one", "a", 1_000, wrong), Ok(()));
        assert!(timers.due(1_000).is_empty());
        assert_eq!(timers.next(), Some(1_000 + LONGEST_MS));
    }
}
