//! What is installed for one subject, and how that changes. Pure; refuses to know files.

use moult_model::{Digest, Subject, Version};
use serde::{Deserialize, Serialize};

use crate::{Ban, BootError, BootState, Rest, Why};

/// A bundle in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Installed {
    /// Its version.
    pub version: Version,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// What is installed for one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleSlots {
    /// What is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Installed>,
    /// What has to prove itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Installed>,
    /// What is installed and was never current, newest first.
    #[serde(default)]
    pub waiting: Vec<Installed>,
    /// What was current before, the last one first.
    #[serde(default)]
    pub earlier: Vec<Installed>,
    /// What failed and is not tried again, oldest first.
    #[serde(default)]
    pub banned: Vec<Ban>,
    /// Versions that are kept however old they are: somebody holds a tile on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Version>,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

impl BundleSlots {
    /// Whether a bundle is not tried again.
    pub fn is_banned(&self, digest: &Digest) -> bool {
        self.banned.iter().any(|ban| ban.digest == *digest)
    }

    /// An installed bundle, whatever its part.
    pub fn installed(&self, digest: &Digest) -> Option<&Installed> {
        self.every().find(|installed| installed.digest == *digest)
    }

    pub(super) fn digests(&self) -> Vec<Digest> {
        self.every().map(|installed| installed.digest).collect()
    }

    pub(super) fn install(&mut self, new: Installed) {
        if self.installed(&new.digest).is_none() {
            self.waiting.insert(0, new);
        }
    }

    pub(super) fn begin_trial(&mut self, subject: &Subject, digest: &Digest) -> Result<(), BootError> {
        if self.is_banned(digest) {
            return Err(BootError::Banned { digest: *digest });
        }
        // What is current needs no trial, and what is on trial is so already.
        if [&self.current, &self.trial]
            .into_iter()
            .flatten()
            .any(|installed| installed.digest == *digest)
        {
            return Ok(());
        }
        let missing = || BootError::BundleNotInstalled {
            subject: subject.to_string(),
            digest: *digest,
        };
        let chosen = self.installed(digest).cloned().ok_or_else(missing)?;
        self.drop_trial();
        // An earlier one stays in its place, so that giving up the trial loses nothing.
        self.waiting.retain(|installed| installed.digest != *digest);
        self.trial = Some(chosen);
        Ok(())
    }

    pub(super) fn confirm(&mut self, subject: &Subject, digest: &Digest) -> Result<(), BootError> {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.digest == *digest)
        {
            return Ok(());
        }
        let trial = self.trial.take_if(|trial| trial.digest == *digest);
        let trial = trial.ok_or_else(|| BootError::BundleNotOnTrial {
            subject: subject.to_string(),
            digest: *digest,
        })?;
        self.make_current(trial);
        Ok(())
    }

    pub(super) fn roll_back(&mut self, why: Why, ban: bool) -> Result<Option<Installed>, BootError> {
        if let Some(trial) = self.trial.clone() {
            self.drop_trial();
            if ban {
                self.ban(&trial, why);
            }
        } else if let Some(failed) = self.current.clone() {
            if self.earlier.is_empty() {
                return Err(BootError::NothingToGoBackTo);
            }
            self.current = Some(self.earlier.remove(0));
            if ban {
                self.ban(&failed, why);
            } else {
                self.waiting.insert(0, failed);
            }
        } else {
            return Err(BootError::NothingToGoBackTo);
        }
        Ok(self.current.clone())
    }

    pub(super) fn go_back(&mut self, subject: &Subject, version: &Version) -> Result<Installed, BootError> {
        let chosen = self
            .earlier
            .iter()
            .find(|earlier| earlier.version == *version)
            .cloned();
        let missing = || BootError::BundleVersionNotInstalled {
            subject: subject.to_string(),
            version: version.clone(),
        };
        let chosen = chosen.ok_or_else(missing)?;
        self.drop_trial();
        self.make_current(chosen.clone());
        Ok(chosen)
    }

    /// Ends a trial without a judgement: the bundle waits again.
    pub(super) fn drop_trial(&mut self) {
        if let Some(trial) = self.trial.take()
            && self.installed(&trial.digest).is_none()
        {
            self.waiting.insert(0, trial);
        }
    }

    pub(super) fn lift_ban(&mut self, digest: &Digest) {
        self.banned.retain(|ban| ban.digest != *digest);
    }

    pub(super) fn trim(&mut self, keep: usize) {
        for (list, keep) in [(&mut self.waiting, 1), (&mut self.earlier, keep)] {
            let mut place = 0;
            list.retain(|installed| {
                place += 1;
                place <= keep || self.held.contains(&installed.version)
            });
        }
    }

    /// The installed bundle of a version, the current one first.
    pub fn of_version(&self, version: &Version) -> Option<&Installed> {
        self.every().find(|installed| installed.version == *version)
    }

    fn every(&self) -> impl Iterator<Item = &Installed> {
        self.current
            .iter()
            .chain(&self.trial)
            .chain(&self.waiting)
            .chain(&self.earlier)
    }

    fn make_current(&mut self, new: Installed) {
        self.waiting.retain(|installed| installed.digest != new.digest);
        self.earlier.retain(|installed| installed.digest != new.digest);
        if let Some(old) = self.current.replace(new) {
            self.earlier.insert(0, old);
        }
    }

    fn ban(&mut self, failed: &Installed, why: Why) {
        self.waiting.retain(|installed| installed.digest != failed.digest);
        self.earlier.retain(|installed| installed.digest != failed.digest);
        if !self.is_banned(&failed.digest) {
            self.banned.push(Ban {
                digest: failed.digest,
                version: failed.version.clone(),
                why,
                rest: Rest::new(),
            });
        }
        let excess = self.banned.len().saturating_sub(BootState::MAX_BANS);
        self.banned.drain(..excess);
    }
}
