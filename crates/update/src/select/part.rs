//! A part as it is or as it could be, and whether it works with another. Pure.

use moult_model::explanation::{Partner, Verdict};
use moult_model::rollout::VersionRange;
use moult_model::{Release, ReleasePolicy, Subject, Version};

use super::rank::{Prospect, Ranked, Way};

/// A part as it is or as it could be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) subject: &'a Subject,
    pub(super) version: &'a Version,
    /// None for what runs and is not listed any more: it says nothing, and what is said of its version counts.
    release: Option<&'a Release>,
    /// For the executable: the contract that it offers.
    offers: u32,
}

/// What the pair does, and what a widget finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) app: Option<Part<'a>>,
    pub(super) shell: Option<Part<'a>>,
}

impl<'a> Part<'a> {
    pub(super) fn of(ranked: &'a Ranked<'_>, prospect: Prospect) -> Option<Self> {
        let situation = &ranked.situation;
        let release = ranked.release(prospect);
        let running = situation.running.map(|running| &running.version);
        let version = match prospect.way {
            Way::Stay => running?,
            _ => &release?.version,
        };
        let offers = release
            .filter(|_| prospect.way != Way::Stay)
            .and_then(|release| release.host_api)
            .map_or(situation.host_api, |range| range.max);
        Some(Self {
            subject: &ranked.index.subject,
            version,
            release,
            offers,
        })
    }

    pub(super) fn partner(&self) -> Partner {
        Partner {
            subject: self.subject.clone(),
            version: self.version.clone(),
        }
    }

    pub(super) fn needs(&self, of: &Subject) -> Option<&'a VersionRange> {
        let policy: &'a ReleasePolicy = &self.release?.policy;
        policy.works_with.get(of)
    }

    /// Why this part does not work with another, if so. What is said of the other comes first.
    pub(super) fn clashes(&self, other: &Part<'_>) -> Option<Verdict> {
        if let Some(needs) = self
            .needs(other.subject)
            .filter(|needs| !needs.holds(other.version))
        {
            return Some(Verdict::DoesNotFit {
                with: other.partner(),
                needs: needs.clone(),
            });
        }
        if let Some(needs) = other
            .needs(self.subject)
            .filter(|needs| !needs.holds(self.version))
        {
            return Some(Verdict::NotFitted {
                by: other.partner(),
                needs: needs.clone(),
            });
        }
        match (self.subject, other.subject) {
            (Subject::Executable, _) => other.refuses_host(self.offers),
            (_, Subject::Executable) => self.refuses_host(other.offers),
            _ => None,
        }
    }

    pub(super) fn refuses_host(&self, host: u32) -> Option<Verdict> {
        let range = self.release?.host_api?;
        (!range.admits(host)).then_some(Verdict::WrongHost {
            min: range.min,
            max: range.max,
            host,
        })
    }
}

impl<'a> Pair<'a> {
    pub(super) fn parts(self) -> impl Iterator<Item = Part<'a>> {
        [self.app, self.shell].into_iter().flatten()
    }

    /// Whether its two work with each other.
    pub(super) fn fits(self) -> bool {
        match (self.app, self.shell) {
            (Some(app), Some(shell)) => app.clashes(&shell).is_none(),
            _ => true,
        }
    }

    /// Why a part does not work with it.
    pub(super) fn clash(self, part: &Part<'_>) -> Option<Verdict> {
        self.parts().find_map(|other| part.clashes(&other))
    }
}
