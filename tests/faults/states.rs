//! The states of the disk that were seen, each once. Refuses to know how they came about.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use moult_model::Digest;

use crate::ground::{self, Ground, Life, Place};

/// The states, each with the name of the run that showed it first.
#[derive(Default)]
pub(crate) struct States {
    seen: Mutex<BTreeMap<(Life, Digest), String>>,
}

impl States {
    /// Whether this state was not seen before.
    pub(crate) fn is_new(&self, life: Life, likeness: Digest, name: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.len();
        seen.entry((life, likeness)).or_insert_with(|| name.to_owned());
        seen.len() > before
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Checks an installation if its state was not seen before. The installation is moved or removed.
    pub(crate) fn check(
        &self,
        ground: &Ground,
        install: &Path,
        life: Life,
        name: &str,
    ) -> anyhow::Result<()> {
        self.check_like(ground::likeness(install)?, ground, install, life, name)
    }

    /// The same for one whose likeness is this.
    pub(crate) fn check_like(
        &self,
        likeness: Digest,
        ground: &Ground,
        install: &Path,
        life: Life,
        name: &str,
    ) -> anyhow::Result<()> {
        if !self.is_new(life, likeness, name) {
            return Ok(std::fs::remove_dir_all(install)?);
        }
        let place = ground.taking(install, life)?;
        ground.check(&place)?;
        place.remove()
    }

    /// The same for a place that is not needed any more.
    pub(crate) fn check_place(&self, ground: &Ground, place: Place, name: &str) -> anyhow::Result<()> {
        if self.is_new(place.life(), place.likeness()?, name) {
            ground.check(&place)?;
        }
        place.remove()
    }
}
