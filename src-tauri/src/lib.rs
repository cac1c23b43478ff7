//! The composition root: it joins the engine, the store and the windows, and decides nothing itself.
//!
//! - [`build`]: what the executable was born with.
//! - [`places`]: the folders, and what the launcher told this start.
//! - [`records`]: settings, board, grants and widget state on disk; [`kept`]: what a newer version wrote there.
//! - [`loads`] and [`protocol`]: bundles that are loaded into frames, and how their files are served.
//! - [`logic`]: the logic of the widgets on the board; [`live`]: which of two versions may act.
//! - [`stage`]: orders to the stage page and what comes back.
//! - [`host`]: what the update engine asks of the application; [`swaps`]: what each place on the board is told then.
//! - [`developer`]: unsigned widgets of who writes them, while a switch is on.
//! - [`commands`]: the only five commands that the stage page has.
//! - [`overview`]: the picture that the shell draws; [`not_tried`]: what the launcher adds to it.
//! - [`companions`]: the programs beside the application that a build brings along.
//! - [`health`] and [`fitness`]: painted, alive, confirmed.
//! - `fonts`: the font that all pages share, where that is needed.
//! - [`heartbeat`], [`blame`] and [`revival`]: the stage is lost, whose fault it is, and how it comes back; [`web_process`]: what they end.
//! - [`frame_watch`]: what runs in every frame before its bundle does; [`presses`]: what the user pressed.
//! - [`window`]: the main window; [`stacking`]: how it lies under another one until it is ready, on each system.
//! - [`writing`]: the right to write, and what is open only with it.
//! - [`hand_over`] and [`take_over`]: a running process and its successor; [`local_api`]: what both serve in turn.

mod app;
mod blame;
mod build;
mod commands;
mod companions;
mod developer;
#[cfg(all(unix, debug_assertions))]
mod drill;
mod figures;
mod fitness;
#[cfg(target_os = "linux")]
mod fonts;
mod frame_watch;
mod hand_over;
mod health;
mod heartbeat;
mod host;
#[cfg(test)]
mod info_plist;
mod kept;
mod live;
mod loads;
mod local_api;
mod log;
mod logic;
mod not_tried;
mod overview;
mod places;
mod powers;
mod presses;
mod prompt;
mod protocol;
mod records;
mod report;
mod revival;
mod stacking;
mod stage;
mod swaps;
mod take_over;
mod web_process;
mod window;
mod writing;

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
