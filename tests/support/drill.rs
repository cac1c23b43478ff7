//! Orders swaps of the running application, one after the other on a connection of its own. Only a build with debug
//! assertions that lets itself be driven listens (`src-tauri/src/drill.rs`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

/// No swap takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// A connection to the application.
#[derive(Debug)]
pub struct Drill {
    reader: BufReader<UnixStream>,
}

/// How a swap ended.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Ended {
    /// The new version is confirmed.
    Confirmed {
        /// From the order to its being ready, in milliseconds.
        ready_ms: f64,
        /// From the freeze of the old version to the first frame of the new one, in milliseconds.
        switch_ms: f64,
        /// The bytes of state that went over.
        state_bytes: u32,
        /// The keys that were typed meanwhile.
        replayed_keys: u32,
    },
    /// The old version goes on.
    Reverted {
        /// Why, as the stage named it.
        cause: String,
        /// In technical words.
        detail: String,
    },
}

impl Drill {
    /// Connects to the application with this data folder.
    pub fn connect(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("run/drill.sock");
        let stream = UnixStream::connect(&path).with_context(|| path.display().to_string())?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    /// Swaps a bundle into a place at once, and waits for the end of its trial.
    pub fn swap(&mut self, instance: &str, bundle: &Path, trial: Duration) -> anyhow::Result<Ended> {
        self.swap_as(instance, bundle, trial, false)
    }

    /// The same; `patient`, as an update does, which waits for a pause in the input.
    pub fn swap_as(
        &mut self,
        instance: &str,
        bundle: &Path,
        trial: Duration,
        patient: bool,
    ) -> anyhow::Result<Ended> {
        let trial_ms = u64::try_from(trial.as_millis())?;
        let order = json!({
            "do": "swap", "instance": instance, "bundle": bundle, "trial_ms": trial_ms, "patient": patient
        });
        Ok(serde_json::from_value(self.order(&order)?)?)
    }

    /// Loads a bundle's page into a place, without a swap.
    pub fn load(&mut self, instance: &str, bundle: &Path) -> anyhow::Result<()> {
        self.order(&json!({ "do": "load", "instance": instance, "bundle": bundle }))
            .map(drop)
    }

    /// Tells a widget of events with these numbers.
    pub fn tell(&mut self, instance: &str, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
        let event = |number| json!({ "kind": "event", "topic": "w/moult/probe:number", "data": { "number": number } });
        let news: Vec<Value> = numbers.map(event).collect();
        self.order(&json!({ "do": "news", "instance": instance, "news": news }))
            .map(drop)
    }

    /// Grants a widget a capability.
    pub fn grant(&mut self, widget: &str, capability: &str) -> anyhow::Result<()> {
        self.order(&json!({ "do": "grant", "widget": widget, "capability": capability }))
            .map(drop)
    }

    /// Has all logic rest that nothing happens to.
    pub fn rest(&mut self) -> anyhow::Result<()> {
        self.order(&json!({ "do": "rest" })).map(drop)
    }

    fn order(&mut self, order: &Value) -> anyhow::Result<Value> {
        writeln!(self.reader.get_mut(), "{order}")?;
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .context("the application did not answer")?;
        let answer: Value = serde_json::from_str(&line).with_context(|| format!("answered {line:?}"))?;
        anyhow::ensure!(
            answer.get("failed").is_none(),
            "{order} failed: {}",
            answer["failed"]
        );
        Ok(answer)
    }
}
