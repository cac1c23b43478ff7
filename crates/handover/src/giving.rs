//! The old one's side: carries out what the machine in `giver.rs` says. Decides nothing.

mod effects;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use moult_boot::WriteRight;
use serde_json::Value;

use crate::calls::{Call, Calls, Heard};
use crate::giver::{self, Event, Limit, State};
use crate::moving::Kept;
use crate::offer::Offer;
use crate::old::{Handed, Old};
use crate::wire::{ToNew, ToOld};
use crate::{HandOverError, Limits};

/// How often calm, keys and a free right are looked for.
const LOOK: Duration = Duration::from_millis(20);

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
            Heard::Called {
                call,
                start,
                protocol,
            } => {
                self.old.note("called");
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
            Heard::Said { id, message } if self.is_current(id) => match self.noted(message) {
                // The system knows who has the right.
                ToOld::Hello { .. } | ToOld::Taken { .. } => None,
                ToOld::Progress { .. } => Some(Event::Progress),
                ToOld::Ready => Some(Event::Ready),
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

    fn noted(&mut self, message: ToOld) -> ToOld {
        self.old.note(match &message {
            ToOld::Hello { .. } => "heard hello",
            ToOld::Progress { what } => what,
            ToOld::Ready => "heard ready",
            ToOld::Taken { .. } => "heard taken",
            ToOld::Raised => "heard raised",
            ToOld::Returned => "heard returned",
        });
        message
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
        self.send(&ToNew::Keys { keys }, "said keys")
    }

    fn send(&mut self, message: &ToNew, what: &str) -> Result<(), HandOverError> {
        let call = self.call.as_ref().ok_or(HandOverError::Gone)?;
        call.channel.send(message)?;
        self.old.note(what);
        Ok(())
    }
}
