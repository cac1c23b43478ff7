//! The store of installed executables: the boot machine's state on the disk, and the files it names.
//!
//! Each change takes the store's lock, loads, asks the machine, and stores. It refuses to decide
//! anything itself, and to know who calls: the launcher, the application, a tool.

mod garbage;
mod in_use;
mod install;
mod staging;

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod golden_test;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use moult_durable::{DurableError, Lock, TwoCopy};
use moult_model::{Digest, Version};

pub use garbage::Collected;
pub use in_use::InUse;
pub(crate) use install::check_digest;

use crate::base::digest_of;
use crate::layout::Layout;
use crate::machine::{self, Effect, Event, Refusal};
use crate::{Base, BootError, BootState, SlotName, StartToken, Why, platform};

/// How long a change waits for another process that changes the same state. A change takes milliseconds:
/// what holds the lock for longer than this was stopped in the middle.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// The store of one data folder.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    base: Base,
    record: TwoCopy<BootState>,
    recovered: bool,
    patience: Duration,
}

/// What is to be started now.
#[derive(Debug)]
pub struct Start {
    /// The slot.
    pub slot: SlotName,
    /// Its version.
    pub version: Version,
    /// Its file.
    pub executable: PathBuf,
    /// Whether it is on trial; its tries are lowered already.
    pub on_trial: bool,
    /// Keeps the slot's files as long as it is held.
    pub in_use: InUse,
    /// What else came of it, for the log.
    pub effects: Vec<Effect>,
}

impl Store {
    /// Opens a data folder, creating what is missing, and notes the packaged executable.
    ///
    /// If neither copy of the state can be read it starts anew with the packaged executable:
    /// something must start. A state in a shape that this version can't read is an error, and stays.
    pub fn open(root: &Path, base: Base) -> Result<Self, BootError> {
        Self::open_within(root, base, LOCK_LIMIT)
    }

    fn open_within(root: &Path, base: Base, patience: Duration) -> Result<Self, BootError> {
        let layout = Layout::new(root);
        for folder in layout.folders() {
            moult_durable::create_dir_all(folder)?;
            platform::make_private(folder)?;
        }
        let record = TwoCopy::new(root, "state");
        let mut store = Self {
            layout,
            base,
            record,
            recovered: false,
            patience,
        };
        let lock = store.lock()?;
        let stored = store.record.load();
        store.recovered = matches!(stored, Err(DurableError::BothCopiesUnreadable { .. }));
        // One that can't be read for a moment is no other package.
        if !(store.base.is_missing() && matches!(stored, Ok(Some(_)))) {
            let base = store.base.slot();
            store.change(&lock, [Event::BaseSeen { base }])?;
        }
        Ok(store)
    }

    /// Names a store without making or changing anything on the disk. What changes it later does not wait
    /// for another process.
    pub fn open_reading(root: &Path, base: Base) -> Self {
        Self {
            layout: Layout::new(root),
            base,
            record: TwoCopy::new(root, "state"),
            recovered: false,
            patience: Duration::ZERO,
        }
    }

    /// The data folder.
    pub fn root(&self) -> &Path {
        &self.layout.root
    }

    /// Where files are prepared: on the same volume as the slots. All in it may be deleted at any time.
    pub fn staging(&self) -> &Path {
        &self.layout.staging
    }

    /// The packaged executable.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Whether neither copy of the state could be read when this store was opened, so that it began anew.
    pub fn recovered(&self) -> bool {
        self.recovered
    }

    /// The state as it is on the disk.
    pub fn state(&self) -> Result<BootState, BootError> {
        match self.record.load() {
            Ok(Some(state)) => Ok(state),
            Ok(None) | Err(DurableError::BothCopiesUnreadable { .. }) => {
                Ok(BootState::fresh(self.base.slot()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a slot on trial with [`machine::TRIES`] starts. Another trial ends without a ban. A slot that
    /// is on trial already keeps its count.
    pub fn begin_trial(&self, slot: &SlotName) -> Result<(), BootError> {
        self.apply([Event::BeginTrial { slot: slot.clone() }]).map(drop)
    }

    /// Makes the slot on trial the current one, and the current one the one before. Does nothing if it
    /// is current already.
    ///
    /// `start` is the start that says so: one that is not the slot's last is refused with
    /// [`BootError::StaleStart`].
    pub fn confirm(&self, slot: &SlotName, start: Option<&StartToken>) -> Result<(), BootError> {
        let (slot, start) = (slot.clone(), start.cloned());
        self.apply([Event::Confirm { slot, start }]).map(drop)
    }

    /// Notes that a confirmed slot ended too often: it is stepped over for a day, or until there is
    /// something new. Nothing is banned, and `current` stays.
    pub fn kept_failing(&self, slot: &SlotName, now: SystemTime) -> Result<Vec<Effect>, BootError> {
        self.apply([Event::KeptFailing {
            slot: slot.clone(),
            at: seconds(now),
        }])
    }

    /// The user's wish: ends a trial, or else makes the slot before the current one. Nothing is banned.
    pub fn go_back(&self) -> Result<(), BootError> {
        self.apply([Event::GoBack]).map(drop)
    }

    /// Lets a banned artifact be tried again, because a signed recall names it.
    pub fn lift_ban(&self, digest: &Digest) -> Result<(), BootError> {
        self.apply([Event::LiftBan { digest: *digest }]).map(drop)
    }

    /// A slot's file.
    pub fn executable(&self, slot: &SlotName) -> PathBuf {
        if slot.is_base() {
            self.base.executable.clone()
        } else {
            self.layout.slot_executable(slot)
        }
    }

    /// Whether an artifact failed before and is not tried again.
    pub fn is_banned(&self, digest: &Digest) -> Result<bool, BootError> {
        Ok(self.state()?.is_banned(digest))
    }

    /// Whether a slot's file still has the digest that it was installed with.
    pub fn is_intact(&self, slot: &SlotName) -> Result<bool, BootError> {
        let state = self.state()?;
        let slot = state
            .slot(slot)
            .ok_or_else(|| BootError::NotInstalled { slot: slot.clone() })?;
        Ok(digest_of(&self.executable(&slot.name)).is_ok_and(|digest| digest == slot.digest))
    }

    /// Decides what starts now, for the launcher. Slots whose file is missing or open to others are
    /// dropped first. If a trial is due its tries are lowered, and that is on the disk when this returns.
    /// If every slot is stepped over that is [`BootError::NothingLeft`], and the next call tries all again.
    pub fn start(&self, now: SystemTime, token: &StartToken) -> Result<Start, BootError> {
        let lock = self.lock()?;
        let (slot, on_trial, state, effects) = self.choose(&lock, now, token)?;
        self.started(slot, on_trial, &state, effects)
    }

    /// Decides what starts beside a version that runs and hands over: what is due, with its tries lowered as
    /// by [`start`](Self::start). `None` if that is the running one, or if nothing is left.
    pub fn start_beside(
        &self,
        running: &SlotName,
        now: SystemTime,
        token: &StartToken,
    ) -> Result<Option<Start>, BootError> {
        let lock = self.lock()?;
        let state = self.state()?;
        let due = state.trial.as_ref().map_or(&state.current, |trial| &trial.slot);
        if due == running || state.is_stepped_over(due) {
            return Ok(None);
        }
        let (slot, on_trial, state, effects) = match self.choose(&lock, now, token) {
            Err(BootError::NothingLeft) => return Ok(None),
            other => other?,
        };
        if slot == *running {
            return Ok(None);
        }
        self.started(slot, on_trial, &state, effects).map(Some)
    }

    fn choose(
        &self,
        lock: &Lock,
        now: SystemTime,
        token: &StartToken,
    ) -> Result<(SlotName, bool, BootState, Vec<Effect>), BootError> {
        let state = self.state()?;
        let candidates = [
            state.trial.as_ref().map(|trial| &trial.slot),
            Some(&state.current),
            state.previous.as_ref(),
        ];
        let lost = candidates
            .into_iter()
            .flatten()
            .filter(|slot| !self.is_usable(slot));
        let mut events: Vec<_> = lost.map(|slot| Event::Lost { slot: slot.clone() }).collect();
        events.push(Event::StartDue {
            at: seconds(now),
            start: token.clone(),
        });
        let (state, effects) = self.change(lock, events)?;
        let due = effects.iter().find_map(|effect| match effect {
            Effect::Run { slot, on_trial } => Some((slot.clone(), *on_trial)),
            _ => None,
        });
        let (slot, on_trial) = due.ok_or(BootError::NothingLeft)?;
        Ok((slot, on_trial, state, effects))
    }

    fn started(
        &self,
        slot: SlotName,
        on_trial: bool,
        state: &BootState,
        effects: Vec<Effect>,
    ) -> Result<Start, BootError> {
        let version = state
            .slot(&slot)
            .map_or_else(|| self.base.version.clone(), |slot| slot.version.clone());
        let in_use = self.hold(&slot)?;
        Ok(Start {
            executable: self.executable(&slot),
            slot,
            version,
            on_trial,
            in_use,
            effects,
        })
    }

    /// Notes that a start on trial failed. With no tries left the artifact is banned and the current
    /// slot is due again. Tells what came of it: nothing, if the slot is no longer on trial.
    pub fn trial_failed(&self, slot: &SlotName, why: Why, now: SystemTime) -> Result<Vec<Effect>, BootError> {
        self.apply([Event::Failed {
            slot: slot.clone(),
            why,
            at: seconds(now),
        }])
    }

    /// Notes that a start on trial ended in good order: its try is given back.
    pub fn trial_quit(&self, slot: &SlotName) -> Result<(), BootError> {
        self.apply([Event::Quit { slot: slot.clone() }]).map(drop)
    }

    /// Notes that the system does not allow a slot to be executed: back to the packaged executable, no ban.
    pub fn forbidden(&self, slot: &SlotName) -> Result<Vec<Effect>, BootError> {
        self.apply([Event::Forbidden { slot: slot.clone() }])
    }

    /// Notes that a slot's file is damaged or missing: the one before is current, or the packaged one. No ban.
    pub fn lost(&self, slot: &SlotName) -> Result<Vec<Effect>, BootError> {
        self.apply([Event::Lost { slot: slot.clone() }])
    }

    /// Whether a slot may be started: it is there, it is the user's own, and nobody else can write it.
    /// The packaged executable is its package's business.
    pub fn is_usable(&self, slot: &SlotName) -> bool {
        if slot.is_base() {
            return true;
        }
        let folders = [
            self.layout.root.clone(),
            self.layout.versions.clone(),
            self.layout.slot_folder(slot),
        ];
        folders
            .iter()
            .all(|folder| platform::check_own_folder(folder).is_ok())
            && platform::check_own_file(&self.layout.slot_executable(slot)).is_ok()
    }

    fn lock(&self) -> Result<Lock, BootError> {
        lock_within(&self.layout.store_lock(), self.patience)
    }

    fn apply(&self, events: impl IntoIterator<Item = Event>) -> Result<Vec<Effect>, BootError> {
        let lock = self.lock()?;
        Ok(self.change(&lock, events)?.1)
    }

    /// Applies events as one change: all of them are on the disk when this returns, or none.
    fn change(
        &self,
        _held: &Lock,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(BootState, Vec<Effect>), BootError> {
        let stored = match self.record.load() {
            Err(DurableError::BothCopiesUnreadable { .. }) => None,
            other => other?,
        };
        let before = stored
            .clone()
            .unwrap_or_else(|| BootState::fresh(self.base.slot()));
        let mut state = before;
        let mut all = Vec::new();
        for event in events {
            let (changed, effects) = machine::next(&state, event);
            for effect in &effects {
                if let Effect::Refused(refusal) = effect {
                    return Err(refusal.clone().into());
                }
            }
            state = changed;
            all.extend(effects);
        }
        if stored.as_ref() != Some(&state) {
            self.record.store(&state)?;
        }
        Ok((state, all))
    }
}

/// Waits for a lock no longer than so.
pub(crate) fn lock_within(path: &Path, limit: Duration) -> Result<Lock, BootError> {
    Lock::acquire_within(path, limit)?.ok_or_else(|| BootError::Busy {
        path: path.to_owned(),
        seconds: limit.as_secs(),
    })
}

impl From<Refusal> for BootError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Banned { digest } => Self::Banned { digest },
            Refusal::SlotTaken { slot } => Self::SlotTaken { slot },
            Refusal::NotInstalled { slot } => Self::NotInstalled { slot },
            Refusal::AlreadyCurrent { slot } => Self::AlreadyCurrent { slot },
            Refusal::NotOnTrial { slot } => Self::NotOnTrial { slot },
            Refusal::StaleStart { slot } => Self::StaleStart { slot },
            Refusal::NothingToGoBackTo => Self::NothingToGoBackTo,
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
