//! So many times within a moving window, and no more. Refuses to look at a clock.

use std::collections::VecDeque;
use std::time::Duration;

/// What was spent, and when. Times are since the launcher began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    limit: usize,
    window: Duration,
    spent: VecDeque<Duration>,
}

impl Budget {
    pub(crate) fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            spent: VecDeque::new(),
        }
    }

    /// Spends one, if one is left.
    pub(crate) fn spend(&mut self, at: Duration) -> bool {
        while self
            .spent
            .front()
            .is_some_and(|then| at.saturating_sub(*then) > self.window)
        {
            self.spent.pop_front();
        }
        let within = self.spent.len() < self.limit;
        if within {
            self.spent.push_back(at);
        }
        within
    }

    pub(crate) fn clear(&mut self) {
        self.spent.clear();
    }
}
