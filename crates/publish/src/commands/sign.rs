//! `moult sign`: signs what waits with the keys of this computer, and publishes it when all have signed.

use std::fmt;
use std::path::{Path, PathBuf};

use moult_model::{Digest, Index, Release, Subject, Version};
use moult_trust::sign::{Staged, Waiting};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::SignArgs;
use crate::latest::raw_path;
use crate::progress::Progress;
use crate::release::write_latest;
use crate::repository::{Open, sign_error};
use crate::staging::{self, Outcome};
use crate::store::Pushed;

#[derive(Serialize)]
struct SignedNow {
    staged: PathBuf,
    documents: Vec<Waiting>,
    releases: Vec<Offered>,
    /// The roles that got a signature now, and `minisign` for executables.
    #[serde(rename = "signed")]
    added: Vec<String>,
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<Pushed>,
}

/// The newest release of an index that would be published.
#[derive(Serialize)]
struct Offered {
    subject: Subject,
    target: Option<String>,
    version: Option<Version>,
    releases: usize,
}

pub(super) fn run(context: &Context, args: &SignArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let path = args.staged.clone().unwrap_or_else(|| staging::place(&workspace));
    if !path.is_file() {
        return Err(PublishError::NothingStaged { path });
    }
    let progress = Progress::on_terminal();
    let opened = || {
        if args.look {
            Open::existing(&workspace)
        } else {
            Open::to_change(&workspace, context.now, &progress)
        }
    };
    let mut open = opened()?;
    let failed = || sign_error("what waits can't be signed");
    let mut staged = Staged::read(&path).map_err(failed())?;
    let mut signed = Vec::new();
    if !args.look && sign_executables(&mut open, &staged, &path)? {
        staged = open.editor.stage(context.now).map_err(failed())?;
        staged.write(&path).map_err(failed())?;
        signed.push("minisign".to_owned());
        let complete = staged.documents().into_iter();
        signed.extend(
            complete
                .filter(|document| document.lacks.is_none())
                .map(|document| document.role),
        );
        // The editor goes on from what is published.
        drop(open);
        open = opened()?;
    }
    let documents = staged.documents();
    let releases = staged.indexes().into_iter().map(offered).collect();
    let mut result = SignedNow {
        staged: path.clone(),
        documents,
        releases,
        added: signed,
        outcome: None,
        pushed: None,
    };
    if !args.look {
        let more = open.editor.sign_staged(&mut staged, &path).map_err(failed())?;
        result.added.extend(more);
        result.outcome = Some(if staged.is_complete() {
            let committed = open.editor.finish(&staged, &path).map_err(failed())?;
            staging::clear(&path)?;
            // Follows from the indexes alone.
            let latest = staged.indexes();
            if latest.iter().any(|index| index.subject == Subject::Executable) {
                write_latest(&open, &workspace, context.now)?;
            }
            result.pushed = open.finish(true, &[], &progress)?;
            Outcome::Published(committed)
        } else {
            staged.write(&path).map_err(failed())?;
            staging::waits(path, &staged)
        });
    }
    context.output.report(&result)
}

/// Adds the minisign signatures that executables lack, where the key is here. Says whether there were any.
fn sign_executables(open: &mut Open, staged: &Staged, path: &Path) -> Result<bool, PublishError> {
    let failed = || sign_error("what waits can't be signed");
    let mut indexes = staged.indexes();
    let lacks = |release: &Release| release.signature.is_none();
    let lacking = indexes
        .iter()
        .filter(|index| index.subject == Subject::Executable)
        .find_map(|index| index.releases.iter().find(|release| lacks(release)));
    let Some(lacking) = lacking else {
        return Ok(false);
    };
    open.editor.check_staged(staged, path).map_err(failed())?;
    let roles = ["app", "snapshot", "timestamp"];
    let only_releases = staged
        .documents()
        .iter()
        .all(|document| roles.contains(&document.role.as_str()) || document.role.starts_with("publisher-"));
    if !open.keys.has_minisign() || !only_releases {
        return Err(PublishError::MinisignFirst {
            version: lacking.version.clone(),
        });
    }
    for index in &mut indexes {
        let Some(triple) = index.triple.clone() else {
            continue;
        };
        for release in index.releases.iter_mut().filter(|release| lacks(release)) {
            let raw = open
                .folder
                .join("targets")
                .join(raw_path(&triple, &release.digest));
            let bytes = std::fs::read(&raw).map_err(|source| PublishError::StoredMissing {
                path: raw.clone(),
                source,
            })?;
            if Digest::of(&bytes) != release.digest {
                return Err(PublishError::StoredDamaged {
                    path: raw,
                    expected: release.digest,
                });
            }
            let name = format!("moult-app-{triple}");
            let signature = open.keys.sign_artifact(&bytes, &release.version, &name);
            release.signature = Some(signature.map_err(failed())?);
        }
    }
    for index in &indexes {
        open.editor.set_index(index).map_err(failed())?;
    }
    Ok(true)
}

fn offered(mut index: Index) -> Offered {
    index.releases.sort_by(|a, b| b.version.cmp(&a.version));
    Offered {
        version: index.releases.first().map(|release| release.version.clone()),
        releases: index.releases.len(),
        subject: index.subject,
        target: index.triple,
    }
}

impl fmt::Display for SignedNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for release in &self.releases {
            let target = release.target.as_deref().unwrap_or_default();
            let newest = release.version.as_ref().map(ToString::to_string);
            writeln!(
                f,
                "index      {} {target}{}{} newest, {} releases",
                release.subject,
                if target.is_empty() { "" } else { " " },
                newest.unwrap_or_else(|| "none".to_owned()),
                release.releases,
            )?;
        }
        for Waiting { role, version, lacks } in &self.documents {
            match lacks {
                Some((needed, found)) => {
                    writeln!(f, "document   {role} {version}: {found} of {needed} signatures")?;
                }
                None => writeln!(f, "document   {role} {version}: all signatures")?,
            }
        }
        match &self.outcome {
            None => write!(f, "\nNothing was signed."),
            Some(outcome) => {
                for role in &self.added {
                    writeln!(f, "added      {role}")?;
                }
                writeln!(f)?;
                write!(f, "{outcome}")?;
                match &self.pushed {
                    Some(pushed) => write!(f, "\n{pushed}"),
                    None => Ok(()),
                }
            }
        }
    }
}
