//! `latest/<channel>.json`: the static format that a stock Tauri updater reads.
//!
//! The format has one version for all platforms. A platform that does not have the channel's
//! highest version yet is left out of the file until it does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use moult_model::{Channel, Digest, Index, Release, Share, Version};
use serde::Serialize;

use crate::index_edit::NOTES_LANGUAGE;
use crate::offer::now_share;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Latest {
    version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    pub_date: String,
    platforms: BTreeMap<String, Platform>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Platform {
    signature: String,
    url: String,
}

impl Latest {
    /// The highest version that the executables' indexes offer to everybody on a channel: such an updater knows no waves, holds
    /// and recalls. `url` is the address of the repository, ending in `/`.
    pub fn of(indexes: &[Index], channel: &Channel, url: &str, now: Timestamp) -> Option<Self> {
        let offered = || {
            let of_index = |index: &'_ Index| {
                let triple = index.triple.clone()?;
                let name = platform(&triple)?;
                let is_for_all = |release: &&Release| {
                    release.channels.contains(channel) && now_share(&release.policy, now) == Share::ALL
                };
                let release = index.releases.iter().find(is_for_all)?;
                Some((name, triple, release.clone()))
            };
            indexes.iter().filter_map(of_index)
        };
        let version = offered().map(|(_, _, release)| release.version).max()?;
        let mut latest = Self {
            version,
            notes: None,
            pub_date: String::new(),
            platforms: BTreeMap::new(),
        };
        for (name, triple, release) in offered().filter(|(_, _, release)| release.version == latest.version) {
            let Some(signature) = release.signature else {
                continue;
            };
            let url = format!("{url}targets/{}", raw_path(&triple, &release.digest));
            latest.platforms.insert(name, Platform { signature, url });
            latest.notes = latest
                .notes
                .or_else(|| release.notes.get(NOTES_LANGUAGE).cloned());
            // Times of one form, in UTC: the later text is the later time.
            latest.pub_date = latest.pub_date.max(release.published);
        }
        (!latest.platforms.is_empty()).then_some(latest)
    }
}

/// Where the executable lies as it is, relative to the targets folder.
pub fn raw_path(triple: &str, digest: &Digest) -> String {
    format!("app/{triple}/files/{digest}.bin")
}

/// What Tauri calls a platform, `OS-ARCH`; nothing for one that it has no updater for.
fn platform(triple: &str) -> Option<String> {
    let (machine, rest) = triple.split_once('-')?;
    let architecture = match machine {
        "x86_64" | "aarch64" => machine,
        "i586" | "i686" => "i686",
        _ if machine.starts_with("armv7") => "armv7",
        _ if machine.starts_with("riscv64") => "riscv64",
        _ => return None,
    };
    let system = match rest {
        _ if rest.contains("android") => return None,
        _ if rest.contains("linux") => "linux",
        _ if rest.contains("apple-darwin") => "darwin",
        _ if rest.contains("windows") => "windows",
        _ => return None,
    };
    Some(format!("{system}-{architecture}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use moult_model::Subject;
    use moult_model::index::{Download, Encoding};
    use serde_json::json;

    use super::*;
    use crate::index_edit;

    fn index(triple: &str, versions: &[(&str, &str)]) -> Index {
        let mut index = Index::empty(Subject::Executable, Some(triple.to_owned()));
        for (version, channel) in versions {
            let digest = Digest::of(format!("{triple} {version}").as_bytes());
            let full = Download {
                path: String::new(),
                size: 1,
                digest,
                encoding: Encoding::Zstd,
            };
            let release = Release {
                version: version.parse().unwrap(),
                channels: vec![channel.parse().unwrap()],
                published: format!("2026-11-21T10:00:0{}Z", index.releases.len()),
                notes: BTreeMap::from([("en".to_owned(), format!("{version} on {triple}"))]),
                digest,
                size: 1,
                full,
                signature: Some(format!("signed {version}")),
                host_api: None,
                permissions: Vec::new(),
                state_schema: None,
                critical: false,
                policy: moult_model::ReleasePolicy::default(),
            };
            index_edit::add(&mut index, release, Vec::new());
        }
        index
    }

    #[test]
    fn only_platforms_with_the_highest_version_are_listed() {
        let (linux, mac) = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin");
        let indexes = [
            index(mac, &[("1.0.0", "stable"), ("2.0.0", "beta")]),
            index(
                linux,
                &[("1.0.0", "stable"), ("1.1.0", "stable"), ("2.0.0", "beta")],
            ),
        ];
        let latest = |channel: &str| {
            let (channel, now) = (channel.parse().unwrap(), Timestamp::UNIX_EPOCH);
            let latest = Latest::of(&indexes, &channel, "https://updates.example/", now);
            serde_json::to_value(latest).unwrap()
        };
        let digest = Digest::of(format!("{linux} 1.1.0").as_bytes());
        let expected = json!({
            "version": "1.1.0",
            "notes": "1.1.0 on x86_64-unknown-linux-gnu",
            "pub_date": "2026-11-21T10:00:01Z",
            "platforms": { "linux-x86_64": {
                "signature": "signed 1.1.0",
                "url": format!("https://updates.example/targets/app/{linux}/files/{digest}.bin"),
            } },
        });
        assert_eq!(latest("stable"), expected);
        let platforms = latest("beta")["platforms"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        assert_eq!(platforms, ["darwin-aarch64", "linux-x86_64"]);
        assert_eq!(latest("beta")["pub_date"], "2026-11-21T10:00:02Z");
        assert_eq!(latest("nightly"), serde_json::Value::Null);
    }

    #[test]
    fn what_not_everybody_gets_is_not_listed() {
        let mut indexes = [index(
            "x86_64-unknown-linux-gnu",
            &[("1.0.0", "stable"), ("1.1.0", "stable"), ("1.2.0", "stable")],
        )];
        indexes[0].releases[0].policy.held = true;
        indexes[0].releases[1].policy.rollout = Some(moult_model::rollout::Rollout {
            salt: String::new(),
            waves: vec![moult_model::rollout::Wave {
                from: "2026-11-21T10:00:00Z".to_owned(),
                share: Share::ALL,
            }],
        });
        let at = |now: &str| {
            let channel = Channel::stable();
            let latest = Latest::of(&indexes, &channel, "https://x/", now.parse().unwrap());
            latest.unwrap().version.to_string()
        };
        assert_eq!(at("2026-11-21T09:59:59Z"), "1.0.0");
        assert_eq!(at("2026-11-21T10:00:00Z"), "1.1.0");
    }

    #[test]
    fn triples_become_tauris_platforms() {
        let cases = [
            ("x86_64-unknown-linux-gnu", Some("linux-x86_64")),
            ("aarch64-unknown-linux-gnu", Some("linux-aarch64")),
            ("armv7-unknown-linux-gnueabihf", Some("linux-armv7")),
            ("riscv64gc-unknown-linux-gnu", Some("linux-riscv64")),
            ("i686-pc-windows-msvc", Some("windows-i686")),
            ("x86_64-pc-windows-msvc", Some("windows-x86_64")),
            ("aarch64-apple-darwin", Some("darwin-aarch64")),
            ("aarch64-linux-android", None),
            ("wasm32-wasip2", None),
        ];
        for (triple, expected) in cases {
            assert_eq!(platform(triple).as_deref(), expected, "{triple}");
        }
    }
}
