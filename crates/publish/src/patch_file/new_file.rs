//! A large file that is written piece by piece and appears whole or not at all. Refuses to know what is
//! in it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::PatchError;

/// What is written at a time.
const PIECE: usize = 256 * 1024;

/// A file under another name beside its place. It is removed if it is not put there.
pub(super) struct NewFile {
    file: BufWriter<File>,
    path: PathBuf,
    to: PathBuf,
    is_placed: bool,
}

impl NewFile {
    /// Begins a file that is to stand at `to`.
    pub(super) fn begin(to: &Path) -> Result<Self, PatchError> {
        let failed = |source| PatchError::Create {
            path: to.to_owned(),
            source,
        };
        let name = to.file_name().ok_or(io::ErrorKind::InvalidFilename);
        let name = name.map_err(|kind| failed(kind.into()))?;
        let mut number = 0_u32;
        loop {
            // The suffix is that of all our files that are not whole yet.
            let mut sibling = OsString::from(".");
            sibling.push(name);
            sibling.push(format!(".{}-{number}.moult-new", std::process::id()));
            let path = to.with_file_name(sibling);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self {
                        file: BufWriter::with_capacity(PIECE, file),
                        path,
                        to: to.to_owned(),
                        is_placed: false,
                    });
                }
                // A process that was killed may have had this one's number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Waits until all is on the disk, and puts the file in its place.
    ///
    /// Who may read, write and run it is as with `like`: an executable stays one.
    pub(super) fn place(mut self, like: &File, may_replace: bool) -> Result<(), PatchError> {
        self.file.flush().map_err(PatchError::write(&self.to))?;
        let like = like
            .metadata()
            .map_err(PatchError::write(&self.to))?
            .permissions();
        if cfg!(unix) {
            let file = self.file.get_ref();
            file.set_permissions(like).map_err(PatchError::write(&self.to))?;
        }
        // It may have come there meanwhile.
        if !may_replace && exists(&self.to) {
            return Err(PatchError::Exists {
                path: self.to.clone(),
            });
        }
        moult_durable::sync_file(&self.path)
            .and_then(|()| moult_durable::rename(&self.path, &self.to))
            .map_err(|source| PatchError::Place {
                path: self.to.clone(),
                source,
            })?;
        self.is_placed = true;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_placed {
            // The first error is the one worth telling; a leftover does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether anything has this name, be it a link to nowhere.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
