//! What must be true in each state, and in the last ones.

use super::world::{Right, ToNew, World};
use crate::giver::State as OldState;
use crate::taker::State as NewState;

impl World {
    /// After each step.
    pub(super) fn judge(&mut self) {
        for key in 1..=self.typed {
            if !self.disk.contains(&key) && !self.is_somewhere(key) {
                self.lost.insert(key);
            }
        }
        // The one exception: typed into the new one's window, which came up just too late and is taken down
        // again. It was never shown.
        assert!(
            !self.unharmed || self.lost.is_subset(&self.into_new),
            "a key is lost without a mishap: {self:?}"
        );
        if let Some(old) = &self.old {
            let thawed_without_right = !old.page.frozen && self.right != Right::Old;
            assert!(
                !thawed_without_right,
                "the old one goes on without the right: {self:?}"
            );
        }
        if let Some(new) = &self.new {
            let alone_without_right = new.state == NewState::Alone && self.right != Right::New;
            assert!(
                !alone_without_right,
                "the new one goes on without the right: {self:?}"
            );
            let both = new.state == NewState::Alone
                && self
                    .old
                    .as_ref()
                    .is_some_and(|old| matches!(old.state, OldState::Staying(_)));
            assert!(!both, "both go on: {self:?}");
        }
    }

    fn is_somewhere(&self, key: u8) -> bool {
        let with_old = self.old.as_ref().is_some_and(|old| {
            let page = &old.page;
            !old.left && (page.shown.contains(&key) || page.kept.contains(&key) || page.told.contains(&key))
        });
        let with_new = self.new.as_ref().is_some_and(|new| {
            let unheard = new.state != NewState::Alone && new.keys.contains(&key);
            unheard || new.page.shown.contains(&key) || new.page.kept.contains(&key)
        });
        let between = self.to_new.iter().any(|message| match message {
            ToNew::Keys(keys) => keys.contains(&key),
            _ => false,
        }) && self.new.as_ref().is_some_and(|new| new.state != NewState::Alone);
        with_old || with_new || between
    }

    /// When nothing more can happen but that somebody types. Says which end it is.
    pub(super) fn judge_end(&self) -> &'static str {
        let expected: Vec<u8> = (1..=self.typed).filter(|key| !self.lost.contains(key)).collect();
        assert_eq!(self.disk, expected, "each key once and in order: {self:?}");
        if !self.launcher.alive {
            let writes = self.old.as_ref().is_some_and(|old| old.page.frozen);
            assert!(!writes, "frozen for ever: {self:?}");
            return "the launcher is gone";
        }
        match (&self.old, &self.new) {
            (Some(old), None) => {
                assert!(
                    matches!(old.state, OldState::Staying(_)),
                    "it waits for ever: {self:?}"
                );
                assert!(!old.page.frozen, "frozen for ever: {self:?}");
                assert_eq!(old.page.shown, expected, "{self:?}");
                let into_old = self.lost.iter().find(|key| !self.into_new.contains(key));
                assert_eq!(
                    into_old, None,
                    "typed into the one that stays, and lost: {self:?}"
                );
                "the old one stays"
            }
            (None, Some(new)) => {
                assert_eq!(new.state, NewState::Alone, "it waits for ever: {self:?}");
                assert!(new.on_top, "its window is hidden: {self:?}");
                assert_eq!(new.page.shown, expected, "{self:?}");
                "the new one alone"
            }
            (None, None) => {
                assert!(!self.unharmed, "both ended: {self:?}");
                "nobody is left"
            }
            (Some(_), Some(_)) => panic!("both are there: {self:?}"),
        }
    }
}
