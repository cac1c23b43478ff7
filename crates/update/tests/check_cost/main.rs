//! What a check costs: requests, bytes of bodies, bytes of heads; with many publishers, widgets and releases, over
//! real HTTP, from a repository that the real publishing side has signed.
//!
//! Without more ado with 20 publishers of 10 widgets and 1,000 of one; with `MOULT_CHECK_COST=all` 1,000 of 10. The
//! figures go to `check/report.json` in the target folder, from which `cargo xtask bench check` makes
//! docs/benchmarks/check.md.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod feeds;
mod server;
mod site;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::Subject;
use moult_trust::Client;
use moult_update::fetch::{Limits, Repository};
use serde_json::{Value, json};

use server::{Count, Server};
use site::{Site, TRIPLE};

/// What one of the judged checks may cost: requests, and bytes of bodies.
struct Budget {
    requests: u64,
    body: u64,
}

const NOTHING_NEW: Budget = Budget {
    requests: 2,
    body: 1024,
};

/// A computer with the application, the shell and six widgets of three publishers.
struct Computer {
    client: Client,
    subjects: Vec<Subject>,
}

impl Computer {
    fn new(site: &Site, server: &Server, folder: &Path) -> Self {
        let repository = Arc::new(Repository::new(&server.url(), Limits::default()));
        let client = Client::open(&site.anchor(), repository, folder).unwrap();
        let mut subjects = vec![Subject::Executable, Subject::Shell];
        subjects.extend(site.widgets().iter().take(6).cloned());
        Self { client, subjects }
    }

    async fn check(&mut self) {
        let now = Timestamp::now();
        self.client.refresh(now).await.unwrap();
        for subject in &self.subjects {
            self.client.index(subject, TRIPLE, now).await.unwrap();
        }
    }
}

/// Makes all checks against one repository, and says what each cost.
async fn checks(publishers: usize, widgets: usize) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site::new(folder.path(), publishers, widgets);
    let server = Server::start(site.repository()).await;
    let mut computer = Computer::new(&site, &server, &folder.path().join("computer"));
    let mut rows = Vec::new();
    let mut note = |what: &str, count: Count, budget: Option<Budget>| {
        if let Some(Budget { requests, body }) = budget {
            assert!(
                count.requests <= requests && count.body <= body,
                "{what} with {publishers} publishers: {count:?}"
            );
        }
        rows.push(json!({
            "what": what,
            "requests": count.requests,
            "body": count.body,
            "asked": count.asked,
            "heads": count.heads,
        }));
    };
    computer.check().await;
    note("first check", server.take(), None);
    computer.check().await;
    note("nothing new", server.take(), Some(NOTHING_NEW));
    server.set_tags(false);
    computer.check().await;
    note(
        "nothing new, from a server without entity tags",
        server.take(),
        Some(NOTHING_NEW),
    );
    server.set_tags(true);
    computer.check().await;
    server.take();
    site.publish_foreign();
    computer.check().await;
    let body = if publishers <= 20 { 2 * 1024 } else { 16 * 1024 };
    let foreign = Budget { requests: 3, body };
    note(
        "after a publication of somebody else",
        server.take(),
        Some(foreign),
    );
    site.publish_own();
    computer.check().await;
    note("after a publication of a widget it has", server.take(), None);
    site.publish_app();
    computer.check().await;
    note("after a release of the application", server.take(), None);
    json!({
        "publishers": publishers,
        "widgets": widgets,
        "releases": site::RELEASES,
        "listed": site.listed(),
        "rows": rows,
        "files": site.sizes(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_costs_no_more_than_it_may() {
    let all = std::env::var("MOULT_CHECK_COST").is_ok_and(|value| value == "all");
    let small = checks(20, 200).await;
    let large = checks(1000, if all { 10_000 } else { 1000 }).await;
    let report = json!({ "all": all, "sites": [small, large], "feeds": feeds::sizes() });
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("report.json"),
        serde_json::to_vec_pretty(&report).unwrap(),
    )
    .unwrap();
}

/// `check` in the target folder.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program
        .ancestors()
        .find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    target.and_then(Path::parent).unwrap().join("check")
}
