//! What was published before, by the sequence that led to it.
//!
//! The files are those that the command line wrote. Bringing them back is what a deployment to a
//! static host does: everything first, the timestamp last.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use moult_model::{Digest, Hasher};

use super::Published;
use crate::fixtures::Fixtures;

/// Metadata that ends sooner than this is made anew.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(2);

#[derive(Debug)]
pub(super) struct Archive {
    folder: PathBuf,
    sequence: Digest,
}

impl Archive {
    pub(super) fn open(fixtures: &Fixtures) -> Self {
        Self {
            folder: fixtures.folder().join("publications"),
            sequence: fixtures.generation(),
        }
    }

    /// Adds a publication to the sequence.
    pub(super) fn advance(&mut self, arguments: &[String], source: &Path) -> anyhow::Result<()> {
        let mut hasher = Hasher::new();
        hasher.update(self.sequence.as_bytes());
        hasher.update(arguments.join("\0").as_bytes());
        digest_into(source, &mut hasher)?;
        self.sequence = hasher.finish();
        Ok(())
    }

    /// Brings the state after this sequence to `repository`, if it is known and still fresh.
    pub(super) fn restore(&self, repository: &Path) -> anyhow::Result<Option<Published>> {
        let folder = self.place();
        let Ok(text) = fs::read(folder.join("published.json")) else {
            return Ok(None);
        };
        let timestamp = Path::new("metadata/timestamp.json");
        let kept = folder.join("repository");
        if !is_fresh(&kept.join(timestamp))? {
            return Ok(None);
        }
        mirror(&kept, repository, &|path| path != kept.join(timestamp))?;
        let bytes = fs::read(kept.join(timestamp))?;
        moult_durable::write_atomic(&repository.join(timestamp), &bytes)?;
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Keeps the state after this sequence.
    pub(super) fn keep(&self, repository: &Path, published: &Published) -> anyhow::Result<()> {
        let folder = self.place();
        let fresh = self
            .folder
            .join(format!("{}.{}", self.sequence.short(), std::process::id()));
        for old in [&folder, &fresh] {
            if old.exists() {
                fs::remove_dir_all(old).with_context(|| old.display().to_string())?;
            }
        }
        mirror(repository, &fresh.join("repository"), &|_| true)?;
        fs::write(
            fresh.join("published.json"),
            serde_json::to_vec_pretty(published)?,
        )?;
        // Another test process may have kept the same meanwhile; either will do.
        if fs::rename(&fresh, &folder).is_err() {
            fs::remove_dir_all(&fresh)?;
        }
        Ok(())
    }

    fn place(&self) -> PathBuf {
        self.folder.join(self.sequence.to_string())
    }
}

fn is_fresh(timestamp: &Path) -> anyhow::Result<bool> {
    let value: serde_json::Value = serde_json::from_slice(&fs::read(timestamp)?)?;
    let expires = value["signed"]["expires"]
        .as_str()
        .context("the timestamp does not say when it ends")?;
    Ok(expires.parse::<Timestamp>()?.duration_since(Timestamp::now()) > FRESH_FOR)
}

/// Copies what is not there yet or differs. Files that are named by their digest are linked: they never change.
fn mirror(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let source = entry?.path();
        let target = to.join(source.file_name().context("no name")?);
        if source.is_dir() {
            mirror(&source, &target, wanted)?;
        } else if wanted(&source) {
            let named_by_digest = from.file_name().is_some_and(|name| name == "files");
            if named_by_digest {
                if !target.exists() && fs::hard_link(&source, &target).is_err() {
                    fs::copy(&source, &target).with_context(|| target.display().to_string())?;
                }
            } else {
                moult_durable::write_atomic(&target, &fs::read(&source)?)?;
            }
        }
    }
    Ok(())
}

fn digest_into(path: &Path, hasher: &mut Hasher) -> anyhow::Result<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
        let mut children = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        children.sort();
        for child in children {
            digest_into(&child, hasher)?;
        }
        return Ok(());
    }
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let (digest, _) = Digest::of_reader(&mut file)?;
    hasher.update(path.as_os_str().as_encoded_bytes());
    hasher.update(digest.as_bytes());
    Ok(())
}
