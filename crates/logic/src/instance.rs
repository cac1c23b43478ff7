//! One instance of logic, on a thread of its own. It knows one component, one store and one budget.

use std::sync::mpsc::{Receiver, Sender, channel};

use moult_model::Digest;
use moult_model::stage::SavedState;
use moult_sandbox::logic::wire::{FromChild, InstanceNumber, ToChild};
use moult_sandbox::logic::{Fault, FaultKind, Limits};
use serde_json::Value;
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::code::Loaded;
use crate::engine::Ticker;
use crate::guest::{Guest, Out, Told};
use crate::worlds::World;

/// Bytes of memory of this process that what comes out of one call may take.
const HOSTCALL_FUEL: usize = 8 << 20;

/// How an instance is started.
pub(crate) struct Birth {
    pub(crate) instance: InstanceNumber,
    pub(crate) limits: Limits,
    pub(crate) settings: Value,
    pub(crate) state: Option<SavedState>,
    pub(crate) schema: u32,
    /// Names the code.
    pub(crate) component: Digest,
    pub(crate) code: Vec<u8>,
}

/// Starts an instance. Its answers, and how it ended, go out by `out`.
pub(crate) fn start(
    loaded: &Loaded,
    ticker: &Ticker,
    birth: Birth,
    out: Out,
) -> std::io::Result<Sender<Told>> {
    let (tell, told) = channel();
    let (loaded, ticker) = (loaded.clone(), ticker.clone());
    let name = format!("logic {}", birth.instance);
    std::thread::Builder::new()
        .name(name)
        .stack_size(2 << 20)
        .spawn(move || {
            let instance = birth.instance;
            let Err(fault) = live(&loaded, &ticker, birth, &out, told) else {
                return;
            };
            let _ = out.send(FromChild::Failed { instance, fault });
        })?;
    Ok(tell)
}

/// The life of an instance. Ends without a fault when it is stopped.
fn live(
    loaded: &Loaded,
    ticker: &Ticker,
    birth: Birth,
    out: &Out,
    told: Receiver<Told>,
) -> Result<(), Fault> {
    let Birth { instance, limits, .. } = birth;
    let component = loaded.get(&birth.component, &birth.code)?;
    drop(birth.code);
    let guest = Guest::new(instance, limits, out.clone(), told);
    let mut store = Store::new(loaded.engine(), guest);
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
                running.handle(&world, &event)?.map(|value| (number, Ok(value)))
            }
            ToChild::Snapshot { number, .. } => running.snapshot(&world)?.map(|taken| (number, taken)),
            ToChild::Restore { number, state, .. } => running
                .restore(&world, &state)?
                .map(|restored| (number, restored.map(|()| Value::Null))),
            ToChild::Stop { .. } => None,
            ToChild::Answer { .. } | ToChild::Compile | ToChild::Start { .. } => continue,
        };
        let Some((number, outcome)) = answer else {
            return Ok(());
        };
        let _ = out.send(match outcome {
            Ok(value) => FromChild::Done {
                instance,
                number,
                value,
            },
            Err(reason) => FromChild::Refused {
                instance,
                number: Some(number),
                reason,
            },
        });
    }
    Ok(())
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
        guest.budget.end();
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
