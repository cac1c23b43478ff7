//! Reads a repository and verifies all of it with the client's own core. It changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp as Time;
use sigstore_tuf::{Error as Core, TrustedMetadataSet};

use super::document::{Root, Targets, Versions, signed_part};
use super::error::SignError;
use super::layout::publisher_of;
use crate::error::TrustError;

/// All signed documents of a repository.
#[derive(Clone)]
pub(super) struct Documents {
    pub(super) root: Root,
    pub(super) timestamp: Versions,
    pub(super) snapshot: Versions,
    /// The top-level targets and the delegated roles, by name.
    pub(super) targets: BTreeMap<String, Targets>,
}

/// A repository that verifies.
pub(super) struct Verified {
    pub(super) trusted: TrustedMetadataSet,
    pub(super) documents: Documents,
    /// The publishers' roles that do not verify, and why. They are nobody else's business.
    pub(super) broken: BTreeMap<String, String>,
}

/// A repository's files, with those in front of them that are about to be written.
pub(super) struct Overlay<'a> {
    pub(super) repository: &'a Path,
    pub(super) new: &'a [(String, Vec<u8>)],
}

impl Overlay<'_> {
    fn find(&self, path: &str) -> Result<Option<Vec<u8>>, SignError> {
        if let Some((_, bytes)) = self.new.iter().find(|(name, _)| name == path) {
            return Ok(Some(bytes.clone()));
        }
        let path = self.repository.join(path);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SignError::Read { path, source }),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SignError> {
        self.find(path)?.ok_or_else(|| SignError::Read {
            path: self.repository.join(path),
            source: io::ErrorKind::NotFound.into(),
        })
    }

    /// Verifies everything from a known root on. What is expired is still verified: it is about to be renewed.
    pub(super) fn verify(&self, root: &[u8]) -> Result<Verified, SignError> {
        let refused = |error: Core| SignError::Repository {
            path: self.repository.to_owned(),
            source: Box::new(TrustError::from_core(error)),
        };
        let whenever = Time::MIN;
        let mut trusted = TrustedMetadataSet::from_root(root).map_err(refused)?;
        while let Some(next) = self.find(&format!(
            "metadata/{}.root.json",
            trusted.root().version.saturating_add(1)
        ))? {
            trusted.update_root(&next).map_err(refused)?;
        }
        let timestamp = self.read("metadata/timestamp.json")?;
        trusted.update_timestamp(&timestamp, whenever).map_err(refused)?;
        let timestamp: Versions = signed_part("timestamp.json", &timestamp)?;
        let version = timestamp.pinned("snapshot").unwrap_or_default();
        let snapshot = self.read(&format!("metadata/{version}.snapshot.json"))?;
        trusted.update_snapshot(&snapshot, whenever).map_err(refused)?;
        let snapshot: Versions = signed_part("snapshot.json", &snapshot)?;

        let mut targets = BTreeMap::new();
        let mut broken = BTreeMap::new();
        let mut visit = vec![("targets".to_owned(), None::<String>)];
        while let Some((role, delegator)) = visit.pop() {
            let version = snapshot.pinned(&role).unwrap_or_default();
            let load = |trusted: &mut TrustedMetadataSet| -> Result<Targets, SignError> {
                let bytes = self.read(&format!("metadata/{version}.{role}.json"))?;
                let verified = match &delegator {
                    None => trusted.update_targets(&bytes, whenever),
                    Some(delegator) => trusted.update_delegated_targets(&bytes, &role, delegator, whenever),
                };
                verified.map_err(refused)?;
                signed_part(&role, &bytes)
            };
            let document = match load(&mut trusted) {
                Ok(document) => document,
                Err(error) if publisher_of(&role).is_some() => {
                    tracing::warn!(%role, %error, "a publisher's metadata does not verify");
                    broken.insert(role, chain(&error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Publishers' roles are leaves here: what they delegate further is their own.
            if publisher_of(&role).is_none()
                && let Some(delegations) = &document.delegations
            {
                visit.extend(
                    delegations
                        .roles
                        .iter()
                        .map(|child| (child.name.clone(), Some(role.clone()))),
                );
            }
            targets.insert(role, document);
        }
        let root = signed_part("root.json", trusted.root_bytes())?;
        let documents = Documents {
            root,
            timestamp,
            snapshot,
            targets,
        };
        Ok(Verified {
            trusted,
            documents,
            broken,
        })
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        text.push_str(": ");
        text.push_str(&next.to_string());
        source = next.source();
    }
    text
}
