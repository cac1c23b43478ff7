//! What each command does, a file per command.

mod explain;
mod inspect;
mod installer;
mod keys_encrypt;
mod keys_init;
mod keys_list;
mod keys_publishers;
mod keys_rotate;
mod offering;
mod patch;
mod publish_all;
mod publish_app;
mod publish_shell;
mod publish_widget;
mod recall;
mod resign;
mod rollout_show;
mod serve;
mod sign;
mod sign_service;
mod stores;
mod supply;
mod upkeep;
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
use crate::progress::Progress;
use crate::release::{self, Artifact, Published, Terms};

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
        Command::Keys(KeysCommand::List(args)) => keys_list::run(&context, &args),
        Command::Keys(KeysCommand::Rotate(args)) => keys_rotate::run(&context, &args),
        Command::Keys(KeysCommand::AddPublisher(args)) => keys_publishers::add(&context, &args),
        Command::Keys(KeysCommand::RevokePublisher(args)) => keys_publishers::revoke(&context, &args),
        Command::Keys(KeysCommand::Encrypt) => keys_encrypt::run(&context),
        Command::Sign(args) => sign::run(&context, &args),
        Command::SignService(args) => sign_service::run(&context, &args),
        Command::Publish(PublishCommand::All(args)) => publish_all::run(&context, args),
        Command::Publish(PublishCommand::App(args)) => publish_app::run(&context, args),
        Command::Publish(PublishCommand::Shell(args)) => publish_shell::run(&context, args),
        Command::Publish(PublishCommand::Widget(args)) => publish_widget::run(&context, args),
        Command::Resign => resign::run(&context),
        Command::Serve(args) => serve::run(&context, args),
        Command::Explain(args) => explain::run(&context, &args),
        Command::Inspect(args) => inspect::run(&context, &args),
        Command::Patch(command) => patch::run(&context, &command),
        Command::Widget(WidgetCommand::New(args)) => widget_new::run(&context, args),
        Command::Widget(WidgetCommand::Dev(args)) => widget_dev::run(&context, &args),
        Command::Widget(WidgetCommand::Check(args)) => widget_check::run(&context, &args),
        Command::Widget(WidgetCommand::Pack(args)) => widget_pack::run(&context, &args),
        Command::Init(args) => supply::init(&context, &args),
        Command::Promote(args) => offering::promote(&context, &args),
        Command::Rollout(command) => offering::rollout(&context, &command),
        Command::Recall(args) => recall::run(&context, &args),
        Command::Push(args) => stores::push(&context, &args),
        Command::Pull(args) => stores::pull(&context, &args),
        Command::Verify(args) => upkeep::verify(&context, &args),
        Command::Prune(args) => upkeep::prune(&context, &args),
        Command::DiffReport(args) => upkeep::diff_report(&context, &args),
        Command::Doctor(args) => upkeep::doctor(&context, &args),
        Command::Sbom(command) => supply::sbom(&context, &command),
        Command::Completions(args) => supply::completions(&context, &args),
        Command::Man(args) => supply::man(&context, &args),
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
            offer: args.offer,
            extent: args.extent,
            now: self.now,
        })
    }

    /// Releases one artifact and says so.
    pub(crate) fn publish(
        &self,
        workspace: &Workspace,
        artifacts: &[Artifact],
        terms: &Terms,
    ) -> Result<(), PublishError> {
        let progress = Progress::on_terminal();
        let published = release::publish(workspace, artifacts, terms, &progress);
        drop(progress);
        match self.told(published)?.one() {
            Ok(one) => self.output.report(&one),
            Err(published) => self.output.report(&published),
        }
    }

    /// What broke the rules is told place by place; the error itself says only how much it was.
    pub(crate) fn told(&self, published: Result<Published, PublishError>) -> Result<Published, PublishError> {
        if let Err(PublishError::Gate(error)) = &published
            && !self.output.is_json()
        {
            let lines: Vec<_> = error.faults().iter().map(ToString::to_string).collect();
            if !lines.is_empty() {
                self.output.print(&lines.join("\n"))?;
            }
        }
        published
    }
}
