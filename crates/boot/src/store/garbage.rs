//! Deleting what no longer counts. Refuses to touch what may be started or is running.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Store;
use super::in_use::Unused;
use crate::machine::Event;
use crate::{BootError, SlotName};

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// How many slots' folders (or bundles).
    pub removed: usize,
    /// How many bytes their files had.
    pub bytes: u64,
}

impl Store {
    /// Deletes old slots and leftovers. Kept are the current slot, the one before, the one on trial, what
    /// is in use, and the `keep` slots that were installed last.
    ///
    /// A slot is taken off the list before its files go, so a crash leaves garbage and never a listed
    /// slot without its file.
    pub fn collect_garbage(&self, keep: usize) -> Result<Collected, BootError> {
        let lock = self.lock()?;
        let state = self.state()?;
        let installed: Vec<_> = state.slots.iter().filter(|slot| !slot.name.is_base()).collect();
        let mut unused = Vec::new();
        for slot in &installed[..installed.len().saturating_sub(keep)] {
            let needed = [
                Some(&state.current),
                state.previous.as_ref(),
                state.trial.as_ref().map(|trial| &trial.slot),
            ];
            if needed.contains(&Some(&slot.name)) {
                continue;
            }
            if let Some(claim) = Unused::claim(self.layout.slot_lock(slot.name.as_str()))? {
                unused.push((slot.name.clone(), claim));
            }
        }
        let forget = unused
            .iter()
            .map(|(slot, _)| Event::Forget { slot: slot.clone() });
        let (state, _) = self.change(&lock, forget)?;

        let mut collected = Collected::default();
        for (slot, claim) in unused {
            self.delete(slot.as_str(), claim, &mut collected)?;
        }
        let listed: BTreeSet<&str> = state.slots.iter().map(|slot| slot.name.as_str()).collect();
        for name in names(&self.layout.versions)? {
            if !listed.contains(name.as_str())
                && let Some(claim) = Unused::claim(self.layout.slot_lock(&name))?
            {
                self.delete(&name, claim, &mut collected)?;
            }
        }
        self.remove_web_data_of_gone_slots(&listed, &mut collected)?;
        self.remove_locks_of_gone_slots(&listed)?;
        self.remove_unfinished_states()?;
        Ok(collected)
    }

    /// Deletes a slot's folder and the web engine's data of it.
    fn delete(&self, name: &str, claim: Unused, collected: &mut Collected) -> Result<(), BootError> {
        for (folder, is_slot) in [(&self.layout.web, false), (&self.layout.versions, true)] {
            let path = folder.join(name);
            if fs::symlink_metadata(&path).is_err() {
                continue;
            }
            let bytes = size(&path);
            // Unlike a folder, a link or a file in its place is removed itself.
            let removed = moult_durable::fs::remove_tree(&path);
            removed.map_err(|source| BootError::Remove { path, source })?;
            collected.removed += usize::from(is_slot);
            collected.bytes += bytes;
        }
        claim.remove()
    }

    /// The web engine's data of slots that are gone: the application makes it, and its own clean-up may have
    /// been cut short. What is not named like a slot is not looked at.
    fn remove_web_data_of_gone_slots(
        &self,
        listed: &BTreeSet<&str>,
        collected: &mut Collected,
    ) -> Result<(), BootError> {
        if fs::symlink_metadata(&self.layout.web).is_err() {
            return Ok(());
        }
        for name in names(&self.layout.web)? {
            if name.parse::<SlotName>().is_ok()
                && !listed.contains(name.as_str())
                && let Some(claim) = Unused::claim(self.layout.slot_lock(&name))?
            {
                self.delete(&name, claim, collected)?;
            }
        }
        Ok(())
    }

    fn remove_locks_of_gone_slots(&self, listed: &BTreeSet<&str>) -> Result<(), BootError> {
        for name in names(&self.layout.run)? {
            let slot = name
                .strip_suffix(".lock")
                .and_then(|slot| slot.parse::<SlotName>().ok());
            if let Some(slot) = slot
                && !listed.contains(slot.as_str())
                && let Some(claim) = Unused::claim(self.layout.slot_lock(slot.as_str()))?
            {
                claim.remove()?;
            }
        }
        Ok(())
    }

    /// Removes what interrupted writes of the state left: others write to the data folder too, so only those.
    fn remove_unfinished_states(&self) -> Result<(), BootError> {
        for name in names(&self.layout.root)? {
            if name.ends_with(".moult-new")
                && (name.starts_with(".state.a.") || name.starts_with(".state.b."))
            {
                let path = self.layout.root.join(name);
                moult_durable::fs::remove_file(&path).map_err(|source| BootError::Remove { path, source })?;
            }
        }
        Ok(())
    }
}

/// The names in a folder. One that is not UTF-8 is not ours, and stays.
fn names(folder: &Path) -> Result<Vec<String>, BootError> {
    let read = |source| BootError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        names.extend(entry.map_err(read)?.file_name().into_string().ok());
    }
    // What is removed goes in the same order each time.
    names.sort_unstable();
    Ok(names)
}

/// The bytes of all files in a folder. What can't be looked at counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, data)| if data.is_dir() { size(&path) } else { data.len() })
        .sum()
}
