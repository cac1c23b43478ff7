//! `moult sign`: signs what waits with the keys of this computer, and publishes it when all have signed.

use std::fmt;
use std::path::PathBuf;

use moult_model::{Index, Subject, Version};
use moult_trust::sign::{Staged, Waiting};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::SignArgs;
use crate::progress::Progress;
use crate::repository::{Open, sign_error};
use crate::staging::{self, Outcome};
use crate::store::Pushed;

#[derive(Serialize)]
struct Signed {
    staged: PathBuf,
    documents: Vec<Waiting>,
    releases: Vec<Offered>,
    /// The roles that got a signature now.
    signed: Vec<String>,
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
    let mut open = if args.look {
        Open::existing(&workspace)?
    } else {
        Open::to_change(&workspace, context.now, &progress)?
    };
    let failed = || sign_error("what waits can't be signed");
    let mut staged = Staged::read(&path).map_err(failed())?;
    let documents = staged.documents();
    let releases = staged.indexes().into_iter().map(offered).collect();
    let mut result = Signed {
        staged: path.clone(),
        documents,
        releases,
        signed: Vec::new(),
        outcome: None,
        pushed: None,
    };
    if !args.look {
        result.signed = open.editor.sign_staged(&mut staged, &path).map_err(failed())?;
        result.outcome = Some(if staged.is_complete() {
            let committed = open.editor.finish(&staged, &path).map_err(failed())?;
            staging::clear(&path)?;
            result.pushed = open.finish(true, &[], &progress)?;
            Outcome::Published(committed)
        } else {
            staged.write(&path).map_err(failed())?;
            staging::waits(path, &staged)
        });
    }
    context.output.report(&result)
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

impl fmt::Display for Signed {
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
                for role in &self.signed {
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
