//! The composition root: it joins the engine, the store and the windows, and decides nothing itself.
//!
//! - [`build`]: what the executable was born with.
//! - [`places`]: the folders, and what the launcher told this start.
//! - [`records`]: settings, board, grants and widget state on disk.
//! - [`loads`] and [`protocol`]: bundles that are loaded into frames, and how their files are served.
//! - [`stage`]: orders to the stage page and what comes back.
//! - [`host`]: what the update engine asks of the application.
//! - [`commands`]: the only five commands that the stage page has.
//! - [`overview`]: the picture that the shell draws.
//! - [`health`]: painted, alive, confirmed.
//! - [`window`]: the main window.

mod app;
mod build;
mod commands;
mod figures;
mod health;
mod host;
mod loads;
mod log;
mod overview;
mod places;
mod prompt;
mod protocol;
mod records;
mod report;
mod stage;
mod window;

use std::process::ExitCode;

/// Runs the application until it ends. `version` is that of this build.
pub fn run(version: &str) -> ExitCode {
    match app::run(version) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not start");
            eprintln_once(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the log may be the very thing that could not be opened"
)]
fn eprintln_once(error: &anyhow::Error) {
    eprintln!("Moult could not start: {error:#}. Nothing was changed.");
}
