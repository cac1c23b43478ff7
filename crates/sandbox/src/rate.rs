//! How often something may happen: a bucket that fills with time. Pure: the time is told.

use std::time::Instant;

/// A bucket of permissions to do something once.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    most: f64,
    per_second: f64,
    has: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket that holds `most` and gains `per_second`.
    pub fn new(most: f64, per_second: f64, now: Instant) -> Self {
        Self {
            most,
            per_second,
            has: most,
            at: now,
        }
    }

    /// Takes one out. False if there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.has = (self.has + gained).min(self.most);
        self.at = self.at.max(now);
        let has = self.has >= 1.0;
        if has {
            self.has -= 1.0;
        }
        has
    }
}
