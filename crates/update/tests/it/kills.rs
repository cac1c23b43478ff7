//! Killed at every change of a file that an update makes, and started again: the update goes on or is over,
//! once, and the next check works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use moult_durable::faults::{Action, Plan, arm, disarm};
use moult_model::stage::SwapCause;
use moult_model::{Activity, Outcome, Phase, Subject};
use moult_update::{Engine, Picture, Verdict};

use crate::support::host::refusal;
use crate::support::server::{Fault, Server};
use crate::support::{Computer, Issue, Publisher, check_again, current, notes, settled, until, version};

/// How an update of the widget ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Good,
    /// It is refused each time it is shown, and banned.
    Bad,
    /// The user goes back.
    Back,
}

fn script(computer: &Computer, life: Life) {
    let mut swaps = computer.host.swaps.lock().unwrap();
    swaps.clear();
    if life == Life::Bad {
        swaps.extend((0..9).map(|_| refusal(SwapCause::Exception, true)));
    }
}

/// One life, with a copy of the disk as it was before each change.
async fn lived(computer: &Computer, life: Life, copies: &Path) -> u64 {
    script(computer, life);
    if life == Life::Back {
        let (engine, _) = settled(computer).await;
        engine.shutdown().await;
    }
    arm(Plan {
        at: 0,
        action: Action::Snapshot {
            into: copies.to_owned(),
        },
        log: None,
        root: computer.data(),
    })
    .unwrap();
    let (engine, picture) = settled(computer).await;
    if life == Life::Back {
        assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
        engine.go_back(notes(), version("1.0.0"));
        check_again(computer, &engine).await;
    }
    engine.shutdown().await;
    disarm()
}

/// Starts on a copy, and waits until all is quiet.
async fn started_again(computer: &Computer, copy: &Path, life: Life) -> (Engine, Picture) {
    fs::remove_dir_all(computer.data()).unwrap();
    fs::rename(copy, computer.data()).unwrap();
    script(computer, life);
    let (engine, _) = settled(computer).await;
    let picture = check_again(computer, &engine).await;
    (engine, picture)
}

async fn every_kill(life: Life, step: usize) {
    let mut publisher = Publisher::new();
    for text in ["1.0.0", "1.1.0"] {
        publisher.release(&Issue::of(&notes(), text));
    }
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    computer.install(&Issue::of(&notes(), "1.0.0"));
    let copies = tempfile::tempdir().unwrap();
    let points = lived(&computer, life, copies.path()).await;
    assert!(points > 40, "{points} points: too few to be all of an update");

    for point in (1..=points).rev().step_by(step) {
        let place = format!("{life:?}, killed before change {point} of {points}");
        let copy = copies.path().join(point.to_string());
        let (engine, picture) = started_again(&computer, &copy, life).await;
        let lines: Vec<_> = picture
            .history
            .iter()
            .filter(|entry| entry.subject == notes())
            .collect();
        let ids: BTreeSet<_> = lines.iter().map(|entry| &entry.id).collect();
        assert_eq!(
            ids.len(),
            lines.len(),
            "{place}: an update has two lines: {lines:#?}"
        );
        assert!(
            picture.activities.is_empty(),
            "{place}: {:#?}",
            picture.activities
        );
        assert_eq!(picture.check_problem, None, "{place}");
        let now = current(&picture, &notes());
        let outcomes: Vec<Outcome> = lines.iter().map(|entry| entry.outcome).collect();
        match life {
            Life::Good => {
                assert_eq!(now.as_deref(), Some("1.1.0"), "{place}");
                assert_eq!(outcomes, [Outcome::Updated], "{place}");
            }
            Life::Bad => {
                assert_eq!(now.as_deref(), Some("1.0.0"), "{place}");
                assert_eq!(outcomes, [Outcome::RolledBack], "{place}");
                assert_eq!(picture.bundles[&notes()].banned.len(), 1, "{place}");
            }
            // Before the wish was noted nobody knows of it; after that it is carried out.
            Life::Back => {
                let went = now.as_deref() == Some("1.0.0");
                let expected = if went { 2 } else { 1 };
                assert_eq!(outcomes, vec![Outcome::Updated; expected], "{place}");
            }
        }
        engine.shutdown().await;
    }
}

/// One kill in so many: all of them take minutes.
const SHARE: usize = 9;

#[tokio::test]
#[ignore = "takes minutes; the others do a share of it"]
async fn every_single_kill_of_every_life() {
    for life in [Life::Good, Life::Bad, Life::Back] {
        every_kill(life, 1).await;
    }
}

#[tokio::test]
async fn an_update_killed_anywhere_is_carried_out_once() {
    every_kill(Life::Good, SHARE).await;
}

#[tokio::test]
async fn a_bad_version_killed_anywhere_is_banned_once_and_the_old_one_stays() {
    every_kill(Life::Bad, SHARE).await;
}

#[tokio::test]
async fn a_way_back_killed_anywhere_is_gone_to_its_end_or_not_begun() {
    every_kill(Life::Back, SHARE).await;
}

#[tokio::test]
async fn an_executable_s_end_is_noted_once_whichever_record_was_written_last() {
    const APP: Subject = Subject::Executable;
    let mut publisher = Publisher::new();
    for text in ["1.0.0", "1.1.0"] {
        publisher.release(&Issue::of(&APP, text));
    }
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::new(&publisher, &server);
    let (engine, _) = settled(&computer).await;
    engine.shutdown().await;
    computer.boot();
    let engine = computer.start();
    until(&computer, &engine, "it was checked", |picture| {
        picture.checked_at.is_some()
    })
    .await;
    let tasks = ["tasks.a", "tasks.b"].map(|name| computer.data().join("update").join(name));
    let before = tasks.clone().map(|path| fs::read(path).unwrap());
    engine.confirm_executable().unwrap();
    let id = engine.picture().activities[0].id.clone();
    assert_eq!(
        engine.on_end(&id).await,
        Some(Outcome::Updated),
        "whoever waits is told"
    );
    assert_eq!(engine.on_end(&id).await, Some(Outcome::Updated), "and later, too");
    assert_eq!(engine.on_end("nobody").await, None);
    engine.shutdown().await;
    // The process ended between the line and the id.
    for (path, bytes) in tasks.iter().zip(before) {
        fs::write(path, bytes).unwrap();
    }
    for _start in 0..2 {
        let (engine, picture) = settled(&computer).await;
        assert_eq!((picture.history.len(), picture.activities.len()), (1, 0));
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn what_is_cut_short_again_and_again_rests_and_an_orderly_end_does_not_count() {
    for (orderly, rests) in [(false, true), (true, false)] {
        let mut publisher = Publisher::new();
        publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(2_000_000));
        let server = Server::start(publisher.repository()).await;
        let computer = Computer::new(&publisher, &server);
        let full = publisher.full_path(&Subject::Shell, "1.1.0");
        server.fail(&full, Fault::Stall(100_000), 3);
        for start in 1..=3 {
            let engine = computer.start();
            until(&computer, &engine, "it is being fetched", |picture| {
                let fetches = |activity: &Activity| activity.phase == Phase::Fetching;
                picture.activities.iter().any(fetches) && server.seen_of(&full).len() >= start
            })
            .await;
            if orderly {
                engine.shutdown().await;
            }
            // Else no farewell: the last handle goes, and with it the driver and all its work.
            drop(engine);
        }
        let (engine, picture) = settled(&computer).await;
        assert_eq!(picture.history.is_empty(), rests, "orderly {orderly}");
        assert_eq!(
            current(&picture, &Subject::Shell).is_none(),
            rests,
            "orderly {orderly}"
        );
        engine.shutdown().await;
        // That it rests is remembered.
        let (_engine, picture) = settled(&computer).await;
        assert_eq!(picture.history.is_empty(), rests, "orderly {orderly}");
    }
}

#[tokio::test]
async fn the_updater_is_fit_online_offline_and_after_a_check_that_failed() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&notes(), "1.0.0"));
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::new(&publisher, &server);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(picture.check_problem, None);
    assert_eq!(engine.vitals().await.verdict(), Verdict::Fit);
    engine.shutdown().await;
    assert!(matches!(engine.vitals().await.verdict(), Verdict::Unfit(why) if why.starts_with("driver")));

    // Nobody listens there any more, and what answers there is no repository.
    for address in ["http://127.0.0.1:9/", "no address"] {
        computer.settings.repository = address.into();
        let (engine, picture) = settled(&computer).await;
        assert!(picture.check_problem.is_some(), "{address}");
        assert_eq!(engine.vitals().await.verdict(), Verdict::Fit, "{address}");
        engine.shutdown().await;
    }
}
