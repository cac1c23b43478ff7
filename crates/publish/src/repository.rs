//! The keys and the repository while one command works with them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use moult_durable::Lock;
use moult_model::{Index, Subject};
use moult_trust::sign::{Editor, Keys, SignError};

use crate::PublishError;
use crate::config::Workspace;
use crate::passphrase;
use crate::progress::Progress;
use crate::store::{self, Claim, Pushed, Standing, Store};

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
    /// The store, and the claim on it, of a command that is going to sign.
    store: Option<Box<dyn Store>>,
    claim: Option<Claim>,
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
        Self::of(folder, &key_folder, lock)
    }

    /// The same for a command that is going to sign: where there is a store it is claimed first, and the folder brought up to it.
    pub(crate) fn to_change(
        workspace: &Workspace,
        now: Timestamp,
        progress: &Progress,
    ) -> Result<Self, PublishError> {
        let (key_folder, folder) = (workspace.keys(), workspace.repository());
        let Some(store) = store::open(workspace)? else {
            return Self::existing(workspace);
        };
        if !has_keys(&key_folder) {
            return Self::existing(workspace);
        }
        let lock = lock(&key_folder)?;
        progress.stage("asking the store");
        moult_durable::create_dir_all(&folder)?;
        let claim = Claim::make(store.as_ref(), &folder, now, false)?;
        let begin = || -> Result<Self, PublishError> {
            store::pull(store.as_ref(), &folder, false, false, progress)?;
            if !has_repository(&folder) {
                return Err(PublishError::RepositoryMissing {
                    folder: folder.clone(),
                });
            }
            Self::of(folder.clone(), &key_folder, lock)
        };
        match begin() {
            Ok(mut open) => {
                open.store = Some(store);
                open.claim = claim;
                Ok(open)
            }
            Err(error) => {
                if let Some(claim) = claim {
                    claim.end(store.as_ref())?;
                }
                Err(error)
            }
        }
    }

    fn of(folder: PathBuf, key_folder: &Path, lock: Lock) -> Result<Self, PublishError> {
        let keys = Keys::open(key_folder)
            .map_err(sign_error("the keys can't be read"))?
            .asking(passphrase::ask);
        let editor = Editor::open(&folder, &keys).map_err(sign_error("the repository can't be opened"))?;
        Ok(Self {
            folder,
            keys,
            editor,
            store: None,
            claim: None,
            _lock: lock,
        })
    }

    /// Brings what was signed to the store, if there is one and it is wanted, and ends the claim. `removed` are files that were
    /// dropped here. Nothing else may be signed afterwards.
    pub(crate) fn finish(
        mut self,
        push: bool,
        removed: &[String],
        progress: &Progress,
    ) -> Result<Option<Pushed>, PublishError> {
        let Some(store) = self.store.take() else {
            return Ok(None);
        };
        let claim = self.claim.take();
        if !push {
            // Who comes after us has to wait for what was signed here.
            return Ok(None);
        }
        // What fails from here on leaves the claim: the same folder goes on with it.
        let pushed = store::push(store.as_ref(), &self.folder, removed, false, progress)?;
        if let Some(claim) = claim {
            claim.end(store.as_ref())?;
        }
        Ok(Some(pushed))
    }

    /// What is listed of a subject; an empty index if nothing is.
    pub(crate) fn index(&self, subject: &Subject, triple: Option<&str>) -> Result<Index, PublishError> {
        self.editor
            .index(subject, triple.unwrap_or_default())
            .map_err(sign_error("the index can't be read"))
    }
}

impl Drop for Open {
    /// A command that failed before it signed leaves no claim behind.
    fn drop(&mut self) {
        if let (Some(store), Some(claim)) = (self.store.take(), self.claim.take())
            && matches!(store::standing(store.as_ref(), &self.folder), Ok(Standing::Same))
        {
            // It can be taken over; nothing is lost.
            let _ = claim.end(store.as_ref());
        }
    }
}
