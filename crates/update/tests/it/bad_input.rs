//! Whatever the repository serves, the old version stands or another way leads to the new one, and the
//! user is told.

use std::fs;

use moult_model::{ErrorCode, Outcome, PlanStep, Subject};

use crate::support::server::{Fault, Server};
use crate::support::{
    Computer, Issue, Publisher, check_again, codes, current, entry, files, notes, outcome, settled, until,
    version,
};

#[tokio::test]
async fn a_patch_that_fails_is_said_and_the_full_file_follows() {
    type Case = (&'static str, Fault, ErrorCode);
    let cases: [Case; 6] = [
        ("missing", Fault::Status(404), ErrorCode::ServerRefused),
        ("forbidden", Fault::Status(403), ErrorCode::ServerRefused),
        ("the server fails", Fault::Status(500), ErrorCode::ServerFailed),
        ("truncated", Fault::Short(100), ErrorCode::ServerFailed),
        ("endless", Fault::Endless, ErrorCode::FileCorrupt),
        (
            "other bytes",
            Fault::Replaced(vec![7; 300]),
            ErrorCode::ServerFailed,
        ),
    ];
    for (name, fault, code) in cases {
        let publisher = Publisher::of_two_releases();
        let server = Server::start(publisher.repository()).await;
        let computer = Computer::with_bundles(&publisher, &server);
        let patch = publisher.patch_path(&Subject::Shell, "1.0.0", "1.1.0");
        server.fail(&patch, fault, u32::MAX);
        let (_engine, picture) = settled(&computer).await;
        let entry = entry(&picture, &Subject::Shell).unwrap();
        assert_eq!(
            (entry.outcome, codes(entry)),
            (Outcome::Updated, vec![code]),
            "{name}"
        );
        assert_eq!(
            current(&picture, &Subject::Shell).as_deref(),
            Some("1.1.0"),
            "{name}"
        );
        let kinds: Vec<bool> = entry.plan.iter().map(PlanStep::is_patch).collect();
        assert_eq!(kinds, [true, false], "{name}: both are in the history");
        assert!(
            entry.problems[0]
                .kept
                .starts_with("The full file is fetched instead."),
            "{name}: {entry:?}"
        );
        let tries = server.seen_of(&patch).len();
        assert_eq!(
            tries,
            if code == ErrorCode::ServerFailed { 3 } else { 1 },
            "{name}"
        );
        assert_eq!(
            server
                .seen_of(&publisher.full_path(&Subject::Shell, "1.1.0"))
                .len(),
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_installed_file_that_was_altered_gets_the_full_file() {
    let publisher = Publisher::of_two_releases();
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::with_bundles(&publisher, &server);
    let mut bytes = fs::read(computer.executable()).unwrap();
    bytes[100] ^= 1;
    fs::write(computer.executable(), bytes).unwrap();
    let (_engine, picture) = settled(&computer).await;
    let activity = picture
        .activities
        .iter()
        .find(|found| found.subject == Subject::Executable)
        .unwrap();
    assert_eq!(activity.problems.len(), 1);
    assert_eq!(activity.problems[0].code, ErrorCode::PatchFailed);
    assert!(matches!(activity.plan[..], [PlanStep::Full { .. }]));
    let state = computer.store().state().unwrap();
    assert_eq!(
        state.slot(&state.trial.as_ref().unwrap().slot).unwrap().version,
        version("1.1.0")
    );
}

#[tokio::test]
async fn without_a_patch_and_without_the_full_file_the_old_version_stands() {
    let publisher = Publisher::of_two_releases();
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::with_bundles(&publisher, &server);
    for path in [
        publisher.patch_path(&Subject::Shell, "1.0.0", "1.1.0"),
        publisher.full_path(&Subject::Shell, "1.1.0"),
    ] {
        server.fail(&path, Fault::Status(404), u32::MAX);
    }
    let (engine, picture) = settled(&computer).await;
    let failed = entry(&picture, &Subject::Shell).unwrap();
    assert_eq!(
        (failed.outcome, codes(failed)),
        (Outcome::Failed, vec![ErrorCode::ServerRefused; 2])
    );
    assert_eq!(current(&picture, &Subject::Shell).as_deref(), Some("1.0.0"));
    assert_eq!(failed.problems[1].kept, "1.0.0 goes on.");
    assert_eq!(
        outcome(&picture, &notes()),
        Some(Outcome::Updated),
        "the others are not kept back"
    );
    // The next check tries again, and once the file is there it goes on.
    server.heal();
    let picture = check_again(&computer, &engine).await;
    assert_eq!(current(&picture, &Subject::Shell).as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn what_fails_three_times_in_a_row_is_left_alone_for_a_while() {
    let publisher = Publisher::of_two_releases();
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::with_bundles(&publisher, &server);
    let full = publisher.full_path(&Subject::Shell, "1.1.0");
    for path in [&publisher.patch_path(&Subject::Shell, "1.0.0", "1.1.0"), &full] {
        server.fail(path, Fault::Status(404), u32::MAX);
    }
    let (engine, _) = settled(&computer).await;
    for _ in 0..4 {
        check_again(&computer, &engine).await;
    }
    assert_eq!(server.seen_of(&full).len(), 3);
    let explanation = engine.picture().explanations.remove(&Subject::Shell).unwrap();
    assert!(
        explanation.candidates[0]
            .verdict
            .to_string()
            .starts_with("3 tries in a row failed.")
    );
}

#[tokio::test]
async fn an_executable_is_installed_only_with_its_publishers_signature() {
    let stranger = Publisher::new();
    let forged = |bytes: &[u8]| {
        stranger
            .keys
            .sign_artifact(bytes, &version("1.1.0"), "moult-app")
            .unwrap()
    };
    let issue = Issue::of(&Subject::Executable, "1.1.0");
    let artifact = issue.artifact();
    for (name, signature, code) in [
        (
            "another key",
            Some(forged(&artifact)),
            Some(ErrorCode::SignatureInvalid),
        ),
        ("no signature", None, None),
        (
            "no base64",
            Some("?".to_owned()),
            Some(ErrorCode::SignatureInvalid),
        ),
    ] {
        let mut publisher = Publisher::new();
        publisher.release_bytes(&issue, artifact.clone(), |release| release.signature = signature);
        let server = Server::start(publisher.repository()).await;
        let computer = Computer::new(&publisher, &server);
        let (_engine, picture) = settled(&computer).await;
        let found = entry(&picture, &Subject::Executable).map(|entry| entry.problems[0].clone());
        assert_eq!(found.as_ref().map(|problem| problem.code), code, "{name}");
        if let Some(problem) = found.filter(|_| name == "another key") {
            assert_eq!(
                format!("{} {}", problem.happened, problem.kept),
                "1.1.0 was not installed. The file does not match its signature and was deleted. 1.0.0 goes on."
            );
        }
        assert_eq!(computer.host.asked(), Vec::<String>::new(), "{name}");
        assert_eq!(computer.store().state().unwrap().slots.len(), 1, "{name}");
        let left: Vec<_> = fs::read_dir(computer.staging())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[tokio::test]
async fn a_signature_for_another_version_is_refused() {
    let mut publisher = Publisher::new();
    let issue = Issue::of(&Subject::Executable, "1.1.0");
    let artifact = issue.artifact();
    let other = publisher
        .keys
        .sign_artifact(&artifact, &version("1.0.9"), "moult-app")
        .unwrap();
    publisher.release_bytes(&issue, artifact, |release| release.signature = Some(other));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    let (_engine, picture) = settled(&computer).await;
    assert_eq!(
        codes(entry(&picture, &Subject::Executable).unwrap()),
        [ErrorCode::SignatureInvalid]
    );
}

#[tokio::test]
async fn a_bundle_must_be_what_its_release_says() {
    let shell = Issue::of(&Subject::Shell, "1.1.0");
    let cases = [
        ("no bundle at all", b"MOULTBDL but no more than that".to_vec()),
        ("another version", Issue::of(&Subject::Shell, "1.2.0").artifact()),
        ("another subject", Issue::of(&notes(), "1.1.0").artifact()),
        (
            "more permissions",
            Issue::of(&Subject::Shell, "1.1.0")
                .asking(&["system.figures"])
                .artifact(),
        ),
    ];
    for (name, artifact) in cases {
        let mut publisher = Publisher::new();
        publisher.release_bytes(&shell, artifact, |_| {});
        let server = Server::start(publisher.repository()).await;
        let computer = Computer::new(&publisher, &server);
        computer.install(&Issue::of(&Subject::Shell, "1.0.0"));
        let (_engine, picture) = settled(&computer).await;
        let failed = entry(&picture, &Subject::Shell).unwrap();
        assert_eq!(
            (failed.outcome, codes(failed)),
            (Outcome::Failed, vec![ErrorCode::BundleInvalid]),
            "{name}"
        );
        assert_eq!(
            current(&picture, &Subject::Shell).as_deref(),
            Some("1.0.0"),
            "{name}"
        );
        assert_eq!(
            server.seen_of(".zst").len(),
            1,
            "{name}: the same bytes are not fetched twice"
        );
    }
}

#[tokio::test]
async fn a_repository_that_goes_back_in_time_is_not_believed() {
    let mut publisher = Publisher::of_two_releases();
    let old = tempfile::tempdir().unwrap();
    for path in files(&publisher.repository()) {
        let to = old.path().join(&path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(publisher.repository().join(&path), to).unwrap();
    }
    publisher.release(&Issue::of(&Subject::Shell, "1.2.0"));
    let server = Server::start(publisher.repository()).await;
    let mut computer = Computer::with_bundles(&publisher, &server);
    let (engine, picture) = settled(&computer).await;
    assert_eq!(current(&picture, &Subject::Shell).as_deref(), Some("1.2.0"));
    let replay = Server::start(old.path().to_owned()).await;
    computer.settings.repository = replay.url();
    engine.set_settings(computer.settings.clone());
    let picture = until(&computer, &engine, "the replay is noticed", |picture| {
        picture.check_problem.is_some()
    })
    .await;
    assert_eq!(picture.check_problem.unwrap().code, ErrorCode::MetadataReplayed);
    assert_eq!(
        current(&engine.picture(), &Subject::Shell).as_deref(),
        Some("1.2.0")
    );
}

#[tokio::test]
async fn a_check_that_fails_is_said_and_neutral() {
    let publisher = Publisher::of_two_releases();
    let server = Server::start(publisher.repository()).await;
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let cases = [
        ("nobody listens", Some(gone), None, ErrorCode::Offline),
        (
            "http to another computer",
            Some("http://10.0.0.1/".to_owned()),
            None,
            ErrorCode::Offline,
        ),
        ("no address", Some(String::new()), None, ErrorCode::Offline),
        ("500", None, Some(Fault::Status(500)), ErrorCode::ServerFailed),
        ("401", None, Some(Fault::Status(401)), ErrorCode::ServerRefused),
        ("404", None, Some(Fault::Status(404)), ErrorCode::ServerRefused),
        (
            "a redirect",
            None,
            Some(Fault::Redirect("https://127.0.0.1:1/".into())),
            ErrorCode::ServerRefused,
        ),
        ("endless", None, Some(Fault::Endless), ErrorCode::MetadataInvalid),
    ];
    for (name, address, fault, code) in cases {
        server.heal();
        if let Some(fault) = fault {
            server.fail("metadata/timestamp.json", fault, u32::MAX);
        }
        let mut computer = Computer::with_bundles(&publisher, &server);
        if let Some(address) = address {
            computer.settings.repository = address;
        }
        let (engine, picture) = settled(&computer).await;
        let problem = picture.check_problem.clone().unwrap();
        assert_eq!(problem.code, code, "{name}: {problem:?}");
        assert!(
            picture.history.is_empty() && picture.activities.is_empty(),
            "{name}"
        );
        assert_eq!(picture.checked_at, None, "{name}");
        assert_eq!(
            current(&picture, &notes()).as_deref(),
            Some("1.0.0"),
            "{name}: what is installed is shown"
        );
        assert_eq!(picture.boot.unwrap().current.as_str(), "base", "{name}");
        // As soon as the repository is there again everything goes on.
        server.heal();
        computer.settings.repository = server.url();
        engine.set_settings(computer.settings.clone());
        engine.check_now();
        until(&computer, &engine, "it goes on", |picture| {
            picture.check_problem.is_none() && current(picture, &notes()).as_deref() == Some("1.1.0")
        })
        .await;
    }
}
