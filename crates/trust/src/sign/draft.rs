//! A document that is to be signed, by whom, and by whom it is signed already. It refuses to know what stands in it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sigstore_tuf::canonical_json::to_canonical_bytes;

use super::error::SignError;
use super::keys::Keys;
use super::layout::key_of;

/// Keys of which some must sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signers {
    /// The ids of the keys.
    pub(super) ids: Vec<String>,
    /// How many of them must sign.
    pub(super) needed: usize,
}

/// A document before it is a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub(super) role: String,
    /// Where it goes, relative to the repository.
    pub(super) paths: Vec<String>,
    pub(super) signed: Value,
    /// Each of these sets must have signed enough.
    pub(super) signers: Vec<Signers>,
    /// The signatures as they stand in the file.
    pub(super) signatures: Vec<Value>,
}

impl Draft {
    /// Signs with those keys that are at hand and have not signed yet, and says how many did.
    pub(super) fn sign(&mut self, keys: &Keys) -> Result<usize, SignError> {
        let canonical = to_canonical_bytes(&self.signed).map_err(|source| SignError::Encode {
            name: format!("{}.json", self.role),
            source: source.into(),
        })?;
        let mut ids: Vec<String> = Vec::new();
        for id in self.signers.iter().flat_map(|signers| &signers.ids) {
            if !ids.contains(id) && !self.has_signature_by(id) {
                ids.push(id.clone());
            }
        }
        let new = keys.signatures(key_of(&self.role), &ids, &canonical)?;
        let count = new.len();
        self.signatures.extend(new);
        Ok(count)
    }

    /// The first set that lacks signatures: how many it needs and how many it has.
    pub(super) fn lacking(&self) -> Option<(usize, usize)> {
        self.signers.iter().find_map(|signers| {
            let found = signers.ids.iter().filter(|id| self.has_signature_by(id)).count();
            (found < signers.needed).then_some((signers.needed, found))
        })
    }

    /// The file.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, SignError> {
        let file = serde_json::json!({ "signatures": self.signatures, "signed": self.signed });
        serde_json::to_vec(&file).map_err(|source| SignError::Encode {
            name: format!("{}.json", self.role),
            source: source.into(),
        })
    }

    /// Whether a key that has not signed yet is at hand.
    pub(super) fn is_signable(&self, keys: &Keys) -> bool {
        let mut ids = self.signers.iter().flat_map(|signers| &signers.ids);
        ids.any(|id| {
            !self.has_signature_by(id) && keys.count(key_of(&self.role), std::slice::from_ref(id)) > 0
        })
    }

    fn has_signature_by(&self, id: &str) -> bool {
        self.signatures.iter().any(|signature| signature["keyid"] == id)
    }
}
