//! Shell and widgets: swapped, refused, banned, gone back from, moved between channels.

use jiff::Timestamp;
use moult_model::stage::{SwapCause, SwapReason};
use moult_model::{ErrorCode, Outcome, Phase, PlanStep, Subject};
use moult_trust::sign::Editor;
use moult_update::Picture;

use crate::support::host::refusal;
use crate::support::server::{Fault, Server};
use crate::support::{
    Computer, Issue, Publisher, channel, check_again, codes, current, entry, is_settled, notes, outcome,
    settled, until, version,
};

/// A publisher of the widget in these versions, each on these channels, and a computer with the first.
async fn widget(versions: &[(&'static str, &'static str)]) -> (Publisher, Server, Computer) {
    let mut publisher = Publisher::new();
    for (text, channels) in versions {
        publisher.release(&Issue::of(&notes(), text).on(channels));
    }
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    computer.install(&Issue::of(&notes(), versions[0].0).on(versions[0].1));
    (publisher, server, computer)
}

#[tokio::test]
async fn a_widget_is_updated_by_a_patch() {
    let (publisher, server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
    let (engine, picture) = settled(&computer).await;
    let done = entry(&picture, &notes()).unwrap();
    assert_eq!(done.outcome, Outcome::Updated);
    assert!(done.problems.is_empty());
    assert!(matches!(&done.plan[..], [PlanStep::Patch { from, to, .. }]
        if *from == version("1.0.0") && *to == version("1.1.0")));
    assert_eq!(done.wire_bytes, done.plan[0].bytes());
    assert!(done.wire_bytes * 5 < done.full_bytes, "{done:?}");
    let phases: Vec<Phase> = done.phases.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(
        phases,
        [
            Phase::Found,
            Phase::Planned,
            Phase::Fetching,
            Phase::Rebuilding,
            Phase::Verifying,
            Phase::Switching,
            Phase::Confirming,
        ]
    );
    let slots = &picture.bundles[&notes()];
    assert_eq!(slots.current.as_ref().unwrap().version, version("1.1.0"));
    assert_eq!(slots.earlier[0].version, version("1.0.0"));
    assert_eq!(
        picture.releases[&notes()][0],
        (version("1.1.0"), vec![channel("stable")])
    );
    assert!(!picture.beliefs.is_empty());
    // What is done leaves nothing behind, and a check that finds nothing costs next to nothing.
    assert_eq!(std::fs::read_dir(computer.staging()).unwrap().count(), 0);
    server.forget();
    check_again(&computer, &engine).await;
    let statuses: Vec<u16> = server.seen().iter().map(|seen| seen.status).collect();
    assert!(
        statuses.len() <= 2 && statuses.iter().all(|status| [304, 404].contains(status)),
        "{:?}",
        server.seen()
    );
    drop(publisher);
}

#[tokio::test]
async fn a_chain_of_patches_is_taken_where_it_is_cheapest() {
    let (publisher, _server, computer) =
        widget(&[("1.0.0", "stable"), ("1.1.0", "stable"), ("1.2.0", "stable")]).await;
    let mut editor = Editor::open(&publisher.repository(), &publisher.keys).unwrap();
    let mut index = editor.index(&notes(), "").unwrap();
    let digest = |text: &str| index.release(&version(text)).unwrap().digest;
    let (from, to) = (digest("1.0.0"), digest("1.2.0"));
    index.patches.retain(|patch| (patch.from, patch.to) != (from, to));
    editor.set_index(&index).unwrap();
    editor.commit(Timestamp::now()).unwrap();
    drop(editor);
    let (_engine, picture) = settled(&computer).await;
    let done = entry(&picture, &notes()).unwrap();
    assert_eq!(
        (done.outcome, done.plan.len(), codes(done)),
        (Outcome::Updated, 2, vec![])
    );
    assert!(done.plan.iter().all(PlanStep::is_patch));
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.2.0"));
}

#[tokio::test]
async fn a_new_widget_on_the_board_is_installed_without_waiting_for_consent() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&notes(), "1.0.0").asking(&["system.figures"]));
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::new(&publisher, &server);
    computer.wanted.clear();
    let (engine, picture) = settled(&computer).await;
    assert!(picture.history.is_empty() && picture.bundles.is_empty());
    engine.set_wanted(vec![notes()]);
    let picture = until(&computer, &engine, "it is installed", |picture| {
        outcome(picture, &notes()).is_some()
    })
    .await;
    assert_eq!(outcome(&picture, &notes()), Some(Outcome::Installed));
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_for_consent_before_anything_is_fetched() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&notes(), "1.0.0").asking(&["storage"]));
    publisher.release(&Issue::of(&notes(), "1.1.0").asking(&["storage", "system.figures"]));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    computer.install(&Issue::of(&notes(), "1.0.0").asking(&["storage"]));
    let (engine, picture) = settled(&computer).await;
    let activity = &picture.activities[0];
    assert_eq!(activity.phase, Phase::Waiting);
    assert_eq!(activity.problems[0].code, ErrorCode::ConsentNeeded);
    assert_eq!(activity.problems[0].kept, "1.0.0 goes on until you decide.");
    let request = &picture.waiting[0];
    assert_eq!(
        (request.name.as_str(), &request.version),
        ("Notes", &version("1.1.0"))
    );
    let asked: Vec<&str> = request
        .permissions
        .iter()
        .map(|wish| wish.capability.as_str())
        .collect();
    assert_eq!(
        asked,
        ["system.figures"],
        "what the old version asks for too is nothing new"
    );
    assert!(server.seen_of("patch").is_empty() && server.seen_of(".zst").is_empty());

    let picture = check_again(&computer, &engine).await;
    assert_eq!(
        (picture.activities.len(), picture.waiting.len()),
        (1, 1),
        "it is asked once"
    );

    computer
        .host
        .granted
        .lock()
        .unwrap()
        .insert("system.figures".to_owned());
    engine.check_now();
    let picture = until(&computer, &engine, "it is updated", |picture| {
        !picture.history.is_empty()
    })
    .await;
    let done = entry(&picture, &notes()).unwrap();
    assert_eq!((done.outcome, codes(done)), (Outcome::Updated, vec![]));
    assert!(picture.waiting.is_empty());
}

#[tokio::test]
async fn a_version_that_fails_its_trial_is_rolled_back_and_said() {
    let cases = [
        (SwapCause::NotReady, ErrorCode::SwitchFailed),
        (SwapCause::StateRefused, ErrorCode::StateRefused),
        (SwapCause::Exception, ErrorCode::Crashed),
        (SwapCause::Hung, ErrorCode::Hung),
        (SwapCause::Errors, ErrorCode::TooManyErrors),
    ];
    for (cause, code) in cases {
        let (mut publisher, server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
        computer
            .host
            .swaps
            .lock()
            .unwrap()
            .push_back(refusal(cause, true));
        let (engine, picture) = settled(&computer).await;
        let failed = entry(&picture, &notes()).unwrap();
        assert_eq!(
            (failed.outcome, codes(failed)),
            (Outcome::RolledBack, vec![code]),
            "{cause:?}"
        );
        assert_eq!(failed.problems[0].kept, "What you had was kept.");
        assert_eq!(current(&picture, &notes()).as_deref(), Some("1.0.0"), "{cause:?}");
        assert_eq!(picture.bundles[&notes()].banned.len(), 1);
        // A banned digest is never tried again, in this process or another.
        server.forget();
        check_again(&computer, &engine).await;
        engine.shutdown().await;
        let (engine, _) = settled(&computer).await;
        assert_eq!(computer.host.swapped(&notes()), ["1.1.0"], "{cause:?}");
        assert!(server.seen_of("patch").is_empty(), "{cause:?}");
        let explanation = engine.picture().explanations.remove(&notes()).unwrap();
        assert_eq!(
            explanation.candidates[0].verdict.to_string(),
            "It failed here and is not tried again."
        );
        // A higher one is another story.
        publisher.release(&Issue::of(&notes(), "1.2.0"));
        let picture = check_again(&computer, &engine).await;
        assert_eq!(current(&picture, &notes()).as_deref(), Some("1.2.0"), "{cause:?}");
    }
}

#[tokio::test]
async fn a_failure_without_a_ban_is_tried_again_at_the_next_check_without_a_download() {
    let (_publisher, server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
    computer
        .host
        .swaps
        .lock()
        .unwrap()
        .push_back(refusal(SwapCause::Withdrawn, false));
    let (engine, picture) = settled(&computer).await;
    assert_eq!(outcome(&picture, &notes()), Some(Outcome::RolledBack));
    assert!(picture.bundles[&notes()].banned.is_empty());
    server.forget();
    let picture = check_again(&computer, &engine).await;
    assert_eq!(outcome(&picture, &notes()), Some(Outcome::Updated));
    assert_eq!(computer.host.swapped(&notes()), ["1.1.0", "1.1.0"]);
    assert!(server.seen_of("patch").is_empty(), "it was kept");
}

#[tokio::test]
async fn logic_that_has_to_prove_itself_first_is_refused_unseen_or_swapped_in() {
    let (mut publisher, _server, computer) = widget(&[("1.0.0", "stable")]).await;
    publisher.release(&Issue::of(&notes(), "1.1.0").rehearsed());
    let difference = Err("2, not 3".to_owned());
    computer.host.rehearsals.lock().unwrap().push_back(difference);
    let engine = computer.start();
    let picture = until(&computer, &engine, "it is refused", |picture| {
        outcome(picture, &notes()).is_some()
    })
    .await;
    let refused = entry(&picture, &notes()).unwrap();
    assert_eq!(
        (refused.outcome, codes(refused)),
        (Outcome::RolledBack, vec![ErrorCode::AnswersDiffer])
    );
    assert_eq!(refused.problems[0].detail, "2, not 3");
    assert_eq!(picture.bundles[&notes()].banned.len(), 1);
    assert!(
        computer.host.swapped(&notes()).is_empty(),
        "its user never saw it"
    );

    publisher.release(&Issue::of(&notes(), "1.2.0").rehearsed());
    check_again(&computer, &engine).await;
    let picture = until(&computer, &engine, "it is taken", |picture| {
        outcome(picture, &notes()) == Some(Outcome::Updated)
    })
    .await;
    assert!(codes(entry(&picture, &notes()).unwrap()).is_empty());
    assert_eq!(computer.host.swapped(&notes()), ["1.2.0"]);
    assert_eq!(*computer.host.rehearsed.lock().unwrap(), ["1.1.0", "1.2.0"]);
}

#[tokio::test]
async fn the_beta_channel_and_back() {
    let (_publisher, _server, mut computer) = widget(&[("1.0.0", "stable beta"), ("1.1.0", "beta")]).await;
    let (engine, picture) = settled(&computer).await;
    assert!(picture.history.is_empty(), "1.1.0 is not offered on stable");
    assert_eq!(
        picture.explanations[&notes()].candidates[0].verdict.to_string(),
        "It is offered on beta only."
    );

    computer.settings.channels.insert(notes(), channel("beta"));
    engine.set_settings(computer.settings.clone());
    until(&computer, &engine, "beta runs", |picture| {
        current(picture, &notes()).as_deref() == Some("1.1.0")
    })
    .await;

    // A check on beta sees that it is offered there; only then is another channel a change.
    let picture = until(&computer, &engine, "all is quiet", is_settled).await;
    assert_eq!(picture.activities.len(), 0);
    check_again(&computer, &engine).await;
    engine.shutdown().await;

    computer.settings.channels.clear();
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(
        current(&picture, &notes()).as_deref(),
        Some("1.0.0"),
        "also after a restart"
    );
    let back = entry(&picture, &notes()).unwrap();
    assert_eq!(
        (back.outcome, &back.from),
        (Outcome::Updated, &Some(version("1.1.0")))
    );
    assert_eq!(back.wire_bytes, 0, "it was kept");
}

#[tokio::test]
async fn nobody_is_moved_down_who_did_not_ask_for_it() {
    let (publisher, _server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    // The publisher takes 1.1.0 off the channel.
    let mut editor = Editor::open(&publisher.repository(), &publisher.keys).unwrap();
    let mut index = editor.index(&notes(), "").unwrap();
    index.releases[0].channels = vec![channel("beta")];
    editor.set_index(&index).unwrap();
    editor.commit(Timestamp::now()).unwrap();
    drop(editor);
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    assert_eq!(
        picture.releases[&notes()][0].1,
        [channel("beta")],
        "the new index was read"
    );
}

#[tokio::test]
async fn going_back_lasts_until_there_is_something_higher() {
    let (mut publisher, server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    server.forget();
    engine.go_back(notes(), version("1.0.0"));
    let picture = until(&computer, &engine, "1.0.0 is back", |picture| {
        current(picture, &notes()).as_deref() == Some("1.0.0")
    })
    .await;
    assert!(server.seen().is_empty(), "going back needs no network");
    assert_eq!(picture.history.len(), 2);
    assert_eq!(picture.history[0].to, version("1.0.0"));
    assert_eq!(
        computer.host.bundles.lock().unwrap().last().unwrap().reason,
        SwapReason::GoBack
    );

    check_again(&computer, &engine).await;
    engine.shutdown().await;
    let (engine, picture) = settled(&computer).await;
    assert_eq!(
        current(&picture, &notes()).as_deref(),
        Some("1.0.0"),
        "it stays, also after a restart"
    );
    assert_eq!(
        picture.explanations[&notes()].candidates[0].verdict.to_string(),
        "You went back to 1.0.0."
    );

    publisher.release(&Issue::of(&notes(), "1.2.0"));
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.2.0"));
}

#[tokio::test]
async fn going_back_to_a_version_that_refuses_leaves_everything_as_it_was() {
    let (_publisher, _server, computer) = widget(&[("1.0.0", "stable"), ("1.1.0", "stable")]).await;
    let (engine, _) = settled(&computer).await;
    computer
        .host
        .swaps
        .lock()
        .unwrap()
        .push_back(refusal(SwapCause::Hung, true));
    engine.go_back(notes(), version("1.0.0"));
    let picture = until(&computer, &engine, "it was tried", |picture| {
        picture.history.len() == 2
    })
    .await;
    assert_eq!(outcome(&picture, &notes()), Some(Outcome::RolledBack));
    assert_eq!(current(&picture, &notes()).as_deref(), Some("1.1.0"));
    assert!(
        picture.bundles[&notes()].banned.is_empty(),
        "what the user wished for is not banned"
    );
    // A version that is not kept can't be returned to.
    engine.go_back(notes(), version("0.5.0"));
    let picture = check_again(&computer, &engine).await;
    assert_eq!((picture.history.len(), picture.activities.len()), (2, 0));
}

#[tokio::test]
async fn no_more_than_two_downloads_run_at_once() {
    let names = ["clock", "feed", "notes", "weather"];
    let subjects: Vec<Subject> = names
        .iter()
        .map(|name| format!("w/moult/{name}").parse().unwrap())
        .collect();
    let mut publisher = Publisher::new();
    for subject in &subjects {
        publisher.release(&Issue::of(subject, "1.0.0"));
    }
    let server = Server::start(publisher.repository()).await;
    server.fail(".zst", Fault::Stall(1000), 2);
    let mut computer = Computer::new(&publisher, &server);
    computer.wanted = subjects;
    let engine = computer.start();
    let count = |picture: &Picture, phase: Phase| {
        picture
            .activities
            .iter()
            .filter(|activity| activity.phase == phase)
            .count()
    };
    let picture = until(
        &computer,
        &engine,
        "two are on their way and all were found",
        |picture| {
            let asked = server.seen_of(".zst").len();
            count(picture, Phase::Fetching) == 2 && picture.checked_at.is_some() && asked == 2
        },
    )
    .await;
    assert_eq!(count(&picture, Phase::Scheduled), 2);
    assert_eq!(server.seen_of(".zst").len(), 2);
    // The one that is stopped makes room for the next.
    let stalled = picture
        .activities
        .iter()
        .find(|activity| activity.phase == Phase::Fetching)
        .unwrap();
    engine.cancel(&stalled.id);
    let picture = until(&computer, &engine, "the others follow", |picture| {
        count(picture, Phase::Scheduled) == 0
    })
    .await;
    assert_eq!(
        codes(entry(&picture, &stalled.subject).unwrap()),
        [ErrorCode::Cancelled]
    );
    until(&computer, &engine, "all have ended", |picture| {
        picture.history.len() == 4
    })
    .await;
}

#[tokio::test]
async fn old_versions_are_kept_as_far_as_one_can_go_back() {
    let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"];
    let (mut publisher, _server, computer) = widget(&[("1.0.0", "stable")]).await;
    let (engine, _) = settled(&computer).await;
    for text in &versions[1..] {
        publisher.release(&Issue::of(&notes(), text));
        check_again(&computer, &engine).await;
    }
    let picture = engine.picture();
    let earlier: Vec<String> = picture.bundles[&notes()]
        .earlier
        .iter()
        .map(|kept| kept.version.to_string())
        .collect();
    assert_eq!(earlier, ["1.4.0", "1.3.0", "1.2.0"]);
    let files = std::fs::read_dir(computer.data().join("bundles")).unwrap();
    let files = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|end| end == "bundle")
    });
    assert_eq!(files.count(), 4);
}

#[tokio::test]
async fn several_subjects_are_updated_at_once_and_each_has_its_own_end() {
    let mut publisher = Publisher::new();
    let clock: Subject = "w/moult/clock".parse().unwrap();
    for subject in [Subject::Shell, notes(), clock.clone()] {
        publisher.release(&Issue::of(&subject, "1.0.0"));
        publisher.release(&Issue::of(&subject, "1.1.0"));
    }
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::new(&publisher, &server);
    computer.wanted.push(clock.clone());
    for subject in [Subject::Shell, notes(), clock.clone()] {
        computer.install(&Issue::of(&subject, "1.0.0"));
    }
    computer
        .host
        .swaps
        .lock()
        .unwrap()
        .push_back(refusal(SwapCause::Hung, false));
    let (_engine, picture) = settled(&computer).await;
    let outcomes: Vec<Outcome> = picture.history.iter().map(|entry| entry.outcome).collect();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Updated)
            .count(),
        2,
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::RolledBack)
            .count(),
        1,
        "{outcomes:?}"
    );
    let ids: std::collections::BTreeSet<&str> =
        picture.history.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
}
