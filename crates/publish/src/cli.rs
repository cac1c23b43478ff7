//! The command line: names, options and their help. What a command does is in [`crate::commands`].

mod installer;
mod keys;
mod offering;
mod repository;
mod supply;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use moult_model::{Channel, Digest, Subject, Version, WidgetId};

use crate::config;
use crate::widget::new::Template;
pub use installer::InstallerArgs;
pub use keys::{KeysCommand, KeysListArgs, KeysRotateArgs, PublisherArgs, SignArgs, SignServiceArgs};
pub use offering::{
    HaltArgs, OfferArgs, PlanArgs, PromoteArgs, RecallArgs, ResumeArgs, RolloutCommand, RolloutSetArgs,
    RolloutShowArgs, SubjectArgs,
};
pub use repository::{DiffReportArgs, DoctorArgs, PruneArgs, PullArgs, PushArgs, VerifyArgs};
pub use supply::{CompletionsArgs, ManArgs, SbomArgs, SbomCheckArgs, SbomCommand, SetupArgs};

/// Publishes Moult's app, shell and widgets as signed static files
#[derive(Debug, Parser)]
#[command(name = "moult", version, max_term_width = 100)]
pub struct Cli {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = config::FILE_NAME)]
    pub config: PathBuf,
    /// Print the result as one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// The time to publish at, RFC 3339: the same input and time give the same bytes
    #[arg(long, global = true, value_name = "TIME", hide = true)]
    pub now: Option<Timestamp>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, list, replace and close the signing keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Publish a release: pack it, make patches from older releases, sign
    #[command(subcommand)]
    Publish(PublishCommand),
    /// Sign anew what expires soon: run it at least every few days
    Resign,
    /// Sign what waits for the keys of this computer, and publish it when all have signed
    Sign(SignArgs),
    /// Sign for the online roles alone, for callers on this computer that have a token
    SignService(SignServiceArgs),
    /// Serve the repository on this computer, as a CDN does
    Serve(ServeArgs),
    /// Say what a file or folder is: bundle, patch, full file, repository, keys
    Inspect(InspectArgs),
    /// Say why an installed Moult has the versions it has
    Explain(ExplainArgs),
    /// Make, apply and look into a patch between any two files
    #[command(subcommand)]
    Patch(PatchCommand),
    /// Write a widget: begin one, see it run while you write, look it over, pack it
    #[command(subcommand)]
    Widget(WidgetCommand),
    /// Write the configuration: asks, or takes everything from its options
    Init(SetupArgs),
    /// Offer a release that is out on another channel: the same bytes
    Promote(PromoteArgs),
    /// Say who gets a release that is out, and when
    #[command(subcommand)]
    Rollout(RolloutCommand),
    /// Withdraw a release: those who have it go back
    Recall(RecallArgs),
    /// Bring the store up to the repository's folder
    Push(PushArgs),
    /// Bring the repository's folder up to the store
    Pull(PullArgs),
    /// Replay every way from each release to the newest ones
    Verify(VerifyArgs),
    /// Drop releases and files that nobody may ask for any more
    Prune(PruneArgs),
    /// Say why the patch between two releases is so big
    DiffReport(DiffReportArgs),
    /// Say what is wrong, or soon will be
    Doctor(DoctorArgs),
    /// Bills of materials: what the releases are made of
    #[command(subcommand)]
    Sbom(SbomCommand),
    /// Print what a shell needs to complete the commands
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// Make installers: AppImage, deb, rpm, snap, NSIS, MSI, dmg
    Installer(InstallerArgs),
}

/// `keys init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Make a new repository although the keys have signed another one; clients that know the
    /// other refuse it
    #[arg(long)]
    pub new_repository: bool,
}

/// What to publish.
#[derive(Debug, Subcommand)]
pub enum PublishCommand {
    /// The native executable for one target
    App(AppArgs),
    /// The app's own frontend
    Shell(ShellArgs),
    /// A widget
    Widget(WidgetArgs),
    /// Everything in the configuration that changed, in one step
    All(AllArgs),
}

/// `publish all`.
#[derive(Debug, Args)]
pub struct AllArgs {
    /// The app's version; without it the app is left out
    #[arg(long)]
    pub version: Option<Version>,
    /// What every release has.
    #[command(flatten)]
    pub release: ReleaseArgs,
}

/// What every release has.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// The channel to offer it on; the less careful ones have it too
    #[arg(long, default_value_t = Channel::stable())]
    pub channel: Channel,
    /// Release notes in Markdown: the text, or @ and a file's name
    #[arg(long, value_name = "TEXT|@FILE")]
    pub notes: Option<String>,
    /// Earlier versions should not be used any longer: it can't be skipped and is not put off for long
    #[arg(long)]
    pub critical: bool,
    /// How far it goes.
    #[command(flatten)]
    pub extent: ExtentArgs,
    /// Who may have it.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// How far a publication goes.
#[derive(Clone, Copy, Debug, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct ExtentArgs {
    /// Make everything, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not replay the ways to it before it becomes visible
    #[arg(long)]
    pub no_verify: bool,
    /// Do not bring it to the store
    #[arg(long)]
    pub no_push: bool,
    /// Publish nothing yet: keep it beside the repository until `moult sign` has signed it
    #[arg(long)]
    pub stage: bool,
}

/// `publish app`.
#[derive(Debug, Args)]
pub struct AppArgs {
    /// The version
    #[arg(long)]
    pub version: Version,
    /// The target triple
    #[arg(long, value_name = "TRIPLE")]
    pub target: String,
    /// The executable, if not the configured one
    #[arg(long, value_name = "FILE")]
    pub executable: Option<PathBuf>,
    /// What every release has.
    #[command(flatten)]
    pub release: ReleaseArgs,
}

/// `publish shell`.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// The built shell with moult.json at the top, if not the configured one
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What every release has.
    #[command(flatten)]
    pub release: ReleaseArgs,
}

/// `publish widget`.
#[derive(Debug, Args)]
pub struct WidgetArgs {
    /// The widget, as publisher/name
    #[arg(value_parser = widget_id)]
    pub id: WidgetId,
    /// The built widget with moult.json at the top, if not the configured one
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What every release has.
    #[command(flatten)]
    pub release: ReleaseArgs,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The folder, if not the configured repository
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Add a line of JSON per answer to this file
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
}

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The file or folder
    pub path: PathBuf,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Only these: app, shell or w/PUBLISHER/NAME
    #[arg(value_name = "SUBJECT")]
    pub subjects: Vec<Subject>,
    /// The data folder of the installed Moult, if it is not the usual one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What to do with a patch.
#[derive(Debug, Subcommand)]
pub enum PatchCommand {
    /// Make the patch that leads from OLD to NEW
    Diff(PatchDiffArgs),
    /// Make OUT from OLD and the patch that starts from it
    Apply(PatchApplyArgs),
    /// Say what is in a patch, and with OLD what its bytes were spent on
    Inspect(PatchInspectArgs),
}

/// `patch diff`.
#[derive(Debug, Args)]
pub struct PatchDiffArgs {
    /// The file that the patch starts from
    pub old: PathBuf,
    /// The file that it leads to
    pub new: PathBuf,
    /// The patch; one that is there is replaced
    pub patch: PathBuf,
    /// Replace PATCH even if it is something else than a patch
    #[arg(long)]
    pub force: bool,
}

/// `patch apply`.
#[derive(Debug, Args)]
pub struct PatchApplyArgs {
    /// The file that the patch starts from
    pub old: PathBuf,
    /// The patch
    pub patch: PathBuf,
    /// The new file
    pub out: PathBuf,
    /// The new file's size, if you have it from a source that you trust
    #[arg(long, value_name = "BYTES")]
    pub size: Option<u64>,
    /// The new file's SHA-256, if you have it from a source that you trust
    #[arg(long, value_name = "DIGEST")]
    pub sha256: Option<Digest>,
    /// Replace OUT if it is there
    #[arg(long)]
    pub force: bool,
}

/// `patch inspect`.
#[derive(Debug, Args)]
pub struct PatchInspectArgs {
    /// The patch
    pub patch: PathBuf,
    /// The file that it starts from
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
}

/// What to do with a widget that is being written.
#[derive(Debug, Subcommand)]
pub enum WidgetCommand {
    /// Begin a widget in a new folder
    New(WidgetNewArgs),
    /// Show the widget in the running Moult, and again whenever a file of it is saved
    Dev(WidgetDevArgs),
    /// Look a built widget over: what a host would refuse, or you would regret
    Check(WidgetCheckArgs),
    /// Make the bundle of a built widget, if `check` finds no fault
    Pack(WidgetPackArgs),
}

/// `widget new`.
#[derive(Debug, Args)]
pub struct WidgetNewArgs {
    /// The widget, as publisher/name, or its name alone
    #[arg(value_parser = new_widget_id)]
    pub name: WidgetId,
    /// What to begin with
    #[arg(long, value_enum, default_value_t = Template::VanillaTs)]
    pub template: Template,
    /// The new folder, if it is not to have the widget's name
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// `widget check`.
#[derive(Debug, Args)]
pub struct WidgetCheckArgs {
    /// The widget's folder; what was built is in `dist` below it, or in itself
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

/// `widget pack`.
#[derive(Debug, Args)]
pub struct WidgetPackArgs {
    /// The widget's folder; what was built is in `dist` below it, or in itself
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// The bundle; PUBLISHER-NAME-VERSION.bundle here if left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `widget dev`.
#[derive(Debug, Args)]
pub struct WidgetDevArgs {
    /// The widget's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// The data folder of the running Moult, if it is not the usual one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The command that builds the widget, if it is not the script `build` of package.json
    #[arg(long, value_name = "COMMAND")]
    pub build: Option<String>,
}

/// A widget whose publisher may be left out while it is not published.
fn new_widget_id(text: &str) -> Result<WidgetId, &'static str> {
    if text.contains('/') {
        widget_id(text)
    } else {
        widget_id(&format!("me/{text}"))
    }
}

fn widget_id(text: &str) -> Result<WidgetId, &'static str> {
    text.parse()
        .map_err(|_| "a widget is named publisher/name, each 1 to 40 characters from a-z, 0-9 and -")
}
