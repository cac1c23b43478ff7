//! `moult keys encrypt`: closes the keys of the key folder with a passphrase.

use std::fmt;
use std::path::PathBuf;

use moult_trust::sign::{Cost, Keys};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::passphrase;
use crate::repository::{has_keys, lock, sign_error};

#[derive(Serialize)]
struct Encrypted {
    folder: PathBuf,
    /// The files that were closed.
    files: Vec<String>,
}

pub(super) fn run(context: &Context) -> Result<(), PublishError> {
    let folder = context.workspace()?.keys();
    if !has_keys(&folder) {
        return Err(PublishError::KeysMissing { folder });
    }
    let _lock = lock(&folder)?;
    let failed = || sign_error("the keys can't be encrypted");
    let keys = Keys::open(&folder).map_err(sign_error("the keys can't be read"))?;
    // One passphrase for all of them: with two nobody would know which is for which.
    let passphrase = if keys.has_sealed().map_err(failed())? {
        let known = passphrase::ask(&folder).ok_or(PublishError::NoPassphrase)?;
        keys.try_passphrase(&known).map_err(failed())?;
        known
    } else {
        passphrase::new(&folder)?
    };
    let files = keys.seal(&passphrase, Cost::default()).map_err(failed())?;
    context.output.report(&Encrypted { folder, files })
}

impl fmt::Display for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            writeln!(f, "encrypted  {file}")?;
        }
        writeln!(f, "keys       {}", self.folder.display())?;
        if self.files.is_empty() {
            write!(f, "\nAll of them were encrypted already.")
        } else {
            write!(
                f,
                "\nWithout the passphrase they can't be used any more. A key that others could read before is to be replaced, \
                 not encrypted."
            )
        }
    }
}
