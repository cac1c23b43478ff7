//! What the user chose beside the settings, and what keeps a release from being tried. It refuses to know
//! where that is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use moult_model::{Channel, Digest, Release, Subject, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::select::{Refusals, Verdict};

/// What the user chose, beside the settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Choices {
    /// The channel that each subject's running version was last offered on.
    #[serde(default)]
    pub(crate) settled: BTreeMap<Subject, Channel>,
    /// Artifacts that are never to be offered again.
    #[serde(default)]
    pub(crate) skipped: BTreeSet<Digest>,
    /// Where the user went back.
    #[serde(default)]
    pub(crate) went_back: BTreeMap<Subject, WentBack>,
    /// Artifacts whose ban a recall has lifted: it does so once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) lifted: BTreeSet<Digest>,
    /// The highest schema that each subject's data was ever written in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) schemas: BTreeMap<Subject, u32>,
    /// What another version wrote besides. It is written back.
    #[serde(skip)]
    pub(crate) other: Map<String, Value>,
}

/// The user went back. Nothing above `to` is wanted until there is something above `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WentBack {
    pub(crate) from: Version,
    pub(crate) to: Version,
}

/// Tries of one artifact that failed in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failures {
    pub(crate) times: u32,
    pub(crate) last: Timestamp,
}

/// Everything that keeps a release from being tried, whatever its index says.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) banned: &'a BTreeSet<Digest>,
    pub(crate) choices: &'a Choices,
    pub(crate) failures: &'a BTreeMap<Digest, Failures>,
    pub(crate) now: Timestamp,
}

impl Failures {
    /// After this many failures in a row an artifact is tried rarely.
    pub(crate) const MANY: u32 = 3;
    /// How rarely, in seconds.
    pub(crate) const PAUSE_SECONDS: i64 = 3600;
}

impl Refusals for Ledger<'_> {
    fn refusal(&self, release: &Release) -> Option<Verdict> {
        if self.banned.contains(&release.digest) {
            return Some(Verdict::Banned);
        }
        if self.choices.skipped.contains(&release.digest) {
            return Some(Verdict::Skipped);
        }
        if let Some(WentBack { from, to }) = self.choices.went_back.get(self.subject)
            && release.version > *to
            && release.version <= *from
        {
            return Some(Verdict::WentBack { to: to.clone() });
        }
        self.rests(release)
    }

    /// A recall lifts a ban, once: what fails again is banned for good.
    fn refusal_of_recall(&self, release: &Release) -> Option<Verdict> {
        if self.banned.contains(&release.digest) && self.choices.lifted.contains(&release.digest) {
            return Some(Verdict::Banned);
        }
        self.rests(release)
    }
}

impl Ledger<'_> {
    /// What failed often is tried rarely.
    fn rests(&self, release: &Release) -> Option<Verdict> {
        let failures = self
            .failures
            .get(&release.digest)
            .filter(|found| found.times >= Failures::MANY)?;
        let next =
            Timestamp::from_second(failures.last.as_second().saturating_add(Failures::PAUSE_SECONDS)).ok()?;
        (self.now < next).then_some(Verdict::FailedBefore {
            times: failures.times,
            next: next.to_string(),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use moult_model::index::{Download, Encoding};

    use super::*;

    fn release(version: &str) -> Release {
        Release {
            version: version.parse().unwrap(),
            channels: Vec::new(),
            published: String::new(),
            notes: BTreeMap::new(),
            digest: Digest::of(version.as_bytes()),
            size: 1,
            full: Download {
                path: String::new(),
                size: 1,
                digest: Digest::of(b""),
                encoding: Encoding::Zstd,
            },
            signature: None,
            host_api: None,
            permissions: Vec::new(),
            state_schema: None,
            critical: false,
            policy: moult_model::ReleasePolicy::default(),
        }
    }

    #[test]
    fn the_ledger_refuses_what_was_banned_skipped_gone_back_from_or_failed_often() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let digest = |version: &str| release(version).digest;
        let went_back = WentBack {
            from: "1.3.0".parse().unwrap(),
            to: "1.1.0".parse().unwrap(),
        };
        let choices = Choices {
            settled: BTreeMap::new(),
            skipped: BTreeSet::from([digest("4.0.0")]),
            went_back: BTreeMap::from([(Subject::Shell, went_back)]),
            ..Choices::default()
        };
        let failures = BTreeMap::from([
            (
                digest("2.0.0"),
                Failures {
                    times: 2,
                    last: second(1000),
                },
            ),
            (
                digest("2.1.0"),
                Failures {
                    times: 3,
                    last: second(1000),
                },
            ),
        ]);
        let banned = BTreeSet::from([digest("5.0.0")]);
        let refusal = |subject: &Subject, version: &str, now: i64| {
            let ledger = Ledger {
                subject,
                banned: &banned,
                choices: &choices,
                failures: &failures,
                now: second(now),
            };
            ledger.refusal(&release(version))
        };
        let to = || Version::new(1, 1, 0);
        let cases = [
            ("1.1.0", 1001, None),
            ("1.2.0", 1001, Some(Verdict::WentBack { to: to() })),
            ("1.3.0", 1001, Some(Verdict::WentBack { to: to() })),
            ("1.3.1", 1001, None),
            ("2.0.0", 1001, None),
            (
                "2.1.0",
                1001,
                Some(Verdict::FailedBefore {
                    times: 3,
                    next: second(4600).to_string(),
                }),
            ),
            ("2.1.0", 4600, None),
            ("4.0.0", 1001, Some(Verdict::Skipped)),
            ("5.0.0", 1001, Some(Verdict::Banned)),
        ];
        for (version, now, expected) in cases {
            assert_eq!(
                refusal(&Subject::Shell, version, now),
                expected,
                "{version} at {now}"
            );
        }
        assert_eq!(
            refusal(&Subject::Executable, "1.3.0", 1001),
            None,
            "going back is per subject"
        );
    }

    #[test]
    fn a_recall_overrides_wishes_and_lifts_a_ban_once() {
        let digest = |version: &str| release(version).digest;
        let banned = BTreeSet::from([digest("1.0.0"), digest("1.1.0")]);
        let choices = Choices {
            skipped: BTreeSet::from([digest("1.2.0")]),
            lifted: BTreeSet::from([digest("1.1.0")]),
            ..Choices::default()
        };
        let last = Timestamp::from_second(1000).unwrap();
        let failures = BTreeMap::from([(digest("1.3.0"), Failures { times: 3, last })]);
        let ledger = Ledger {
            subject: &Subject::Shell,
            banned: &banned,
            choices: &choices,
            failures: &failures,
            now: last,
        };
        for (version, is_refused) in [
            ("1.0.0", false),
            ("1.1.0", true),
            ("1.2.0", false),
            ("1.3.0", true),
        ] {
            let refusal = ledger.refusal_of_recall(&release(version));
            assert_eq!(refusal.is_some(), is_refused, "{version}: {refusal:?}");
        }
    }
}
