//! Downloads from servers that do everything wrong: cut, drip, lie, loop, refuse, and mirrors of all kinds in
//! mixtures, with the fetcher killed in between. Each download ends with the right bytes or with the error of what
//! was done to it; no wrong byte is ever handed out; nothing is fetched twice beyond what a kill may cost.
//!
//! Without more ado a seeded share is done; with `MOULT_DOWNLOADS=all` ten thousand. The figures go to
//! `downloads/report.json` in the target folder, from which `cargo xtask faults downloads` makes docs/downloads.md.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fault;
mod judge;
mod plan;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use moult_model::Digest;
use moult_update::UpdateError;
use moult_update::fetch::{BreakerPolicy, Fetched, Fetcher, Limits, Mirrors, Pinned, Route};

use judge::Judge;
use plan::{Mirror, Plan};
use server::{Download, Farm};

/// How many without more ado, and how many at the most.
const SHARE: usize = 400;
const ALL: usize = 10_000;
/// So many at once.
const AT_ONCE: usize = 48;
/// Longer than any download may take, whatever is done to it.
const FOR_EVER: Duration = Duration::from_mins(2);

/// Short waits, in the proportions of the usual ones.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(1500),
        leave: Duration::from_millis(700),
        pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(20),
        longest_wait: Duration::from_millis(1500),
        breaker: BreakerPolicy {
            rest: Duration::from_millis(50),
            ..BreakerPolicy::default()
        },
        beat: Some(Duration::from_millis(20)),
        ..Limits::default()
    }
}

fn count() -> usize {
    match std::env::var("MOULT_DOWNLOADS").unwrap_or_default().as_str() {
        "all" => ALL,
        text => text.parse().unwrap_or(SHARE),
    }
}

/// How a life of the fetcher ended.
enum Life {
    Ended(Result<Fetched, UpdateError>),
    /// It was killed.
    Killed,
}

/// One life of the fetcher, as after a start: nothing is known but what is on the disk.
async fn live(farm: &Farm, plan: &Plan, download: &Arc<Download>, staging: PathBuf, heal: bool) -> Life {
    let mut addresses: Vec<String> = plan.mirrors.iter().map(|mirror| farm.address(mirror)).collect();
    if heal {
        addresses.push(farm.address(&Mirror::Server(0)));
    }
    let route = Route {
        mirrors: addresses.split_off(1),
        ..Route::to(&addresses[0])
    };
    let pinned = Pinned {
        path: format!("files/{}", plan.seed),
        digest: download.digest,
        size: plan.size as u64,
    };
    let there = download.clone();
    let fetching = tokio::spawn(async move {
        let mirrors = Mirrors::open(&route, limits()).unwrap();
        let fetcher = Fetcher::new(mirrors, staging);
        fetcher.fetch(&pinned, &|bytes| there.is_there(bytes)).await
    });
    let stop = fetching.abort_handle();
    tokio::select! {
        ended = fetching => Life::Ended(ended.unwrap()),
        () = download.kill.notified() => {
            stop.abort();
            // What was being written at the kill is written: a kill of the whole process leaves less to chance.
            tokio::time::sleep(Duration::from_millis(40)).await;
            Life::Killed
        }
        () = tokio::time::sleep(FOR_EVER) => panic!("download {} never ended: {plan:?}", plan.seed),
    }
}

/// Does to one download what its plan says, until the fetcher comes to an end by itself, and judges that. If it
/// failed, the servers are healed, and it must come to a good end.
async fn carry_out(farm: &Farm, plan: Plan, staging: PathBuf, judge: &Judge) {
    let download = farm.add(&plan);
    tokio::fs::create_dir(&staging).await.unwrap();
    let mut kills = 0;
    let ended = loop {
        match live(farm, &plan, &download, staging.clone(), false).await {
            Life::Ended(ended) => break ended,
            Life::Killed => {
                kills += 1;
                download.forget_served();
            }
        }
    };
    judge.end(&plan, &download, &ended);
    let fetched = if let Ok(fetched) = ended {
        fetched
    } else {
        Farm::heal(&download);
        match live(farm, &plan, &download, staging.clone(), true).await {
            Life::Ended(Ok(fetched)) => fetched,
            Life::Ended(Err(error)) => {
                judge.fail(&plan, &format!("failed from a server in good health: {error:?}"));
                return farm.remove(&plan);
            }
            Life::Killed => {
                judge.fail(&plan, "was killed by a server in good health");
                return farm.remove(&plan);
            }
        }
    };
    let bytes = tokio::fs::read(fetched.path()).await.unwrap();
    if Digest::of(&bytes) != download.digest {
        judge.fail(&plan, "handed out wrong bytes");
    }
    judge.bytes(&plan, &download, kills);
    tokio::fs::remove_file(fetched.path()).await.unwrap();
    if tokio::fs::remove_dir(&staging).await.is_err() {
        judge.fail(&plan, "left files of nothing");
    }
    farm.remove(&plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_download_ends_right_or_with_its_own_error() {
    let began = Instant::now();
    let farm = Farm::open().await;
    let staging = tempfile::tempdir().unwrap();
    let judge = Judge::default();
    let count = count();
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |number| {
            let plan = Plan::of(number as u64);
            carry_out(&farm, plan, staging.path().join(number.to_string()), &judge)
        })
        .await;
    judge.report(count, began.elapsed());
}
