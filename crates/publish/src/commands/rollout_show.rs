//! `moult rollout show`: who gets what now, and what comes next.

use std::fmt;

use moult_model::{Index, Release, Subject, Version};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::RolloutShowArgs;
use crate::offer::{now_share, standing};
use crate::repository::Open;

#[derive(Serialize)]
struct Shown {
    subjects: Vec<ShownSubject>,
}

#[derive(Serialize)]
struct ShownSubject {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    releases: Vec<ShownRelease>,
}

#[derive(Serialize)]
struct ShownRelease {
    version: Version,
    channels: Vec<String>,
    /// How many get it now, in ten-thousandths.
    share: u16,
    offered: String,
    hold_epoch: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recall_to: Vec<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recalled_to: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_from: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_secure: Option<Version>,
}

pub(super) fn run(context: &Context, args: &RolloutShowArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let open = Open::existing(&workspace)?;
    let subjects = open
        .indexes(&workspace)?
        .into_iter()
        .filter(|index| {
            args.subject
                .as_ref()
                .is_none_or(|subject| *subject == index.subject)
        })
        .map(|index| {
            let shown = |release: &Release| shown(&index, release, context.now);
            ShownSubject {
                subject: index.subject.clone(),
                triple: index.triple.clone(),
                releases: index.releases.iter().map(shown).collect(),
            }
        })
        .collect();
    context.output.report(&Shown { subjects })
}

fn shown(index: &Index, release: &Release, now: jiff::Timestamp) -> ShownRelease {
    let policy = &release.policy;
    let version = |digest: &moult_model::Digest| Some(index.release_of(digest)?.version.clone());
    ShownRelease {
        version: release.version.clone(),
        channels: release.channels.iter().map(ToString::to_string).collect(),
        share: now_share(policy, now).ten_thousandths(),
        offered: standing(release, now),
        hold_epoch: policy.hold_epoch,
        recall_to: policy.recall_to.iter().filter_map(version).collect(),
        recalled_to: policy.recalled.as_ref().and_then(version),
        update_from: policy.update_from.clone(),
        min_secure: policy.min_secure.clone(),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subjects.is_empty() {
            return f.write_str("nothing is out");
        }
        for subject in &self.subjects {
            let triple = subject.triple.iter().map(|triple| format!(" for {triple}"));
            writeln!(f, "{}{}", subject.subject, triple.collect::<String>())?;
            for release in &subject.releases {
                let channels = release.channels.join(", ");
                write!(
                    f,
                    "  {:<14} {}  on {channels}",
                    release.version.to_string(),
                    release.offered
                )?;
                for (what, version) in [
                    ("; goes to", &release.recalled_to),
                    ("; from", &release.update_from),
                    ("; secure from", &release.min_secure),
                ] {
                    if let Some(version) = version {
                        write!(f, "{what} {version}")?;
                    }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
