//! `moult installer`: makes installers of one version for one target.

use std::fmt;

use jiff::Timestamp;
use moult_trust::sign::Keys;

use super::Context;
use crate::PublishError;
use crate::cli::InstallerArgs;
use crate::config::Workspace;
use crate::installer::{InstallerError, Made, Request, make};
use crate::output::Size;
use crate::repository::{has_keys, sign_error};

/// The agreed variable for the time of a build that can be repeated, in seconds since 1970.
const DATE_VARIABLE: &str = "SOURCE_DATE_EPOCH";

pub(super) fn run(context: &Context, args: InstallerArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    if workspace.config().installer.is_none() {
        return Err(InstallerError::NotConfigured.into());
    }
    workspace.check_target(&args.target)?;
    let keys = args.sign.then(|| keys(&workspace)).transpose()?;
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
    if let Some(keys) = keys {
        sign(&made, &keys)?;
    }
    context.output.report(&made)
}

/// The keys, before anything is made.
fn keys(workspace: &Workspace) -> Result<Keys, PublishError> {
    let folder = workspace.keys();
    if !has_keys(&folder) {
        return Err(PublishError::KeysMissing { folder });
    }
    Keys::open(&folder).map_err(sign_error("the keys can't be read"))
}

/// Writes a signature beside each installer, with its version in it: as the rescue and Tauri's updater read it.
fn sign(made: &Made, keys: &Keys) -> Result<(), PublishError> {
    for one in &made.installers {
        let path = made.folder.join(&one.file);
        let bytes = std::fs::read(&path).map_err(|source| InstallerError::LayOut {
            path: path.clone(),
            source,
        })?;
        let signature = keys
            .sign_artifact(&bytes, &made.version, &one.file)
            .map_err(sign_error("the installer can't be signed"))?;
        let path = made.folder.join(format!("{}.sig", one.file));
        moult_durable::write_atomic(&path, signature.as_bytes())?;
    }
    Ok(())
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
