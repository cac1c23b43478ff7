//! What the launcher and the user do in the world of the exploration.

use std::collections::BTreeSet;

use super::world::{NewSide, Page, ToNew, ToOld, Word, World};
use crate::taker::State as NewState;

/// How often the launcher starts the new one.
const STARTS: u8 = 2;

impl World {
    pub(super) fn start_new(&mut self) {
        self.launcher.starts += 1;
        let start = self.launcher.starts;
        let (state, effects) = NewState::first();
        self.to_new.clear();
        let listens = self.old.as_ref().is_some_and(|old| !old.state.is_last());
        self.new = Some(NewSide {
            state,
            limits: BTreeSet::new(),
            page: Page::default(),
            start,
            builds: false,
            takes: false,
            on_top: false,
            last: None,
            keys: Vec::new(),
            connected: listens,
        });
        if listens {
            self.to_old.push_back((start, ToOld::Called));
        } else {
            self.to_new.push_back(ToNew::End);
        }
        self.new_does(&effects);
        self.launcher.watches = Some(start);
        self.launcher.words.push_back(Word::Begun(start));
    }

    pub(super) fn launcher_hears_recall(&mut self) {
        self.launcher.recall = false;
        if self.launcher.winner.is_some() {
            return;
        }
        self.launcher.winner = Some("old");
        self.launcher.watches = None;
        if self.new.is_some() {
            self.new_ends();
        }
        self.launcher.words.push_back(Word::Ended { took_over: false });
    }

    pub(super) fn launcher_sees_new_ended(&mut self) {
        self.launcher.watches = None;
        self.launcher.took_over = false;
        if self.launcher.winner.is_some() || self.old.is_none() {
            return;
        }
        if self.launcher.starts < STARTS {
            self.start_new();
        } else {
            self.launcher.winner = Some("old");
            self.launcher.words.push_back(Word::Ended { took_over: false });
        }
    }

    /// The user types where the window is.
    pub(super) fn type_key(&mut self) {
        let key = self.typed + 1;
        let built = |new: &NewSide| {
            !matches!(
                new.state,
                NewState::Calling
                    | NewState::Leaving(_)
                    | NewState::Seeking { built: false }
                    | NewState::Claiming { built: false }
            )
        };
        let new_on_top = self.new.as_ref().is_some_and(|new| new.on_top && built(new));
        let old_shows = self.old.as_ref().is_some_and(|old| !old.left);
        if !new_on_top && old_shows {
            self.typed = key;
            if self.old.as_ref().is_some_and(|old| old.page.frozen) {
                self.old_mut(|old| old.page.kept.push(key));
            } else {
                self.old_mut(|old| old.page.shown.push(key));
                self.old_saves();
            }
        } else if self.new.as_ref().is_some_and(built) {
            self.typed = key;
            self.into_new.insert(key);
            if self.new.as_ref().is_some_and(|new| new.state == NewState::Alone) {
                self.new_adds(vec![key]);
            } else {
                self.new_mut(|new| new.page.kept.push(key));
            }
        }
    }
}
