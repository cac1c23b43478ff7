//! `simulate --clients N --seed N --page FILE`: a week of so many computers, and the page about it. See `cargo xtask simulate`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

mod fleet;

use std::process::ExitCode;
use std::time::Instant;

use fleet::{Options, page, simulate};

fn main() -> ExitCode {
    let mut options = Options {
        clients: 1_000_000,
        seed: 1,
        asks_always: false,
    };
    let mut page: Option<String> = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let is_known = match name.as_str() {
            "--clients" => value.parse().map(|count| options.clients = count).is_ok(),
            "--seed" => value.parse().map(|seed| options.seed = seed).is_ok(),
            "--page" => {
                page = Some(value.clone());
                true
            }
            _ => false,
        };
        if !is_known {
            eprintln!("error: `{name} {value}` is not understood\nhint: --clients N --seed N --page FILE");
            return ExitCode::FAILURE;
        }
    }
    let begun = Instant::now();
    let figures = simulate(options);
    let text = page::page(&figures);
    println!("{text}");
    eprintln!(
        "{} computers in {:.0} s",
        options.clients,
        begun.elapsed().as_secs_f64()
    );
    if let Some(path) = page
        && let Err(error) = moult_durable::write_atomic(path.as_ref(), text.as_bytes())
    {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    if figures.waves.iter().all(page::is_met) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: a wave is not what was asked for");
    ExitCode::FAILURE
}
