//! Reads an index whose digest is signed, and checks that it speaks only of its own subject. It refuses
//! to know which release anybody wants.

use std::collections::BTreeSet;
use std::path::Path;

use moult_durable::{create_dir_all, write_atomic};
use moult_model::{Digest, Index, Subject};
use serde::Deserialize;
use sigstore_tuf::TargetFile;

use crate::error::{BoxedError, TrustError};
use crate::source::Source;

/// The bytes of an index, from the cache if they are the ones that are signed.
pub(crate) async fn read(
    source: &Source,
    cache: &Path,
    path: &str,
    target: &TargetFile,
    subject: &Subject,
) -> Result<Vec<u8>, TrustError> {
    if target.length > Index::MAX_BYTES {
        let what = format!("it has {} bytes, more than {}", target.length, Index::MAX_BYTES);
        return Err(refused(subject, what));
    }
    let pinned: Digest = match target.hashes.get("sha256").map(|hash| hash.parse()) {
        Some(Ok(digest)) => digest,
        _ => return Err(refused(subject, "no SHA-256 is signed for it")),
    };
    let is_pinned = |bytes: &[u8]| bytes.len() as u64 == target.length && Digest::of(bytes) == pinned;
    // One file per target, so that the cache does not grow with time.
    let cached = cache.join(format!("{}.json", Digest::of(path.as_bytes())));
    if let Ok(bytes) = std::fs::read(&cached)
        && is_pinned(&bytes)
    {
        return Ok(bytes);
    }
    let served = match path.rsplit_once('/') {
        Some((folder, name)) => format!("targets/{folder}/{pinned}.{name}"),
        None => format!("targets/{pinned}.{path}"),
    };
    let bytes = source.fetch(&served, target.length).await?;
    if !is_pinned(&bytes) {
        return Err(refused(
            subject,
            format!("{served} does not have the digest that is signed"),
        ));
    }
    // What is not cached is fetched again; nothing is believed because of it.
    if let Err(error) = create_dir_all(cache).and_then(|()| write_atomic(&cached, &bytes)) {
        tracing::warn!(%error, "an index could not be cached");
    }
    Ok(bytes)
}

/// Parses an index and refuses one that is not about `subject`, or that names files of others. The
/// releases are sorted, newest first.
pub(crate) fn check(bytes: &[u8], subject: &Subject, triple: &str) -> Result<Index, TrustError> {
    #[derive(Deserialize)]
    struct Shape {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| TrustError::Index {
        subject: subject.clone(),
        what: "it can't be read".to_owned(),
        source: Some(BoxedError::from(error)),
    };
    if bytes.len() as u64 > Index::MAX_BYTES {
        return Err(refused(
            subject,
            format!("it has more than {} bytes", Index::MAX_BYTES),
        ));
    }
    let Shape { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if format != Index::FORMAT {
        return Err(refused(
            subject,
            format!("it has format {format}; {} is known", Index::FORMAT),
        ));
    }
    let mut index: Index = serde_json::from_slice(bytes).map_err(unreadable)?;
    let triple = matches!(subject, Subject::Executable).then_some(triple);
    if index.subject != *subject {
        return Err(refused(subject, format!("it is about {}", index.subject)));
    }
    if index.triple.as_deref() != triple {
        return Err(refused(
            subject,
            format!("it is about the target {:?}", index.triple),
        ));
    }
    let files = format!("{}/files/", subject.folder(triple.unwrap_or_default()));
    let full = index.releases.iter().map(|release| release.full.path.as_str());
    let patches = index.patches.iter().map(|patch| patch.path.as_str());
    if let Some(path) = full.chain(patches).find(|path| !is_file_in(path, &files)) {
        return Err(refused(
            subject,
            format!("it lists {path:?}, which is not in {files}"),
        ));
    }
    let mut versions = BTreeSet::new();
    if let Some(twice) = index
        .releases
        .iter()
        .find(|release| !versions.insert(&release.version))
    {
        return Err(refused(
            subject,
            format!("it lists version {} twice", twice.version),
        ));
    }
    index.releases.sort_by(|a, b| b.version.cmp(&a.version));
    Ok(index)
}

/// Whether a path is a plain file right inside a folder.
fn is_file_in(path: &str, folder: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    path.strip_prefix(folder)
        .is_some_and(|name| !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain))
}

fn refused(subject: &Subject, what: impl Into<String>) -> TrustError {
    TrustError::Index {
        subject: subject.clone(),
        what: what.into(),
        source: None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use moult_model::index::{Download, Encoding};
    use moult_model::{Channel, Patch, Release};

    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    fn release(version: &str, path: &str) -> Release {
        let digest = Digest::of(version.as_bytes());
        Release {
            version: version.parse().unwrap(),
            channels: vec![Channel::stable()],
            published: "2026-11-21T00:00:00Z".to_owned(),
            notes: std::collections::BTreeMap::new(),
            digest,
            size: 1,
            full: Download {
                path: path.to_owned(),
                size: 1,
                digest,
                encoding: Encoding::Zstd,
            },
            signature: None,
            host_api: None,
            permissions: Vec::new(),
            state_schema: None,
            critical: false,
            policy: moult_model::ReleasePolicy::default(),
        }
    }

    fn widget() -> Subject {
        "w/moult/notes".parse().unwrap()
    }

    fn checked(index: &Index, subject: &Subject) -> Result<Index, TrustError> {
        check(&serde_json::to_vec(index).unwrap(), subject, TRIPLE)
    }

    #[test]
    fn paths_stay_in_the_subjects_own_folder() {
        let table = [
            ("w/moult/notes/files/a1.zst", true),
            ("w/moult/notes/files/", false),
            ("w/moult/notes/files/..", false),
            ("w/moult/notes/files/../x.zst", false),
            ("w/moult/notes/files/sub/x.zst", false),
            ("w/moult/notes/a1.zst", false),
            ("w/moult/other/files/a1.zst", false),
            ("app/shell/files/a1.zst", false),
            ("/w/moult/notes/files/a1.zst", false),
            ("w/moult/notes/files/a%2e.zst", false),
            ("w/moult/notes/files/a?b", false),
            ("https://example.org/a1.zst", false),
        ];
        for (path, allowed) in table {
            let mut index = Index::empty(widget(), None);
            index.releases.push(release("1.0.0", path));
            assert_eq!(checked(&index, &widget()).is_ok(), allowed, "full {path}");
            let digest = Digest::of(b"x");
            let patch = Patch {
                from: digest,
                to: digest,
                path: path.to_owned(),
                size: 1,
                digest,
                format: 1,
            };
            let index = Index {
                patches: vec![patch],
                ..Index::empty(widget(), None)
            };
            assert_eq!(checked(&index, &widget()).is_ok(), allowed, "patch {path}");
        }
    }

    #[test]
    fn refuses_what_is_about_something_else() {
        let other: Subject = "w/moult/clock".parse().unwrap();
        let triple = || Some(TRIPLE.to_owned());
        let table = [
            (Index::empty(widget(), None), widget(), true),
            (Index::empty(other, None), widget(), false),
            (
                Index::empty(Subject::Executable, triple()),
                Subject::Executable,
                true,
            ),
            (
                Index::empty(Subject::Executable, None),
                Subject::Executable,
                false,
            ),
            (
                Index::empty(Subject::Executable, Some("aarch64-apple-darwin".into())),
                Subject::Executable,
                false,
            ),
            (Index::empty(Subject::Shell, triple()), Subject::Shell, false),
            (
                Index {
                    format: 2,
                    ..Index::empty(widget(), None)
                },
                widget(),
                false,
            ),
        ];
        for (index, asked, accepted) in table {
            assert_eq!(checked(&index, &asked).is_ok(), accepted, "{index:?} for {asked}");
        }
    }

    #[test]
    fn a_higher_format_is_named_even_if_its_shape_is_unknown() {
        let error = check(br#"{"format":2,"releases":7}"#, &widget(), TRIPLE).unwrap_err();
        assert!(error.to_string().contains("format 2"), "{error}");
    }

    #[test]
    fn releases_come_newest_first_and_each_version_once() {
        let file = "w/moult/notes/files/a.zst";
        let mut index = Index::empty(widget(), None);
        index.releases = ["1.2.0", "1.10.0", "1.10.0-beta.1"]
            .map(|version| release(version, file))
            .to_vec();
        let sorted = checked(&index, &widget()).unwrap();
        let versions: Vec<_> = sorted
            .releases
            .iter()
            .map(|release| release.version.to_string())
            .collect();
        assert_eq!(versions, ["1.10.0", "1.10.0-beta.1", "1.2.0"]);
        index.releases.push(release("1.2.0", file));
        assert!(checked(&index, &widget()).is_err());
    }
}
