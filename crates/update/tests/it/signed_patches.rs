//! Patches that are signed: which are used, and what one costs that does not do what it says.

use std::fs;

use jiff::Timestamp;
use moult_model::{Digest, ErrorCode, HistoryEntry, Outcome, Patch, PlanStep, Subject};
use moult_trust::sign::Editor;

use crate::support::server::Server;
use crate::support::{Computer, Issue, Publisher, TRIPLE, codes, entry, settled};

#[tokio::test]
async fn a_signed_patch_that_does_not_do_what_it_says_costs_one_full_file() {
    let mut leads_elsewhere = Vec::new();
    let old = Issue::of(&Subject::Shell, "1.0.0").artifact();
    moult_delta::diff(&old, b"something else", &mut leads_elsewhere).unwrap();
    for (name, patch) in [
        ("no patch", b"not a patch".to_vec()),
        ("another file's", leads_elsewhere),
    ] {
        let publisher = publisher_with_patch(&patch, moult_delta::FORMAT);
        let server = Server::start(publisher.repository()).await;
        let done = &updated(&publisher, &server).await;
        assert_eq!(
            (done.outcome, codes(done)),
            (Outcome::Updated, vec![ErrorCode::PatchFailed]),
            "{name}"
        );
        assert_eq!(done.plan.len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_patch_of_the_first_format_is_used_and_one_of_an_unknown_format_is_never_asked_for() {
    let [old, new] = ["1.0.0", "1.1.0"].map(|version| Issue::of(&Subject::Shell, version).artifact());
    let mut patch = Vec::new();
    moult_delta::format1::diff(&old, &new, &mut patch).unwrap();
    for (format, is_used) in [(1, true), (3, false), (99, false)] {
        let publisher = publisher_with_patch(&patch, format);
        let server = Server::start(publisher.repository()).await;
        let done = &updated(&publisher, &server).await;
        assert_eq!(
            (done.outcome, codes(done)),
            (Outcome::Updated, vec![]),
            "{format}"
        );
        let patched = matches!(done.plan[..], [PlanStep::Patch { .. }]);
        assert_eq!((done.plan.len(), patched), (1, is_used), "{format}");
        let asked = server.seen_of(&listed_path(&patch)).len();
        assert_eq!(asked, usize::from(is_used), "{format}");
    }
}

/// What became of the shell 1.0.0 of a computer that asks once.
async fn updated(publisher: &Publisher, server: &Server) -> HistoryEntry {
    let computer = Computer::new(publisher, server);
    computer.install(&Issue::of(&Subject::Shell, "1.0.0"));
    let (_engine, picture) = settled(&computer).await;
    entry(&picture, &Subject::Shell).unwrap().clone()
}

fn listed_path(patch: &[u8]) -> String {
    format!("app/shell/files/{}.mpatch", Digest::of(patch))
}

/// A repository with 1.0.0 and 1.1.0 of the shell, whose only patch is these bytes, duly signed, and
/// listed under this format.
fn publisher_with_patch(patch: &[u8], format: u16) -> Publisher {
    let mut publisher = Publisher::new();
    let from = publisher.release(&Issue::of(&Subject::Shell, "1.0.0"));
    let to = publisher.release(&Issue::of(&Subject::Shell, "1.1.0"));
    let mut editor = Editor::open(&publisher.repository(), &publisher.keys).unwrap();
    let mut index = editor.index(&Subject::Shell, TRIPLE).unwrap();
    let digest = Digest::of(patch);
    let listed = listed_path(patch);
    fs::write(publisher.repository().join("targets").join(&listed), patch).unwrap();
    index.patches = vec![Patch {
        from,
        to,
        path: listed,
        size: patch.len() as u64,
        digest,
        format,
    }];
    editor.set_index(&index).unwrap();
    editor.commit(Timestamp::now()).unwrap();
    drop(editor);
    publisher
}
