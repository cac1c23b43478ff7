//! Mirrors: a slow or dead one is left, and the download goes on from its byte; metadata comes from whoever has it.

use std::fs;
use std::time::Duration;

use moult_model::{Digest, ErrorCode};
use moult_trust::{Reply, Transport as _};
use moult_update::UpdateError;
use moult_update::fetch::{Fetched, Fetcher, Limits, Mirrors, Pinned, Repository, Route};

use crate::support::server::{Fault, Server};
use crate::support::{limits, noise};

const SIZE: usize = 300_000;

/// Two servers with the same files.
struct Pair {
    folder: tempfile::TempDir,
    servers: [Server; 2],
    pinned: Pinned,
}

impl Pair {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bytes = noise(7, SIZE);
        let served = folder.path().join("served");
        fs::create_dir_all(served.join("metadata")).unwrap();
        fs::create_dir(folder.path().join("staging")).unwrap();
        fs::write(served.join("file"), &bytes).unwrap();
        fs::write(served.join("metadata/timestamp.json"), "{\"signed\":{}}").unwrap();
        Self {
            servers: [Server::start(served.clone()).await, Server::start(served).await],
            folder,
            pinned: Pinned {
                path: "file".into(),
                digest: Digest::of(&bytes),
                size: SIZE as u64,
            },
        }
    }

    fn route(&self) -> Route {
        Route {
            mirrors: vec![self.servers[1].url()],
            ..Route::to(&self.servers[0].url())
        }
    }

    async fn fetch(&self, limits: Limits) -> Result<Fetched, UpdateError> {
        let mirrors = Mirrors::open(&self.route(), limits).unwrap();
        Fetcher::new(mirrors, self.folder.path().join("staging"))
            .fetch(&self.pinned, &|_| {})
            .await
    }

    /// The ranges that a server was asked for.
    fn ranges(&self, server: usize) -> Vec<String> {
        let seen = self.servers[server].seen();
        seen.into_iter()
            .map(|seen| seen.range.unwrap_or_default())
            .collect()
    }

    fn is_right(&self, fetched: &Fetched) -> bool {
        fs::read(fetched.path()).is_ok_and(|bytes| Digest::of(&bytes) == self.pinned.digest)
    }
}

#[tokio::test]
async fn a_mirror_that_breaks_falls_silent_or_crawls_is_left_at_its_byte() {
    let cases = [
        ("cut", Fault::Cut(100_000)),
        ("silent", Fault::Stall(100_000)),
        ("slow", Fault::Drip(100_000, 20)),
    ];
    for (name, fault) in cases {
        let pair = Pair::new().await;
        pair.servers[0].fail("file", fault, u32::MAX);
        let limits = Limits {
            leave: Duration::from_millis(300),
            // Whoever stays waits for ever.
            stall: Duration::from_hours(1),
            ..limits()
        };
        let fetched = tokio::time::timeout(Duration::from_secs(15), pair.fetch(limits)).await;
        let fetched = fetched
            .unwrap_or_else(|_| panic!("{name}: it was not left"))
            .unwrap();
        assert!(pair.is_right(&fetched), "{name}");
        let asked = pair.ranges(1);
        let from: u64 = asked[0]
            .strip_prefix("bytes=")
            .and_then(|range| range.strip_suffix('-'))
            .unwrap()
            .parse()
            .unwrap();
        assert!(from >= 100_000, "{name}: {asked:?}");
        assert_eq!(asked.len(), 1, "{name}");
        assert_eq!(fetched.wire_bytes(), SIZE as u64, "{name}: no byte came twice");
    }
}

#[tokio::test]
async fn when_all_mirrors_are_slow_it_is_the_line_and_the_download_goes_on() {
    let pair = Pair::new().await;
    for server in &pair.servers {
        server.fail("file", Fault::Drip(297_000, 20), u32::MAX);
    }
    let limits = Limits {
        leave: Duration::from_millis(300),
        ..limits()
    };
    let fetched = pair.fetch(limits).await.unwrap();
    assert!(pair.is_right(&fetched));
    assert_eq!(fetched.wire_bytes(), SIZE as u64);
}

#[tokio::test]
async fn who_refuses_is_asked_once_and_who_lies_gives_no_byte() {
    for (name, fault, total) in [
        ("404", Fault::Status(404), SIZE),
        ("a wrong bit", Fault::Flip, 2 * SIZE),
    ] {
        let pair = Pair::new().await;
        pair.servers[0].fail("file", fault, u32::MAX);
        let fetched = pair.fetch(limits()).await.unwrap();
        assert!(pair.is_right(&fetched), "{name}");
        assert_eq!((pair.ranges(0).len(), pair.ranges(1).len()), (1, 1), "{name}");
        assert_eq!(fetched.wire_bytes(), total as u64, "{name}");
    }
}

#[tokio::test]
async fn what_all_refuse_is_told_and_alerted() {
    let pair = Pair::new().await;
    for server in &pair.servers {
        server.fail("file", Fault::Status(410), u32::MAX);
    }
    let mirrors = Mirrors::open(&pair.route(), limits()).unwrap();
    let fetcher = Fetcher::new(mirrors.clone(), pair.folder.path().join("staging"));
    let error = fetcher.fetch(&pair.pinned, &|_| {}).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServerRefused);
    let alerts = mirrors.take_alerts();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert!(alerts.iter().all(|alert| alert.code == ErrorCode::ServerRefused));
}

#[tokio::test]
async fn a_limit_on_bytes_per_second_is_kept_and_makes_no_mirror_slow() {
    let pair = Pair::new().await;
    let route = Route {
        bytes_per_second: 400_000,
        ..pair.route()
    };
    let limits = Limits {
        leave: Duration::from_millis(300),
        floor: u64::MAX / 2,
        ..limits()
    };
    let mirrors = Mirrors::open(&route, limits).unwrap();
    let begin = std::time::Instant::now();
    let fetched = Fetcher::new(mirrors, pair.folder.path().join("staging"))
        .fetch(&pair.pinned, &|_| {})
        .await
        .unwrap();
    // 300,000 bytes, of which 100,000 may come at once. A busy computer takes longer, none takes less.
    assert!(
        begin.elapsed() >= Duration::from_millis(450),
        "{:?}",
        begin.elapsed()
    );
    assert!(pair.is_right(&fetched));
    assert!(pair.ranges(1).is_empty());
}

/// The kind of a reply, for the tables below.
fn kind(reply: &Reply) -> &'static str {
    match reply {
        Reply::Body { .. } => "body",
        Reply::NotModified => "not modified",
        Reply::Missing => "missing",
    }
}

#[tokio::test]
async fn metadata_comes_from_the_mirror_that_has_it_and_the_next_root_is_missed_by_nobody() {
    let pair = Pair::new().await;
    let repository = Repository::along(pair.route(), limits());
    pair.servers[0].fail("timestamp.json", Fault::Status(404), u32::MAX);
    let reply = repository
        .get("metadata/timestamp.json", 1000, None)
        .await
        .unwrap();
    assert_eq!(kind(&reply), "body");
    assert_eq!(repository.mirrors().unwrap().take_alerts().len(), 1);
    for server in &pair.servers {
        server.forget();
    }
    let root = repository.get("metadata/2.root.json", 1000, None).await.unwrap();
    assert_eq!(kind(&root), "missing");
    let asked = pair.servers[0].seen().len() + pair.servers[1].seen().len();
    assert_eq!(asked, 1, "one is enough, and it is not tried again");
    assert!(repository.mirrors().unwrap().take_alerts().is_empty());
}

#[tokio::test]
async fn a_host_that_failed_four_times_is_left_alone_until_somebody_asks() {
    let pair = Pair::new().await;
    let repository = Repository::new(&pair.servers[0].url(), limits());
    pair.servers[0].fail("timestamp.json", Fault::Status(503), 4);
    let get = || repository.get("metadata/timestamp.json", 1000, None);
    assert_eq!(get().await.unwrap_err().code, ErrorCode::ServerFailed);
    assert_eq!(get().await.unwrap_err().code, ErrorCode::ServerFailed);
    assert_eq!(
        pair.servers[0].seen().len(),
        4,
        "three tries, and the one that opened the breaker"
    );
    assert_eq!(get().await.unwrap_err().code, ErrorCode::ServerFailed);
    assert_eq!(pair.servers[0].seen().len(), 4, "nothing is asked");
    repository.mirrors().unwrap().refresh();
    assert_eq!(kind(&get().await.unwrap()), "body");
}

#[tokio::test]
async fn a_page_in_place_of_metadata_is_a_network_that_wants_its_user_to_sign_in() {
    let pair = Pair::new().await;
    let page = b"<!DOCTYPE html><html>Sign in</html>".to_vec();
    for server in &pair.servers {
        server.fail("timestamp.json", Fault::Replaced(page.clone()), u32::MAX);
    }
    let repository = Repository::along(pair.route(), limits());
    let error = repository
        .get("metadata/timestamp.json", 1000, None)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::CaptivePortal, "{error:?}");
    let alerts = repository.mirrors().unwrap().take_alerts();
    assert!(alerts.is_empty(), "that is the network's doing: {alerts:?}");
    assert_eq!(pair.servers[0].seen().len(), 1, "another try would end the same");
}
