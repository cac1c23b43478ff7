//! What the store says is due, and what is recorded of it. Refuses to know processes.
//!
//! What can't be written is logged and made up for: a change of the state that is lost costs an update, and
//! never the start of what is there.

use std::path::PathBuf;
use std::time::SystemTime;

use moult_model::{Digest, NotTried};
use serde_json::json;

use super::log::Log;
use super::watch::Verdict;
use super::{Settings, causes};
use crate::layout::Layout;
use crate::machine::Effect;
use crate::platform::Fault;
use crate::{Base, BootError, InUse, SlotName, Start, StartToken, Store, Why};

/// What is to be started.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) slot: SlotName,
    pub(super) executable: PathBuf,
    pub(super) on_trial: bool,
    pub(super) start: StartToken,
    _in_use: Option<InUse>,
}

/// What is known of an installation, and the log.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) layout: Layout,
    pub(super) log: Log,
    store: Store,
    /// Slots that can't be started though that could not be recorded.
    avoided: Vec<SlotName>,
    /// What ended too often in this session: it is no rescue.
    pub(super) failed: Vec<Digest>,
    /// The last thing that kept something from starting, for the person.
    pub(super) problem: Option<String>,
    /// The version on trial that could not be counted, until the person is told.
    not_tried: Option<NotTried>,
}

impl Keeper {
    /// Looks at an installation. This never fails: what can't be made or read is logged.
    pub(super) fn open(settings: &Settings) -> Self {
        let layout = Layout::new(&settings.data);
        let (base, problem) = Base::from_install_or_missing(&settings.install);
        let opened = Store::open(&settings.data, base.clone());
        let mut log = Log::open(&layout.log);
        log.write(
            "launcher_started",
            &json!({ "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id() }),
        );
        let mut keeper = |action: &str, error: &BootError| {
            log.write("failed", &json!({ "action": action, "error": causes(error) }));
        };
        if let Some(error) = &problem {
            keeper("packaged_executable", error);
        }
        let store = opened.unwrap_or_else(|error| {
            keeper("open_store", &error);
            Store::open_reading(&settings.data, base)
        });
        if store.recovered() {
            log.write("state_was_unreadable", &json!({ "kept": "the packaged version" }));
        }
        Self {
            layout,
            log,
            store,
            avoided: Vec::new(),
            failed: Vec::new(),
            problem: problem.map(|error| causes(&error)),
            not_tried: None,
        }
    }

    /// What is due now; `None` if nothing is left. If the store can't say, or can't lower the tries of a
    /// trial, it is a confirmed slot or the packaged executable: never a trial, whose starts could not be
    /// counted.
    pub(super) fn due(&mut self, start: &StartToken, now: SystemTime) -> Option<Due> {
        match self.store.start(now, start) {
            Ok(due) => {
                self.log_effects(&due.effects);
                if !self.avoided.contains(&due.slot) {
                    return Some(Due::counted(due, start));
                }
            }
            Err(BootError::NothingLeft) => {
                self.log.write("nothing_left", &json!({}));
                return None;
            }
            Err(error) => {
                self.failed("choose", &error);
                self.could_not_count(&error, now);
            }
        }
        self.due_without_count(start)
    }

    fn due_without_count(&mut self, start: &StartToken) -> Option<Due> {
        let base = Some(SlotName::base());
        let candidates = match self.store.state() {
            Ok(state) => {
                let all = [Some(state.current.clone()), state.previous.clone(), base];
                all.into_iter()
                    .flatten()
                    .filter(|slot| !state.is_stepped_over(slot))
                    .collect()
            }
            Err(error) => {
                self.failed("read_state", &error);
                vec![SlotName::base()]
            }
        };
        let left = candidates
            .into_iter()
            .find(|slot| self.store.is_usable(slot) && !self.avoided.contains(slot));
        if left.is_none() {
            // As the store does it: whoever asks next wants all tried once more.
            self.avoided.clear();
        }
        left.map(|slot| Due {
            executable: self.store.executable(&slot),
            slot,
            on_trial: false,
            start: start.clone(),
            _in_use: None,
        })
    }

    /// What is due beside a run of `running`; `None` if that is this very slot, or can't be counted.
    pub(super) fn due_beside(
        &mut self,
        running: &SlotName,
        start: &StartToken,
        now: SystemTime,
    ) -> Option<Due> {
        let asked = self.store.start_beside(running, now, start);
        if let Err(error) = &asked {
            self.could_not_count(error, now);
        }
        let due = self.noted("choose_beside", asked)??;
        self.log_effects(&due.effects);
        (!self.avoided.contains(&due.slot)).then(|| Due::counted(due, start))
    }

    /// Notes that something could not be started. An error means that nothing else would start either.
    pub(super) fn not_started(&mut self, due: &Due, fault: Fault, now: SystemTime) -> Result<(), BootError> {
        self.log.write(
            "could_not_start",
            &json!({ "slot": due.slot, "fault": format!("{fault:?}") }),
        );
        let slot = &due.slot;
        let recorded = match &fault {
            Fault::Trouble(_) => {
                if due.on_trial {
                    let given_back = self.store.trial_quit(slot);
                    self.noted("give_try_back", given_back);
                }
                let error = BootError::Start {
                    path: due.executable.clone(),
                    source: fault.into_source(),
                };
                self.could_not_count(&error, now);
                return Err(error);
            }
            // The packaged executable is no file of ours to be dropped from a list.
            _ if slot.is_base() && !due.on_trial => self.store.kept_failing(slot, now),
            Fault::Forbidden(_) => self.store.forbidden(slot),
            Fault::Unfit(_) if due.on_trial && self.store.is_intact(slot).unwrap_or(false) => {
                // The file is what was published, and is nothing that this system can run.
                self.store.trial_failed(slot, Why::Crashed { code: 126 }, now)
            }
            Fault::Unfit(_) => self.store.lost(slot),
        };
        let error = BootError::Start {
            path: due.executable.clone(),
            source: fault.into_source(),
        };
        self.problem = Some(causes(&error));
        self.record(slot, recorded);
        Ok(())
    }

    /// Keeps in mind for the person that the version on trial is not started, and why.
    fn could_not_count(&mut self, error: &BootError, now: SystemTime) {
        let trial = self.store.state().ok().and_then(|state| {
            let slot = &state.trial.as_ref()?.slot;
            Some(state.slot(slot)?.version.clone())
        });
        let Some(version) = trial else { return };
        let not_tried = NotTried {
            version,
            because: error.obstacle(),
            detail: causes(error),
            at: now
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        };
        self.log.write("not_tried", &json!(not_tried));
        self.not_tried = Some(not_tried);
    }

    /// What the person is to be told of a version that was not started. Nothing, if it was started after all.
    pub(super) fn take_not_tried(&mut self, started_on_trial: bool) -> Option<NotTried> {
        self.not_tried.take().filter(|_| !started_on_trial)
    }

    /// Notes what a run showed.
    pub(super) fn record_verdict(&mut self, due: &Due, verdict: Verdict, now: SystemTime) {
        match verdict {
            Verdict::Failed(why) => {
                // Bytes that the disk changed are no fault of the version.
                let recorded = if self.is_damaged(&due.slot) {
                    self.store.lost(&due.slot)
                } else {
                    self.store.trial_failed(&due.slot, why, now)
                };
                self.record(&due.slot, recorded);
            }
            Verdict::Quit => {
                let given_back = self.store.trial_quit(&due.slot);
                self.noted("give_try_back", given_back);
            }
            Verdict::NotOnTrial | Verdict::Unknown => {}
        }
    }

    /// Whether a slot's file is not what was installed.
    pub(super) fn is_damaged(&self, slot: &SlotName) -> bool {
        !self.store.is_intact(slot).unwrap_or(true)
    }

    pub(super) fn lost(&mut self, slot: &SlotName) {
        let recorded = self.store.lost(slot);
        self.record(slot, recorded);
    }

    pub(super) fn kept_failing(&mut self, slot: &SlotName, now: SystemTime) {
        let state = self.store.state();
        let digest = self
            .noted("read_state", state)
            .and_then(|state| state.slot(slot).map(|slot| slot.digest));
        self.failed.extend(digest);
        let recorded = self.store.kept_failing(slot, now);
        self.record(slot, recorded);
    }

    /// Whether the store says that a slot is the current one.
    pub(super) fn is_current(&mut self, slot: &SlotName) -> bool {
        let state = self.store.state();
        self.noted("confirmed", state)
            .is_some_and(|state| state.current == *slot)
    }

    pub(super) fn noted<T>(&mut self, action: &str, outcome: Result<T, BootError>) -> Option<T> {
        if let Err(error) = &outcome {
            self.failed(action, error);
        }
        outcome.ok()
    }

    /// Logs what a change of the state came to. A change that could not be written is made up for by not
    /// starting the slot again in this session.
    fn record(&mut self, slot: &SlotName, recorded: Result<Vec<Effect>, BootError>) {
        match recorded {
            Ok(effects) => self.log_effects(&effects),
            Err(error) => {
                self.failed("record", &error);
                if self.store.state().is_ok_and(|state| state.is_on_trial(slot)) {
                    self.could_not_count(&error, SystemTime::now());
                }
                self.avoided.push(slot.clone());
            }
        }
    }

    fn log_effects(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.log.write("effect", &json!(effect));
        }
    }

    fn failed(&mut self, action: &str, error: &BootError) {
        self.log
            .write("failed", &json!({ "action": action, "error": causes(error) }));
    }
}

impl Due {
    fn counted(start: Start, token: &StartToken) -> Self {
        let Start {
            slot,
            executable,
            on_trial,
            in_use,
            ..
        } = start;
        Self {
            slot,
            executable,
            on_trial,
            start: token.clone(),
            _in_use: Some(in_use),
        }
    }
}
