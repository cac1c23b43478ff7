//! The old one's side: carries out what the machine in `giver.rs` says. Decides nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use moult_boot::WriteRight;
use serde_json::Value;

use crate::calls::{Call, Calls, Heard};
use crate::giver::{self, Effect, Event, Limit, State, Staying};
use crate::local_api::Endpoint;
use crate::moving::{self, Kept, NotGiven};
use crate::offer::Offer;
use crate::wire::{Last, ToNew, ToOld, Welcome};
use crate::{HandOverError, Limits};

/// How often calm, keys and a free right are looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What the hand-over asks of the running application. The calls come from one thread, one at a time.
pub trait Old: Send + 'static {
    /// Saves everything to disk, and says what the successor begins with. `protocol` is filled in.
    fn welcome(&mut self) -> Result<Welcome, String>;

    /// For how long there was no input. `None` while text is being composed.
    fn calm_for(&mut self) -> Option<Duration>;

    /// Freezes the page so that it keeps what is typed, saves its states, stops the engine and all that
    /// writes, drops the tray and stops the local interface. An error means that all of it goes on as before.
    fn freeze(&mut self) -> Result<Handed, String>;

    /// What was typed since the last call, or since the freeze. With `all`, the successor is on top and
    /// has the focus: the page is asked for what it still has.
    fn keys(&mut self, all: bool) -> Vec<Value>;

    /// Goes on after [`Old::freeze`]: reads the records again, since the successor may have written them,
    /// starts what was stopped, and types the keys that [`Old::keys`] gave and those that it did not.
    fn thaw(&mut self, thawed: Thawed);

    /// Has the launcher end the successor, with `ToLauncher::Recall`.
    fn recall(&mut self);

    /// The successor took over: hides the window and ends the process. The last call.
    fn leave(&mut self);

    /// The application goes on. The last call.
    fn stays(&mut self, why: Staying);
}

/// What a frozen application hands over.
#[derive(Debug)]
pub struct Handed {
    /// What the page had.
    pub last: Last,
    /// The right to write.
    pub right: WriteRight,
    /// The local interface, if it is served.
    pub endpoint: Option<Endpoint>,
}

/// What a frozen application gets back.
#[derive(Debug)]
pub struct Thawed {
    /// The right to write. Another process may have had it meanwhile.
    pub right: WriteRight,
    /// The local interface, if it was served and its port could be had again.
    pub endpoint: Option<Endpoint>,
    /// Typed since the freeze, as far as [`Last::keys`] and [`Old::keys`] gave it away.
    pub keys: Vec<Value>,
}

/// A hand-over that is offered. It goes on until it has ended; dropping this calls nothing off.
#[derive(Clone, Debug)]
pub struct Giver {
    offer: Offer,
    inputs: Sender<Heard>,
}

impl Giver {
    /// Listens for a successor, and hands over to it.
    pub fn start(data: &Path, limits: Limits, old: impl Old) -> Result<Self, HandOverError> {
        let offer = Offer::new()?;
        let (inputs, heard) = channel();
        let calls = Calls::listen(&offer, data, limits.send, inputs.clone())?;
        let driver = Driver {
            old,
            data: data.to_owned(),
            limits,
            calls,
            call: None,
            callers: Vec::new(),
            handed: None,
            kept: None,
            retaken: None,
            keys: Vec::new(),
            deadlines: BTreeMap::new(),
            calm_since: None,
        };
        std::thread::Builder::new()
            .name("hand-over".to_owned())
            .spawn(move || driver.run(&heard))
            .map_err(|source| HandOverError::Thread { source })?;
        Ok(Self { offer, inputs })
    }

    /// What the launcher passes on to the successor.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// The launcher has started a successor, under this start token.
    pub fn begun(&self, start: &str) {
        self.tell(Event::Begun {
            start: start.to_owned(),
        });
    }

    /// The launcher says that it is over, or refused: whether the successor has taken over.
    pub fn ended(&self, took_over: bool) {
        self.tell(Event::Ended { took_over });
    }

    /// The connection to the launcher is cut.
    pub fn launcher_gone(&self) {
        self.tell(Event::NoLauncher);
    }

    /// The application is about to end for another reason. Once the right is given it is too late.
    pub fn withdraw(&self) {
        self.tell(Event::Withdrawn);
    }

    /// After its end nobody listens, and nothing is to be done.
    fn tell(&self, event: Event) {
        let _ = self.inputs.send(Heard::Outside(event));
    }
}

struct Driver<O> {
    old: O,
    data: PathBuf,
    limits: Limits,
    calls: Calls,
    /// The successor's.
    call: Option<Call>,
    /// Those of which the launcher did not speak yet.
    callers: Vec<(String, Call)>,
    handed: Option<Handed>,
    /// The local interface's socket, after it was given.
    kept: Option<Kept>,
    retaken: Option<WriteRight>,
    keys: Vec<Value>,
    deadlines: BTreeMap<Limit, Instant>,
    calm_since: Option<Instant>,
}

impl<O: Old> Driver<O> {
    fn run(mut self, heard: &Receiver<Heard>) {
        let (mut state, effects) = State::first();
        let mut pending = self.perform(effects);
        loop {
            if let Some(event) = pending.take() {
                let (next, effects) = giver::next(state, event);
                state = next;
                pending = self.perform(effects);
                continue;
            }
            if state.is_last() {
                return;
            }
            pending = self.late();
            if pending.is_none() {
                pending = match heard.recv_timeout(self.wait(&state)) {
                    Ok(heard) => self.hear(&state, heard),
                    Err(RecvTimeoutError::Timeout) => self.look(&state),
                    // The accepting thread holds a sender for as long as this lives.
                    Err(RecvTimeoutError::Disconnected) => Some(Event::NoLauncher),
                };
            }
        }
    }

    fn wait(&self, state: &State) -> Duration {
        let next = self.deadlines.values().min();
        let left = next.map_or(LOOK * 50, |at| at.saturating_duration_since(Instant::now()));
        match state {
            State::Quiet | State::Given | State::Retaking { word: true, .. } => left.min(LOOK),
            _ => left,
        }
    }

    fn late(&mut self) -> Option<Event> {
        let now = Instant::now();
        let limit = *self.deadlines.iter().find(|(_, at)| **at <= now)?.0;
        self.deadlines.remove(&limit);
        Some(Event::Late(limit))
    }

    fn hear(&mut self, state: &State, heard: Heard) -> Option<Event> {
        match heard {
            Heard::Outside(event) => {
                if let (State::Offering { .. }, Event::Begun { start }) = (state, &event) {
                    self.answer(start);
                }
                Some(event)
            }
            Heard::Called { call, start, protocol } => {
                if !state.takes_calls() {
                    call.channel.hang_up();
                    return None;
                }
                self.callers.push((start.clone(), call));
                if matches!(state, State::Offering { expected, .. } if expected.as_ref() == Some(&start)) {
                    self.answer(&start);
                }
                Some(Event::Called { start, protocol })
            }
            Heard::Said { id, message } if self.is_current(id) => match message {
                ToOld::Hello { .. } => None,
                ToOld::Progress { .. } => Some(Event::Progress),
                ToOld::Ready => Some(Event::Ready),
                ToOld::Taken { .. } => Some(Event::Taken),
                ToOld::Raised => Some(Event::Raised),
                ToOld::Returned => Some(Event::Returned),
            },
            Heard::Cut { id } if self.is_current(id) => Some(Event::Cut),
            Heard::Cut { id } => {
                let before = self.callers.len();
                self.callers.retain(|(_, call)| call.id != id);
                (self.callers.len() < before).then_some(Event::Cut)
            }
            Heard::Said { .. } => None,
        }
    }

    /// The call of this start becomes the successor's, if it came already.
    fn answer(&mut self, start: &str) {
        if let Some(at) = self.callers.iter().position(|(known, _)| known == start) {
            self.call = Some(self.callers.remove(at).1);
        }
        for (_, call) in self.callers.drain(..) {
            call.channel.hang_up();
        }
    }

    fn is_current(&self, id: u64) -> bool {
        self.call.as_ref().is_some_and(|call| call.id == id)
    }

    /// What nobody says and must be looked for.
    fn look(&mut self, state: &State) -> Option<Event> {
        match state {
            State::Quiet => {
                let calm = self.old.calm_for()?;
                let patient = self
                    .calm_since
                    .is_some_and(|since| since.elapsed() < self.limits.patience);
                (calm >= self.limits.calm || !patient).then_some(Event::Calm)
            }
            State::Given => {
                let keys = self.old.keys(false);
                // If it can't be sent the connection's end says so.
                let _ = self.send_keys(keys);
                None
            }
            State::Retaking { word: true, .. } => match WriteRight::take(&self.data, Duration::ZERO) {
                Ok(Some(right)) => {
                    self.retaken = Some(right);
                    Some(Event::Retook)
                }
                Ok(None) | Err(_) => None,
            },
            _ => None,
        }
    }

    fn send_keys(&mut self, keys: Vec<Value>) -> Result<(), HandOverError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.keys.extend(keys.iter().cloned());
        self.send(&ToNew::Keys { keys })
    }

    fn send(&self, message: &ToNew) -> Result<(), HandOverError> {
        self.call
            .as_ref()
            .ok_or(HandOverError::Gone)?
            .channel
            .send(message)
    }

    /// Carries effects out. The answer, if there is one, is that of the last.
    fn perform(&mut self, effects: Vec<Effect>) -> Option<Event> {
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
                    let parted = self.send_keys(keys).and_then(|()| self.send(&ToNew::Bye));
                    Some(if parted.is_ok() { Event::Done } else { Event::Failed })
                }
                Effect::SayStay(why) => {
                    let _ = self.send(&ToNew::Stay { why: why.to_string() });
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
                match self.send(&ToNew::Welcome(Box::new(welcome))) {
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
        if to.send(&ToNew::Last(Box::new(handed.last.clone()))).is_err() {
            self.handed = Some(handed);
            return Event::Failed;
        }
        let Handed { last, right, endpoint } = handed;
        if let Some(endpoint) = endpoint {
            // Without it the successor opens a new one: no reason to stop here.
            self.kept = Some(moving::give_endpoint(endpoint, &to));
        }
        match moving::give(right, &self.data, &to) {
            Ok(()) => Event::Done,
            Err(NotGiven { right: Some(right), .. }) => {
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
            Some(Handed { last, right, endpoint }) => {
                self.keys = last.keys;
                (Some(right), endpoint.or(again))
            }
            None => (self.retaken.take(), again),
        };
        if let Some(right) = right {
            let keys = std::mem::take(&mut self.keys);
            self.old.thaw(Thawed { right, endpoint, keys });
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
