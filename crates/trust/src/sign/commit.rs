//! Turns collected changes into files, in an order that is safe to be interrupted at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp as Time;
use moult_durable::{create_dir_all, write_atomic};
use serde::Serialize;
use sigstore_tuf::TrustedMetadataSet;

use super::document::Head;
use super::editor::{Editor, public_floor};
use super::error::SignError;
use super::layout::{expiry, key_of, lifetime, publisher_of};
use super::read::Overlay;
use crate::floor::Floor;

/// What a commit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Committed {
    /// The files that were written, relative to the repository, in that order. Empty if nothing changed.
    pub written: Vec<String>,
    /// The version of the timestamp role.
    pub timestamp_version: u64,
    /// When the timestamp must be renewed at the latest.
    pub expires: Time,
}

/// What a renewal did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resigned {
    /// What was written.
    pub committed: Committed,
    /// The roles that were due, but whose keys are elsewhere, and when they expire.
    pub left: BTreeMap<String, Time>,
}

/// Files to be written, relative to the repository, in that order.
type Batch = Vec<(String, Vec<u8>)>;

impl Editor {
    /// Signs and writes what changed; each changed role gets the next version. The timestamp comes last,
    /// so until then clients see the repository as it was. See the module's text for a new root.
    ///
    /// If it fails, clients see the repository as it was or as it was meant to be. If it fails before the
    /// first file is written, the editor can commit again; otherwise the repository has to be opened anew.
    pub fn commit(&mut self, now: Time) -> Result<Committed, SignError> {
        if self.changed.is_empty() {
            let head = &self.documents.timestamp.head;
            let (timestamp_version, expires) = (head.version, head.expires);
            return Ok(Committed {
                written: Vec::new(),
                timestamp_version,
                expires,
            });
        }
        if self.interrupted {
            return Err(SignError::Interrupted {
                path: self.repository.clone(),
            });
        }
        let before = self.documents.clone();
        let prepared = self.sign(now).and_then(|(batch, root)| self.prepare(batch, root));
        let (batch, trusted) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.documents = before;
                return Err(error);
            }
        };
        self.interrupted = true;
        let committed = self.publish(batch, trusted)?;
        self.interrupted = false;
        Ok(committed)
    }

    /// Renews the timestamp, and every other role that has less than half of its lifetime left.
    /// A role whose key is not in the key folder is left and reported.
    pub fn resign(&mut self, now: Time) -> Result<Resigned, SignError> {
        let documents = &self.documents;
        let heads = documents
            .targets
            .iter()
            .map(|(role, targets)| (role.as_str(), &targets.head));
        let due: Vec<_> = heads
            .chain([
                ("root", &documents.root.head),
                ("snapshot", &documents.snapshot.head),
            ])
            .filter(|(role, head)| head.expires.duration_since(now) < lifetime(role) / 2)
            .map(|(role, head)| (role.to_owned(), head.expires))
            .collect();
        let mut left = BTreeMap::new();
        for (role, expires) in due {
            if self.keys.has_any(key_of(&role), &self.key_ids(&role)) {
                self.changed.insert(role);
            } else {
                left.insert(role, expires);
            }
        }
        self.changed.insert("timestamp".to_owned());
        Ok(Resigned {
            committed: self.commit(now)?,
            left,
        })
    }

    /// Makes all files: those up to the timestamp, and the new root, if there is one.
    fn sign(&mut self, now: Time) -> Result<(Batch, Option<Vec<u8>>), SignError> {
        let mut batch: Batch = self
            .files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        let changed = self.changed.clone();
        let roles: BTreeSet<_> = self.documents.targets.keys().cloned().collect();
        let changed_targets = || changed.intersection(&roles);

        // `targets` comes after what it delegates to.
        let delegated = changed_targets().filter(|role| *role != "targets");
        for role in delegated.chain(changed_targets().filter(|role| *role == "targets")) {
            if let Some(document) = self.documents.targets.get_mut(role) {
                advance(&mut document.head, role, now);
                let (document, version) = (document.clone(), document.head.version);
                self.documents.snapshot.pin(role, version);
                let bytes = self.seal(role, &document)?;
                batch.push((format!("metadata/{version}.{role}.json"), bytes));
            }
        }
        if changed.contains("snapshot") || changed_targets().next().is_some() {
            advance(&mut self.documents.snapshot.head, "snapshot", now);
            let version = self.documents.snapshot.head.version;
            self.documents.timestamp.pin("snapshot", version);
            batch.push((
                format!("metadata/{version}.snapshot.json"),
                self.seal("snapshot", &self.documents.snapshot)?,
            ));
        }
        advance(&mut self.documents.timestamp.head, "timestamp", now);
        batch.push((
            "metadata/timestamp.json".to_owned(),
            self.seal("timestamp", &self.documents.timestamp)?,
        ));
        let root = if changed.contains("root") {
            advance(&mut self.documents.root.head, "root", now);
            Some(self.seal("root", &self.documents.root)?)
        } else {
            None
        };
        Ok((batch, root))
    }

    /// Puts the files in order, and verifies what would be there with them.
    fn prepare(
        &self,
        mut batch: Batch,
        root: Option<Vec<u8>>,
    ) -> Result<(Batch, TrustedMetadataSet), SignError> {
        let known = match (&self.trusted, &root) {
            (Some(trusted), _) => trusted.root_bytes().to_vec(),
            (None, Some(first)) => first.clone(),
            (None, None) => self.keys.anchor()?.root,
        };
        if let Some(root) = root {
            let version = self.documents.root.head.version;
            let versioned = format!("metadata/{version}.root.json");
            let files = [(versioned, root.clone()), ("metadata/root.json".to_owned(), root)];
            if self.trusted.is_none() {
                // Nobody knows an older root, so nothing can be verified before this one is there.
                batch.splice(0..0, files);
            } else {
                batch.extend(files);
            }
        }
        let verified = Overlay {
            repository: &self.repository,
            new: &batch,
        }
        .verify(&known)?;
        match verified
            .broken
            .iter()
            .find(|(role, _)| self.changed.contains(*role))
        {
            Some((role, why)) => {
                let publisher = publisher_of(role).unwrap_or(role).to_owned();
                Err(SignError::Publisher {
                    publisher,
                    why: why.clone(),
                })
            }
            None => Ok((batch, verified.trusted)),
        }
    }

    fn publish(&mut self, batch: Batch, trusted: TrustedMetadataSet) -> Result<Committed, SignError> {
        if self.trusted.is_none() {
            // Whoever opens the repository needs its root, however far this comes.
            write(&self.keys.public("root.json"), trusted.root_bytes())?;
            self.write_floor(&Floor::default())?;
        }
        for (path, bytes) in &batch {
            write(&self.repository.join(path), bytes)?;
        }
        write(&self.keys.public("root.json"), trusted.root_bytes())?;
        self.write_floor(&public_floor(&trusted))?;
        self.trusted = Some(trusted);
        self.changed.clear();
        self.files.clear();
        self.retiring.clear();
        let head = &self.documents.timestamp.head;
        let written = batch.into_iter().map(|(path, _)| path).collect();
        Ok(Committed {
            written,
            timestamp_version: head.version,
            expires: head.expires,
        })
    }

    fn write_floor(&self, floor: &Floor) -> Result<(), SignError> {
        let bytes = serde_json::to_vec_pretty(floor).map_err(|source| SignError::Encode {
            name: "floor.json".to_owned(),
            source: source.into(),
        })?;
        write(&self.keys.public("floor.json"), &bytes)
    }

    /// Signs a document with the keys of its role, and with those that are being replaced.
    fn seal(&self, role: &str, document: &impl Serialize) -> Result<Vec<u8>, SignError> {
        let signed = serde_json::to_value(document).map_err(|source| SignError::Encode {
            name: role.to_owned(),
            source: source.into(),
        })?;
        let ids = self.key_ids(role);
        let name = key_of(role);
        if !self.keys.has_any(name, &ids) {
            return Err(SignError::KeyMissing {
                folder: self.keys.folder().to_owned(),
                role: role.to_owned(),
            });
        }
        let retiring = self.retiring.get(role).cloned().unwrap_or_default();
        let all: Vec<_> = ids.into_iter().chain(retiring).collect();
        self.keys.sign_metadata(name, &all, &signed)
    }
}

fn advance(head: &mut Head, role: &str, now: Time) {
    head.version = head.version.saturating_add(1);
    head.expires = expiry(role, now);
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SignError> {
    if let Some(folder) = path.parent() {
        create_dir_all(folder)?;
    }
    Ok(write_atomic(path, bytes)?)
}
