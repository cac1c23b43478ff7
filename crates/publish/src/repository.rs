//! The keys and the repository while one command works with them.

use std::path::{Path, PathBuf};

use moult_durable::Lock;
use moult_model::{Index, Subject};
use moult_trust::sign::{Editor, Keys, SignError};

use crate::PublishError;
use crate::config::Workspace;
use crate::passphrase;

/// Turns an error of the signing side into this crate's.
pub(crate) fn sign_error(action: &'static str) -> impl FnOnce(SignError) -> PublishError {
    move |source| match source {
        SignError::UnknownPublisher { publisher } => PublishError::PublisherMissing { publisher },
        source => PublishError::Sign {
            action,
            source: Box::new(source),
        },
    }
}

/// Holds the lock on a key folder: one command at a time changes a repository.
pub(crate) fn lock(keys: &Path) -> Result<Lock, PublishError> {
    match Lock::try_acquire(&keys.join(".lock"))? {
        Some(lock) => Ok(lock),
        None => Err(PublishError::Busy {
            folder: keys.to_owned(),
        }),
    }
}

/// Whether a folder holds a complete set of keys.
pub(crate) fn has_keys(folder: &Path) -> bool {
    folder.join("public/minisign.pub").is_file()
}

/// Whether a folder holds a repository.
pub(crate) fn has_repository(folder: &Path) -> bool {
    folder.join("metadata/timestamp.json").is_file()
}

/// A repository that can be changed.
pub(crate) struct Open {
    pub(crate) folder: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) editor: Editor,
    _lock: Lock,
}

impl Open {
    /// Opens the configured keys and repository, both of which must be there.
    pub(crate) fn existing(workspace: &Workspace) -> Result<Self, PublishError> {
        let (key_folder, folder) = (workspace.keys(), workspace.repository());
        if !has_keys(&key_folder) {
            return Err(if has_repository(&folder) {
                PublishError::KeysLost {
                    folder: key_folder,
                    repository: folder,
                }
            } else {
                PublishError::KeysMissing { folder: key_folder }
            });
        }
        if !has_repository(&folder) {
            return Err(PublishError::RepositoryMissing { folder });
        }
        let lock = lock(&key_folder)?;
        let keys = Keys::open(&key_folder)
            .map_err(sign_error("the keys can't be read"))?
            .asking(passphrase::ask);
        let editor = Editor::open(&folder, &keys).map_err(sign_error("the repository can't be opened"))?;
        Ok(Self {
            folder,
            keys,
            editor,
            _lock: lock,
        })
    }

    /// What is listed of a subject; an empty index if nothing is.
    pub(crate) fn index(&self, subject: &Subject, triple: Option<&str>) -> Result<Index, PublishError> {
        self.editor
            .index(subject, triple.unwrap_or_default())
            .map_err(sign_error("the index can't be read"))
    }
}
