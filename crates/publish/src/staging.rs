//! What waits for keys that are on other computers: one file beside the repository, so that it is not served with it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use moult_trust::sign::{Committed, Editor, SignError, Staged, Waiting};
use serde::Serialize;

use crate::PublishError;
use crate::config::Workspace;
use crate::repository::sign_error;

/// What became of a change: it is published, or it waits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Clients see it.
    Published(Committed),
    /// Some who must sign have not.
    Waits {
        /// The file to be carried to them.
        staged: PathBuf,
        /// The documents that lack signatures.
        lacking: Vec<Waiting>,
    },
}

/// Where what waits is, if nobody says otherwise: `dist/repository.staged.json` for `dist/repository`.
pub fn place(workspace: &Workspace) -> PathBuf {
    let mut name = workspace.repository().into_os_string();
    name.push(".staged.json");
    name.into()
}

/// Publishes the editor's changes; where keys are missing it stages them.
pub(crate) fn commit_or_stage(
    workspace: &Workspace,
    editor: &mut Editor,
    now: Timestamp,
) -> Result<Outcome, PublishError> {
    let failed = sign_error("the metadata can't be signed");
    match editor.commit(now) {
        Ok(committed) => Ok(Outcome::Published(committed)),
        Err(SignError::KeyMissing { .. } | SignError::TooFewKeys { .. }) => stage(workspace, editor, now),
        Err(error) => Err(failed(error)),
    }
}

/// Keeps the editor's changes for those who sign, with the signatures of the keys that are at hand.
pub(crate) fn stage(
    workspace: &Workspace,
    editor: &mut Editor,
    now: Timestamp,
) -> Result<Outcome, PublishError> {
    let path = place(workspace);
    if path.exists() {
        return Err(PublishError::StagedThere { path });
    }
    let staged = editor
        .stage(now)
        .map_err(sign_error("the metadata can't be signed"))?;
    staged
        .write(&path)
        .map_err(sign_error("what waits can't be kept"))?;
    Ok(waits(path, &staged))
}

pub(crate) fn waits(path: PathBuf, staged: &Staged) -> Outcome {
    let mut lacking = staged.documents();
    lacking.retain(|document| document.lacks.is_some());
    Outcome::Waits {
        staged: path,
        lacking,
    }
}

/// Deletes what waited, once it is published.
pub(crate) fn clear(path: &Path) -> Result<(), PublishError> {
    moult_durable::fs::remove_file(path).map_err(|source| PublishError::FolderRead {
        path: path.to_owned(),
        source,
    })
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Published(committed) => {
                for path in &committed.written {
                    writeln!(f, "signed     {path}")?;
                }
                let version = committed.timestamp_version;
                write!(f, "timestamp  {version}, expires at {}", committed.expires)
            }
            Self::Waits { staged, lacking } => {
                for Waiting { role, version, lacks } in lacking {
                    let (needed, found) = lacks.unwrap_or_default();
                    writeln!(f, "waits      {role} {version}: {found} of {needed} signatures")?;
                }
                writeln!(f, "staged     {}", staged.display())?;
                write!(
                    f,
                    "\nNothing is published yet. Run `moult sign` where the other keys are, with the repository and this file."
                )
            }
        }
    }
}
