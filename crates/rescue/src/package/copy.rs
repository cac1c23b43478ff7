//! A copy of the caller's file that the caller can't reach. Refuses to judge what is in it, beside which
//! kind of package it is.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::foreign::open;
use super::{PackageError, System};
use moult_durable::{DurableError, create_dir_all, fs};
use moult_model::{Digest, Hasher};

/// The largest package, in bytes.
const MAX_PACKAGE: u64 = 1 << 30;
/// The largest signature file, in bytes.
const MAX_SIGNATURE: u64 = 4096;
/// Bytes are copied in pieces of this size.
const PIECE: usize = 256 * 1024;
/// What anybody but the owner may do with a file or folder.
const OTHERS: u32 = 0o077;
/// The copy's name. There is one at a time.
const NAME: &str = "copy.package";

/// Which package manager understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deb,
    Rpm,
}

/// The copy. It is removed with the value.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    digest: Digest,
}

/// Makes sure that a folder is there, and that its owner, who runs this, is the only one who can enter it.
pub(super) fn own_folder(path: &Path) -> Result<(), PackageError> {
    if std::fs::symlink_metadata(path).is_err() {
        create_dir_all(path)?;
        fs::set_mode(path, 0o700).map_err(|source| DurableError::Write {
            path: path.to_owned(),
            source,
        })?;
    }
    let own = rustix::process::geteuid().as_raw();
    // Not followed: a link could lead to a folder of somebody else by the next call.
    let is_own = std::fs::symlink_metadata(path)
        .is_ok_and(|data| data.is_dir() && data.uid() == own && data.mode() & OTHERS == 0);
    if is_own {
        Ok(())
    } else {
        Err(PackageError::Folder {
            path: path.to_owned(),
        })
    }
}

/// The text of `<file>.sig`.
pub(super) fn signature_of(file: &Path, caller: u32) -> Result<String, PackageError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    let opened = open(Path::new(&name), caller, MAX_SIGNATURE)?;
    let mut text = String::new();
    let read = opened.take(MAX_SIGNATURE).read_to_string(&mut text);
    read.map_err(|_| PackageError::Refused)?;
    Ok(text.trim().to_owned())
}

impl Copy {
    /// Copies the caller's file and hashes what is written.
    pub(super) fn make(file: &Path, system: &System) -> Result<Self, PackageError> {
        let from = open(file, system.caller, MAX_PACKAGE)?;
        let path = system.work.join(NAME);
        // What a kill left behind. The lock is held, so it is nobody's.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(PackageError::Copy { path, source: error });
            }
            _ => {}
        }
        let mut copy = Self {
            path,
            digest: Digest::of(b""),
        };
        copy.digest = copy.fill(from)?;
        Ok(copy)
    }

    fn fill(&self, from: File) -> Result<Digest, PackageError> {
        let failed = |source| PackageError::Copy {
            path: self.path.clone(),
            source,
        };
        let mut to = fs::create_new_with_mode(&self.path, 0o600).map_err(failed)?;
        // A file that grows meanwhile is no reason to fill the disk.
        let mut from = from.take(MAX_PACKAGE + 1);
        let mut hasher = Hasher::new();
        let mut total = 0;
        let mut piece = vec![0; PIECE];
        loop {
            let length = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(PackageError::Refused),
            };
            total += length as u64;
            if total > MAX_PACKAGE {
                return Err(PackageError::Refused);
            }
            hasher.update(&piece[..length]);
            to.write_all(&piece[..length]).map_err(failed)?;
        }
        to.sync().map_err(failed)?;
        Ok(hasher.finish())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes of the copy, from its beginning.
    pub(super) fn read(&self) -> Result<File, PackageError> {
        File::open(&self.path).map_err(|source| PackageError::Copy {
            path: self.path.clone(),
            source,
        })
    }

    /// Told by how it begins, never by its name.
    pub(super) fn kind(&self) -> Result<Kind, PackageError> {
        let mut start = Vec::new();
        let read = self.read()?.take(21).read_to_end(&mut start);
        read.map_err(|_| PackageError::Refused)?;
        if start == b"!<arch>\ndebian-binary" {
            Ok(Kind::Deb)
        } else if start.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
            Ok(Kind::Rpm)
        } else {
            Err(PackageError::Refused)
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Nobody else can read it, and the next call removes it first.
        let _ = fs::remove_file(&self.path);
    }
}
