//! A repository as a busy year would leave it, made by the publishing side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use moult_model::index::{Download, Encoding, Patch};
use moult_model::{Channel, Digest, Index, Release, ReleasePolicy, Subject, Version};
use moult_trust::Anchor;
use moult_trust::sign::{Editor, Keys};
use serde_json::{Value, json};

use crate::server::zip;

pub(crate) const TRIPLE: &str = "x86_64-unknown-linux-gnu";
pub(crate) const TRIPLES: [&str; 6] = [
    TRIPLE,
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];
/// Releases of the application.
pub(crate) const RELEASES: u64 = 300;
pub(crate) const NOTES: &str = "- A widget that waits for the network no longer holds up the board.\n\
    - Settings: the list of channels can be searched.\n- Fixed: the strip stayed after a rollback.";
/// Base64 over a minisign signature file, as long as a real one is.
pub(crate) const SIGNATURE_LENGTH: usize = 412;

pub(crate) struct Site {
    folder: PathBuf,
    keys: Keys,
    editor: Editor,
    widgets: Vec<Subject>,
}

impl Site {
    pub(crate) fn new(folder: &Path, publishers: usize, widgets: usize) -> Self {
        let keys = Keys::create(&folder.join("keys")).unwrap();
        let repository = folder.join("repository");
        let mut editor = Editor::create(&repository, &keys, Timestamp::now()).unwrap();
        let names: Vec<String> = (0..publishers).map(name).collect();
        let mut subjects = Vec::new();
        for (number, name) in names.iter().enumerate() {
            editor.add_publisher(name).unwrap();
            for widget in 0..widgets / publishers {
                let subject: Subject = format!("w/{name}/{}", word(number * 31 + widget * 7 + 3))
                    .parse()
                    .unwrap();
                if !subjects.contains(&subject) {
                    subjects.push(subject);
                }
            }
        }
        let mut site = Self {
            folder: folder.to_owned(),
            keys,
            editor,
            widgets: subjects,
        };
        for subject in &site.widgets.clone() {
            site.release(subject, "", 1..=3);
        }
        site.release(&Subject::Shell, "", 1..=40);
        for triple in TRIPLES {
            // Those before have long given way to these: an index has its size.
            site.release(&Subject::Executable, triple, RELEASES - 60..=RELEASES);
        }
        site.editor.commit(Timestamp::now()).unwrap();
        site
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    pub(crate) fn anchor(&self) -> Anchor {
        self.keys.anchor().unwrap()
    }

    pub(crate) fn widgets(&self) -> &[Subject] {
        &self.widgets
    }

    /// Of a publisher that the computer has nothing of.
    pub(crate) fn publish_foreign(&mut self) {
        let subject = self.widgets[self.widgets.len() - 1].clone();
        self.publish(&subject, "", 4);
    }

    /// Of a widget that the computer has.
    pub(crate) fn publish_own(&mut self) {
        let subject = self.widgets[0].clone();
        self.publish(&subject, "", 4);
    }

    pub(crate) fn publish_app(&mut self) {
        for triple in TRIPLES {
            self.release(&Subject::Executable, triple, RELEASES + 1..=RELEASES + 1);
        }
        self.editor.commit(Timestamp::now()).unwrap();
    }

    /// How many releases of the application an index lists.
    pub(crate) fn listed(&self) -> usize {
        self.editor
            .index(&Subject::Executable, TRIPLE)
            .unwrap()
            .releases
            .len()
    }

    /// The largest file of each kind: bytes, and bytes as they are packed.
    pub(crate) fn sizes(&self) -> Value {
        let mut found: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut note = |kind, path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            let entry = found.entry(kind).or_default();
            if bytes.len() > entry.0 {
                *entry = (bytes.len(), zip(&bytes).len());
            }
        };
        for file in std::fs::read_dir(self.repository().join("metadata")).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let kind = [
                "timestamp",
                "snapshot",
                "targets",
                "root",
                "app",
                "publishers-",
                "publisher-",
            ]
            .into_iter()
            .find(|kind| {
                name.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.')
                    .starts_with(kind)
            });
            if let Some(kind) = kind {
                note(kind, &path);
            }
        }
        let app = self.repository().join("targets/app").join(TRIPLE);
        for file in std::fs::read_dir(app).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                note("index of the application", &path);
            }
        }
        json!(found)
    }

    fn publish(&mut self, subject: &Subject, triple: &str, number: u64) {
        self.release(subject, triple, number..=number);
        self.editor.commit(Timestamp::now()).unwrap();
    }

    /// Adds releases, each with patches from the three before, and makes the index fit as `moult publish` does:
    /// the oldest go.
    fn release(&mut self, subject: &Subject, triple: &str, numbers: std::ops::RangeInclusive<u64>) {
        let mut index = self.editor.index(subject, triple).unwrap();
        for number in numbers {
            let release = release(subject, triple, number);
            let from: Vec<Digest> = index
                .releases
                .iter()
                .take(3)
                .map(|before| before.digest)
                .collect();
            for from in from {
                index.patches.push(patch(subject, triple, from, release.digest));
            }
            index.releases.insert(0, release);
        }
        while serde_json::to_vec(&index).unwrap().len() as u64 > Index::MAX_BYTES {
            let Some(oldest) = index.releases.pop() else {
                break;
            };
            index
                .patches
                .retain(|patch| patch.from != oldest.digest && patch.to != oldest.digest);
        }
        self.editor.set_index(&index).unwrap();
    }
}

/// A version of the application by its number.
pub(crate) fn version(number: u64) -> Version {
    Version::new(1 + number / 100, number / 10 % 10, number % 10)
}

fn release(subject: &Subject, triple: &str, number: u64) -> Release {
    let digest = Digest::of(format!("{subject} {triple} {number}").as_bytes());
    let packed = Digest::of(digest.to_string().as_bytes());
    let is_executable = *subject == Subject::Executable;
    Release {
        version: version(number),
        channels: vec![Channel::stable()],
        published: "2026-11-21T08:30:00Z".to_owned(),
        notes: BTreeMap::from([("en".to_owned(), NOTES.to_owned())]),
        critical: false,
        digest,
        size: 24_117_248 + number,
        full: Download {
            path: format!("{}/files/{packed}.zst", subject.folder(triple)),
            size: 9_231_001 + number,
            digest: packed,
            encoding: Encoding::Zstd,
        },
        signature: is_executable.then(|| noise(&digest.to_string(), SIGNATURE_LENGTH)),
        host_api: None,
        permissions: Vec::new(),
        state_schema: None,
        policy: ReleasePolicy::default(),
    }
}

fn patch(subject: &Subject, triple: &str, from: Digest, to: Digest) -> Patch {
    let digest = Digest::of(format!("{from}{to}").as_bytes());
    Patch {
        from,
        to,
        path: format!("{}/files/{digest}.patch", subject.folder(triple)),
        size: 412_345,
        digest,
        format: 2,
    }
}

/// Text that does not compress, as signatures do not.
pub(crate) fn noise(seed: &str, length: usize) -> String {
    let mut text = String::new();
    let mut digest = Digest::of(seed.as_bytes());
    while text.len() < length {
        // 64 letters, so six bits each, as base64 has.
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let hex = digest.to_string();
        for pair in hex.as_bytes().chunks(2) {
            let value = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            text.push(char::from(LETTERS[usize::from(value & 63)]));
        }
        digest = Digest::of(hex.as_bytes());
    }
    text.truncate(length);
    text
}

/// Names as people give them: two words, of which none comes often.
fn name(number: usize) -> String {
    format!("{}-{}", word(number * 17 + 5), word(number * 29 + 11))
}

/// A word that can be spoken. The letters come from a digest, so there is nothing to compress in a row of them.
fn word(number: usize) -> String {
    const BEGIN: [&str; 16] = [
        "b", "br", "c", "d", "f", "gr", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t",
    ];
    const MIDDLE: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "oo", "ai"];
    let digest = Digest::of(&number.to_le_bytes()).to_string();
    let letters: Vec<usize> = digest.bytes().map(usize::from).collect();
    let mut text = String::new();
    for syllable in 0..3 {
        text += BEGIN[(letters[syllable * 4] * 7 + letters[syllable * 4 + 1]) % 16];
        text += MIDDLE[(letters[syllable * 4 + 2] * 5 + letters[syllable * 4 + 3]) % 8];
    }
    text
}
