//! Which release is to be brought back. Pure; refuses to know how it is fetched.

use std::collections::BTreeSet;

use moult_model::{Channel, Digest, Index, Release};

/// The place in `index.releases` of the highest signed release that is not `refused`: one on the stable
/// channel, else one on the user's own `channel`.
///
/// Stable comes first whatever the user follows: what is wanted now is something that starts. It may be
/// lower than what failed.
pub fn choose(index: &Index, channel: &Channel, refused: &BTreeSet<Digest>) -> Option<usize> {
    let highest_on = |channel: &Channel| {
        index
            .releases
            .iter()
            .enumerate()
            .filter(|(_, release)| may_be_had(release, refused) && release.channels.contains(channel))
            .max_by(|(_, one), (_, other)| one.version.cmp(&other.version))
            .map(|(place, _)| place)
    };
    highest_on(&Channel::stable()).or_else(|| highest_on(channel))
}

fn may_be_had(release: &Release, refused: &BTreeSet<Digest>) -> bool {
    release.signature.is_some() && !refused.contains(&release.digest)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use moult_model::Subject;
    use moult_model::index::{Download, Encoding};

    use super::*;

    fn release(version: &str, channels: &[&str], signed: bool) -> Release {
        let digest = Digest::of(version.as_bytes());
        let value = serde_json::json!({
            "version": version, "channels": channels, "published": "2026-11-21T00:00:00Z",
            "digest": digest, "size": 1, "signature": signed.then_some("signed"),
            "full": Download { path: "x".to_owned(), size: 1, digest, encoding: Encoding::Zstd },
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_highest_signed_release_that_is_not_refused_and_stable_before_the_users_channel() {
        type Case<'a> = (&'a [(&'a str, &'a str, bool)], &'a [&'a str], Option<&'a str>);
        let table: [Case<'_>; 8] = [
            (
                &[("1.2.0", "stable", true), ("1.10.0", "stable", true)],
                &[],
                Some("1.10.0"),
            ),
            (
                &[("1.2.0", "stable", true), ("1.10.0", "stable", true)],
                &["1.10.0"],
                Some("1.2.0"),
            ),
            (
                &[("1.2.0", "stable", true), ("1.3.0", "stable", false)],
                &[],
                Some("1.2.0"),
            ),
            (
                &[("1.2.0", "stable", true), ("2.0.0", "beta", true)],
                &[],
                Some("1.2.0"),
            ),
            (
                &[("1.2.0", "stable", true), ("2.0.0", "beta", true)],
                &["1.2.0"],
                Some("2.0.0"),
            ),
            (&[("1.2.0", "nightly", true)], &[], None),
            (&[("1.2.0", "stable", true)], &["1.2.0"], None),
            (&[], &[], None),
        ];
        for (releases, refused, expected) in table {
            let mut index = Index::empty(Subject::Executable, Some("t".to_owned()));
            index.releases = releases
                .iter()
                .map(|(version, channel, signed)| release(version, &[channel], *signed))
                .collect();
            let refused = refused.iter().map(|text| Digest::of(text.as_bytes())).collect();
            let chosen = choose(&index, &"beta".parse().unwrap(), &refused);
            let version = chosen.map(|place| index.releases[place].version.to_string());
            assert_eq!(version.as_deref(), expected, "{releases:?} without {refused:?}");
        }
    }
}
