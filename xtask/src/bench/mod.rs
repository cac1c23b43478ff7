//! `cargo xtask bench delta`: Moult's patches and those of other tools, on the same real releases, in one
//! run; every patch is applied and its result compared. The page that it writes is docs/benchmarks/delta.md.

mod check;
mod corpus;
mod measure;
mod moult;
mod page;
mod record;
mod restart;
mod runs;
mod swap;
mod synthetic;
mod tar;
mod targets;
mod tools;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::command::{cargo, command, root, shown_live};
use crate::report::{Steps, heading, note};
use record::{Remembered, Row};
use runs::{Bench, Origin};

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// Patches: their size, and what making and applying them costs, against other tools.
    Delta(Options),
    /// A check for updates: requests and bytes, with many publishers, widgets and releases, beside other feeds.
    Check,
    /// The restart into a new version: how long there is no window, and whether what is typed is kept.
    Restart(restart::Options),
    /// Swaps of the first-party widgets: how long they take, what they lose, what is seen, what memory they leave.
    Swap(swap::Options),
}

#[derive(Args)]
pub(crate) struct Options {
    /// Only these pairs, separated by commas: `t3-esbuild-elf` or `t3`, and `large` for the 300 MB
    /// executable. The page is not written.
    #[arg(long, value_name = "PAIRS", value_delimiter = ',')]
    only: Vec<String>,
    /// Which of the other tools are measured. What is remembered of them is shown in any case.
    #[arg(long, default_value = "all")]
    peers: Peers,
    /// Moult only, and without the 300 MB executable.
    #[arg(long)]
    quick: bool,
    /// Measure the other tools anew, also those that are remembered.
    #[arg(long, conflicts_with = "quick")]
    fresh: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Peers {
    /// Moult only.
    None,
    /// All tools and Moult.
    All,
    /// All tools without Moult, to be remembered.
    Only,
}

/// What the large executable is called among the pairs.
const LARGE: &str = "large";

/// Where downloads, builds and what is remembered lie.
fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Runs a program of `moult-tests` that measures the real application, with its words as they come.
fn measure(program: &str, options: &[&str], report: &str) -> Result<String> {
    let tool = [
        "run",
        "--quiet",
        "--package",
        "moult-tests",
        "--bin",
        program,
        "--",
    ];
    let mut command = command(cargo(), &[&tool[..], options].concat());
    shown_live(command.arg("--out").arg(root().join(report)))?;
    Ok(String::new())
}

/// Runs what was asked for.
pub(crate) fn run(subject: &Subject) -> Result<()> {
    let options = match subject {
        Subject::Delta(options) => options,
        Subject::Check => return check::run(),
        Subject::Restart(options) => return restart::run(options),
        Subject::Swap(options) => return swap::run(options),
    };
    fs::create_dir_all(folder())?;
    let large_too = options.only.iter().any(|name| name == LARGE) || options.only.is_empty();
    let pairs = corpus::pairs(&options.only)?;
    let peers_too = options.peers != Peers::None && !options.quick;
    let moult_too = options.peers != Peers::Only || options.quick;

    let mut steps = Steps::default();
    heading("Setup");
    steps.run("tools", tools::check);
    let (mut peers, mut program) = (PathBuf::new(), PathBuf::new());
    if peers_too {
        steps.run("build the peers", || {
            peers = tools::build_peers()?;
            Ok(String::new())
        });
    }
    if moult_too {
        steps.run("build Moult", || {
            program = moult::RUNNER.build()?;
            Ok(String::new())
        });
    }
    for pair in &pairs {
        steps.run(&format!("fetch {}", pair.id), || pair.fetch());
    }
    if !steps.passed() {
        note("nothing was measured");
        return steps.end();
    }

    heading("Measure");
    let mut bench = Bench {
        peers,
        moult: program,
        peers_too,
        moult_too,
        remembered: Remembered::load(options.fresh)?,
        origin: Origin::default(),
    };
    let mut rows = Vec::new();
    for pair in pairs {
        rows.push(bench.row(pair, &mut steps)?);
    }
    let mut large = None;
    if moult_too && !options.quick && large_too {
        steps.run("300 MB executable", || {
            let measured = bench.large()?;
            let told = runs::told(&measured.moult);
            large = Some(measured);
            Ok(told)
        });
    }

    heading("Targets");
    let targets = targets::all(&rows, large.as_ref());
    for target in &targets {
        note(&target.line());
    }
    if !options.only.is_empty() {
        note("the page was not written: pairs were left out");
    } else if let Some(hole) = hole(&rows) {
        note(&format!("the page was not written: {hole}"));
    } else {
        page::write(&rows, large.as_ref(), &targets, bench.origin)?;
        note(&format!("written to {}", page::PATH));
    }
    steps.end()
}

/// What is missing for a whole page.
fn hole(rows: &[Row]) -> Option<String> {
    rows.iter().find_map(|row| {
        let missing = tools::TOOLS
            .iter()
            .find(|tool| !row.tools.contains_key(tool.name));
        match (missing, &row.moult) {
            (Some(tool), _) => Some(format!("{} was not measured on {}", tool.name, row.pair.id)),
            (None, None) => Some(format!("Moult was not measured on {}", row.pair.id)),
            (None, Some(_)) => None,
        }
    })
}
