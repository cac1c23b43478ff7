//! Files as they will lie on the user's computer. Refuses to know where they came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::InstallerError;

/// The mode of a program.
pub(super) const PROGRAM: u32 = 0o755;
/// The mode of any other file.
pub(super) const FILE: u32 = 0o644;

/// What is at a path.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A file.
    File {
        /// Its content. Shared: the application stands in several trees.
        bytes: Arc<[u8]>,
        /// Its mode.
        mode: u32,
    },
    /// A link to what lies there, seen from it.
    Link(String),
    /// An empty folder.
    Folder,
}

/// Files by their paths, without a `/` at the beginning. What is not named here is not there, so two trees of
/// the same files are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
}

impl Tree {
    pub(super) fn file(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>, mode: u32) {
        let bytes = bytes.into();
        self.entries.insert(path.into(), Entry::File { bytes, mode });
    }

    pub(super) fn text(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.file(path, text.into().into_bytes(), FILE);
    }

    pub(super) fn link(&mut self, path: impl Into<String>, to: impl Into<String>) {
        self.entries.insert(path.into(), Entry::Link(to.into()));
    }

    pub(super) fn folder(&mut self, path: impl Into<String>) {
        self.entries.insert(path.into(), Entry::Folder);
    }

    /// All entries, sorted by their paths.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// Every folder that something lies in, each after the one that it lies in.
    pub(super) fn folders(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (path, entry) in &self.entries {
            if matches!(entry, Entry::Folder) {
                found.insert(path.as_str());
            }
            found.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        }
        found
    }

    /// Writes everything into a folder, which is created.
    pub(super) fn write_to(&self, folder: &Path) -> Result<(), InstallerError> {
        let make = |path: &Path| {
            std::fs::create_dir_all(path)
                .and_then(|()| set_mode(path, PROGRAM))
                .map_err(|source| InstallerError::LayOut {
                    path: path.to_owned(),
                    source,
                })
        };
        make(folder)?;
        for name in self.folders() {
            make(&folder.join(name))?;
        }
        for (name, entry) in &self.entries {
            let path = folder.join(name);
            let written = match entry {
                Entry::File { bytes, mode } => {
                    std::fs::write(&path, bytes).and_then(|()| set_mode(&path, *mode))
                }
                Entry::Link(to) => make_link(to, &path),
                Entry::Folder => Ok(()),
            };
            written.map_err(|source| InstallerError::LayOut { path, source })?;
        }
        Ok(())
    }
}

/// The mode does not depend on the umask of whoever runs this.
#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_link(to: &str, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, path)
}

/// What has links is for Linux, and is made there.
#[cfg(not(unix))]
fn make_link(_to: &str, _path: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_is_named_once_and_after_the_one_it_lies_in() {
        let mut tree = Tree::default();
        tree.text("usr/lib/moult/moult", "");
        tree.text("usr/lib/moult-x", "");
        tree.link("usr/bin/moult", "../lib/moult/moult");
        tree.folder("empty/here");
        let folders: Vec<_> = tree.folders().into_iter().collect();
        assert_eq!(
            folders,
            [
                "empty",
                "empty/here",
                "usr",
                "usr/bin",
                "usr/lib",
                "usr/lib/moult"
            ]
        );
    }
}
