//! Options of the commands that write the configuration, bills of materials, completions and manual pages.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use moult_model::Channel;

use super::repository::OutArgs;

/// `init`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Ask nothing: what has no option gets what is usual
    #[arg(long)]
    pub yes: bool,
    /// The product's name
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Its reverse-domain identifier
    #[arg(long, value_name = "ID")]
    pub identifier: Option<String>,
    /// The address that clients read the repository from, ending in /
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A target triple; may be given more than once
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// A channel, most careful first; may be given more than once
    #[arg(long)]
    pub channel: Vec<Channel>,
    /// The executable; {target} stands for the target triple
    #[arg(long, value_name = "FILE")]
    pub executable: Option<String>,
    /// The built shell
    #[arg(long, value_name = "DIR")]
    pub shell: Option<String>,
    /// Where the repository is brought to: a folder, or s3://, gs:// or az:// and a bucket
    #[arg(long, value_name = "PLACE")]
    pub store: Option<String>,
    /// The preset for new releases
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Replace a configuration that is there
    #[arg(long)]
    pub force: bool,
    /// Print the configuration, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What to do with bills of materials.
#[derive(Debug, Subcommand)]
pub enum SbomCommand {
    /// Make the bill of materials of what is in the folder now: CycloneDX 1.5, JSON
    Make(SbomArgs),
    /// Check those of the releases that are out by what is known today
    Check(SbomCheckArgs),
}

/// `sbom make`.
#[derive(Debug, Args)]
pub struct SbomArgs {
    /// Where it is written to.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `sbom check`.
#[derive(Debug, Args)]
pub struct SbomCheckArgs {
    /// The folder with the advisory database, if not as configured
    #[arg(long, value_name = "DIR")]
    pub database: Option<PathBuf>,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder that the pages are written to
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
