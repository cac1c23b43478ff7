//! What each command does, a file per command.

mod inspect;
mod installer;
mod keys_init;
mod patch;
mod publish_app;
mod publish_shell;
mod publish_widget;
mod resign;
mod serve;
mod widget_check;
mod widget_dev;
mod widget_new;
mod widget_pack;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::PublishError;
use crate::cli::{Cli, Command, KeysCommand, PublishCommand, ReleaseArgs, WidgetCommand};
use crate::config::Workspace;
use crate::output::Output;
use crate::release::Terms;

/// What every command is given.
pub(crate) struct Context {
    config: PathBuf,
    pub(crate) now: Timestamp,
    pub(crate) output: Output,
}

/// Runs a command line.
pub fn run(cli: Cli, output: Output) -> Result<(), PublishError> {
    let context = Context {
        config: cli.config,
        now: cli.now.unwrap_or_else(Timestamp::now),
        output,
    };
    match cli.command {
        Command::Keys(KeysCommand::Init(args)) => keys_init::run(&context, &args),
        Command::Publish(PublishCommand::App(args)) => publish_app::run(&context, args),
        Command::Publish(PublishCommand::Shell(args)) => publish_shell::run(&context, args),
        Command::Publish(PublishCommand::Widget(args)) => publish_widget::run(&context, args),
        Command::Resign => resign::run(&context),
        Command::Serve(args) => serve::run(&context, args),
        Command::Inspect(args) => inspect::run(&context, &args),
        Command::Patch(command) => patch::run(&context, &command),
        Command::Widget(WidgetCommand::New(args)) => widget_new::run(&context, args),
        Command::Widget(WidgetCommand::Dev(args)) => widget_dev::run(&context, &args),
        Command::Widget(WidgetCommand::Check(args)) => widget_check::run(&context, &args),
        Command::Widget(WidgetCommand::Pack(args)) => widget_pack::run(&context, &args),
        Command::Installer(args) => installer::run(&context, args),
    }
}

impl Context {
    pub(crate) fn workspace(&self) -> Result<Workspace, PublishError> {
        Workspace::open(&self.config)
    }

    pub(crate) fn terms(&self, args: ReleaseArgs) -> Result<Terms, PublishError> {
        let notes = match args.notes {
            Some(text) => Some(match text.strip_prefix('@') {
                Some(path) => std::fs::read_to_string(path).map_err(|source| PublishError::NotesRead {
                    path: path.into(),
                    source,
                })?,
                None => text,
            }),
            None => None,
        };
        Ok(Terms {
            channel: args.channel,
            notes,
            critical: args.critical,
            now: self.now,
        })
    }
}
