//! Options of the commands about the repository as a whole.

use std::path::PathBuf;

use clap::Args;
use moult_model::{Subject, Version};

use super::offering::subject;

/// `push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// Say what would be brought there, and bring nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take over from a publisher that was interrupted elsewhere and does not come back
    #[arg(long)]
    pub take_over: bool,
}

/// `pull`.
#[derive(Debug, Args)]
pub struct PullArgs {
    /// Say what would be fetched, and fetch nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Drop what was signed here and never pushed
    #[arg(long)]
    pub discard: bool,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What: app, shell, or publisher/name; everything if left out
    #[arg(value_parser = subject)]
    pub subject: Option<Subject>,
}

/// `prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// The newest versions that stay at least, if not as configured
    #[arg(long, value_name = "COUNT")]
    pub versions: Option<usize>,
    /// Days in which whatever was published stays, if not as configured
    #[arg(long, value_name = "COUNT")]
    pub days: Option<u32>,
    /// Days for which a file stays that nothing refers to, if not as configured
    #[arg(long, value_name = "COUNT")]
    pub grace_days: Option<u32>,
    /// Say what would go, and drop nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `diff-report`.
#[derive(Debug, Args)]
pub struct DiffReportArgs {
    /// What: app, shell, or publisher/name
    #[arg(value_parser = subject)]
    pub subject: Subject,
    /// The version that the patch starts from
    pub from: Version,
    /// The version that it leads to
    pub to: Version,
    /// The target triple of the app
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// How many of the largest contributors are named
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub top: usize,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Read every file and compare its digest, not its size alone
    #[arg(long)]
    pub deep: bool,
    /// Ask neither the store nor the address that clients read from
    #[arg(long)]
    pub offline: bool,
}

/// Where a file is written to.
#[derive(Debug, Args)]
pub struct OutArgs {
    /// The file; printed if left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
