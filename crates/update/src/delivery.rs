//! Whether a download may begin now: the line, the hour, and what the settings say of both. Pure; it refuses to
//! know how the line is found out and what time it is.

use jiff::civil::Time;
use moult_model::settings::ClockTime;
use moult_model::{Delivery, Hold};

/// What a download meets.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Whether the connection is metered. What is not known counts as no.
    pub metered: bool,
    /// The time of day where this computer is.
    pub time: Time,
    /// Bytes of the whole plan, over all its downloads.
    pub bytes: u64,
    /// Whether the versions before it should not be used any longer.
    pub critical: bool,
}

/// Why a download may not begin now. None: it may.
///
/// What is critical waits for no hour. It waits for a line that costs nothing like everything else: what
/// costs money is the user's to decide.
pub fn hold(settings: &Delivery, now: Circumstances) -> Option<Hold> {
    let allowed = u64::from(settings.metered_limit_mb) * 1_000_000;
    if now.metered && now.bytes > allowed {
        return Some(Hold::Metered);
    }
    let (hour, minute) = (now.time.hour(), now.time.minute());
    let time = ClockTime::new(u16::from(hour.unsigned_abs()), u16::from(minute.unsigned_abs()));
    let is_quiet = settings
        .quiet_hours
        .zip(time)
        .is_some_and(|(hours, time)| hours.contain(time));
    (is_quiet && !now.critical).then_some(Hold::QuietHours)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use moult_model::settings::QuietHours;

    use super::*;

    fn settings() -> Delivery {
        Delivery {
            metered_limit_mb: 10,
            quiet_hours: Some(QuietHours {
                from: "22:00".parse().unwrap(),
                to: "07:00".parse().unwrap(),
            }),
            ..Delivery::default()
        }
    }

    #[test]
    fn what_is_small_goes_over_a_metered_line_and_what_is_critical_goes_at_night() {
        let (day, night) = (Time::constant(12, 0, 0, 0), Time::constant(23, 59, 59, 0));
        for (metered, time, bytes, critical, expected) in [
            (false, day, 1 << 40, false, None),
            (true, day, 10_000_000, false, None),
            (true, day, 10_000_001, false, Some(Hold::Metered)),
            (true, day, 10_000_001, true, Some(Hold::Metered)),
            (false, night, 1, false, Some(Hold::QuietHours)),
            (false, night, 1, true, None),
            (true, night, 1, true, None),
            (true, night, 1 << 40, false, Some(Hold::Metered)),
        ] {
            let now = Circumstances {
                metered,
                time,
                bytes,
                critical,
            };
            assert_eq!(hold(&settings(), now), expected, "{now:?}");
        }
        let none = Delivery {
            metered_limit_mb: 0,
            ..Delivery::default()
        };
        let now = Circumstances {
            metered: true,
            time: day,
            bytes: 1,
            critical: false,
        };
        assert_eq!(hold(&none, now), Some(Hold::Metered));
    }

    #[test]
    fn the_hour_is_that_of_the_place_also_when_the_clocks_change() {
        // 06:30 and 07:30 in New York, before and after its clocks go forward.
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        for (at, expected) in [
            ("2026-03-07T11:30:00Z", Some(Hold::QuietHours)),
            ("2026-03-07T12:30:00Z", None),
            ("2026-03-09T10:30:00Z", Some(Hold::QuietHours)),
            ("2026-03-09T11:30:00Z", None),
        ] {
            let at: Timestamp = at.parse().unwrap();
            let now = Circumstances {
                metered: false,
                time: at.to_zoned(zone.clone()).time(),
                bytes: 1,
                critical: false,
            };
            assert_eq!(hold(&settings(), now), expected, "{at}");
        }
    }
}
