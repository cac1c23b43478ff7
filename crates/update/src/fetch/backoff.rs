//! How long to wait before the next try. Pure: the randomness is handed in.

use std::time::Duration;

use crate::fetch::Limits;

/// The pauses between tries: exponential, each with a jitter between half and the whole of it, so that
/// a million clients that failed together don't come back together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pause: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            pause: limits.pause,
            longest: limits.longest_pause,
        }
    }

    /// The pause after `failed` failed tries. `random` is uniform over all its values.
    pub(crate) fn pause(self, failed: u32, random: u32) -> Duration {
        let doubled = self
            .pause
            .saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        doubled
            .min(self.longest)
            .mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0)
    }
}

/// A random number for jitter. Without randomness there is none: the pause is then the shortest one.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use moult_model::Stages;

    use super::*;

    #[test]
    fn the_limits_are_those_of_the_settings() {
        let mut stages = Stages::default();
        let usual = Limits::default();
        assert_eq!(Limits::of_checks(stages.detect), usual);
        assert_eq!(Limits::of_downloads(stages.download), usual);
        stages.detect.timeout_seconds = 2;
        stages.download.timeout_seconds = 0;
        stages.download.tries = 7;
        stages.download.longest_pause_ms = 9;
        let checks = Limits::of_checks(stages.detect);
        assert_eq!(
            (checks.connect, checks.control),
            (Duration::from_secs(2), Duration::from_secs(2))
        );
        let downloads = Limits::of_downloads(stages.download);
        assert_eq!((downloads.stall, downloads.tries), (Duration::from_hours(24), 7));
        assert_eq!(
            Backoff::new(&downloads).pause(3, u32::MAX),
            Duration::from_millis(9)
        );
    }

    #[test]
    fn pauses_double_stay_in_their_band_and_end_at_the_longest() {
        let backoff = Backoff::new(&Limits::default());
        for (failed, least, most) in [
            (1, 250, 500),
            (2, 500, 1000),
            (3, 1000, 2000),
            (40, 15_000, 30_000),
        ] {
            assert_eq!(backoff.pause(failed, 0), Duration::from_millis(least), "{failed}");
            assert_eq!(
                backoff.pause(failed, u32::MAX),
                Duration::from_millis(most),
                "{failed}"
            );
        }
    }
}
