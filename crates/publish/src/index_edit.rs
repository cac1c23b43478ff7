//! The next index from the present one and a release. Pure: no files, no keys, no clock.

use std::collections::BTreeSet;

use moult_model::{Channel, Digest, Index, Patch, Release, Version};

use crate::PublishError;
use crate::release::Terms;

/// How a release stands to what is out.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is new.
    New,
    /// It is out already, with these very bytes.
    Out,
}

/// Tells whether a version may be published with an artifact of this digest.
pub fn standing(index: &Index, version: &Version, digest: &Digest) -> Result<Standing, PublishError> {
    if let Some(out) = index.release(version) {
        if out.digest == *digest {
            return Ok(Standing::Out);
        }
        return Err(PublishError::VersionTaken {
            subject: Box::new(index.subject.clone()),
            version: version.clone(),
            published: out.digest.short(),
            packed: digest.short(),
        });
    }
    match index.release_of(digest) {
        Some(out) => Err(PublishError::BytesTaken {
            subject: Box::new(index.subject.clone()),
            version: version.clone(),
            out: out.version.clone(),
        }),
        None => Ok(Standing::New),
    }
}

/// The releases that patches to `version` start from: the nearest `count` below it, on whatever
/// channel, nearest first.
pub fn bases(index: &Index, version: &Version, count: usize) -> Vec<Release> {
    index
        .releases
        .iter()
        .filter(|release| release.version < *version)
        .take(count)
        .cloned()
        .collect()
}

/// Adds a new release and the patches that lead to it.
pub fn add(index: &mut Index, release: Release, patches: Vec<Patch>) {
    let at = index
        .releases
        .partition_point(|other| other.version > release.version);
    index.releases.insert(at, release);
    index.patches.extend(patches);
    let rank = |digest: &Digest| {
        index
            .releases
            .iter()
            .position(|release| release.digest == *digest)
    };
    index
        .patches
        .sort_by_key(|patch| (rank(&patch.to), rank(&patch.from)));
}

/// Offers a release that is out on more channels, in the order of `order`, and replaces its notes
/// if there are new ones. What was critical stays so. Returns whether anything changed.
pub fn widen(index: &mut Index, version: &Version, channels: &[Channel], terms: &Terms) -> bool {
    let Some(release) = index
        .releases
        .iter_mut()
        .find(|release| release.version == *version)
    else {
        return false;
    };
    let before = release.clone();
    // Channels are listed from the most careful on, and what is new comes from the same list.
    let more: Vec<_> = channels
        .iter()
        .filter(|channel| !release.channels.contains(channel))
        .cloned()
        .collect();
    release.channels.splice(0..0, more);
    if let Some(notes) = &terms.notes {
        release.notes.insert(NOTES_LANGUAGE.to_owned(), notes.clone());
    }
    release.critical |= terms.critical;
    *release != before
}

/// The language of notes given on the command line.
pub const NOTES_LANGUAGE: &str = "en";

/// Makes the index fit. From the oldest release on, the patches that lead to it go first, then
/// the release itself. The release `newest`, those its patches start from, and the highest of each
/// channel stay; when only they are left, the patches to `newest` go, the farthest first.
pub fn fit(index: &mut Index, newest: &Version) -> Result<(), PublishError> {
    let Some(to) = index.release(newest).map(|release| release.digest) else {
        return Ok(());
    };
    let kept = kept(index, newest, &to);
    let mut at = index.releases.len();
    while size(index)? > Index::MAX_BYTES && at > 0 {
        at -= 1;
        let (version, digest) = (index.releases[at].version.clone(), index.releases[at].digest);
        if version == *newest {
            continue;
        }
        index.patches.retain(|patch| patch.to != digest);
        if size(index)? > Index::MAX_BYTES && !kept.contains(&version) {
            index.patches.retain(|patch| patch.from != digest);
            index.releases.remove(at);
        }
    }
    while size(index)? > Index::MAX_BYTES {
        if index.patches.pop().is_none() {
            return Err(PublishError::IndexTooLarge {
                subject: index.subject.clone(),
                bytes: size(index)?,
            });
        }
    }
    Ok(())
}

/// The versions that an index must go on listing.
fn kept(index: &Index, newest: &Version, to: &Digest) -> BTreeSet<Version> {
    let from = |patch: &Patch| {
        index
            .release_of(&patch.from)
            .map(|release| release.version.clone())
    };
    let mut kept: BTreeSet<_> = index
        .patches
        .iter()
        .filter(|patch| patch.to == *to)
        .filter_map(from)
        .collect();
    kept.insert(newest.clone());
    let mut channels = BTreeSet::new();
    for release in &index.releases {
        for channel in &release.channels {
            if channels.insert(channel) {
                kept.insert(release.version.clone());
            }
        }
    }
    kept
}

fn size(index: &Index) -> Result<u64, PublishError> {
    let text = serde_json::to_vec(index).map_err(|source| PublishError::Encode {
        what: "the index",
        source,
    })?;
    Ok(text.len() as u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use moult_model::Subject;
    use moult_model::index::{Download, Encoding};

    use super::*;

    fn release(version: &Version, channels: &[&str]) -> Release {
        let digest = Digest::of(version.to_string().as_bytes());
        Release {
            version: version.clone(),
            channels: channels.iter().map(|name| name.parse().unwrap()).collect(),
            published: "2026-11-21T10:00:00Z".to_owned(),
            notes: BTreeMap::new(),
            digest,
            size: 1000,
            full: Download {
                path: format!("app/shell/files/{digest}.zst"),
                size: 500,
                digest,
                encoding: Encoding::Zstd,
            },
            signature: None,
            host_api: None,
            permissions: Vec::new(),
            state_schema: None,
            critical: false,
            policy: moult_model::ReleasePolicy::default(),
        }
    }

    fn patch(from: &Version, to: &Version) -> Patch {
        let (from, to) = (
            Digest::of(from.to_string().as_bytes()),
            Digest::of(to.to_string().as_bytes()),
        );
        Patch {
            from,
            to,
            path: format!("app/shell/files/{from}.mpatch"),
            size: 10,
            digest: from,
            format: 1,
        }
    }

    fn publish(index: &mut Index, version: &str, channels: &[&str]) {
        let version: Version = version.parse().unwrap();
        let patches = bases(index, &version, 3)
            .iter()
            .map(|base| patch(&base.version, &version))
            .collect();
        add(index, release(&version, channels), patches);
        fit(index, &version).unwrap();
    }

    fn versions(index: &Index) -> Vec<String> {
        index
            .releases
            .iter()
            .map(|release| release.version.to_string())
            .collect()
    }

    #[test]
    fn releases_stand_newest_first_whatever_came_first() {
        let mut index = Index::empty(Subject::Shell, None);
        for version in ["1.0.0", "2.0.0-beta.2", "1.0.1", "2.0.0-beta.10"] {
            publish(&mut index, version, &["stable"]);
        }
        assert_eq!(
            versions(&index),
            ["2.0.0-beta.10", "2.0.0-beta.2", "1.0.1", "1.0.0"]
        );
    }

    #[test]
    fn patches_start_from_the_nearest_versions_below_on_any_channel() {
        let mut index = Index::empty(Subject::Shell, None);
        for version in ["1.0.0", "1.1.0", "1.2.0", "3.0.0"] {
            publish(&mut index, version, &["nightly"]);
        }
        let near = |version: &str, count| {
            let bases = bases(&index, &version.parse().unwrap(), count);
            bases
                .iter()
                .map(|base| base.version.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(near("2.0.0", 2), ["1.2.0", "1.1.0"]);
        assert_eq!(near("4.0.0", 3), ["3.0.0", "1.2.0", "1.1.0"]);
        assert_eq!(near("4.0.0", 0), [""; 0]);
        assert_eq!(near("0.9.0", 3), [""; 0]);
    }

    #[test]
    fn a_version_is_published_once_and_so_are_bytes() {
        let mut index = Index::empty(Subject::Shell, None);
        publish(&mut index, "1.0.0", &["stable"]);
        let one = Version::new(1, 0, 0);
        let digest = index.releases[0].digest;
        let other = Digest::of(b"other");
        assert_eq!(standing(&index, &one, &digest).unwrap(), Standing::Out);
        assert_eq!(
            standing(&index, &Version::new(1, 0, 1), &other).unwrap(),
            Standing::New
        );
        assert!(matches!(
            standing(&index, &one, &other),
            Err(PublishError::VersionTaken { .. })
        ));
        let again = standing(&index, &Version::new(1, 0, 1), &digest);
        assert!(matches!(again, Err(PublishError::BytesTaken { .. })));
    }

    #[test]
    fn channels_are_only_ever_added_and_keep_their_order() {
        let mut index = Index::empty(Subject::Shell, None);
        publish(&mut index, "1.0.0", &["nightly"]);
        let one = Version::new(1, 0, 0);
        let channels: Vec<Channel> = ["stable", "beta", "nightly"]
            .iter()
            .map(|name| name.parse().unwrap())
            .collect();
        let terms = |notes: Option<&str>, critical| Terms {
            channel: Channel::stable(),
            notes: notes.map(str::to_owned),
            critical,
            stage: false,
            now: Timestamp::UNIX_EPOCH,
        };
        assert!(widen(&mut index, &one, &channels, &terms(None, false)));
        assert_eq!(index.releases[0].channels, channels);
        assert!(!widen(&mut index, &one, &channels[1..], &terms(None, false)));
        assert!(widen(
            &mut index,
            &one,
            &channels[1..],
            &terms(Some("new"), false)
        ));
        assert!(widen(&mut index, &one, &channels[1..], &terms(None, true)));
        assert!(
            !widen(&mut index, &one, &channels[1..], &terms(None, false)),
            "critical stays critical"
        );
        assert!(index.releases[0].critical);
        assert_eq!(index.releases[0].channels, channels);
    }

    #[test]
    fn a_full_index_drops_the_oldest_and_keeps_what_clients_need() {
        let mut index = Index::empty(Subject::Shell, None);
        publish(&mut index, "0.1.0", &["stable"]);
        for minor in 0..200 {
            publish(&mut index, &format!("1.{minor}.0"), &["beta"]);
        }
        assert!(size(&index).unwrap() <= Index::MAX_BYTES);
        let versions = versions(&index);
        assert_eq!(versions[..4], ["1.199.0", "1.198.0", "1.197.0", "1.196.0"]);
        assert_eq!(
            versions.last().map(String::as_str),
            Some("0.1.0"),
            "the highest on stable stays"
        );
        assert!(versions.len() > 20, "{}", versions.len());
        let newest = index.releases[0].digest;
        assert_eq!(index.patches.iter().filter(|patch| patch.to == newest).count(), 3);
        for patch in &index.patches {
            assert!(index.release_of(&patch.to).is_some() && index.release_of(&patch.from).is_some());
        }
    }

    #[test]
    fn an_index_that_can_not_fit_is_refused() {
        let mut index = Index::empty(Subject::Shell, None);
        let version = Version::new(1, 0, 0);
        let mut release = release(&version, &["stable"]);
        release.notes.insert("en".to_owned(), "x".repeat(70_000));
        add(&mut index, release, Vec::new());
        assert!(matches!(
            fit(&mut index, &version),
            Err(PublishError::IndexTooLarge { .. })
        ));
    }
}
