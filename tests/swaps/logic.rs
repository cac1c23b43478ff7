//! A swap of logic: how long the widget is without any, in the real pool with its real child process.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use moult_model::stage::SavedState;
use moult_sandbox::logic::cache::Cache;
use moult_sandbox::logic::pool::{CallNumber, Key, Listener, Pool, Spec};
use moult_sandbox::logic::{Fault, Limits};
use moult_tests::fixtures::Fixtures;
use serde::Serialize;
use serde_json::{Value, json};

/// The two versions that take turns.
const VERSIONS: [&str; 2] = ["counter-1.0.0", "counter-1.1.0"];

/// One swap. Lengths are in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LogicSwap {
    /// From the order until the new version runs beside the old one, from compiled code. The old one answers meanwhile.
    start_ms: f64,
    /// From the freeze until the new version has the old one's last state: nobody answers.
    switch_ms: f64,
}

/// Hears nothing: this logic says nothing unasked.
struct Deaf;

impl Listener for Deaf {
    fn call(&self, _: &Key, _: CallNumber, _: &str, _: Value) {}
    fn said(&self, _: &Key, _: Value) {}
    fn logged(&self, _: &Key, _: &str) {}
    fn snapshot(&self, _: &Key, _: &SavedState) {}
    fn restarted(&self, _: &Key) {}
    fn failed(&self, _: &Key, _: &Fault, _: bool) {}
}

/// Swaps logic so often. Each version counts, and the next must go on from there.
pub(crate) fn measure(fixtures: &Fixtures, swaps: u32) -> anyhow::Result<Vec<LogicSwap>> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::open(&folder.path().join("logic"))?;
    let pool = Pool::new(fixtures.sandbox(), Some(cache), Box::new(Deaf))?;
    let specs = VERSIONS
        .map(|version| -> anyhow::Result<Spec> {
            let path = fixtures.widget(version).join("logic.wasm");
            let component = fs::read(&path).with_context(|| path.display().to_string())?;
            Ok(Spec {
                component: Arc::from(component),
                limits: Limits::default(),
                settings: json!({}),
                state: None,
                schema: 2,
            })
        })
        .into_iter()
        .collect::<anyhow::Result<Vec<_>>>()?;
    let key = |number: u32| Key {
        publisher: "moult".to_owned(),
        instance: format!("counter-1:{number}"),
    };
    // Warms the cache, which a download does in use.
    for (number, spec) in [u32::MAX - 1, u32::MAX].into_iter().zip(&specs) {
        pool.start(key(number), spec.clone())?;
        pool.stop(&key(number));
    }
    pool.start(key(0), specs[0].clone())?;
    let count = json!({ "do": "count" });
    let mut measured = Vec::new();
    for number in 0..swaps {
        let (old, new) = (key(number), key(number + 1));
        anyhow::ensure!(
            pool.handle(&old, count.clone())? == json!(number * 2 + 1),
            "before swap {number}"
        );
        let begun = Instant::now();
        let spec = Spec {
            state: Some(pool.snapshot(&old)?),
            ..specs[(number as usize + 1) % 2].clone()
        };
        pool.start(new.clone(), spec)?;
        let start_ms = begun.elapsed().as_secs_f64() * 1000.0;
        // The old one goes on until the switch.
        anyhow::ensure!(
            pool.handle(&old, count.clone())? == json!(number * 2 + 2),
            "in swap {number}"
        );
        let begun = Instant::now();
        pool.restore(&new, pool.snapshot(&old)?)?;
        let switch_ms = begun.elapsed().as_secs_f64() * 1000.0;
        pool.stop(&old);
        measured.push(LogicSwap { start_ms, switch_ms });
    }
    Ok(measured)
}
