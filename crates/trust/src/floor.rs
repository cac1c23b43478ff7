//! The lowest versions that are believed. It knows nothing of signatures: what it is given is verified.

use std::collections::{BTreeMap, BTreeSet};

use moult_model::Digest;
use serde::{Deserialize, Serialize};
use sigstore_tuf::canonical_json::to_canonical_bytes;
use sigstore_tuf::{DelegatedRole, Key, MetaFile, TrustedMetadataSet};

use crate::error::TrustError;

/// The lowest version of each role that will ever be believed again.
///
/// Top-level roles go by their names. A delegated role goes by the chain of names that leads to it from
/// the top-level targets, as in `publishers-6 > publisher-moult`, so that no publisher can touch
/// the floor of a role outside its own branch. Fields are only ever added to this shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The floor of each role.
    pub roles: BTreeMap<String, RoleFloor>,
}

/// The lowest version of one role, as long as its keys stay the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFloor {
    /// The version.
    pub version: u64,
    /// SHA-256 over the role's keys and threshold.
    pub keys: Digest,
    /// For `targets` and delegated roles: the keys of the snapshot role that pinned it. As long as they stay the same
    /// no snapshot may lack the role or pin a lower version. The floor of `targets` ends with them, as TUF has it for a
    /// publisher whose versions somebody used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_by: Option<Digest>,
}

const TOP_LEVEL: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];
const CHAIN: &str = " > ";

impl Floor {
    /// The version below which a role is not believed, whatever its keys.
    pub fn version(&self, role: &str) -> Option<u64> {
        self.roles.get(role).map(|floor| floor.version)
    }

    /// The versions of the top-level roles.
    pub(crate) fn of_top_level(trusted: &TrustedMetadataSet) -> Self {
        let root = trusted.root();
        let versions = [
            Some(root.version),
            trusted.timestamp().map(|role| role.version),
            trusted.snapshot().map(|role| role.version),
            trusted.targets_role("targets").map(|role| role.version),
        ];
        let mut roles = BTreeMap::new();
        for (name, version) in TOP_LEVEL.into_iter().zip(versions) {
            if let (Some(version), Some(role)) = (version, root.role(name)) {
                let keys = key_set(&root.keys, &role.keyids, role.threshold);
                let pinned_by = (name == "targets").then(|| snapshot_keys(trusted)).flatten();
                roles.insert(
                    name.to_owned(),
                    RoleFloor {
                        version,
                        keys,
                        pinned_by,
                    },
                );
            }
        }
        Self { roles }
    }

    /// The versions of the delegated roles that are loaded and that `follow` leads to.
    pub(crate) fn of_delegated(
        trusted: &TrustedMetadataSet,
        follow: impl Fn(&str, &DelegatedRole) -> bool,
    ) -> Self {
        let pinned_by = snapshot_keys(trusted);
        let mut found = Self::default();
        let mut visit = vec![("targets".to_owned(), String::new())];
        let mut visited = vec!["targets".to_owned()];
        while let Some((delegator, chain)) = visit.pop() {
            let delegations = trusted
                .targets_role(&delegator)
                .and_then(|role| role.delegations.as_ref());
            let Some(delegations) = delegations else { continue };
            for role in &delegations.roles {
                if TOP_LEVEL.contains(&role.name.as_str()) || !follow(&delegator, role) {
                    continue;
                }
                let Some(loaded) = trusted.targets_role(&role.name) else {
                    continue;
                };
                let chain = if chain.is_empty() {
                    role.name.clone()
                } else {
                    format!("{chain}{CHAIN}{}", role.name)
                };
                let keys = key_set(&delegations.keys, &role.keyids, role.threshold);
                found.roles.insert(
                    chain.clone(),
                    RoleFloor {
                        version: loaded.version,
                        keys,
                        pinned_by,
                    },
                );
                if !visited.contains(&role.name) {
                    visited.push(role.name.clone());
                    visit.push((role.name.clone(), chain));
                }
            }
        }
        found
    }

    /// Refuses what is older than this floor.
    pub(crate) fn admit(&self, seen: &Self) -> Result<(), TrustError> {
        for (role, floor) in &self.roles {
            let Some(now) = seen.roles.get(role) else { continue };
            let same_snapshot_keys = floor.pinned_by.is_none() || floor.pinned_by == now.pinned_by;
            let binding = match role.as_str() {
                "root" => true,
                "targets" => now.keys == floor.keys && same_snapshot_keys,
                _ => now.keys == floor.keys,
            };
            if binding && now.version < floor.version {
                return Err(replayed(role, floor.version, now.version));
            }
        }
        Ok(())
    }

    /// Refuses a snapshot that lacks a role, or pins a version of it, below this floor.
    pub(crate) fn admit_snapshot(
        &self,
        keys: Option<Digest>,
        pins: &BTreeMap<String, MetaFile>,
    ) -> Result<(), TrustError> {
        for (chain, floor) in &self.roles {
            if floor.pinned_by.is_none() || floor.pinned_by != keys {
                continue;
            }
            let role = chain.rsplit(CHAIN).next().unwrap_or(chain);
            match pins.get(&format!("{role}.json")) {
                None => {
                    let what = format!("the snapshot lacks {role}, which was there before");
                    return Err(TrustError::invalid(what));
                }
                Some(pin) if pin.version < floor.version => {
                    return Err(replayed(role, floor.version, pin.version));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Takes over what was admitted.
    pub(crate) fn raise(&mut self, seen: Self) {
        self.roles.extend(seen.roles);
    }
}

fn replayed(role: &str, believed: u64, offered: u64) -> TrustError {
    TrustError::Replayed {
        role: role.to_owned(),
        believed,
        offered,
    }
}

/// Refuses a set of keys of which several must sign and in which one key goes by two ids: it would count twice, and one thief
/// be enough. The core counts ids.
/// Of the delegated roles only those are looked at that `follow` leads to.
pub(crate) fn check_key_sets(
    trusted: &TrustedMetadataSet,
    follow: impl Fn(&DelegatedRole) -> bool,
) -> Result<(), TrustError> {
    let root = trusted.root();
    for (name, role) in &root.roles {
        check_key_set(name, &root.keys, &role.keyids, role.threshold)?;
    }
    let mut visit = vec!["targets".to_owned()];
    let mut visited = BTreeSet::new();
    while let Some(name) = visit.pop() {
        let delegations = trusted
            .targets_role(&name)
            .and_then(|role| role.delegations.as_ref());
        let Some(delegations) = delegations.filter(|_| visited.insert(name)) else {
            continue;
        };
        for role in delegations.roles.iter().filter(|role| follow(role)) {
            check_key_set(&role.name, &delegations.keys, &role.keyids, role.threshold)?;
            visit.push(role.name.clone());
        }
    }
    Ok(())
}

fn check_key_set(
    role: &str,
    keys: &BTreeMap<String, Key>,
    ids: &[String],
    threshold: usize,
) -> Result<(), TrustError> {
    let ids: BTreeSet<_> = ids.iter().collect();
    let known = ids.iter().filter_map(|id| keys.get(*id));
    let publics: Vec<_> = known.map(|key| key.keyval.public.trim()).collect();
    let distinct: BTreeSet<_> = publics.iter().collect();
    if threshold > 1 && distinct.len() < publics.len() {
        return Err(TrustError::invalid(format!(
            "{threshold} keys must sign for {role}, and one key goes by two ids"
        )));
    }
    Ok(())
}

/// The keys of the snapshot role.
pub(crate) fn snapshot_keys(trusted: &TrustedMetadataSet) -> Option<Digest> {
    let root = trusted.root();
    root.role("snapshot")
        .map(|role| key_set(&root.keys, &role.keyids, role.threshold))
}

/// Names a role's keys and threshold. Key ids are free text, so the keys themselves are hashed.
fn key_set(keys: &BTreeMap<String, Key>, ids: &[String], threshold: usize) -> Digest {
    let mut members: Vec<_> = ids
        .iter()
        .map(|id| {
            let key = keys.get(id);
            let scheme = key.map_or("", |key| &key.scheme);
            let public = key.map_or("", |key| &key.keyval.public);
            serde_json::json!([id, scheme, public])
        })
        .collect();
    members.sort_by_key(ToString::to_string);
    members.dedup();
    let set = serde_json::json!({ "keys": members, "threshold": threshold });
    // Canonical JSON refuses fractions alone, and there is none.
    Digest::of(&to_canonical_bytes(&set).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Role, version, keys.
    type Row = (&'static str, u64, &'static str);

    fn floor(roles: &[Row]) -> Floor {
        let entry = |(role, version, keys): &Row| {
            let keys = Digest::of(keys.as_bytes());
            (
                (*role).to_owned(),
                RoleFloor {
                    version: *version,
                    keys,
                    pinned_by: None,
                },
            )
        };
        Floor {
            roles: roles.iter().map(entry).collect(),
        }
    }

    #[test]
    fn a_version_goes_down_only_with_new_keys_and_the_roots_never() {
        let believed = [("root", 3, "r"), ("timestamp", 9, "t")];
        let table: [(&str, &[Row], bool); 7] = [
            ("the same", &believed, true),
            ("higher", &[("root", 4, "r"), ("timestamp", 10, "t")], true),
            (
                "older timestamp",
                &[("root", 3, "r"), ("timestamp", 8, "t")],
                false,
            ),
            (
                "older timestamp, new keys",
                &[("root", 4, "r"), ("timestamp", 1, "t2")],
                true,
            ),
            ("older root", &[("root", 2, "r"), ("timestamp", 9, "t")], false),
            (
                "older root with other keys",
                &[("root", 2, "r0"), ("timestamp", 9, "t0")],
                false,
            ),
            (
                "a role never seen",
                &[("root", 3, "r"), ("timestamp", 9, "t"), ("app", 1, "a")],
                true,
            ),
        ];
        let floor_of_table = floor(&believed);
        for (what, seen, admitted) in table {
            assert_eq!(floor_of_table.admit(&floor(seen)).is_ok(), admitted, "{what}");
        }
    }

    #[test]
    fn new_snapshot_keys_start_targets_anew_and_no_other_role() {
        let pinned = |roles: &[Row], by: Option<&str>| {
            let mut floor = floor(roles);
            for role in floor.roles.values_mut() {
                role.pinned_by = by.map(|keys| Digest::of(keys.as_bytes()));
            }
            floor
        };
        let table = [
            ("targets", Some("s"), Some("s"), false),
            ("targets", Some("s"), Some("s2"), true),
            // Written before this was known: nothing is told of the snapshot.
            ("targets", None, Some("s2"), false),
            ("app", Some("s"), Some("s2"), false),
        ];
        for (role, before, after, admitted) in table {
            let low = pinned(&[(role, 9, "k")], before);
            let seen = pinned(&[(role, 1, "k")], after);
            assert_eq!(low.admit(&seen).is_ok(), admitted, "{role} {before:?} {after:?}");
        }
    }

    #[test]
    fn a_role_stays_in_the_snapshot_as_long_as_the_snapshots_keys_stay() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let mut low = floor(&[("publishers-6 > publisher-moult", 5, "p")]);
        for role in low.roles.values_mut() {
            role.pinned_by = Some(old);
        }
        let pins = |version: Option<u64>| -> BTreeMap<String, MetaFile> {
            let pin = |version| serde_json::from_value(serde_json::json!({ "version": version })).ok();
            version
                .and_then(pin)
                .map(|pin| ("publisher-moult.json".to_owned(), pin))
                .into_iter()
                .collect()
        };
        let table = [
            (Some(5), old, None),
            (Some(6), old, None),
            (Some(4), old, Some("replayed")),
            (None, old, Some("invalid")),
            (Some(4), new, None),
            (None, new, None),
        ];
        for (version, keys, refused) in table {
            let verdict = match low.admit_snapshot(Some(keys), &pins(version)) {
                Ok(()) => None,
                Err(TrustError::Replayed { .. }) => Some("replayed"),
                Err(_) => Some("invalid"),
            };
            assert_eq!(verdict, refused, "{version:?} {keys:?}");
        }
    }

    #[test]
    fn a_key_set_is_named_by_its_keys_and_threshold_and_not_by_their_order() {
        let key = |public: &str| -> Option<Key> {
            let value = serde_json::json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } });
            serde_json::from_value(value).ok()
        };
        let keys = |pairs: &[(&str, &str)]| -> BTreeMap<String, Key> {
            pairs
                .iter()
                .filter_map(|(id, public)| Some(((*id).to_owned(), key(public)?)))
                .collect()
        };
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let two = keys(&[("a", "1"), ("b", "2")]);
        let set = key_set(&two, &ids(&["a", "b"]), 1);
        assert_eq!(set, key_set(&two, &ids(&["b", "a"]), 1));
        assert_ne!(set, key_set(&two, &ids(&["a", "b"]), 2));
        assert_ne!(set, key_set(&two, &ids(&["a"]), 1));
        assert_ne!(
            set,
            key_set(&keys(&[("a", "1"), ("b", "3")]), &ids(&["a", "b"]), 1)
        );
    }
}
