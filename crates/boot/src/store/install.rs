//! Putting a verified file into its slot. Refuses to know where it came from, and hashes it once more.

use std::path::Path;

use moult_model::{Digest, Version};

use super::Store;
use crate::base::digest_of;
use crate::machine::Event;
use crate::{BootError, Rest, Slot, SlotName, platform};

impl Store {
    /// Moves a file into `versions/` and lists it as a slot. Nothing starts it until
    /// [`begin_trial`](Self::begin_trial). The file must be on the volume of [`staging`](Self::staging).
    ///
    /// The order makes each crash harmless: the file is complete, executable and on the disk before it
    /// has its final name, and it has its final name before it is listed. What is not listed is garbage.
    ///
    /// If the artifact is installed already, also as the packaged executable, its slot is returned and
    /// the file stays where it is.
    pub fn install(&self, file: &Path, version: &Version, expected: Digest) -> Result<SlotName, BootError> {
        let lock = self.lock()?;
        let state = self.state()?;
        if state.is_banned(&expected) {
            return Err(BootError::Banned { digest: expected });
        }
        if let Some(slot) = state.slots.iter().find(|slot| slot.digest == expected)
            && self.is_usable(&slot.name)
            && self.is_intact(&slot.name)?
        {
            return Ok(slot.name.clone());
        }
        let slot = Slot {
            name: SlotName::of(version, &expected),
            version: version.clone(),
            digest: expected,
            rest: Rest::new(),
        };
        if state
            .slot(&slot.name)
            .is_some_and(|known| known.digest != expected)
        {
            return Err(BootError::SlotTaken { slot: slot.name });
        }
        check_digest(file, expected)?;
        platform::check_signature(file)?;
        platform::make_executable(file)?;
        moult_durable::sync_file(file)?;
        let folder = self.layout.slot_folder(&slot.name);
        moult_durable::create_dir_all(&folder)?;
        platform::make_private(&folder)?;
        // A leftover of the same name is replaced; a listed slot gets here only if its file is damaged.
        moult_durable::rename(file, &self.layout.slot_executable(&slot.name))?;
        let name = slot.name.clone();
        self.change(&lock, [Event::Installed { slot }])?;
        Ok(name)
    }
}

pub(crate) fn check_digest(file: &Path, expected: Digest) -> Result<(), BootError> {
    let found = digest_of(file).map_err(|source| BootError::Read {
        path: file.to_owned(),
        source,
    })?;
    if found == expected {
        Ok(())
    } else {
        Err(BootError::DigestMismatch {
            path: file.to_owned(),
            expected,
            found,
        })
    }
}
