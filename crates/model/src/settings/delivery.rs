//! How bytes come to this computer: from where, through what, how fast and when. It refuses to know how that
//! is kept to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How bytes come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Delivery {
    /// Further addresses of the same repository, each ending in `/`, in the order in which they are tried: 8 at
    /// most.
    pub mirrors: Vec<String>,
    /// Empty: the system's proxy. `none`: no proxy. Else its address, `http://` or `https://`.
    pub proxy: String,
    /// A file with certificates (PEM) that are trusted beside the system's, as a company's proxy may need it.
    /// Empty: none.
    pub certificates: String,
    /// Kilobytes per second (1,000 bytes) for all downloads together: up to 10,000,000; 0 for no limit.
    pub limit_kb_per_second: u32,
    /// Megabytes up to which an update is fetched over a metered connection: up to 65,536; 0 for none at all.
    pub metered_limit_mb: u32,
    /// The hours in which nothing is fetched, by this computer's clock. None: there are none.
    pub quiet_hours: Option<QuietHours>,
}

/// Hours of each day. The end may lie on the next day; if begin and end are the same, there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct QuietHours {
    /// When they begin, as `22:00`.
    #[ts(type = "string")]
    pub from: ClockTime,
    /// When they end, as `07:30`.
    #[ts(type = "string")]
    pub to: ClockTime,
}

/// A time of day, to the minute: `00:00` to `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTime {
    minutes: u16,
}

/// A text that is no time of day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time of day such as 07:30")]
pub struct ClockTimeError(String);

impl Default for Delivery {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            proxy: String::new(),
            certificates: String::new(),
            limit_kb_per_second: 0,
            metered_limit_mb: 10,
            quiet_hours: None,
        }
    }
}

impl Delivery {
    /// The most mirrors.
    pub const MOST_MIRRORS: usize = 8;

    /// The same with each number moved into its range, a `/` at the end of each address, and no mirror twice.
    #[must_use]
    pub fn in_range(mut self) -> Self {
        let mut mirrors = Vec::new();
        for mut address in self.mirrors {
            if !address.is_empty() && !address.ends_with('/') {
                address.push('/');
            }
            if !address.is_empty() && !mirrors.contains(&address) && mirrors.len() < Self::MOST_MIRRORS {
                mirrors.push(address);
            }
        }
        self.mirrors = mirrors;
        self.limit_kb_per_second = self.limit_kb_per_second.min(10_000_000);
        self.metered_limit_mb = self.metered_limit_mb.min(65_536);
        self
    }
}

impl QuietHours {
    /// Whether a time of day lies in them.
    pub fn contain(&self, time: ClockTime) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

impl ClockTime {
    /// A time of day. None: there is no such time.
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        (hour < 24 && minute < 60).then_some(Self {
            minutes: hour * 60 + minute,
        })
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl FromStr for ClockTime {
    type Err = ClockTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let two = |part: &str| {
            let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u16>().ok()).flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(two(hour)?, two(minute)?))
            .ok_or_else(|| ClockTimeError(text.chars().take(20).collect()))
    }
}

impl Serialize for ClockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str) -> QuietHours {
        QuietHours {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        for (from, to, time, expected) in [
            ("09:00", "17:30", "08:59", false),
            ("09:00", "17:30", "09:00", true),
            ("09:00", "17:30", "17:29", true),
            ("09:00", "17:30", "17:30", false),
            ("22:00", "07:00", "21:59", false),
            ("22:00", "07:00", "22:00", true),
            ("22:00", "07:00", "00:00", true),
            ("22:00", "07:00", "06:59", true),
            ("22:00", "07:00", "07:00", false),
            ("12:00", "12:00", "12:00", false),
        ] {
            let found = hours(from, to).contain(time.parse().unwrap());
            assert_eq!(found, expected, "{time} in {from} to {to}");
        }
    }

    #[test]
    fn a_time_of_day_has_four_digits_and_comes_back_as_it_was() {
        for text in ["00:00", "07:30", "23:59"] {
            assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), text);
        }
        for text in [
            "", "7:30", "24:00", "12:60", "12", "12:3", "+1:00", "12:30:00", "a b:cd",
        ] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_out_of_range_costs_nothing_but_itself() {
        let many = (0..20).map(|number| format!("https://m{number}.example/r"));
        let twins = ["https://m0.example/r/".to_owned(), String::new()];
        let delivery = Delivery {
            mirrors: twins.into_iter().chain(many).collect(),
            limit_kb_per_second: u32::MAX,
            metered_limit_mb: u32::MAX,
            ..Delivery::default()
        }
        .in_range();
        assert_eq!(delivery.mirrors.len(), Delivery::MOST_MIRRORS);
        assert_eq!(delivery.mirrors[1], "https://m1.example/r/");
        assert_eq!(
            (delivery.limit_kb_per_second, delivery.metered_limit_mb),
            (10_000_000, 65_536)
        );
        assert_eq!(
            Delivery::default().in_range(),
            Delivery::default(),
            "what is usual is in range"
        );
    }
}
