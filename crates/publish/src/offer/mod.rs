//! Who may have a release: what is asked for on the command line, and the signed policy that follows from it. Pure.

mod edit;
mod plan;
mod words;

use jiff::Timestamp;
use moult_model::config::RolloutDefaults;
use moult_model::{Digest, Index, ReleasePolicy, Version};

pub(crate) use edit::standing;
pub use edit::{Change, epoch_above, halt, pause, promote, recall, resume};
pub use plan::{now_share, rollout_of};
pub use words::{Data, Percent, Waves, When};

use crate::cli::OfferArgs;

/// Why a release can't be offered in this way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// A preset that there is not.
    #[error("there is no preset `{name}`")]
    UnknownPreset {
        /// Its name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Waves that do not grow, or are not in order of time.
    #[error("the waves are not in order: {problem}")]
    Waves {
        /// What is wrong.
        problem: String,
    },
    /// A version that is not listed.
    #[error("the index lists no version {version}")]
    UnknownVersion {
        /// The version.
        version: Version,
        /// Those that it lists.
        known: Vec<Version>,
    },
    /// A release that is to go back to itself.
    #[error("{version} can't go back to itself")]
    Itself {
        /// The release.
        version: Version,
    },
    /// There is nothing lower on the same channels.
    #[error("there is no lower version than {from} on its channels that was not recalled itself")]
    NothingBelow {
        /// The release.
        from: Version,
    },
    /// The older version can't read what the newer one wrote.
    #[error("{to} does not read the data of {from}: that has the schema {schema}")]
    Data {
        /// The release.
        from: Version,
        /// Where it was to go.
        to: Version,
        /// What the release writes.
        schema: u32,
    },
    /// A release that is not held is resumed.
    #[error("{version} is neither paused nor halted")]
    NotHeld {
        /// The release.
        version: Version,
    },
    /// A release that was recalled is resumed, or others are to go back to it.
    #[error("{version} was recalled")]
    Recalled {
        /// The release.
        version: Version,
    },
    /// An executable carries its version inside.
    #[error("the same executable can't be published under a higher version: it carries its version inside")]
    ExecutableNeeded,
    /// A version to roll forward to that is not above everything that is out.
    #[error("{version} is not above {highest}, which is out")]
    NotAbove {
        /// The version.
        version: Version,
        /// The highest one.
        highest: Version,
    },
    /// No target has the release.
    #[error("no target of the app has the version {version}")]
    NoTarget {
        /// The version.
        version: Version,
    },
}

impl OfferError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let list = |versions: &[Version]| {
            let names: Vec<_> = versions.iter().map(|version| format!("`{version}`")).collect();
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        Some(match self {
            Self::UnknownPreset { known, .. } => format!("the presets are `{}`", known.join("`, `")),
            Self::Waves { .. } => "each wave begins after the one before it and has more in it".to_owned(),
            Self::UnknownVersion { known, .. } => format!("it lists {}", list(known)),
            Self::Itself { .. } => "name a lower version with --to".to_owned(),
            Self::NothingBelow { .. } => {
                "name one with --to, or publish the old code under a higher version with --roll-forward"
                    .to_owned()
            }
            Self::Data { .. } => {
                "publish the old code, able to read the data, under a higher version with --roll-forward"
                    .to_owned()
            }
            Self::NotHeld { .. } => "`moult rollout show` says how it is offered".to_owned(),
            Self::Recalled { .. } => {
                "publish a higher version: what was recalled does not come back".to_owned()
            }
            Self::ExecutableNeeded => {
                "build the old code with the higher version in it, and name the file with --executable"
                    .to_owned()
            }
            Self::NotAbove { .. } => "choose a higher one".to_owned(),
            Self::NoTarget { .. } => "`moult inspect` of the repository lists what is out".to_owned(),
        })
    }
}

/// The signed policy of a release. `before` is what was signed for it until now, if it is out; what is not asked for stays.
pub fn policy_of(
    index: &Index,
    digest: &Digest,
    before: Option<&ReleasePolicy>,
    args: &OfferArgs,
    defaults: &RolloutDefaults,
    now: Timestamp,
) -> Result<ReleasePolicy, OfferError> {
    let mut policy = before.cloned().unwrap_or_default();
    let salt = policy.rollout.as_ref().map(|rollout| rollout.salt.as_str());
    match rollout_of(&args.plan, defaults, digest, salt, now)? {
        plan::Planned::Waves(rollout) => policy.rollout = Some(rollout),
        plan::Planned::Everybody => policy.rollout = None,
        plan::Planned::NotSaid if before.is_some() => {}
        plan::Planned::NotSaid => {
            if let Some(name) = &defaults.preset {
                let args = crate::cli::PlanArgs {
                    preset: Some(name.clone()),
                    ..Default::default()
                };
                if let plan::Planned::Waves(rollout) = rollout_of(&args, defaults, digest, salt, now)? {
                    policy.rollout = Some(rollout);
                }
            }
        }
    }
    if !args.recall_to.is_empty() {
        let digests = args.recall_to.iter().map(|version| {
            let known = index.releases.iter().map(|release| release.version.clone());
            index
                .release(version)
                .map(|release| release.digest)
                .ok_or_else(|| OfferError::UnknownVersion {
                    version: version.clone(),
                    known: known.collect(),
                })
        });
        policy.recall_to = digests.collect::<Result<_, _>>()?;
    }
    if let Some(version) = &args.update_from {
        policy.update_from = Some(version.clone());
    }
    if let Some(version) = &args.min_secure {
        policy.min_secure = Some(version.clone());
    }
    if let Some(Data(schema)) = args.data_schema {
        policy.data_schema = Some(schema);
    }
    Ok(policy)
}
