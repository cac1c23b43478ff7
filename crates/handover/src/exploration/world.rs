//! The world of the exploration, and what can happen in it next.

use std::collections::{BTreeSet, VecDeque};

use super::step::Step;
use crate::giver::{Event as OldSees, Limit as OldLimit, State as OldState};
use crate::taker::{Event as NewSees, Limit as NewLimit, State as NewState};

/// Who has the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Right {
    Old,
    OnTheWay,
    New,
    Free,
}

/// A page: what it shows, and what was typed and is not shown yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Page {
    pub(super) shown: Vec<u8>,
    /// Frozen or held back.
    pub(super) kept: Vec<u8>,
    /// Of the old one: kept, and told to the new one.
    pub(super) told: Vec<u8>,
    pub(super) frozen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ToNew {
    Welcome,
    Last(Vec<u8>),
    Right,
    Keys(Vec<u8>),
    Bye,
    Stay,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ToOld {
    Called,
    Ready,
    Raised,
    Returned,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OldSide {
    pub(super) state: OldState,
    pub(super) limits: BTreeSet<OldLimit>,
    pub(super) page: Page,
    /// Which start's connection it uses.
    pub(super) call: Option<u8>,
    pub(super) callers: BTreeSet<u8>,
    pub(super) left: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each may be true with each")]
pub(super) struct NewSide {
    pub(super) state: NewState,
    pub(super) limits: BTreeSet<NewLimit>,
    pub(super) page: Page,
    pub(super) start: u8,
    /// What the application has been told and not answered yet.
    pub(super) builds: bool,
    pub(super) takes: bool,
    pub(super) on_top: bool,
    pub(super) last: Option<Vec<u8>>,
    pub(super) keys: Vec<u8>,
    pub(super) connected: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Word {
    Begun(u8),
    Ended { took_over: bool },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Launcher {
    pub(super) alive: bool,
    pub(super) starts: u8,
    pub(super) recall: bool,
    pub(super) took_over: bool,
    /// Whom it decided for, if it has.
    pub(super) winner: Option<&'static str>,
    /// A start of the successor that it has not heard to have ended.
    pub(super) watches: Option<u8>,
    pub(super) words: VecDeque<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) old: Option<OldSide>,
    pub(super) new: Option<NewSide>,
    pub(super) launcher: Launcher,
    /// With the start whose connection it is.
    pub(super) to_old: VecDeque<(u8, ToOld)>,
    pub(super) to_new: VecDeque<ToNew>,
    pub(super) right: Right,
    pub(super) disk: Vec<u8>,
    pub(super) typed: u8,
    pub(super) keys: u8,
    /// Not saved when the process ended that had them.
    pub(super) lost: BTreeSet<u8>,
    /// Typed into the new one's window.
    pub(super) into_new: BTreeSet<u8>,
    /// How many mishaps can still happen.
    pub(super) mishaps: u8,
    /// Whether none has happened.
    pub(super) unharmed: bool,
    pub(super) old_knows_no_launcher: bool,
    pub(super) new_knows_no_launcher: bool,
}

impl World {
    pub(super) fn new(mishaps: u8, keys: u8) -> Self {
        let (state, effects) = OldState::first();
        let mut world = Self {
            old: Some(OldSide {
                state,
                limits: BTreeSet::new(),
                page: Page::default(),
                call: None,
                callers: BTreeSet::new(),
                left: false,
            }),
            new: None,
            launcher: Launcher {
                alive: true,
                starts: 0,
                recall: false,
                took_over: false,
                winner: None,
                watches: None,
                words: VecDeque::new(),
            },
            to_old: VecDeque::new(),
            to_new: VecDeque::new(),
            right: Right::Old,
            disk: Vec::new(),
            typed: 0,
            keys,
            lost: BTreeSet::new(),
            into_new: BTreeSet::new(),
            mishaps,
            unharmed: true,
            old_knows_no_launcher: false,
            new_knows_no_launcher: false,
        };
        world.old_does(&effects);
        world.start_new();
        world
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let launcher_busy = self.launcher.recall || self.launcher.took_over;
        if let Some(old) = &self.old {
            if !self.to_old.is_empty() {
                steps.push(Step::OldHears);
            }
            if !self.launcher.words.is_empty() {
                steps.push(Step::OldHearsLauncher);
            }
            for limit in &old.limits {
                // The right is looked for all the time, and the launcher's answer takes no seconds.
                let hopeless = self.right != Right::Free
                    && !launcher_busy
                    && self.launcher.words.is_empty()
                    && !self.launcher_owes();
                if *limit != OldLimit::Retake || hopeless {
                    steps.push(Step::OldLate(*limit));
                }
            }
            if old.state == OldState::Quiet {
                steps.push(Step::OldIsCalm);
            }
            if matches!(old.state, OldState::Retaking { word: true, .. }) && self.right == Right::Free {
                steps.push(Step::OldRetakes);
            }
            if old.state == OldState::Given && !old.page.kept.is_empty() {
                steps.push(Step::OldTellsKeys);
            }
            if old.left {
                steps.push(Step::OldEnds);
            }
            if !self.launcher.alive && !self.old_knows_no_launcher {
                steps.push(Step::OldLosesLauncher);
            }
        }
        if let Some(new) = &self.new {
            if !self.to_new.is_empty() {
                steps.push(Step::NewHears);
            }
            if new.builds {
                steps.push(Step::NewBuilt);
            }
            if new.takes {
                steps.push(Step::NewRestored);
            }
            for limit in &new.limits {
                // The right is looked for all the time. The launcher ends this one long before it claims.
                let seeks = *limit == NewLimit::Seek && self.right == Right::Free;
                let owed = *limit == NewLimit::Claim && (launcher_busy || self.old_wants_recall());
                // The old one decides much earlier, unless it hangs.
                let hangs = *limit == NewLimit::Bye && self.mishaps == 0;
                if !seeks && !owed && !hangs {
                    steps.push(Step::NewLate(*limit));
                }
            }
            if matches!(new.state, NewState::Seeking { .. }) && self.right == Right::Free {
                steps.push(Step::NewFinds);
            }
            if matches!(new.state, NewState::Leaving(_)) {
                steps.push(Step::NewEnds);
            }
            if !self.launcher.alive && !self.new_knows_no_launcher {
                steps.push(Step::NewLosesLauncher);
            }
        }
        if self.launcher.alive {
            if self.launcher.recall {
                steps.push(Step::LauncherHearsRecall);
            }
            if self.launcher.took_over {
                steps.push(Step::LauncherHearsTookOver);
            }
            if self.launcher.watches.is_some() && self.new.is_none() {
                steps.push(Step::LauncherSeesNewEnded);
            }
            if self.launcher.winner.is_none() && self.old.is_none() && self.new.is_some() {
                steps.push(Step::LauncherSeesOldEnded);
            }
        }
        if self.typed < self.keys && (self.old.is_some() || self.new.is_some()) {
            steps.push(Step::Type);
        }
        if self.mishaps > 0 {
            if self.old.is_some() {
                steps.push(Step::OldCrashes);
                steps.push(Step::UserQuits);
            }
            if let Some(new) = &self.new {
                steps.push(Step::NewCrashes);
                if new.connected {
                    steps.push(Step::Cut);
                }
            }
            if self.launcher.alive {
                steps.push(Step::LauncherDies);
            }
        }
        steps
    }

    /// Whether the launcher has something to find out that the old one waits for.
    fn launcher_owes(&self) -> bool {
        self.launcher.alive && self.launcher.watches.is_some() && self.new.is_none()
    }

    /// Whether the old one has lost the successor, and will say so as soon as it has heard it.
    fn old_wants_recall(&self) -> bool {
        let unheard = self.to_old.iter().any(|(_, message)| *message == ToOld::End);
        self.old
            .as_ref()
            .is_some_and(|old| unheard && !old.state.is_last())
    }

    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::OldHears => self.old_hears(),
            Step::OldHearsLauncher => match self.launcher.words.pop_front() {
                Some(Word::Begun(start)) => self.old_hears_of_start(start),
                Some(Word::Ended { took_over }) => self.old_sees(OldSees::Ended { took_over }),
                None => {}
            },
            Step::OldLate(limit) => {
                self.old_mut(|old| old.limits.remove(limit));
                self.old_sees(OldSees::Late(*limit));
            }
            Step::OldIsCalm => self.old_sees(OldSees::Calm),
            Step::OldRetakes => {
                self.right = Right::Old;
                self.old_sees(OldSees::Retook);
            }
            Step::OldTellsKeys => self.old_tells_keys(),
            Step::OldEnds => self.old_ends(),
            Step::NewHears => self.new_hears(),
            Step::NewBuilt => {
                self.new_mut(|new| new.builds = false);
                self.new_sees(NewSees::Painted);
            }
            Step::NewRestored => {
                self.new_mut(|new| {
                    new.takes = false;
                    new.on_top = true;
                });
                self.new_sees(NewSees::Restored);
            }
            Step::NewLate(limit) => {
                if *limit == NewLimit::Bye {
                    self.mishap();
                }
                self.new_mut(|new| new.limits.remove(limit));
                self.new_sees(NewSees::Late(*limit));
            }
            Step::NewFinds => {
                self.right = Right::New;
                self.new_sees(NewSees::Found);
            }
            Step::NewEnds => self.new_ends(),
            Step::LauncherHearsRecall => self.launcher_hears_recall(),
            Step::LauncherHearsTookOver => {
                self.launcher.took_over = false;
                if self.launcher.winner.is_none() {
                    self.launcher.winner = Some("new");
                    self.launcher.words.push_back(Word::Ended { took_over: true });
                }
            }
            Step::LauncherSeesNewEnded => self.launcher_sees_new_ended(),
            Step::LauncherSeesOldEnded => self.launcher.winner = Some("new"),
            Step::OldLosesLauncher => {
                self.old_knows_no_launcher = true;
                self.old_sees(OldSees::NoLauncher);
            }
            Step::NewLosesLauncher => {
                self.new_knows_no_launcher = true;
                self.new_sees(NewSees::NoLauncher);
            }
            Step::Type => self.type_key(),
            Step::OldCrashes => {
                self.mishap();
                self.old_ends();
            }
            Step::NewCrashes => {
                self.mishap();
                self.new_ends();
            }
            Step::LauncherDies => {
                self.mishap();
                self.launcher.alive = false;
                self.launcher.recall = false;
                self.launcher.took_over = false;
            }
            Step::Cut => {
                self.mishap();
                self.cut();
            }
            Step::UserQuits => {
                self.mishap();
                self.old_sees(OldSees::Withdrawn);
            }
        }
        self.judge();
    }

    fn mishap(&mut self) {
        self.mishaps -= 1;
        self.unharmed = false;
    }

    pub(super) fn old_mut<T>(&mut self, change: impl FnOnce(&mut OldSide) -> T) -> Option<T> {
        self.old.as_mut().map(change)
    }

    pub(super) fn new_mut<T>(&mut self, change: impl FnOnce(&mut NewSide) -> T) -> Option<T> {
        self.new.as_mut().map(change)
    }
}
