//! What a download writes, call by call.

use std::sync::Arc;

use moult_durable::faults::{self, Action, Call, Line, Plan};
use tempfile::TempDir;

use super::*;
use crate::fetch::{Folder, Http, Limits};

/// A repository with one file, and a folder for what is fetched.
struct Fixture {
    repository: TempDir,
    staging: TempDir,
    pinned: Pinned,
    limits: Limits,
}

impl Fixture {
    fn new(size: usize) -> Self {
        let bytes: Vec<u8> = (0..size).map(|at| (at / 7) as u8).collect();
        let repository = tempfile::tempdir().unwrap();
        fs::write(repository.path().join("file"), &bytes).unwrap();
        Self {
            repository,
            staging: tempfile::tempdir().unwrap(),
            pinned: Pinned {
                path: "file".to_owned(),
                digest: Digest::of(&bytes),
                size: size as u64,
            },
            limits: Limits {
                piece: 30_000,
                beat: None,
                ..Limits::default()
            },
        }
    }

    async fn fetch(&self) -> Result<Fetched, UpdateError> {
        let http = Http::in_folder(Folder::new(self.repository.path()), self.limits).unwrap();
        let fetcher = Fetcher::new(Arc::new(http), self.staging.path());
        fetcher.fetch(&self.pinned, &|_| {}).await
    }

    fn plan(&self, at: u64, action: Action) -> Plan {
        Plan {
            at,
            action,
            log: Some(self.repository.path().join("log")),
            root: self.staging.path().to_owned(),
        }
    }

    fn lines(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.repository.path().join("log")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

// One test, since points are counted for the whole process.
#[tokio::test]
async fn a_download_is_written_in_equal_pieces_by_one_thread_and_goes_on_after_an_error() {
    // The folder's answers come in portions of 10,007 bytes.
    let fixture = Fixture::new(100_000);
    faults::arm(fixture.plan(0, Action::Nothing)).unwrap();
    let fetched = fixture.fetch().await.unwrap();
    let points = faults::disarm();
    assert_eq!(fetched.wire_bytes(), 100_000);
    let lines = fixture.lines();
    let written = |lines: &[Line]| -> Vec<u64> {
        let writes = lines.iter().filter(|line| line.call == Call::Write);
        let parts = writes.filter(|line| !line.path.contains(".moult-new"));
        parts.filter_map(|line| line.length).collect()
    };
    assert_eq!(written(&lines), [30_000, 30_000, 30_000, 10_000]);
    let thread = std::thread::current().name().unwrap().to_owned();
    assert!(lines.iter().all(|line| line.thread == thread), "{lines:?}");

    for at in 1..=points {
        let fixture = Fixture::new(100_000);
        let fail = Action::Fail {
            errno: 28,
            sticky: false,
        };
        faults::arm(fixture.plan(at, fail)).unwrap();
        let outcome = fixture.fetch().await;
        faults::disarm();
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("could not be"), "{at}: {error}");
        let again = fixture.fetch().await.unwrap();
        let fetched = fs::read(again.path()).unwrap();
        assert_eq!(Digest::of(&fetched), fixture.pinned.digest, "{at}");
    }
}

#[tokio::test]
async fn a_repository_in_a_folder_stays_one_when_its_limits_change() {
    let fixture = Fixture::new(10);
    let folder = Folder::new(fixture.repository.path());
    let repository = crate::fetch::Repository::in_folder(folder, "", Limits::default());
    repository.set_limits(fixture.limits);
    let mirrors = repository.mirrors().unwrap();
    assert_eq!(*mirrors.limits(), fixture.limits);
    let fetcher = Fetcher::new(mirrors, fixture.staging.path());
    assert!(fetcher.fetch(&fixture.pinned, &|_| {}).await.is_ok());
}
