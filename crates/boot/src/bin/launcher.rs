//! The launcher's process: what it is told, what it tells, its exit code. All else is in the library.

#![expect(
    clippy::print_stderr,
    reason = "where there is no window, standard error is what a user can read"
)]

use std::process::ExitCode;

use moult_boot::launcher::{self, Settings};

fn main() -> ExitCode {
    let ending = match Settings::from_process() {
        Ok(settings) => launcher::run(&settings),
        Err(ending) => ending,
    };
    if let Some(message) = ending.message {
        eprintln!("{message}");
    }
    // What does not fit into an exit code is a failure all the same.
    ExitCode::from(u8::try_from(ending.code).unwrap_or(1))
}
