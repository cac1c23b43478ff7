//! The result of a command, which appears whole or not at all. Refuses to know what is in it, and leaves
//! how that is done to `moult-durable`; here it is told in this command's words.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use moult_durable::DurableError;

use super::PatchError;

/// A file under another name beside its place. It is removed if it is not put there.
pub(super) struct NewFile(moult_durable::NewFile);

impl NewFile {
    /// Begins a file that is to stand at `to`.
    pub(super) fn begin(to: &Path) -> Result<Self, PatchError> {
        let failed = |source| PatchError::Create {
            path: to.to_owned(),
            source,
        };
        moult_durable::NewFile::begin(to)
            .map(Self)
            .map_err(|error| match error {
                DurableError::Create { source, .. } => failed(source),
                DurableError::NoFileName { .. } => failed(io::ErrorKind::InvalidFilename.into()),
                other => failed(io::Error::other(other)),
            })
    }

    /// Waits until all is on the disk, and puts the file in its place.
    ///
    /// Who may read, write and run it is as with `like`: an executable stays one.
    pub(super) fn place(self, like: File, may_replace: bool) -> Result<(), PatchError> {
        let Self(file) = self;
        let to = file.to().to_owned();
        let failed = |error| match error {
            DurableError::Write { source, .. } => PatchError::write(&to)(source),
            source => PatchError::Place {
                path: to.clone(),
                source,
            },
        };
        file.set_mode_of(&like).map_err(failed)?;
        // It may be the one that is replaced, which must not be open then on Windows.
        drop(like);
        // It may have come there meanwhile.
        if !may_replace && exists(&to) {
            return Err(PatchError::Exists { path: to });
        }
        file.place().map_err(failed)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether anything has this name, be it a link to nowhere.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
