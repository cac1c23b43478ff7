//! From a built folder to the bytes of a bundle. It reads; it signs and writes nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use moult_model::{Bundle, BundleError, BundleManifest, Subject};

use crate::PublishError;
use crate::widget::component;

/// The manifest's name.
pub(crate) const MANIFEST: &str = "moult.json";

/// A bundle that was packed.
#[derive(Clone, Debug)]
pub struct Packed {
    /// What it says of itself.
    pub manifest: BundleManifest,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// Packs the manifest and every other file below `folder`, all of them plain files. The same
/// files always give the same bytes: times, rights and the order on disk don't matter.
pub fn pack(folder: &Path, subject: &Subject) -> Result<Packed, PublishError> {
    let manifest = read_manifest(folder)?;
    let path = folder.join(MANIFEST);
    if manifest.id != *subject {
        return Err(PublishError::ManifestId {
            path,
            found: manifest.id,
            wanted: subject.clone(),
        });
    }
    if let Some(problem) = problem(&manifest) {
        return Err(PublishError::ManifestValue { path, problem });
    }
    assemble(folder, manifest, read_files(folder)?)
}

/// Reads every file below `folder` but the manifest.
pub(crate) fn read_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, PublishError> {
    let mut files = Files::default();
    files.read(folder, folder, "")?;
    files.files.remove(MANIFEST);
    Ok(files.files)
}

/// Makes the bundle. Logic that is a core module, as compilers make it, becomes a component on its way.
pub(crate) fn assemble(
    folder: &Path,
    manifest: BundleManifest,
    mut files: BTreeMap<String, Vec<u8>>,
) -> Result<Packed, PublishError> {
    let logic = manifest.entry.logic.as_ref();
    if let Some((path, bytes)) = logic.and_then(|path| Some((path, files.get_mut(path)?)))
        && component::is_module(bytes)
    {
        *bytes = component::encode(bytes).map_err(|source| PublishError::Logic {
            path: folder.join(path),
            source,
        })?;
    }
    let pack_error = |source| PublishError::Pack {
        folder: folder.to_owned(),
        source,
    };
    let bytes = Bundle::pack(&manifest, &files).map_err(pack_error)?;
    Ok(Packed { manifest, bytes })
}

/// What a manifest of the right shape says that can't work.
fn problem(manifest: &BundleManifest) -> Option<String> {
    let host = manifest.host_api;
    if host.min > host.max {
        return Some(format!(
            "`host_api.min` is {}, which is above `host_api.max`, {}",
            host.min, host.max
        ));
    }
    let state = manifest.state?;
    (state.reads_from > state.schema).then(|| {
        format!(
            "`state.reads_from` is {}, which is above `state.schema`, {}",
            state.reads_from, state.schema
        )
    })
}

fn read_manifest(folder: &Path) -> Result<BundleManifest, PublishError> {
    let path = folder.join(MANIFEST);
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|source| PublishError::ManifestParse { path, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
            Err(PublishError::ManifestMissing {
                folder: folder.to_owned(),
            })
        }
        Err(source) if folder.is_dir() => Err(PublishError::FolderRead { path, source }),
        Err(source) => Err(PublishError::FolderRead {
            path: folder.to_owned(),
            source,
        }),
    }
}

/// The files read so far, and how many bytes they have: reading stops at the limit of a bundle.
#[derive(Default)]
struct Files {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Files {
    fn read(&mut self, top: &Path, folder: &Path, prefix: &str) -> Result<(), PublishError> {
        let read_error = |path: &Path| {
            let path = path.to_owned();
            |source| PublishError::FolderRead { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(read_error(folder))? {
            let entry = entry.map_err(read_error(folder))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(PublishError::FileName { path });
            };
            let inside = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            // The kind of the entry itself: a link could lead to any file of this computer.
            let kind = entry.file_type().map_err(read_error(&path))?;
            if kind.is_dir() {
                self.read(top, &path, &inside)?;
            } else if kind.is_file() {
                let size = entry.metadata().map_err(read_error(&path))?.len();
                self.bytes = self.bytes.saturating_add(size);
                self.check(top)?;
                self.files
                    .insert(inside, std::fs::read(&path).map_err(read_error(&path))?);
            } else {
                return Err(PublishError::NotAFile { path });
            }
        }
        Ok(())
    }

    fn check(&self, top: &Path) -> Result<(), PublishError> {
        let too_large = self.bytes > Bundle::MAX_BYTES;
        let too_many = self.files.len() > Bundle::MAX_ENTRIES;
        let source = match (too_large, too_many) {
            (true, _) => BundleError::TooLarge(self.bytes),
            (_, true) => BundleError::TooManyEntries(self.files.len()),
            _ => return Ok(()),
        };
        Err(PublishError::Pack {
            folder: top.to_owned(),
            source,
        })
    }
}
