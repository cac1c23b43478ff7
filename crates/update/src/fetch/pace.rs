//! How fast bytes come: whether it is too slow, and how long the rest will take. Pure: `now` is the time
//! since any fixed moment.

use std::collections::VecDeque;
use std::time::Duration;

/// The bytes of the last while.
#[derive(Clone, Debug)]
pub struct Pace {
    window: Duration,
    began: Duration,
    /// When how many bytes came, oldest first: at most 32 entries.
    came: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Watches a window of this length, from now on.
    pub fn new(window: Duration, now: Duration) -> Self {
        Self {
            window: window.max(Duration::from_millis(1)),
            began: now,
            came: VecDeque::new(),
        }
    }

    /// Bytes came.
    pub fn add(&mut self, bytes: u64, now: Duration) {
        let grain = self.window / 32;
        match self.came.back_mut() {
            Some((at, sum)) if now.saturating_sub(*at) < grain => *sum += bytes,
            _ => self.came.push_back((now, bytes)),
        }
        while self
            .came
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) > self.window)
        {
            self.came.pop_front();
        }
    }

    /// Bytes per second over the window, once it has been watched for all of it. None before.
    pub fn per_second(&self, now: Duration) -> Option<u64> {
        let is_whole = now.saturating_sub(self.began) >= self.window;
        is_whole.then(|| self.so_far(now))
    }

    /// Bytes per second over what was watched so far, the window at most.
    pub fn so_far(&self, now: Duration) -> u64 {
        let watched = now.saturating_sub(self.began).min(self.window);
        let young = self
            .came
            .iter()
            .filter(|(at, _)| now.saturating_sub(*at) <= self.window);
        let bytes: u64 = young.map(|(_, bytes)| bytes).sum();
        (bytes as f64 / watched.as_secs_f64().max(0.001)) as u64
    }

    /// Whether less than `floor` bytes per second came over the whole window.
    pub fn is_below(&self, floor: u64, now: Duration) -> bool {
        self.per_second(now).is_some_and(|rate| rate < floor)
    }
}

/// The seconds that are left for so many bytes, rounded up. None if nothing comes: that is not known.
pub fn seconds_left(bytes: u64, per_second: u64) -> Option<u32> {
    (per_second > 0).then(|| u32::try_from(bytes.div_ceil(per_second)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_crawl_is_found_after_the_window_and_not_before() {
        let mut pace = Pace::new(seconds(10), seconds(100));
        for second in 101..=140 {
            pace.add(500, seconds(second));
            assert_eq!(pace.is_below(1_000, seconds(second)), second >= 110, "{second}");
        }
        pace.add(60_000, seconds(141));
        assert!(!pace.is_below(1_000, seconds(141)));
        assert!(
            pace.is_below(1_000, seconds(152)),
            "what came before the window counts no more"
        );
    }

    #[test]
    fn a_silence_shows_without_a_byte_to_say_so() {
        let mut pace = Pace::new(seconds(10), seconds(0));
        pace.add(1_000_000, seconds(1));
        assert!(!pace.is_below(1_000, seconds(11)));
        assert!(pace.is_below(1_000, seconds(12)));
    }

    #[test]
    fn many_small_portions_take_little_room() {
        let mut pace = Pace::new(seconds(1), seconds(0));
        for at in 0..100_000_u64 {
            pace.add(10, Duration::from_micros(at * 100));
        }
        assert!(pace.came.len() <= 34, "{}", pace.came.len());
        let rate = pace.per_second(seconds(10)).unwrap_or_default();
        assert!((95_000..=105_000).contains(&rate), "{rate}");
    }

    #[test]
    fn time_left_is_rounded_up_and_unknown_when_nothing_comes() {
        assert_eq!(seconds_left(1_001, 1_000), Some(2));
        assert_eq!(seconds_left(0, 1_000), Some(0));
        assert_eq!(seconds_left(1, 0), None);
        assert_eq!(seconds_left(u64::MAX, 1), Some(u32::MAX));
    }
}
