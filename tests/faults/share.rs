//! How much is done, and what is written down of it.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

/// With `all` in this variable everything is done, with a number so many times the seeded share, else the
/// seeded share.
const VARIABLE: &str = "MOULT_FAULTS";
/// The seed of the share. Any number will do; the same one gives the same share.
const SEED: u64 = 20_260_704;

/// Whether everything is to be done.
pub(crate) fn is_all() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == "all")
}

/// So many times the share is done.
pub(crate) fn factor() -> usize {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    text.parse().unwrap_or(1)
}

/// All of the items, or about `count` of them, spread over the whole and chosen by the seed.
pub(crate) fn share<T>(items: Vec<T>, count: usize) -> Vec<T> {
    let count = count.saturating_mul(factor());
    if is_all() || items.len() <= count {
        return items;
    }
    let all = items.len();
    let mut random = SEED;
    // One of each stretch of equal length.
    let chosen: Vec<usize> = (0..count)
        .map(|stretch| {
            let (begin, end) = (stretch * all / count, (stretch + 1) * all / count);
            begin + next(&mut random) as usize % (end - begin)
        })
        .collect();
    let mut place = 0;
    items
        .into_iter()
        .filter(|_| {
            place += 1;
            chosen.binary_search(&(place - 1)).is_ok()
        })
        .collect()
}

/// The generator known as splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Works on each item, as many at once as there are processors. The results keep the items' order.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (turn, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..processors.min(items.len()) {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = turn.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let result = work(item);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What a test did, to be written down.
pub(crate) struct Report {
    name: &'static str,
    begin: Instant,
    figures: Map<String, Value>,
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn begin(name: &'static str) -> Self {
        Self {
            name,
            begin: Instant::now(),
            figures: Map::new(),
            failures: Vec::new(),
        }
    }

    /// Notes a figure.
    pub(crate) fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Notes what did not come out as it must.
    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// Notes the failures among these outcomes, each with a name.
    pub(crate) fn judge<N: std::fmt::Display>(
        &mut self,
        outcomes: impl IntoIterator<Item = (N, anyhow::Result<()>)>,
    ) {
        for (name, outcome) in outcomes {
            if let Err(error) = outcome {
                self.fail(format!("{name}: {error:#}"));
            }
        }
    }

    /// Writes it down, and fails if there were failures.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let folder = folder()?.join("parts");
        std::fs::create_dir_all(&folder)?;
        let report = json!({
            "name": self.name,
            "all": is_all(),
            "seconds": self.begin.elapsed().as_secs(),
            "figures": self.figures,
            "failures": self.failures,
        });
        let path = folder.join(format!("{}.json", self.name));
        moult_durable::write_atomic(&path, &serde_json::to_vec_pretty(&report)?)?;
        let first: Vec<_> = self.failures.iter().take(20).map(String::as_str).collect();
        anyhow::ensure!(
            self.failures.is_empty(),
            "{} failures, of which the first are:\n{}",
            self.failures.len(),
            first.join("\n")
        );
        Ok(())
    }
}

/// Where reports and what is worked on are: `faults` in the target folder.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_moult-drive"));
    let target = program.ancestors().nth(2).context("no target folder")?;
    Ok(target.join("faults"))
}
