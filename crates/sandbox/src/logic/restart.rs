//! When logic that failed is started again: a pure decision.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many failures within [`WINDOW`], and it stays off until it is asked for.
const FAILURES: usize = 3;
/// The time in which failures are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It starts again after this long, from its last snapshot.
    Again(Duration),
    /// It stays off.
    GiveUp,
}

/// The failures of one instance.
#[derive(Clone, Debug, Default)]
pub struct Restarts {
    failures: VecDeque<Instant>,
}

impl Restarts {
    /// Notes a failure, and decides.
    pub fn failed(&mut self, now: Instant) -> Decision {
        while self.failures.front().is_some_and(|first| now - *first >= WINDOW) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        match self.failures.len() {
            FAILURES.. => Decision::GiveUp,
            // At once the first time: most failures come of one event, which is not repeated.
            1 => Decision::Again(Duration::ZERO),
            _ => Decision::Again(Duration::from_secs(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_minute_are_enough() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let again = |seconds| Decision::Again(Duration::from_secs(seconds));
        let cases: [(&[u64], Decision); 5] = [
            (&[0], again(0)),
            (&[0, 1], again(1)),
            (&[0, 1, 2], Decision::GiveUp),
            (&[0, 30, 59], Decision::GiveUp),
            (&[0, 30, 60], again(1)),
        ];
        for (failures, expected) in cases {
            let mut restarts = Restarts::default();
            let decided = failures
                .iter()
                .map(|seconds| restarts.failed(at(*seconds)))
                .last();
            assert_eq!(decided, Some(expected), "{failures:?}");
        }
    }
}
