//! The few fields of TUF metadata that a person asks about. Nothing here is verified.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::PublishError;

#[derive(Deserialize)]
struct Envelope {
    signed: Signed,
}

/// A role's metadata: each kind of role has some of the fields.
#[derive(Deserialize)]
pub(super) struct Signed {
    pub(super) version: u64,
    pub(super) expires: String,
    #[serde(default)]
    pub(super) meta: BTreeMap<String, Meta>,
    #[serde(default)]
    pub(super) targets: BTreeMap<String, Target>,
}

#[derive(Deserialize)]
pub(super) struct Meta {
    pub(super) version: u64,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) hashes: BTreeMap<String, String>,
}

pub(super) fn read(path: &Path) -> Result<Signed, PublishError> {
    let bytes = std::fs::read(path).map_err(|source| PublishError::InspectRead {
        path: path.to_owned(),
        source,
    })?;
    let envelope: Envelope =
        serde_json::from_slice(&bytes).map_err(|source| PublishError::InspectMetadata {
            path: path.to_owned(),
            source,
        })?;
    Ok(envelope.signed)
}
