//! What holds for every index, every order and every computer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::explanation::Verdict;
use moult_model::rollout::{Act, Order, VersionRange};
use moult_model::{Orders, Subject};
use proptest::prelude::*;
use proptest::sample::select as one_of;

use super::gate::refuse;
use super::support::*;
use super::*;

const VERSIONS: [&str; 6] = ["1.0.0", "1.1.0", "2.0.0-beta.1", "2.0.0", "2.1.0", "3.0.0"];
const TIMES: [&str; 4] = [
    "2026-12-01T10:00:00Z",
    "2026-12-01T12:00:00Z",
    "2026-12-02T12:00:00Z",
    "2026-12-09T12:00:00Z",
];

fn some_version() -> impl Strategy<Value = Version> {
    one_of(&VERSIONS[..]).prop_map(version)
}

fn some_range() -> impl Strategy<Value = VersionRange> {
    (prop::option::of(some_version()), prop::option::of(some_version()))
        .prop_map(|(from, below)| VersionRange { from, below })
}

fn some_subject() -> impl Strategy<Value = Subject> {
    one_of(vec![Subject::Executable, Subject::Shell, notes()])
}

prop_compose! {
    fn some_policy()(
        waves_of in prop::option::of(prop::collection::vec((one_of(&TIMES[..]), 0_u16..=10_000), 0..3)),
        held in prop::bool::weighted(0.1),
        hold_epoch in 0_u32..3,
        recall_to in prop::collection::vec(one_of(&VERSIONS[..]), 0..3),
        recalled in prop::option::weighted(0.15, one_of(&VERSIONS[..])),
        min_secure in prop::option::weighted(0.2, some_version()),
        update_from in prop::option::weighted(0.3, some_version()),
        works_with in prop::collection::btree_map(some_subject(), some_range(), 0..2),
        schema in prop::option::of((0_u32..3, 0_u32..2)),
    ) -> moult_model::ReleasePolicy {
        moult_model::ReleasePolicy {
            rollout: waves_of.and_then(|found| waves(&found)),
            held,
            hold_epoch,
            recall_to: recall_to.into_iter().map(digest).collect(),
            recalled: recalled.map(digest),
            min_secure,
            update_from,
            works_with,
            data_schema: schema.and_then(|(writes, back)| data(writes, writes.saturating_sub(back))),
        }
    }
}

prop_compose! {
    fn some_release()(
        text in one_of(&VERSIONS[..]),
        channels in one_of(vec!["stable", "beta", "stable beta", ""]),
        critical in any::<bool>(),
        is_signed in prop::bool::weighted(0.9),
        hosts in prop::option::weighted(0.9, (1_u32..3, 0_u32..2)),
        policy in some_policy(),
    ) -> Release {
        Release {
            critical,
            signature: is_signed.then(|| "c2ln".into()),
            host_api: hosts.map(|(min, more)| moult_model::bundle::HostApi { min, max: min + more }),
            policy,
            ..release(text, channels)
        }
    }
}

prop_compose! {
    fn some_order()(
        subject in some_subject(),
        of in one_of(&VERSIONS[..]),
        epoch in 0_u32..4,
        act in prop_oneof![
            Just(Act::Hold),
            (0_u16..=10_000).prop_map(|parts| Act::Limit { share: share(parts) }),
            one_of(&VERSIONS[..]).prop_map(|to| Act::Recall { to: digest(to) }),
        ],
    ) -> Order {
        order(&subject, of, epoch, act)
    }
}

fn some_refused() -> impl Strategy<Value = Refused> {
    let verdicts = one_of(vec![
        Verdict::Banned,
        Verdict::Skipped,
        Verdict::FailedBefore {
            times: 3,
            next: NOON.into(),
        },
    ]);
    prop::collection::btree_map(some_version(), verdicts, 0..2).prop_map(Refused)
}

fn some_scene(subject: Subject) -> impl Strategy<Value = Scene> {
    (
        prop::collection::vec(some_release(), 0..6),
        prop::option::of(one_of(&VERSIONS[..])),
        one_of(vec!["stable", "beta"]),
        any::<bool>(),
        prop::option::weighted(0.2, some_version()),
        some_refused(),
        prop::option::weighted(0.9, any::<[u8; 16]>()),
        one_of(&TIMES[..]),
    )
        .prop_map(
            move |(mut releases, running, channel, changed, pin, refused, install, now)| {
                // Versions are unique in an index.
                releases.sort_by(|one, other| one.version.cmp(&other.version));
                releases.dedup_by(|one, other| one.version == other.version);
                Scene {
                    running: running.map(base),
                    channel: channel.parse().unwrap(),
                    changed,
                    pin,
                    refused,
                    install: install.map(InstallId::of),
                    now: at(now),
                    ..Scene::of(&subject, releases)
                }
            },
        )
}

/// Executable, shell and a widget of one computer, under the same orders.
fn some_computer() -> impl Strategy<Value = Vec<Scene>> {
    let parts = (
        some_scene(Subject::Executable),
        some_scene(Subject::Shell),
        some_scene(notes()),
    );
    (parts, prop::collection::vec(some_order(), 0..4)).prop_map(|((app, shell, widget), given)| {
        let mut parts = vec![app, shell, widget];
        let mut standing = Standing::default();
        let indexes: Vec<Index> = parts.iter().map(|part| part.index.clone()).collect();
        standing.take(Ok(&orders(&given)), &indexes.iter().collect::<Vec<_>>(), at(NOON));
        for part in &mut parts {
            part.orders = standing.clone();
        }
        parts
    })
}

fn chosen(parts: &[Scene]) -> Vec<Choice> {
    let members: Vec<Member<'_>> = parts.iter().map(Scene::member).collect();
    choose(&members)
}

/// What a part is after a choice: its version, and its release if that is listed.
fn after<'a>(part: &'a Scene, choice: &Choice) -> Option<(&'a Version, Option<&'a Release>)> {
    let running = part.running.as_ref();
    match choice.wanted {
        Some(place) => {
            let release = &part.index.releases[place];
            Some((&release.version, Some(release)))
        }
        None => running.map(|running| (&running.version, part.index.release_of(&running.digest))),
    }
}

fn fit(parts: &[Scene], choices: &[Choice]) -> bool {
    let needs = |of: usize, other: usize| {
        let (Some((_, mine)), Some((version, _))) = (
            after(&parts[of], &choices[of]),
            after(&parts[other], &choices[other]),
        ) else {
            return true;
        };
        mine.and_then(|release| release.policy.works_with.get(&parts[other].index.subject))
            .is_none_or(|range| range.holds(version))
    };
    needs(0, 1) && needs(1, 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn it_always_ends_the_same_and_says_something_of_each_release(parts in some_computer()) {
        let choices = chosen(&parts);
        prop_assert_eq!(&choices, &chosen(&parts));
        let mut turned = parts.clone();
        for part in &mut turned {
            part.index.releases.reverse();
        }
        for (((part, choice), turned), other) in parts.iter().zip(&choices).zip(&turned).zip(&chosen(&turned)) {
            prop_assert_eq!(wanted(choice, &part.index), wanted(other, &turned.index), "the order of the index decides nothing");
            prop_assert_eq!(choice.explanation.candidates.len(), part.index.releases.len());
            let named = choice.explanation.candidates.iter().filter(|found| found.verdict.is_wanted());
            prop_assert_eq!(named.count(), usize::from(choice.wanted.is_some()));
            for found in &choice.explanation.candidates {
                let sentence = found.verdict.to_string();
                prop_assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}", sentence);
            }
        }
    }

    #[test]
    fn nothing_is_wanted_that_its_channel_its_wave_its_hold_or_this_computer_rules_out(parts in some_computer()) {
        for (part, choice) in parts.iter().zip(chosen(&parts)) {
            let Some(place) = choice.wanted.filter(|_| !choice.recall) else { continue };
            let release = &part.index.releases[place];
            let member = part.member();
            prop_assert_eq!(refuse(&part.index, release, &member.situation), None);
            prop_assert!(release.channels.contains(&part.channel) && !release.policy.held && release.policy.recalled.is_none());
            prop_assert!(part.pin.as_ref().is_none_or(|pin| *pin == release.version));
            let refusal = part.refused.refusal(release);
            prop_assert!(refusal.is_none() || release.critical && refusal == Some(Verdict::Skipped));
            if let Some(rollout) = &release.policy.rollout {
                let waves = Waves::read(rollout).unwrap();
                let place = part.install.map_or(9_999, |install| install.place(&waves.salt));
                prop_assert!(waves.share(part.now).holds(place));
            }
        }
    }

    #[test]
    fn an_order_never_widens(parts in some_computer()) {
        for (part, choice) in parts.iter().zip(chosen(&parts)) {
            let free = Scene { orders: Standing::default(), ..part.clone() };
            for release in &part.index.releases {
                if refuse(&part.index, release, &free.member().situation).is_some() {
                    prop_assert!(refuse(&part.index, release, &part.member().situation).is_some());
                }
            }
            // What is wanted under orders, and not without them, is where the release itself lets its owners be sent.
            if let Some(place) = choice.wanted {
                let release = &part.index.releases[place];
                if refuse(&part.index, release, &free.member().situation).is_some() {
                    prop_assert!(choice.recall);
                }
            }
        }
    }

    #[test]
    fn a_recall_leads_where_the_release_that_runs_allows_and_nowhere_else(parts in some_computer()) {
        for (part, choice) in parts.iter().zip(chosen(&parts)) {
            let Some(place) = choice.wanted.filter(|_| choice.recall) else { continue };
            let running = part.index.release_of(&part.running.as_ref().unwrap().digest).unwrap();
            let to = part.index.releases[place].digest;
            prop_assert!(running.policy.recalled == Some(to) || running.policy.recall_to.contains(&to));
        }
    }

    #[test]
    fn who_was_admitted_stays_admitted(part in some_scene(Subject::Shell), later in one_of(&TIMES[..])) {
        let later = part.clone().at(later);
        prop_assume!(later.now >= part.now);
        for release in &part.index.releases {
            if refuse(&part.index, release, &part.member().situation).is_none() {
                prop_assert_eq!(refuse(&part.index, release, &later.member().situation), None);
            }
        }
    }

    #[test]
    fn the_application_and_its_shell_work_together_afterwards_if_they_can(parts in some_computer()) {
        let choices = chosen(&parts);
        let moved = choices[..2].iter().any(|choice| choice.wanted.is_some());
        prop_assert!(!moved || fit(&parts, &choices));
    }

    #[test]
    fn nobody_goes_down_without_a_reason(parts in some_computer()) {
        for (part, choice) in parts.iter().zip(chosen(&parts)) {
            let (Some(place), Some(running)) = (choice.wanted, &part.running) else { continue };
            let release = &part.index.releases[place];
            if release.version.cmp_precedence(&running.version).is_gt() {
                continue;
            }
            let verdict = choice.explanation.candidates.iter().find(|found| found.verdict.is_wanted()).unwrap();
            let is_told = matches!(
                verdict.verdict,
                Verdict::WantedRecalled { .. } | Verdict::WantedFitting { .. } | Verdict::WantedTogether { .. }
            );
            prop_assert!(is_told || part.pin.is_some() || part.changed, "{:?}", verdict);
            if !choice.recall {
                let min = choice.explanation.min_secure.as_ref();
                prop_assert!(min.is_none_or(|min| release.version.cmp_precedence(min).is_ge()));
            }
        }
    }

    #[test]
    fn a_stop_that_was_seen_lasts_until_the_release_has_a_higher_epoch(
        readings in prop::collection::vec(prop::collection::vec(some_order(), 0..3), 1..6),
        raises in prop::collection::vec(any::<bool>(), 6),
    ) {
        let mut shell = index(&Subject::Shell, vec![with("2.0.0", |_| {})]);
        let mut standing = Standing::default();
        let mut stopped = false;
        for (given, raise) in readings.iter().zip(raises) {
            if raise {
                shell.releases[0].policy.hold_epoch += 1;
                stopped = false;
            }
            let epoch = shell.releases[0].policy.hold_epoch;
            standing.take(Ok(&orders(given)), &[&shell], at(NOON));
            let stops = |order: &&Order| {
                order.subject == Subject::Shell
                    && order.digest == digest("2.0.0")
                    && order.hold_epoch >= epoch
                    && !matches!(order.act, Act::Limit { .. })
            };
            stopped |= given.iter().any(|order| stops(&order));
            prop_assert_eq!(standing.on(&Subject::Shell, &shell.releases[0]).held.is_some(), stopped);
            // A restart in between, and a file that can't be read, change nothing.
            standing = serde_json::from_str(&serde_json::to_string(&standing).unwrap()).unwrap();
            standing.take(Err(moult_model::ErrorCode::Offline), &[], at(NOON));
            prop_assert_eq!(standing.on(&Subject::Shell, &shell.releases[0]).held.is_some(), stopped);
        }
    }
}

#[test]
fn there_is_an_end_to_what_is_noted() {
    let name = |number: usize| format!("{number}.0.0");
    let mut standing = Standing::default();
    for first in (0..1_600).step_by(800) {
        let numbers = first..first + 800;
        let given: Vec<Order> = numbers
            .clone()
            .map(|number| order(&Subject::Shell, &name(number), 0, Act::Hold))
            .collect();
        let listed = numbers.map(|number| with(&name(number), |_| {})).collect();
        standing.take(Ok(&orders(&given)), &[&index(&Subject::Shell, listed)], at(NOON));
    }
    assert_eq!(standing.count(&Subject::Shell) as usize, Orders::MOST);
    // Those that are listed stay.
    assert!(
        standing
            .on(&Subject::Shell, &with(&name(1_599), |_| {}))
            .held
            .is_some()
    );
    assert!(
        standing
            .on(&Subject::Shell, &with(&name(0), |_| {}))
            .held
            .is_none()
    );
}
