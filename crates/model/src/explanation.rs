//! Why a computer has the version it has: a verdict for each release, as data and as a sentence. It refuses to
//! know how the verdict is reached: that is `moult-update`, and docs/rollout.md has the rules.

use std::collections::BTreeMap;
use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::rollout::{Share, VersionRange};
use crate::{Channel, ErrorCode, Problem, Subject};

/// Why a subject has the version it has. `Display` says it in lines for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Explanation {
    /// What it is about.
    pub subject: Subject,
    /// The channel that is followed.
    pub channel: Channel,
    /// The version that runs.
    #[ts(type = "string | null")]
    pub running: Option<Version>,
    /// The version that the user pinned.
    #[ts(type = "string | null")]
    pub pinned: Option<Version>,
    /// Where the user's way down ends.
    #[ts(type = "string | null")]
    pub min_secure: Option<Version>,
    /// A verdict for each release of the index, highest version first.
    pub candidates: Vec<Candidate>,
    /// What is believed, and what orders are in force.
    pub gate: Gate,
}

/// What stands before all releases alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Gate {
    /// The moment that the waves were measured by, RFC 3339 in UTC.
    pub at: Option<String>,
    /// When what is signed expires: from then on nothing is installed.
    pub expires: Option<String>,
    /// The lowest versions of the signed files that will ever be believed again.
    #[ts(type = "Record<string, number>")]
    pub floors: BTreeMap<String, u64>,
    /// When the orders in force were read.
    pub orders_read: Option<String>,
    /// Why the orders could not be read the last time. Those that were read before stay in force.
    pub orders_problem: Option<ErrorCode>,
    /// How many orders about this subject are in force.
    pub orders: u32,
    /// Why the last check failed, if it did.
    pub problem: Option<Problem>,
}

/// A release and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Candidate {
    /// Its version.
    #[ts(type = "string")]
    pub version: Version,
    /// What became of it.
    pub verdict: Verdict,
}

/// Who stopped or recalled a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The role that signs the release.
    Publisher,
    /// The role `rollout`.
    Order,
}

/// The next wave of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct NextWave {
    /// When it begins, RFC 3339 in UTC.
    pub from: String,
    /// Who has it then.
    pub share: Share,
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Partner {
    /// The subject.
    pub subject: Subject,
    /// The version.
    #[ts(type = "string")]
    pub version: Version,
}

/// What became of a candidate. `Display` is its sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// It is wanted: the highest that can be had.
    Wanted,
    /// It is wanted on the way to a higher one that can't be reached directly.
    WantedBefore {
        /// The higher one.
        #[ts(type = "string")]
        towards: Version,
    },
    /// It is wanted although it is lower than what runs: the user changed the channel.
    WantedDownwards {
        /// The version that runs and is not offered on the channel.
        #[ts(type = "string")]
        running: Version,
    },
    /// It is wanted: the user pinned it.
    WantedPinned,
    /// It is wanted: what runs was recalled to it.
    WantedRecalled {
        /// What runs.
        #[ts(type = "string")]
        from: Version,
        /// Who recalled it.
        by: Authority,
        /// Why, if something was said.
        reason: Option<String>,
    },
    /// It is wanted, lower than what runs: what runs does not work with another part.
    WantedFitting {
        /// The other part.
        with: Partner,
    },
    /// It is wanted together with other parts: none of them takes over alone.
    WantedTogether {
        /// The others.
        with: Vec<Partner>,
    },
    /// It runs.
    Runs,
    /// It runs although it was recalled: the version to go to can't be had.
    RunsRecalled {
        /// The version to go to, if it is listed.
        #[ts(type = "string | null")]
        to: Option<Version>,
        /// Who recalled it.
        by: Authority,
    },
    /// It runs and does not work with another part, and there is none that does.
    RunsUnfit {
        /// The other part.
        with: Partner,
    },
    /// It is not offered on the channel that is followed.
    NotOnChannel {
        /// The channels it is offered on.
        offered: Vec<Channel>,
    },
    /// The user pinned another version.
    Pinned {
        /// Which one.
        #[ts(type = "string")]
        to: Version,
    },
    /// It failed its trial here and was banned.
    Banned,
    /// The user skipped it.
    Skipped,
    /// The user went back from it.
    WentBack {
        /// To which version.
        #[ts(type = "string")]
        to: Version,
    },
    /// Its last tries failed, and the next one comes later.
    FailedBefore {
        /// How many tries in a row failed.
        times: u32,
        /// When the next try is due, RFC 3339 in UTC.
        next: String,
    },
    /// It goes to a part of all computers, and this one is not among them yet.
    OutsideWave {
        /// Where this computer stands, from 0 to 9,999.
        place: u16,
        /// Who has it now.
        share: Share,
        /// What comes next, if something does.
        next: Option<NextWave>,
    },
    /// An order keeps it to a part of all computers, and this one is not among them.
    OutsideLimit {
        /// Where this computer stands, from 0 to 9,999.
        place: u16,
        /// Who may have it.
        limit: Share,
        /// Why, if something was said.
        reason: Option<String>,
    },
    /// Its waves can't be read, so nobody gets it.
    WavesUnreadable,
    /// Nobody new gets it.
    Held {
        /// Who stopped it.
        by: Authority,
        /// Why, if something was said.
        reason: Option<String>,
    },
    /// It was recalled, and nobody gets it any more.
    Recalled {
        /// Who recalled it.
        by: Authority,
        /// Why, if something was said.
        reason: Option<String>,
    },
    /// What runs is too old to go to it directly.
    StepFirst {
        /// The lowest version that may.
        #[ts(type = "string")]
        from: Version,
    },
    /// It is lower than what runs and can't read what that wrote.
    DataNotRead {
        /// The schema of the data.
        schema: u32,
        /// The oldest that it reads.
        reads_from: u32,
        /// The newest that it reads.
        reads_to: u32,
    },
    /// It can't read the present data, but a copy that was kept: what came since would be lost, so its user is asked.
    DataLost {
        /// The schema of the data.
        schema: u32,
        /// The schema of the copy.
        copy: u32,
    },
    /// It is lower than what runs, and its holes are known.
    Insecure {
        /// The lowest version without a known hole.
        #[ts(type = "string")]
        min: Version,
    },
    /// It does not work with another part, neither as that is nor as it could be.
    DoesNotFit {
        /// The other part as it is, or as it is about to be.
        with: Partner,
        /// What is needed of it.
        needs: VersionRange,
    },
    /// Another part does not work with it.
    NotFitted {
        /// The other part.
        by: Partner,
        /// What that needs.
        needs: VersionRange,
    },
    /// It was not made for this host.
    WrongHost {
        /// The lowest host it admits.
        min: u32,
        /// The highest host it admits.
        max: u32,
        /// This host.
        host: u32,
    },
    /// It is an executable without a signature.
    Unsigned,
    /// It has the version that runs, but other bytes. A version never changes its bytes.
    SameVersionOtherBytes,
    /// It is lower than what runs.
    Lower,
    /// It could be had, but a higher one can too.
    Surpassed,
}

impl Verdict {
    /// Whether this release is to be installed.
    pub const fn is_wanted(&self) -> bool {
        matches!(
            self,
            Self::Wanted
                | Self::WantedBefore { .. }
                | Self::WantedDownwards { .. }
                | Self::WantedPinned
                | Self::WantedRecalled { .. }
                | Self::WantedFitting { .. }
                | Self::WantedTogether { .. }
        )
    }

    /// Whether this release runs.
    pub const fn runs(&self) -> bool {
        matches!(
            self,
            Self::Runs | Self::RunsRecalled { .. } | Self::RunsUnfit { .. }
        )
    }
}

/// A part of all computers, from a place among ten thousand.
struct Stands(u16);

impl fmt::Display for Stands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place {} of 10,000", self.0)
    }
}

/// A reason that somebody gave, as the end of a sentence.
struct Because<'a>(Option<&'a String>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(reason) => write!(f, ": {}", reason.trim_end_matches('.')),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "by its publisher",
            Self::Order => "by an order",
        })
    }
}

impl fmt::Display for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.version)
    }
}

impl fmt::Display for Verdict {
    #[expect(clippy::too_many_lines, reason = "a sentence for each verdict")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wanted => f.write_str("It is the highest version that can be had."),
            Self::WantedBefore { towards } => {
                write!(f, "It comes first: {towards} can't be reached directly.")
            }
            Self::WantedDownwards { running } => {
                write!(
                    f,
                    "The channel was changed, and {running} is not offered on the new one."
                )
            }
            Self::WantedPinned => f.write_str("You pinned it."),
            Self::WantedRecalled { from, by, reason } => {
                write!(f, "{from} was recalled to it {by}{}.", Because(reason.as_ref()))
            }
            Self::WantedFitting { with } => {
                write!(f, "It works with {with}, and what runs does not.")
            }
            Self::WantedTogether { with } => {
                let names: Vec<String> = with.iter().map(ToString::to_string).collect();
                write!(f, "It takes over together with {}.", names.join(" and "))
            }
            Self::Runs => f.write_str("It runs."),
            Self::RunsRecalled { to: Some(to), by } => {
                write!(
                    f,
                    "It runs. It was recalled to {to} {by}, which can't be had here."
                )
            }
            Self::RunsRecalled { to: None, by } => {
                write!(
                    f,
                    "It runs. It was recalled {by}, but the version to go to is not listed."
                )
            }
            Self::RunsUnfit { with } => {
                write!(
                    f,
                    "It runs, but does not work with {with}, and no version that does can be had."
                )
            }
            Self::NotOnChannel { offered } if offered.is_empty() => {
                f.write_str("It is offered on no channel.")
            }
            Self::NotOnChannel { offered } => {
                let names: Vec<&str> = offered.iter().map(Channel::as_str).collect();
                write!(f, "It is offered on {} only.", names.join(", "))
            }
            Self::Pinned { to } => write!(f, "You pinned {to}."),
            Self::Banned => f.write_str("It failed here and is not tried again."),
            Self::Skipped => f.write_str("You skipped it."),
            Self::WentBack { to } => write!(f, "You went back to {to}."),
            Self::FailedBefore { times, next } => {
                write!(f, "{times} tries in a row failed. The next one is due at {next}.")
            }
            Self::OutsideWave { place, share, next } => {
                let stands = Stands(*place);
                match next {
                    Some(NextWave { from, share: then }) => write!(
                        f,
                        "It goes to {share} of all computers, and this one has {stands}; to {then} from {from} on."
                    ),
                    None => write!(
                        f,
                        "It goes to {share} of all computers, and this one has {stands}. No further wave is planned."
                    ),
                }
            }
            Self::OutsideLimit { place, limit, reason } => write!(
                f,
                "An order keeps it to {limit} of all computers, and this one has {}{}.",
                Stands(*place),
                Because(reason.as_ref())
            ),
            Self::WavesUnreadable => f.write_str("Its waves can't be read, so nobody gets it."),
            Self::Held { by, reason } => {
                write!(
                    f,
                    "It was stopped {by}{}. Nobody new gets it.",
                    Because(reason.as_ref())
                )
            }
            Self::Recalled { by, reason } => write!(f, "It was recalled {by}{}.", Because(reason.as_ref())),
            Self::StepFirst { from } => {
                write!(
                    f,
                    "It can be reached from {from} on. A version between comes first."
                )
            }
            Self::DataNotRead {
                schema,
                reads_from,
                reads_to,
            } => write!(
                f,
                "It can't read what was written since: data of schema {schema}, and it reads {reads_from} to {reads_to}."
            ),
            Self::DataLost { schema, copy } => write!(
                f,
                "It can't read data of schema {schema}. The copy of schema {copy} would come back, and what came since would be lost."
            ),
            Self::Insecure { min } => write!(f, "It has known holes: the way down ends at {min}."),
            Self::DoesNotFit { with, needs } => {
                write!(
                    f,
                    "It needs {} {needs}; here that is {}.",
                    with.subject, with.version
                )
            }
            Self::NotFitted { by, needs } => write!(f, "{by} needs {needs} of it."),
            Self::WrongHost { min, max, host } => {
                write!(f, "It was made for hosts {min} to {max}; this one is {host}.")
            }
            Self::Unsigned => f.write_str("It has no signature."),
            Self::SameVersionOtherBytes => f.write_str("It has the version that runs, but other bytes."),
            Self::Lower => f.write_str("It is lower than the version that runs."),
            Self::Surpassed => f.write_str("A higher version can be had."),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.running {
            Some(running) => writeln!(f, "{} runs {running} and follows {}.", self.subject, self.channel)?,
            None => writeln!(
                f,
                "{} is not installed and follows {}.",
                self.subject, self.channel
            )?,
        }
        let width = self
            .candidates
            .iter()
            .map(|found| found.version.to_string().len());
        let width = width.max().unwrap_or(0);
        for Candidate { version, verdict } in &self.candidates {
            writeln!(f, "  {:width$}  {verdict}", version.to_string())?;
        }
        if self.candidates.is_empty() {
            writeln!(f, "  Nothing is published for it.")?;
        }
        if let Some(pinned) = &self.pinned {
            writeln!(f, "Pinned to {pinned}.")?;
        }
        if let Some(min) = &self.min_secure {
            writeln!(f, "Nobody goes back below {min} by hand.")?;
        }
        write!(f, "{}", self.gate)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.at, &self.problem) {
            (_, Some(problem)) => {
                writeln!(f, "The last check failed: {} {}", problem.happened, problem.kept)?;
            }
            (Some(at), None) => writeln!(f, "Checked at {at}.")?,
            (None, None) => writeln!(f, "Not checked yet.")?,
        }
        if let Some(expires) = &self.expires {
            writeln!(
                f,
                "What is signed holds until {expires}; after that nothing is installed."
            )?;
        }
        match (&self.orders_read, self.orders_problem) {
            (Some(read), None) => writeln!(f, "Orders in force: {}, read at {read}.", self.orders)?,
            (Some(read), Some(_)) => writeln!(
                f,
                "Orders in force: {}, read at {read}; newer ones could not be read.",
                self.orders
            )?,
            (None, Some(_)) => writeln!(f, "No orders could be read so far.")?,
            (None, None) => {}
        }
        if !self.floors.is_empty() {
            let floors: Vec<String> = self
                .floors
                .iter()
                .map(|(role, version)| format!("{role} {version}"))
                .collect();
            writeln!(f, "Nothing older is believed than {}.", floors.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_sentence_and_reads_back_from_json() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let share = |parts| Share::of_ten_thousand(parts).unwrap();
        let shell = || Partner {
            subject: Subject::Shell,
            version: version("1.4.0"),
        };
        let cases = [
            (
                Verdict::OutsideWave {
                    place: 3412,
                    share: share(1000),
                    next: Some(NextWave {
                        from: "2026-12-02T10:00:00Z".into(),
                        share: share(5000),
                    }),
                },
                "It goes to 10 % of all computers, and this one has place 3412 of 10,000; \
                 to 50 % from 2026-12-02T10:00:00Z on.",
            ),
            (
                Verdict::OutsideLimit {
                    place: 900,
                    limit: share(500),
                    reason: Some("Crashes on arm64.".into()),
                },
                "An order keeps it to 5 % of all computers, and this one has place 900 of 10,000: Crashes on arm64.",
            ),
            (
                Verdict::Held {
                    by: Authority::Order,
                    reason: None,
                },
                "It was stopped by an order. Nobody new gets it.",
            ),
            (
                Verdict::WantedRecalled {
                    from: version("2.0.0"),
                    by: Authority::Order,
                    reason: Some("loses notes".into()),
                },
                "2.0.0 was recalled to it by an order: loses notes.",
            ),
            (
                Verdict::DoesNotFit {
                    with: shell(),
                    needs: VersionRange {
                        from: Some(version("2.0.0")),
                        below: None,
                    },
                },
                "It needs shell 2.0.0 or higher; here that is 1.4.0.",
            ),
            (
                Verdict::WantedTogether { with: vec![shell()] },
                "It takes over together with shell 1.4.0.",
            ),
            (
                Verdict::DataNotRead {
                    schema: 3,
                    reads_from: 1,
                    reads_to: 2,
                },
                "It can't read what was written since: data of schema 3, and it reads 1 to 2.",
            ),
        ];
        for (verdict, sentence) in cases {
            assert_eq!(verdict.to_string(), sentence);
            let text = serde_json::to_string(&verdict).unwrap();
            assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict, "{text}");
        }
    }

    #[test]
    fn an_explanation_is_a_page_for_a_terminal() {
        let explanation = Explanation {
            subject: Subject::Shell,
            channel: Channel::stable(),
            running: Some(Version::new(1, 1, 0)),
            pinned: None,
            min_secure: Some(Version::new(1, 0, 5)),
            candidates: vec![
                Candidate {
                    version: Version::new(1, 10, 0),
                    verdict: Verdict::Skipped,
                },
                Candidate {
                    version: Version::new(1, 1, 0),
                    verdict: Verdict::Runs,
                },
            ],
            gate: Gate {
                at: Some("2026-11-30T08:00:00Z".into()),
                expires: Some("2026-12-02T08:00:00Z".into()),
                floors: BTreeMap::from([("root".into(), 3)]),
                orders_read: Some("2026-11-30T08:00:00Z".into()),
                orders: 1,
                ..Gate::default()
            },
        };
        assert_eq!(
            explanation.to_string(),
            "shell runs 1.1.0 and follows stable.\n  \
               1.10.0  You skipped it.\n  \
               1.1.0   It runs.\n\
             Nobody goes back below 1.0.5 by hand.\n\
             Checked at 2026-11-30T08:00:00Z.\n\
             What is signed holds until 2026-12-02T08:00:00Z; after that nothing is installed.\n\
             Orders in force: 1, read at 2026-11-30T08:00:00Z.\n\
             Nothing older is believed than root 3.\n"
        );
    }
}
