//! Who may sign for a role, and how that is changed. It refuses to know what a role lists.

use sigstore_tuf::Key;

use super::draft::Signers;
use super::editor::Editor;
use super::error::SignError;
use super::keys::HeldKey;
use super::layout::key_of;

/// What becomes of the keys of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// The ids of the keys that go on.
    pub keep: Vec<String>,
    /// How many new keys are made in the key folder.
    pub make: usize,
    /// New keys whose secrets are elsewhere.
    pub held: Vec<HeldKey>,
    /// How many of them all must sign.
    pub threshold: usize,
}

impl KeyChange {
    /// One new key in place of all.
    pub fn one() -> Self {
        Self {
            make: 1,
            threshold: 1,
            ..Self::default()
        }
    }
}

impl Editor {
    /// Gives a role one new key; the old ones count no more from the next commit on. See [`Self::change_keys`].
    pub fn replace_key(&mut self, role: &str) -> Result<(), SignError> {
        self.change_keys(role, &KeyChange::one()).map(|_| ())
    }

    /// Changes the keys of a role from the next commit on, and gives the ids of the new ones. `role` is `root`, `timestamp`,
    /// `snapshot`, `targets`, `app`, `rollout`, or a publisher as `publisher-NAME`.
    ///
    /// For a top-level role this makes a new root. As many of the old and as many of the new root keys must sign it as each set
    /// demands: if fewer are at hand, [`Self::commit`] refuses and [`Self::stage`] keeps it until all have signed. For any other role its
    /// delegator signs anew: `targets`, or the shard of the publisher.
    pub fn change_keys(&mut self, role: &str, change: &KeyChange) -> Result<Vec<String>, SignError> {
        let unknown = || SignError::UnknownRole {
            role: role.to_owned(),
        };
        let is_top_level = self.documents.root.roles.contains_key(role);
        let delegator = self.delegator_of(role);
        let has_own_key = key_of(role) == role && self.documents.targets.contains_key(role);
        if !(is_top_level || delegator.is_some() && has_own_key) {
            return Err(unknown());
        }
        let old = self.signers(role);
        let refused = |what: String| SignError::KeySet {
            role: role.to_owned(),
            what,
        };
        if let Some(id) = change.keep.iter().find(|id| !old.ids.contains(id)) {
            return Err(refused(format!("{id} is none of its keys")));
        }
        let count = change.keep.len() + change.make + change.held.len();
        if change.threshold == 0 || change.threshold > count {
            return Err(refused(format!("{} of {count} can't sign", change.threshold)));
        }
        let mut entries = Vec::new();
        for held in &change.held {
            entries.push(self.keys.take_in(role, held)?);
        }
        for _ in 0..change.make {
            entries.push(self.keys.generate(role)?.entry());
        }
        let new: Vec<_> = entries.iter().map(|(id, _)| id.clone()).collect();
        let mut ids = change.keep.clone();
        ids.extend(new.iter().cloned());
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != ids.len() {
            return Err(refused("one of them is there twice".to_owned()));
        }
        if is_top_level {
            self.set_top_level_keys(role, entries, ids, change.threshold);
            // The newest set is what those who know the old root can check; a change of a change has but one old one.
            self.retiring.entry(role.to_owned()).or_insert(old);
            self.changed.extend(["root".to_owned(), role.to_owned()]);
        } else if let Some(delegator) = delegator {
            let delegations = self.targets_mut(&delegator)?.delegations.get_or_insert_default();
            delegations.keys.extend(entries);
            let same_role = delegations
                .roles
                .iter_mut()
                .filter(|delegated| delegated.name == role);
            for delegated in same_role {
                delegated.keyids.clone_from(&ids);
                delegated.threshold = change.threshold;
            }
            delegations.drop_unused_keys();
            self.changed.extend([delegator, role.to_owned()]);
        }
        Ok(new)
    }

    /// The keys that may sign for a role, and how many must.
    pub(super) fn signers(&self, role: &str) -> Signers {
        if let Some(role_keys) = self.documents.root.roles.get(role) {
            return Signers {
                ids: role_keys.keyids.clone(),
                needed: role_keys.threshold,
            };
        }
        let mut delegators = self.documents.targets.values();
        delegators
            .find_map(|targets| targets.delegated(role))
            .map_or_else(Signers::default, |role| Signers {
                ids: role.keyids.clone(),
                needed: role.threshold,
            })
    }

    fn set_top_level_keys(
        &mut self,
        role: &str,
        entries: Vec<(String, Key)>,
        ids: Vec<String>,
        threshold: usize,
    ) {
        let root = &mut self.documents.root;
        if let Some(role_keys) = root.roles.get_mut(role) {
            role_keys.keyids = ids;
            role_keys.threshold = threshold;
        }
        root.keys.extend(entries);
        let roles = &root.roles;
        root.keys
            .retain(|id, _| roles.values().any(|role| role.keyids.contains(id)));
    }
}
