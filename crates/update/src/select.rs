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
mod tests;
