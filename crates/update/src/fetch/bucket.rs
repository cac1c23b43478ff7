//! A limit on bytes per second, as a token bucket. Pure: `now` is the time since any fixed moment.

use std::time::Duration;

/// Lets so many bytes through per second, and a little more at once after a rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Bytes per second. More than none.
    rate: f64,
    /// The most that is saved up.
    depth: f64,
    /// What is saved up at `at`; below none while somebody still waits for what he took.
    level: f64,
    at: Duration,
}

impl Bucket {
    /// A bucket for this many bytes per second. None: there is no limit.
    pub fn new(bytes_per_second: u64) -> Option<Self> {
        (bytes_per_second > 0).then(|| {
            let rate = bytes_per_second as f64;
            // A quarter of a second, so that the link is idle in between rather than full for long.
            let depth = rate / 4.0;
            Self {
                rate,
                depth,
                level: depth,
                at: Duration::ZERO,
            }
        })
    }

    /// Takes bytes that have come, and says how long to wait before the next are read. Who takes more than
    /// there is waits until it is paid for, so any sizes come to the same rate.
    pub fn take(&mut self, bytes: u64, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.level = (self.level + passed * self.rate).min(self.depth) - bytes as f64;
        if self.level >= 0.0 {
            Duration::ZERO
        } else {
            Duration::try_from_secs_f64(-self.level / self.rate).unwrap_or(Duration::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pieces of these sizes in turn, waits as it is told, and says how long it took.
    fn time_for(rate: u64, total: u64, sizes: &[u64], readers: usize) -> f64 {
        let mut bucket = Bucket::new(rate).unwrap_or_else(|| panic!("no limit"));
        let mut clocks = vec![Duration::ZERO; readers];
        let (mut read, mut turn) = (0, 0);
        while read < total {
            // Whoever is free first reads next.
            let reader = (0..readers).min_by_key(|reader| clocks[*reader]).unwrap_or(0);
            let size = sizes[turn % sizes.len()];
            let now = clocks[reader];
            clocks[reader] = now + bucket.take(size, now);
            (read, turn) = (read + size, turn + 1);
        }
        clocks.into_iter().max().unwrap_or_default().as_secs_f64()
    }

    #[test]
    fn any_sizes_and_any_number_of_readers_come_to_the_same_rate() {
        for (sizes, readers) in [
            (&[1_000][..], 1),
            (&[16_384], 1),
            (&[16_384], 2),
            (&[1, 65_536, 300], 2),
            (&[200_000], 1),
        ] {
            let seconds = time_for(100_000, 5_000_000, sizes, readers);
            assert!(
                (48.0..=54.0).contains(&seconds),
                "{sizes:?}, {readers}: {seconds}"
            );
        }
    }

    #[test]
    fn a_rest_saves_up_a_quarter_of_a_second_and_no_more() {
        let mut bucket = Bucket::new(1_000).unwrap_or_else(|| panic!("no limit"));
        assert_eq!(bucket.take(250, Duration::ZERO), Duration::ZERO);
        assert_eq!(bucket.take(500, Duration::ZERO), Duration::from_millis(500));
        assert_eq!(bucket.take(250, Duration::from_hours(1)), Duration::ZERO);
        assert_eq!(bucket.take(1, Duration::from_hours(1)), Duration::from_millis(1));
    }

    #[test]
    fn a_clock_that_goes_back_and_no_limit_do_no_harm() {
        assert_eq!(Bucket::new(0), None);
        let mut bucket = Bucket::new(1_000).unwrap_or_else(|| panic!("no limit"));
        bucket.take(250, Duration::from_secs(10));
        assert_eq!(bucket.take(1_000, Duration::from_secs(5)), Duration::from_secs(1));
        assert!(bucket.take(u64::MAX, Duration::from_secs(11)) > Duration::from_hours(1));
    }
}
