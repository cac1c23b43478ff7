//! Which release is to be brought back. Pure; refuses to know how it is fetched.

use std::collections::BTreeSet;

use jiff::Timestamp;
use moult_model::{Channel, Digest, Index, Release, Share};
use moult_update::select::Waves;

/// The place in `index.releases` of the highest signed release that is not `refused` and that everybody has: one on the
/// stable channel, else one on the user's own `channel`, else one whose waves are not complete.
///
/// Stable comes first whatever the user follows: what is wanted now is something that starts. It may be
/// lower than what failed. What its publisher holds or has recalled is no help.
pub fn choose(index: &Index, channel: &Channel, refused: &BTreeSet<Digest>, now: Timestamp) -> Option<usize> {
    let highest = |channel: &Channel, may: &dyn Fn(&Release) -> bool| {
        index
            .releases
            .iter()
            .enumerate()
            .filter(|(_, release)| may_be_had(release, refused) && release.channels.contains(channel))
            .filter(|(_, release)| may(release))
            .max_by(|(_, one), (_, other)| one.version.cmp(&other.version))
            .map(|(place, _)| place)
    };
    let stable = Channel::stable();
    let everybodys = |release: &Release| is_everybodys(release, now);
    highest(&stable, &everybodys)
        .or_else(|| highest(channel, &everybodys))
        .or_else(|| highest(&stable, &|_| true))
        .or_else(|| highest(channel, &|_| true))
}

fn may_be_had(release: &Release, refused: &BTreeSet<Digest>) -> bool {
    let is_stopped = release.policy.held || release.policy.recalled.is_some();
    release.signature.is_some() && !is_stopped && !refused.contains(&release.digest)
}

/// Whether all its waves have begun, or it has none. What is still being tried on a few is no safe ground.
fn is_everybodys(release: &Release, now: Timestamp) -> bool {
    let rollout = release.policy.rollout.as_ref();
    rollout.is_none_or(|rollout| Waves::read(rollout).is_some_and(|waves| waves.share(now) == Share::ALL))
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
            let chosen = choose(&index, &"beta".parse().unwrap(), &refused, Timestamp::UNIX_EPOCH);
            let version = chosen.map(|place| index.releases[place].version.to_string());
            assert_eq!(version.as_deref(), expected, "{releases:?} without {refused:?}");
        }
    }

    #[test]
    fn what_is_stopped_is_left_out_and_what_only_some_have_comes_last() {
        use moult_model::rollout::{Rollout, Wave};
        let waves = |share: u16| {
            let share = Share::of_ten_thousand(share).unwrap();
            let from = "1970-01-01T00:00:00Z".to_owned();
            Some(Rollout {
                salt: "ab".repeat(16),
                waves: vec![Wave { from, share }],
            })
        };
        let mut index = Index::empty(Subject::Executable, Some("t".to_owned()));
        index.releases = ["5.0.0", "4.0.0", "3.0.0", "2.0.0"]
            .map(|version| release(version, &["stable"], true))
            .to_vec();
        index.releases[0].policy.held = true;
        index.releases[1].policy.recalled = Some(Digest::of(b"2.0.0"));
        index.releases[2].policy.rollout = waves(9_999);
        index.releases[3].policy.rollout = waves(10_000);
        let chosen = |refused: &[&str]| {
            let refused = refused.iter().map(|text| Digest::of(text.as_bytes())).collect();
            let place = choose(&index, &Channel::stable(), &refused, Timestamp::UNIX_EPOCH);
            place.map(|place| index.releases[place].version.to_string())
        };
        assert_eq!(chosen(&[]).as_deref(), Some("2.0.0"));
        assert_eq!(chosen(&["2.0.0"]).as_deref(), Some("3.0.0"));
        assert_eq!(chosen(&["2.0.0", "3.0.0"]), None);
    }
}
