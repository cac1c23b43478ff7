//! Carries out the effects of the old one's machine.

use std::time::{Duration, Instant};

use super::Driver;
use crate::giver::{Effect, Event, Limit};
use crate::moving::{self, Kept, NotGiven};
use crate::old::{Handed, Old, Thawed};
use crate::wire::ToNew;

impl<O: Old> Driver<O> {
    /// Carries effects out. The answer, if there is one, is that of the last.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) -> Option<Event> {
        let mut answer = None;
        for effect in effects {
            answer = match effect {
                Effect::Greet => Some(self.greet()),
                Effect::AwaitCalm => {
                    self.calm_since = Some(Instant::now());
                    None
                }
                Effect::Freeze => Some(match self.old.freeze() {
                    Ok(handed) => {
                        self.handed = Some(handed);
                        Event::Done
                    }
                    Err(_) => Event::Failed,
                }),
                Effect::Give => Some(self.give()),
                Effect::Part => {
                    let keys = self.old.keys(true);
                    let parted = self
                        .send_keys(keys)
                        .and_then(|()| self.send(&ToNew::Bye, "said bye"));
                    Some(if parted.is_ok() {
                        Event::Done
                    } else {
                        Event::Failed
                    })
                }
                Effect::SayStay(why) => {
                    let _ = self.send(&ToNew::Stay { why: why.to_string() }, "said stay");
                    None
                }
                Effect::HangUp => {
                    if let Some(call) = self.call.take() {
                        call.channel.hang_up();
                    }
                    None
                }
                Effect::Recall => {
                    self.old.recall();
                    None
                }
                // Looked for from now on.
                Effect::Retake => None,
                Effect::Thaw => {
                    self.thaw();
                    None
                }
                Effect::Leave => {
                    // Nothing is asked of this one any more; the socket's name goes before the process does.
                    self.calls.stop();
                    self.old.leave();
                    None
                }
                Effect::Stay(why) => {
                    self.calls.stop();
                    self.old.stays(why);
                    None
                }
                Effect::Within(limit) => {
                    self.deadlines.insert(limit, Instant::now() + self.limit(limit));
                    None
                }
                Effect::Enough(limit) => {
                    self.deadlines.remove(&limit);
                    None
                }
            };
        }
        answer
    }

    fn greet(&mut self) -> Event {
        match self.old.welcome() {
            Ok(mut welcome) => {
                welcome.protocol = crate::PROTOCOL;
                match self.send(&ToNew::Welcome(Box::new(welcome)), "said welcome") {
                    Ok(()) => Event::Done,
                    Err(_) => Event::Cut,
                }
            }
            Err(_) => Event::Failed,
        }
    }

    fn give(&mut self) -> Event {
        let Some(mut handed) = self.handed.take() else {
            return Event::Failed;
        };
        let Some(to) = self.call.as_ref().map(|call| call.channel.clone()) else {
            self.handed = Some(handed);
            return Event::Failed;
        };
        handed.last.generation = handed.right.generation();
        self.keys.clone_from(&handed.last.keys);
        if self
            .send(&ToNew::Last(Box::new(handed.last.clone())), "said last")
            .is_err()
        {
            self.handed = Some(handed);
            return Event::Failed;
        }
        let Handed {
            last,
            right,
            endpoint,
        } = handed;
        if let Some(endpoint) = endpoint {
            // Without it the successor opens a new one: no reason to stop here.
            self.kept = Some(moving::give_endpoint(endpoint, &to));
            self.old.note("gave listener");
        }
        match moving::give(right, &self.data, &to) {
            Ok(()) => {
                self.old.note("gave right");
                Event::Done
            }
            Err(NotGiven {
                right: Some(right), ..
            }) => {
                self.handed = Some(Handed {
                    last,
                    right,
                    endpoint: None,
                });
                Event::Failed
            }
            Err(NotGiven { right: None, .. }) => Event::Cut,
        }
    }

    fn thaw(&mut self) {
        let again = self.kept.take().and_then(Kept::again);
        let (right, endpoint) = match self.handed.take() {
            Some(Handed {
                last,
                right,
                endpoint,
            }) => {
                self.keys = last.keys;
                (Some(right), endpoint.or(again))
            }
            None => (self.retaken.take(), again),
        };
        if let Some(right) = right {
            let keys = std::mem::take(&mut self.keys);
            self.old.thaw(Thawed {
                right,
                endpoint,
                keys,
            });
        }
    }

    fn limit(&self, limit: Limit) -> Duration {
        match limit {
            Limit::Answer => self.limits.answer,
            Limit::Progress => self.limits.progress,
            Limit::Ready => self.limits.ready,
            Limit::Composing => self.limits.composing,
            Limit::Switch => self.limits.switch,
            Limit::Retake => self.limits.retake,
        }
    }
}
