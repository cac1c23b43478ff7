//! The bundle file: a header, the manifest with the table of entries, and the entries' bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::check::{self, ManifestError};
use super::manifest::{BundleKind, BundleManifest};
use crate::{Digest, Subject};

const MAGIC: &[u8; 8] = b"MOULTBDL";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 16;

/// A bundle in memory, every entry of which matches its digest.
#[derive(Clone)]
pub struct Bundle {
    bytes: Arc<[u8]>,
    manifest: BundleManifest,
    entries: BTreeMap<String, std::ops::Range<usize>>,
}

/// A file in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path: relative, `/` between parts, no `.` or `..` part.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    manifest: BundleManifest,
    entries: Vec<Entry>,
}

/// Why bytes are not a bundle, or files can't be made into one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The first bytes are not those of a bundle.
    #[error("this is not a bundle: it does not begin with `MOULTBDL`")]
    Magic,
    /// A later format.
    #[error("the bundle has format {0}; this host reads format {FORMAT}")]
    Format(u32),
    /// Fewer bytes than the header or the table say.
    #[error("the bundle ends early: {needed} bytes are announced and {found} are there")]
    Truncated {
        /// How many bytes the header and table announce.
        needed: u64,
        /// How many there are.
        found: u64,
    },
    /// Bytes after the last entry.
    #[error("{0} bytes follow the last entry of the bundle")]
    Trailing(u64),
    /// The manifest and table don't parse.
    #[error("the bundle's manifest can't be read")]
    Table(#[source] serde_json::Error),
    /// More bytes than a bundle may have.
    #[error("the bundle has {0} bytes; {max} are allowed", max = Bundle::MAX_BYTES)]
    TooLarge(u64),
    /// More entries than a bundle may have.
    #[error("the bundle has {0} entries; {max} are allowed", max = Bundle::MAX_ENTRIES)]
    TooManyEntries(usize),
    /// A path that could leave the bundle or that some system can't hold.
    #[error("`{0}` can't be a path in a bundle")]
    Path(String),
    /// Entries out of order, or one path twice.
    #[error("the bundle's entries are not sorted: `{0}` is out of place")]
    Order(String),
    /// An entry whose bytes were changed.
    #[error("`{0}` does not match its digest")]
    Corrupt(String),
    /// An entry point that is not in the bundle.
    #[error("the manifest names `{0}`, which is not in the bundle")]
    NoEntryPoint(String),
    /// A manifest that makes no sense.
    #[error("the bundle's manifest says what can't be")]
    Manifest(#[from] ManifestError),
    /// A kind and an id that contradict each other.
    #[error("the manifest says `{kind:?}`, but its id is `{id}`")]
    Kind {
        /// The kind it says.
        kind: BundleKind,
        /// The id it says.
        id: Subject,
    },
}

impl Bundle {
    /// The largest bundle, in bytes.
    pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
    /// The most entries in a bundle.
    pub const MAX_ENTRIES: usize = 4096;
    /// The largest table, in bytes.
    pub const MAX_TABLE_BYTES: u64 = 2 * 1024 * 1024;
    /// The longest path, in bytes.
    pub const MAX_PATH_BYTES: usize = 200;

    /// Makes the canonical bytes of a bundle.
    pub fn pack(
        manifest: &BundleManifest,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<u8>, BundleError> {
        if files.len() > Self::MAX_ENTRIES {
            return Err(BundleError::TooManyEntries(files.len()));
        }
        let entries = files
            .iter()
            .map(|(path, bytes)| Entry {
                path: path.clone(),
                size: bytes.len() as u64,
                sha256: Digest::of(bytes),
            })
            .collect();
        let table = serde_json::to_vec(&Table {
            manifest: manifest.clone(),
            entries,
        })
        .map_err(BundleError::Table)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + table.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&(table.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&table);
        for file in files.values() {
            bytes.extend_from_slice(file);
        }
        // What is written must be readable: one set of rules, checked in one place.
        let bundle = Self::parse(bytes)?;
        Ok(bundle.bytes.to_vec())
    }

    /// Reads a bundle and checks all of it: limits, paths, order, and each entry's digest.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, BundleError> {
        let bytes: Arc<[u8]> = bytes.into();
        let found = bytes.len() as u64;
        if found > Self::MAX_BYTES {
            return Err(BundleError::TooLarge(found));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(BundleError::Magic);
        }
        let word = |at: usize| -> Result<u32, BundleError> {
            bytes
                .get(at..at + 4)
                .and_then(|slice| slice.try_into().ok())
                .map(u32::from_le_bytes)
                .ok_or(BundleError::Truncated {
                    needed: HEADER_BYTES as u64,
                    found,
                })
        };
        let format = word(8)?;
        if format != FORMAT {
            return Err(BundleError::Format(format));
        }
        let table_bytes = u64::from(word(12)?);
        if table_bytes > Self::MAX_TABLE_BYTES {
            return Err(BundleError::TooLarge(table_bytes));
        }
        let data_start = HEADER_BYTES + table_bytes as usize;
        let table = bytes
            .get(HEADER_BYTES..data_start)
            .ok_or(BundleError::Truncated {
                needed: data_start as u64,
                found,
            })?;
        let table: Table = serde_json::from_slice(table).map_err(BundleError::Table)?;
        let entries = locate(&table.entries, data_start, &bytes)?;
        check_manifest(&table.manifest, &entries)?;
        Ok(Self {
            manifest: table.manifest,
            entries,
            bytes,
        })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &BundleManifest {
        &self.manifest
    }

    /// A file's bytes.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.entries.get(path).map(|range| &self.bytes[range.clone()])
    }

    /// The paths of its files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// SHA-256 of the whole file: the bundle's identity.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Bundle({} {}, {} files)",
            self.manifest.id,
            self.manifest.version,
            self.entries.len()
        )
    }
}

/// Finds each entry's bytes and checks its path, its place in the order and its digest.
fn locate(
    entries: &[Entry],
    data_start: usize,
    bytes: &[u8],
) -> Result<BTreeMap<String, std::ops::Range<usize>>, BundleError> {
    if entries.len() > Bundle::MAX_ENTRIES {
        return Err(BundleError::TooManyEntries(entries.len()));
    }
    let mut found = BTreeMap::new();
    let mut at = data_start;
    let mut previous: Option<&str> = None;
    for entry in entries {
        if !is_safe_path(&entry.path) {
            return Err(BundleError::Path(entry.path.chars().take(100).collect()));
        }
        if previous.is_some_and(|previous| previous >= entry.path.as_str()) {
            return Err(BundleError::Order(entry.path.clone()));
        }
        previous = Some(&entry.path);
        let end = usize::try_from(entry.size)
            .ok()
            .and_then(|size| at.checked_add(size));
        let range = match end {
            Some(end) if end <= bytes.len() => at..end,
            _ => {
                let needed = (at as u64).saturating_add(entry.size);
                return Err(BundleError::Truncated {
                    needed,
                    found: bytes.len() as u64,
                });
            }
        };
        if Digest::of(&bytes[range.clone()]) != entry.sha256 {
            return Err(BundleError::Corrupt(entry.path.clone()));
        }
        at = range.end;
        found.insert(entry.path.clone(), range);
    }
    match bytes.len() - at {
        0 => Ok(found),
        extra => Err(BundleError::Trailing(extra as u64)),
    }
}

fn check_manifest(
    manifest: &BundleManifest,
    entries: &BTreeMap<String, std::ops::Range<usize>>,
) -> Result<(), BundleError> {
    let matches_kind = match manifest.kind {
        BundleKind::Shell => manifest.id == Subject::Shell,
        BundleKind::Widget => matches!(manifest.id, Subject::Widget(_)),
    };
    if !matches_kind {
        return Err(BundleError::Kind {
            kind: manifest.kind,
            id: manifest.id.clone(),
        });
    }
    check::check(manifest)?;
    let points = std::iter::once(&manifest.entry.ui)
        .chain(&manifest.entry.logic)
        .chain(&manifest.icon);
    match points.into_iter().find(|path| !entries.contains_key(*path)) {
        Some(missing) => Err(BundleError::NoEntryPoint(missing.clone())),
        None => Ok(()),
    }
}

/// Whether a path stays inside the bundle on every system: plain ASCII names, no `.` or `..`,
/// no drive, stream, or absolute form.
fn is_safe_path(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    !path.is_empty()
        && path.len() <= Bundle::MAX_PATH_BYTES
        && path.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && part.bytes().all(allowed)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> BundleManifest {
        let id = "w/moult/notes".parse().unwrap_or(Subject::Executable);
        BundleManifest::new(
            BundleKind::Widget,
            id,
            semver::Version::new(1, 0, 0),
            "Notes",
            "index.html",
        )
    }

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn packed() -> Vec<u8> {
        Bundle::pack(&manifest(), &files(&[("index.html", "<p>"), ("a/b.js", "1")])).unwrap_or_default()
    }

    #[test]
    fn files_come_back_as_they_went_in() -> Result<(), BundleError> {
        let bundle = Bundle::parse(packed())?;
        assert_eq!(bundle.file("index.html"), Some(&b"<p>"[..]));
        assert_eq!(bundle.file("a/b.js"), Some(&b"1"[..]));
        assert_eq!(bundle.file("../a/b.js"), None);
        assert_eq!(bundle.paths().collect::<Vec<_>>(), ["a/b.js", "index.html"]);
        Ok(())
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        assert_eq!(packed(), packed());
    }

    #[test]
    fn every_flipped_byte_is_noticed_or_changes_the_manifest_alone() {
        let good = packed();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            if let Ok(bundle) = Bundle::parse(bad) {
                assert_eq!(bundle.file("index.html"), Some(&b"<p>"[..]));
                assert_ne!(bundle.digest(), Digest::of(&good));
            }
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let good = packed();
        for length in 0..good.len() {
            assert!(Bundle::parse(&good[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn paths_that_leave_the_bundle_are_refused() {
        for path in [
            "../x", "/x", "a//b", "a/./b", "c:x", "a\\b", ".x", "x.", "a/..", "", "\u{e4}",
        ] {
            let result = Bundle::pack(&manifest(), &files(&[("index.html", ""), (path, "")]));
            assert!(matches!(result, Err(BundleError::Path(_))), "{path}: {result:?}");
        }
    }

    #[test]
    fn a_missing_entry_point_is_refused() {
        let result = Bundle::pack(&manifest(), &files(&[("other.html", "")]));
        assert!(matches!(result, Err(BundleError::NoEntryPoint(_))));
    }
}
