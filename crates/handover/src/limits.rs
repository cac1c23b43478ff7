//! How long each part of a hand-over may take. Refuses to know what happens when a limit is passed.

use std::time::Duration;

/// The limits. Those of both sides belong together: the old one decides, so its limits are the shorter ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Old: for the launcher to start a successor. A launcher that knows no hand-over never answers.
    pub answer: Duration,
    /// Old: without a sign of progress from the successor, until it is ready. Longer than the launcher takes to
    /// end one that hangs: it is the launcher that counts that against the version, and starts it again.
    pub progress: Duration,
    /// Old: from the start of a successor until it is ready.
    pub ready: Duration,
    /// Old: without input for this long is calm.
    pub calm: Duration,
    /// Old: after this long of waiting for calm it goes on all the same, unless text is being composed.
    pub patience: Duration,
    /// Old: after this long of composing it gives up.
    pub composing: Duration,
    /// Old: from the freeze until the successor's window is on top.
    pub switch: Duration,
    /// Old: for taking the right to write back.
    pub retake: Duration,
    /// New: for the old one's answer to Hello. Shorter than the launcher waits for a sign of life: an old one that
    /// does not answer is not the new one's fault.
    pub welcome: Duration,
    /// New: from Ready until the state comes. The old one may wait for calm as long as it likes within this.
    pub offer: Duration,
    /// New: for the old one's last message after the window is on top.
    pub bye: Duration,
    /// New: for the right to write when the old one is gone without a word.
    pub seek: Duration,
    /// New: how long it waits for the launcher to end it, if the old one has gone without a word.
    pub claim: Duration,
    /// Both: for a message to be accepted by the system.
    pub send: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            answer: seconds(10),
            progress: seconds(25),
            ready: seconds(60),
            calm: Duration::from_millis(300),
            patience: seconds(5),
            composing: seconds(60),
            switch: Duration::from_millis(2500),
            retake: seconds(5),
            welcome: seconds(10),
            offer: seconds(90),
            bye: seconds(5),
            seek: seconds(5),
            claim: seconds(1),
            send: seconds(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use moult_boot::launcher::Deadlines;

    use super::*;

    #[test]
    fn the_new_one_waits_longer_than_the_old_one_decides() {
        let limits = Limits::default();
        // Else the successor would leave, or take over, while the old one is still deciding.
        assert!(limits.offer > limits.patience + limits.composing);
        assert!(limits.bye > limits.switch);
    }

    #[test]
    fn one_that_hangs_is_judged_by_the_launcher_and_one_that_is_not_answered_is_not() {
        let (limits, deadlines) = (Limits::default(), Deadlines::default());
        assert!(limits.progress > deadlines.paint + deadlines.end);
        assert!(limits.welcome < deadlines.paint);
    }
}
