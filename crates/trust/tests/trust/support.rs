//! A real repository made by the editor, and a transport that serves a copy of it with faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use moult_model::index::{Download, Encoding};
use moult_model::{Channel, Digest, ErrorCode, Index, Release, Subject};
use moult_trust::sign::{Editor, Keys};
use moult_trust::{
    Anchor, Authentic, Client, GetFuture, Refreshed, Reply, Transport, TransportError, TrustError,
};
use serde_json::Value;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

pub(crate) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// The files of a repository, by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A role, and what is done to its document before it is signed.
pub(crate) type Edit<'a> = (&'a str, &'a dyn Fn(&mut Value));

pub(crate) fn at(days: i64) -> Timestamp {
    let start = Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    start + SignedDuration::from_hours(24 * days)
}

pub(crate) fn subject(text: &str) -> Subject {
    text.parse().unwrap_or(Subject::Executable)
}

pub(crate) fn release(subject: &Subject, version: &str) -> Outcome<Release> {
    let digest = Digest::of(format!("{subject} {version}").as_bytes());
    let path = format!("{}/files/{digest}.zst", subject.folder(TRIPLE));
    Ok(Release {
        version: version.parse()?,
        channels: vec![Channel::stable()],
        published: "2026-11-21T00:00:00Z".to_owned(),
        notes: BTreeMap::new(),
        digest,
        size: 100,
        full: Download {
            path,
            size: 40,
            digest,
            encoding: Encoding::Zstd,
        },
        signature: None,
        host_api: None,
        permissions: Vec::new(),
        state_schema: None,
        critical: false,
        policy: moult_model::ReleasePolicy::default(),
    })
}

/// A publisher's computer: a key folder and a repository.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) keys: Keys,
}

impl Site {
    /// A repository with the publishers `moult` and `hearth`, and version 1.0.0 of the executable, the
    /// shell, and a widget of each.
    pub(crate) fn new() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let keys = Keys::create(&folder.path().join("keys"))?;
        let site = Self { folder, keys };
        let mut editor = Editor::create(&site.repository(), &site.keys, at(0))?;
        editor.add_publisher("moult")?;
        editor.add_publisher("hearth")?;
        for text in SUBJECTS {
            add_release(&mut editor, text, "1.0.0")?;
        }
        editor.commit(at(0))?;
        Ok(site)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn editor(&self) -> Outcome<Editor> {
        Ok(Editor::open(&self.repository(), &self.keys)?)
    }

    pub(crate) fn publish(&self, text: &str, version: &str) -> Outcome {
        let mut editor = self.editor()?;
        add_release(&mut editor, text, version)?;
        editor.commit(at(0))?;
        Ok(())
    }

    pub(crate) fn replace_keys(&self, roles: &[&str]) -> Outcome {
        let mut editor = self.editor()?;
        for role in roles {
            editor.replace_key(role)?;
        }
        editor.commit(at(0))?;
        Ok(())
    }

    pub(crate) fn files(&self) -> Outcome<Files> {
        files_of(&self.repository())
    }

    pub(crate) fn anchor(&self) -> Outcome<Anchor> {
        Ok(self.keys.anchor()?)
    }

    /// What an attacker with the keys could serve: changed roles, each with its real signature, under the
    /// snapshot and the timestamp that follow. The repository itself stays as it is.
    pub(crate) fn forge(&self, edits: &[Edit<'_>]) -> Outcome<Files> {
        let mut files = self.files()?;
        let root = signed(&files, "metadata/root.json")?;
        let mut timestamp = signed(&files, "metadata/timestamp.json")?;
        let snapshot_path = |timestamp: &Value| {
            format!(
                "metadata/{}.snapshot.json",
                timestamp["meta"]["snapshot.json"]["version"]
            )
        };
        let mut snapshot = signed(&files, &snapshot_path(&timestamp))?;
        let edit_of = |name: &str| edits.iter().find(|(role, _)| *role == name).map(|(_, edit)| edit);
        for (role, edit) in edits
            .iter()
            .filter(|(role, _)| !["snapshot", "timestamp"].contains(role))
        {
            let pin = format!("{role}.json");
            let mut document = signed(
                &files,
                &format!("metadata/{}.{pin}", snapshot["meta"][&pin]["version"]),
            )?;
            raise(&mut document);
            edit(&mut document);
            let version = document["version"].clone();
            let ids = key_ids(&files, &root, &snapshot, role)?;
            files.insert(
                format!("metadata/{version}.{pin}"),
                self.keys.sign_metadata(role, &ids, &document)?,
            );
            snapshot["meta"][&pin]["version"] = version;
        }
        // Who holds the timestamp's key alone can't sign a snapshot.
        if edits.iter().any(|(role, _)| *role != "timestamp") {
            raise(&mut snapshot);
            if let Some(edit) = edit_of("snapshot") {
                edit(&mut snapshot);
            }
            let ids = strings(&root["roles"]["snapshot"]["keyids"]);
            timestamp["meta"]["snapshot.json"]["version"] = snapshot["version"].clone();
            let bytes = self.keys.sign_metadata("snapshot", &ids, &snapshot)?;
            files.insert(snapshot_path(&timestamp), bytes);
        }
        raise(&mut timestamp);
        if let Some(edit) = edit_of("timestamp") {
            edit(&mut timestamp);
        }
        let ids = strings(&root["roles"]["timestamp"]["keyids"]);
        let bytes = self.keys.sign_metadata("timestamp", &ids, &timestamp)?;
        files.insert("metadata/timestamp.json".to_owned(), bytes);
        Ok(files)
    }
}

pub(crate) const SUBJECTS: [&str; 4] = ["app", "shell", "w/moult/notes", "w/hearth/clock"];

pub(crate) fn add_release(editor: &mut Editor, text: &str, version: &str) -> Outcome {
    let subject = subject(text);
    let mut index = editor.index(&subject, TRIPLE)?;
    index.releases.push(release(&subject, version)?);
    editor.set_index(&index)?;
    Ok(())
}

pub(crate) fn files_of(folder: &Path) -> Outcome<Files> {
    fn collect(folder: &Path, prefix: &str, files: &mut Files) -> Outcome {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                collect(&entry.path(), &format!("{path}/"), files)?;
            } else if path != ".lock" {
                files.insert(path, fs::read(entry.path())?);
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    collect(folder, "", &mut files)?;
    Ok(files)
}

/// Replaces a folder's contents.
pub(crate) fn restore(folder: &Path, files: &Files) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

pub(crate) fn signed(files: &Files, path: &str) -> Outcome<Value> {
    let bytes = files.get(path).ok_or_else(|| format!("there is no {path}"))?;
    Ok(serde_json::from_slice::<Value>(bytes)?["signed"].take())
}

fn raise(document: &mut Value) {
    document["version"] = (document["version"].as_u64().unwrap_or_default() + 1).into();
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn key_ids(files: &Files, root: &Value, snapshot: &Value, role: &str) -> Outcome<Vec<String>> {
    if let Some(known) = root["roles"].get(role) {
        return Ok(strings(&known["keyids"]));
    }
    for (name, pin) in snapshot["meta"].as_object().into_iter().flatten() {
        let delegator = signed(files, &format!("metadata/{}.{name}", pin["version"]))?;
        let roles = delegator["delegations"]["roles"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if let Some(found) = roles.iter().find(|delegated| delegated["name"] == role) {
            return Ok(strings(&found["keyids"]));
        }
    }
    Err(format!("nobody delegates to {role}").into())
}

/// A server on which everything can go wrong. Entity tags are the digests of the bytes.
#[derive(Default)]
pub(crate) struct Mirror {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: Files,
    requests: Vec<String>,
    offline: bool,
    stalled: bool,
}

impl Mirror {
    pub(crate) fn serving(files: Files) -> Arc<Self> {
        let mirror = Self::default();
        mirror.serve(files);
        Arc::new(mirror)
    }

    pub(crate) fn serve(&self, files: Files) {
        self.with(|state| state.files = files);
    }

    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Files)) {
        self.with(|state| edit(&mut state.files));
    }

    pub(crate) fn set_offline(&self, offline: bool) {
        self.with(|state| state.offline = offline);
    }

    /// Whether requests are taken and never answered.
    pub(crate) fn set_stalled(&self, stalled: bool) {
        self.with(|state| state.stalled = stalled);
    }

    /// What was asked for since the last call, each with the kind of its answer.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.requests))
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transport for Mirror {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, etag: Option<&'a str>) -> GetFuture<'a> {
        let reply = self.with(|state| {
            if state.offline {
                state.requests.push(format!("{path} offline"));
                let source = std::io::Error::from(std::io::ErrorKind::NetworkDown).into();
                return Err(TransportError {
                    code: ErrorCode::Offline,
                    url: path.to_owned(),
                    source,
                });
            }
            let reply = match state.files.get(path) {
                None => Reply::Missing,
                Some(bytes) => {
                    let tag = format!("\"{}\"", Digest::of(bytes).short());
                    if etag == Some(tag.as_str()) {
                        Reply::NotModified
                    } else {
                        Reply::Body {
                            bytes: bytes.clone(),
                            etag: Some(tag),
                        }
                    }
                }
            };
            let answer = match &reply {
                Reply::Body { bytes, .. } if bytes.len() as u64 > max_bytes => "too large",
                Reply::Body { .. } => "body",
                Reply::NotModified => "not modified",
                Reply::Missing => "missing",
            };
            state.requests.push(format!("{path} {answer}"));
            Ok(reply)
        });
        if self.with(|state| state.stalled) {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move { reply })
    }
}

/// A computer on which the application is installed.
pub(crate) struct Computer {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) anchor: Anchor,
    pub(crate) mirror: Arc<Mirror>,
    pub(crate) client: Client,
}

impl Computer {
    pub(crate) fn new(anchor: Anchor, mirror: &Arc<Mirror>) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let client = Client::open(&anchor, mirror.clone(), &folder.path().join("trust"))?;
        Ok(Self {
            folder,
            anchor,
            mirror: mirror.clone(),
            client,
        })
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("trust")
    }

    /// The application was ended and started again.
    pub(crate) fn restart(&mut self) -> Outcome {
        self.client = Client::open(&self.anchor, self.mirror.clone(), &self.directory())?;
        Ok(())
    }

    pub(crate) async fn refresh(&mut self) -> Result<Refreshed, TrustError> {
        self.client.refresh(at(0)).await
    }

    pub(crate) async fn index(&mut self, text: &str) -> Result<Authentic<Index>, TrustError> {
        self.client.index(&subject(text), TRIPLE, at(0)).await
    }

    /// Refreshes, and gives the newest version of a subject.
    pub(crate) async fn newest(&mut self, text: &str) -> Result<String, TrustError> {
        self.refresh().await?;
        let index = self.index(text).await?;
        Ok(index
            .releases
            .first()
            .map_or_else(String::new, |release| release.version.to_string()))
    }

    pub(crate) fn stored(&self) -> Outcome<BTreeSet<String>> {
        Ok(files_of(&self.directory())?.into_keys().collect())
    }
}

/// What a check led to, in a form that a table can hold.
pub(crate) fn verdict<T: ToString>(outcome: Result<T, TrustError>) -> Result<String, ErrorCode> {
    outcome
        .map(|value| value.to_string())
        .map_err(|error| error.code())
}
