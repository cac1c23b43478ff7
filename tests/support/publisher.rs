//! A publisher: the real command line, working on a repository of its own.

mod archive;
mod item;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use moult_model::{Channel, Digest, Subject, Version};
use serde::{Deserialize, Serialize};

use crate::fixtures::Fixtures;
pub use item::Item;

use archive::Archive;

/// A publisher with a copy of the empty repository and of the keys.
#[derive(Debug)]
pub struct Publisher {
    fixtures: Fixtures,
    folder: PathBuf,
    archive: Option<Archive>,
}

/// What `moult publish` says it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// What was released.
    pub subject: Subject,
    /// As which version.
    pub version: Version,
    /// The digest of the artifact.
    pub digest: Digest,
    /// The size of the artifact in bytes.
    pub size: u64,
    /// The full file.
    pub full: File,
    /// The patches to it.
    pub patches: Vec<PatchFile>,
    /// The channels it is offered on.
    pub channels: Vec<Channel>,
    /// The version of the timestamp that made it public.
    pub timestamp_version: u64,
    /// How long that took.
    pub seconds: f64,
}

/// A file below `targets/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A patch below `targets/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatchFile {
    /// The version it starts from.
    pub from_version: Version,
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its size over that of the full file.
    pub ratio: f64,
}

impl Publisher {
    /// Opens for business in `folder`, which is created.
    pub fn open(fixtures: &Fixtures, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        for part in ["keys", "repository"] {
            copy_tree(&fixtures.folder().join(part), &folder.join(part))?;
        }
        let config = "release.config.json";
        fs::copy(fixtures.folder().join(config), folder.join(config)).context("no configuration")?;
        Ok(Self {
            fixtures: fixtures.clone(),
            folder: folder.to_owned(),
            archive: None,
        })
    }

    /// Remembers what was published, and publishes the same sequence again by copying what the command
    /// line wrote then. Diffing and packing a whole application takes its time, and is the same each time.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.archive = Some(Archive::open(&self.fixtures));
        self
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join("release.config.json")
    }

    /// The repository.
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// Publishes one thing.
    pub fn publish(&mut self, item: &Item) -> anyhow::Result<Published> {
        let arguments = item.arguments(self.fixtures.triple());
        let repository = self.repository();
        if let Some(archive) = &mut self.archive {
            archive.advance(&arguments, &item.source)?;
            if let Some(published) = archive.restore(&repository)? {
                return Ok(published);
            }
        }
        let value = self.run(arguments.iter().map(String::as_str))?;
        let published: Published = serde_json::from_value(value.clone())
            .with_context(|| format!("`moult publish` answered {value}"))?;
        if let Some(archive) = &self.archive {
            archive.keep(&repository, &published)?;
        }
        Ok(published)
    }

    /// Runs the command line with `--json` and reads its answer. Its own words are in the error.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<serde_json::Value> {
        let mut command = Command::new(self.fixtures.moult());
        command
            .arg("--config")
            .arg(self.config())
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::null());
        let output = command
            .output()
            .with_context(|| format!("{command:?} could not be started"))?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            output.status.success(),
            "{command:?} ended with {}:\n{error}",
            output.status
        );
        let answer = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&answer).with_context(|| format!("{command:?} answered {answer:?}"))
    }
}

/// Copies a folder with all in it.
pub fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| target.display().to_string())?;
        }
    }
    Ok(())
}
