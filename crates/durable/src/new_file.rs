//! A large file that is written piece by piece and appears whole or not at all. Refuses to know what is
//! in it.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::atomic::{parent_of, unused_sibling};
use crate::{DurableError, fs, patience};

/// Bytes are written in pieces of this size at least.
const PIECE: usize = 256 * 1024;

/// A file under another name beside its place. It is removed if it is not put there.
#[derive(Debug)]
pub struct NewFile {
    file: Option<BufWriter<fs::File>>,
    path: PathBuf,
    to: PathBuf,
}

impl NewFile {
    /// Begins a file that is to stand at `to`, whose folder must be there. A kill can leave what was
    /// written so far beside it (see [`remove_leftovers`](crate::remove_leftovers)).
    pub fn begin(to: &Path) -> Result<Self, DurableError> {
        let path = unused_sibling(to)?;
        match fs::create_new(&path) {
            Ok(file) => Ok(Self {
                file: Some(BufWriter::with_capacity(PIECE, file)),
                path,
                to: to.to_owned(),
            }),
            Err(source) => Err(DurableError::Create { path, source }),
        }
    }

    /// Where it will stand.
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Who may read, write and run it is as with `like`: an executable stays one.
    pub fn set_mode_of(&self, like: &std::fs::File) -> Result<(), DurableError> {
        let set = self
            .file
            .as_ref()
            .map_or(Ok(()), |file| file.get_ref().set_mode_of(like));
        set.map_err(|source| DurableError::Write {
            path: self.path.clone(),
            source,
        })
    }

    /// Waits until all is on the disk, and puts the file in its place, where it replaces what is there.
    ///
    /// If this fails the place is as it was and the file beside it is removed; only where the folder
    /// could not be synced ([`DurableError::Sync`] with the folder's path) the new one may be there.
    pub fn place(mut self) -> Result<(), DurableError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let placed = self.finish(file);
        if placed.is_err() {
            // The first error is the one worth telling; a leftover does no harm.
            let _ = fs::remove_file(&self.path);
        }
        placed?;
        sync_parent(&self.to)
    }

    fn finish(&self, mut file: BufWriter<fs::File>) -> Result<(), DurableError> {
        let flushed = file.flush();
        // What it still holds after an error must not be written again when it is dropped.
        let (file, _) = file.into_parts();
        flushed.map_err(|source| DurableError::Write {
            path: self.path.clone(),
            source,
        })?;
        file.sync().map_err(|source| DurableError::Sync {
            path: self.path.clone(),
            source,
        })?;
        // Windows renames no file that is open.
        drop(file);
        patience::rename_patiently(&self.path, &self.to)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // Nobody wants the bytes that are not written yet.
            drop(file.into_parts());
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn sync_parent(path: &Path) -> Result<(), DurableError> {
    crate::sync_dir(&parent_of(path))
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn appears_when_it_is_placed_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        std::fs::write(&to, "old").unwrap();
        let mut file = NewFile::begin(&to).unwrap();
        let bytes: Vec<u8> = (0..PIECE * 2 + 7).map(|at| at as u8).collect();
        for piece in bytes.chunks(1000) {
            file.write_all(piece).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), b"old");
        }
        file.place().unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), bytes);
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn one_that_is_not_placed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = NewFile::begin(&folder.path().join("file")).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(file);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn one_that_can_not_be_placed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        let file = NewFile::begin(&to).unwrap();
        std::fs::create_dir(&to).unwrap();
        std::fs::write(to.join("kept"), "").unwrap();
        assert!(matches!(file.place(), Err(DurableError::Rename { .. })));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_executable_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (like, to) = (folder.path().join("like"), folder.path().join("file"));
        std::fs::write(&like, "").unwrap();
        std::fs::set_permissions(&like, std::fs::Permissions::from_mode(0o750)).unwrap();
        let file = NewFile::begin(&to).unwrap();
        file.set_mode_of(&std::fs::File::open(&like).unwrap()).unwrap();
        file.place().unwrap();
        assert_eq!(
            std::fs::metadata(&to).unwrap().permissions().mode() & 0o777,
            0o750
        );
    }
}
