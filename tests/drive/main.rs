//! One update by the real engine, store, trust client and launcher code, without a window: for faults
//! that are injected from inside (`MOULT_FAULT`) and from outside (strace).
//!
//! `update` is one process with one thread and no child, so its calls are the same from run to run.
//! `check` starts the real launcher as a process of its own. What a variable says about faults is read
//! here and nowhere in the product.

mod application;
mod check;
mod faults;
mod installation;
mod prepare;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::installation::Installation;

/// One update by the real engine, store and launcher, without a window.
#[derive(Parser)]
#[command(name = "moult-drive", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lay an installed old version in DIR/template and a repository with a newer one in DIR/repo; one that
    /// has made its first check in DIR/template-used, and a repository whose newer one is taken back in
    /// DIR/repo-crashing.
    Prepare {
        /// The folder; what this command made there before is replaced.
        folder: PathBuf,
    },
    /// One update, from the start of the old version to the end of the new one. `MOULT_DRIVE_LIFE` says
    /// how the new one does (good, crashing, go-back), `MOULT_FAULT` what happens at which change of a
    /// file (kill@N, enospc@N, enospc+@N, eio, edquot, emfile, eacces; log=FILE, snapshots=DIR,
    /// record=DIR), separated by commas.
    Update(Places),
    /// Let recovery run. Ends well only if the old or the new version starts, its state can be read, the
    /// next check and update succeed, and nothing outside the data folder changed.
    Check(Places),
}

#[derive(Args)]
struct Places {
    /// The folder of the installed version; its data is in `data` there.
    #[arg(long, value_name = "DIR")]
    install: PathBuf,
    /// The folder of the repository.
    #[arg(long, value_name = "DIR")]
    repo: PathBuf,
    /// The channel that is followed, if not the one in the settings.
    #[arg(long, value_name = "NAME")]
    channel: Option<moult_model::Channel>,
}

impl Places {
    fn installation(&self) -> anyhow::Result<Installation> {
        Installation::open(&self.install, &self.repo, self.channel.clone())
    }
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Prepare { folder } => prepare::prepare(&folder).map(|()| 0),
        Command::Update(places) => places
            .installation()
            .and_then(|installation| update::update_as_told(&installation)),
        Command::Check(places) => places
            .installation()
            .and_then(|installation| check::check(&installation).map(|()| 0)),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(update::LOST)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place where this program speaks")]
fn say(text: &str) {
    eprintln!("moult-drive: {text}");
}
