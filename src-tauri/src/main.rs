//! The application's executable. Says which version it is, and leaves the rest to the library.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

/// The version of this build: named by the release, else that of the package.
const VERSION: &str = match option_env!("MOULT_APP_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// A fault that a build can be given on purpose, so that going back is tried with a real executable.
const FAULT: Option<&str> = option_env!("MOULT_APP_FAULT");

fn main() -> ExitCode {
    match FAULT {
        Some("crash-at-start") => std::process::abort(),
        Some("hang-at-start") => loop {
            std::thread::park();
        },
        _ => moult_app::run(VERSION),
    }
}
