//! One instance of logic, on a thread of its own. It knows one component, one store and one budget.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use moult_model::stage::SavedState;
use moult_sandbox::logic::wire::{FromChild, ToChild};
use moult_sandbox::logic::wire::{InstanceNumber, Number};
use moult_sandbox::logic::{Fault, FaultKind, Limits};
use serde_json::Value;
use wasmtime::component::Component;
use wasmtime::{Engine, ResourceLimiter, Store, Trap, UpdateDeadline};

use crate::engine::Ticker;
use crate::worlds::{Host, World};

/// Tables of one instance, in elements all together.
const TABLE_ELEMENTS: usize = 100_000;
/// Whatever the processor's clock says, a call is over after so many times its budget.
const WALL_TIMES: u32 = 40;
/// Bytes of memory of this process that what comes out of one call may take.
const HOSTCALL_FUEL: usize = 8 << 20;
/// A line in the log, in characters.
const LINE: usize = 1_000;

/// How an instance is started.
pub(crate) struct Birth {
    pub(crate) instance: InstanceNumber,
    pub(crate) limits: Limits,
    pub(crate) settings: Value,
    pub(crate) state: Option<SavedState>,
    pub(crate) schema: u32,
    pub(crate) code: Vec<u8>,
}

/// What an instance's thread is told.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) ToChild);

/// Where what an instance says goes.
pub(crate) type Out = Sender<FromChild>;

/// The host's side of a running instance.
pub(crate) struct Guest {
    instance: InstanceNumber,
    limits: Limits,
    out: Out,
    told: Receiver<Told>,
    /// What came while a call waited for its answer.
    later: std::collections::VecDeque<ToChild>,
    calls: Number,
    memory: u64,
    /// Set when memory was refused: the trap that follows says less.
    starved: bool,
    stopped: bool,
    budget: Budget,
}

/// Time for one call into the component.
#[derive(Debug, Default)]
struct Budget {
    processor: Duration,
    begun: Option<(Duration, Instant)>,
    waited: Duration,
    overdrawn: bool,
}

impl Budget {
    fn begin(&mut self, milliseconds: u32) {
        self.processor = Duration::from_millis(milliseconds.into());
        self.begun = Some((processor_time(), Instant::now()));
        self.waited = Duration::ZERO;
        self.overdrawn = false;
    }

    /// Whether the time is up. What a call waits for the application is not its time.
    fn is_spent(&mut self) -> bool {
        let Some((processor, wall)) = self.begun else {
            return false;
        };
        let used = processor_time().saturating_sub(processor);
        let wall = wall.elapsed().saturating_sub(self.waited);
        self.overdrawn = used > self.processor || wall > self.processor * WALL_TIMES;
        self.overdrawn
    }
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }
    // The wall's limit stands in: there it is the only one.
    #[cfg(not(unix))]
    Duration::ZERO
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = (desired - current) as u64;
        if self.memory + more > self.limits.memory_bytes {
            self.starved = true;
            // An error, not a refusal: who asks for more and more must not go on asking.
            return Err(wasmtime::Error::msg("more memory than it may have"));
        }
        self.memory += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.starved = true;
            return Err(wasmtime::Error::msg("larger tables than it may have"));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        16
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        4
    }
}

impl Host for Guest {
    fn call(&mut self, capability: String, json: String) -> Result<String, String> {
        let request = serde_json::from_str(&json)
            .map_err(|error| problem(&format!("the request is no JSON: {error}")))?;
        self.calls += 1;
        let number = self.calls;
        let asked = FromChild::Call {
            instance: self.instance,
            number,
            capability: capability.chars().take(64).collect(),
            request,
        };
        let begin = Instant::now();
        let answer = self.say_out(asked).then(|| self.answer(number)).flatten();
        self.budget.waited += begin.elapsed();
        match answer {
            Some(Ok(value)) => Ok(value.to_string()),
            Some(Err(refused)) => Err(refused.to_string()),
            None => {
                self.stopped = true;
                Err(problem("the widget is being stopped"))
            }
        }
    }

    fn say(&mut self, json: String) {
        if let Ok(event) = serde_json::from_str(&json)
            && json.len() <= self.limits.answer_bytes as usize
        {
            self.say_out(FromChild::Said {
                instance: self.instance,
                event,
            });
        }
    }

    fn now(&mut self) -> u64 {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&mut self, count: u32) -> Vec<u8> {
        let mut bytes = vec![0; count.min(256) as usize];
        // A system without randomness gives none, rather than bytes that look like it.
        match getrandom::fill(&mut bytes) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    }

    fn log(&mut self, line: String) {
        let line = line.chars().take(LINE).collect();
        self.say_out(FromChild::Logged {
            instance: self.instance,
            line,
        });
    }
}

impl Guest {
    fn say_out(&self, message: FromChild) -> bool {
        self.out.send(message).is_ok()
    }

    /// Waits for an answer. What else comes meanwhile is kept for later; a stop ends the wait.
    fn answer(&mut self, wanted: Number) -> Option<Result<Value, Value>> {
        loop {
            match self.told.recv().ok()?.0 {
                ToChild::Answer { number, outcome, .. } if number == wanted => return Some(outcome),
                ToChild::Answer { .. } => {}
                ToChild::Stop { .. } => return None,
                other => self.later.push_back(other),
            }
        }
    }

    fn next(&mut self) -> Option<ToChild> {
        self.later.pop_front().or_else(|| Some(self.told.recv().ok()?.0))
    }

    /// Whether the application wants it to stop. Looked at while code runs.
    fn is_to_stop(&mut self) -> bool {
        loop {
            match self.told.try_recv() {
                Ok(Told(ToChild::Stop { .. })) | Err(TryRecvError::Disconnected) => self.stopped = true,
                Ok(Told(other)) => {
                    self.later.push_back(other);
                    continue;
                }
                Err(TryRecvError::Empty) => {}
            }
            return self.stopped;
        }
    }
}

fn problem(detail: &str) -> String {
    serde_json::json!({
        "code": "invalid",
        "happened": "The call could not be made.",
        "kept": "Nothing was changed.",
        "advice": null,
        "detail": detail,
    })
    .to_string()
}

/// Starts an instance. Its answers, and how it ended, go out by `out`.
pub(crate) fn start(
    engine: &Engine,
    ticker: &Ticker,
    birth: Birth,
    out: Out,
) -> std::io::Result<Sender<Told>> {
    let (tell, told) = channel();
    let (engine, ticker) = (engine.clone(), ticker.clone());
    let name = format!("logic {}", birth.instance);
    std::thread::Builder::new()
        .name(name)
        .stack_size(2 << 20)
        .spawn(move || {
            let instance = birth.instance;
            let Err(fault) = live(&engine, &ticker, &birth, &out, told) else {
                return;
            };
            let _ = out.send(FromChild::Failed { instance, fault });
        })?;
    Ok(tell)
}

/// The life of an instance. Ends without a fault when it is stopped.
fn live(
    engine: &Engine,
    ticker: &Ticker,
    birth: &Birth,
    out: &Out,
    told: Receiver<Told>,
) -> Result<(), Fault> {
    let Birth { instance, limits, .. } = *birth;
    let component = load(engine, &birth.code)?;
    let guest = Guest {
        instance,
        limits,
        out: out.clone(),
        told,
        later: std::collections::VecDeque::new(),
        calls: 0,
        memory: 0,
        starved: false,
        stopped: false,
        budget: Budget::default(),
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(HOSTCALL_FUEL);
    store.epoch_deadline_callback(|mut context| {
        let guest = context.data_mut();
        if guest.is_to_stop() || guest.budget.is_spent() {
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::Continue(1))
    });
    let mut running = Running {
        store,
        ticker,
        schema: birth.schema,
    };
    let settings = birth.settings.to_string();
    // Its beginning may set up more than an event does.
    let world = running.within(limits.event_ms.saturating_mul(10), |store| {
        let world = World::new(store, &component)?;
        world.init(store, &settings)?;
        Ok(world)
    });
    let Some(world) = world? else { return Ok(()) };
    if let Some(state) = &birth.state {
        match running.restore(&world, state)? {
            None => return Ok(()),
            Some(Ok(())) => {}
            Some(Err(reason)) => {
                let refused = FromChild::Refused {
                    instance,
                    number: None,
                    reason,
                };
                let _ = out.send(refused);
                return Ok(());
            }
        }
    }
    let _ = out.send(FromChild::Started { instance });
    while let Some(told) = running.store.data_mut().next() {
        let answer = match told {
            ToChild::Handle { number, event, .. } => {
                running.handle(&world, &event)?.map(|value| (number, value))
            }
            ToChild::Snapshot { number, .. } => match running.snapshot(&world)? {
                Some(Err(reason)) => {
                    let number = Some(number);
                    let _ = out.send(FromChild::Refused {
                        instance,
                        number,
                        reason,
                    });
                    continue;
                }
                Some(Ok(value)) => Some((number, value)),
                None => None,
            },
            ToChild::Restore { number, state, .. } => match running.restore(&world, &state)? {
                Some(Err(reason)) => {
                    let number = Some(number);
                    let _ = out.send(FromChild::Refused {
                        instance,
                        number,
                        reason,
                    });
                    continue;
                }
                Some(Ok(())) => Some((number, Value::Null)),
                None => None,
            },
            ToChild::Stop { .. } => None,
            ToChild::Answer { .. } | ToChild::Compile | ToChild::Start { .. } => continue,
        };
        let Some((number, value)) = answer else {
            return Ok(());
        };
        let _ = out.send(FromChild::Done {
            instance,
            number,
            value,
        });
    }
    Ok(())
}

#[expect(unsafe_code, reason = "code that was compiled before is taken as it is")]
fn load(engine: &Engine, code: &[u8]) -> Result<Component, Fault> {
    // SAFETY: compiled code must come from `Engine::precompile_component`. It does: the application has it from the child
    // that compiles, or from its cache, where a key of this installation vouches for every byte. Whoever could forge that
    // owns the application already; and this process has no rights that could be stolen.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| Fault {
        kind: FaultKind::Unfit,
        detail: format!("{error:#}"),
    })
}

struct Running<'a> {
    store: Store<Guest>,
    ticker: &'a Ticker,
    schema: u32,
}

impl Running<'_> {
    /// Calls into the component within a time. None if it was stopped meanwhile.
    fn within<T>(
        &mut self,
        milliseconds: u32,
        act: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<Option<T>, Fault> {
        self.store.data_mut().budget.begin(milliseconds);
        self.store.set_epoch_deadline(1);
        let working = self.ticker.begin();
        let outcome = act(&mut self.store);
        drop(working);
        let guest = self.store.data_mut();
        guest.budget.begun = None;
        match outcome {
            _ if guest.stopped => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(fault(guest, &error)),
        }
    }

    fn handle(&mut self, world: &World, event: &Value) -> Result<Option<Value>, Fault> {
        let limits = self.store.data().limits;
        let event = event.to_string();
        let answer = self.within(limits.event_ms, |store| world.handle(store, &event))?;
        answer.map(|answer| json(answer.as_bytes(), limits)).transpose()
    }

    /// The state. One that is too large is not taken, which is no fault: the one before is kept.
    fn snapshot(&mut self, world: &World) -> Result<Option<Result<Value, String>>, Fault> {
        let limits = self.store.data().limits;
        let data = self.within(limits.event_ms, |store| world.snapshot(store))?;
        let Some(data) = data else { return Ok(None) };
        if data.len() > limits.answer_bytes as usize {
            let reason = format!("{} bytes are more than {}", data.len(), limits.answer_bytes);
            return Ok(Some(Err(reason)));
        }
        let data = json(&data, limits)?;
        Ok(Some(Ok(
            serde_json::json!({ "schema": self.schema, "data": data }),
        )))
    }

    fn restore(&mut self, world: &World, state: &SavedState) -> Result<Option<Result<(), String>>, Fault> {
        let data = state.data.to_string();
        let milliseconds = self.store.data().limits.event_ms;
        self.within(milliseconds, |store| {
            world.restore(store, data.as_bytes(), state.schema)
        })
    }
}

fn json(bytes: &[u8], limits: Limits) -> Result<Value, Fault> {
    let bad = |detail: String| Fault {
        kind: FaultKind::BadAnswer,
        detail,
    };
    if bytes.len() > limits.answer_bytes as usize {
        return Err(bad(format!(
            "{} bytes are more than {}",
            bytes.len(),
            limits.answer_bytes
        )));
    }
    serde_json::from_slice(bytes).map_err(|error| bad(format!("it is no JSON: {error}")))
}

fn fault(guest: &Guest, error: &wasmtime::Error) -> Fault {
    let kind = if guest.starved {
        FaultKind::OutOfMemory
    } else if guest.budget.overdrawn || error.downcast_ref() == Some(&Trap::Interrupt) {
        FaultKind::TimedOut
    } else if error.downcast_ref::<Trap>().is_some() {
        FaultKind::Trapped
    } else {
        FaultKind::Unfit
    };
    Fault {
        kind,
        detail: format!("{error:#}").chars().take(2_000).collect(),
    }
}
