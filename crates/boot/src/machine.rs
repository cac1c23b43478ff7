//! The boot machine: what each event makes of the state. Pure; refuses to know files, processes and clocks.
//!
//! It is total: an event that does not fit leaves the state as it was and says so with
//! [`Effect::Refused`], or says nothing where that is no mistake (a failure of a slot that is no
//! longer on trial).

use moult_model::Digest;
use serde::Serialize;

use crate::state::{Ban, BootState, Failure, Rollback, Slot, SlotName, Trial, Why};

/// How many starts a trial has.
pub const TRIES: u8 = 3;

/// What happened, or is wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The packaged executable was looked at.
    BaseSeen {
        /// What it is now; its name is `base`.
        base: Slot,
    },
    /// An executable was put into its folder.
    Installed {
        /// The slot.
        slot: Slot,
    },
    /// A slot is to be tried.
    BeginTrial {
        /// The slot.
        slot: SlotName,
    },
    /// The launcher is about to start whatever is due.
    StartDue {
        /// The time, in seconds since 1970 in UTC.
        at: u64,
    },
    /// A start of a slot failed.
    Failed {
        /// The slot.
        slot: SlotName,
        /// How.
        why: Why,
        /// When, in seconds since 1970 in UTC.
        at: u64,
    },
    /// A slot ended in good order.
    Quit {
        /// The slot.
        slot: SlotName,
    },
    /// A slot has proved itself.
    Confirm {
        /// The slot.
        slot: SlotName,
    },
    /// The user wants the version before.
    GoBack,
    /// A slot's file is missing, damaged, or open to others.
    Lost {
        /// The slot.
        slot: SlotName,
    },
    /// The system does not allow a slot to be executed.
    Forbidden {
        /// The slot.
        slot: SlotName,
    },
    /// A slot is no longer wanted on the disk.
    Forget {
        /// The slot.
        slot: SlotName,
    },
    /// A signed recall wants an artifact that failed before.
    LiftBan {
        /// The artifact.
        digest: Digest,
    },
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Start this slot.
    Run {
        /// The slot.
        slot: SlotName,
        /// Whether it is on trial.
        on_trial: bool,
    },
    /// Another slot is current now.
    BecameCurrent {
        /// The slot.
        slot: SlotName,
    },
    /// A trial was given up.
    RolledBack(Rollback),
    /// An artifact is not tried again.
    Banned(Ban),
    /// A slot is no longer listed; its folder is garbage.
    Dropped {
        /// The slot.
        slot: SlotName,
    },
    /// The event does not fit, and nothing was changed.
    Refused(Refusal),
}

/// Why an event does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The artifact failed before.
    Banned {
        /// The artifact.
        digest: Digest,
    },
    /// Another artifact has this slot's name.
    SlotTaken {
        /// The slot.
        slot: SlotName,
    },
    /// There is no such slot.
    NotInstalled {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is current already.
    AlreadyCurrent {
        /// The slot.
        slot: SlotName,
    },
    /// The slot is not on trial.
    NotOnTrial {
        /// The slot.
        slot: SlotName,
    },
    /// There is no earlier version.
    NothingToGoBackTo,
}

/// What an event makes of the state.
pub fn next(state: &BootState, event: Event) -> (BootState, Vec<Effect>) {
    let mut next = Next {
        state: state.clone(),
        effects: Vec::new(),
    };
    let outcome = match event {
        Event::BaseSeen { base } => next.base_seen(base),
        Event::Installed { slot } => next.installed(slot),
        Event::BeginTrial { slot } => next.begin_trial(slot),
        Event::StartDue { at } => next.start_due(at),
        Event::Failed { slot, why, at } => next.failed(&slot, why, at),
        Event::Quit { slot } => next.quit(&slot),
        Event::Confirm { slot } => next.confirm(&slot),
        Event::GoBack => next.go_back(),
        Event::Lost { slot } => next.lost(&slot),
        Event::Forbidden { slot } => next.forbidden(&slot),
        Event::Forget { slot } => next.forget(&slot),
        Event::LiftBan { digest } => next.lift_ban(&digest),
    };
    match outcome {
        Ok(()) => (next.state, next.effects),
        Err(refusal) => (state.clone(), vec![Effect::Refused(refusal)]),
    }
}

struct Next {
    state: BootState,
    effects: Vec<Effect>,
}

type Outcome = Result<(), Refusal>;

// Each of these may refuse, so that `next` treats them alike.
#[expect(clippy::unnecessary_wraps, reason = "every transition has the same type")]
impl Next {
    /// A packaged executable that is new here and newer than the current slot takes over: the user
    /// installed a package, and expects to see it. One that was seen before does not, since the user
    /// may have gone back from it.
    fn base_seen(&mut self, base: Slot) -> Outcome {
        let known = self.state.slot(&SlotName::base()).cloned();
        if known.as_ref() == Some(&base) && self.state.slot(&self.state.current).is_some() {
            return Ok(());
        }
        let replaced = known.is_some_and(|known| known.digest != base.digest);
        self.state.slots.retain(|slot| !slot.name.is_base());
        self.state.slots.insert(0, base.clone());
        let Some(current) = self.state.slot(&self.state.current) else {
            // Only a state that was changed by hand names a current slot that is not listed.
            self.state.previous = None;
            self.make_current(base.name);
            return Ok(());
        };
        let wins = base.version > current.version && !self.state.is_banned(&base.digest);
        if replaced && wins && !current.name.is_base() {
            self.state.previous = Some(current.name.clone());
            self.make_current(base.name.clone());
        }
        let outdated = self.state.trial.as_ref().is_some_and(|trial| {
            let version = self.state.slot(&trial.slot).map(|slot| &slot.version);
            replaced && (trial.slot.is_base() || version.is_none_or(|version| *version <= base.version))
        });
        if outdated {
            self.state.trial = None;
        }
        Ok(())
    }

    fn installed(&mut self, slot: Slot) -> Outcome {
        if self.state.is_banned(&slot.digest) {
            return Err(Refusal::Banned { digest: slot.digest });
        }
        match self.state.slot(&slot.name) {
            Some(known) if known.digest == slot.digest => Ok(()),
            Some(_) => Err(Refusal::SlotTaken { slot: slot.name }),
            None => {
                self.state.slots.push(slot);
                Ok(())
            }
        }
    }

    fn begin_trial(&mut self, name: SlotName) -> Outcome {
        let Some(slot) = self.state.slot(&name) else {
            return Err(Refusal::NotInstalled { slot: name });
        };
        if self.state.is_banned(&slot.digest) {
            return Err(Refusal::Banned { digest: slot.digest });
        }
        if self.state.current == name {
            return Err(Refusal::AlreadyCurrent { slot: name });
        }
        // A trial that runs already keeps its count: asking again must not give it more tries.
        if !self.state.is_on_trial(&name) {
            self.state.trial = Some(Trial {
                slot: name,
                tries_left: TRIES,
                failures: Vec::new(),
            });
        }
        Ok(())
    }

    fn start_due(&mut self, at: u64) -> Outcome {
        if let Some(trial) = self.state.trial.clone()
            && trial.tries_left == 0
        {
            // The last start has no outcome. What failed before decides; a power cut alone never bans.
            let why = trial
                .failures
                .last()
                .map_or(Why::Unfinished, |failure| failure.why);
            self.give_up(&trial.slot, why, at);
        }
        let run = match &mut self.state.trial {
            Some(trial) => {
                trial.tries_left -= 1;
                Effect::Run {
                    slot: trial.slot.clone(),
                    on_trial: true,
                }
            }
            None => Effect::Run {
                slot: self.state.current.clone(),
                on_trial: false,
            },
        };
        self.effects.push(run);
        Ok(())
    }

    fn failed(&mut self, name: &SlotName, why: Why, at: u64) -> Outcome {
        let Some(trial) = self.state.trial.as_mut().filter(|trial| trial.slot == *name) else {
            return Ok(());
        };
        trial.failures.push(Failure { why, at });
        if trial.tries_left == 0 {
            self.give_up(name, why, at);
        }
        Ok(())
    }

    fn quit(&mut self, name: &SlotName) -> Outcome {
        if let Some(trial) = self.state.trial.as_mut().filter(|trial| trial.slot == *name) {
            trial.tries_left = (trial.tries_left + 1).min(TRIES);
        }
        Ok(())
    }

    fn confirm(&mut self, name: &SlotName) -> Outcome {
        if self.state.current == *name {
            return Ok(());
        }
        if !self.state.is_on_trial(name) {
            return Err(Refusal::NotOnTrial { slot: name.clone() });
        }
        self.state.trial = None;
        self.state.previous = Some(self.state.current.clone());
        self.make_current(name.clone());
        Ok(())
    }

    fn go_back(&mut self) -> Outcome {
        if self.state.trial.take().is_some() {
            return Ok(());
        }
        let Some(previous) = self.state.previous.take() else {
            return Err(Refusal::NothingToGoBackTo);
        };
        self.state.previous = Some(self.state.current.clone());
        self.make_current(previous);
        Ok(())
    }

    fn lost(&mut self, name: &SlotName) -> Outcome {
        if !name.is_base() {
            self.drop_slot(name);
        }
        Ok(())
    }

    fn forbidden(&mut self, name: &SlotName) -> Outcome {
        if self.state.is_on_trial(name) {
            self.state.trial = None;
        }
        if name.is_base() || self.state.current.is_base() {
            return Ok(());
        }
        let left = [Some(self.state.current.clone()), self.state.previous.take()];
        self.state.previous = left
            .into_iter()
            .flatten()
            .find(|slot| slot != name && !slot.is_base());
        self.make_current(SlotName::base());
        Ok(())
    }

    fn forget(&mut self, name: &SlotName) -> Outcome {
        let state = &self.state;
        let needed = name.is_base()
            || state.current == *name
            || state.previous.as_ref() == Some(name)
            || state.is_on_trial(name);
        if !needed {
            self.drop_slot(name);
        }
        Ok(())
    }

    fn lift_ban(&mut self, digest: &Digest) -> Outcome {
        self.state.banned.retain(|ban| ban.digest != *digest);
        Ok(())
    }

    fn give_up(&mut self, name: &SlotName, why: Why, at: u64) {
        self.state.trial = None;
        let version = |state: &BootState, name: &SlotName| state.slot(name).map(|slot| slot.version.clone());
        if let (Some(from), Some(to)) = (
            version(&self.state, name),
            version(&self.state, &self.state.current),
        ) {
            let rollback = Rollback { from, to, why, at };
            self.state.last_rollback = Some(rollback.clone());
            self.effects.push(Effect::RolledBack(rollback));
        }
        if why != Why::Unfinished {
            self.ban(name, why);
        }
    }

    fn ban(&mut self, name: &SlotName, why: Why) {
        if let Some(slot) = self.state.slot(name) {
            let ban = Ban {
                digest: slot.digest,
                version: slot.version.clone(),
                why,
            };
            self.state.banned.push(ban.clone());
            let excess = self.state.banned.len().saturating_sub(BootState::MAX_BANS);
            self.state.banned.drain(..excess);
            self.effects.push(Effect::Banned(ban));
        }
        if !name.is_base() {
            self.drop_slot(name);
        }
    }

    /// Takes a slot off every list. Where it was current, the one before is, else the packaged one.
    fn drop_slot(&mut self, name: &SlotName) {
        let before = self.state.slots.len();
        self.state.slots.retain(|slot| slot.name != *name);
        if self.state.slots.len() < before {
            self.effects.push(Effect::Dropped { slot: name.clone() });
        }
        if self.state.is_on_trial(name) {
            self.state.trial = None;
        }
        if self.state.previous.as_ref() == Some(name) {
            self.state.previous = None;
        }
        if self.state.current == *name {
            let heir = self.state.previous.take().unwrap_or_else(SlotName::base);
            self.make_current(heir);
        }
    }

    /// A slot that is current is neither on trial nor the one before.
    fn make_current(&mut self, name: SlotName) {
        if self.state.is_on_trial(&name) {
            self.state.trial = None;
        }
        if self.state.previous.as_ref() == Some(&name) {
            self.state.previous = None;
        }
        self.effects.push(Effect::BecameCurrent { slot: name.clone() });
        self.state.current = name;
    }
}

#[cfg(test)]
mod tests;
