//! Which release is wanted, and why every other candidate is not.
//!
//! Pure. It refuses to know how a release is fetched, and it never asks anybody: what was banned,
//! skipped or gone back from is handed in.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use moult_model::{Channel, Digest, Index, Release, Subject, Version};

use crate::plan::Base;

/// What the choice depends on, beside the index.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The channel that the subject follows.
    pub channel: &'a Channel,
    /// Whether the user changed the channel since the running version was chosen. Only then a lower
    /// version may be wanted.
    pub channel_changed: bool,
    /// What runs, if anything does.
    pub running: Option<&'a Base>,
    /// The version of the host's contract with bundles.
    pub host_api: u32,
    /// What is not to be tried.
    pub refused: &'a dyn Refusals,
}

/// What is not to be tried, whatever the index says.
pub trait Refusals: fmt::Debug + Sync {
    /// Why this release is not to be tried now, if it is not.
    fn refusal(&self, release: &Release) -> Option<Verdict>;
}

/// Nothing is refused.
impl Refusals for () {
    fn refusal(&self, _release: &Release) -> Option<Verdict> {
        None
    }
}

/// Why a subject has the version it has, as data. `Display` of each verdict is its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it is about.
    pub subject: Subject,
    /// The channel that is followed.
    pub channel: Channel,
    /// The version that runs.
    pub running: Option<Version>,
    /// A verdict for each release of the index, highest version first.
    pub candidates: Vec<Candidate>,
}

/// A release and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is wanted: the highest that can be had.
    Wanted,
    /// It is wanted although it is lower than what runs: the user changed the channel.
    WantedDownwards {
        /// The version that runs and is not offered on the channel.
        running: Version,
    },
    /// It runs.
    Runs,
    /// It is not offered on the channel that is followed.
    NotOnChannel {
        /// The channels it is offered on.
        offered: Vec<Channel>,
    },
    /// It failed its trial here and was banned.
    Banned,
    /// The user skipped it.
    Skipped,
    /// The user went back from it.
    WentBack {
        /// To which version.
        to: Version,
    },
    /// Its last tries failed, and the next one comes later.
    FailedBefore {
        /// How many tries in a row failed.
        times: u32,
        /// When the next try is due.
        next: Timestamp,
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

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wanted => f.write_str("It is the highest version that can be had."),
            Self::WantedDownwards { running } => {
                write!(
                    f,
                    "The channel was changed, and {running} is not offered on the new one."
                )
            }
            Self::Runs => f.write_str("It runs."),
            Self::NotOnChannel { offered } if offered.is_empty() => {
                f.write_str("It is offered on no channel.")
            }
            Self::NotOnChannel { offered } => {
                let names: Vec<&str> = offered.iter().map(Channel::as_str).collect();
                write!(f, "It is offered on {} only.", names.join(", "))
            }
            Self::Banned => f.write_str("It failed here and is not tried again."),
            Self::Skipped => f.write_str("You skipped it."),
            Self::WentBack { to } => write!(f, "You went back to {to}."),
            Self::FailedBefore { times, next } => {
                write!(f, "{times} tries in a row failed. The next one is due at {next}.")
            }
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

/// Picks the release that is wanted: its place in `index.releases`, if there is one, and a verdict for
/// every candidate.
pub fn select(index: &Index, situation: &Situation<'_>) -> (Option<usize>, Explanation) {
    let mut order: Vec<usize> = (0..index.releases.len()).collect();
    order.sort_by(|left, right| {
        let (left, right) = (&index.releases[*left], &index.releases[*right]);
        right
            .version
            .cmp_precedence(&left.version)
            .then_with(|| right.version.cmp(&left.version))
    });
    // What runs keeps its place if its channel still offers it, and nobody is ever moved down for
    // another reason than the user's wish.
    let may_go_down = situation.channel_changed
        && !situation
            .running
            .is_some_and(|running| offered(index, &running.digest, situation.channel));
    let mut wanted = None;
    let mut candidates = Vec::with_capacity(order.len());
    for place in order {
        let release = &index.releases[place];
        let verdict = refuse(index, release, situation).unwrap_or_else(|| {
            let direction = situation
                .running
                .map(|running| release.version.cmp_precedence(&running.version));
            match (direction, situation.running) {
                _ if wanted.is_some() => Verdict::Surpassed,
                (Some(Ordering::Less), Some(running)) if may_go_down => {
                    wanted = Some(place);
                    Verdict::WantedDownwards {
                        running: running.version.clone(),
                    }
                }
                (Some(Ordering::Less), _) => Verdict::Lower,
                (Some(Ordering::Equal), _) => Verdict::SameVersionOtherBytes,
                (Some(Ordering::Greater) | None, _) => {
                    wanted = Some(place);
                    Verdict::Wanted
                }
            }
        });
        candidates.push(Candidate {
            version: release.version.clone(),
            verdict,
        });
    }
    let explanation = Explanation {
        subject: index.subject.clone(),
        channel: situation.channel.clone(),
        running: situation.running.map(|running| running.version.clone()),
        candidates,
    };
    (wanted, explanation)
}

/// Whether the running artifact is offered on this channel.
pub fn offered(index: &Index, digest: &Digest, channel: &Channel) -> bool {
    index
        .release_of(digest)
        .is_some_and(|release| release.channels.contains(channel))
}

/// What rules a release out, whatever else there is.
fn refuse(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    if situation
        .running
        .is_some_and(|running| running.digest == release.digest)
    {
        return Some(Verdict::Runs);
    }
    if !release.channels.contains(situation.channel) {
        return Some(Verdict::NotOnChannel {
            offered: release.channels.clone(),
        });
    }
    if index.subject == Subject::Executable {
        if release.signature.is_none() {
            return Some(Verdict::Unsigned);
        }
    } else {
        let host = situation.host_api;
        match release.host_api {
            Some(range) if range.admits(host) => {}
            Some(range) => {
                return Some(Verdict::WrongHost {
                    min: range.min,
                    max: range.max,
                    host,
                });
            }
            // A bundle that does not say where it runs runs nowhere.
            None => return Some(Verdict::WrongHost { min: 0, max: 0, host }),
        }
    }
    situation.refused.refusal(release)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeMap;

    use moult_model::bundle::HostApi;
    use moult_model::index::{Download, Encoding};

    use super::*;

    fn release(version: &str, channels: &str) -> Release {
        Release {
            version: version.parse().unwrap(),
            channels: channels
                .split_whitespace()
                .map(|name| name.parse().unwrap())
                .collect(),
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
            host_api: Some(HostApi { min: 1, max: 2 }),
            permissions: Vec::new(),
            state_schema: None,
        }
    }

    fn index(releases: Vec<Release>) -> Index {
        let mut index = Index::empty(Subject::Shell, None);
        index.releases = releases;
        index
    }

    fn base(version: &str) -> Base {
        Base {
            version: version.parse().unwrap(),
            digest: Digest::of(version.as_bytes()),
        }
    }

    #[derive(Debug)]
    struct Ban(&'static str);

    impl Refusals for Ban {
        fn refusal(&self, release: &Release) -> Option<Verdict> {
            (release.digest == Digest::of(self.0.as_bytes())).then_some(Verdict::Banned)
        }
    }

    #[test]
    fn the_highest_release_that_can_be_had_is_wanted() {
        type Case<'a> = (
            &'a str,
            &'a [(&'a str, &'a str)],
            Option<&'a str>,
            &'a str,
            bool,
            &'static str,
            Option<&'a str>,
        );
        let two: &[(&str, &str)] = &[("1.0.0", "stable beta"), ("1.1.0", "beta")];
        let cases: &[Case] = &[
            ("nothing runs", two, None, "stable", false, "", Some("1.0.0")),
            ("it runs", two, Some("1.0.0"), "stable", false, "", None),
            (
                "a higher one",
                two,
                Some("1.0.0"),
                "beta",
                false,
                "",
                Some("1.1.0"),
            ),
            (
                "the higher one is banned",
                two,
                Some("1.0.0"),
                "beta",
                false,
                "1.1.0",
                None,
            ),
            (
                "banned, and the next best is wanted",
                two,
                None,
                "beta",
                false,
                "1.1.0",
                Some("1.0.0"),
            ),
            (
                "the channel was changed downwards",
                two,
                Some("1.1.0"),
                "stable",
                true,
                "",
                Some("1.0.0"),
            ),
            (
                "withdrawn from the channel, not by the user",
                two,
                Some("1.1.0"),
                "stable",
                false,
                "",
                None,
            ),
            (
                "changed, and what runs is offered there too",
                two,
                Some("1.0.0"),
                "beta",
                true,
                "1.1.0",
                None,
            ),
            (
                "downwards, but banned",
                two,
                Some("1.1.0"),
                "stable",
                true,
                "1.0.0",
                None,
            ),
            (
                "an unlisted build that is higher",
                two,
                Some("2.0.0"),
                "stable",
                false,
                "",
                None,
            ),
            (
                "an unlisted build that is lower",
                two,
                Some("0.9.0"),
                "stable",
                false,
                "",
                Some("1.0.0"),
            ),
            ("no such channel", two, Some("1.0.0"), "nightly", true, "", None),
            ("an empty index", &[], Some("1.0.0"), "stable", true, "", None),
            (
                "a release is higher than its pre-release",
                &[("1.0.0", "a"), ("1.0.0-beta.2", "a")],
                None,
                "a",
                false,
                "",
                Some("1.0.0"),
            ),
            (
                "10 is higher than 9",
                &[("1.9.0", "a"), ("1.10.0", "a")],
                Some("1.9.0"),
                "a",
                false,
                "",
                Some("1.10.0"),
            ),
        ];
        for (name, releases, running, channel, channel_changed, banned, expected) in cases {
            let index = index(
                releases
                    .iter()
                    .map(|(version, channels)| release(version, channels))
                    .collect(),
            );
            let running = running.map(base);
            let situation = Situation {
                channel: &channel.parse().unwrap(),
                channel_changed: *channel_changed,
                running: running.as_ref(),
                host_api: 1,
                refused: &Ban(banned),
            };
            let (wanted, explanation) = select(&index, &situation);
            let found = wanted.map(|place| index.releases[place].version.to_string());
            assert_eq!(found.as_deref(), *expected, "{name}: {explanation:?}");
            assert_eq!(
                explanation.candidates.len(),
                releases.len(),
                "{name}: every candidate has a verdict"
            );
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let mut other_host = release("3.0.0", "stable");
        other_host.host_api = Some(HostApi { min: 2, max: 3 });
        let mut same_version = release("1.0.0", "stable");
        same_version.digest = Digest::of(b"rebuilt");
        let releases = vec![
            other_host,
            release("2.0.0", "beta"),
            release("1.5.0", "stable"),
            same_version,
            release("0.9.0", "stable"),
        ];
        let index = index(releases);
        let situation = Situation {
            channel: &Channel::stable(),
            channel_changed: false,
            running: Some(&base("1.0.0")),
            host_api: 1,
            refused: &Ban("1.5.0"),
        };
        let (wanted, explanation) = select(&index, &situation);
        assert_eq!(wanted, None);
        let sentences: Vec<String> = explanation
            .candidates
            .iter()
            .map(|found| format!("{}: {}", found.version, found.verdict))
            .collect();
        assert_eq!(
            sentences,
            [
                "3.0.0: It was made for hosts 2 to 3; this one is 1.",
                "2.0.0: It is offered on beta only.",
                "1.5.0: It failed here and is not tried again.",
                "1.0.0: It has the version that runs, but other bytes.",
                "0.9.0: It is lower than the version that runs.",
            ]
        );
    }

    #[test]
    fn refuses_an_executable_without_a_signature() {
        let mut index = index(vec![release("2.0.0", "stable")]);
        index.subject = Subject::Executable;
        let situation = Situation {
            channel: &Channel::stable(),
            channel_changed: false,
            running: None,
            host_api: 1,
            refused: &(),
        };
        let (wanted, explanation) = select(&index, &situation);
        assert_eq!(
            (wanted, &explanation.candidates[0].verdict),
            (None, &Verdict::Unsigned)
        );
        index.releases[0].signature = Some("c2lnbmF0dXJl".into());
        assert_eq!(select(&index, &situation).0, Some(0));
    }

    #[test]
    fn refuses_a_bundle_that_does_not_say_where_it_runs() {
        let mut silent = release("2.0.0", "stable");
        silent.host_api = None;
        let index = index(vec![silent]);
        let situation = Situation {
            channel: &Channel::stable(),
            channel_changed: false,
            running: None,
            host_api: 1,
            refused: &(),
        };
        assert_eq!(select(&index, &situation).0, None);
    }
}
