//! The host's side of a running instance: what the component may ask of the world around it, and the memory that it may take.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Instant;

use moult_sandbox::logic::Limits;
use moult_sandbox::logic::wire::{FromChild, InstanceNumber, Number, ToChild};
use serde_json::Value;
use wasmtime::ResourceLimiter;

use crate::budget::Budget;
use crate::worlds::Host;

/// Tables of one instance, in elements all together.
const TABLE_ELEMENTS: usize = 100_000;
/// A line in the log, in characters.
const LINE: usize = 1_000;

/// What an instance's thread is told.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) ToChild);

/// Where what an instance says goes.
pub(crate) type Out = Sender<FromChild>;

/// The host's side of a running instance.
pub(crate) struct Guest {
    instance: InstanceNumber,
    pub(crate) limits: Limits,
    out: Out,
    told: Receiver<Told>,
    /// What came while a call waited for its answer.
    later: VecDeque<ToChild>,
    calls: Number,
    memory: u64,
    /// Set when memory was refused: the trap that follows says less.
    pub(crate) starved: bool,
    pub(crate) stopped: bool,
    pub(crate) budget: Budget,
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
    pub(crate) fn new(instance: InstanceNumber, limits: Limits, out: Out, told: Receiver<Told>) -> Self {
        Self {
            instance,
            limits,
            out,
            told,
            later: VecDeque::new(),
            calls: 0,
            memory: 0,
            starved: false,
            stopped: false,
            budget: Budget::default(),
        }
    }

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

    pub(crate) fn next(&mut self) -> Option<ToChild> {
        self.later.pop_front().or_else(|| Some(self.told.recv().ok()?.0))
    }

    /// Whether the application wants it to stop. Looked at while code runs.
    pub(crate) fn is_to_stop(&mut self) -> bool {
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
