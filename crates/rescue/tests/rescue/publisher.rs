//! A publisher of executables that are shell scripts, so that they can be started.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use moult_model::index::{Download, Encoding};
use moult_model::{Digest, Index, Release, Subject, Version};
use moult_trust::sign::{Editor, Keys};

pub(crate) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

pub(crate) struct Publisher {
    folder: tempfile::TempDir,
    pub(crate) keys: Keys,
}

/// An application that notes its start, says that it painted and that the user quits it, and ends.
pub(crate) fn application(version: &str) -> Vec<u8> {
    let script = format!(
        "#!/bin/bash\n\
         echo \"{version} $MOULT_SLOT\" >> \"$MOULT_DATA/started\"\n\
         echo '{{\"kind\":\"painted\"}}' >&\"$MOULT_LAUNCHER_FD\"\n\
         echo '{{\"kind\":\"quitting\",\"why\":\"user\"}}' >&\"$MOULT_LAUNCHER_FD\"\n\
         exit 0\n"
    );
    script.into_bytes()
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let repository = folder.path().join("repository");
        fs::create_dir(&repository).unwrap();
        let mut editor = Editor::create(&repository, &keys, Timestamp::now()).unwrap();
        editor.commit(Timestamp::now()).unwrap();
        Self { folder, keys }
    }

    /// With these versions of the application on the stable channel.
    pub(crate) fn of(versions: &[&str]) -> Self {
        let publisher = Self::new();
        for version in versions {
            publisher.release(version, |_| {});
        }
        publisher
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Releases a version, with a chance to tamper with its entry.
    pub(crate) fn release(&self, version: &str, tamper: impl FnOnce(&mut Release)) -> Digest {
        let artifact = application(version);
        let mut editor = Editor::open(&self.repository(), &self.keys).unwrap();
        let mut index: Index = editor.index(&Subject::Executable, TRIPLE).unwrap();
        let version: Version = version.parse().unwrap();
        let packed = zstd::encode_all(&artifact[..], 3).unwrap();
        let digest = Digest::of(&artifact);
        let signature = self.keys.sign_artifact(&artifact, &version, "moult-app").unwrap();
        let mut release: Release = serde_json::from_value(serde_json::json!({
            "version": version, "channels": ["stable"], "published": Timestamp::now().to_string(),
            "digest": digest, "size": artifact.len(), "signature": signature,
            "full": self.file(&packed),
        }))
        .unwrap();
        tamper(&mut release);
        index.releases.insert(0, release);
        editor.set_index(&index).unwrap();
        editor.commit(Timestamp::now()).unwrap();
        digest
    }

    fn file(&self, bytes: &[u8]) -> Download {
        let digest = Digest::of(bytes);
        let path = format!("{}/files/{digest}.zst", Subject::Executable.folder(TRIPLE));
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
}
