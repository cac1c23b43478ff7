//! What survives a restart: the updates on their way, the history, and what the user chose. It refuses
//! to know how an update is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use moult_boot::SlotName;
use moult_durable::{DurableError, TwoCopy};
use moult_model::stage::SwapReason;
use moult_model::{Channel, Digest, HistoryEntry, Outcome, Phase, Release, Subject, Version};
use serde::{Deserialize, Serialize};

use crate::machine::{self, Effect, Event, State};
use crate::select::{Refusals, Verdict};

/// An update on its way, with the time that each phase took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Where it is.
    pub state: State,
    /// The wanted artifact.
    pub digest: Digest,
    /// Why it is wanted.
    pub reason: SwapReason,
    /// When it was found.
    pub began: Timestamp,
    /// When its phase began.
    pub entered: Timestamp,
    /// The phases that are over, and how long each took, in milliseconds.
    pub phases: Vec<(Phase, u64)>,
    /// The slot of an executable, once it has one.
    pub slot: Option<SlotName>,
}

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
}

/// The user went back. Nothing above `to` is wanted until there is something above `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WentBack {
    pub(crate) from: Version,
    pub(crate) to: Version,
}

/// Tries of one artifact that failed in a row, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The records on the disk.
#[derive(Debug)]
pub(crate) struct Records {
    history: TwoCopy<Vec<HistoryEntry>>,
    pending: TwoCopy<Vec<Record>>,
    choices: TwoCopy<Choices>,
}

impl Record {
    /// Lets an event happen, and notes how long a phase that it ends took.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let before = self.state.phase();
        let (state, effects) = machine::next(self.state.clone(), event);
        self.state = state;
        if self.state.phase() != before {
            self.phases.push((before, milliseconds(self.entered, now)));
            self.entered = now;
        }
        effects
    }

    /// The line of the history for an update that is over.
    pub fn entry(&self, outcome: Outcome, now: Timestamp) -> HistoryEntry {
        let activity = &self.state.activity;
        HistoryEntry {
            id: activity.id.clone(),
            subject: activity.subject.clone(),
            from: activity.from.clone(),
            to: activity.to.clone(),
            outcome,
            at: now.to_string(),
            wire_bytes: self.state.wire_bytes,
            full_bytes: activity.full_bytes,
            plan: self.state.begun.clone(),
            phases: self.phases.clone(),
            problems: activity.problems.clone(),
        }
    }
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
        let failures = self
            .failures
            .get(&release.digest)
            .filter(|found| found.times >= Failures::MANY)?;
        let next =
            Timestamp::from_second(failures.last.as_second().saturating_add(Failures::PAUSE_SECONDS)).ok()?;
        (self.now < next).then_some(Verdict::FailedBefore {
            times: failures.times,
            next,
        })
    }
}

impl Records {
    /// The most lines of history.
    const LINES: usize = 100;

    /// The records in `<data>/update`, which is made if it is missing.
    pub(crate) fn open(data: &Path) -> Result<Self, DurableError> {
        let folder = data.join("update");
        moult_durable::create_dir_all(&folder)?;
        Ok(Self {
            history: TwoCopy::new(&folder, "history"),
            pending: TwoCopy::new(&folder, "pending"),
            choices: TwoCopy::new(&folder, "choices"),
        })
    }

    /// Reads everything. A record that can't be read is begun anew: none of them is worth more than
    /// going on.
    pub(crate) fn load(&self) -> (Vec<HistoryEntry>, Vec<Record>, Choices) {
        (
            read("history", &self.history),
            read("pending", &self.pending),
            read("choices", &self.choices),
        )
    }

    /// Writes the history, newest first, and cuts it.
    pub(crate) fn store_history(&self, history: &mut Vec<HistoryEntry>) -> Result<(), DurableError> {
        history.truncate(Self::LINES);
        self.history.store(history)
    }

    pub(crate) fn store_pending(&self, pending: &Vec<Record>) -> Result<(), DurableError> {
        self.pending.store(pending)
    }

    pub(crate) fn store_choices(&self, choices: &Choices) -> Result<(), DurableError> {
        self.choices.store(choices)
    }
}

fn read<T: Default + Serialize + serde::de::DeserializeOwned>(name: &str, record: &TwoCopy<T>) -> T {
    match record.load() {
        Ok(value) => value.unwrap_or_default(),
        Err(error) => {
            tracing::error!(
                record = name,
                error = crate::error::chain(&error),
                "a record is begun anew"
            );
            T::default()
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
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
                    next: second(4600),
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
    fn choices_come_back_as_they_were_written_and_torn_ones_are_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let mut choices = Choices::default();
        choices
            .settled
            .insert("w/moult/notes".parse().unwrap(), "beta".parse().unwrap());
        choices.skipped.insert(Digest::of(b"x"));
        records.store_choices(&choices).unwrap();
        assert_eq!(records.load().2, choices);
        for copy in ["choices.a", "choices.b"] {
            std::fs::write(folder.path().join("update").join(copy), "{").unwrap();
        }
        assert_eq!(records.load().2, Choices::default());
    }
}
