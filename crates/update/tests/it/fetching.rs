//! Downloads: resumed, begun anew, stopped at their size, never believed without their digest.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moult_model::{Digest, ErrorCode, Outcome, Subject};
use moult_update::UpdateError;
use moult_update::fetch::{Fetched, Fetcher, Http, Limits, Pinned};

#[cfg(target_os = "linux")]
use crate::support::codes;
use crate::support::server::{Fault, Seen, Server};
use crate::support::{Computer, Issue, Publisher, entry, limits, noise, settled, until};

const SIZE: usize = 100_000;

struct Bench {
    folder: tempfile::TempDir,
    server: Server,
    pinned: Pinned,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bytes = noise(3, SIZE);
        fs::create_dir(folder.path().join("served")).unwrap();
        fs::create_dir(folder.path().join("staging")).unwrap();
        fs::write(folder.path().join("served/file"), &bytes).unwrap();
        let server = Server::start(folder.path().join("served")).await;
        let pinned = Pinned {
            path: "file".into(),
            digest: Digest::of(&bytes),
            size: SIZE as u64,
        };
        Self {
            folder,
            server,
            pinned,
        }
    }

    fn staging(&self) -> std::path::PathBuf {
        self.folder.path().join("staging")
    }

    async fn fetch_with(&self, limits: Limits) -> Result<Fetched, UpdateError> {
        let http = Arc::new(Http::new(&self.server.url(), limits).unwrap());
        Fetcher::new(http, self.staging())
            .fetch(&self.pinned, &|_| {})
            .await
    }

    async fn fetch(&self) -> Result<Fetched, UpdateError> {
        self.fetch_with(limits()).await
    }

    /// The status of each answer, and the range that was asked for, if one was.
    fn ranges(&self) -> Vec<(u16, String)> {
        self.server
            .seen()
            .into_iter()
            .map(|Seen { status, range, .. }| (status, range.unwrap_or_default()))
            .collect()
    }

    fn left(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.staging())
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .extension()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn range(from: usize) -> String {
    format!("bytes={from}-")
}

fn is_right(bench: &Bench, path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| Digest::of(&bytes) == bench.pinned.digest)
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let bench = Bench::new().await;
    bench.server.fail("file", Fault::Cut(40_000), 1);
    bench.server.fail("file", Fault::Cut(30_000), 1);
    let fetched = bench.fetch().await.unwrap();
    assert!(is_right(&bench, fetched.path()));
    assert_eq!(
        bench.ranges(),
        [(200, String::new()), (206, range(40_000)), (206, range(70_000))]
    );
    assert!(
        bench.server.seen()[1].if_range.is_some(),
        "the server is told which bytes are meant"
    );
    assert_eq!(fetched.wire_bytes(), SIZE as u64, "no byte came twice");
    assert_eq!(bench.left(), ["download"]);
    // What is complete is not fetched again.
    assert_eq!(bench.fetch().await.unwrap().wire_bytes(), 0);
}

#[tokio::test]
async fn a_later_try_goes_on_from_the_bytes_of_an_earlier_one() {
    let bench = Bench::new().await;
    bench.server.fail("file", Fault::Cut(20_000), 3);
    let error = bench.fetch().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerFailed, "{error}");
    assert_eq!(bench.left(), ["json", "part"]);
    bench.server.forget();
    assert!(is_right(&bench, bench.fetch().await.unwrap().path()));
    assert_eq!(bench.ranges(), [(206, range(60_000))]);
}

#[tokio::test]
async fn a_range_that_can_not_be_trusted_starts_over() {
    let other = noise(4, SIZE);
    let cases = [
        (
            "the file was replaced meanwhile, and is back",
            Fault::Replaced(other),
            vec![200, 206],
        ),
        ("200 in place of 206", Fault::IgnoreRange, vec![200, 206]),
        ("another range", Fault::WrongRange, vec![206, 200]),
        ("416", Fault::Status(416), vec![416, 200]),
    ];
    for (name, fault, statuses) in cases {
        let bench = Bench::new().await;
        bench.server.fail("file", Fault::Cut(40_000), 1);
        bench.server.fail("file", fault, 1);
        let fetched = bench.fetch().await;
        let found: Vec<u16> = bench.ranges()[1..].iter().map(|(status, _)| *status).collect();
        assert_eq!(bench.ranges()[1].1, range(40_000), "{name}");
        assert_eq!(found, statuses, "{name}");
        assert!(is_right(&bench, fetched.unwrap().path()), "{name}");
    }
}

#[tokio::test]
async fn bytes_of_an_earlier_try_that_went_bad_cost_one_more_try() {
    let bench = Bench::new().await;
    bench.server.fail("file", Fault::Cut(40_000), 3);
    bench
        .fetch_with(Limits { tries: 1, ..limits() })
        .await
        .unwrap_err();
    let part = bench.staging().join(format!("{}.part", bench.pinned.digest));
    let mut bytes = fs::read(&part).unwrap();
    bytes[10] ^= 1;
    fs::write(&part, bytes).unwrap();
    bench.server.heal();
    bench.server.forget();
    assert!(is_right(&bench, bench.fetch().await.unwrap().path()));
    assert_eq!(bench.ranges(), [(206, range(40_000)), (200, String::new())]);
}

#[tokio::test]
async fn what_is_final_is_asked_for_once_and_what_is_not_three_times() {
    let too_much = [noise(3, SIZE), vec![0]].concat();
    let cases = [
        ("404", Fault::Status(404), ErrorCode::ServerRefused, 1, 0),
        ("401", Fault::Status(401), ErrorCode::ServerRefused, 1, 0),
        ("500", Fault::Status(500), ErrorCode::ServerFailed, 3, 0),
        ("503", Fault::Status(503), ErrorCode::ServerFailed, 3, 0),
        (
            "a redirect",
            Fault::Redirect("http://example.org/other".into()),
            ErrorCode::ServerRefused,
            1,
            0,
        ),
        ("a wrong byte", Fault::Flip, ErrorCode::FileCorrupt, 1, 0),
        (
            "one byte more",
            Fault::Replaced(too_much),
            ErrorCode::FileCorrupt,
            1,
            0,
        ),
        ("endless", Fault::Endless, ErrorCode::FileCorrupt, 1, 0),
        ("short", Fault::Short(10_000), ErrorCode::ServerFailed, 3, 2),
    ];
    for (name, fault, code, tries, left) in cases {
        let bench = Bench::new().await;
        bench.server.fail("file", fault, u32::MAX);
        let error = bench.fetch().await.unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        assert_eq!(bench.ranges().len(), tries, "{name}");
        let kept = bench.left();
        assert!(
            kept.len() <= left || code == ErrorCode::ServerFailed,
            "{name}: {kept:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_stalls_is_left_and_the_download_goes_on() {
    let bench = Bench::new().await;
    bench.server.fail("file", Fault::Stall(50_000), 1);
    let fetched = bench
        .fetch_with(Limits {
            stall: Duration::from_millis(200),
            ..limits()
        })
        .await
        .unwrap();
    assert!(is_right(&bench, fetched.path()));
    assert_eq!(bench.ranges(), [(200, String::new()), (206, range(50_000))]);
}

#[tokio::test]
async fn nobody_listening_is_offline() {
    let bench = Bench::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let http = Arc::new(Http::new(&url, limits()).unwrap());
    let error = Fetcher::new(http, bench.staging())
        .fetch(&bench.pinned, &|_| {})
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Offline, "{error}");
}

#[tokio::test]
async fn progress_never_goes_back_and_ends_at_the_size() {
    let bench = Bench::new().await;
    bench.server.fail("file", Fault::Cut(40_000), 1);
    let last = AtomicU64::new(0);
    let http = Arc::new(Http::new(&bench.server.url(), limits()).unwrap());
    let progress = |bytes: u64| assert!(last.swap(bytes, Ordering::Relaxed) <= bytes);
    Fetcher::new(http, bench.staging())
        .fetch(&bench.pinned, &progress)
        .await
        .unwrap();
    assert_eq!(last.load(Ordering::Relaxed), SIZE as u64);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_said_with_what_is_needed_and_what_is_free() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(3_000_000));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    drop(computer.store());
    // A device that is always full stands in for the disk.
    let path = publisher.full_path(&Subject::Shell, "1.1.0");
    let digest = Path::new(&path).file_stem().unwrap().to_str().unwrap();
    std::os::unix::fs::symlink("/dev/full", computer.staging().join(format!("{digest}.part"))).unwrap();
    let (_engine, picture) = settled(&computer).await;
    let failed = entry(&picture, &Subject::Shell).unwrap();
    assert_eq!(
        (failed.outcome, codes(failed)),
        (Outcome::Failed, vec![ErrorCode::DiskFull]),
        "{failed:?}"
    );
    let problem = &failed.problems[0];
    assert!(
        problem.happened.starts_with("7 MB needed, ") && problem.happened.ends_with(" free."),
        "{problem:?}"
    );
    assert_eq!(problem.kept, "Nothing was changed.");
}

#[tokio::test]
async fn an_engine_that_was_killed_goes_on_from_the_part_under_the_same_id() {
    let mut publisher = Publisher::new();
    publisher.release(&Issue::of(&Subject::Shell, "1.1.0").sized(2_000_000));
    let server = Server::start(publisher.repository()).await;
    let computer = Computer::new(&publisher, &server);
    let full = publisher.full_path(&Subject::Shell, "1.1.0");
    server.fail(&full, Fault::Stall(1_200_000), 1);
    let engine = computer.start();
    let picture = until(&computer, &engine, "half of it is there", |picture| {
        picture
            .activities
            .first()
            .is_some_and(|activity| activity.bytes_done > 900_000)
    })
    .await;
    let id = picture.activities[0].id.clone();
    // No farewell: the last handle goes, and with it the driver and all its work.
    drop(engine);
    server.forget();
    let (_engine, picture) = settled(&computer).await;
    let done = entry(&picture, &Subject::Shell).unwrap();
    assert_eq!((done.outcome, &done.id), (Outcome::Installed, &id));
    let seen = &server.seen_of(&full)[0];
    assert_eq!(seen.status, 206, "{seen:?}");
    assert!(seen.range.is_some());
}
