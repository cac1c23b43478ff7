//! Who gets what, told as short stories of one subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::explanation::Verdict;
use moult_model::rollout::Act;
use moult_model::{ErrorCode, Orders, Subject};

use super::support::*;
use super::*;

const SHELL: Subject = Subject::Shell;

fn in_waves() -> Vec<Release> {
    vec![
        with("1.1.0", |release| {
            release.policy.rollout = waves(&[
                ("2026-12-01T10:00:00Z", 1_000),
                ("2026-12-02T10:00:00Z", 5_000),
                ("2026-12-03T10:00:00Z", 10_000),
            ]);
        }),
        with("1.0.5", |_| {}),
        with("1.0.0", |_| {}),
    ]
}

#[test]
fn each_computer_gets_a_release_in_its_wave_and_the_good_one_before_it_until_then() {
    let scene = Scene::of(&SHELL, in_waves()).running("1.0.0");
    for (place, now, expected) in [
        (999, "2026-12-01T09:59:59Z", "1.0.5"),
        (999, "2026-12-01T10:00:00Z", "1.1.0"),
        (1_000, "2026-12-01T10:00:00Z", "1.0.5"),
        (4_999, "2026-12-02T09:59:59Z", "1.0.5"),
        (4_999, "2026-12-02T10:00:00Z", "1.1.0"),
        (5_000, "2026-12-02T10:00:00Z", "1.0.5"),
        (9_999, "2026-12-03T10:00:00Z", "1.1.0"),
    ] {
        let scene = scene.clone().at(now).standing_at(|found| found == place);
        assert_eq!(scene.wanted().as_deref(), Some(expected), "{place} at {now}");
    }
    let scene = scene.standing_at(|found| found == 3_412);
    assert_eq!(
        scene.said("1.1.0"),
        "It goes to 10 % of all computers, and this one has place 3412 of 10,000; to 50 % from 2026-12-02T10:00:00Z on."
    );
}

#[test]
fn a_computer_without_an_id_is_the_last_of_each_wave() {
    let mut scene = Scene::of(&SHELL, in_waves()).running("1.0.5");
    scene.install = None;
    assert_eq!(scene.clone().at("2026-12-02T10:00:00Z").wanted(), None);
    assert_eq!(
        scene.at("2026-12-03T10:00:00Z").wanted().as_deref(),
        Some("1.1.0")
    );
}

#[test]
fn a_clock_that_is_behind_is_put_right_by_what_is_signed() {
    let mut releases = in_waves();
    releases[0].published = "2026-12-01T10:00:00Z".into();
    let index = index(&SHELL, releases);
    assert_eq!(
        moment(at("1999-01-01T00:00:00Z"), &index),
        at("2026-12-01T10:00:00Z")
    );
    assert_eq!(moment(at(NOON), &index), at(NOON));
}

#[test]
fn waves_that_can_not_be_read_give_the_release_to_nobody() {
    let mut releases = in_waves();
    releases[0].policy.rollout.as_mut().unwrap().salt = "salt".into();
    let scene = Scene::of(&SHELL, releases)
        .running("1.0.5")
        .standing_at(|place| place == 0);
    assert_eq!(scene.wanted(), None);
    assert_eq!(scene.said("1.1.0"), "Its waves can't be read, so nobody gets it.");
}

#[test]
fn a_held_release_goes_to_nobody_new_and_stays_where_it_is() {
    let held = vec![
        with("1.1.0", |release| release.policy.held = true),
        with("1.0.5", |_| {}),
        with("1.0.0", |_| {}),
    ];
    let scene = Scene::of(&SHELL, held);
    assert_eq!(scene.wanted().as_deref(), Some("1.0.5"), "a first installation");
    let scene = scene.running("1.0.0");
    assert_eq!(scene.wanted().as_deref(), Some("1.0.5"));
    assert_eq!(
        scene.said("1.1.0"),
        "It was stopped by its publisher. Nobody new gets it."
    );
    let scene = scene.running("1.1.0");
    assert_eq!((scene.wanted(), scene.said("1.1.0").as_str()), (None, "It runs."));
}

#[test]
fn an_order_narrows_a_wave_and_never_widens_it() {
    let scene = Scene::of(&SHELL, in_waves()).running("1.0.5");
    let limit = |parts| order(&SHELL, "1.1.0", 0, Act::Limit { share: share(parts) });
    for (place, parts, expected) in [
        (50, 100, Some("1.1.0")),
        (500, 100, None),
        (500, 10_000, Some("1.1.0")),
        (1_000, 10_000, None),
    ] {
        let scene = scene
            .clone()
            .standing_at(|found| found == place)
            .ordered(&[limit(parts)]);
        assert_eq!(scene.wanted().as_deref(), expected, "{place} with {parts}");
    }
    let scene = scene
        .standing_at(|found| found == 500)
        .ordered(&[limit(100), limit(300)]);
    assert_eq!(
        scene.said("1.1.0"),
        "An order keeps it to 1 % of all computers, and this one has place 500 of 10,000."
    );
    // A limit lasts as long as the newest orders name it.
    assert_eq!(scene.ordered(&[]).wanted().as_deref(), Some("1.1.0"));
}

#[test]
fn a_release_without_waves_can_be_limited_too() {
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {})]);
    let limit = |parts| [order(&SHELL, "1.1.0", 0, Act::Limit { share: share(parts) })];
    assert_eq!(scene.clone().ordered(&limit(0)).wanted(), None);
    assert_eq!(scene.ordered(&limit(10_000)).wanted().as_deref(), Some("1.1.0"));
}

#[test]
fn a_hold_that_was_seen_is_lifted_by_a_higher_epoch_of_the_release_alone() {
    let hold = |epoch| order(&SHELL, "1.1.0", epoch, Act::Hold);
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {})]);
    let scene = scene.ordered(&[hold(0)]);
    assert_eq!(scene.wanted(), None);
    assert_eq!(
        scene.said("1.1.0"),
        "It was stopped by an order. Nobody new gets it."
    );

    let gone = scene.clone().ordered(&[]);
    assert_eq!(gone.wanted(), None, "the role rollout can't lift it");

    let mut unreadable = gone.clone();
    unreadable
        .orders
        .take(Err(ErrorCode::MetadataExpired), &[], at(NOON));
    assert_eq!(unreadable.wanted(), None, "the last orders stay in force");
    assert_eq!(unreadable.orders.problem(), Some(ErrorCode::MetadataExpired));

    let mut lifted = gone.clone();
    lifted.index.releases[0].policy.hold_epoch = 1;
    assert_eq!(lifted.wanted().as_deref(), Some("1.1.0"));
    let lifted = lifted.ordered(&[hold(0)]);
    assert_eq!(
        lifted.wanted().as_deref(),
        Some("1.1.0"),
        "an order for the epoch before counts no longer"
    );
    assert_eq!(lifted.clone().ordered(&[hold(1)]).wanted(), None);
}

#[test]
fn an_epoch_that_the_release_does_not_have_reserves_nothing() {
    let far = order(&SHELL, "1.1.0", u32::MAX, Act::Hold);
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {})]).ordered(&[far]);
    assert_eq!(scene.wanted(), None, "it is obeyed while it stands there");
    let mut raised = scene;
    raised.index.releases[0].policy.hold_epoch = 1;
    assert_eq!(raised.ordered(&[]).wanted().as_deref(), Some("1.1.0"));
}

#[test]
fn orders_of_a_format_that_is_not_known_are_not_obeyed_and_the_old_ones_stay() {
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {}), with("1.0.0", |_| {})]);
    let scene = scene.ordered(&[order(&SHELL, "1.1.0", 0, Act::Limit { share: share(0) })]);
    let mut later = scene.clone();
    let newer = Orders {
        format: Orders::FORMAT + 1,
        orders: vec![order(&SHELL, "1.0.0", 0, Act::Hold)],
    };
    later.orders.take(Ok(&newer), &[&scene.index], at(NOON));
    assert_eq!(later.wanted().as_deref(), Some("1.0.0"));
    assert_eq!(later.orders.problem(), Some(ErrorCode::MetadataInvalid));
}

#[test]
fn orders_about_other_subjects_and_other_bytes_mean_nothing_here() {
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {})]);
    let scene = scene.ordered(&[
        order(&notes(), "1.1.0", 0, Act::Hold),
        order(&SHELL, "1.2.0", 0, Act::Hold),
    ]);
    assert_eq!(scene.wanted().as_deref(), Some("1.1.0"));
}

#[test]
fn what_was_kept_of_orders_reads_back() {
    let scene = Scene::of(&SHELL, vec![with("1.1.0", |_| {})]);
    let scene = scene.ordered(&[order(&SHELL, "1.1.0", 0, Act::Hold)]);
    let text = serde_json::to_string(&scene.orders).unwrap();
    let mut again = scene.clone();
    again.orders = serde_json::from_str(&text).unwrap();
    assert_eq!(again.orders, scene.orders);
    assert_eq!(again.wanted(), None);
}

fn recallable() -> Vec<Release> {
    vec![
        with("1.1.0", |release| {
            release.policy.recall_to = vec![digest("1.0.5")];
            release.policy.update_from = Some(version("1.0.0"));
        }),
        with("1.0.5", |_| {}),
        with("1.0.0", |_| {}),
    ]
}

fn recall(to: &str) -> [moult_model::rollout::Order; 1] {
    let act = Act::Recall { to: digest(to) };
    let mut order = order(&SHELL, "1.1.0", 0, act);
    order.reason = Some("It loses notes.".into());
    [order]
}

#[test]
fn who_has_a_recalled_release_goes_back_to_where_it_allows() {
    let scene = Scene::of(&SHELL, recallable()).running("1.1.0");
    let obeyed = scene.clone().ordered(&recall("1.0.5"));
    assert_eq!(obeyed.wanted().as_deref(), Some("1.0.5"));
    assert!(obeyed.choice().recall);
    assert_eq!(
        obeyed.said("1.0.5"),
        "1.1.0 was recalled to it by an order: It loses notes."
    );
    assert_eq!(
        obeyed.said("1.1.0"),
        "It was recalled by an order: It loses notes."
    );

    let elsewhere = scene.clone().ordered(&recall("1.0.0"));
    assert_eq!(elsewhere.wanted(), None, "1.0.0 is not in recall_to");
    assert_eq!(elsewhere.said("1.1.0"), "It runs.");
    let newcomer = Scene::of(&SHELL, recallable())
        .running("1.0.5")
        .ordered(&recall("1.0.0"));
    assert_eq!(newcomer.wanted(), None, "what is left of it is a hold");

    // It was seen, so it stays.
    assert_eq!(obeyed.ordered(&[]).wanted().as_deref(), Some("1.0.5"));
}

#[test]
fn a_recall_by_the_publisher_needs_no_order() {
    let mut releases = recallable();
    releases[0].policy.recalled = Some(digest("1.0.0"));
    let scene = Scene::of(&SHELL, releases);
    assert_eq!(scene.clone().running("1.1.0").wanted().as_deref(), Some("1.0.0"));
    let newcomer = scene.running("1.0.0");
    assert_eq!(newcomer.wanted().as_deref(), Some("1.0.5"));
    assert_eq!(newcomer.said("1.1.0"), "It was recalled by its publisher.");
}

#[test]
fn neither_wish_nor_channel_nor_wave_keeps_somebody_on_a_recalled_release() {
    let mut releases = recallable();
    releases[1].channels = vec!["beta".parse().unwrap()];
    releases[1].policy.rollout = waves(&[]);
    releases[1].policy.held = true;
    let scene = Scene::of(&SHELL, releases).running("1.1.0").pinned("1.1.0");
    let scene = scene
        .refusing("1.0.5", Verdict::Skipped)
        .ordered(&recall("1.0.5"));
    assert_eq!(scene.wanted().as_deref(), Some("1.0.5"));
}

#[test]
fn a_higher_release_that_can_be_had_is_better_than_the_way_back() {
    let mut releases = recallable();
    releases.push(with("1.2.0", |_| {}));
    let scene = Scene::of(&SHELL, releases)
        .running("1.1.0")
        .ordered(&recall("1.0.5"));
    assert_eq!(scene.wanted().as_deref(), Some("1.2.0"));
    let barred = scene.refusing("1.2.0", Verdict::Banned);
    assert_eq!(barred.wanted().as_deref(), Some("1.0.5"));
}

#[test]
fn a_recall_to_what_is_not_listed_or_does_not_read_the_data_leaves_things_as_they_are() {
    let mut releases = recallable();
    releases.remove(1);
    let unlisted = Scene::of(&SHELL, releases)
        .running("1.1.0")
        .ordered(&recall("1.0.5"));
    assert_eq!(unlisted.wanted(), None);
    assert_eq!(
        unlisted.said("1.1.0"),
        "It runs. It was recalled by an order, but the version to go to is not listed."
    );
    let mut releases = recallable();
    releases[0].policy.data_schema = data(2, 1);
    releases[1].policy.data_schema = data(1, 1);
    let mut unread = Scene::of(&SHELL, releases)
        .running("1.1.0")
        .ordered(&recall("1.0.5"));
    assert_eq!(unread.wanted(), None);
    assert_eq!(
        unread.said("1.0.5"),
        "It can't read what was written since: data of schema 2, and it reads 1 to 1."
    );
    unread.copies = vec![1];
    assert_eq!(
        unread.said("1.0.5"),
        "It can't read data of schema 2. The copy of schema 1 would come back, and what came since would be lost."
    );
    unread.may_lose = true;
    assert_eq!(unread.wanted().as_deref(), Some("1.0.5"));
}

#[test]
fn a_version_that_is_too_far_is_reached_over_a_step_stone() {
    let releases = vec![
        with("3.0.0", |release| {
            release.policy.update_from = Some(version("2.0.0"));
        }),
        with("2.0.0", |release| {
            release.policy.update_from = Some(version("1.5.0"));
        }),
        with("1.6.0", |_| {}),
        with("1.0.0", |_| {}),
    ];
    let scene = Scene::of(&SHELL, releases);
    assert_eq!(
        scene.wanted().as_deref(),
        Some("3.0.0"),
        "a first installation needs no steps"
    );
    for (running, expected) in [("1.0.0", "1.6.0"), ("1.6.0", "2.0.0"), ("2.0.0", "3.0.0")] {
        assert_eq!(scene.clone().running(running).wanted().as_deref(), Some(expected));
    }
    let scene = scene.running("1.0.0");
    assert_eq!(
        scene.said("3.0.0"),
        "It can be reached from 2.0.0 on. A version between comes first."
    );
    assert_eq!(
        scene.said("1.6.0"),
        "It comes first: 3.0.0 can't be reached directly."
    );
}

#[test]
fn a_pin_keeps_a_version_and_leads_to_it_in_both_directions() {
    let releases = || {
        vec![
            with("1.2.0", |_| {}),
            with("1.1.0", |_| {}),
            with("1.0.0", |_| {}),
            release("0.9.0", "beta"),
        ]
    };
    let scene = Scene::of(&SHELL, releases());
    for (running, pin, expected) in [
        ("1.1.0", "1.1.0", None),
        ("1.0.0", "1.1.0", Some("1.1.0")),
        ("1.2.0", "1.1.0", Some("1.1.0")),
        ("1.2.0", "7.0.0", None),
        ("1.2.0", "0.9.0", None),
    ] {
        let scene = scene.clone().running(running).pinned(pin);
        assert_eq!(scene.wanted().as_deref(), expected, "{running}, pinned to {pin}");
    }
    let scene = scene.running("1.2.0").pinned("1.1.0");
    assert_eq!(scene.said("1.1.0"), "You pinned it.");
    assert_eq!(scene.said("1.0.0"), "You pinned 1.1.0.");
}

#[test]
fn the_way_down_ends_at_the_lowest_secure_version() {
    let releases = vec![
        with("1.2.0", |release| {
            release.policy.min_secure = Some(version("1.1.0"));
        }),
        with("1.1.0", |_| {}),
        with("1.0.0", |_| {}),
    ];
    let scene = Scene::of(&SHELL, releases).running("1.2.0");
    assert_eq!(scene.clone().pinned("1.1.0").wanted().as_deref(), Some("1.1.0"));
    let insecure = scene.pinned("1.0.0");
    assert_eq!(insecure.wanted(), None);
    assert_eq!(
        insecure.said("1.0.0"),
        "It has known holes: the way down ends at 1.1.0."
    );
}

#[test]
fn another_channel_leads_down_only_to_what_reads_the_data() {
    let mut beta = release("2.0.0", "beta");
    beta.policy.data_schema = data(4, 2);
    let releases = vec![
        beta,
        with("1.2.0", |release| release.policy.data_schema = data(3, 1)),
        with("1.1.0", |release| {
            release.policy.data_schema = Some(moult_model::rollout::DataSchema {
                writes: 3,
                reads_from: 1,
                reads_to: 4,
            });
        }),
    ];
    let mut scene = Scene::of(&SHELL, releases).running("2.0.0");
    scene.changed = true;
    assert_eq!(scene.wanted().as_deref(), Some("1.1.0"));
    assert_eq!(
        scene.said("1.2.0"),
        "It can't read what was written since: data of schema 4, and it reads 1 to 3."
    );
    // What an earlier version wrote is still there, whatever runs now.
    let mut later = scene.running("2.0.0");
    later.schema = Some(5);
    assert_eq!(later.wanted(), None);
}

#[test]
fn what_is_critical_can_not_be_skipped() {
    let releases = |critical| vec![with("1.1.0", |release| release.critical = critical)];
    let scene = |critical| {
        let scene = Scene::of(&SHELL, releases(critical)).running("1.0.0");
        scene.refusing("1.1.0", Verdict::Skipped).wanted()
    };
    assert_eq!(scene(false), None);
    assert_eq!(scene(true).as_deref(), Some("1.1.0"));
}
