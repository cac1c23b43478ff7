//! `moult installer`: makes installers of one version for one target.

use std::fmt;

use jiff::Timestamp;

use super::Context;
use crate::PublishError;
use crate::cli::InstallerArgs;
use crate::installer::{InstallerError, Made, Request, make};
use crate::output::Size;

/// The agreed variable for the time of a build that can be repeated, in seconds since 1970.
const DATE_VARIABLE: &str = "SOURCE_DATE_EPOCH";

pub(super) fn run(context: &Context, args: InstallerArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    if workspace.config().installer.is_none() {
        return Err(InstallerError::NotConfigured.into());
    }
    workspace.check_target(&args.target)?;
    let made = make(
        &workspace,
        &Request {
            version: args.version,
            triple: args.target,
            formats: args.formats,
            executable: args.executable,
            companions: args.companions,
            out: args.out,
            date: date(context.now),
        },
    )?;
    context.output.report(&made)
}

/// What files are marked with.
fn date(now: Timestamp) -> Timestamp {
    std::env::var(DATE_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(now)
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version   {} for {}", self.version, self.target)?;
        write!(f, "folder    {}", self.folder.display())?;
        for made in &self.installers {
            write!(f, "\n{:<8}  {}  {}", made.format, made.file, Size(made.size))?;
        }
        Ok(())
    }
}
