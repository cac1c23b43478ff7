//! What is checked of a manifest besides its shape. Each rule has an error of its own, and stands in docs/bundle-format.md.

use super::manifest::{BundleManifest, Permission};
use super::settings::{MAX_KEY_BYTES, MAX_SETTINGS};

/// The most permissions of one bundle.
pub(super) const MAX_PERMISSIONS: usize = 32;
/// The most hosts, or names of one kind, of one permission.
pub(super) const MAX_BOUNDS: usize = 16;
/// The longest name, description or reason, in characters.
pub(super) const MAX_WORDS: usize = 500;

/// Why a manifest is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A text for people that is too long, or empty where there must be one.
    #[error("`{0}` must have 1 to {MAX_WORDS} characters")]
    Words(&'static str),
    /// Host versions in the wrong order.
    #[error("`host_api` says at least {min} and at most {max}")]
    HostApi {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A state that can't read itself.
    #[error("`state` writes schema {schema} and reads from {reads_from}")]
    State {
        /// What it writes.
        schema: u32,
        /// What it reads from.
        reads_from: u32,
    },
    /// Too many permissions.
    #[error("{0} permissions are more than {MAX_PERMISSIONS}")]
    Permissions(usize),
    /// One capability twice.
    #[error("`{0}` is asked for twice")]
    Twice(String),
    /// Too many names, or none where some are needed.
    #[error("`{capability}` must name 1 to {MAX_BOUNDS} {what}")]
    Bounds {
        /// Whose.
        capability: String,
        /// Of what.
        what: &'static str,
    },
    /// A bound that belongs to another capability.
    #[error("`{capability}` has no {what}")]
    ForeignBounds {
        /// Whose.
        capability: String,
        /// Of what.
        what: &'static str,
    },
    /// No host.
    #[error("`{0}` is no host: `example.org`, `*.example.org` or `example.org:8443`")]
    Host(String),
    /// No topic or name.
    #[error("`{0}` is no name of a topic or value")]
    Topic(String),
    /// Too many settings.
    #[error("{0} settings are more than {MAX_SETTINGS}")]
    Settings(usize),
    /// A setting whose key or declaration makes no sense.
    #[error("the setting `{0}` makes no sense: its key, its words, its limits or its default")]
    Setting(String),
    /// A shadow run or a trial without anything to run it on.
    #[error("`{0}` makes no sense here")]
    Trial(&'static str),
}

/// Checks a manifest.
pub(super) fn check(manifest: &BundleManifest) -> Result<(), ManifestError> {
    words("name", &manifest.name, 1)?;
    words("description", &manifest.description, 0)?;
    let host = manifest.host_api;
    if host.min > host.max {
        return Err(ManifestError::HostApi {
            min: host.min,
            max: host.max,
        });
    }
    if let Some(state) = manifest.state.filter(|state| state.reads_from > state.schema) {
        return Err(ManifestError::State {
            schema: state.schema,
            reads_from: state.reads_from,
        });
    }
    if manifest.permissions.len() > MAX_PERMISSIONS {
        return Err(ManifestError::Permissions(manifest.permissions.len()));
    }
    for (place, permission) in manifest.permissions.iter().enumerate() {
        let before = &manifest.permissions[..place];
        if before
            .iter()
            .any(|other| other.capability == permission.capability)
        {
            return Err(ManifestError::Twice(permission.capability.clone()));
        }
        words("reason", &permission.reason, 1)?;
        bounds(permission)?;
    }
    if manifest.settings.len() > MAX_SETTINGS {
        return Err(ManifestError::Settings(manifest.settings.len()));
    }
    for (key, setting) in &manifest.settings {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=MAX_KEY_BYTES).contains(&key.len()) || !key.bytes().all(known) || !setting.is_sound() {
            return Err(ManifestError::Setting(key.clone()));
        }
    }
    if manifest.shadow.is_some() && manifest.entry.logic.is_none() {
        return Err(ManifestError::Trial("shadow"));
    }
    if manifest
        .trial
        .is_some_and(|trial| !(0.0..=100.0).contains(&trial.max_error_percent))
    {
        return Err(ManifestError::Trial("trial"));
    }
    Ok(())
}

fn words(what: &'static str, words: &str, least: usize) -> Result<(), ManifestError> {
    let length = words.chars().count();
    ((least..=MAX_WORDS).contains(&length))
        .then_some(())
        .ok_or(ManifestError::Words(what))
}

fn bounds(permission: &Permission) -> Result<(), ManifestError> {
    let capability = &permission.capability;
    for (what, names, owner) in [
        ("hosts", &permission.hosts, "network"),
        ("topics that it publishes", &permission.publishes, "bus"),
        ("topics that it listens to", &permission.listens, "bus"),
        ("topics that it answers", &permission.answers, "bus"),
        ("topics that it asks", &permission.asks, "bus"),
        ("values that it writes", &permission.writes, "shared"),
        ("values that it reads", &permission.reads, "shared"),
    ] {
        let capability = || capability.clone();
        if !names.is_empty() && permission.capability != owner {
            return Err(ManifestError::ForeignBounds {
                capability: capability(),
                what,
            });
        }
        if names.len() > MAX_BOUNDS {
            return Err(ManifestError::Bounds {
                capability: capability(),
                what,
            });
        }
    }
    let Permission {
        publishes,
        listens,
        answers,
        asks,
        writes,
        reads,
        ..
    } = permission;
    let needed = match &**capability {
        "network" => Some(("hosts", permission.hosts.is_empty())),
        "bus" => Some((
            "topics",
            [publishes, listens, answers, asks]
                .iter()
                .all(|names| names.is_empty()),
        )),
        "shared" => Some(("values", writes.is_empty() && reads.is_empty())),
        _ => None,
    };
    if let Some((what, true)) = needed {
        return Err(ManifestError::Bounds {
            capability: capability.clone(),
            what,
        });
    }
    if let Some(host) = permission.hosts.iter().find(|host| !is_host(host)) {
        return Err(ManifestError::Host(host.clone()));
    }
    let own = [publishes, answers, writes]
        .into_iter()
        .flatten()
        .filter(|name| !is_part(name));
    let whole = [listens, asks, reads]
        .into_iter()
        .flatten()
        .filter(|name| !is_topic(name));
    own.chain(whole)
        .next()
        .map_or(Ok(()), |name| Err(ManifestError::Topic(name.clone())))
}

/// `example.org`, `*.example.org`, `example.org:8443`; lower case.
fn is_host(host: &str) -> bool {
    let (name, port) = host
        .split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)));
    let name = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(known)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253
        && name.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        // A wildcard stands for what is below a name of one's own, not below a whole country.
        && (!host.starts_with("*.") || name.contains('.'))
}

/// The part of a topic that says what.
fn is_part(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(known)
}

/// A whole topic: `w/publisher/name:what`.
fn is_topic(name: &str) -> bool {
    let Some((subject, part)) = name.split_once(':') else {
        return false;
    };
    matches!(subject.parse(), Ok(crate::Subject::Widget(_))) && is_part(part)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut manifest = json!({
            "kind": "widget", "id": "w/a/b", "version": "1.0.0", "name": "B", "entry": {"ui": "index.html"},
            "host_api": {"min": 1, "max": 1},
        });
        change(&mut manifest);
        let manifest: BundleManifest = serde_json::from_value(manifest).map_err(|error| error.to_string())?;
        check(&manifest).map_err(|error| error.to_string())
    }

    fn permissions(permissions: Value) -> Result<(), String> {
        checked(|manifest| manifest["permissions"] = permissions)
    }

    #[test]
    fn what_makes_sense_passes() {
        assert_eq!(checked(|_| ()), Ok(()));
        let all = json!([
            {"capability": "network", "reason": "r", "hosts": ["example.org", "*.example.org", "127.0.0.1:8443"]},
            {"capability": "bus", "reason": "r", "publishes": ["phase"], "listens": ["w/c/d:phase"]},
            {"capability": "shared", "reason": "r", "writes": ["zone"], "reads": ["w/c/d:zone"]},
            {"capability": "storage", "reason": "r"},
        ]);
        assert_eq!(permissions(all), Ok(()));
    }

    #[test]
    fn each_rule_has_its_own_error() {
        let settings =
            |key: &str, default: &Value| json!({key: {"kind": "switch", "title": "T", "default": default}});
        let network =
            |hosts: Value| permissions(json!([{"capability": "network", "reason": "r", "hosts": hosts}]));
        let cases = [
            (checked(|m| m["name"] = json!("")), "`name` must have"),
            (
                checked(|m| m["description"] = json!("x".repeat(501))),
                "`description` must have",
            ),
            (
                checked(|m| m["host_api"]["min"] = json!(2)),
                "`host_api` says at least 2",
            ),
            (
                checked(|m| m["state"] = json!({"schema": 1, "reads_from": 2})),
                "`state` writes schema 1",
            ),
            (
                permissions(json!([{"capability": "storage", "reason": ""}])),
                "`reason` must have",
            ),
            (
                permissions(
                    json!([{"capability": "storage", "reason": "r"}, {"capability": "storage", "reason": "r"}]),
                ),
                "`storage` is asked for twice",
            ),
            (
                permissions(json!([{"capability": "storage", "reason": "r", "hosts": ["example.org"]}])),
                "`storage` has no hosts",
            ),
            (network(json!([])), "`network` must name 1 to 16 hosts"),
            (
                network(json!(vec!["example.org"; 17])),
                "`network` must name 1 to 16 hosts",
            ),
            (network(json!(["*"])), "`*` is no host"),
            (network(json!(["*.org"])), "`*.org` is no host"),
            (network(json!(["https://example.org"])), "is no host"),
            (network(json!(["example.org:0"])), "is no host"),
            (network(json!(["EXAMPLE.org"])), "is no host"),
            (
                permissions(json!([{"capability": "bus", "reason": "r"}])),
                "`bus` must name 1 to 16 topics",
            ),
            (
                permissions(json!([{"capability": "bus", "reason": "r", "publishes": ["w/c/d:phase"]}])),
                "`w/c/d:phase` is no name",
            ),
            (
                permissions(json!([{"capability": "bus", "reason": "r", "listens": ["phase"]}])),
                "`phase` is no name",
            ),
            (
                checked(|m| m["settings"] = settings("Key", &json!(true))),
                "the setting `Key`",
            ),
            (
                checked(|m| m["settings"] = settings("key", &json!(1))),
                "the setting `key`",
            ),
            (checked(|m| m["shadow"] = json!({})), "`shadow` makes no sense"),
            (
                checked(|m| m["trial"] = json!({"max_error_percent": 101})),
                "`trial` makes no sense",
            ),
            (checked(|m| m["unknown"] = json!(1)), "unknown field `unknown`"),
        ];
        for (outcome, expected) in cases {
            let said = outcome.err().unwrap_or_default();
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}
