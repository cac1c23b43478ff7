//! New versions that fail in other ways than by a crash of the machine: the real launcher starts real
//! processes that do what a script says.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use moult_boot::launcher::Deadlines;
use moult_boot::{Base, BootState, Store, Why};
use moult_model::{Digest, Version};
use serde_json::{Value, json};

use crate::ground::{Ground, Life, Place};
use crate::share::Report;

/// Injected deadlines in milliseconds: long enough for a loaded computer to start a process.
const SHORT: &str = "paint=1500,heartbeat=1500,end=300,trial_end=300";
/// A bad version is gone after this time with the usual deadlines, in seconds, and after so many starts.
const LIMIT: (u64, usize) = (60, 3);

/// What becomes of a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Given up and never tried again; the old one runs.
    Banned(Why),
    /// It was confirmed, fails later, and the one before runs; nothing is banned, since it may be the
    /// machine's fault.
    SteppedOver,
    /// Still on trial, with so many tries.
    OnTrial(u8),
    /// Confirmed.
    Confirmed,
}

impl End {
    fn words(self) -> String {
        match self {
            Self::Banned(Why::Crashed { code }) => {
                format!("given up and banned (crashed, {code}); the old one runs")
            }
            Self::Banned(why) => format!("given up and banned ({why:?}); the old one runs").to_lowercase(),
            Self::SteppedOver => "the one before runs; nothing is banned".to_owned(),
            Self::OnTrial(tries) => format!("still on trial, {tries} tries left; nothing is banned"),
            Self::Confirmed => "confirmed".to_owned(),
        }
    }
}

/// One row of the table.
struct Case {
    what: &'static str,
    script: &'static str,
    /// How often the user starts Moult.
    by_hand: usize,
    /// The starts of the new version.
    starts: usize,
    end: End,
    /// Whether the starts are ones that a bad version has.
    is_bad: bool,
}

impl Case {
    /// The starts that went wrong: each but the last that its user asked for ended well.
    fn bad_starts(&self) -> usize {
        self.starts - (self.by_hand - 1)
    }
}

const CRASHED: End = End::Banned(Why::Crashed { code: 134 });

const CASES: [Case; 10] = [
    Case {
        what: "crashes at once",
        script: "crash",
        by_hand: 1,
        starts: 3,
        end: CRASHED,
        is_bad: true,
    },
    Case {
        what: "crashes after its window is up",
        script: "paint,crash",
        by_hand: 1,
        starts: 3,
        end: CRASHED,
        is_bad: true,
    },
    Case {
        what: "hangs",
        script: "hang",
        by_hand: 1,
        starts: 3,
        end: End::Banned(Why::Hung),
        is_bad: true,
    },
    Case {
        what: "hangs and does not end when it is asked to",
        script: "hang-hard",
        by_hand: 1,
        starts: 3,
        end: End::Banned(Why::Hung),
        is_bad: true,
    },
    Case {
        what: "ends with code 0 before its window is up",
        script: "exit:0",
        by_hand: 1,
        starts: 3,
        end: End::Banned(Why::ExitedEarly),
        is_bad: true,
    },
    Case {
        what: "says that it was confirmed, and was not",
        script: "paint,claim-confirmed,crash",
        by_hand: 1,
        starts: 3,
        end: CRASHED,
        is_bad: true,
    },
    Case {
        what: "crashes only from its second start on",
        script: "paint,quit:user|crash",
        by_hand: 2,
        starts: 4,
        end: CRASHED,
        is_bad: true,
    },
    Case {
        what: "is ended by its user four times before it confirms",
        script: "paint,quit:user",
        by_hand: 4,
        starts: 4,
        end: End::OnTrial(3),
        is_bad: false,
    },
    Case {
        what: "is ended by a logout four times before it confirms",
        script: "paint,quit:session",
        by_hand: 4,
        starts: 4,
        end: End::OnTrial(3),
        is_bad: false,
    },
    Case {
        what: "is fine",
        script: "paint,confirm,quit:user",
        by_hand: 2,
        starts: 2,
        end: End::Confirmed,
        is_bad: false,
    },
];

/// Puts a version that does what the script says on trial.
fn put_on_trial(place: &Place, script: &str) -> anyhow::Result<()> {
    let store = store(place)?;
    let version = Version::new(1, 1, 0);
    let mut bytes = fs::read(place.install().join("moult-app"))?;
    bytes.extend(format!("\n{version} MOULT-CHILD:{script}").into_bytes());
    let file = store.staging().join("new");
    fs::write(&file, &bytes)?;
    let slot = store.install(&file, &version, Digest::of(&bytes))?;
    Ok(store.begin_trial(&slot)?)
}

fn store(place: &Place) -> anyhow::Result<Store> {
    let install = place.install();
    Ok(Store::open(&install.join("data"), Base::from_install(&install)?)?)
}

/// Starts the launcher as a user does, and waits for its end. Standard error is in what it returns.
fn launch(place: &Place) -> anyhow::Result<String> {
    let output = Command::new(place.install().join("moult"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("MOULT_DATA", place.install().join("data"))
        .env("MOULT_AUTOMATION", "1")
        .env("MOULT_LAUNCHER_DEADLINES_MS", SHORT)
        .stdin(Stdio::null())
        .output()
        .context("the launcher could not be started")?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// How often each slot was started.
fn starts(place: &Place) -> anyhow::Result<BTreeMap<String, usize>> {
    let journal = fs::read_to_string(place.install().join("data/journal"))?;
    let mut starts = BTreeMap::new();
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line.get("started").is_some() {
            *starts
                .entry(line["slot"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    Ok(starts)
}

fn end(state: &BootState) -> anyhow::Result<End> {
    let new = state
        .slots
        .iter()
        .find(|slot| slot.version == Version::new(1, 1, 0));
    if let Some(ban) = state.banned.first() {
        ensure!(
            new.is_none() && state.trial.is_none(),
            "banned, and still listed or on trial"
        );
        return Ok(End::Banned(ban.why));
    }
    let new = new.context("the new version is gone, and nothing is banned")?;
    if state
        .fallback
        .as_ref()
        .is_some_and(|fallback| fallback.failed.contains(&new.name))
    {
        return Ok(End::SteppedOver);
    }
    if let Some(trial) = &state.trial {
        return Ok(End::OnTrial(trial.tries_left));
    }
    ensure!(state.current == new.name, "neither on trial nor current");
    Ok(End::Confirmed)
}

/// What a bad version takes at most: each start hangs as long as it may.
fn seconds(case: &Case) -> Option<u64> {
    let usual = Deadlines::default();
    let each = match case.end {
        End::Banned(Why::Hung) => usual.paint + usual.trial_end,
        _ => std::time::Duration::ZERO,
    };
    case.is_bad.then(|| each.as_secs() * case.bad_starts() as u64)
}

#[test]
fn each_ends_as_it_must_within_three_starts_and_a_minute() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("trials");
    let mut rows = Vec::new();
    for case in &CASES {
        let place = ground.fresh(Life::Good)?;
        put_on_trial(&place, case.script)?;
        let mut words = String::new();
        for _ in 0..case.by_hand {
            words.push_str(&launch(&place)?);
        }
        let all = starts(&place)?;
        let of_new: usize = all
            .iter()
            .filter(|(slot, _)| *slot != "base")
            .map(|(_, count)| count)
            .sum();
        let found = end(&store(&place)?.state()?)?;
        if (of_new, found) != (case.starts, case.end) {
            report.fail(format!("{}: {of_new} starts, {found:?}: {words}", case.what));
        }
        let is_over = matches!(case.end, End::Banned(_) | End::SteppedOver);
        if is_over && all.get("base").copied() != Some(1) {
            report.fail(format!(
                "{}: the old version was started {:?} times",
                case.what,
                all.get("base")
            ));
        }
        let seconds = seconds(case);
        if case.is_bad && (case.bad_starts() > LIMIT.1 || seconds.is_none_or(|seconds| seconds > LIMIT.0)) {
            report.fail(format!(
                "{}: {of_new} starts and {seconds:?} s are too much",
                case.what
            ));
        }
        rows.push(json!({
            "what": case.what, "starts": case.starts, "end": case.end.words(), "seconds": seconds,
        }));
        place.remove()?;
    }
    for case in with_the_engine(&ground)? {
        let (what, starts, found, expected) = case;
        if found != expected || starts > LIMIT.1 {
            report.fail(format!("{what}: {starts} starts, {found:?}"));
        }
        rows.push(json!({ "what": what, "starts": starts, "end": found.words(), "seconds": 0 }));
    }
    report.note("cases", rows.len());
    report.note("rows", rows);
    report.end()
}

/// The cases in which the updater itself plays a part: the real engine, in the hands of the launcher's own
/// code. What it was, its starts, how it ended, how it must end.
fn with_the_engine(ground: &Ground) -> anyhow::Result<Vec<(&'static str, usize, End, End)>> {
    let nowhere = ground.folder()?;
    let broken = End::Banned(Why::Crashed { code: 78 });
    let mut cases = Vec::new();
    for (what, life, by_hand, expected) in [
        (
            "is offline for three starts: its user ends two, the third lasts; no file of the repository can be had",
            Life::Good,
            2,
            End::Confirmed,
        ),
        ("has broken its own updater", Life::BrokenUpdater, 0, broken),
    ] {
        let place = ground.fresh(life)?;
        put_on_trial(&place, "paint,quit:user")?;
        for _ in 0..by_hand {
            launch(&place)?;
        }
        // Whatever the update comes to, what counts is how the trial ends.
        Ground::update_from(&place, &nowhere)?;
        let log = fs::read_to_string(place.install().join("data/log/launcher.log"))?;
        let starts = log
            .lines()
            .filter(|line| line.contains(r#""event":"started""#) && line.contains(r#""on_trial":true"#))
            .count();
        cases.push((what, starts, end(&store(&place)?.state()?)?, expected));
        place.remove()?;
    }
    Ok(cases)
}
