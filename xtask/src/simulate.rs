//! `cargo xtask simulate`: a week of a million computers, and the page docs/scale.md. The simulation is an example of
//! `moult-update`, since it runs that crate's own decisions; this builds it and starts it.

use anyhow::Result;
use clap::Args;

use crate::command::{cargo, command, root, shown_live};
use crate::report::note;

/// Where the page is written, in the workspace.
const PAGE: &str = "docs/scale.md";
/// How many computers the page is about.
const MILLION: u32 = 1_000_000;

#[derive(Args)]
pub(crate) struct Options {
    /// How many computers. With any other number than a million the page is only printed.
    #[arg(long, default_value_t = MILLION)]
    clients: u32,
    /// The same seed gives the same week.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Simulates. Fails if a wave is not what was asked for.
pub(crate) fn run(options: &Options) -> Result<()> {
    let build = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "moult-update",
        "--example",
        "simulate",
        "--",
    ];
    let mut simulate = command(cargo(), &build);
    simulate.args(["--clients", &options.clients.to_string()]);
    simulate.args(["--seed", &options.seed.to_string()]);
    if options.clients == MILLION {
        simulate.arg("--page").arg(root().join(PAGE));
    }
    note("some minutes, on one processor");
    shown_live(&mut simulate)
}
