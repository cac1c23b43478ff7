//! Options that say who may have a release: with `publish`, and of the commands that change it later.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use moult_model::{Channel, Subject, Version};

use crate::offer::{Data, Percent, Waves};

/// Who may have a release.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Who may have it")]
pub struct OfferArgs {
    /// When it goes to whom.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// The lowest version that may go to it; those below go to a release between first
    #[arg(long, value_name = "VERSION")]
    pub update_from: Option<Version>,
    /// The lowest version without a known hole: who goes back by hand stops there
    #[arg(long, value_name = "VERSION")]
    pub min_secure: Option<Version>,
    /// The schema of the data it writes, and of those it reads: 3, or 3:1-4
    #[arg(long, value_name = "WRITES[:FROM-TO]")]
    pub data_schema: Option<Data>,
    /// A version that those who have it may be sent back to; may be given more than once
    #[arg(long, value_name = "VERSION")]
    pub recall_to: Vec<Version>,
}

/// When a release goes to whom.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub struct PlanArgs {
    /// How many get it, in percent
    #[arg(long, value_name = "PERCENT")]
    pub share: Option<Percent>,
    /// More and more get it: PERCENT@TIME, with commas between; a time is now, +30m, +4h, +2d or RFC 3339
    #[arg(long, value_name = "PERCENT@TIME,...")]
    pub waves: Option<Waves>,
    /// The waves of a preset: quick, steady, canary, or one of the configuration
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
}

/// Which release.
#[derive(Clone, Debug, Args)]
pub struct SubjectArgs {
    /// What it is: app, shell, or publisher/name
    #[arg(value_parser = subject)]
    pub subject: Subject,
    /// Its version
    pub version: Version,
    /// The target triple of the app, if not all that have this version
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
}

/// `promote`.
#[derive(Debug, Args)]
pub struct PromoteArgs {
    /// Which release.
    #[command(flatten)]
    pub release: SubjectArgs,
    /// The channel; the less careful ones have it too
    #[arg(long, value_name = "CHANNEL")]
    pub to: Channel,
    /// When it goes to whom from now on.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What to do with a rollout.
#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// Say anew when a release goes to whom
    Set(RolloutSetArgs),
    /// Nobody new gets it for now; waves that have not begun are dropped
    Pause(HaltArgs),
    /// It goes on with the share it had, or with new waves
    Resume(ResumeArgs),
    /// Nobody new gets it, at once: by the index, and by the online role where its key is here
    Halt(HaltArgs),
    /// Say who gets what now, and what comes next
    Show(RolloutShowArgs),
}

/// `rollout set`.
#[derive(Debug, Args)]
pub struct RolloutSetArgs {
    /// Which release.
    #[command(flatten)]
    pub release: SubjectArgs,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Who may have it.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// `rollout pause` and `rollout halt`.
#[derive(Debug, Args)]
pub struct HaltArgs {
    /// Which release.
    #[command(flatten)]
    pub release: SubjectArgs,
    /// Why, in words for people
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `rollout resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Which release.
    #[command(flatten)]
    pub release: SubjectArgs,
    /// When it goes to whom from now on.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `rollout show`.
#[derive(Debug, Args)]
pub struct RolloutShowArgs {
    /// What: app, shell, or publisher/name; everything if left out
    #[arg(value_parser = subject)]
    pub subject: Option<Subject>,
}

/// `recall`.
#[derive(Debug, Args)]
pub struct RecallArgs {
    /// Which release.
    #[command(flatten)]
    pub release: SubjectArgs,
    /// The version that those who have it go back to, if not the one before it
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// Publish the version that they go back to anew, under this higher one: for those whose packages can only go up
    #[arg(long, value_name = "VERSION")]
    pub roll_forward: Option<Version>,
    /// The old code built with the higher version in it: an executable carries its version inside
    #[arg(long, value_name = "FILE", requires = "roll_forward")]
    pub executable: Option<PathBuf>,
    /// Why, in words for people
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A subject as people write it: a widget without the `w/` in front.
pub(super) fn subject(text: &str) -> Result<Subject, &'static str> {
    text.parse()
        .or_else(|_| format!("w/{text}").parse())
        .map_err(|_| "it is app, shell, or a widget as publisher/name")
}
