//! Measures swaps of the first-party widgets in the real application: how long they take to the first frame that shows
//! the new version, what they lose, what is seen meanwhile, and what memory they leave behind. A load of the same page
//! is measured beside.
//!
//! `cargo xtask bench swap` runs this and writes the page.

mod logic;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use moult_tests::fixtures::Fixtures;
use moult_tests::swap::{Board, Chance, WIDGETS, model};

use report::{Report, Widget};

/// Memory is looked at this long after the last swap.
const REST: Duration = Duration::from_secs(10);
/// The memory after this many swaps is what that at the end is measured against.
const WARM: u32 = 100;

/// Measures swaps of the first-party widgets
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each widget is swapped
    #[arg(long, default_value_t = 1000)]
    swaps: u32,
    /// How often each widget's page is loaded for comparison
    #[arg(long, default_value_t = 40)]
    loads: u32,
    /// Only these widgets
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// What decides when events come
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the figures go, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/swap/report.json")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("nothing was measured: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let fixtures = Fixtures::ensure(&mut |what| say(what))?;
    let mut report = Report {
        logic: logic::measure(&fixtures, arguments.swaps)?,
        ..Report::default()
    };
    say(&format!("logic: {} swaps", report.logic.len()));
    let mut board = runtime.block_on(Board::open(&fixtures))?;
    for (name, _) in WIDGETS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == name) {
            continue;
        }
        let widget = runtime.block_on(one(&mut board, name, arguments));
        report
            .widgets
            .push(widget.map_err(|error| error.context(board.tail()))?);
        report.write(&arguments.out)?;
    }
    Ok(())
}

/// Swaps one widget so often.
async fn one(board: &mut Board, name: &'static str, arguments: &Arguments) -> anyhow::Result<Widget> {
    let mut chance = Chance(arguments.seed);
    let mut widget = Widget::new(name);
    // A key for every 150 ms or so, which is about two in each swap.
    let typed = model::typed(name, arguments.swaps as usize * 2);
    let mut typing = match model::field(name) {
        Some(field) => {
            board.focus(name, field).await?;
            let most = f64::from(arguments.swaps) * 260.0 / typed.len().max(1) as f64;
            Some(
                board
                    .display()
                    .begin_typing(&typed, most.clamp(40.0, 400.0) as u32)?,
            )
        }
        None => None,
    };
    let begun = Instant::now();
    for number in 0..arguments.swaps {
        let version = (number as usize + 1) % 2;
        let swap = board
            .swap(name, version, &typed, &mut chance)
            .with_context(|| format!("swap {number}"))?;
        if swap.fault.is_some() || swap.astray > 0 || swap.gone_ms > 0.0 {
            let fault: String = swap
                .fault
                .iter()
                .flat_map(|fault| fault.chars())
                .take(200)
                .collect();
            let (gone, astray) = (swap.gone_ms, swap.astray);
            say(&format!(
                "{name} {number}: gone {gone:.0} ms, {astray} astray, {fault}"
            ));
        }
        widget.swaps.push(swap);
        if number + 1 == WARM.min(arguments.swaps) {
            tokio::time::sleep(REST).await;
            widget.warm_kib = board.memory_kib();
        }
    }
    widget.seconds = begun.elapsed().as_secs_f64();
    tokio::time::sleep(REST).await;
    widget.end_kib = board.memory_kib();
    if let Some(typing) = &mut typing {
        let ended = typing.wait()?;
        anyhow::ensure!(ended.success(), "the typing broke off");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let state = board.state(name)?;
        let field = if name == "notes" { "body" } else { "draft" };
        widget.typed = typed.len();
        if state["widget"][field] == model::whole(name, &typed).as_str() {
            widget.arrived = typed.len();
        }
    }
    for number in 0..arguments.loads {
        let version = (arguments.swaps as usize + number as usize + 1) % 2;
        match board.load(name, version) {
            Ok(load) => widget.loads.push(load),
            Err(error) => say(&format!("{name}, load {number}: {error:#}")),
        }
    }
    say(&widget.told());
    Ok(widget)
}

#[expect(clippy::print_stderr, reason = "what a person watches while it runs")]
fn say(text: &str) {
    eprintln!("{text}");
}
