//! A download on its way: `<digest>.part` with the bytes so far, and `<digest>.json` beside it, which
//! says what they are the beginning of. Bytes without a sidecar that fits are never built upon.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use moult_durable::fs::{self, File};
use moult_durable::{rename_patiently, write_atomic};
use moult_model::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::error::UpdateError;

/// What the bytes of a `.part` are the beginning of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sidecar {
    digest: Digest,
    size: u64,
    /// A strong entity tag: without one the server can't be asked for the rest of the same bytes.
    etag: String,
}

/// The file, with the hash of what is in it. Its calls block.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    sidecar: PathBuf,
    hasher: Hasher,
    length: u64,
    etag: Option<String>,
}

impl Part {
    /// Opens what is there of a file, or begins it.
    pub(super) fn open(staging: &Path, digest: &Digest, size: u64) -> Result<Self, UpdateError> {
        let path = staging.join(format!("{digest}.part"));
        let sidecar = staging.join(format!("{digest}.json"));
        let file = fs::open_or_create(&path).map_err(UpdateError::disk("opened", &path))?;
        let mut part = Self {
            file,
            path,
            sidecar,
            hasher: Hasher::new(),
            length: 0,
            etag: None,
        };
        let length = part
            .file
            .metadata()
            .map_err(UpdateError::disk("read", &part.path))?
            .len();
        let known = part
            .read_sidecar()
            .filter(|known| known.digest == *digest && known.size == size);
        match known {
            Some(known) if length > 0 && length <= size => {
                let mut so_far = (&mut part.file).take(length);
                io::copy(&mut so_far, &mut part.hasher).map_err(UpdateError::disk("read", &part.path))?;
                part.length = length;
                part.etag = Some(known.etag);
            }
            _ if length > 0 => part.start_over()?,
            _ => {}
        }
        Ok(part)
    }

    /// How many bytes are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The entity tag they came with.
    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Forgets all bytes.
    pub(super) fn start_over(&mut self) -> Result<(), UpdateError> {
        let length = self
            .file
            .metadata()
            .map_err(UpdateError::disk("read", &self.path))?
            .len();
        if length > 0 {
            self.file
                .set_length(0)
                .map_err(UpdateError::disk("written", &self.path))?;
            self.file
                .seek(SeekFrom::Start(0))
                .map_err(UpdateError::disk("written", &self.path))?;
        }
        (self.hasher, self.length, self.etag) = (Hasher::new(), 0, None);
        Ok(())
    }

    /// Says what the bytes to come belong to. Without a strong tag they can't be built upon later.
    pub(super) fn bind(&mut self, digest: &Digest, size: u64, etag: Option<&str>) -> Result<(), UpdateError> {
        let Some(etag) = etag.filter(|etag| etag.starts_with('"')) else {
            self.etag = None;
            return remove(&self.sidecar);
        };
        let sidecar = Sidecar {
            digest: *digest,
            size,
            etag: etag.to_owned(),
        };
        let text = serde_json::to_vec(&sidecar).map_err(|source| UpdateError::Disk {
            action: "written",
            path: self.sidecar.clone(),
            source: source.into(),
        })?;
        write_atomic(&self.sidecar, &text)?;
        self.etag = Some(etag.to_owned());
        Ok(())
    }

    /// Adds bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), UpdateError> {
        self.file
            .write_all(bytes)
            .map_err(UpdateError::disk("written", &self.path))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The digest of all bytes so far.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Renames the complete file, which the caller has compared with its digest.
    pub(super) fn complete(self, to: &Path) -> Result<(), UpdateError> {
        let Self {
            file, path, sidecar, ..
        } = self;
        // Else a power cut could leave the name of a complete file on what is none.
        file.sync().map_err(UpdateError::disk("synced", &path))?;
        drop(file);
        rename_patiently(&path, to)?;
        remove(&sidecar)
    }

    /// Deletes the file.
    pub(super) fn delete(self) -> Result<(), UpdateError> {
        let Self {
            file, path, sidecar, ..
        } = self;
        drop(file);
        remove(&path)?;
        remove(&sidecar)
    }

    fn read_sidecar(&self) -> Option<Sidecar> {
        // A sidecar that can't be read means starting over, which is always right.
        serde_json::from_slice(&std::fs::read(&self.sidecar).ok()?).ok()
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), UpdateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(UpdateError::disk("removed", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;

    const TAG: &str = "\"one\"";

    fn begun(folder: &Path, tag: Option<&str>) -> Digest {
        let digest = Digest::of(b"0123456789");
        let mut part = Part::open(folder, &digest, 10).unwrap();
        part.bind(&digest, 10, tag).unwrap();
        part.append(b"01234").unwrap();
        digest
    }

    #[test]
    fn goes_on_from_the_bytes_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let digest = begun(folder.path(), Some(TAG));
        let mut part = Part::open(folder.path(), &digest, 10).unwrap();
        assert_eq!((part.length(), part.etag()), (5, Some(TAG)));
        part.append(b"56789").unwrap();
        assert_eq!(part.digest(), digest);
        part.complete(&folder.path().join("done")).unwrap();
        assert_eq!(fs::read(folder.path().join("done")).unwrap(), b"0123456789");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn bytes_without_a_sidecar_that_fits_are_never_built_upon() {
        type Damage = fn(&Path, &Digest);
        let cases: [(&str, Option<&str>, u64, Damage); 6] = [
            ("no entity tag", None, 10, |_, _| {}),
            ("a weak entity tag", Some("W/\"one\""), 10, |_, _| {}),
            ("another size", Some(TAG), 9, |_, _| {}),
            ("no sidecar", Some(TAG), 10, |folder, digest| {
                fs::remove_file(folder.join(format!("{digest}.json"))).unwrap();
            }),
            ("a torn sidecar", Some(TAG), 10, |folder, digest| {
                fs::write(folder.join(format!("{digest}.json")), "{\"dig").unwrap();
            }),
            ("more bytes than the file has", Some(TAG), 10, |folder, digest| {
                fs::write(folder.join(format!("{digest}.part")), "0123456789x").unwrap();
            }),
        ];
        for (name, tag, size, damage) in cases {
            let folder = tempfile::tempdir().unwrap();
            let digest = begun(folder.path(), tag);
            damage(folder.path(), &digest);
            let part = Part::open(folder.path(), &digest, size).unwrap();
            assert_eq!((part.length(), part.etag()), (0, None), "{name}");
        }
    }
}
