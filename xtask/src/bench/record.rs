//! What was measured, and what is remembered of earlier runs: peers don't change, Moult does.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::corpus::Pair;
use super::measure::{Cost, Held};
use super::tools::Tool;
use crate::command::root;

/// One tool on one pair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The size of the patch, or of the compressed file.
    pub(crate) patch: u64,
    pub(crate) diff: Cost,
    pub(crate) apply: Cost,
}

/// Moult on one pair.
#[derive(Clone, Debug)]
pub(crate) struct Moult {
    pub(crate) record: Record,
    /// Under the limit on private memory, or why that failed.
    pub(crate) held: Result<Held, String>,
}

/// All figures of one pair. What was not measured is not there.
pub(crate) struct Row {
    pub(crate) pair: Pair,
    pub(crate) tools: BTreeMap<&'static str, Record>,
    /// Measured on the same files, but not in this run.
    pub(crate) elsewhere: Vec<(String, Record)>,
    pub(crate) moult: Option<Moult>,
}

impl Row {
    /// The smallest patch of any peer, with its name.
    pub(crate) fn best(&self, full: impl Fn(&str) -> bool) -> Option<(&str, u64)> {
        let measured = self.tools.iter().filter(|(name, _)| !full(name));
        let measured = measured.map(|(name, record)| (*name, record.patch));
        let elsewhere = self
            .elsewhere
            .iter()
            .map(|(name, record)| (&**name, record.patch));
        measured.chain(elsewhere).min_by_key(|(_, bytes)| *bytes)
    }
}

/// The large executable, which is there for the memory alone.
pub(crate) struct Large {
    pub(crate) bytes: u64,
    pub(crate) moult: Moult,
}

/// What the peers cost in earlier runs, under names that say what was run on what.
pub(crate) struct Remembered {
    path: PathBuf,
    entries: BTreeMap<String, Record>,
}

impl Remembered {
    /// Reads what is remembered, unless everything is to be measured anew.
    pub(crate) fn load(fresh: bool) -> Result<Self> {
        let path = super::folder().join("peers.json");
        let entries = match fs::read(&path) {
            Ok(bytes) if !fresh => serde_json::from_slice(&bytes)
                .with_context(|| format!("`{}` can't be read; delete it", path.display()))?,
            _ => BTreeMap::new(),
        };
        Ok(Self { path, entries })
    }

    /// A tool of another version, with other words or on other files is another entry.
    pub(crate) fn name(tool: &Tool, version: &str, pair: &Pair) -> String {
        let (diff, apply) = (tool.diff.shown(), tool.apply.shown());
        format!(
            "{} {version} | {diff} | {apply} | {} | {}",
            tool.name, pair.old.sha256, pair.new.sha256
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Record> {
        self.entries.get(name)
    }

    /// Keeps a record at once: a run that is broken off loses nothing.
    pub(crate) fn put(&mut self, name: String, record: Record) -> Result<()> {
        self.entries.insert(name, record);
        let part = self.path.with_extension("part");
        fs::write(&part, serde_json::to_vec_pretty(&self.entries)?)?;
        Ok(fs::rename(&part, &self.path)?)
    }
}

/// Figures of tools that this run can't build: pair, tool, and what a record holds.
const ELSEWHERE: &str = "benchmarks/delta-elsewhere.tsv";

/// The figures of other runs on one pair.
pub(crate) fn elsewhere(pair: &Pair) -> Result<Vec<(String, Record)>> {
    let text = fs::read_to_string(root().join(ELSEWHERE))
        .with_context(|| format!("`{ELSEWHERE}` could not be read"))?;
    let rows = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut found = Vec::new();
    for row in rows {
        let (name, tool, record) =
            parse(row).with_context(|| format!("in `{ELSEWHERE}` this line can't be read: {row}"))?;
        if name == pair.id {
            found.push((tool.to_owned(), record));
        }
    }
    Ok(found)
}

fn parse(row: &str) -> Result<(&str, &str, Record)> {
    let columns: Vec<&str> = row.split('\t').collect();
    let &[pair, tool, patch, diff, diff_memory, apply, apply_memory] = &*columns else {
        bail!("it has {} columns instead of 7", columns.len());
    };
    let cost = |seconds: &str, memory: &str| -> Result<Cost> {
        Ok(Cost {
            seconds: seconds.parse()?,
            memory: memory.parse()?,
        })
    };
    let record = Record {
        patch: patch.parse()?,
        diff: cost(diff, diff_memory)?,
        apply: cost(apply, apply_memory)?,
    };
    Ok((pair, tool, record))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_another_run_is_a_record() {
        let (pair, tool, record) = parse("t1-a\tTool 1.0\t100\t2.5\t64\t0.25\t32").unwrap();
        assert_eq!((pair, tool, record.patch), ("t1-a", "Tool 1.0", 100));
        let diff = Cost {
            seconds: 2.5,
            memory: 64,
        };
        assert_eq!(record.diff, diff);
        assert!(parse("t1-a\tTool 1.0\t100").is_err());
    }
}
