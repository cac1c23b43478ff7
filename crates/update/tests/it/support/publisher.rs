//! A publisher, and what is published.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use moult_model::bundle::{BundleKind, HostApi, Permission, ShadowRun};
use moult_model::index::{Download, Encoding};
use moult_model::rollout::Order;
use moult_model::{Bundle, BundleManifest, Digest, Orders, Patch, Release, Subject};
use moult_trust::sign::{Editor, Keys};

use super::{TRIPLE, noise, notes, version};

/// A publisher with a repository.
pub(crate) struct Publisher {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) keys: Keys,
    /// The artifacts that were released.
    pub(crate) artifacts: BTreeMap<Digest, Vec<u8>>,
}

/// What is released.
pub(crate) struct Issue<'a> {
    pub(crate) subject: Subject,
    pub(crate) version: &'a str,
    pub(crate) channels: &'a str,
    pub(crate) permissions: &'a [&'a str],
    pub(crate) size: usize,
    pub(crate) is_rehearsed: bool,
}

impl<'a> Issue<'a> {
    pub(crate) fn of(subject: &Subject, version: &'a str) -> Self {
        Self {
            subject: subject.clone(),
            version,
            channels: "stable beta",
            permissions: &[],
            size: 40_000,
            is_rehearsed: false,
        }
    }

    /// Its logic has to run beside the live one's first.
    pub(crate) fn rehearsed(self) -> Self {
        let is_rehearsed = true;
        Self { is_rehearsed, ..self }
    }

    pub(crate) fn on(self, channels: &'a str) -> Self {
        Self { channels, ..self }
    }

    pub(crate) fn asking(self, permissions: &'a [&'a str]) -> Self {
        Self { permissions, ..self }
    }

    pub(crate) fn sized(self, size: usize) -> Self {
        Self { size, ..self }
    }

    fn permissions(&self) -> Vec<Permission> {
        let wish = |name: &&str| Permission::new(*name, "for the test");
        self.permissions.iter().map(wish).collect()
    }

    /// The artifact: much of it is the same in all versions.
    pub(crate) fn artifact(&self) -> Vec<u8> {
        let common = noise(7, self.size);
        let own = noise(Digest::of(self.version.as_bytes()).as_bytes()[0].into(), 500);
        let kind = match self.subject {
            Subject::Executable => return [common, self.version.as_bytes().to_vec(), own].concat(),
            Subject::Shell => BundleKind::Shell,
            Subject::Widget(_) => BundleKind::Widget,
        };
        let mut manifest = BundleManifest {
            permissions: self.permissions(),
            ..BundleManifest::new(
                kind,
                self.subject.clone(),
                version(self.version),
                "Notes",
                "index.html",
            )
        };
        if self.is_rehearsed {
            manifest.entry.logic = Some("picture".to_owned());
            manifest.shadow = Some(ShadowRun::default());
        }
        let files = BTreeMap::from([("index.html".to_owned(), own), ("picture".to_owned(), common)]);
        Bundle::pack(&manifest, &files).unwrap()
    }
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let repository = folder.path().join("repository");
        fs::create_dir(&repository).unwrap();
        let mut editor = Editor::create(&repository, &keys, Timestamp::now()).unwrap();
        editor.add_publisher("moult").unwrap();
        editor.commit(Timestamp::now()).unwrap();
        Self {
            folder,
            keys,
            artifacts: BTreeMap::new(),
        }
    }

    /// Releases 1.0.0 and 1.1.0 of everything.
    pub(crate) fn of_two_releases() -> Self {
        let mut publisher = Self::new();
        for subject in [Subject::Executable, Subject::Shell, notes()] {
            for text in ["1.0.0", "1.1.0"] {
                publisher.release(&Issue::of(&subject, text));
            }
        }
        publisher
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Releases, with patches from all earlier releases, and commits.
    pub(crate) fn release(&mut self, issue: &Issue<'_>) -> Digest {
        let artifact = issue.artifact();
        self.release_bytes(issue, artifact, |_| {})
    }

    /// Releases these bytes, whatever they are, with a chance to tamper with the release.
    pub(crate) fn release_bytes(
        &mut self,
        issue: &Issue<'_>,
        artifact: Vec<u8>,
        tamper: impl FnOnce(&mut Release),
    ) -> Digest {
        let mut editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let mut index = editor.index(&issue.subject, TRIPLE).unwrap();
        let folder = format!("{}/files", issue.subject.folder(TRIPLE));
        let digest = Digest::of(&artifact);
        let packed = zstd::encode_all(&artifact[..], 3).unwrap();
        let full = self.file(&folder, &packed, "zst");
        for release in &index.releases {
            let mut bytes = Vec::new();
            let stats = moult_delta::diff(&self.artifacts[&release.digest], &artifact, &mut bytes).unwrap();
            let Download {
                path,
                size,
                digest: patch,
                ..
            } = self.file(&folder, &bytes, "mpatch");
            index.patches.push(Patch {
                from: release.digest,
                to: digest,
                path,
                size,
                digest: patch,
                format: stats.format,
            });
        }
        let is_executable = issue.subject == Subject::Executable;
        let sign = || {
            self.keys
                .sign_artifact(&artifact, &version(issue.version), "moult-app")
                .unwrap()
        };
        let mut release = Release {
            version: version(issue.version),
            channels: issue
                .channels
                .split_whitespace()
                .map(|name| name.parse().unwrap())
                .collect(),
            published: Timestamp::now().to_string(),
            notes: BTreeMap::from([("en".to_owned(), "Better.".to_owned())]),
            digest,
            size: artifact.len() as u64,
            full,
            signature: is_executable.then(sign),
            host_api: (!is_executable).then_some(HostApi { min: 1, max: 1 }),
            permissions: issue.permissions(),
            state_schema: None,
            critical: false,
            policy: moult_model::ReleasePolicy::default(),
        };
        tamper(&mut release);
        index.releases.insert(0, release);
        editor.set_index(&index).unwrap();
        editor.commit(Timestamp::now()).unwrap();
        self.artifacts.insert(digest, artifact);
        digest
    }

    /// Signs what is said of a release anew.
    pub(crate) fn change(&self, subject: &Subject, text: &str, change: impl FnOnce(&mut Release)) {
        let mut editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let mut index = editor.index(subject, TRIPLE).unwrap();
        let found = index
            .releases
            .iter_mut()
            .find(|found| found.version == version(text));
        change(found.unwrap());
        editor.set_index(&index).unwrap();
        editor.commit(Timestamp::now()).unwrap();
    }

    /// Gives these orders, and no others.
    pub(crate) fn order(&self, orders: Vec<Order>) {
        let mut editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let format = Orders::FORMAT;
        editor.set_orders(&Orders { format, orders }).unwrap();
        editor.commit(Timestamp::now()).unwrap();
    }

    fn file(&self, folder: &str, bytes: &[u8], extension: &str) -> Download {
        let digest = Digest::of(bytes);
        let path = format!("{folder}/{digest}.{extension}");
        let place = self.repository().join("targets").join(&path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, bytes).unwrap();
        Download {
            path,
            size: bytes.len() as u64,
            digest,
            encoding: Encoding::Zstd,
        }
    }

    /// The path of a release's full file, relative to the repository.
    pub(crate) fn full_path(&self, subject: &Subject, text: &str) -> String {
        let editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let index = editor.index(subject, TRIPLE).unwrap();
        format!("targets/{}", index.release(&version(text)).unwrap().full.path)
    }

    /// The path of a patch, relative to the repository.
    pub(crate) fn patch_path(&self, subject: &Subject, from: &str, to: &str) -> String {
        let editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let index = editor.index(subject, TRIPLE).unwrap();
        let digest = |text| index.release(&version(text)).unwrap().digest;
        let patch = index
            .patches
            .iter()
            .find(|patch| patch.from == digest(from) && patch.to == digest(to));
        format!("targets/{}", patch.unwrap().path)
    }
}
