//! `installer` on the command line.

use std::path::PathBuf;

use clap::Args;
use moult_model::Version;

use crate::installer::Format;

/// `installer`.
#[derive(Debug, Args)]
pub struct InstallerArgs {
    /// The version
    #[arg(long)]
    pub version: Version,
    /// The target triple
    #[arg(long, value_name = "TRIPLE")]
    pub target: String,
    /// The formats, if not all that the target's system has
    #[arg(long = "format", value_name = "FORMAT", value_enum, value_delimiter = ',')]
    pub formats: Vec<Format>,
    /// The executable, if not the configured one
    #[arg(long, value_name = "FILE")]
    pub executable: Option<PathBuf>,
    /// The folder with the programs beside it, if not the configured one
    #[arg(long, value_name = "DIR")]
    pub companions: Option<PathBuf>,
    /// Where to write to, if not below the configured folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Sign each with minisign as well, into FILE.sig: updates of whole packages ask for it
    #[arg(long)]
    pub sign: bool,
}
