//! What signed metadata and the user say about who may have which release: holds, recalls, pins, floors, and parts that take
//! over together.

use std::time::SystemTime;

use moult_boot::{BundleStore, Why};
use moult_model::explanation::Verdict;
use moult_model::rollout::{Act, Order, Rollout, VersionRange, Wave};
use moult_model::{Digest, ErrorCode, Outcome, Phase, Release, Share, Subject};
use moult_update::{ExecutableDecision, Picture, explained};

use crate::support::server::{Fault, Server};
use crate::support::{
    Computer, Issue, Publisher, check_again, codes, current, entry, notes, outcome, settled, until, version,
};

const APP: Subject = Subject::Executable;
const SHELL: Subject = Subject::Shell;

/// A computer with notes 1.0.0, and a repository with these versions of it.
async fn widget(versions: &[&'static str]) -> (Publisher, Server, Computer) {
    let mut publisher = Publisher::new();
    for text in versions {
        publisher.release(&Issue::of(&notes(), text));
    }
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    computer.install(&Issue::of(&notes(), versions[0]));
    (publisher, server, computer)
}

fn digest_of(subject: &Subject, text: &str) -> Digest {
    Digest::of(&Issue::of(subject, text).artifact())
}

fn verdict(picture: &Picture, subject: &Subject, text: &str) -> Verdict {
    let candidates = &picture.explanations[subject].candidates;
    let found = candidates.iter().find(|found| found.version == version(text));
    found.unwrap().verdict.clone()
}

#[tokio::test]
async fn a_held_release_is_not_installed_and_goes_on_once_it_is_let_go() {
    let (publisher, server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    publisher.change(&notes(), "1.1.0", |release| release.policy.held = true);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert_eq!(
        verdict(&picture, &notes(), "1.1.0").to_string(),
        "It was stopped by its publisher. Nobody new gets it."
    );
    assert!(server.seen_of("patch").is_empty());
    publisher.change(&notes(), "1.1.0", |release| release.policy.held = false);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn a_wave_that_has_not_begun_gives_nothing_and_the_id_of_this_computer_stays() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    let wave = |from: &str, parts| Wave {
        from: from.into(),
        share: Share::of_ten_thousand(parts).unwrap(),
    };
    let set = |waves: Vec<Wave>| {
        publisher.change(&notes(), "1.1.0", |release| {
            release.policy.rollout = Some(Rollout {
                salt: "5f".repeat(16),
                waves,
            });
        });
    };
    set(vec![
        wave("2020-01-01T00:00:00Z", 0),
        wave("2120-01-01T00:00:00Z", 10_000),
    ]);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    let Verdict::OutsideWave { place, share, next } = verdict(&picture, &notes(), "1.1.0") else {
        panic!("{picture:#?}");
    };
    assert_eq!((share, next.unwrap().share), (Share::NONE, Share::ALL));
    engine.shutdown().await;

    // Just this computer, and no other: it has the same place after a restart.
    set(vec![wave("2020-01-01T00:00:00Z", place)]);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    set(vec![wave("2020-01-01T00:00:00Z", place + 1)]);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn what_was_recalled_goes_back_without_a_download_and_lifts_a_ban_once() {
    let (publisher, server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    engine.shutdown().await;
    server.forget();
    let back = digest_of(&notes(), "1.0.0");
    publisher.change(&notes(), "1.1.0", |release| release.policy.recalled = Some(back));
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert!(
        server.seen_of("patch").is_empty() && server.seen_of("zst").is_empty(),
        "it was kept"
    );
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert_eq!(
        verdict(&picture, &notes(), "1.1.0").to_string(),
        "It was recalled by its publisher."
    );
}

#[tokio::test]
async fn a_recall_lifts_the_ban_of_the_version_it_leads_to() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    let (engine, _) = settled(&computer).await;
    engine.shutdown().await;
    // 1.0.0 failed here once, when 1.1.0 was long current.
    let store = BundleStore::open(&computer.data()).unwrap();
    let back = digest_of(&notes(), "1.0.0");
    store.begin_trial(&notes(), &back).unwrap();
    store.roll_back(&notes(), Why::Hung, true).unwrap();
    assert!(store.is_banned(&notes(), &back).unwrap());
    drop(store);
    publisher.change(&notes(), "1.1.0", |release| release.policy.recalled = Some(back));
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert!(picture.bundles[&notes()].banned.is_empty());
}

#[tokio::test]
async fn a_pin_leads_down_and_holds_until_it_is_taken_off() {
    let (_publisher, _server, mut computer) = widget(&["1.0.0", "1.1.0"]).await;
    let (engine, _) = settled(&computer).await;
    computer.settings.pins.insert(notes(), version("1.0.0"));
    engine.set_settings(computer.settings.clone());
    until(&computer, &engine, "1.0.0 is back", |picture| {
        current(picture, &notes()).as_deref() == Some("1.0.0")
    })
    .await;
    let picture = check_again(&computer, &engine).await;
    assert_eq!(
        verdict(&picture, &notes(), "1.1.0"),
        Verdict::Pinned { to: version("1.0.0") }
    );
    computer.settings.pins.clear();
    engine.set_settings(computer.settings.clone());
    until(&computer, &engine, "1.1.0 is wanted again", |picture| {
        current(picture, &notes()).as_deref() == Some("1.1.0")
    })
    .await;
}

#[tokio::test]
async fn the_users_way_back_ends_at_the_lowest_secure_version() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    publisher.change(&notes(), "1.1.0", |release| {
        release.policy.min_secure = Some(version("1.1.0"));
    });
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    engine.go_back(notes(), version("1.0.0"));
    let picture = until(&computer, &engine, "it is refused", |picture| {
        picture.history.len() == 2
    })
    .await;
    let refused = entry(&picture, &notes()).unwrap();
    assert_eq!(
        (refused.outcome, codes(refused)),
        (Outcome::Failed, vec![ErrorCode::Cancelled])
    );
    assert_eq!(
        format!("{} {}", refused.problems[0].happened, refused.problems[0].kept),
        "1.0.0 was not put back. It has known holes: the way down ends at 1.1.0. 1.1.0 goes on."
    );
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn a_version_that_can_not_read_the_data_is_no_way_back_also_after_a_restart() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    publisher.change(&notes(), "1.1.0", |release| {
        release.policy.data_schema = Some(moult_model::rollout::DataSchema {
            writes: 2,
            reads_from: 0,
            reads_to: 2,
        });
    });
    let (engine, _) = settled(&computer).await;
    check_again(&computer, &engine).await;
    engine.shutdown().await;
    let (engine, _) = settled(&computer).await;
    engine.go_back(notes(), version("1.0.0"));
    let picture = until(&computer, &engine, "it is refused", |picture| {
        outcome(picture, &notes()) == Some(Outcome::Failed)
    })
    .await;
    assert!(
        entry(&picture, &notes()).unwrap().problems[0]
            .happened
            .contains("data of schema 2")
    );
}

#[tokio::test]
async fn why_everything_is_as_it_is_can_be_read_while_nothing_runs() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    assert!(explained(&computer.data()).unwrap().is_empty());
    publisher.change(&notes(), "1.1.0", |release| release.policy.held = true);
    let (engine, picture) = settled(&computer).await;
    engine.shutdown().await;
    let noted = explained(&computer.data()).unwrap();
    let of_notes = noted.iter().find(|found| found.subject == notes()).unwrap();
    assert_eq!(*of_notes, picture.explanations[&notes()]);
    let page = of_notes.to_string();
    for words in [
        "w/moult/notes runs 1.0.0 and follows stable.\n",
        "  1.1.0  It was stopped by its publisher. Nobody new gets it.\n",
        "  1.0.0  It runs.\n",
        "Checked at ",
        "What is signed holds until ",
        "Orders in force: 0, read at ",
        "Nothing older is believed than ",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
}

fn order(text: &str, hold_epoch: u32, act: Act) -> Order {
    Order {
        subject: notes(),
        digest: digest_of(&notes(), text),
        hold_epoch,
        act,
        reason: Some("It loses notes.".into()),
        given: "2026-11-30T12:00:00Z".into(),
    }
}

#[tokio::test]
async fn a_hold_that_was_ordered_is_remembered_until_the_publisher_lifts_it() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    publisher.order(vec![order("1.1.0", 0, Act::Hold)]);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert_eq!(
        verdict(&picture, &notes(), "1.1.0").to_string(),
        "It was stopped by an order: It loses notes. Nobody new gets it."
    );
    assert_eq!(picture.explanations[&notes()].gate.orders, 1);
    engine.shutdown().await;

    // Whoever has the key of the role takes it back: that lifts nothing, in this process or another.
    publisher.order(Vec::new());
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    publisher.change(&notes(), "1.1.0", |release| release.policy.hold_epoch = 1);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn an_ordered_recall_leads_only_to_where_the_release_allows() {
    let (publisher, _server, computer) = widget(&["1.0.0", "1.0.1", "1.1.0"]).await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    let recall = |to: &str| {
        let to = digest_of(&notes(), to);
        order("1.1.0", 0, Act::Recall { to })
    };
    publisher.order(vec![recall("1.0.1")]);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(
        current(&picture, &notes()).as_deref(),
        Some("1.1.0"),
        "it names no version to be recalled to"
    );
    let allowed = digest_of(&notes(), "1.0.0");
    publisher.change(&notes(), "1.1.0", |release| {
        release.policy.recall_to = vec![allowed];
    });
    let picture = check_again(&computer, &engine).await;
    assert_eq!(
        current(&picture, &notes()).as_deref(),
        Some("1.1.0"),
        "it names another one"
    );
    publisher.order(vec![recall("1.0.0")]);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn an_update_under_way_is_given_up_when_it_is_held() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&APP, "1.0.0"));
    publisher.release(&Issue::of(&APP, "1.1.0"));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    computer
        .host
        .decisions
        .lock()
        .unwrap()
        .push_back(ExecutableDecision::NextStart);
    let (engine, picture) = settled(&computer).await;
    assert!(picture.boot.unwrap().trial.is_some(), "it is to start next");
    let held = Order {
        subject: APP,
        digest: digest_of(&APP, "1.1.0"),
        ..order("1.1.0", 0, Act::Hold)
    };
    publisher.order(vec![held]);
    let picture = check_again(&computer, &engine).await;
    assert!(picture.activities.is_empty() && picture.boot.unwrap().trial.is_none());
}

#[tokio::test]
async fn orders_that_are_kept_away_leave_those_in_force_that_were_read() {
    let (mut publisher, server, computer) = widget(&["1.0.0", "1.1.0"]).await;
    publisher.order(vec![order("1.1.0", 0, Act::Limit { share: Share::NONE })]);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    engine.shutdown().await;
    publisher.order(Vec::new());
    server.fail("rollout.json", Fault::Status(404), u32::MAX);
    publisher.release(&Issue::of(&SHELL, "1.0.0"));
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
    assert!(picture.explanations[&notes()].gate.orders_problem.is_some());
    assert_eq!(
        current(&picture, &SHELL).as_deref(),
        Some("1.0.0"),
        "everything else goes on"
    );
    server.heal();
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
}

/// Needs the other part in 1.1.0 or higher.
fn needs(other: &Subject) -> impl FnOnce(&mut Release) + use<> {
    let range = VersionRange {
        from: Some(version("1.1.0")),
        below: None,
    };
    let other = other.clone();
    move |release: &mut Release| drop(release.policy.works_with.insert(other, range))
}

/// A computer with 1.0.0 of everything, and 1.1.0 of executable and shell that need each other.
async fn set() -> (Publisher, Server, Computer) {
    let mut publisher = Publisher::new();
    for subject in [APP, SHELL] {
        publisher.release(&Issue::of(&subject, "1.0.0"));
    }
    for (subject, other) in [(APP, SHELL), (SHELL, APP)] {
        let issue = Issue::of(&subject, "1.1.0");
        publisher.release_bytes(&issue, issue.artifact(), needs(&other));
    }
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::with_bundles(&publisher, &server);
    (publisher, server, computer)
}

#[tokio::test]
async fn an_executable_and_a_shell_that_need_each_other_take_over_at_the_same_start() {
    let (_publisher, _server, mut computer) = set().await;
    let engine = computer.start();
    let picture = until(&computer, &engine, "the executable is to start", |_| {
        computer.host.restarts() == 1
    })
    .await;
    assert_eq!(current(&picture, &SHELL).as_deref(), Some("1.0.0"), "not alone");
    assert!(computer.host.swapped(&SHELL).is_empty());
    assert!(
        picture
            .activities
            .iter()
            .any(|activity| activity.subject == SHELL && activity.phase == Phase::Waiting)
    );
    engine.shutdown().await;

    computer.boot();
    assert_eq!(computer.running.version, version("1.1.0"));
    let engine = computer.start();
    let picture = engine.picture();
    assert_eq!(
        current(&picture, &SHELL).as_deref(),
        Some("1.1.0"),
        "before anything is shown"
    );
    assert_eq!(outcome(&picture, &SHELL), Some(Outcome::Updated));
    engine.confirm_executable().unwrap();
    let picture = until(&computer, &engine, "it is confirmed", |picture| {
        outcome(picture, &APP) == Some(Outcome::Updated)
    })
    .await;
    assert_eq!(current(&picture, &SHELL).as_deref(), Some("1.1.0"));
    engine.shutdown().await;
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &SHELL).as_deref(), Some("1.1.0"));
    assert_eq!(picture.history.len(), 2);
}

#[tokio::test]
async fn a_set_goes_back_together() {
    let (_publisher, _server, mut computer) = set().await;
    let engine = computer.start();
    until(&computer, &engine, "the executable is to start", |_| {
        computer.host.restarts() == 1
    })
    .await;
    engine.shutdown().await;
    let old = computer.running.clone();
    computer.boot();
    let engine = computer.start();
    assert_eq!(current(&engine.picture(), &SHELL).as_deref(), Some("1.1.0"));
    engine.shutdown().await;

    // It crashes three times, and its launcher starts the old one.
    let slot = computer.store().state().unwrap().trial.unwrap().slot;
    for begun in [true, false, false] {
        let token = moult_boot::StartToken::of([1; 16]);
        if !begun {
            computer.store().start(SystemTime::now(), &token).unwrap();
        }
        let crash = Why::Crashed { code: 139 };
        computer
            .store()
            .trial_failed(&slot, crash, SystemTime::now())
            .unwrap();
    }
    computer.boot();
    assert_eq!(computer.running, old);
    let engine = computer.start();
    assert_eq!(
        current(&engine.picture(), &SHELL).as_deref(),
        Some("1.0.0"),
        "before anything is shown"
    );
    engine.shutdown().await;
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &SHELL).as_deref(), Some("1.0.0"));
    assert_eq!(outcome(&picture, &APP), Some(Outcome::RolledBack));
    assert_eq!(
        verdict(&picture, &SHELL, "1.1.0").to_string(),
        "It needs app 1.1.0 or higher; here that is 1.0.0."
    );
}

#[tokio::test]
async fn an_executable_whose_partner_can_not_be_had_is_not_even_asked_for() {
    let (publisher, server, computer) = set().await;
    for path in [
        publisher.full_path(&SHELL, "1.1.0"),
        publisher.patch_path(&SHELL, "1.0.0", "1.1.0"),
    ] {
        server.fail(&path, Fault::Status(404), u32::MAX);
    }
    let engine = computer.start();
    until(
        &computer,
        &engine,
        "the shell has failed, and the executable waits",
        |picture| {
            let waits = |activity: &moult_model::Activity| {
                activity.subject == APP && activity.phase == Phase::Waiting
            };
            outcome(picture, &SHELL) == Some(Outcome::Failed) && picture.activities.iter().any(waits)
        },
    )
    .await;
    assert!(computer.host.asked().is_empty());
    engine.restart_now();
    engine.taken_up().await;
    assert_eq!(computer.host.restarts(), 0);
}
