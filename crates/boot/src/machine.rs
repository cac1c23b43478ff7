//! The boot machine: what each event makes of the state. Pure; refuses to know files, processes and clocks.
//!
//! It is total: an event that does not fit leaves the state as it was and says so with
//! [`Effect::Refused`], or says nothing where that is no mistake (a failure of a slot that is no
//! longer on trial).

mod event;

use moult_model::Digest;

pub use event::{Effect, Event, Refusal};

use crate::StartToken;
use crate::state::{Ban, BootState, Failure, Fallback, Rest, Rollback, Slot, SlotName, Trial, Why};

/// How many starts a trial has.
pub const TRIES: u8 = 3;

/// How long a confirmed slot that ended too often is stepped over, in seconds. After that it is tried
/// again: what made it fail may have been the computer's fault.
pub const STEPPED_OVER: u64 = 24 * 60 * 60;

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
        Event::StartDue { at, start } => next.start_due(at, start),
        Event::Failed { slot, why, at } => next.failed(&slot, why, at),
        Event::Quit { slot } => next.quit(&slot),
        Event::Confirm { slot, start } => next.confirm(&slot, start.as_ref()),
        Event::KeptFailing { slot, at } => next.kept_failing(&slot, at),
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
    fn base_seen(&mut self, mut base: Slot) -> Outcome {
        let known = self.state.slot(&SlotName::base()).cloned();
        if let Some(known) = &known {
            base.rest.clone_from(&known.rest);
        }
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
        if replaced {
            // Whatever failed before, there is something new to be tried.
            self.state.fallback = None;
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
                start: None,
                rest: Rest::new(),
            });
        }
        if let Some(slot) = self.state.trial.as_ref().map(|trial| trial.slot.clone()) {
            self.step_back_in(&slot);
        }
        Ok(())
    }

    fn start_due(&mut self, at: u64, start: StartToken) -> Outcome {
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
        if let Some(trial) = &mut self.state.trial {
            trial.tries_left -= 1;
            trial.start = Some(start);
            self.effects.push(Effect::Run {
                slot: trial.slot.clone(),
                on_trial: true,
            });
            return Ok(());
        }
        // A clock that was set back must not make the day longer.
        let is_over = |fallback: &mut Fallback| fallback.since.abs_diff(at) >= STEPPED_OVER;
        self.state.fallback.take_if(is_over);
        if let Some(slot) = self.left() {
            let on_trial = false;
            self.effects.push(Effect::Run { slot, on_trial });
        } else {
            // Whoever starts Moult by hand after this wants it tried once more.
            self.state.fallback = None;
            self.effects.push(Effect::Rescue);
        }
        Ok(())
    }

    /// The first confirmed slot that is not stepped over.
    fn left(&self) -> Option<SlotName> {
        let state = &self.state;
        [
            Some(&state.current),
            state.previous.as_ref(),
            Some(&SlotName::base()),
        ]
        .into_iter()
        .flatten()
        .find(|slot| !state.is_stepped_over(slot))
        .cloned()
    }

    /// A slot is no longer stepped over.
    fn step_back_in(&mut self, name: &SlotName) {
        if let Some(fallback) = &mut self.state.fallback {
            fallback.failed.retain(|slot| slot != name);
        }
        self.state.fallback.take_if(|fallback| fallback.failed.is_empty());
    }

    fn kept_failing(&mut self, name: &SlotName, at: u64) -> Outcome {
        let state = &mut self.state;
        if state.slot(name).is_none() || state.is_on_trial(name) || state.is_stepped_over(name) {
            return Ok(());
        }
        let fallback = state.fallback.get_or_insert_with(|| Fallback {
            failed: Vec::new(),
            since: at,
            rest: Rest::new(),
        });
        fallback.failed.push(name.clone());
        self.effects.push(Effect::SteppedOver { slot: name.clone() });
        Ok(())
    }

    fn failed(&mut self, name: &SlotName, why: Why, at: u64) -> Outcome {
        let Some(trial) = self.state.trial.as_mut().filter(|trial| trial.slot == *name) else {
            return Ok(());
        };
        let rest = Rest::new();
        trial.failures.push(Failure { why, at, rest });
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

    fn confirm(&mut self, name: &SlotName, start: Option<&StartToken>) -> Outcome {
        if self.state.current == *name {
            return Ok(());
        }
        let Some(trial) = self.state.trial.as_ref().filter(|trial| trial.slot == *name) else {
            return Err(Refusal::NotOnTrial { slot: name.clone() });
        };
        // An older launcher notes no start; then there is nothing to compare.
        if trial.start.is_some() && start.is_some() && trial.start.as_ref() != start {
            return Err(Refusal::StaleStart { slot: name.clone() });
        }
        self.state.trial = None;
        // The one to go back to is the one that ran, and not one that is stepped over.
        let before = self.left().unwrap_or_else(|| self.state.current.clone());
        self.state.fallback = None;
        self.state.previous = Some(before);
        self.make_current(name.clone());
        Ok(())
    }

    fn go_back(&mut self) -> Outcome {
        // The user has the last word, also on what was stepped over.
        self.state.fallback = None;
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
        let instead = self.left().unwrap_or_else(|| self.state.current.clone());
        if let (Some(from), Some(to)) = (version(&self.state, name), version(&self.state, &instead)) {
            let rest = Rest::new();
            let rollback = Rollback {
                from,
                to,
                why,
                at,
                rest,
            };
            self.state.last_rollback = Some(rollback.clone());
            self.effects.push(Effect::RolledBack(rollback));
        }
        if why.is_failure() {
            self.ban(name, why);
        }
    }

    fn ban(&mut self, name: &SlotName, why: Why) {
        if let Some(slot) = self.state.slot(name) {
            let ban = Ban {
                digest: slot.digest,
                version: slot.version.clone(),
                why,
                rest: Rest::new(),
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
        self.step_back_in(name);
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
