//! What a repository's roles are like: versions, ends, keys. It changes nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp as Time};
use serde::Serialize;

use super::editor::Editor;
use super::key_file::KeyPlace;
use super::layout::{key_of, lifetime};

/// When the metadata of a role ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expiry {
    /// The role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// From when on clients refuse it.
    pub expires: Time,
    /// From when on `resign` renews it: half of its lifetime before that.
    pub due: Time,
}

/// A role, and who signs for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleState {
    /// When its metadata ends.
    #[serde(flatten)]
    pub expiry: Expiry,
    /// How many keys must sign.
    pub threshold: usize,
    /// Its keys, and where each of them is.
    pub keys: BTreeMap<String, KeyPlace>,
}

impl Expiry {
    /// How long it is still believed; negative if it is not.
    pub fn left(&self, now: Time) -> SignedDuration {
        self.expires.duration_since(now)
    }
}

impl Editor {
    /// When the metadata of each role ends, the one that ends first at the front. Publishers whose metadata does not verify are left
    /// out.
    pub fn expiries(&self) -> Vec<Expiry> {
        let documents = &self.documents;
        let targets = documents
            .targets
            .iter()
            .map(|(role, targets)| (role.as_str(), &targets.head));
        let mut expiries: Vec<_> = targets
            .chain([
                ("root", &documents.root.head),
                ("snapshot", &documents.snapshot.head),
                ("timestamp", &documents.timestamp.head),
            ])
            .map(|(role, head)| Expiry {
                role: role.to_owned(),
                version: head.version,
                expires: head.expires,
                due: head
                    .expires
                    .saturating_sub(lifetime(role) / 2)
                    .unwrap_or(Time::MIN),
            })
            .collect();
        expiries.sort_by(|a, b| a.expires.cmp(&b.expires).then_with(|| a.role.cmp(&b.role)));
        expiries
    }

    /// Each role and its keys, the one that ends first at the front.
    pub fn role_states(&self) -> Vec<RoleState> {
        let state = |expiry: Expiry| {
            let signers = self.signers(&expiry.role);
            let place = |id: String| {
                let place = self.keys.place(key_of(&expiry.role), &id);
                (id, place)
            };
            RoleState {
                keys: signers.ids.into_iter().map(place).collect(),
                threshold: signers.needed,
                expiry,
            }
        };
        self.expiries().into_iter().map(state).collect()
    }
}
