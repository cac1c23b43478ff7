//! The shapes of signed metadata as they are written. Fields that this code does not know are kept.

use std::collections::BTreeMap;

use jiff::Timestamp as Time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sigstore_tuf::Key;

use super::error::SignError;

type Extra = BTreeMap<String, Value>;

/// What every role's metadata starts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    #[serde(rename = "_type")]
    pub(super) kind: String,
    pub(super) spec_version: String,
    pub(super) version: u64,
    pub(super) expires: Time,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Root {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) consistent_snapshot: bool,
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) roles: BTreeMap<String, RoleKeys>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RoleKeys {
    pub(super) keyids: Vec<String>,
    pub(super) threshold: usize,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

/// The timestamp and the snapshot: names of metadata files and their versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Versions {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) meta: BTreeMap<String, Pin>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pin {
    pub(super) version: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the field is called so in the files")]
pub(super) struct Targets {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) targets: BTreeMap<String, Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delegations: Option<Delegations>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) length: u64,
    pub(super) hashes: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Delegations {
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) roles: Vec<DelegatedRole>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DelegatedRole {
    pub(super) name: String,
    pub(super) keyids: Vec<String>,
    pub(super) threshold: usize,
    pub(super) terminating: bool,
    pub(super) paths: Vec<String>,
    #[serde(flatten)]
    pub(super) extra: Extra,
}

impl Head {
    /// The head of a document that was never signed.
    pub(super) fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            spec_version: "1.0.0".to_owned(),
            version: 0,
            expires: Time::UNIX_EPOCH,
        }
    }
}

impl Versions {
    pub(super) fn new(kind: &str) -> Self {
        Self {
            head: Head::new(kind),
            meta: BTreeMap::new(),
            extra: Extra::new(),
        }
    }

    pub(super) fn pin(&mut self, role: &str, version: u64) {
        self.meta.insert(format!("{role}.json"), Pin { version });
    }

    pub(super) fn pinned(&self, role: &str) -> Option<u64> {
        self.meta.get(&format!("{role}.json")).map(|pin| pin.version)
    }
}

impl Targets {
    pub(super) fn new() -> Self {
        Self {
            head: Head::new("targets"),
            targets: BTreeMap::new(),
            delegations: None,
            extra: Extra::new(),
        }
    }

    pub(super) fn delegated(&self, role: &str) -> Option<&DelegatedRole> {
        self.delegations
            .as_ref()?
            .roles
            .iter()
            .find(|delegated| delegated.name == role)
    }
}

impl Delegations {
    /// Adds a terminating role with one key.
    pub(super) fn add(&mut self, name: &str, (id, key): (String, Key), paths: Vec<String>) {
        self.keys.insert(id.clone(), key);
        let (name, keyids, extra) = (name.to_owned(), vec![id], Extra::new());
        self.roles.push(DelegatedRole {
            name,
            keyids,
            threshold: 1,
            terminating: true,
            paths,
            extra,
        });
    }

    /// Removes the keys that no role uses any more.
    pub(super) fn drop_unused_keys(&mut self) {
        let roles = &self.roles;
        self.keys
            .retain(|id, _| roles.iter().any(|role| role.keyids.contains(id)));
    }
}

/// Reads the signed part of a file that was verified.
pub(super) fn signed_part<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, SignError> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        signed: T,
    }
    match serde_json::from_slice::<Envelope<T>>(bytes) {
        Ok(envelope) => Ok(envelope.signed),
        Err(source) => Err(SignError::Encode {
            name: name.to_owned(),
            source: source.into(),
        }),
    }
}
