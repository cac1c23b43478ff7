//! A download on its way: `<digest>.part` with the bytes so far, and `<digest>.json` beside it, which
//! says what they are the beginning of. Bytes without a sidecar that fits are never built upon.
//!
//! The digest alone says which bytes are right. So the rest may come from another mirror, and from a server that
//! gives no entity tag: what does not fit together is found at the end and costs one more download.

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
    /// The strong entity tag that the last bytes came with, if there was one. Versions before mirrors read only
    /// sidecars that have one.
    #[serde(default)]
    etag: Option<String>,
    /// The address of the repository or mirror that gave the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// The file, with the hash of what is in it. Its calls block.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    sidecar: PathBuf,
    hasher: Hasher,
    length: u64,
    digest: Digest,
    size: u64,
    tag: Option<Tag>,
}

/// A strong entity tag, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    etag: String,
    /// Versions before mirrors did not say.
    from: Option<String>,
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
            digest: *digest,
            size,
            tag: None,
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
                let from = known.from;
                part.tag = known.etag.map(|etag| Tag { etag, from });
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

    /// The strong entity tag that they have at this address, if it is known.
    pub(super) fn etag(&self, address: &str) -> Option<&str> {
        let tag = self.tag.as_ref()?;
        let is_its = tag.from.as_deref().is_none_or(|from| from == address);
        is_its.then_some(tag.etag.as_str())
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
        (self.hasher, self.length, self.tag) = (Hasher::new(), 0, None);
        Ok(())
    }

    /// Says where the bytes to come are from. Only a strong tag says that two answers have the same bytes.
    pub(super) fn bind(&mut self, etag: Option<&str>, address: &str) -> Result<(), UpdateError> {
        let etag = etag.filter(|etag| etag.starts_with('"'));
        let tag = etag.map(|etag| Tag {
            etag: etag.to_owned(),
            from: Some(address.to_owned()),
        });
        if self.length > 0 && tag == self.tag {
            return Ok(());
        }
        let sidecar = Sidecar {
            digest: self.digest,
            size: self.size,
            etag: etag.map(str::to_owned),
            from: tag.as_ref().and_then(|tag| tag.from.clone()),
        };
        let text = serde_json::to_vec(&sidecar).map_err(|source| UpdateError::Disk {
            action: "written",
            path: self.sidecar.clone(),
            source: source.into(),
        })?;
        write_atomic(&self.sidecar, &text)?;
        self.tag = tag;
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
    pub(super) fn digest_so_far(&self) -> Digest {
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
    const HERE: &str = "http://127.0.0.1:1/";

    fn begun(folder: &Path, tag: Option<&str>) -> Digest {
        let digest = Digest::of(b"0123456789");
        let mut part = Part::open(folder, &digest, 10).unwrap();
        part.bind(tag, HERE).unwrap();
        part.append(b"01234").unwrap();
        digest
    }

    #[test]
    fn goes_on_from_the_bytes_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let digest = begun(folder.path(), Some(TAG));
        let mut part = Part::open(folder.path(), &digest, 10).unwrap();
        assert_eq!((part.length(), part.etag(HERE)), (5, Some(TAG)));
        part.append(b"56789").unwrap();
        assert_eq!(part.digest_so_far(), digest);
        part.complete(&folder.path().join("done")).unwrap();
        assert_eq!(fs::read(folder.path().join("done")).unwrap(), b"0123456789");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_tag_counts_only_where_it_was_given_and_only_if_it_is_strong() {
        for (tag, address, expected) in [
            (Some(TAG), HERE, Some(TAG)),
            (Some(TAG), "http://127.0.0.1:2/", None),
            (Some("W/\"one\""), HERE, None),
            (None, HERE, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let digest = begun(folder.path(), tag);
            let part = Part::open(folder.path(), &digest, 10).unwrap();
            assert_eq!(
                (part.length(), part.etag(address)),
                (5, expected),
                "{tag:?} {address}"
            );
        }
    }

    #[test]
    fn a_sidecar_of_a_version_before_mirrors_is_read_and_its_tag_counts_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let digest = begun(folder.path(), None);
        let old = format!("{{\"digest\":\"{digest}\",\"size\":10,\"etag\":\"\\\"one\\\"\"}}");
        fs::write(folder.path().join(format!("{digest}.json")), old).unwrap();
        let part = Part::open(folder.path(), &digest, 10).unwrap();
        assert_eq!((part.length(), part.etag("http://127.0.0.1:9/")), (5, Some(TAG)));
    }

    #[test]
    fn bytes_without_a_sidecar_that_fits_are_never_built_upon() {
        type Damage = fn(&Path, &Digest);
        let cases: [(&str, u64, Damage); 4] = [
            ("another size", 9, |_, _| {}),
            ("no sidecar", 10, |folder, digest| {
                fs::remove_file(folder.join(format!("{digest}.json"))).unwrap();
            }),
            ("a torn sidecar", 10, |folder, digest| {
                fs::write(folder.join(format!("{digest}.json")), "{\"dig").unwrap();
            }),
            ("more bytes than the file has", 10, |folder, digest| {
                fs::write(folder.join(format!("{digest}.part")), "0123456789x").unwrap();
            }),
        ];
        for (name, size, damage) in cases {
            let folder = tempfile::tempdir().unwrap();
            let digest = begun(folder.path(), Some(TAG));
            damage(folder.path(), &digest);
            let part = Part::open(folder.path(), &digest, size).unwrap();
            assert_eq!((part.length(), part.etag(HERE)), (0, None), "{name}");
        }
    }
}
