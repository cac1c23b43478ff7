//! The store of installed bundles: what is loaded for each subject, on the disk.
//!
//! Bundles are loaded by the running application, so there is no launcher and no count of tries here:
//! whoever loads a bundle says how it went. This store refuses to know what is in a bundle.

mod owner;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, Lock, TwoCopy};
use moult_model::{Digest, Subject, Version};
use serde::{Deserialize, Serialize};

use owner::Owner;
pub use slots::{BundleSlots, Installed};

use crate::layout::Layout;
use crate::store::{LOCK_LIMIT, check_digest, lock_within};
use crate::{BootError, Collected, Rest, Why, platform};

/// The store of one data folder.
#[derive(Debug)]
pub struct BundleStore {
    layout: Layout,
    record: TwoCopy<Record>,
    /// `None` in a store that only reads.
    owner: Option<Owner>,
}

/// What `bundles/state.a` and `bundles/state.b` hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    subjects: BTreeMap<Subject, BundleSlots>,
    #[serde(flatten)]
    rest: Rest,
}

impl BundleStore {
    /// Opens the store of a data folder, creating what is missing. Trials that are left over from a process
    /// that died are dropped, without a ban, and what was current before them stands; as long as another
    /// process has the store open too, they are that one's and stay.
    ///
    /// If neither copy of the record can be read it starts empty; the files are found again as they
    /// are installed again.
    pub fn open(root: &Path) -> Result<Self, BootError> {
        let layout = Layout::new(root);
        for folder in [&layout.root, &layout.bundles, &layout.staging] {
            moult_durable::create_dir_all(folder)?;
            platform::make_private(folder)?;
        }
        let mut store = Self::over(layout);
        let lock = store.lock()?;
        let owner = Owner::join(&store.layout.bundles.join("owner.lock"))?;
        if owner.is_first {
            store.change_locked(&lock, |record| {
                record.subjects.values_mut().for_each(BundleSlots::drop_trial);
                Ok(())
            })?;
        }
        store.owner = Some(owner);
        Ok(store)
    }

    /// Opens the store to read what is installed: nothing is made or changed on the disk, also no trial of
    /// another process. What would change something is refused with [`BootError::ReadingOnly`].
    pub fn open_reading(root: &Path) -> Self {
        Self::over(Layout::new(root))
    }

    fn over(layout: Layout) -> Self {
        let record = TwoCopy::new(&layout.bundles, "state");
        Self {
            layout,
            record,
            owner: None,
        }
    }

    /// Where files are prepared: on the same volume as the bundles.
    pub fn staging(&self) -> &Path {
        &self.layout.staging
    }

    /// Moves a file into the store and lists it for a subject. Nothing loads it until it is put on
    /// trial. Returns where it is. A bundle that is installed already stays, and so does the file.
    pub fn install(
        &self,
        file: &Path,
        subject: &Subject,
        version: &Version,
        expected: Digest,
    ) -> Result<PathBuf, BootError> {
        let path = self.path(&expected);
        let lock = self.lock_to_change()?;
        if self
            .load()?
            .subjects
            .get(subject)
            .is_some_and(|slots| slots.is_banned(&expected))
        {
            return Err(BootError::Banned { digest: expected });
        }
        // The file may be there for another subject, or from an installation that was cut short.
        if check_digest(&path, expected).is_err() {
            check_digest(file, expected)?;
            moult_durable::sync_file(file)?;
            moult_durable::rename(file, &path)?;
        }
        self.change_locked(&lock, |record| {
            let slots = record.subjects.entry(subject.clone()).or_default();
            slots.install(Installed {
                version: version.clone(),
                digest: expected,
            });
            Ok(())
        })?;
        Ok(path)
    }

    /// What is installed for a subject; empty if nothing is.
    pub fn subject(&self, subject: &Subject) -> Result<BundleSlots, BootError> {
        Ok(self.load()?.subjects.remove(subject).unwrap_or_default())
    }

    /// What is installed for each subject.
    pub fn all(&self) -> Result<BTreeMap<Subject, BundleSlots>, BootError> {
        Ok(self.load()?.subjects)
    }

    /// Whether a bundle failed for a subject and is not tried again.
    pub fn is_banned(&self, subject: &Subject, digest: &Digest) -> Result<bool, BootError> {
        Ok(self.subject(subject)?.is_banned(digest))
    }

    /// Puts an installed bundle on trial. Another trial of the subject ends without a ban.
    pub fn begin_trial(&self, subject: &Subject, digest: &Digest) -> Result<(), BootError> {
        self.change_subject(subject, |slots| slots.begin_trial(subject, digest))
    }

    /// Makes the bundle on trial the current one. Does nothing if it is current already.
    pub fn confirm(&self, subject: &Subject, digest: &Digest) -> Result<(), BootError> {
        self.change_subject(subject, |slots| slots.confirm(subject, digest))
    }

    /// Gives up the trial, or else the current bundle, for which the one before becomes current.
    /// Returns what is current now. With `ban` the bundle is not tried again.
    ///
    /// A current bundle with none before it stays current: a failing widget is better than none, and
    /// its user can remove it. That is [`BootError::NothingToGoBackTo`].
    pub fn roll_back(&self, subject: &Subject, why: Why, ban: bool) -> Result<Option<Installed>, BootError> {
        self.change_subject(subject, |slots| slots.roll_back(why, ban))
    }

    /// The user's wish: an earlier version becomes current. Nothing is banned.
    pub fn go_back(&self, subject: &Subject, version: &Version) -> Result<Installed, BootError> {
        self.change_subject(subject, |slots| slots.go_back(subject, version))
    }

    /// Lets a banned bundle be tried again, because a signed recall names it or its user asks for it.
    pub fn lift_ban(&self, subject: &Subject, digest: &Digest) -> Result<(), BootError> {
        self.change_subject(subject, |slots| {
            slots.lift_ban(digest);
            Ok(())
        })
    }

    /// Says which versions of a subject are kept however old they are. Replaces what was said before.
    pub fn hold(&self, subject: &Subject, versions: Vec<Version>) -> Result<(), BootError> {
        self.change_subject(subject, |slots| {
            slots.held = versions;
            Ok(())
        })
    }

    /// Forgets a subject. Its files go with the next clean-up.
    pub fn remove(&self, subject: &Subject) -> Result<(), BootError> {
        self.change(|record| {
            record.subjects.remove(subject);
            Ok(())
        })
    }

    /// Where a bundle is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.layout.bundle(digest)
    }

    /// Deletes bundles that no subject lists. For each subject are kept the current one, the one on
    /// trial, the newest that waits, and the `keep` that were current last.
    pub fn collect_garbage(&self, keep: usize) -> Result<Collected, BootError> {
        let lock = self.lock_to_change()?;
        let record = self.change_locked(&lock, |record| {
            record.subjects.values_mut().for_each(|slots| slots.trim(keep));
            Ok(record.clone())
        })?;
        let listed: BTreeSet<PathBuf> = record
            .subjects
            .values()
            .flat_map(BundleSlots::digests)
            .map(|digest| self.path(&digest))
            .collect();
        let mut collected = Collected::default();
        let read = |source| BootError::Read {
            path: self.layout.bundles.clone(),
            source,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.layout.bundles).map_err(read)? {
            paths.push(entry.map_err(read)?.path());
        }
        // What is removed goes in the same order each time.
        paths.sort_unstable();
        for path in paths {
            let is_bundle = path.extension().is_some_and(|extension| extension == "bundle");
            if is_bundle && !listed.contains(&path) {
                collected.bytes += fs::symlink_metadata(&path).map_or(0, |data| data.len());
                moult_durable::fs::remove_file(&path).map_err(|source| BootError::Remove { path, source })?;
                collected.removed += 1;
            }
        }
        moult_durable::remove_leftovers(&self.layout.bundles)?;
        Ok(collected)
    }

    fn change_subject<T>(
        &self,
        subject: &Subject,
        change: impl FnOnce(&mut BundleSlots) -> Result<T, BootError>,
    ) -> Result<T, BootError> {
        self.change(|record| {
            let mut slots = record.subjects.remove(subject).unwrap_or_default();
            let outcome = change(&mut slots)?;
            record.subjects.insert(subject.clone(), slots);
            Ok(outcome)
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Record) -> Result<T, BootError>) -> Result<T, BootError> {
        let lock = self.lock_to_change()?;
        self.change_locked(&lock, change)
    }

    fn change_locked<T>(
        &self,
        _held: &Lock,
        change: impl FnOnce(&mut Record) -> Result<T, BootError>,
    ) -> Result<T, BootError> {
        let before = self.load()?;
        let mut record = before.clone();
        let outcome = change(&mut record)?;
        record
            .subjects
            .retain(|_, slots| *slots != BundleSlots::default());
        if record != before {
            self.record.store(&record)?;
        }
        Ok(outcome)
    }

    fn load(&self) -> Result<Record, BootError> {
        match self.record.load() {
            Ok(record) => Ok(record.unwrap_or_default()),
            Err(DurableError::BothCopiesUnreadable { .. }) => Ok(Record::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// The lock of the record. Whoever opens the store holds it before it is an owner.
    fn lock(&self) -> Result<Lock, BootError> {
        lock_within(&self.layout.bundles.join("state.lock"), LOCK_LIMIT)
    }

    fn lock_to_change(&self) -> Result<Lock, BootError> {
        if self.owner.is_none() {
            return Err(BootError::ReadingOnly);
        }
        self.lock()
    }
}

#[cfg(test)]
mod tests;
