//! When a host is left alone for a while, as a pure machine `next(breaker, event, now) -> verdict`. It
//! refuses to know hosts, requests and clocks: `now` is the time since any fixed moment.
//!
//! ```text
//! Closed --half of the last calls failed--> Open --30 s--> HalfOpen --one good call--> Closed
//!                                             ^                 |
//!                                             +--a bad call-----+
//! ```

use std::collections::VecDeque;
use std::time::Duration;

/// The figures of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// A control call that takes longer counts as failed, though its answer is used.
    pub slow: Duration,
    /// The share of failed calls, in percent, at which nothing is asked any more.
    pub opens_at_percent: u32,
    /// How many of the last calls are looked at.
    pub window: usize,
    /// Fewer calls than this say nothing.
    pub least: usize,
    /// For how long nothing is asked. Then one call tries.
    pub rest: Duration,
    /// The longest time that a server may ask for with `Retry-After`. What is longer counts as this.
    pub longest_rest: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(1),
            opens_at_percent: 50,
            window: 10,
            least: 4,
            rest: Duration::from_secs(30),
            longest_rest: Duration::from_hours(1),
        }
    }
}

/// What one host's calls have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Of the last calls, whether each failed; the newest last.
    last: VecDeque<bool>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Calls go through.
    #[default]
    Closed,
    /// None goes through before this moment.
    Open { until: Duration },
    /// One goes through; the one under way began then.
    HalfOpen { trying_since: Option<Duration> },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerEvent {
    /// Somebody wants to call.
    Ask,
    /// A call was answered. For a control call: after this long.
    Answered(Option<Duration>),
    /// A call was not answered in time, broke, or was answered with 5xx.
    Failed,
    /// No connection could be made, which may be this computer's own line: it says nothing of the host.
    Unsaid,
    /// The host asked to be left alone for so long.
    Busy(Duration),
    /// The user asks, or the network is another one: what was is no measure of what is.
    Fresh,
}

/// The answer to [`BreakerEvent::Ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call may be made.
    Go,
    /// Not before so much time has passed.
    Wait(Duration),
}

impl Breaker {
    /// Lets something happen. What follows is the answer to a question; after any other event it is
    /// [`Verdict::Go`] and means nothing.
    pub fn next(&mut self, event: BreakerEvent, policy: &BreakerPolicy, now: Duration) -> Verdict {
        match (event, self.state) {
            (BreakerEvent::Ask, State::Open { until }) if now < until => {
                return Verdict::Wait(until.saturating_sub(now));
            }
            (BreakerEvent::Ask, State::HalfOpen { trying_since: Some(since) })
                // Whoever tried may have gone without a word.
                if now < since.saturating_add(policy.rest) =>
            {
                return Verdict::Wait(since.saturating_add(policy.rest).saturating_sub(now));
            }
            (BreakerEvent::Ask, State::Open { .. } | State::HalfOpen { .. }) => {
                self.state = State::HalfOpen {
                    trying_since: Some(now),
                };
            }
            (BreakerEvent::Answered(took), _) => {
                self.count(took.is_some_and(|took| took > policy.slow), policy, now);
            }
            (BreakerEvent::Failed, _) => self.count(true, policy, now),
            (BreakerEvent::Unsaid, State::HalfOpen { .. }) => {
                self.state = State::HalfOpen { trying_since: None };
            }
            (BreakerEvent::Ask, State::Closed) | (BreakerEvent::Unsaid, _) => {}
            (BreakerEvent::Busy(wait), _) => {
                let until = now.saturating_add(wait.min(policy.longest_rest));
                self.state = State::Open { until };
            }
            (BreakerEvent::Fresh, State::Closed) => self.last.clear(),
            (BreakerEvent::Fresh, _) => self.state = State::HalfOpen { trying_since: None },
        }
        Verdict::Go
    }

    /// For how long a call would have to wait, without making one.
    pub fn wait(&self, policy: &BreakerPolicy, now: Duration) -> Duration {
        match self.clone().next(BreakerEvent::Ask, policy, now) {
            Verdict::Go => Duration::ZERO,
            Verdict::Wait(wait) => wait,
        }
    }

    fn count(&mut self, failed: bool, policy: &BreakerPolicy, now: Duration) {
        let until = now.saturating_add(policy.rest);
        match self.state {
            State::HalfOpen { .. } if failed => self.state = State::Open { until },
            State::HalfOpen { .. } => *self = Self::default(),
            // A call that was begun before says nothing about what comes after the rest.
            State::Open { .. } => {}
            State::Closed => {
                if self.last.len() >= policy.window.max(1) {
                    self.last.pop_front();
                }
                self.last.push_back(failed);
                let failures = self.last.iter().filter(|failed| **failed).count();
                let is_half = failures * 100 >= self.last.len() * policy.opens_at_percent as usize;
                if self.last.len() >= policy.least && is_half {
                    self.last.clear();
                    self.state = State::Open { until };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BreakerEvent::{Answered, Ask, Busy, Failed, Fresh, Unsaid};
    use super::*;

    const GOOD: BreakerEvent = Answered(Some(Duration::from_secs(1)));
    const SLOW: BreakerEvent = Answered(Some(Duration::from_millis(1001)));

    fn after(events: &[(u64, BreakerEvent)]) -> Verdict {
        let mut breaker = Breaker::default();
        let mut verdict = Verdict::Go;
        for (second, event) in events {
            verdict = breaker.next(*event, &BreakerPolicy::default(), Duration::from_secs(*second));
        }
        verdict
    }

    fn wait(seconds: u64) -> Verdict {
        Verdict::Wait(Duration::from_secs(seconds))
    }

    #[test]
    fn opens_at_half_of_the_calls_and_tries_one_after_thirty_seconds() {
        let four_bad = [(0, Failed), (0, Failed), (0, Failed), (0, Failed)];
        let then = |more: &[(u64, BreakerEvent)]| after(&[&four_bad[..], more].concat());
        assert_eq!(
            after(&[(0, Failed), (0, Failed), (0, Failed), (0, Ask)]),
            Verdict::Go
        );
        assert_eq!(then(&[(0, Ask)]), wait(30));
        assert_eq!(then(&[(29, Ask)]), wait(1));
        assert_eq!(then(&[(30, Ask)]), Verdict::Go, "one tries");
        assert_eq!(then(&[(30, Ask), (31, Ask)]), wait(29), "and no second one");
        assert_eq!(
            then(&[(30, Ask), (60, Ask)]),
            Verdict::Go,
            "it went without a word"
        );
        assert_eq!(then(&[(30, Ask), (31, GOOD), (31, Ask), (31, Ask)]), Verdict::Go);
        assert_eq!(then(&[(30, Ask), (31, Failed), (31, Ask)]), wait(30));
        assert_eq!(then(&[(30, Ask), (31, SLOW), (31, Ask)]), wait(30));
    }

    #[test]
    fn a_slow_call_counts_as_failed_and_a_good_one_against_it() {
        assert_eq!(
            after(&[(0, SLOW), (0, GOOD), (0, SLOW), (0, GOOD), (0, Ask)]),
            wait(30)
        );
        assert_eq!(
            after(&[(0, GOOD), (0, GOOD), (0, GOOD), (0, SLOW), (0, SLOW), (0, Ask)]),
            Verdict::Go
        );
        assert_eq!(
            after(&[(0, Failed), (0, GOOD), (0, GOOD), (0, Answered(None)), (0, Ask)]),
            Verdict::Go
        );
    }

    #[test]
    fn a_line_that_is_down_is_no_host_s_fault() {
        let down = [(0, Unsaid); 9];
        assert_eq!(after(&[&down[..], &[(0, Ask)]].concat()), Verdict::Go);
        let four_bad = [(0, Failed); 4];
        let tried = [(30, Ask), (31, Unsaid), (31, Ask)];
        assert_eq!(
            after(&[&four_bad[..], &tried].concat()),
            Verdict::Go,
            "the next one tries"
        );
    }

    #[test]
    fn old_calls_are_forgotten() {
        let mut events: Vec<_> = (0..10).map(|_| (0, GOOD)).collect();
        events.extend((0..4).map(|_| (1, Failed)));
        events.push((1, Ask));
        assert_eq!(after(&events), Verdict::Go, "four of ten");
        events.insert(10, (1, Failed));
        assert_eq!(after(&events), wait(30), "five of ten");
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it_up_to_an_hour() {
        assert_eq!(after(&[(0, Busy(Duration::from_mins(2))), (20, Ask)]), wait(100));
        assert_eq!(after(&[(0, Busy(Duration::MAX)), (0, Ask)]), wait(3600));
        assert_eq!(after(&[(0, Busy(Duration::ZERO)), (0, Ask)]), Verdict::Go);
    }

    #[test]
    fn another_network_or_the_user_s_wish_lets_one_call_through() {
        let opened = [
            (0, Failed),
            (0, Failed),
            (0, Failed),
            (0, Failed),
            (1, Fresh),
            (1, Ask),
        ];
        assert_eq!(after(&opened), Verdict::Go);
        assert_eq!(after(&[&opened[..], &[(2, Failed), (2, Ask)]].concat()), wait(30));
        assert_eq!(
            after(&[
                (0, Failed),
                (0, Failed),
                (0, Failed),
                (0, Fresh),
                (0, Failed),
                (0, Ask)
            ]),
            Verdict::Go
        );
    }
}
