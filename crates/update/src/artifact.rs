//! From downloaded bytes to an installed version, as types: `Fetched -> Rebuilt -> Verified -> Staged`.
//!
//! Only [`Verified`] can be handed to a store, and only [`Verified::check`] makes one. All calls here
//! block. This module refuses to know when any of this happens.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moult_boot::{BundleStore, SlotName, Store};
use moult_delta::{ApplyError, Limits};
use moult_durable::{DurableError, fs, open_patiently};
use moult_model::index::Encoding;
use moult_model::{Bundle, Digest, Hasher, Index, Release, Subject, Version};
use moult_trust::Authentic;

use crate::error::UpdateError;
use crate::fetch::Fetched;
use crate::plan::Edge;

/// Bytes are written in pieces of this size at least; only the last one is shorter.
const PIECE: usize = 256 * 1024;

/// A release of an index that was verified. It can't be made from anything else.
#[derive(Clone, Debug)]
pub struct AuthenticRelease {
    index: Arc<Authentic<Index>>,
    place: usize,
}

/// An artifact that was rebuilt from verified downloads and has not been compared with its release.
/// The file is deleted with the value.
#[derive(Debug)]
pub struct Rebuilt {
    file: Scratch,
}

/// Which of several patches failed, and why.
#[derive(Debug)]
pub struct PatchFailure {
    /// Its place in the order.
    pub place: usize,
    /// Why.
    pub error: Box<UpdateError>,
}

/// An artifact that has the digest, the size and, for executables, the signature of its release.
/// The file is deleted with the value, unless a store took it.
#[derive(Debug)]
pub struct Verified {
    file: Scratch,
    subject: Subject,
    version: Version,
    digest: Digest,
}

/// A verified artifact in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged {
    /// An executable in its slot.
    Executable {
        /// The slot.
        slot: SlotName,
    },
    /// A bundle.
    Bundle {
        /// Its file.
        path: PathBuf,
    },
}

/// What a bundle or an executable must be, beside its digest.
#[derive(Clone, Copy, Debug)]
pub struct Demands<'a> {
    /// The minisign key of executables, base64 as Tauri has it.
    pub minisign: &'a str,
    /// The version of the host's contract with bundles.
    pub host_api: u32,
}

impl AuthenticRelease {
    /// The release at a place of an index.
    pub fn new(index: Arc<Authentic<Index>>, place: usize) -> Option<Self> {
        (place < index.releases.len()).then_some(Self { index, place })
    }

    /// The index that lists it.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What it is a release of.
    pub fn subject(&self) -> &Subject {
        &self.index.subject
    }
}

impl Deref for AuthenticRelease {
    type Target = Release;

    fn deref(&self) -> &Release {
        &self.index.releases[self.place]
    }
}

impl Rebuilt {
    /// Unpacks a full file into `to`. More bytes than the release has are never written.
    pub fn unpack(fetched: &Fetched, release: &AuthenticRelease, to: &Path) -> Result<Self, UpdateError> {
        let file = Scratch::new(to);
        let packed = open_again(fetched.path())?;
        let failed = |source| UpdateError::Unpack {
            path: fetched.path().to_owned(),
            source,
        };
        match release.full.encoding {
            Encoding::Identity => copy(packed, release.size, &file, &failed)?,
            Encoding::Zstd => {
                let decoder = zstd::Decoder::new(packed).map_err(failed)?;
                copy(decoder, release.size, &file, &failed)?;
            }
        }
        Ok(Self { file })
    }

    /// Applies patches in order, the first to the file `base`. Each result is written beside `to`, with
    /// a number behind its name.
    pub fn patch(base: &Path, patches: &[(Fetched, Edge)], to: &Path) -> Result<Self, PatchFailure> {
        let mut last: Option<Scratch> = None;
        for (place, (fetched, edge)) in patches.iter().enumerate() {
            let old = last.as_ref().map_or(base, |file| file.path.as_path());
            let out = Scratch::new(&numbered(to, place));
            apply(old, fetched, edge, &out.path).map_err(|error| PatchFailure {
                place,
                error: Box::new(error),
            })?;
            last = Some(out);
        }
        let Some(last) = last else {
            return Err(PatchFailure {
                place: 0,
                error: Box::new(UpdateError::Abandoned),
            });
        };
        // What lies between is gone; the last result is the artifact, under its own name.
        Ok(Self { file: last })
    }

    /// Copies an artifact that a store keeps, so that it is verified like a new one.
    pub fn copy_of(kept: &Path, release: &AuthenticRelease, to: &Path) -> Result<Self, UpdateError> {
        let file = Scratch::new(to);
        let source = File::open(kept).map_err(UpdateError::disk("opened", kept))?;
        copy(source, release.size, &file, &|error| {
            UpdateError::disk("read", kept)(error)
        })?;
        Ok(Self { file })
    }
}

impl Verified {
    /// Compares an artifact with its release: digest, size, and then an executable's signature or what a
    /// bundle says of itself.
    pub fn check(
        rebuilt: Rebuilt,
        release: &AuthenticRelease,
        demands: Demands<'_>,
    ) -> Result<Self, UpdateError> {
        let Rebuilt { file } = rebuilt;
        let version = release.version.clone();
        let open = || open_again(&file.path);
        let found = Digest::of_reader(&mut BufReader::with_capacity(1 << 16, open()?));
        if found.map_err(UpdateError::disk("read", &file.path))? != (release.digest, release.size) {
            return Err(UpdateError::NotTheRelease { version });
        }
        let subject = release.subject().clone();
        if subject == Subject::Executable {
            let Some(signature) = &release.signature else {
                return Err(UpdateError::Unsigned { version });
            };
            moult_trust::verify_signature(demands.minisign, signature, open()?, &version)?;
        } else {
            check_bundle(&file.path, &subject, release, demands.host_api)?;
        }
        Ok(Self {
            file,
            subject,
            version,
            digest: release.digest,
        })
    }

    /// Hands an executable to its store, which hashes it once more.
    pub fn into_slot(self, store: &Store) -> Result<Staged, UpdateError> {
        let slot = store.install(&self.file.path, &self.version, self.digest)?;
        Ok(Staged::Executable { slot })
    }

    /// Hands a bundle to its store, which hashes it once more.
    pub fn into_bundle(self, store: &BundleStore) -> Result<Staged, UpdateError> {
        let path = store.install(&self.file.path, &self.subject, &self.version, self.digest)?;
        Ok(Staged::Bundle { path })
    }
}

/// A file that is deleted when it is no longer needed. One that was renamed is left alone.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "a scratch file could not be removed");
            }
            _ => {}
        }
    }
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Opens what was written a moment ago. A virus scanner may hold it for a while, or have taken it away.
fn open_again(path: &Path) -> Result<File, UpdateError> {
    open_patiently(path).map_err(|error| match error {
        DurableError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => UpdateError::Taken {
            path: path.to_owned(),
        },
        error => error.into(),
    })
}

/// Copies exactly `size` bytes, or fails. Reading and writing errors are told apart.
fn copy(
    mut from: impl io::Read,
    size: u64,
    to: &Scratch,
    failed: &dyn Fn(io::Error) -> UpdateError,
) -> Result<(), UpdateError> {
    let written = || UpdateError::disk("written", &to.path);
    let mut out = fs::create(&to.path).map_err(written())?;
    let mut buffer = Vec::with_capacity(PIECE);
    let mut total = 0;
    loop {
        buffer.clear();
        let whole = from.by_ref().take(PIECE as u64).read_to_end(&mut buffer);
        let length = whole.map_err(failed)?;
        if length == 0 {
            break;
        }
        total += length as u64;
        if total > size {
            return Err(failed(io::Error::other(format!(
                "it holds more than {size} bytes"
            ))));
        }
        out.write_all(&buffer).map_err(written())?;
    }
    if total < size {
        return Err(failed(io::Error::other(format!(
            "it holds {total} bytes, not {size}"
        ))));
    }
    Ok(())
}

/// One patch. The result must be the artifact that the index names.
fn apply(old: &Path, fetched: &Fetched, edge: &Edge, to: &Path) -> Result<(), UpdateError> {
    let Edge::Patch {
        patch, result_size, ..
    } = edge
    else {
        return Err(UpdateError::Abandoned);
    };
    let mut old_file = File::open(old).map_err(UpdateError::disk("opened", old))?;
    let patch_file = open_again(fetched.path())?;
    let out_file = fs::create(to).map_err(UpdateError::disk("written", to))?;
    let mut out = Tee {
        file: BufWriter::with_capacity(PIECE, out_file),
        hasher: Hasher::new(),
    };
    let limits = Limits::exactly(*result_size);
    match moult_delta::apply(&mut old_file, patch_file, &mut out, limits) {
        Ok(_) => {}
        Err(ApplyError::New(source)) => return Err(UpdateError::disk("written", to)(source)),
        Err(source) => {
            return Err(UpdateError::Apply {
                path: fetched.path().to_owned(),
                source,
            });
        }
    }
    out.file.flush().map_err(UpdateError::disk("written", to))?;
    if out.hasher.finish() == patch.to {
        Ok(())
    } else {
        Err(UpdateError::WrongResult {
            path: fetched.path().to_owned(),
        })
    }
}

/// Writes and hashes.
struct Tee {
    file: BufWriter<fs::File>,
    hasher: Hasher,
}

impl io::Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A bundle must say of itself what its release says: consent was asked on the release's word.
fn check_bundle(path: &Path, subject: &Subject, release: &Release, host_api: u32) -> Result<(), UpdateError> {
    let version = release.version.clone();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(UpdateError::disk("opened", path))?;
    file.take(Bundle::MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(UpdateError::disk("read", path))?;
    let bundle = Bundle::parse(bytes).map_err(|source| UpdateError::Bundle {
        subject: subject.clone(),
        version: version.clone(),
        source: Box::new(source),
    })?;
    let manifest = bundle.manifest();
    let what = if manifest.id != *subject {
        "its id"
    } else if manifest.version != version {
        "its version"
    } else if manifest.permissions != release.permissions {
        "its permissions"
    } else if Some(manifest.host_api) != release.host_api || !manifest.host_api.admits(host_api) {
        "the hosts it runs in"
    } else {
        return Ok(());
    };
    Err(UpdateError::Contradiction {
        subject: subject.clone(),
        version,
        what,
    })
}

#[cfg(test)]
mod tests {
    use moult_model::ErrorCode;

    use super::*;

    #[test]
    fn a_file_that_was_here_a_moment_ago_was_taken_away() {
        let error = open_again(Path::new("/no/such/folder/file.download"));
        let error = error.map(drop).map_err(|error| (error.code(), error.to_string()));
        let told = "`/no/such/folder/file.download` was taken away by another program";
        assert_eq!(error, Err((ErrorCode::FileHeld, told.to_owned())));
    }
}
