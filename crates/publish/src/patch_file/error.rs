//! What can go wrong with a patch of one's own, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use moult_containers::ApplyError as ContainerError;
use moult_delta::{ApplyError, DiffError};
use moult_durable::DurableError;
use moult_model::Digest;

/// Why a patch was not made, applied or looked into. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// A file that is needed can't be read.
    #[error("the {what} `{path}` can't be read")]
    Read {
        /// Which of the files.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something stands where the result is to stand.
    #[error("`{path}` exists already")]
    Exists {
        /// What stands there.
        path: PathBuf,
    },
    /// Something that is no patch stands where a patch is to stand.
    #[error("`{path}` exists already and is not a patch")]
    NotAPatch {
        /// What stands there.
        path: PathBuf,
    },
    /// A folder stands where the result is to stand.
    #[error("`{path}` is a folder")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The result can't be begun.
    #[error("`{path}` can't be created")]
    Create {
        /// What was to be created.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The result can't be written.
    #[error("`{path}` can't be written")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The result is written, but can't take its place.
    #[error("`{path}` can't be put in its place")]
    Place {
        /// What was to be written.
        path: PathBuf,
        /// Why.
        #[source]
        source: DurableError,
    },
    /// No patch could be made.
    #[error("no patch from `{old}` to `{new}` can be made")]
    Make {
        /// The old file.
        old: PathBuf,
        /// The new file.
        new: PathBuf,
        /// Why.
        #[source]
        source: Box<DiffError>,
    },
    /// A file is not a patch, or is one that is not understood.
    #[error("`{patch}` can't be read as a patch")]
    Look {
        /// The file.
        patch: PathBuf,
        /// Why.
        #[source]
        source: Box<ApplyError>,
    },
    /// A patch can't be applied.
    #[error("the patch `{patch}` can't be applied to `{old}`")]
    Apply {
        /// The patch.
        patch: PathBuf,
        /// The old file.
        old: PathBuf,
        /// Why.
        #[source]
        source: Box<ApplyError>,
    },
    /// No patch could be made between two containers.
    #[error("no patch from the content of `{old}` to that of `{new}` can be made")]
    MakeContainer {
        /// The old file.
        old: PathBuf,
        /// The new file.
        new: PathBuf,
        /// Why.
        #[source]
        source: Box<moult_containers::DiffError>,
    },
    /// A file is not a patch between containers, or is one that is not understood.
    #[error("`{patch}` can't be read as a patch between containers")]
    LookContainer {
        /// The file.
        patch: PathBuf,
        /// Why.
        #[source]
        source: Box<moult_containers::ApplyError>,
    },
    /// A patch between containers can't be applied.
    #[error("the patch `{patch}` can't be applied to the container `{old}`")]
    ApplyContainer {
        /// The patch.
        patch: PathBuf,
        /// The old file.
        old: PathBuf,
        /// Why.
        #[source]
        source: Box<moult_containers::ApplyError>,
    },
    /// A patch leads to another file than the trusted one.
    #[error("the patch `{patch}` leads to a file with SHA-256 {found}, not {expected}")]
    Untrusted {
        /// The patch.
        patch: PathBuf,
        /// What was trusted.
        expected: Digest,
        /// What came out.
        found: Digest,
    },
    /// Somebody ended it.
    #[error("interrupted")]
    Interrupted,
}

const REMOVED: &str = "nothing was left behind";

impl PatchError {
    pub(super) fn read(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read {
            what,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether whoever gave the command can put it right. What is left is a fault of this program or
    /// of the system.
    pub fn is_users_mistake(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::Exists { .. }
            | Self::NotAPatch { .. }
            | Self::Folder { .. }
            | Self::Create { .. }
            | Self::Untrusted { .. }
            | Self::Interrupted => true,
            Self::Write { .. } | Self::Place { .. } | Self::Make { .. } | Self::MakeContainer { .. } => false,
            Self::Look { source, .. } | Self::Apply { source, .. } => !matches!(
                **source,
                ApplyError::Patch(_) | ApplyError::Old(_) | ApplyError::New(_)
            ),
            Self::LookContainer { source, .. } | Self::ApplyContainer { source, .. } => !is_the_disk(source),
        }
    }

    /// What was kept, and what to do about it.
    pub fn hint(&self) -> String {
        let todo = match self {
            Self::Read { .. } => "nothing was written; name a file that you may read",
            Self::Exists { .. } | Self::NotAPatch { .. } => {
                "it is as it was; name another file, or give --force to replace it"
            }
            Self::Folder { .. } => "it is as it was; name a file in it",
            Self::Create { .. } => {
                "nothing was written; name a file in a folder that exists and that you may write to"
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                return format!("{REMOVED}; free the disk, or name a file on another one");
            }
            Self::Write { .. } | Self::Place { .. } => {
                return format!("{REMOVED}; look at the disk and its rights, then try again");
            }
            Self::Make { .. } | Self::MakeContainer { .. } => {
                "nothing was written; please report it, with both files if you can"
            }
            Self::Look { source, .. } | Self::Apply { source, .. } => refused(source),
            Self::LookContainer { source, .. } | Self::ApplyContainer { source, .. } => {
                refused_container(source)
            }
            Self::Untrusted { .. } => {
                return format!("{REMOVED}; don't use this patch, get it anew from where it is trusted");
            }
            Self::Interrupted => REMOVED,
        };
        todo.to_owned()
    }
}

/// What to do about a patch that was refused.
fn refused(error: &ApplyError) -> &'static str {
    match error {
        ApplyError::Magic => {
            "nothing was written; name a file that `moult patch diff` made: OLD comes before PATCH"
        }
        ApplyError::Format(_) | ApplyError::Flags(_) | ApplyError::Rules(_) | ApplyError::Memory(_) => {
            "nothing was written; use a newer moult, or take the whole new file"
        }
        ApplyError::OutputLength { .. } => {
            "nothing was written; take the patch that leads to the file you expect"
        }
        ApplyError::WrongBase { .. } => {
            "nothing was written; name the very file that the patch was made from"
        }
        ApplyError::WrongResult { .. } => {
            "nothing was left behind; the patch is damaged, or the old file is another one or changed meanwhile: copy both anew"
        }
        ApplyError::Patch(_) | ApplyError::Old(_) | ApplyError::New(_) => {
            "nothing was left behind; look at the disk and its rights, then try again"
        }
        _ => "nothing was left behind; the patch is damaged: copy it anew, or take the whole new file",
    }
}

/// Whether it is neither the patch's fault nor that of the old file.
fn is_the_disk(error: &ContainerError) -> bool {
    matches!(
        error,
        ContainerError::Patch(_)
            | ContainerError::Old(_)
            | ContainerError::Scratch(_)
            | ContainerError::New(_)
    )
}

/// What to do about a patch between containers that was refused.
fn refused_container(error: &ContainerError) -> &'static str {
    match error {
        ContainerError::Format(_) => "nothing was written; use a newer moult, or take the whole new file",
        ContainerError::Encoders { .. } => {
            "nothing was written; use the moult that the patch was made with, or take the whole new file"
        }
        ContainerError::OutputLength { .. } => {
            "nothing was written; take the patch that leads to the file you expect"
        }
        ContainerError::WrongBase { .. } => {
            "nothing was written; name the very file that the patch was made from"
        }
        error if is_the_disk(error) => {
            "nothing was left behind; look at the disk and its rights, then try again"
        }
        _ => "nothing was left behind; the patch is damaged: copy it anew, or take the whole new file",
    }
}
