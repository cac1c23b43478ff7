//! One wrong byte, in each file of the repository in turn.

use std::collections::BTreeMap;
use std::fs;

use futures_util::StreamExt as _;
use futures_util::stream;
use moult_boot::BundleStore;
use moult_model::{Digest, ErrorCode, Subject};

use crate::support::server::{Fault, Server};
use crate::support::{Computer, Publisher, current, files, notes, settled};

/// The kind of a file, and the code that a wrong byte in it must lead to, if it is asked for.
fn kind_of(path: &str) -> (&'static str, ErrorCode) {
    match path.rsplit('.').next() {
        _ if path.starts_with("metadata/") => ("metadata", ErrorCode::MetadataInvalid),
        Some("mpatch") => ("patch", ErrorCode::FileCorrupt),
        Some("zst") => ("full", ErrorCode::FileCorrupt),
        _ => ("index", ErrorCode::IndexInvalid),
    }
}

/// Updates a computer from a repository with one wrong byte. Says whether the file was asked for.
async fn update_with_wrong_byte(publisher: &Publisher, path: &str, with_bundles: bool) -> bool {
    let server = Server::start(publisher.repository()).await;
    server.fail(path, Fault::Flip, u32::MAX);
    let computer = if with_bundles {
        Computer::with_bundles(publisher, &server)
    } else {
        Computer::new(publisher, &server)
    };
    let (engine, picture) = settled(&computer).await;
    engine.shutdown().await;
    let was_asked_for = server
        .seen()
        .iter()
        .any(|seen| seen.path == path && seen.status == 200);
    let what = format!("{path}, with bundles: {with_bundles}: {picture:#?}");

    let said = picture
        .check_problem
        .iter()
        .chain(picture.history.iter().flat_map(|entry| &entry.problems))
        .chain(picture.activities.iter().flat_map(|activity| &activity.problems));
    let said: Vec<ErrorCode> = said.map(|problem| problem.code).collect();
    let (kind, code) = kind_of(path);
    assert_eq!(!said.is_empty(), was_asked_for, "{what}");
    assert!(said.iter().all(|said| *said == code), "{what}");

    for subject in [Subject::Shell, notes()] {
        let runs = current(&picture, &subject);
        let is_updated = runs.as_deref() == Some("1.1.0");
        assert!(
            is_updated || runs.as_deref() == with_bundles.then_some("1.0.0"),
            "{what}"
        );
        // Only a wrong byte on its own way keeps a subject back, and never one in a patch.
        let is_own = kind == "metadata" || path.contains(&subject.folder(""));
        assert!(is_updated || was_asked_for && is_own && kind != "patch", "{what}");
        if let Some(installed) = picture
            .bundles
            .get(&subject)
            .and_then(|slots| slots.current.as_ref())
        {
            let store = BundleStore::open(&computer.data()).unwrap();
            let bytes = fs::read(store.path(&installed.digest)).unwrap();
            assert_eq!(Digest::of(&bytes), installed.digest, "{what}");
        }
    }
    was_asked_for
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_byte_anywhere_is_noticed_said_and_harms_nothing() {
    let publisher = Publisher::of_two_releases();
    let files = files(&publisher.repository());
    let cases = [true, false]
        .into_iter()
        .flat_map(|with_bundles| files.iter().map(move |path| (path, with_bundles)));
    let publisher = &publisher;
    let runs = stream::iter(cases).map(|(path, with_bundles)| async move {
        (
            kind_of(path).0,
            update_with_wrong_byte(publisher, path, with_bundles).await,
        )
    });
    let mut noticed: BTreeMap<&str, u32> = BTreeMap::new();
    let mut runs = runs.buffer_unordered(4);
    while let Some((kind, was_asked_for)) = runs.next().await {
        *noticed.entry(kind).or_default() += u32::from(was_asked_for);
    }
    for (kind, least) in [("metadata", 10), ("index", 6), ("patch", 3), ("full", 2)] {
        assert!(noticed[kind] >= least, "{kind}: {noticed:?}");
    }
}
