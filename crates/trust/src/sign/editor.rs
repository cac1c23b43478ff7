//! Changes to a repository, collected until they are committed. It refuses to know how files are built
//! and who may ask for a change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp as Time;
use moult_durable::{Lock, create_dir_all};
use moult_model::{Digest, Index, Subject};
use sigstore_tuf::TrustedMetadataSet;

use super::document::{Delegations, Head, RoleKeys, Root, Target, Targets, Versions};
use super::draft::Signers;
use super::error::SignError;
use super::keys::Keys;
use super::layout::{
    check_publisher, check_triple, delegations, publisher_of, publisher_paths, publisher_role, role_of,
    shard_of,
};
use super::read::{Documents, Overlay, Verified};
use crate::error::TrustError;
use crate::floor::Floor;
use crate::index;

/// An editor of one repository. It holds the repository's lock; a second editor waits for it.
///
/// Changes are in memory until [`Self::commit`].
pub struct Editor {
    pub(super) repository: PathBuf,
    pub(super) keys: Keys,
    pub(super) documents: Documents,
    /// What was verified last; nothing before the first commit.
    pub(super) trusted: Option<TrustedMetadataSet>,
    /// The publishers' roles that do not verify, and why.
    broken: BTreeMap<String, String>,
    /// The roles that get a new version.
    pub(super) changed: BTreeSet<String>,
    /// Index files to be written: path relative to the repository, and bytes.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Keys that are being replaced and sign beside the new ones for one commit.
    pub(super) retiring: BTreeMap<String, Signers>,
    /// Whether a commit failed while it wrote, so that memory and disk may differ.
    pub(super) interrupted: bool,
    _lock: Lock,
}

impl Editor {
    /// Makes a repository with all its roles and no releases, and commits it. Refuses a folder that
    /// has one.
    pub fn create(repository: &Path, keys: &Keys, now: Time) -> Result<Self, SignError> {
        create_dir_all(&repository.join("metadata"))?;
        let lock = Lock::acquire(&repository.join(".lock"))?;
        let timestamp = repository.join("metadata/timestamp.json");
        if timestamp.exists() {
            return Err(SignError::Exists { path: timestamp });
        }
        let mut root = Root {
            head: Head::new("root"),
            consistent_snapshot: true,
            keys: BTreeMap::new(),
            roles: BTreeMap::new(),
            extra: BTreeMap::new(),
        };
        for role in ["root", "timestamp", "snapshot", "targets"] {
            let (id, key) = keys.only(role)?.entry();
            root.keys.insert(id.clone(), key);
            let role_keys = RoleKeys {
                keyids: vec![id],
                threshold: 1,
                extra: BTreeMap::new(),
            };
            root.roles.insert(role.to_owned(), role_keys);
        }
        let mut delegated = Delegations::default();
        let mut targets = BTreeMap::new();
        for (role, key, paths) in delegations() {
            delegated.add(&role, keys.only(key)?.entry(), paths);
            targets.insert(role, Targets::new());
        }
        targets.insert(
            "targets".to_owned(),
            Targets {
                delegations: Some(delegated),
                ..Targets::new()
            },
        );
        let changed = targets.keys().cloned().chain(["root".to_owned()]).collect();
        let documents = Documents {
            root,
            timestamp: Versions::new("timestamp"),
            snapshot: Versions::new("snapshot"),
            targets,
        };
        let mut editor = Self {
            repository: repository.to_owned(),
            keys: keys.clone(),
            documents,
            trusted: None,
            broken: BTreeMap::new(),
            changed,
            files: BTreeMap::new(),
            retiring: BTreeMap::new(),
            interrupted: false,
            _lock: lock,
        };
        editor.commit(now)?;
        Ok(editor)
    }

    /// Opens a repository after it has verified all of it from the root in the key folder, expired or
    /// not. Refuses one that is older than what was published with these keys. A publisher whose
    /// metadata does not verify is left alone and can't be edited.
    pub fn open(repository: &Path, keys: &Keys) -> Result<Self, SignError> {
        let lock = Lock::acquire(&repository.join(".lock"))?;
        let verified = verified(repository, keys)?;
        Ok(Self {
            repository: repository.to_owned(),
            keys: keys.clone(),
            documents: verified.documents,
            trusted: Some(verified.trusted),
            broken: verified.broken,
            changed: BTreeSet::new(),
            files: BTreeMap::new(),
            retiring: BTreeMap::new(),
            interrupted: false,
            _lock: lock,
        })
    }

    /// Goes on from what is published, as if the repository were opened now. What was not committed is dropped.
    pub(super) fn reload(&mut self) -> Result<(), SignError> {
        let verified = verified(&self.repository, &self.keys)?;
        self.documents = verified.documents;
        self.trusted = Some(verified.trusted);
        self.broken = verified.broken;
        self.changed = BTreeSet::new();
        self.files = BTreeMap::new();
        self.retiring = BTreeMap::new();
        self.interrupted = false;
        Ok(())
    }

    /// The publishers that the repository delegates to.
    pub fn publishers(&self) -> Vec<String> {
        let roles = self
            .documents
            .targets
            .values()
            .filter_map(|role| role.delegations.as_ref());
        let names = roles.flat_map(|delegations| &delegations.roles);
        names
            .filter_map(|role| publisher_of(&role.name))
            .map(str::to_owned)
            .collect()
    }

    /// Delegates `w/NAME/*` to a publisher, with a key from the key folder that is made if it is missing.
    /// Does nothing if the publisher is there.
    pub fn add_publisher(&mut self, name: &str) -> Result<(), SignError> {
        check_publisher(name)?;
        let (role, shard) = (publisher_role(name), shard_of(name));
        if self.delegator_of(&role).is_some() {
            return Ok(());
        }
        let key = match self.keys.only(&role) {
            Err(SignError::KeyMissing { .. } | SignError::KeyAmbiguous { .. }) => {
                self.keys.generate(&role)?
            }
            key => key?,
        };
        // A publisher that comes back goes on from the version that the snapshot still has.
        let mut document = Targets::new();
        document.head.version = self.documents.snapshot.pinned(&role).unwrap_or_default();
        let delegator = self.targets_mut(&shard)?;
        delegator
            .delegations
            .get_or_insert_default()
            .add(&role, key.entry(), publisher_paths(name));
        self.documents.targets.insert(role.clone(), document);
        self.changed.extend([role, shard]);
        Ok(())
    }

    /// Takes a publisher's delegation away: clients believe nothing of it from the next commit on. Its
    /// entry stays in the snapshot, since clients refuse a snapshot that lacks a role they have seen.
    pub fn revoke_publisher(&mut self, name: &str) -> Result<(), SignError> {
        let role = publisher_role(name);
        let Some(shard) = self.delegator_of(&role) else {
            return Err(SignError::UnknownPublisher {
                publisher: name.to_owned(),
            });
        };
        let delegations = self.targets_mut(&shard)?.delegations.get_or_insert_default();
        delegations.roles.retain(|delegated| delegated.name != role);
        delegations.drop_unused_keys();
        self.documents.targets.remove(&role);
        self.broken.remove(&role);
        self.changed.remove(&role);
        self.changed.insert(shard);
        Ok(())
    }

    /// The index of a subject as it stands, committed or not; an empty one if it has none.
    pub fn index(&self, subject: &Subject, triple: &str) -> Result<Index, SignError> {
        let path = subject.index_path(triple);
        let Some(target) = self.targets_of(subject)?.targets.get(&path) else {
            let triple = matches!(subject, Subject::Executable).then(|| triple.to_owned());
            return Ok(Index::empty(subject.clone(), triple));
        };
        let file = served_path(&path, target.hashes.get("sha256").map_or("", String::as_str));
        let bytes = match self.files.get(&file) {
            Some(bytes) => bytes.clone(),
            None => super::keys::read(&self.repository.join(&file))?,
        };
        let refused = |source| SignError::Index {
            subject: subject.clone(),
            source: Box::new(source),
        };
        if Some(&Digest::of(&bytes).to_string()) != target.hashes.get("sha256") {
            let what = format!("{file} does not have the digest that is signed");
            return Err(refused(TrustError::Index {
                subject: subject.clone(),
                what,
                source: None,
            }));
        }
        index::check(&bytes, subject, triple).map_err(refused)
    }

    /// Replaces the index of its subject. Refuses what clients would refuse; does nothing if it is the same.
    pub fn set_index(&mut self, index: &Index) -> Result<(), SignError> {
        let subject = &index.subject;
        let triple = index.triple.as_deref().unwrap_or_default();
        if matches!(subject, Subject::Executable) {
            check_triple(triple)?;
        }
        self.targets_of(subject)?;
        let encode = |source: serde_json::Error| SignError::Encode {
            name: subject.index_path(triple),
            source: source.into(),
        };
        let bytes = serde_json::to_vec(index).map_err(encode)?;
        let sorted = index::check(&bytes, subject, triple).map_err(|source| SignError::Index {
            subject: subject.clone(),
            source: Box::new(source),
        })?;
        let bytes = serde_json::to_vec(&sorted).map_err(encode)?;
        let digest = Digest::of(&bytes).to_string();
        let path = subject.index_path(triple);
        let file = served_path(&path, &digest);
        let target = Target {
            length: bytes.len() as u64,
            hashes: BTreeMap::from([("sha256".to_owned(), digest)]),
            extra: BTreeMap::new(),
        };
        let role = role_of(subject);
        let targets = &mut self.targets_mut(&role)?.targets;
        if targets.get(&path) != Some(&target) {
            targets.insert(path, target);
            self.files.insert(file, bytes);
            self.changed.insert(role);
        }
        Ok(())
    }

    pub(super) fn delegator_of(&self, role: &str) -> Option<String> {
        let mut delegators = self.documents.targets.iter();
        delegators
            .find(|(_, targets)| targets.delegated(role).is_some())
            .map(|(name, _)| name.clone())
    }

    /// The document of the role that lists a subject.
    fn targets_of(&self, subject: &Subject) -> Result<&Targets, SignError> {
        let role = role_of(subject);
        self.documents
            .targets
            .get(&role)
            .ok_or_else(|| self.lacking(&role))
    }

    pub(super) fn targets_mut(&mut self, role: &str) -> Result<&mut Targets, SignError> {
        if !self.documents.targets.contains_key(role) {
            return Err(self.lacking(role));
        }
        Ok(self
            .documents
            .targets
            .entry(role.to_owned())
            .or_insert_with(Targets::new))
    }

    fn lacking(&self, role: &str) -> SignError {
        match (publisher_of(role), self.broken.get(role)) {
            (Some(publisher), Some(why)) => SignError::Publisher {
                publisher: publisher.to_owned(),
                why: why.clone(),
            },
            (Some(publisher), None) => SignError::UnknownPublisher {
                publisher: publisher.to_owned(),
            },
            (None, _) => SignError::UnknownRole {
                role: role.to_owned(),
            },
        }
    }
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor")
            .field("repository", &self.repository)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

/// All of a repository, verified from the root in the key folder and not older than what was published with these keys.
fn verified(repository: &Path, keys: &Keys) -> Result<Verified, SignError> {
    let anchor = keys.anchor()?;
    let verified = Overlay { repository, new: &[] }.verify(&anchor.root)?;
    let seen = public_floor(&verified.trusted);
    anchor.floor.admit(&seen).map_err(|error| SignError::Repository {
        path: repository.to_owned(),
        source: error.into(),
    })?;
    Ok(verified)
}

/// What is compiled into the application: the top-level roles and those that targets delegates to.
pub(super) fn public_floor(trusted: &TrustedMetadataSet) -> Floor {
    let mut floor = Floor::of_top_level(trusted);
    floor.raise(Floor::of_delegated(trusted, |delegator, _| {
        delegator == "targets"
    }));
    floor
}

/// Where a target lies: consistent snapshots put its digest in front of its name.
pub(super) fn served_path(path: &str, digest: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("targets/{folder}/{digest}.{name}"),
        None => format!("targets/{digest}.{path}"),
    }
}
