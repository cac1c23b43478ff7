//! The runs: each tool on each pair, one at a time, with every result compared with the file that it
//! should be. It decides what is measured again and what is remembered.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::corpus::{Pair, sha256};
use super::measure::{Cost, Held, cost, held, median};
use super::moult::RUNNER;
use super::record::{Large, Moult, Record, Remembered, Row, elsewhere};
use super::synthetic;
use super::tools::{Paths, Ready, TOOLS, Tool, YARDSTICK};
use crate::report::Steps;

/// How much private writable memory applying a patch may have.
pub(crate) const LIMIT: u64 = 32 << 20;
/// What takes less than this is run three times, and so is every application of a patch.
const SHORT: f64 = 5.0;

/// What all runs need.
pub(crate) struct Bench {
    /// The program with the diff crates.
    pub(crate) peers: PathBuf,
    pub(crate) moult: PathBuf,
    /// Whether peers are measured if they are not remembered.
    pub(crate) peers_too: bool,
    pub(crate) moult_too: bool,
    pub(crate) remembered: Remembered,
    pub(crate) origin: Origin,
}

/// How many of the peers' figures are of this run, and how many of earlier ones on this machine.
#[derive(Clone, Copy, Default)]
pub(crate) struct Origin {
    pub(crate) measured: usize,
    pub(crate) remembered: usize,
}

impl Bench {
    /// All tools on one pair, with a line for each that was run. What failed is a step that failed.
    pub(crate) fn row(&mut self, pair: Pair, steps: &mut Steps) -> Result<Row> {
        let mut tools = BTreeMap::new();
        for tool in TOOLS {
            if let Some(record) = self.tool(tool, &pair, steps)? {
                tools.insert(tool.name, record);
            }
        }
        let mut moult = None;
        if self.moult_too {
            steps.run(&format!("{} Moult", pair.id), || {
                let measured = self.moult(pair.paths())?;
                let told = told(&measured);
                moult = Some(measured);
                Ok(told)
            });
        }
        Ok(Row {
            elsewhere: elsewhere(&pair)?,
            pair,
            tools,
            moult,
        })
    }

    fn tool(&mut self, tool: &Tool, pair: &Pair, steps: &mut Steps) -> Result<Option<Record>> {
        let name = Remembered::name(tool, &tool.version(), pair);
        let known = self.remembered.get(&name).cloned();
        // The measure of the machine is taken in the same run as what is measured with it.
        let anew = tool.name == YARDSTICK && super::targets::is_yardstick(pair);
        if !self.peers_too || (known.is_some() && !anew) {
            self.origin.remembered += usize::from(known.is_some());
            return Ok(known);
        }
        let mut measured = None;
        steps.run(&format!("{} {}", pair.id, tool.name), || {
            let work = work()?;
            let paths = Paths::of(pair.paths(), &work);
            let diff = tool.diff.with(&paths, &self.peers);
            let apply = tool.apply.with(&paths, &self.peers);
            let record = record(&diff, &apply, &paths)?;
            let told = format!("{} bytes, {:.1} s", record.patch, record.diff.seconds);
            measured = Some(record);
            Ok(told)
        });
        if let Some(record) = &measured {
            self.origin.measured += 1;
            self.remembered.put(name, record.clone())?;
        }
        Ok(measured.or(known))
    }

    fn moult(&self, files: [PathBuf; 2]) -> Result<Moult> {
        let work = work()?;
        let paths = Paths::of(files, &work);
        let diff = RUNNER.diff(&self.moult, &paths);
        let apply = RUNNER.apply(&self.moult, &paths);
        let record = record(&diff, &apply, &paths)?;
        let held = limited(&apply, &paths);
        Ok(Moult {
            record,
            held: held.map_err(|error| format!("{error:#}")),
        })
    }

    /// Moult on the large executable. Its patch is kept: making it anew tells nothing as long as Moult's
    /// program is the same.
    pub(crate) fn large(&self) -> Result<Large> {
        let files = synthetic::files()?;
        let paths = Paths::of(files, &work()?);
        let program = sha256(&fs::read(&self.moult)?);
        let kept = super::folder().join("large");
        fs::create_dir_all(&kept)?;
        let (kept_patch, kept_cost) = (kept.join(&program), kept.join(format!("{program}.json")));
        let diff = if let Ok(known) = fs::read(&kept_cost) {
            fs::copy(&kept_patch, &paths.patch)?;
            serde_json::from_slice(&known)?
        } else {
            let diff = cost(&RUNNER.diff(&self.moult, &paths).call(), &notes())?;
            fs::copy(&paths.patch, &kept_patch)?;
            fs::write(&kept_cost, serde_json::to_vec(&diff)?)?;
            diff
        };
        let apply = RUNNER.apply(&self.moult, &paths);
        let record = Record {
            patch: fs::metadata(&paths.patch)?.len(),
            diff,
            apply: applied(&apply, &paths)?,
        };
        let held = limited(&apply, &paths);
        let bytes = fs::metadata(&paths.new)?.len();
        // 300 MB are not left lying about.
        fs::remove_file(&paths.out).or_else(missing)?;
        Ok(Large {
            bytes,
            moult: Moult {
                record,
                held: held.map_err(|error| format!("{error:#}")),
            },
        })
    }
}

/// What a line says of Moult on a pair.
pub(crate) fn told(moult: &Moult) -> String {
    let record = &moult.record;
    let costs = format!(
        "{} bytes, diff {:.1} s and {} MiB, apply {:.2} s",
        record.patch,
        record.diff.seconds,
        record.diff.memory >> 10,
        record.apply.seconds
    );
    match &moult.held {
        Ok(held) => format!("{costs}, {:.1} MiB private", held.anonymous as f64 / 1024.0),
        Err(error) => format!("{costs}\nnot within {} MiB: {error}", LIMIT >> 20),
    }
}

fn record(diff: &Ready, apply: &Ready, paths: &Paths) -> Result<Record> {
    fs::remove_file(&paths.patch).or_else(missing)?;
    let mut costs = vec![cost(&diff.call(), &notes())?];
    let first = fs::metadata(&paths.patch).context("no patch was written")?.len();
    if costs[0].seconds < SHORT {
        for _ in 0..2 {
            costs.push(cost(&diff.call(), &notes())?);
        }
        let last = fs::metadata(&paths.patch)?.len();
        ensure!(
            first == last,
            "the patch had {first} bytes first and {last} later"
        );
    }
    Ok(Record {
        patch: first,
        diff: median(&costs).context("nothing was run")?,
        apply: applied(apply, paths)?,
    })
}

fn applied(apply: &Ready, paths: &Paths) -> Result<Cost> {
    let mut costs = Vec::new();
    for _ in 0..3 {
        fs::remove_file(&paths.out).or_else(missing)?;
        costs.push(cost(&apply.call(), &notes())?);
        same(&paths.out, &paths.new)?;
    }
    median(&costs).context("nothing was run")
}

fn limited(apply: &Ready, paths: &Paths) -> Result<Held> {
    fs::remove_file(&paths.out).or_else(missing)?;
    let held = held(&apply.call(), LIMIT)?;
    same(&paths.out, &paths.new)?;
    Ok(held)
}

fn same(out: &Path, new: &Path) -> Result<()> {
    let rebuilt = fs::read(out).context("applying the patch wrote nothing")?;
    ensure!(
        rebuilt == fs::read(new)?,
        "what the patch rebuilt is not the new file"
    );
    Ok(())
}

fn missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Ok(());
    }
    Err(error)
}

fn work() -> Result<PathBuf> {
    let work = super::folder().join("work");
    fs::create_dir_all(&work)?;
    Ok(work)
}

fn notes() -> PathBuf {
    super::folder().join("time")
}
