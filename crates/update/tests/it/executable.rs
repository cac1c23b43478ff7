//! The executable: its update spans two processes and a launcher, and is one line of the history.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use moult_boot::Why;
use moult_model::{ErrorCode, Outcome, Phase, PlanStep, Subject};
use moult_update::{Engine, ExecutableDecision, HandOver, Picture, Verdict};

use crate::support::server::Server;
use crate::support::{
    Computer, Issue, Publisher, check_again, codes, entry, outcome, settled, until, version,
};

const APP: Subject = Subject::Executable;

async fn app(versions: &[&'static str]) -> (Publisher, Server, Computer) {
    let mut publisher = Publisher::new();
    for text in versions {
        publisher.release(&Issue::of(&APP, text));
    }
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    (publisher, server, computer)
}

/// Runs until the engine asks for a restart, and starts what is due then.
async fn restarted(computer: &mut Computer, engine: Engine) -> Engine {
    engine.shutdown().await;
    computer.boot();
    computer.start()
}

#[tokio::test]
async fn an_update_is_one_line_of_the_history_across_the_restart() {
    let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(computer.host.restarts(), 1);
    assert!(picture.history.is_empty(), "it is not over yet");
    let id = picture.activities[0].id.clone();

    let engine = restarted(&mut computer, engine).await;
    assert_eq!(computer.running.version, version("1.1.0"));
    let picture = engine.picture();
    assert_eq!(
        (picture.activities[0].phase, &picture.activities[0].id),
        (Phase::Confirming, &id)
    );
    engine.confirm_executable().unwrap();
    let picture = until(&computer, &engine, "it is over", |picture| {
        !picture.history.is_empty()
    })
    .await;
    let done = entry(&picture, &APP).unwrap();
    assert_eq!(
        (done.outcome, &done.id, codes(done)),
        (Outcome::Updated, &id, vec![])
    );
    assert_eq!(
        (&done.from, &done.to),
        (&Some(version("1.0.0")), &version("1.1.0"))
    );
    assert!(matches!(done.plan[..], [PlanStep::Patch { .. }]) && done.wire_bytes < done.full_bytes);
    let phases: Vec<Phase> = done.phases.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(phases[5..], [Phase::Waiting, Phase::Switching, Phase::Confirming]);
    let state = computer.store().state().unwrap();
    assert_eq!(state.slot(&state.current).unwrap().version, version("1.1.0"));

    // Confirming again, and a start later, change nothing.
    engine.confirm_executable().unwrap();
    let engine = restarted(&mut computer, engine).await;
    let picture = engine.picture();
    assert_eq!((picture.history.len(), picture.activities.len()), (1, 0));
}

#[tokio::test]
async fn a_version_that_crashes_on_every_start_is_rolled_back_said_and_never_tried_again() {
    let (mut publisher, server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
    let (engine, _) = settled(&computer).await;
    engine.shutdown().await;
    for _ in 0..3 {
        let due = computer
            .store()
            .start(SystemTime::now(), &moult_boot::StartToken::of([1; 16]))
            .unwrap();
        assert!(due.on_trial);
        computer
            .store()
            .trial_failed(&due.slot, Why::Crashed { code: 139 }, SystemTime::now())
            .unwrap();
    }
    computer.boot();
    assert_eq!(computer.running.version, version("1.0.0"));
    let (engine, picture) = settled(&computer).await;
    let failed = entry(&picture, &APP).unwrap();
    assert_eq!(
        (failed.outcome, codes(failed)),
        (Outcome::RolledBack, vec![ErrorCode::Crashed])
    );
    assert_eq!(
        (
            failed.problems[0].happened.as_str(),
            failed.problems[0].kept.as_str()
        ),
        ("1.1.0 crashed.", "What you had was kept.")
    );
    assert!(failed.problems[0].detail.contains("139"));
    check_again(&computer, &engine).await;
    assert_eq!(computer.host.asked(), ["1.1.0"]);
    assert_eq!(server.seen_of("patch").len(), 1);

    publisher.release(&Issue::of(&APP, "1.2.0"));
    check_again(&computer, &engine).await;
    assert_eq!(computer.host.asked(), ["1.1.0", "1.2.0"]);
    assert_eq!(computer.host.restarts(), 2);
}

#[tokio::test]
async fn a_confirmed_version_that_is_stepped_over_is_not_offered_as_an_update() {
    let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
    let (engine, _) = settled(&computer).await;
    let engine = restarted(&mut computer, engine).await;
    engine.confirm_executable().unwrap();
    until(&computer, &engine, "it was confirmed", |picture| {
        outcome(picture, &APP) == Some(Outcome::Updated)
    })
    .await;
    engine.shutdown().await;
    // It ends too often, so that the version before runs; but it stays the current one.
    let current = computer.store().state().unwrap().current;
    computer
        .store()
        .kept_failing(&current, SystemTime::now())
        .unwrap();
    computer.boot();
    assert_eq!(computer.running.version, version("1.0.0"));
    let (engine, _) = settled(&computer).await;
    check_again(&computer, &engine).await;
    let picture = engine.picture();
    assert_eq!((picture.history.len(), picture.activities.len()), (1, 0));
    assert_eq!(computer.host.asked(), ["1.1.0"]);
}

#[tokio::test]
async fn it_takes_over_when_the_host_says_so() {
    for (decision, restarts, armed, then) in [
        (ExecutableDecision::Now, 1, true, Phase::Switching),
        (ExecutableDecision::OnQuit, 0, false, Phase::Waiting),
        (ExecutableDecision::NextStart, 0, true, Phase::Waiting),
        (ExecutableDecision::Later, 0, false, Phase::Waiting),
    ] {
        let (_publisher, server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
        computer.host.decisions.lock().unwrap().push_back(decision);
        let engine = computer.start();
        let picture = until(&computer, &engine, "it was decided and done", |picture| {
            let is_armed = picture.boot.as_ref().is_some_and(|boot| boot.trial.is_some());
            computer.host.asked().len() == 1
                && is_armed == armed
                && picture.activities[0].phase == then
                && computer.host.restarts() == restarts
        })
        .await;
        assert!(picture.history.is_empty(), "{decision:?}");
        let staged = computer.host.executables.lock().unwrap()[0].clone();
        assert_eq!(
            (staged.from, staged.notes["en"].as_str()),
            (version("1.0.0"), "Better.")
        );

        let engine = restarted(&mut computer, engine).await;
        if decision == ExecutableDecision::Later {
            // The user is asked again after the next start, and nothing is fetched twice.
            assert_eq!(computer.running.version, version("1.0.0"));
            let asked_again = || computer.host.asked().len() == 2;
            until(&computer, &engine, "it was asked again", |_| asked_again()).await;
            assert_eq!(server.seen_of("patch").len(), 1);
        } else {
            assert_eq!(computer.running.version, version("1.1.0"), "{decision:?}");
            engine.confirm_executable().unwrap();
            until(&computer, &engine, "done", |picture| {
                outcome(picture, &APP) == Some(Outcome::Updated)
            })
            .await;
        }
    }
}

#[tokio::test]
async fn what_waits_restarts_on_request() {
    for decision in [ExecutableDecision::Later, ExecutableDecision::OnQuit] {
        let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
        computer.host.decisions.lock().unwrap().push_back(decision);
        let engine = computer.start();
        until(&computer, &engine, "it was asked", |_| {
            computer.host.asked().len() == 1
        })
        .await;
        until(&computer, &engine, "it waits", |picture| {
            picture.activities[0].phase == Phase::Waiting
        })
        .await;
        engine.restart_now();
        until(&computer, &engine, "it switches", |picture| {
            picture.activities[0].phase == Phase::Switching
        })
        .await;
        until(&computer, &engine, "it restarts", |_| {
            computer.host.restarts() == 1
        })
        .await;
        let engine = restarted(&mut computer, engine).await;
        assert_eq!(computer.running.version, version("1.1.0"));
        assert_eq!(engine.picture().activities[0].phase, Phase::Confirming);
    }
}

#[tokio::test]
async fn a_skipped_version_is_not_offered_again() {
    let (mut publisher, _server, computer) = app(&["1.0.0", "1.1.0"]).await;
    computer
        .host
        .decisions
        .lock()
        .unwrap()
        .push_back(ExecutableDecision::Skip);
    let engine = computer.start();
    let picture = until(&computer, &engine, "it is over", |picture| {
        !picture.history.is_empty()
    })
    .await;
    let skipped = entry(&picture, &APP).unwrap();
    assert_eq!(
        (skipped.outcome, codes(skipped)),
        (Outcome::Failed, vec![ErrorCode::Cancelled])
    );
    engine.shutdown().await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(
        picture.explanations[&APP].candidates[0].verdict.to_string(),
        "You skipped it."
    );
    assert_eq!(computer.host.asked(), ["1.1.0"]);
    publisher.release(&Issue::of(&APP, "1.2.0"));
    check_again(&computer, &engine).await;
    assert_eq!(computer.host.asked(), ["1.1.0", "1.2.0"]);
}

#[tokio::test]
async fn something_newer_replaces_what_waits() {
    let (mut publisher, _server, computer) = app(&["1.0.0", "1.1.0"]).await;
    computer
        .host
        .decisions
        .lock()
        .unwrap()
        .extend([ExecutableDecision::NextStart, ExecutableDecision::NextStart]);
    let (engine, _) = settled(&computer).await;
    publisher.release(&Issue::of(&APP, "1.2.0"));
    let picture = check_again(&computer, &engine).await;
    assert_eq!(picture.activities.len(), 1);
    assert_eq!(picture.activities[0].to, version("1.2.0"));
    let trial = until(&computer, &engine, "1.2.0 is next", |picture| {
        picture
            .boot
            .as_ref()
            .and_then(|boot| boot.trial.as_ref())
            .is_some_and(|trial| trial.slot.as_str().starts_with("1.2.0"))
    })
    .await;
    assert!(trial.history.is_empty());
}

#[tokio::test]
async fn a_cancelled_update_does_not_start_at_the_next_start() {
    let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
    computer
        .host
        .decisions
        .lock()
        .unwrap()
        .push_back(ExecutableDecision::NextStart);
    let (engine, _) = settled(&computer).await;
    let picture = until(&computer, &engine, "the trial stands", |picture| {
        picture.boot.as_ref().is_some_and(|boot| boot.trial.is_some())
    })
    .await;
    engine.cancel(&picture.activities[0].id);
    let picture = until(&computer, &engine, "it is over", |picture| {
        !picture.history.is_empty()
    })
    .await;
    assert_eq!(codes(entry(&picture, &APP).unwrap()), [ErrorCode::Cancelled]);
    engine.shutdown().await;
    computer.boot();
    assert_eq!(computer.running.version, version("1.0.0"));
}

#[tokio::test]
async fn the_user_goes_back_to_the_version_before() {
    let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
    let (engine, _) = settled(&computer).await;
    let engine = restarted(&mut computer, engine).await;
    engine.confirm_executable().unwrap();
    until(&computer, &engine, "it is confirmed", |picture| {
        !picture.history.is_empty()
    })
    .await;

    engine.go_back(APP, version("1.0.0"));
    until(&computer, &engine, "it restarts", |_| {
        computer.host.restarts() == 2
    })
    .await;
    let engine = restarted(&mut computer, engine).await;
    assert_eq!(computer.running.version, version("1.0.0"));
    let picture = engine.picture();
    assert_eq!((picture.history.len(), picture.activities.len()), (2, 0));
    assert_eq!(
        (picture.history[0].outcome, &picture.history[0].to),
        (Outcome::Updated, &version("1.0.0"))
    );
    check_again(&computer, &engine).await;
    assert_eq!(computer.host.asked(), ["1.1.0"], "it is not offered again");
}

#[tokio::test]
async fn it_is_handed_over_where_that_can_be_done_and_restarted_where_not() {
    for (hand_over, restarts, phase) in [
        (None, 1, Phase::Switching),
        (Some(HandOver::NotHere), 1, Phase::Switching),
        (Some(HandOver::Done), 0, Phase::Switching),
        // It was not tried to its end: this process goes on, and the other one starts next.
        (Some(HandOver::Stayed), 0, Phase::Waiting),
    ] {
        let (_publisher, _server, mut computer) = app(&["1.0.0", "1.1.0"]).await;
        computer.host.hand_overs.lock().unwrap().extend(hand_over);
        let (engine, _) = settled(&computer).await;
        until(&computer, &engine, "the way was taken", |picture| {
            computer.host.restarts() == restarts && picture.activities[0].phase == phase
        })
        .await;
        let engine = restarted(&mut computer, engine).await;
        assert_eq!(computer.running.version, version("1.1.0"), "{hand_over:?}");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_version_that_failed_beside_the_running_one_is_rolled_back_at_once() {
    let (_publisher, _server, computer) = app(&["1.0.0", "1.1.0"]).await;
    computer.host.hand_overs.lock().unwrap().push_back(HandOver::Done);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(picture.activities[0].phase, Phase::Switching);
    for start in 0..3 {
        let token = moult_boot::StartToken::of([start; 16]);
        let due = computer.store().start(SystemTime::now(), &token).unwrap();
        computer
            .store()
            .trial_failed(&due.slot, Why::Hung, SystemTime::now())
            .unwrap();
    }
    engine.hand_over_ended();
    let picture = until(&computer, &engine, "it is over", |picture| {
        !picture.history.is_empty()
    })
    .await;
    let failed = entry(&picture, &APP).unwrap();
    assert_eq!(
        (failed.outcome, codes(failed)),
        (Outcome::RolledBack, vec![ErrorCode::Hung])
    );
    assert_eq!(computer.host.restarts(), 0, "the old one simply stays");
}

#[tokio::test]
async fn a_fault_of_the_engine_itself_makes_the_version_unfit_and_ends_nothing_else() {
    let (_publisher, _server, computer) = app(&["1.0.0"]).await;
    let (engine, _) = settled(&computer).await;
    assert_eq!(engine.vitals().await.verdict(), Verdict::Fit);
    computer.host.panics.store(true, Ordering::SeqCst);
    engine.check_now();
    until(&computer, &engine, "it has met its fault", |_| {
        !computer.host.panics.load(Ordering::SeqCst)
    })
    .await;
    assert!(matches!(engine.vitals().await.verdict(), Verdict::Unfit(why) if why.contains("ended")));
    assert_eq!(
        engine.picture().activities.len(),
        0,
        "the picture can still be read"
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn what_is_critical_can_not_be_skipped_and_is_installed_when_nobody_is_here() {
    let (mut publisher, server, _) = app(&["1.0.0"]).await;
    let issue = Issue::of(&APP, "1.1.0");
    publisher.release_bytes(&issue, issue.artifact(), |release| release.critical = true);
    let computer = Computer::new(&publisher, &server);
    computer
        .host
        .decisions
        .lock()
        .unwrap()
        .push_back(ExecutableDecision::Skip);
    let engine = computer.start();
    until(&computer, &engine, "it was asked and waits", |picture| {
        let waits = picture.activities.iter().any(|one| one.phase == Phase::Waiting);
        computer.host.asked().len() == 1 && waits && picture.checked_at.is_some()
    })
    .await;
    assert!(computer.host.executables.lock().unwrap()[0].critical);

    // Somebody is here: another look changes nothing.
    engine.set_settings(computer.settings.clone());
    let picture = check_again_while_waiting(&computer, &engine).await;
    assert_eq!(
        (picture.activities[0].phase, picture.history.len()),
        (Phase::Waiting, 0)
    );

    *computer.host.idle.lock().unwrap() = Duration::from_hours(1);
    engine.set_settings(computer.settings.clone());
    until(&computer, &engine, "it switches", |_| {
        computer.host.restarts() == 1
    })
    .await;
    assert_eq!(computer.host.asked().len(), 1, "without another word");
}

/// A check beside an executable that waits and is not armed.
async fn check_again_while_waiting(computer: &Computer, engine: &Engine) -> Picture {
    let before = engine.picture().checked_at;
    engine.check_now();
    until(computer, engine, "it was checked again", |picture| {
        picture.checked_at > before
    })
    .await
}
