//! Says what a file or folder is. It tells what is written there and verifies no signature.

mod keys;
mod metadata;
mod patch;
pub(crate) mod repository;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use moult_model::{Bundle, BundleManifest, Digest};
use serde::Serialize;

use crate::output::Size;
use crate::{PublishError, full_file};
use keys::KeyFolder;
pub use patch::PatchHeader;
use repository::Repository;

const BUNDLE_MAGIC: &[u8] = b"MOULTBDL";
pub(crate) const PATCH_MAGIC: &[u8] = b"MOULTPCH";
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The most bytes of an artifact that are unpacked to look at it.
const MAX_UNPACKED: u64 = 1 << 30;

/// What a file or folder is.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Inspected {
    /// A bundle, as it is installed.
    Bundle(BundleFile),
    /// A patch.
    Patch(PatchHeader),
    /// An artifact as it is downloaded.
    FullFile(FullFile),
    /// A repository.
    Repository(Repository),
    /// Keys: their public part.
    Keys(KeyFolder),
}

/// A bundle's manifest and entries.
#[derive(Debug, Serialize)]
pub struct BundleFile {
    size: u64,
    digest: Digest,
    manifest: BundleManifest,
    entries: Vec<EntrySize>,
}

#[derive(Debug, Serialize)]
struct EntrySize {
    path: String,
    size: u64,
}

#[derive(Debug, Serialize)]
struct Identity {
    size: u64,
    digest: Digest,
}

/// A packed artifact.
#[derive(Debug, Serialize)]
pub struct FullFile {
    size: u64,
    digest: Digest,
    artifact: Identity,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<BundleFile>,
}

/// Looks at a file or folder.
pub fn look_at(path: &Path) -> Result<Inspected, PublishError> {
    let read_error = |source| PublishError::InspectRead {
        path: path.to_owned(),
        source,
    };
    let unknown = || PublishError::InspectUnknown {
        path: path.to_owned(),
    };
    if std::fs::metadata(path).map_err(read_error)?.is_dir() {
        if path.join("metadata").is_dir() {
            return Repository::read(path).map(Inspected::Repository);
        }
        if path.join("public/minisign.pub").is_file() {
            return KeyFolder::read(path).map(Inspected::Keys);
        }
        return Err(unknown());
    }
    let mut file = File::open(path).map_err(read_error)?;
    let mut magic = Vec::new();
    file.by_ref()
        .take(8)
        .read_to_end(&mut magic)
        .map_err(read_error)?;
    let is_known = magic == BUNDLE_MAGIC || magic == PATCH_MAGIC || magic.starts_with(ZSTD_MAGIC);
    if !is_known {
        return Err(unknown());
    }
    let mut bytes = magic;
    file.read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.starts_with(BUNDLE_MAGIC) {
        return bundle(path, bytes).map(Inspected::Bundle);
    }
    if bytes.starts_with(PATCH_MAGIC) {
        return patch(path, &bytes).map(Inspected::Patch);
    }
    full(path, &bytes).map(Inspected::FullFile)
}

fn bundle(path: &Path, bytes: Vec<u8>) -> Result<BundleFile, PublishError> {
    let bundle = Bundle::parse(bytes).map_err(|source| PublishError::InspectBundle {
        path: path.to_owned(),
        source,
    })?;
    let entry = |path: &str| {
        let size = bundle.file(path).map_or(0, <[u8]>::len) as u64;
        EntrySize {
            path: path.to_owned(),
            size,
        }
    };
    Ok(BundleFile {
        size: bundle.bytes().len() as u64,
        digest: bundle.digest(),
        manifest: bundle.manifest().clone(),
        entries: bundle.paths().map(entry).collect(),
    })
}

fn patch(path: &Path, bytes: &[u8]) -> Result<PatchHeader, PublishError> {
    if let Ok(header) = moult_containers::inspect(bytes) {
        let size = bytes.len() as u64;
        return Ok(PatchHeader::of_containers(size, Digest::of(bytes), &header));
    }
    let header = moult_delta::inspect(bytes).map_err(|source| PublishError::InspectPatch {
        path: path.to_owned(),
        source,
    })?;
    Ok(PatchHeader::new(bytes.len() as u64, Digest::of(bytes), &header))
}

fn full(path: &Path, bytes: &[u8]) -> Result<FullFile, PublishError> {
    let read_error = |source| PublishError::InspectRead {
        path: path.to_owned(),
        source,
    };
    let artifact = full_file::decompress(bytes, MAX_UNPACKED).map_err(read_error)?;
    if artifact.len() as u64 > MAX_UNPACKED {
        return Err(read_error(io::ErrorKind::FileTooLarge.into()));
    }
    let identity = Identity {
        size: artifact.len() as u64,
        digest: Digest::of(&artifact),
    };
    let inside = artifact
        .starts_with(BUNDLE_MAGIC)
        .then(|| bundle(path, artifact))
        .transpose()?;
    Ok(FullFile {
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
        artifact: identity,
        bundle: inside,
    })
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(bundle) => write!(f, "bundle  {bundle}"),
            Self::Patch(patch) => patch.fmt(f),
            Self::FullFile(file) => {
                writeln!(f, "full file  {:>10}  sha256 {}", Size(file.size), file.digest)?;
                match &file.bundle {
                    Some(bundle) => write!(f, "bundle     {bundle}"),
                    None => write!(f, "artifact   {}", file.artifact),
                }
            }
            Self::Repository(repository) => repository.fmt(f),
            Self::Keys(keys) => keys.fmt(f),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}  sha256 {}", Size(self.size), self.digest)
    }
}

impl fmt::Display for BundleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.manifest;
        writeln!(f, "{:>10}  sha256 {}", Size(self.size), self.digest)?;
        writeln!(f, "  {} {}, \"{}\"", manifest.id, manifest.version, manifest.name)?;
        writeln!(
            f,
            "  host api {} to {}",
            manifest.host_api.min, manifest.host_api.max
        )?;
        if let Some(state) = manifest.state {
            writeln!(
                f,
                "  state schema {}, reads from {}",
                state.schema, state.reads_from
            )?;
        }
        for permission in &manifest.permissions {
            writeln!(f, "  asks for {}: {}", permission.capability, permission.reason)?;
        }
        for entry in &self.entries {
            writeln!(f, "  {:>10}  {}", Size(entry.size), entry.path)?;
        }
        Ok(())
    }
}
