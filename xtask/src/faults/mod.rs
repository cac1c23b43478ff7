//! `cargo xtask faults`: the proof that an update can be broken off anywhere. The runs are tests of
//! `moult-tests` (binary `faults`); this command lets them do everything in place of a seeded share, and
//! makes docs/reliability.md from what they wrote down.

mod downloads;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::command::{cargo, command, quiet, root, shown_live};
use crate::report::note;

pub(crate) use page::grouped;

/// What is proved.
#[derive(Subcommand)]
pub(crate) enum Proof {
    /// Lay an installed old version in DIR/template and a repository with a newer one in DIR/repo, for
    /// faults from outside: `moult-drive update --install COPY --repo DIR/repo`, then `moult-drive check`.
    Prepare {
        /// The folder; what this command made there before is replaced.
        folder: PathBuf,
    },
    /// A kill at each change of a file, and a second one at each change of the recovery.
    Kills,
    /// Each change of a file fails: full disk, quota, input and output, open files, no access.
    Errors,
    /// Power cuts: what was not synced is lost, torn or out of order.
    Power,
    /// A thousand updates and rollbacks in a row.
    Cycles,
    /// New versions that crash, hang, end early, lie, or break their own updater.
    Trials,
    /// The points are the same in each run, and are all that strace sees.
    Strace,
    /// Ten thousand downloads from servers that do everything wrong. Writes docs/downloads.md.
    Downloads,
    /// Everything but the downloads. Writes target/faults/report.json and docs/reliability.md.
    All,
    /// Make docs/reliability.md from the runs so far.
    Page,
}

impl Proof {
    /// The modules of the tests that belong to it.
    fn modules(&self) -> &'static [&'static str] {
        match self {
            Self::Kills => &["kills::"],
            Self::Errors => &["errors::"],
            Self::Power => &["power::"],
            Self::Cycles => &["cycles::"],
            Self::Trials => &["bad_trials::"],
            Self::Strace => &["points::", "outside::"],
            Self::All => &[
                "points::",
                "outside::",
                "kills::",
                "errors::",
                "power::",
                "cycles::",
                "bad_trials::",
            ],
            Self::Downloads | Self::Prepare { .. } | Self::Page => &[],
        }
    }
}

/// Runs a proof.
pub(crate) fn run(proof: &Proof) -> Result<()> {
    if let Proof::Prepare { folder } = proof {
        return prepare(folder);
    }
    if matches!(proof, Proof::Downloads) {
        return downloads::run();
    }
    let mut failed = false;
    for module in proof.modules() {
        let arguments = [
            "test",
            "--package",
            "moult-tests",
            "--test",
            "faults",
            "--",
            "--test-threads=1",
            "--nocapture",
        ];
        let mut tests = command(cargo(), &arguments);
        tests.arg(module).env("MOULT_FAULTS", "all");
        // What follows is worth knowing all the same.
        failed |= shown_live(&mut tests).is_err();
    }
    let report = gather()?;
    if matches!(proof, Proof::All | Proof::Page) {
        let page = root().join("docs/reliability.md");
        fs::write(&page, page::page(&report)).with_context(|| page.display().to_string())?;
        note("docs/reliability.md was written");
    }
    if failed {
        bail!("there were failures; they are above and in target/faults/report.json");
    }
    Ok(())
}

fn prepare(folder: &Path) -> Result<()> {
    let folder = std::path::absolute(folder)?;
    let text = folder.to_str().context("the folder's path is no text")?;
    let arguments = [
        "run",
        "--quiet",
        "--package",
        "moult-tests",
        "--bin",
        "moult-drive",
        "--",
        "prepare",
        text,
    ];
    quiet(&mut command(cargo(), &arguments))?;
    let program = target()?.join("debug/moult-drive");
    note(&format!("the program is {}", program.display()));
    Ok(())
}

/// Puts together what the tests of the engine wrote down.
fn gather() -> Result<Value> {
    let folder = target()?.join("faults");
    let parts = folder.join("parts");
    let mut found = serde_json::Map::new();
    let entries = fs::read_dir(&parts).with_context(|| "nothing was run yet".to_owned())?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let part: Value =
            serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
        let name = part["name"].as_str().context("a part without a name")?.to_owned();
        found.insert(name, part);
    }
    let report = json!({ "parts": found });
    fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report)?)?;
    Ok(report)
}

pub(crate) fn target() -> Result<PathBuf> {
    let text = quiet(&mut command(
        cargo(),
        &["metadata", "--format-version=1", "--no-deps"],
    ))?;
    let metadata: Value = serde_json::from_str(&text)?;
    Ok(metadata["target_directory"]
        .as_str()
        .context("no target folder")?
        .into())
}
