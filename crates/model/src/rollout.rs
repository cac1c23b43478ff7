//! Who gets a release when, and what stops it.
//!
//! Two roles speak here. The role that signs a release signs its [`ReleasePolicy`] with it: slow, and with a key that is kept
//! offline. The role `rollout` signs [`Orders`]: at once, and with a key that is kept online. An order can only take away:
//! it lowers a share, holds, or recalls to what the release itself allows. docs/rollout.md has the rules.

use std::collections::BTreeMap;
use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{Digest, Subject};

/// A part of all computers, in ten-thousandths: 0 to [`Share::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Share(u16);

/// More than all.
#[derive(Debug, thiserror::Error)]
#[error("{0} is more than all: a share is at most 10000 ten-thousandths")]
pub struct ShareError(u16);

impl Share {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(10_000);

    /// That many ten-thousandths.
    pub const fn of_ten_thousand(parts: u16) -> Option<Self> {
        if parts <= Self::ALL.0 {
            Some(Self(parts))
        } else {
            None
        }
    }

    /// In ten-thousandths.
    pub const fn ten_thousandths(self) -> u16 {
        self.0
    }

    /// Whether a computer at this place, of 0 to 9,999, belongs to it. A larger share holds all of a smaller one.
    pub const fn holds(self, place: u16) -> bool {
        place < self.0
    }
}

impl TryFrom<u16> for Share {
    type Error = ShareError;

    fn try_from(parts: u16) -> Result<Self, ShareError> {
        Self::of_ten_thousand(parts).ok_or(ShareError(parts))
    }
}

impl From<Share> for u16 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole} %"),
            part if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            part => write!(f, "{whole}.{part:02} %"),
        }
    }
}

/// From when on how many have a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// When it begins, RFC 3339 in UTC.
    pub from: String,
    /// Who belongs to it: those of all waves before it, and more.
    pub share: Share,
}

/// A release that does not go to everybody at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Mixed into the place of each computer, so that it is not the same ones that come first each time: 32 hexadecimal digits.
    pub salt: String,
    /// Its waves, in order of time. Before the first nobody has it; without any nobody ever has.
    pub waves: Vec<Wave>,
}

/// The versions from one on, and up to before another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRange {
    /// The lowest that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The lowest above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Version>,
}

impl VersionRange {
    /// Whether a version belongs to it, by precedence.
    pub fn holds(&self, version: &Version) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| version.cmp_precedence(from).is_ge())
            && self
                .below
                .as_ref()
                .is_none_or(|below| version.cmp_precedence(below).is_lt())
    }
}

/// What a release does with the data that versions before and after it share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSchema {
    /// The schema it writes.
    pub writes: u32,
    /// The oldest schema it reads.
    pub reads_from: u32,
    /// The newest schema it reads: at least what it writes.
    pub reads_to: u32,
}

impl DataSchema {
    /// Whether it reads data of this schema.
    pub const fn reads(&self, schema: u32) -> bool {
        self.reads_from <= schema && schema <= self.reads_to
    }
}

/// What the role that signed a release says about who may have it. All of it is optional: without any of it everybody on the
/// channel may have it at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasePolicy {
    /// Its waves. None: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Nobody new gets it. Set by the publisher, and from every order to hold when the next index is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Lifts every order that was given for a lower one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hold_epoch: u32,
    /// The artifacts that those who have it may be sent back to. An order to recall to any other is not obeyed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recall_to: Vec<Digest>,
    /// Those who have it go to this artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled: Option<Digest>,
    /// The lowest version without a known hole: who goes back by hand stops there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_secure: Option<Version>,
    /// The lowest version that may go to it. Those below go to a release between first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_from: Option<Version>,
    /// The versions of other subjects that it works with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub works_with: BTreeMap<Subject, VersionRange>,
    /// Which data it reads and writes. None: that of the schema 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_schema: Option<DataSchema>,
}

/// What the role `rollout` orders. It is the `custom` of one target in that role's metadata, so that reading it costs no request of its
/// own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// The version of this shape: 1. Of a higher one nothing is obeyed, and what was obeyed before stays.
    pub format: u32,
    /// The orders. Each is about one artifact.
    pub orders: Vec<Order>,
}

impl Orders {
    /// The version of the shape that this code writes and reads.
    pub const FORMAT: u32 = 1;
    /// The most orders that are read.
    pub const MOST: usize = 1024;
    /// The target that carries them.
    pub const PATH: &'static str = "rollout/orders.json";
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whose release.
    pub subject: Subject,
    /// Which artifact.
    pub digest: Digest,
    /// The release's own [`ReleasePolicy::hold_epoch`] when it was given. A higher one in the release lifts it.
    pub hold_epoch: u32,
    /// What is to be done.
    pub act: Act,
    /// Why, in words for people, if something was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was given, RFC 3339 in UTC.
    pub given: String,
}

/// What an order does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// At most this share gets it, whatever its waves say.
    Limit {
        /// The share.
        share: Share,
    },
    /// Nobody new gets it.
    Hold,
    /// Nobody new gets it, and those who have it go to another.
    Recall {
        /// The other: one of the release's own [`ReleasePolicy::recall_to`].
        to: Digest,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_shown() {
        for (parts, shown) in [
            (0, "0 %"),
            (1, "0.01 %"),
            (50, "0.5 %"),
            (1234, "12.34 %"),
            (10_000, "100 %"),
        ] {
            assert_eq!(Share::try_from(parts).unwrap().to_string(), shown);
        }
        assert!(serde_json::from_str::<Share>("10001").is_err());
    }

    #[test]
    fn a_larger_share_holds_all_of_a_smaller_one() {
        let (small, large) = (Share(100), Share(2500));
        for place in 0..10_000 {
            assert!(!small.holds(place) || large.holds(place), "{place}");
            assert!(Share::ALL.holds(place) && !Share::NONE.holds(place), "{place}");
        }
    }

    #[test]
    fn a_range_goes_by_precedence_and_may_be_open() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let range = VersionRange {
            from: Some(version("1.2.0")),
            below: Some(version("2.0.0")),
        };
        for (text, inside) in [
            ("1.1.9", false),
            ("1.2.0-rc.1", false),
            ("1.2.0+build", true),
            ("1.9.0", true),
            ("2.0.0", false),
        ] {
            assert_eq!(range.holds(&version(text)), inside, "{text}");
        }
        assert!(VersionRange::default().holds(&version("0.0.1")));
    }

    #[test]
    fn what_is_not_said_is_not_written() {
        assert_eq!(serde_json::to_string(&ReleasePolicy::default()).unwrap(), "{}");
        assert_eq!(
            serde_json::from_str::<ReleasePolicy>("{}").unwrap(),
            ReleasePolicy::default()
        );
    }
}
