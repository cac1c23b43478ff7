//! A widget's folder: where its manifest is, and where what was built of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moult_model::BundleManifest;

use crate::PublishError;
use crate::bundle_folder::{self, MANIFEST, Packed, read_files};

/// The folder below a project that builds are put into.
const BUILT: &str = "dist";

/// A widget's folder.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder that was named.
    pub folder: PathBuf,
    /// The folder that goes into the bundle: `dist` below it, or the folder itself if nothing is built in it.
    pub built: PathBuf,
}

/// What was built, as it lies on the disk.
#[derive(Clone, Debug)]
pub struct Built {
    /// The manifest as text.
    pub manifest: Vec<u8>,
    /// All other files, by their path in the bundle.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Project {
    /// Finds what was built. A folder that has a build of its own and was never built is refused.
    pub fn open(folder: &Path) -> Result<Self, PublishError> {
        let folder = folder.to_owned();
        let built = folder.join(BUILT);
        if built.join(MANIFEST).is_file() {
            return Ok(Self { folder, built });
        }
        if !folder.join(MANIFEST).is_file() {
            return Err(PublishError::ManifestMissing { folder });
        }
        if folder.join("package.json").is_file() {
            return Err(PublishError::NotBuilt { folder });
        }
        Ok(Self {
            built: folder.clone(),
            folder,
        })
    }

    /// Whether what is built lies apart from what it is built of.
    pub fn is_built_apart(&self) -> bool {
        self.built != self.folder
    }

    /// Reads what was built, within the limits of a bundle.
    pub fn read(&self) -> Result<Built, PublishError> {
        let path = self.built.join(MANIFEST);
        let manifest = std::fs::read(&path).map_err(|source| PublishError::FolderRead { path, source })?;
        Ok(Built {
            manifest,
            files: read_files(&self.built)?,
        })
    }

    /// Makes the bundle of what was read.
    pub fn pack(&self, manifest: BundleManifest, built: Built) -> Result<Packed, PublishError> {
        bundle_folder::assemble(&self.built, manifest, built.files)
    }

    /// What goes into the bundle, as a person finds it.
    pub fn whole(&self) -> &'static str {
        if self.is_built_apart() { BUILT } else { "." }
    }

    /// The path of a file of the bundle as a person finds it.
    pub fn shown(&self, path: &str) -> String {
        if self.is_built_apart() {
            format!("{BUILT}/{path}")
        } else {
            path.to_owned()
        }
    }
}
