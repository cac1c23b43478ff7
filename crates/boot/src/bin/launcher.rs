//! The launcher's process: what it is told, what it tells, its exit code. All else is in the library.

// A console would open beside the application.
#![cfg_attr(windows, windows_subsystem = "windows")]
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "where there is no window, this is what a user can read"
)]

use std::process::ExitCode;

use moult_boot::launcher::{self, Settings, message};

fn main() -> ExitCode {
    let ending = match Settings::from_process() {
        Ok(settings) if launcher::is_self_test_wished(&settings) => return test(&settings),
        Ok(settings) => launcher::run(&settings),
        Err(ending) => ending,
    };
    if let Some(text) = ending.message {
        eprintln!("{text}");
        message::say(&text);
    }
    // What does not fit into an exit code is a failure all the same.
    ExitCode::from(u8::try_from(ending.code).unwrap_or(1))
}

fn test(settings: &Settings) -> ExitCode {
    match launcher::self_test(settings) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
