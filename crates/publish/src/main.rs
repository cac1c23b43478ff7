//! `moult`: reads the command line, runs it, and turns errors into texts and exit codes.

use std::process::ExitCode;

use clap::Parser as _;
use moult_publish::cli::Cli;
use moult_publish::output::Output;
use moult_publish::patch_file::PatchError;
use moult_publish::{PublishError, commands};

/// What the command was given can't be done.
const USERS_MISTAKE: u8 = 1;
/// Ctrl+C, as shells tell it.
const INTERRUPTED: u8 = 130;
/// The program or the system failed.
const OUR_FAILURE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to do when the streams are closed.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(USERS_MISTAKE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let output = Output::new(cli.json);
    match commands::run(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(if matches!(error, PublishError::Patch(PatchError::Interrupted)) {
                INTERRUPTED
            } else if error.is_users_mistake() {
                USERS_MISTAKE
            } else {
                OUR_FAILURE
            })
        }
    }
}
