//! When an executable that waits is asked for again, and when it is installed without a word. Pure.
//!
//! An application that runs for weeks would never be renewed if a "later" lasted for ever. So it is asked
//! again; and what has waited for long is installed when nobody is at the computer. Nothing is lost by that:
//! the desk, states and unsaved input go over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moult_model::Settings;

/// An executable that is in its slot and waits for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Since when.
    pub since: Timestamp,
    /// When it was last put off.
    pub put_off: Option<Timestamp>,
    /// Whether the versions before it should not be used any longer.
    pub critical: bool,
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// To wait.
    Nothing,
    /// To ask again.
    Remind,
    /// To install it: nobody is here.
    Install,
}

/// After this many times of reminding it is installed when nobody is here: a week, as usual.
const REMINDERS: i64 = 7;
/// What is critical is asked for again after this long.
const CRITICAL_REMINDER: SignedDuration = SignedDuration::from_hours(1);
/// What is critical and has waited for [`CRITICAL_REMINDER`] needs only this much quiet.
const SHORT_QUIET: Duration = Duration::from_secs(30);

/// Says what it is time for. `idle`: for how long nobody has touched the computer.
pub fn due(waiting: Waiting, settings: &Settings, idle: Duration, now: Timestamp) -> Due {
    let reminder = if waiting.critical {
        CRITICAL_REMINDER
    } else {
        SignedDuration::from_hours(i64::from(settings.remind_after_hours.max(1)))
    };
    let patience = if waiting.critical {
        SignedDuration::ZERO
    } else {
        reminder.saturating_mul(i32::try_from(REMINDERS).unwrap_or(i32::MAX))
    };
    let waited = now.duration_since(waiting.since);
    let long = Duration::from_secs(60 * u64::from(settings.idle_minutes.max(1)));
    let quiet = if waiting.critical && waited >= reminder {
        SHORT_QUIET
    } else {
        long
    };
    if waited >= patience && idle >= quiet {
        return Due::Install;
    }
    match waiting.put_off {
        Some(put_off) if now.duration_since(put_off) >= reminder => Due::Remind,
        // The question is still open.
        _ => Due::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_asked_for_again_and_installed_when_nobody_is_here() {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        const WEEK: i64 = 7 * DAY;
        // Critical, seconds since it waits, seconds since it was put off, idle seconds, what it is time for.
        let cases = [
            (false, 0, None, 0, Due::Nothing),
            (false, WEEK - 1, None, DAY, Due::Nothing),
            (false, WEEK, None, 600, Due::Install),
            (false, WEEK, None, 599, Due::Nothing),
            (false, DAY, Some(DAY - 1), DAY, Due::Nothing),
            (false, DAY, Some(DAY), 0, Due::Remind),
            (false, WEEK, Some(DAY), 599, Due::Remind),
            (false, WEEK, Some(1), 600, Due::Install),
            (true, 0, None, 0, Due::Nothing),
            (true, 0, None, 599, Due::Nothing),
            (true, 1, Some(1), 600, Due::Install),
            (true, HOUR - 1, Some(HOUR - 1), 30, Due::Nothing),
            (true, HOUR, Some(HOUR), 29, Due::Remind),
            (true, HOUR, Some(HOUR), 30, Due::Install),
        ];
        let settings = Settings::default();
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365);
        for (critical, waited, put_off, idle, expected) in cases {
            let ago = |seconds| now - SignedDuration::from_secs(seconds);
            let waiting = Waiting {
                since: ago(waited),
                put_off: put_off.map(ago),
                critical,
            };
            let found = due(waiting, &settings, Duration::from_secs(idle.cast_unsigned()), now);
            assert_eq!(
                found, expected,
                "critical {critical}, waited {waited}, put off {put_off:?}, idle {idle}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_put_back_installs_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + SignedDuration::from_hours(5);
        let waiting = Waiting {
            since: later,
            put_off: Some(later),
            critical: false,
        };
        assert_eq!(
            due(waiting, &Settings::default(), Duration::MAX, now),
            Due::Nothing
        );
    }
}
