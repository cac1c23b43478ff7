//! Measures what a person sees of a restart into a new version: for how long there is no window, how long it
//! takes until the board can be used, and whether what was typed is kept. The hand-over beside a plain end and
//! start of the same build, on a bare display and under a small window manager.
//!
//! `cargo xtask bench restart` runs this and writes the page.

mod report;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use moult_tests::fixtures::Fixtures;

use report::Report;
use run::{Place, Way};

/// Measures the restart into a new version
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Where the figures go, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/restart/report.json")]
    out: PathBuf,
    /// Only there
    #[arg(long, value_name = "PLACE")]
    only: Option<Place>,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            fail(&error);
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let fixtures = Fixtures::ensure(&mut |what| say(what))?;
    let folder = arguments
        .out
        .parent()
        .context("the figures need a folder")?
        .to_owned();
    let mut report = Report::default();
    for place in [Place::Bare, Place::Managed] {
        if arguments.only.is_some_and(|only| only != place) {
            continue;
        }
        for way in [Way::HandOver, Way::Typing, Way::StopAndStart] {
            for number in 1..=arguments.runs {
                say(&format!("{way:?} {place:?} {number}"));
                let run = runtime.block_on(run::measure(&fixtures, way, place, number, &folder))?;
                say(&format!("{run:?}"));
                report.runs.push(run);
            }
        }
    }
    report.write(&arguments.out)
}

#[expect(clippy::print_stderr, reason = "what a person watches while it runs")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stderr, reason = "the last word of a program for a terminal")]
fn fail(error: &anyhow::Error) {
    eprintln!("nothing was measured: {error:#}");
}
