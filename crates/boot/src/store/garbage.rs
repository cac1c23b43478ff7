//! Deleting what no longer counts. Refuses to touch what may be started or is running.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Store;
use super::in_use::Unused;
use crate::machine::Event;
use crate::steps::step;
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
        self.remove_locks_of_gone_slots(&listed)?;
        self.remove_unfinished_states()?;
        Ok(collected)
    }

    fn delete(&self, name: &str, claim: Unused, collected: &mut Collected) -> Result<(), BootError> {
        let path = self.layout.versions.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            let bytes = size(&path);
            step("garbage: before a slot is deleted");
            // Unlike a folder, a link or a file in its place is removed itself.
            let removed = if path.is_symlink() || path.is_file() {
                fs::remove_file(&path)
            } else {
                fs::remove_dir_all(&path)
            };
            removed.map_err(|source| BootError::Remove { path, source })?;
            step("garbage: slot deleted");
            collected.removed += 1;
            collected.bytes += bytes;
        }
        claim.remove()
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
                fs::remove_file(&path).map_err(|source| BootError::Remove { path, source })?;
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
    Ok(names)
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|data| data.len())
        .sum()
}
