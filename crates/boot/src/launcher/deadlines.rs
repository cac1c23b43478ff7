//! How long the launcher waits for what. Refuses to measure time.

use std::time::Duration;

/// How long the launcher waits. All are awake time: a computer that sleeps uses none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From a start, or from the last reported progress, to the first paint.
    pub paint: Duration,
    /// From a start to the first paint, whatever progress is reported.
    pub paint_in_all: Duration,
    /// From one heartbeat to the next, and from the announced quit to the end.
    pub heartbeat: Duration,
    /// From being asked to end to being killed.
    pub end: Duration,
    /// The same for a version on trial: three starts that hang hard take 54 s in all.
    pub trial_end: Duration,
    /// From the first start of a version beside the one that hands over, to its taking over, in all.
    pub hand_over: Duration,
    /// From the taking over to the end of the one before.
    pub closing: Duration,
    /// How long a second launcher waits for the first to answer.
    pub answer: Duration,
    /// Starts of a confirmed version that crashes are counted over this time.
    pub restart_window: Duration,
    /// How many such starts there are.
    pub restarts: usize,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            paint: Duration::from_secs(15),
            paint_in_all: Duration::from_mins(10),
            heartbeat: Duration::from_secs(15),
            end: Duration::from_secs(5),
            trial_end: Duration::from_secs(3),
            hand_over: Duration::from_mins(2),
            closing: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            restart_window: Duration::from_mins(1),
            restarts: 3,
        }
    }
}

impl Deadlines {
    /// Reads `name=milliseconds` pairs, separated by commas, over the defaults. What is not understood
    /// is left out: this is for tests, and must not keep anything from starting.
    pub(crate) fn overridden(mut self, text: &str) -> Self {
        for pair in text.split(',') {
            let Some((name, Ok(milliseconds))) =
                pair.split_once('=').map(|(name, number)| (name, number.parse()))
            else {
                continue;
            };
            let time = Duration::from_millis(milliseconds);
            match name.trim() {
                "paint" => self.paint = time,
                "paint_in_all" => self.paint_in_all = time,
                "heartbeat" => self.heartbeat = time,
                "end" => (self.end, self.trial_end) = (time, time),
                "hand_over" => self.hand_over = time,
                "closing" => self.closing = time,
                "answer" => self.answer = time,
                "restart_window" => self.restart_window = time,
                _ => {}
            }
        }
        self
    }

    /// How often time is looked at while a deadline runs.
    pub(crate) fn tick(&self) -> Duration {
        let times = [
            self.paint,
            self.heartbeat,
            self.end,
            self.trial_end,
            self.hand_over,
            self.closing,
        ];
        let shortest = times.into_iter().min().unwrap_or_default();
        (shortest / 8).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_overridden_by_name() {
        let read = Deadlines::default().overridden("paint=200, end=50,heartbeat=soon,nonsense,other=1");
        let expected = Deadlines {
            paint: Duration::from_millis(200),
            end: Duration::from_millis(50),
            trial_end: Duration::from_millis(50),
            ..Deadlines::default()
        };
        assert_eq!(read, expected);
    }
}
