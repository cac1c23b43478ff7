//! The launcher's process: what it is told, what it tells, its exit code. All else is in the library.

// A console would open beside the application.
#![cfg_attr(windows, windows_subsystem = "windows")]
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "where there is no window, this is what a user can read"
)]

use std::process::ExitCode;

use moult_boot::companion;
use moult_boot::launcher::{self, Settings, message};

fn main() -> ExitCode {
    let ending = match Settings::from_process() {
        Ok(settings) if launcher::is_self_test_wished(&settings) => return test(&settings),
        Ok(settings) if settings.arguments == [companion::TAKE_PLACE] => return take_place(),
        Ok(settings) => {
            let ending = launcher::run(&settings);
            // A launcher that waits for this one's place.
            companion::last_act(&settings.install, &settings.data);
            ending
        }
        Err(ending) => ending,
    };
    if let Some(text) = ending.message {
        eprintln!("{text}");
        message::say(&text);
    }
    // What does not fit into an exit code is a failure all the same.
    ExitCode::from(u8::try_from(ending.code).unwrap_or(1))
}

fn take_place() -> ExitCode {
    let own = std::env::current_exe().and_then(std::fs::canonicalize);
    let ended = own
        .map_err(Into::into)
        .and_then(|own| companion::take_place(&own).map_err(Box::<dyn std::error::Error>::from));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
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
