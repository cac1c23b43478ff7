//! The words of the command line: shares, waves and data schemas.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use moult_model::Share;
use moult_model::rollout::DataSchema;

/// A share in percent, with two digits after the point at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub Share);

/// When a wave begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after now.
    After(SignedDuration),
    /// At a time.
    At(Timestamp),
}

/// Waves as they were written: when, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves(pub Vec<(When, Share)>);

/// A data schema as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data(pub DataSchema);

/// A share from a number of percent.
pub(super) fn share_of(percent: f64) -> Option<Share> {
    let parts = (percent * 100.0).round();
    if (0.0..=10_000.0).contains(&parts) && (parts - percent * 100.0).abs() < 1e-6 {
        Share::of_ten_thousand(parts as u16)
    } else {
        None
    }
}

impl FromStr for Percent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().trim_end_matches('%').trim_end();
        number
            .parse::<f64>()
            .ok()
            .and_then(share_of)
            .map(Self)
            .ok_or("a share is a number of percent from 0 to 100 with two digits after the point at most")
    }
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a time is `now`, `+30m`, `+4h`, `+2d`, or like 2026-12-24T18:00:00Z";
        if text == "now" {
            return Ok(Self::After(SignedDuration::ZERO));
        }
        let Some(after) = text.strip_prefix('+') else {
            return text.parse().map(Self::At).map_err(|_| WRONG);
        };
        let split = after.len().checked_sub(1).ok_or(WRONG)?;
        let (number, unit) = after.split_at_checked(split).ok_or(WRONG)?;
        let number: u32 = number.parse().map_err(|_| WRONG)?;
        let minutes = match unit {
            "m" => 1,
            "h" => 60,
            "d" => 24 * 60,
            _ => return Err(WRONG),
        };
        Ok(Self::After(SignedDuration::from_mins(
            i64::from(number) * minutes,
        )))
    }
}

impl FromStr for Waves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wave = |wave: &str| {
            let (percent, when) = wave
                .trim()
                .split_once('@')
                .ok_or("a wave is written PERCENT@TIME, such as 10@now")?;
            let Percent(share) = percent.parse()?;
            Ok((when.parse()?, share))
        };
        text.split(',')
            .map(wave)
            .collect::<Result<_, &str>>()
            .map(Self)
            .map_err(str::to_owned)
    }
}

impl FromStr for Data {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a data schema is written 3, or 3:1-4 where it writes 3 and reads 1 to 4";
        let (writes, reads) = text.split_once(':').unwrap_or((text, text));
        let (from, to) = reads.split_once('-').unwrap_or((reads, reads));
        let number = |text: &str| text.parse::<u32>().map_err(|_| WRONG);
        let schema = DataSchema {
            writes: number(writes)?,
            reads_from: number(from)?,
            reads_to: number(to)?,
        };
        if schema.reads(schema.writes) {
            Ok(Self(schema))
        } else {
            Err("a version reads at least what it writes itself")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_waves_and_schemas_are_read() {
        let parts = |text: &str| {
            text.parse::<Percent>()
                .ok()
                .map(|share| share.0.ten_thousandths())
        };
        for (text, expected) in [
            ("10", Some(1000)),
            ("0.5 %", Some(50)),
            ("12.34%", Some(1234)),
            ("100", Some(10_000)),
            ("100.01", None),
            ("-1", None),
            ("0.001", None),
            ("half", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
        let waves = "10@now, 50@+2h,100@2026-12-01T00:00:00Z".parse::<Waves>();
        assert_eq!(waves.map(|waves| waves.0.len()), Ok(3));
        for text in [
            "10",
            "10@",
            "10@+",
            "10@+é",
            "10@+2w",
            "10@tomorrow",
            "200@now",
            "",
        ] {
            assert!(text.parse::<Waves>().is_err(), "{text}");
        }
        for (text, good) in [
            ("3", true),
            ("3:1-4", true),
            ("3:3", true),
            ("3:1-2", false),
            ("x", false),
            ("3:", false),
        ] {
            assert_eq!(text.parse::<Data>().is_ok(), good, "{text}");
        }
    }
}
