//! What the two sides do in the world of the exploration, as their drivers do.

use super::world::{Right, ToNew, ToOld, World};
use crate::giver::{self, Effect as Old, Event as OldSees, State as OldState};
use crate::taker::{self, Effect as New, Event as NewSees, Leaving, State as NewState};

impl World {
    pub(super) fn old_sees(&mut self, event: OldSees) {
        let mut event = Some(event);
        while let Some(seen) = event.take() {
            let Some(state) = self.old_mut(|old| old.state.clone()) else {
                return;
            };
            let (next, effects) = giver::next(state, seen);
            self.old_mut(|old| old.state = next);
            event = self.old_does(&effects);
        }
    }

    /// Carries out what the old one's machine says, as the driver does; the last answer is returned.
    pub(super) fn old_does(&mut self, effects: &[Old]) -> Option<OldSees> {
        let mut answer = None;
        for effect in effects {
            answer = match effect {
                Old::Greet => {
                    self.old_saves();
                    Some(if self.old_says(ToNew::Welcome) {
                        OldSees::Done
                    } else {
                        OldSees::Cut
                    })
                }
                Old::Freeze => {
                    self.old_saves();
                    self.old_mut(|old| old.page.frozen = true);
                    Some(OldSees::Done)
                }
                Old::Give => Some(self.old_gives()),
                Old::Part => {
                    let kept = self.old_mut(|old| std::mem::take(&mut old.page.kept)).unwrap();
                    self.old_mut(|old| old.page.told.extend(&kept));
                    let said = self.old_says(ToNew::Keys(kept)) && self.old_says(ToNew::Bye);
                    Some(if said { OldSees::Done } else { OldSees::Failed })
                }
                Old::SayStay(_) => {
                    self.old_says(ToNew::Stay);
                    None
                }
                Old::HangUp => {
                    self.old_hangs_up();
                    None
                }
                Old::Recall => {
                    self.launcher.recall = self.launcher.alive;
                    None
                }
                Old::AwaitCalm | Old::Retake => None,
                Old::Thaw => {
                    assert_eq!(self.right, Right::Old, "thawed without the right: {self:?}");
                    self.old_mut(|old| {
                        let told = std::mem::take(&mut old.page.told);
                        let kept = std::mem::take(&mut old.page.kept);
                        old.page.shown.extend(told.into_iter().chain(kept));
                        old.page.frozen = false;
                    });
                    self.old_saves();
                    None
                }
                Old::Leave => {
                    let on_top = self.new.as_ref().is_some_and(|new| new.on_top);
                    assert!(
                        on_top || !self.launcher.alive || self.launcher.winner == Some("new"),
                        "no window is left: {self:?}"
                    );
                    self.old_mut(|old| old.left = true);
                    None
                }
                Old::Stay(_) => {
                    // It listens no more.
                    self.old_mut(|old| old.callers.clear());
                    None
                }
                Old::Within(limit) => {
                    self.old_mut(|old| old.limits.insert(*limit));
                    None
                }
                Old::Enough(limit) => {
                    self.old_mut(|old| old.limits.remove(limit));
                    None
                }
            };
        }
        answer
    }

    fn old_gives(&mut self) -> OldSees {
        let shown = self.old_mut(|old| old.page.shown.clone()).unwrap();
        if !self.old_says(ToNew::Last(shown)) {
            return OldSees::Failed;
        }
        assert_eq!(self.right, Right::Old, "given twice: {self:?}");
        self.old_says(ToNew::Right);
        self.right = Right::OnTheWay;
        OldSees::Done
    }

    pub(super) fn old_tells_keys(&mut self) {
        let kept = self.old_mut(|old| std::mem::take(&mut old.page.kept)).unwrap();
        self.old_mut(|old| old.page.told.extend(&kept));
        self.old_says(ToNew::Keys(kept));
    }

    pub(super) fn old_saves(&mut self) {
        let shown = self.old.as_ref().unwrap().page.shown.clone();
        self.save(Right::Old, shown);
    }

    /// Whoever saves has the right, and nothing that was saved is undone.
    fn save(&mut self, who: Right, content: Vec<u8>) {
        assert_eq!(self.right, who, "written without the right: {self:?}");
        assert!(
            content.starts_with(&self.disk),
            "{content:?} undoes {:?}: {self:?}",
            self.disk
        );
        self.disk = content;
    }

    /// Whether the message could be sent.
    fn old_says(&mut self, message: ToNew) -> bool {
        let call = self.old.as_ref().and_then(|old| old.call);
        let heard = self
            .new
            .as_ref()
            .is_some_and(|new| new.connected && Some(new.start) == call);
        if heard {
            self.to_new.push_back(message);
        }
        heard
    }

    fn old_hangs_up(&mut self) {
        if self.old_says(ToNew::End) {
            self.new_mut(|new| new.connected = false);
        }
        self.old_mut(|old| old.call = None);
    }

    pub(super) fn old_hears(&mut self) {
        let Some((start, message)) = self.to_old.pop_front() else {
            return;
        };
        let old = self.old.as_mut().unwrap();
        let current = old.call == Some(start);
        match message {
            ToOld::Called if old.state.takes_calls() => {
                old.callers.insert(start);
                let expected = matches!(&old.state, OldState::Offering { expected, .. } if *expected == Some(start.to_string()));
                if expected {
                    old.callers.clear();
                    old.call = Some(start);
                }
                self.old_sees(OldSees::Called {
                    start: start.to_string(),
                    protocol: 1,
                });
            }
            ToOld::Called => self.refuse(start),
            ToOld::End if current => self.old_sees(OldSees::Cut),
            ToOld::End if old.callers.remove(&start) => self.old_sees(OldSees::Cut),
            ToOld::Ready if current => self.old_sees(OldSees::Ready),
            ToOld::Raised if current => self.old_sees(OldSees::Raised),
            ToOld::Returned if current => self.old_sees(OldSees::Returned),
            _ => {}
        }
    }

    pub(super) fn old_hears_of_start(&mut self, start: u8) {
        let old = self.old.as_mut().unwrap();
        if matches!(old.state, OldState::Offering { .. }) && old.callers.contains(&start) {
            old.callers.clear();
            old.call = Some(start);
        }
        self.old_sees(OldSees::Begun {
            start: start.to_string(),
        });
    }

    pub(super) fn old_ends(&mut self) {
        if self.right == Right::Old {
            self.right = Right::Free;
        }
        if self.new.as_ref().is_some_and(|new| new.connected) {
            self.to_new.push_back(ToNew::End);
            self.new_mut(|new| new.connected = false);
        }
        self.old = None;
        self.to_old.clear();
        self.launcher.words.clear();
        self.launcher.recall = false;
    }

    fn refuse(&mut self, start: u8) {
        if self
            .new
            .as_ref()
            .is_some_and(|new| new.connected && new.start == start)
        {
            self.to_new.push_back(ToNew::End);
            self.new_mut(|new| new.connected = false);
        }
    }

    pub(super) fn cut(&mut self) {
        let start = self.new_mut(|new| {
            new.connected = false;
            new.start
        });
        self.to_new.push_back(ToNew::End);
        self.to_old.push_back((start.unwrap(), ToOld::End));
    }

    pub(super) fn new_sees(&mut self, event: NewSees) {
        let Some(before) = self.new_mut(|new| new.state) else {
            return;
        };
        let (next, effects) = taker::next(before, event);
        self.new_mut(|new| new.state = next);
        self.new_does(&effects);
        // It starts as always, with what is on the disk.
        if before == (NewState::Claiming { built: false }) && next == NewState::Alone {
            let disk = self.disk.clone();
            self.new_mut(|new| {
                new.page.shown = disk;
                new.on_top = true;
            });
            self.launcher.took_over = self.launcher.alive;
        }
    }

    pub(super) fn new_does(&mut self, effects: &[New]) {
        for effect in effects {
            match effect {
                New::Build => drop(self.new_mut(|new| new.builds = true)),
                New::Leave(Leaving::NoRight) => panic!("what came was not the right: {self:?}"),
                // What is said with these changes nothing.
                New::SayProgress | New::SayTaken | New::Seek | New::Leave(_) => {}
                New::SayReady => self.new_says(ToOld::Ready),
                New::SayRaised => self.new_says(ToOld::Raised),
                New::Take => {
                    let last = self
                        .new_mut(|new| new.last.take())
                        .unwrap()
                        .expect("Last came before");
                    self.new_shows(last);
                }
                New::TakeFromDisk => {
                    self.new_mut(|new| (new.last = None, new.keys.clear()));
                    self.new_shows(self.disk.clone());
                }
                New::Replay => {
                    let keys = self.new_mut(|new| std::mem::take(&mut new.keys)).unwrap();
                    self.new_adds(keys);
                }
                New::Claim => self.launcher.took_over = self.launcher.alive,
                New::Release => {
                    let kept = self.new_mut(|new| std::mem::take(&mut new.page.kept)).unwrap();
                    self.new_adds(kept);
                }
                New::Return => {
                    if self.right == Right::New {
                        self.right = Right::Free;
                    }
                    self.new_says(ToOld::Returned);
                }
                New::HangUp => {
                    self.new_says(ToOld::End);
                    self.new_mut(|new| new.connected = false);
                }
                New::Within(limit) => drop(self.new_mut(|new| new.limits.insert(*limit))),
                New::Enough(limit) => drop(self.new_mut(|new| new.limits.remove(limit))),
            }
        }
    }

    fn new_shows(&mut self, content: Vec<u8>) {
        self.save(Right::New, content.clone());
        self.new_mut(|new| {
            new.page.shown = content;
            new.takes = true;
        });
    }

    pub(super) fn new_adds(&mut self, keys: Vec<u8>) {
        let shown = self.new_mut(|new| {
            new.page.shown.extend(keys);
            new.page.shown.clone()
        });
        self.save(Right::New, shown.unwrap());
    }

    fn new_says(&mut self, message: ToOld) {
        if let Some(new) = &self.new
            && new.connected
        {
            self.to_old.push_back((new.start, message));
        }
    }

    pub(super) fn new_hears(&mut self) {
        let Some(message) = self.to_new.pop_front() else {
            return;
        };
        let event = match message {
            ToNew::Welcome => NewSees::Welcomed,
            ToNew::Last(shown) => {
                self.new_mut(|new| new.last = Some(shown));
                NewSees::Last
            }
            ToNew::Right => {
                self.right = Right::New;
                NewSees::Right
            }
            ToNew::Keys(keys) => {
                self.new_mut(|new| new.keys.extend(keys));
                NewSees::Keys
            }
            ToNew::Bye => NewSees::Bye,
            ToNew::Stay => NewSees::Stay,
            ToNew::End => NewSees::Cut,
        };
        self.new_sees(event);
    }

    pub(super) fn new_ends(&mut self) {
        self.new_says(ToOld::End);
        let on_the_way = self.to_new.contains(&ToNew::Right);
        if self.right == Right::New || (self.right == Right::OnTheWay && on_the_way) {
            self.right = Right::Free;
        }
        self.to_new.clear();
        self.new = None;
    }
}
