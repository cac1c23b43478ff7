//! Signs for the roles whose keys are online, and for no other, and looks at what it signs. It refuses to know who asks:
//! that is the door's business.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp as Time};
use moult_durable::write_atomic;
use moult_model::rollout::Orders;
use serde_json::Value;
use sigstore_tuf::canonical_json::to_canonical_bytes;

use super::error::SignError;
use super::keys::Keys;
use super::layout::lifetime;
use crate::orders::{ROLE, check};

/// How far a version may be above the last one. A thief of the door, but not of the key, can't use the versions up.
const FURTHEST: u64 = 1000;

/// The keys of the online roles, and what they have signed.
///
/// It signs documents of `snapshot`, `timestamp` and `rollout` that clients would take: of their type, in canonical form, not
/// older than what was signed before, not far above it, and not for longer than their lifetime. It can't tell whether a release should
/// be: the role `app` or a publisher says that.
#[derive(Debug)]
pub struct OnlineSigner {
    keys: Keys,
    file: PathBuf,
    /// The highest version that was signed, by role.
    signed: Mutex<BTreeMap<String, u64>>,
}

impl OnlineSigner {
    /// The roles that it signs for.
    pub const ROLES: [&str; 3] = ["snapshot", "timestamp", ROLE];
    /// The largest document that it reads, in bytes: that of the largest snapshot.
    pub const MAX_BYTES: usize = 2 * 1024 * 1024;

    /// A signer with these keys. It goes on from what the folder says was published and signed.
    pub fn new(keys: Keys) -> Result<Self, SignError> {
        let file = keys.folder().join("signed.versions");
        let mut signed: BTreeMap<String, u64> = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| SignError::Encode {
                name: file.display().to_string(),
                source: source.into(),
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(SignError::Read { path: file, source }),
        };
        let floor = keys.anchor()?.floor;
        for role in Self::ROLES {
            let published = floor.version(role).unwrap_or_default();
            let known = signed.entry(role.to_owned()).or_default();
            *known = published.max(*known);
        }
        Ok(Self {
            keys,
            file,
            signed: Mutex::new(signed),
        })
    }

    /// A signature over the canonical form of a document, by the key of this id.
    pub fn sign(&self, role: &str, id: &str, bytes: &[u8], now: Time) -> Result<Vec<u8>, SignError> {
        if !Self::ROLES.contains(&role) {
            return Err(not(format!(
                "`{role}` is no online role: {} are",
                Self::ROLES.join(", ")
            )));
        }
        let document = parse(bytes)?;
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let last = signed.get(role).copied().unwrap_or_default();
        let version = judge(role, &document, last, now)?;
        let signatures = self.keys.signatures(role, &[id.to_owned()], bytes)?;
        let signature = signatures
            .first()
            .and_then(|signature| signature["sig"].as_str())
            .ok_or_else(|| SignError::KeyMissing {
                folder: self.keys.folder().to_owned(),
                role: role.to_owned(),
            })?;
        signed.insert(role.to_owned(), version.max(last));
        let bytes = serde_json::to_vec(&*signed).map_err(|source| SignError::Encode {
            name: self.file.display().to_string(),
            source: source.into(),
        })?;
        // Before the signature is out of the house: what was signed once is never forgotten.
        write_atomic(&self.file, &bytes)?;
        hex::decode(signature).map_err(|source| SignError::Encode {
            name: role.to_owned(),
            source: source.into(),
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Value, SignError> {
    if bytes.len() > OnlineSigner::MAX_BYTES {
        return Err(not(format!("it has more than {} bytes", OnlineSigner::MAX_BYTES)));
    }
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| not(format!("it can't be read: {error}")))?;
    match to_canonical_bytes(&document) {
        Ok(canonical) if canonical == bytes => Ok(document),
        _ => Err(not("it is not in canonical form")),
    }
}

/// Refuses what clients would refuse, and gives the version.
fn judge(role: &str, document: &Value, last: u64, now: Time) -> Result<u64, SignError> {
    let kind = if role == ROLE { "targets" } else { role };
    if document["_type"] != kind {
        return Err(not(format!(
            "it is of the type {}, not {kind}",
            document["_type"]
        )));
    }
    if !document["spec_version"]
        .as_str()
        .is_some_and(|version| version.starts_with("1."))
    {
        return Err(not("it is not of the specification 1"));
    }
    let version = document["version"].as_u64().unwrap_or_default();
    // The same again: a commit may have failed after it was signed.
    if version < last.max(1) || version > last.saturating_add(FURTHEST) {
        return Err(not(format!(
            "it has version {}, and {last} was the last one",
            document["version"]
        )));
    }
    let expires: Option<Time> = document["expires"].as_str().and_then(|text| text.parse().ok());
    let latest = now
        .saturating_add(lifetime(role) + SignedDuration::from_hours(1))
        .unwrap_or(Time::MAX);
    if !expires.is_some_and(|expires| expires > now && expires <= latest) {
        return Err(not(format!(
            "it ends at {}, and not within {} days from now",
            document["expires"],
            lifetime(role).as_hours() / 24
        )));
    }
    match role {
        ROLE => judge_orders(document)?,
        _ => judge_pins(role, document)?,
    }
    Ok(version)
}

fn judge_pins(role: &str, document: &Value) -> Result<(), SignError> {
    let pins = document["meta"]
        .as_object()
        .ok_or_else(|| not("it pins nothing"))?;
    let must = if role == "timestamp" {
        "snapshot.json"
    } else {
        "targets.json"
    };
    if !pins.contains_key(must) || (role == "timestamp" && pins.len() != 1) {
        return Err(not(format!("it has to pin {must}")));
    }
    match pins
        .iter()
        .find(|(_, pin)| pin["version"].as_u64().is_none_or(|version| version == 0))
    {
        Some((name, _)) => Err(not(format!("it pins no version of {name}"))),
        None => Ok(()),
    }
}

fn judge_orders(document: &Value) -> Result<(), SignError> {
    let targets = document["targets"].as_object();
    let others = targets.is_none_or(|targets| targets.keys().any(|path| path != Orders::PATH));
    if others || !document["delegations"].is_null() {
        return Err(not(format!("it may list {} and nothing else", Orders::PATH)));
    }
    match targets.and_then(|targets| targets.get(Orders::PATH)) {
        Some(target) => check(target.get("custom"))
            .map(|_| ())
            .map_err(|source| SignError::Orders {
                source: Box::new(source),
            }),
        None => Ok(()),
    }
}

fn not(what: impl Into<String>) -> SignError {
    SignError::NotSigned { what: what.into() }
}
