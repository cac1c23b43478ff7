//! Tables: which release is wanted, and what is said of the others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::Subject;
use moult_model::bundle::HostApi;

use super::support::{NOON, at, base, digest, release as signed};
use super::*;

fn release(version: &str, channels: &str) -> Release {
    Release {
        signature: None,
        ..signed(version, channels)
    }
}

fn index(releases: Vec<Release>) -> Index {
    support::index(&Subject::Shell, releases)
}

/// A situation without conditions.
fn situation<'a>(
    channel: &'a Channel,
    running: Option<&'a Base>,
    refused: &'a dyn Refusals,
    orders: &'a Standing,
) -> Situation<'a> {
    Situation {
        channel,
        channel_changed: false,
        pin: None,
        running,
        host_api: 1,
        refused,
        install: None,
        now: at(NOON),
        orders,
        data: Data::default(),
    }
}

#[derive(Debug)]
struct Ban(&'static str);

impl Refusals for Ban {
    fn refusal(&self, release: &Release) -> Option<Verdict> {
        (release.digest == digest(self.0)).then_some(Verdict::Banned)
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn the_highest_release_that_can_be_had_is_wanted() {
    type Case<'a> = (
        &'a str,
        &'a [(&'a str, &'a str)],
        Option<&'a str>,
        &'a str,
        bool,
        &'static str,
        Option<&'a str>,
    );
    let two: &[(&str, &str)] = &[("1.0.0", "stable beta"), ("1.1.0", "beta")];
    let cases: &[Case] = &[
        ("nothing runs", two, None, "stable", false, "", Some("1.0.0")),
        ("it runs", two, Some("1.0.0"), "stable", false, "", None),
        (
            "a higher one",
            two,
            Some("1.0.0"),
            "beta",
            false,
            "",
            Some("1.1.0"),
        ),
        (
            "the higher one is banned",
            two,
            Some("1.0.0"),
            "beta",
            false,
            "1.1.0",
            None,
        ),
        (
            "banned, and the next best is wanted",
            two,
            None,
            "beta",
            false,
            "1.1.0",
            Some("1.0.0"),
        ),
        (
            "the channel was changed downwards",
            two,
            Some("1.1.0"),
            "stable",
            true,
            "",
            Some("1.0.0"),
        ),
        (
            "withdrawn from the channel, not by the user",
            two,
            Some("1.1.0"),
            "stable",
            false,
            "",
            None,
        ),
        (
            "changed, and what runs is offered there too",
            two,
            Some("1.0.0"),
            "beta",
            true,
            "1.1.0",
            None,
        ),
        (
            "downwards, but banned",
            two,
            Some("1.1.0"),
            "stable",
            true,
            "1.0.0",
            None,
        ),
        (
            "an unlisted build that is higher",
            two,
            Some("2.0.0"),
            "stable",
            false,
            "",
            None,
        ),
        (
            "an unlisted build that is lower",
            two,
            Some("0.9.0"),
            "stable",
            false,
            "",
            Some("1.0.0"),
        ),
        ("no such channel", two, Some("1.0.0"), "nightly", true, "", None),
        ("an empty index", &[], Some("1.0.0"), "stable", true, "", None),
        (
            "a release is higher than its pre-release",
            &[("1.0.0", "a"), ("1.0.0-beta.2", "a")],
            None,
            "a",
            false,
            "",
            Some("1.0.0"),
        ),
        (
            "10 is higher than 9",
            &[("1.9.0", "a"), ("1.10.0", "a")],
            Some("1.9.0"),
            "a",
            false,
            "",
            Some("1.10.0"),
        ),
    ];
    for (name, releases, running, channel, channel_changed, banned, expected) in cases {
        let index = index(
            releases
                .iter()
                .map(|(version, channels)| release(version, channels))
                .collect(),
        );
        let running = running.map(base);
        let (channel, refused, orders) = (channel.parse().unwrap(), Ban(banned), Standing::default());
        let situation = Situation {
            channel_changed: *channel_changed,
            ..situation(&channel, running.as_ref(), &refused, &orders)
        };
        let (wanted, explanation) = select(&index, &situation);
        let found = wanted.map(|place| index.releases[place].version.to_string());
        assert_eq!(found.as_deref(), *expected, "{name}: {explanation:?}");
        assert_eq!(
            explanation.candidates.len(),
            releases.len(),
            "{name}: every candidate has a verdict"
        );
    }
}

#[test]
fn each_refusal_says_why() {
    let mut other_host = release("3.0.0", "stable");
    other_host.host_api = Some(HostApi { min: 2, max: 3 });
    let mut same_version = release("1.0.0", "stable");
    same_version.digest = digest("rebuilt");
    let releases = vec![
        other_host,
        release("2.0.0", "beta"),
        release("1.5.0", "stable"),
        same_version,
        release("0.9.0", "stable"),
    ];
    let index = index(releases);
    let (channel, running, orders) = (Channel::stable(), base("1.0.0"), Standing::default());
    let refused = Ban("1.5.0");
    let situation = situation(&channel, Some(&running), &refused, &orders);
    let (wanted, explanation) = select(&index, &situation);
    assert_eq!(wanted, None);
    let sentences: Vec<String> = explanation
        .candidates
        .iter()
        .map(|found| format!("{}: {}", found.version, found.verdict))
        .collect();
    assert_eq!(
        sentences,
        [
            "3.0.0: It was made for hosts 2 to 3; this one is 1.",
            "2.0.0: It is offered on beta only.",
            "1.5.0: It failed here and is not tried again.",
            "1.0.0: It has the version that runs, but other bytes.",
            "0.9.0: It is lower than the version that runs.",
        ]
    );
}

#[test]
fn refuses_an_executable_without_a_signature() {
    let mut index = index(vec![release("2.0.0", "stable")]);
    index.subject = Subject::Executable;
    let (channel, orders) = (Channel::stable(), Standing::default());
    let situation = situation(&channel, None, &(), &orders);
    let (wanted, explanation) = select(&index, &situation);
    assert_eq!(
        (wanted, &explanation.candidates[0].verdict),
        (None, &Verdict::Unsigned)
    );
    index.releases[0].signature = Some("c2lnbmF0dXJl".into());
    assert_eq!(select(&index, &situation).0, Some(0));
}

#[test]
fn refuses_a_bundle_that_does_not_say_where_it_runs() {
    let mut silent = release("2.0.0", "stable");
    silent.host_api = None;
    let index = index(vec![silent]);
    let (channel, orders) = (Channel::stable(), Standing::default());
    let situation = situation(&channel, None, &(), &orders);
    assert_eq!(select(&index, &situation).0, None);
}
