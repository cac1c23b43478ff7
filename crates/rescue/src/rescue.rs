//! The rescue itself: what is published, the best of it, and that on trial. Refuses to start anything.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use moult_boot::{Base, BootError, Store, WriteRight};
use moult_model::{Digest, Index, Release, Subject, Version};
use moult_trust::{Authentic, Client};
use moult_update::artifact::{AuthenticRelease, Demands, Rebuilt, Staged, Verified};
use moult_update::fetch::{Fetcher, Limits, Pinned, Repository};
use moult_update::{UpdateError, orders_in_force};

use crate::{RescueConfig, RescueError, choose, stamp};

/// What a person is told on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A repository is asked what is published.
    Asking,
    /// A release is fetched.
    Fetching {
        /// Its version.
        version: Version,
        /// How many of its bytes are here.
        done: u64,
        /// How many bytes it has.
        size: u64,
    },
    /// A release is compared with what was signed.
    Checking {
        /// Its version.
        version: Version,
    },
}

impl Step {
    /// How far the whole is, in percent.
    pub fn percent(&self) -> u8 {
        match self {
            Self::Asking => 2,
            Self::Fetching { done, size, .. } => {
                let share = done.saturating_mul(88) / (*size).max(1);
                5 + u8::try_from(share.min(88)).unwrap_or(88)
            }
            Self::Checking { .. } => 95,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asking => f.write_str("Looking for a good version of Moult."),
            Self::Fetching { version, .. } => write!(f, "Fetching Moult {version}."),
            Self::Checking { version } => write!(f, "Checking Moult {version}."),
        }
    }
}

/// What was brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// Its version.
    pub version: Version,
    /// Its digest.
    pub digest: Digest,
    /// Whether it is on trial; else it is the current version, whose file was put right.
    pub on_trial: bool,
}

/// Brings the highest good release here and puts it on trial, so that the next start is its.
///
/// What the store has banned and what `config.failed` names is left out; so is what turns out, once it is
/// here, not to be what was signed. The right to write is held throughout. `now` is the time by the
/// computer's clock.
pub async fn rescue(
    config: &RescueConfig,
    now: Timestamp,
    tell: &(dyn Fn(Step) + Sync),
) -> Result<Rescued, RescueError> {
    let in_store = |source| RescueError::Store { source };
    let clock = SystemTime::from(now);
    if let Some(wait) = stamp::wait(&config.data, clock) {
        return Err(RescueError::TooSoon { wait });
    }
    if config.repositories.is_empty() {
        return Err(RescueError::NoRepository);
    }
    let Some(right) = WriteRight::take(&config.data, config.patience).map_err(in_store)? else {
        return Err(RescueError::Running);
    };
    // That the packaged executable is missing must not stop this.
    let (base, _) = Base::from_install_or_missing(&config.install);
    let store = Store::open(&config.data, base).map_err(in_store)?;
    tell(Step::Asking);
    let (repository, index) = ask(config, now).await?;
    // From here on the repository had its work with this computer.
    stamp::note(&config.data, clock).map_err(|source| RescueError::Note { source })?;
    let index = Arc::new(index);
    let banned = store.state().map_err(in_store)?.banned;
    let mut refused: BTreeSet<Digest> = banned.iter().map(|ban| ban.digest).collect();
    refused.extend(&config.failed);
    // What was ordered before still counts: a stopped release is no help.
    let standing = orders_in_force(&config.data);
    let is_stopped = |release: &&Release| standing.on(&index.subject, release).held.is_some();
    refused.extend(
        index
            .releases
            .iter()
            .filter(is_stopped)
            .map(|release| release.digest),
    );
    let mut first = None;
    loop {
        let place = choose(&index, &config.channel, &refused, now);
        let Some(release) = place.and_then(|place| AuthenticRelease::new(index.clone(), place)) else {
            return Err(first.unwrap_or(RescueError::NothingLeft));
        };
        let brought = bring(config, &repository, &store, &release, tell).await;
        right.check().map_err(in_store)?;
        match brought.and_then(|slot| begin(&store, slot).map_err(UpdateError::from)) {
            Ok(on_trial) => {
                return Ok(Rescued {
                    version: release.version.clone(),
                    digest: release.digest,
                    on_trial,
                });
            }
            Err(source) => {
                let lower_may_do = is_its_own_fault(&source);
                let error = RescueError::Bring {
                    version: release.version.clone(),
                    source: Box::new(source),
                };
                if !lower_may_do {
                    return Err(error);
                }
                refused.insert(release.digest);
                first.get_or_insert(error);
            }
        }
    }
}

/// Asks one repository after the other. The first error is the one that is told.
async fn ask(
    config: &RescueConfig,
    now: Timestamp,
) -> Result<(Arc<Repository>, Authentic<Index>), RescueError> {
    let mut first = None;
    for address in &config.repositories {
        let repository = Arc::new(Repository::new(address, Limits::default()));
        let trust = config.data.join("trust");
        let asked = async {
            let mut client = Client::open(&config.anchor, repository.clone(), &trust)?;
            client.refresh(now).await?;
            client.index(&Subject::Executable, &config.triple, now).await
        };
        match asked.await {
            Ok(index) => return Ok((repository, index)),
            Err(source) => {
                first.get_or_insert(RescueError::Trust {
                    repository: address.clone(),
                    source,
                });
            }
        }
    }
    Err(first.unwrap_or(RescueError::NoRepository))
}

/// Fetches a release, verifies it, and puts it into its slot.
async fn bring(
    config: &RescueConfig,
    repository: &Repository,
    store: &Store,
    release: &AuthenticRelease,
    tell: &(dyn Fn(Step) + Sync),
) -> Result<Staged, UpdateError> {
    let version = release.version.clone();
    let full = &release.full;
    let pinned = Pinned {
        path: format!("targets/{}", full.path),
        digest: full.digest,
        size: full.size,
    };
    let fetcher = Fetcher::new(repository.mirrors()?, store.staging());
    let progress = |done| {
        tell(Step::Fetching {
            version: version.clone(),
            done,
            size: full.size,
        });
    };
    let file = fetcher.fetch(&pinned, &progress).await?;
    tell(Step::Checking {
        version: version.clone(),
    });
    let to = store.staging().join(format!("rescue-{}.new", release.digest));
    let rebuilt = Rebuilt::unpack(&file, release, &to)?;
    let demands = Demands {
        minisign: &config.anchor.minisign,
        host_api: moult_model::HOST_API,
    };
    Verified::check(rebuilt, release, demands)?.into_slot(store)
}

/// Puts a slot on trial. False: it is current already, and its file was put right.
fn begin(store: &Store, staged: Staged) -> Result<bool, BootError> {
    let Staged::Executable { slot } = staged else {
        return Ok(false);
    };
    match store.begin_trial(&slot) {
        Ok(()) => Ok(true),
        Err(BootError::AlreadyCurrent { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a lower release may do better: the fault is this one's bytes, not the network's or the disk's.
fn is_its_own_fault(error: &UpdateError) -> bool {
    use moult_model::ErrorCode as Code;
    matches!(
        error.code(),
        Code::FileCorrupt | Code::SignatureInvalid | Code::ServerRefused | Code::IndexInvalid | Code::Crashed
    )
}
