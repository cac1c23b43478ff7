//! The new one's side: carries out what the machine in `taker.rs` says. Decides nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use moult_boot::WriteRight;
use serde_json::Value;

use crate::channel::{Channel, Incoming, Received};
use crate::local_api::Endpoint;
use crate::new::{New, Taken};
use crate::offer::Offer;
use crate::taker::{self, Effect, Event, Leaving, Limit, State};
use crate::wire::{Caller, Last, ToNew, ToOld, Welcome};
use crate::{HandOverError, Limits, PROTOCOL, moving, socket};

/// How often a free right is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// How the old one was met.
#[derive(Debug)]
pub enum Met {
    /// It answered. The window is to be built underneath, and nothing written.
    Welcomed(Box<Taker>, Box<Welcome>),
    /// It has gone, and this is the right that it left: the application starts as always.
    Alone(WriteRight),
}

/// A successor that was welcomed.
#[derive(Debug)]
pub struct Taker {
    state: State,
    data: PathBuf,
    limits: Limits,
    channel: Channel,
    inputs: Sender<Heard>,
    heard: Receiver<Heard>,
    deadlines: BTreeMap<Limit, Instant>,
    carried: Carried,
}

/// The running application says with this how far it is. Clones say it to the same.
#[derive(Clone, Debug)]
pub struct Successor {
    inputs: Sender<Heard>,
}

/// What came and was not passed on yet.
#[derive(Debug, Default)]
struct Carried {
    welcome: Option<Box<Welcome>>,
    last: Option<Box<Last>>,
    endpoint: Option<Endpoint>,
    right: Option<WriteRight>,
    keys: Vec<Value>,
    progress: Option<String>,
    why: Option<String>,
}

/// What reaches the new one's side.
#[derive(Debug)]
enum Heard {
    Outside(Event, Option<String>),
    Said(ToNew),
    Listening(Endpoint),
    Right(Result<WriteRight, HandOverError>),
    Cut,
}

impl Heard {
    /// What the old one said, for the log.
    fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Outside(..) => return None,
            Self::Said(ToNew::Welcome(_)) => "heard welcome",
            Self::Said(ToNew::Last(_)) => "heard last",
            Self::Said(ToNew::Keys { .. }) => "heard keys",
            Self::Said(ToNew::Stay { .. }) => "heard stay",
            Self::Said(ToNew::Bye) => "heard bye",
            Self::Said(ToNew::Listener { .. }) | Self::Listening(_) => "got listener",
            Self::Said(ToNew::Right) | Self::Right(Ok(_)) => "got right",
            Self::Right(Err(_)) => "got something else than the right",
            Self::Cut => "cut",
        })
    }
}

impl Successor {
    /// It does something that takes long. To be said at least every few seconds until [`Successor::ready`].
    pub fn progress(&self, what: &str) {
        self.tell(Event::Progress, Some(what.to_owned()));
    }

    /// Its window stands underneath, shell and widgets are loaded, and two frames are painted.
    pub fn ready(&self) {
        self.tell(Event::Painted, None);
    }

    /// After [`New::take`]: its window is on top, with all that was handed over, painted.
    pub fn raised(&self) {
        self.tell(Event::Restored, None);
    }

    /// The connection to the launcher is cut.
    pub fn launcher_gone(&self) {
        self.tell(Event::NoLauncher, None);
    }

    /// After its end nobody listens, and nothing is to be done.
    fn tell(&self, event: Event, what: Option<String>) {
        let _ = self.inputs.send(Heard::Outside(event, what));
    }
}

impl Taker {
    /// Calls on the old one and waits for its answer.
    ///
    /// An error means that the old one goes on and that this process must end: without a window, a write,
    /// or a word that it is in good order.
    pub fn connect(data: &Path, offer: &Offer, me: Caller, limits: Limits) -> Result<Met, HandOverError> {
        let (channel, incoming) = match socket::connect(offer, data, limits.send) {
            Ok(stream) => Channel::over(stream, limits.send)?,
            // Nobody listens: it has gone, or it stays and called this off.
            Err(error) => {
                let Some(right) = WriteRight::take(data, limits.seek)? else {
                    return Err(error);
                };
                // If it went on and called the launcher, this process is ended within this time.
                std::thread::sleep(limits.claim);
                return Ok(Met::Alone(right));
            }
        };
        let (inputs, heard) = std::sync::mpsc::channel();
        let hello = channel.send(&ToOld::Hello {
            protocol: PROTOCOL,
            version: me.version,
            token: offer.token.clone(),
            start: me.start,
        });
        if hello.is_ok() {
            listen(incoming, data, inputs.clone())?;
        } else {
            let _ = inputs.send(Heard::Cut);
        }
        let (state, effects) = State::first();
        let mut taker = Self {
            state,
            data: data.to_owned(),
            limits,
            channel,
            inputs,
            heard,
            deadlines: BTreeMap::new(),
            carried: Carried::default(),
        };
        taker.perform(effects, &mut None);
        while taker.carried.welcome.is_none() && !taker.state.is_last() {
            taker.turn(&mut None);
        }
        let carried = &mut taker.carried;
        match (carried.welcome.take(), carried.right.take()) {
            (Some(welcome), _) => Ok(Met::Welcomed(Box::new(taker), welcome)),
            (None, Some(right)) => Ok(Met::Alone(right)),
            (None, None) => Err(HandOverError::Refused {
                why: match (carried.why.take(), taker.state) {
                    (Some(why), _) => why,
                    (None, State::Leaving(why)) => why.to_string(),
                    (None, _) => Leaving::Lost.to_string(),
                },
            }),
        }
    }

    /// Goes on with the application, on a thread of its own.
    pub fn run(mut self, new: impl New) -> Result<Successor, HandOverError> {
        let successor = Successor {
            inputs: self.inputs.clone(),
        };
        std::thread::Builder::new()
            .name("hand-over".to_owned())
            .spawn(move || {
                let mut new: Option<Box<dyn New>> = Some(Box::new(new));
                while !self.state.is_last() {
                    self.turn(&mut new);
                }
            })
            .map_err(|source| HandOverError::Thread { source })?;
        Ok(successor)
    }

    /// Waits for what comes next, and carries it out.
    fn turn(&mut self, new: &mut Option<Box<dyn New>>) {
        let event = self.late().or_else(|| {
            let next = self.deadlines.values().min();
            let mut left = next.map_or(LOOK * 50, |at| at.saturating_duration_since(Instant::now()));
            if matches!(self.state, State::Seeking { .. }) {
                left = left.min(LOOK);
            }
            match self.heard.recv_timeout(left) {
                Ok(heard) => {
                    if let (Some(new), Some(what)) = (new.as_mut(), heard.name()) {
                        new.note(what);
                    }
                    self.hear(heard)
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.seek(),
            }
        });
        if let Some(event) = event {
            let (next, effects) = taker::next(self.state, event);
            self.state = next;
            self.perform(effects, new);
        }
    }

    fn late(&mut self) -> Option<Event> {
        let now = Instant::now();
        let limit = *self.deadlines.iter().find(|(_, at)| **at <= now)?.0;
        self.deadlines.remove(&limit);
        Some(Event::Late(limit))
    }

    fn seek(&mut self) -> Option<Event> {
        if !matches!(self.state, State::Seeking { .. }) {
            return None;
        }
        let right = WriteRight::take(&self.data, Duration::ZERO).ok()??;
        self.carried.right = Some(right);
        Some(Event::Found)
    }

    fn hear(&mut self, heard: Heard) -> Option<Event> {
        let carried = &mut self.carried;
        match heard {
            Heard::Outside(event, what) => {
                carried.progress = what;
                Some(event)
            }
            Heard::Said(message) => match message {
                ToNew::Welcome(welcome) => {
                    carried.welcome = Some(welcome);
                    Some(Event::Welcomed)
                }
                ToNew::Last(last) => {
                    carried.last = Some(last);
                    Some(Event::Last)
                }
                ToNew::Keys { keys } => {
                    carried.keys.extend(keys);
                    Some(Event::Keys)
                }
                ToNew::Stay { why } => {
                    carried.why = Some(why);
                    Some(Event::Stay)
                }
                ToNew::Bye => Some(Event::Bye),
                // Taken where they came in.
                ToNew::Listener { .. } | ToNew::Right => None,
            },
            Heard::Listening(endpoint) => {
                carried.endpoint = Some(endpoint);
                None
            }
            Heard::Right(Ok(right)) => {
                carried.right = Some(right);
                Some(Event::Right)
            }
            Heard::Right(Err(_)) => Some(Event::NoRight),
            Heard::Cut => Some(Event::Cut),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>, new: &mut Option<Box<dyn New>>) {
        for effect in effects {
            match effect {
                // What came in Welcome is handed out by `connect`, and looked for there.
                Effect::Build | Effect::Seek => {}
                Effect::SayProgress => {
                    let what = self.carried.progress.take().unwrap_or_default();
                    self.say(&ToOld::Progress { what }, "said progress", new);
                }
                Effect::SayReady => self.say(&ToOld::Ready, "said ready", new),
                Effect::SayTaken => {
                    let generation = self.carried.right.as_ref().map_or(0, WriteRight::generation);
                    self.say(&ToOld::Taken { generation }, "said taken", new);
                }
                Effect::SayRaised => self.say(&ToOld::Raised, "said raised", new),
                Effect::Take => self.take(new, true),
                Effect::TakeFromDisk => self.take(new, false),
                Effect::Replay => {
                    let keys = std::mem::take(&mut self.carried.keys);
                    if let Some(new) = new {
                        new.keys(keys);
                    }
                }
                Effect::Claim => {
                    if let Some(new) = new {
                        new.claim();
                    }
                }
                Effect::Release => {
                    if let Some(new) = new {
                        new.alone();
                    }
                }
                Effect::Leave(why) => {
                    if let Some(new) = new {
                        new.leave(why);
                    }
                }
                Effect::Return => {
                    self.carried.right = None;
                    self.say(&ToOld::Returned, "said returned", new);
                }
                Effect::HangUp => self.channel.hang_up(),
                Effect::Within(limit) => {
                    let length = match limit {
                        Limit::Welcome => self.limits.welcome,
                        Limit::Offer => self.limits.offer,
                        Limit::Bye => self.limits.bye,
                        Limit::Seek => self.limits.seek,
                        Limit::Claim => self.limits.claim,
                    };
                    self.deadlines.insert(limit, Instant::now() + length);
                }
                Effect::Enough(limit) => {
                    self.deadlines.remove(&limit);
                }
            }
        }
    }

    /// The connection's end says what could not be said.
    fn say(&self, message: &ToOld, what: &str, new: &mut Option<Box<dyn New>>) {
        if self.channel.send(message).is_ok()
            && let Some(new) = new
        {
            new.note(what);
        }
    }

    /// What the old one had counts only if the right came from it: else it may have gone on since.
    fn take(&mut self, new: &mut Option<Box<dyn New>>, with_last: bool) {
        let Carried {
            last,
            endpoint,
            right,
            ..
        } = std::mem::take(&mut self.carried);
        if let (Some(new), Some(right)) = (new, right) {
            new.take(Taken {
                last: last.filter(|_| with_last).map(|last| *last),
                right,
                endpoint,
            });
        }
    }
}

/// Hears the old one on a thread of its own. Descriptors are taken in the order in which they come.
fn listen(mut incoming: Incoming, data: &Path, tell: Sender<Heard>) -> Result<(), HandOverError> {
    let data = data.to_owned();
    let hear = move || {
        loop {
            let heard = match incoming.receive() {
                Ok(Received::Message(ToNew::Listener { port, token })) => {
                    match moving::receive_endpoint(&mut incoming, port, token) {
                        Ok(endpoint) => Heard::Listening(endpoint),
                        Err(_) => continue,
                    }
                }
                Ok(Received::Message(ToNew::Right)) => Heard::Right(moving::receive(&mut incoming, &data)),
                Ok(Received::Message(message)) => Heard::Said(message),
                Ok(Received::Unknown) => continue,
                Ok(Received::End) | Err(_) => break,
            };
            if tell.send(heard).is_err() {
                return;
            }
        }
        let _ = tell.send(Heard::Cut);
    };
    std::thread::Builder::new()
        .name("hand-over-heard".to_owned())
        .spawn(hear)
        .map(drop)
        .map_err(|source| HandOverError::Thread { source })
}
