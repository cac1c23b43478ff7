//! Which release is wanted, and why every other candidate is not.
//!
//! Pure. It refuses to know how a release is fetched, and it never asks anybody: what was banned,
//! skipped or gone back from is handed in. docs/rollout.md has the rules in words.
//!
//! Two steps: [`rank`] looks at each subject alone and puts what it may have into an order of preference; [`choose`] takes the
//! best of that for all subjects such that they work with each other.

mod gate;
mod orders;
mod part;
mod place;
mod rank;
mod set;
mod wave;

use std::fmt;

use jiff::Timestamp;
use moult_model::{Channel, Digest, Explanation, Index, Release, Version};

pub use gate::refuse_wish;
pub use moult_model::explanation::{Authority, Candidate, Gate, NextWave, Partner, Verdict};
pub use orders::{Stand, Standing};
pub use place::InstallId;
pub use set::choose;
pub use wave::{Waves, moment};

use crate::plan::Base;

/// What the choice for a subject depends on, beside its index.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The channel that the subject follows.
    pub channel: &'a Channel,
    /// Whether the user changed the channel since the running version was chosen. Only then, for a pin, for a recall or to fit
    /// another part may a lower version be wanted.
    pub channel_changed: bool,
    /// The version that the user pinned.
    pub pin: Option<&'a Version>,
    /// What runs, if anything does.
    pub running: Option<&'a Base>,
    /// The version of the contract with bundles that the running executable offers.
    pub host_api: u32,
    /// What is not to be tried.
    pub refused: &'a dyn Refusals,
    /// Who this computer is in a rollout. None: the last in each wave.
    pub install: Option<InstallId>,
    /// The time that waves are measured by, see [`moment`].
    pub now: Timestamp,
    /// The orders in force.
    pub orders: &'a Standing,
    /// The data that is there.
    pub data: Data<'a>,
}

/// The data that the versions of a subject share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Data<'a> {
    /// The schema it was last written in. None: as what runs says of itself, or 0.
    pub schema: Option<u32>,
    /// The schemas of the copies that were kept.
    pub copies: &'a [u32],
    /// Whether the user was told what is lost with a copy, and wants that.
    pub may_lose: bool,
}

/// What is not to be tried, whatever the index says.
pub trait Refusals: fmt::Debug + Sync {
    /// Why this release is not to be tried now, if it is not.
    fn refusal(&self, release: &Release) -> Option<Verdict>;

    /// The same for a release that another was recalled to: wishes of the user don't count.
    fn refusal_of_recall(&self, release: &Release) -> Option<Verdict> {
        self.refusal(release)
    }
}

/// Nothing is refused.
impl Refusals for () {
    fn refusal(&self, _release: &Release) -> Option<Verdict> {
        None
    }
}

/// A subject with its index and its situation.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The index. An empty one if there is none: then it stays as it is.
    pub index: &'a Index,
    /// The situation.
    pub situation: Situation<'a>,
}

/// What was chosen for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The place in `index.releases` of what is wanted, if it is not what runs.
    pub wanted: Option<usize>,
    /// Whether it takes over with others, and never alone.
    pub together: bool,
    /// Whether it is wanted because what runs was recalled: it is as urgent as a critical release, and lifts a ban.
    pub recall: bool,
    /// Why, and why nothing else.
    pub explanation: Explanation,
}

/// Picks the release that is wanted for one subject by itself: its place in `index.releases`, if there is one, and a verdict for
/// every candidate.
pub fn select(index: &Index, situation: &Situation<'_>) -> (Option<usize>, Explanation) {
    let member = Member {
        index,
        situation: *situation,
    };
    let mut choices = choose(&[member]);
    // One goes in, one comes out.
    match choices.pop() {
        Some(choice) => (choice.wanted, choice.explanation),
        None => (None, set::blank(&member)),
    }
}

/// Whether the running artifact is offered on this channel.
pub fn offered(index: &Index, digest: &Digest, channel: &Channel) -> bool {
    index
        .release_of(digest)
        .is_some_and(|release| release.channels.contains(channel))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod single_tests;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod support;
