//! The fixed shape of a repository: which role lists what, for how long. It holds no state.

use jiff::{SignedDuration, Timestamp};
use moult_model::{Subject, WidgetId};

use super::error::SignError;

pub(super) const SHARD_KEY: &str = "publishers";

/// The roles whose keys [`super::Keys::create`] makes.
pub(super) const KEY_ROLES: [&str; 7] = [
    "root",
    "targets",
    "snapshot",
    "timestamp",
    "app",
    "rollout",
    SHARD_KEY,
];

const CHARACTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const SHARDS: usize = 16;

/// How long a role's metadata is believed.
pub(super) fn lifetime(role: &str) -> SignedDuration {
    let days = match role {
        "root" => 365,
        // Signed by the same online machine, and renewed together.
        "snapshot" | "rollout" => 30,
        "timestamp" => 7,
        _ => 90,
    };
    SignedDuration::from_hours(24 * days)
}

/// The end of a lifetime that starts now, in whole seconds as TUF writes it.
pub(super) fn expiry(role: &str, now: Timestamp) -> Timestamp {
    let end = now.saturating_add(lifetime(role)).unwrap_or(Timestamp::MAX);
    Timestamp::from_second(end.as_second()).unwrap_or(end)
}

/// The delegations of the top-level targets: role, key, paths.
pub(super) fn delegations() -> Vec<(String, &'static str, Vec<String>)> {
    let mut roles = vec![
        ("app".to_owned(), "app", vec!["app/*/index.json".to_owned()]),
        ("rollout".to_owned(), "rollout", vec!["rollout/*".to_owned()]),
    ];
    roles.extend((0..SHARDS).map(|shard| {
        let characters = CHARACTERS.iter().skip(shard).step_by(SHARDS);
        let paths = characters
            .map(|first| format!("w/{}*/*/index.json", char::from(*first)))
            .collect();
        (format!("publishers-{shard:x}"), SHARD_KEY, paths)
    }));
    roles
}

/// The shard that delegates to a publisher.
pub(super) fn shard_of(publisher: &str) -> String {
    let first = publisher.bytes().next();
    let place = CHARACTERS
        .iter()
        .position(|character| Some(*character) == first)
        .unwrap_or_default();
    format!("publishers-{:x}", place % SHARDS)
}

pub(super) fn publisher_role(publisher: &str) -> String {
    format!("publisher-{publisher}")
}

/// The publisher whose role this is.
pub(super) fn publisher_of(role: &str) -> Option<&str> {
    role.strip_prefix("publisher-")
}

pub(super) fn publisher_paths(publisher: &str) -> Vec<String> {
    vec![format!("w/{publisher}/*/index.json")]
}

/// The role that lists a subject's index.
pub(super) fn role_of(subject: &Subject) -> String {
    match subject {
        Subject::Executable | Subject::Shell => "app".to_owned(),
        Subject::Widget(id) => publisher_role(id.publisher()),
    }
}

/// The name that a role's key has in the key folder.
pub(super) fn key_of(role: &str) -> &str {
    if role.starts_with("publishers-") {
        SHARD_KEY
    } else {
        role
    }
}

pub(super) fn check_publisher(name: &str) -> Result<(), SignError> {
    match format!("{name}/x").parse::<WidgetId>() {
        Ok(id) if id.publisher() == name => Ok(()),
        _ => Err(SignError::PublisherName {
            name: name.chars().take(100).collect(),
        }),
    }
}

/// A triple becomes a folder beside `shell`, so it has to look like one.
pub(super) fn check_triple(triple: &str) -> Result<(), SignError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if triple.split('-').count() >= 3 && triple.bytes().all(plain) && !triple.starts_with('.') {
        Ok(())
    } else {
        Err(SignError::Triple {
            triple: triple.chars().take(100).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_publisher_has_one_shard_whose_paths_cover_it() {
        for first in CHARACTERS {
            let publisher = format!("{}works", char::from(*first));
            let pattern = format!("w/{}*/*/index.json", char::from(*first));
            let covering: Vec<_> = delegations()
                .into_iter()
                .filter(|(_, _, paths)| paths.contains(&pattern))
                .map(|(role, ..)| role)
                .collect();
            assert_eq!(covering, [shard_of(&publisher)], "{publisher}");
        }
        assert_eq!(delegations().len(), 18);
    }

    #[test]
    fn names_that_would_leave_their_place_are_refused() {
        for triple in [
            "x86_64-unknown-linux-gnu",
            "aarch64-apple-darwin",
            "x86_64-pc-windows-msvc",
        ] {
            assert!(check_triple(triple).is_ok(), "{triple}");
        }
        for triple in ["shell", "", "..", "../../x-y-z", "a-b/c-d", "a-b c-d"] {
            assert!(check_triple(triple).is_err(), "{triple}");
        }
        for name in ["", "-a", "A", "a/b", "..", "a b"] {
            assert!(check_publisher(name).is_err(), "{name}");
        }
        assert!(check_publisher("hearth-works2").is_ok());
    }
}
