//! Turns collected changes into files, in an order that is safe to be interrupted at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp as Time;
use moult_durable::{create_dir_all, write_atomic};
use serde::Serialize;
use sigstore_tuf::TrustedMetadataSet;

use super::document::Head;
use super::draft::{Draft, Signers};
use super::editor::{Editor, public_floor};
use super::error::SignError;
use super::layout::{expiry, key_of, lifetime, publisher_of};
use super::read::Overlay;
use super::staged::paths;
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
pub(super) type Batch = Vec<(String, Vec<u8>)>;

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
        let prepared = self.signed_drafts(now).and_then(|drafts| self.prepare(&drafts));
        let (batch, trusted) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.documents = before;
                return Err(error);
            }
        };
        self.write_out(batch, trusted)
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
            let signers = self.signers(&role);
            if self.keys.count(key_of(&role), &signers.ids) >= signers.needed {
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

    /// All documents that change, signed by enough keys.
    fn signed_drafts(&mut self, now: Time) -> Result<Vec<Draft>, SignError> {
        let mut drafts = self.drafts(now)?;
        for draft in &mut drafts {
            draft.sign(&self.keys)?;
            match draft.lacking() {
                None => {}
                Some((_, 0)) => {
                    return Err(SignError::KeyMissing {
                        folder: self.keys.folder().to_owned(),
                        role: draft.role.clone(),
                    });
                }
                Some((needed, found)) => {
                    let role = draft.role.clone();
                    return Err(SignError::TooFewKeys { role, needed, found });
                }
            }
        }
        Ok(drafts)
    }

    /// Makes all documents that change, in the order in which they are written; the root, if there is a new one, comes last.
    pub(super) fn drafts(&mut self, now: Time) -> Result<Vec<Draft>, SignError> {
        let mut drafts = Vec::new();
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
                drafts.push(self.draft(role, version, &document)?);
            }
        }
        if changed.contains("snapshot") || changed_targets().next().is_some() {
            advance(&mut self.documents.snapshot.head, "snapshot", now);
            let version = self.documents.snapshot.head.version;
            self.documents.timestamp.pin("snapshot", version);
            drafts.push(self.draft("snapshot", version, &self.documents.snapshot)?);
        }
        advance(&mut self.documents.timestamp.head, "timestamp", now);
        let version = self.documents.timestamp.head.version;
        drafts.push(self.draft("timestamp", version, &self.documents.timestamp)?);
        if changed.contains("root") {
            advance(&mut self.documents.root.head, "root", now);
            let version = self.documents.root.head.version;
            drafts.push(self.draft("root", version, &self.documents.root)?);
        }
        Ok(drafts)
    }

    /// A document, and who must sign it: its own keys, and those that are being replaced.
    fn draft(&self, role: &str, version: u64, document: &impl Serialize) -> Result<Draft, SignError> {
        let signed = serde_json::to_value(document).map_err(|source| SignError::Encode {
            name: role.to_owned(),
            source: source.into(),
        })?;
        let retiring = self.retiring.get(role).map(|old| Signers {
            // Only a root must be believed by those who know the old keys. Else they help where they are at hand.
            needed: if role == "root" { old.needed } else { 0 },
            ..old.clone()
        });
        Ok(Draft {
            role: role.to_owned(),
            paths: paths(role, version),
            signed,
            signers: std::iter::once(self.signers(role)).chain(retiring).collect(),
            signatures: Vec::new(),
        })
    }

    /// Puts the files in order, and verifies what would be there with them.
    pub(super) fn prepare(&self, drafts: &[Draft]) -> Result<(Batch, TrustedMetadataSet), SignError> {
        let mut batch: Batch = self
            .files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        let mut root = None;
        for draft in drafts {
            let bytes = draft.bytes()?;
            let files = draft.paths.iter().map(|path| (path.clone(), bytes.clone()));
            if draft.role != "root" {
                batch.extend(files);
            } else if self.trusted.is_none() {
                // Nobody knows an older root, so nothing can be verified before this one is there.
                batch.splice(0..0, files);
                root = Some(bytes);
            } else {
                batch.extend(files);
            }
        }
        let known = match (&self.trusted, root) {
            (Some(trusted), _) => trusted.root_bytes().to_vec(),
            (None, Some(first)) => first,
            (None, None) => self.keys.anchor()?.root,
        };
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

    /// Writes all files, in order.
    pub(super) fn write_out(
        &mut self,
        batch: Batch,
        trusted: TrustedMetadataSet,
    ) -> Result<Committed, SignError> {
        self.interrupted = true;
        let committed = self.publish(batch, trusted)?;
        self.interrupted = false;
        Ok(committed)
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
