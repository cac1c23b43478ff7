//! Ends a process at each step that touches the disk, and looks at what it left.
//!
//! The child is this test binary once more. It lives a whole life of an installation and dies at step
//! n; n goes up until the child reaches the end. After each death, and after a second death during
//! the recovery from it, something must start, the state must be readable, and the next change must work.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::tests::{base, digest, install, name};
use super::*;
use crate::bundles::BundleStore;
use crate::steps::counting::survive;

const FOLDER: &str = "MOULT_TEST_CRASH_FOLDER";
const STEPS: &str = "MOULT_TEST_CRASH_STEPS";
const LIFE: &str = "MOULT_TEST_CRASH_LIFE";

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("data"), base(folder, "1.0.0")).unwrap()
}

fn whole_life(folder: &Path) {
    let at = SystemTime::UNIX_EPOCH;
    let store = open(folder);
    // An update that is confirmed.
    let good = install(&store, "1.1.0").unwrap();
    store.begin_trial(&good).unwrap();
    store.start(at).unwrap();
    store.confirm(&good).unwrap();
    // One that is quit once, and then fails for good.
    let bad = install(&store, "1.2.0").unwrap();
    store.begin_trial(&bad).unwrap();
    store.start(at).unwrap();
    store.trial_quit(&bad).unwrap();
    for _ in 0..3 {
        store.start(at).unwrap();
        store.trial_failed(&bad, Why::Hung, at).unwrap();
    }
    // Two more, a way back, and a clean-up.
    for version in ["1.3.0", "1.4.0"] {
        let slot = install(&store, version).unwrap();
        store.begin_trial(&slot).unwrap();
        store.start(at).unwrap();
        store.confirm(&slot).unwrap();
    }
    store.go_back().unwrap();
    store.collect_garbage(1).unwrap();
    store.forbidden(&name("1.3.0")).unwrap();
    store.lift_ban(&digest("1.2.0")).unwrap();

    let subject = "w/acme/clock".parse().unwrap();
    let bundles = BundleStore::open(&folder.join("data")).unwrap();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        let file = bundles.staging().join("incoming.bundle");
        fs::write(&file, version).unwrap();
        bundles
            .install(&file, &subject, &version.parse().unwrap(), digest(version))
            .unwrap();
        bundles.begin_trial(&subject, &digest(version)).unwrap();
        bundles.confirm(&subject, &digest(version)).unwrap();
    }
    bundles.roll_back(&subject, Why::Hung, true).unwrap();
    bundles.collect_garbage(0).unwrap();
}

/// What happens after a death: the launcher starts again, an update comes in, leftovers are cleaned up.
fn recovery(folder: &Path) {
    let at = SystemTime::UNIX_EPOCH;
    let store = open(folder);
    store.start(at).unwrap();
    let slot = install(&store, "2.0.0").unwrap();
    if store.state().unwrap().current != slot {
        store.begin_trial(&slot).unwrap();
    }
    store.collect_garbage(0).unwrap();
}

#[test]
#[ignore = "the child of the crash test: it does nothing by itself"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    survive(std::env::var(STEPS).unwrap().parse().unwrap());
    match std::env::var(LIFE).unwrap().as_str() {
        "whole" => whole_life(&folder),
        _ => recovery(&folder),
    }
}

/// In memory where there is such a folder: a process that dies loses nothing that it has written, so
/// nothing is gained by waiting for a disk.
fn fresh_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Runs a life that ends after so many steps. Tells at which step it ended; `None` if it came to its end.
fn live(life: &str, folder: &Path, steps: usize) -> Option<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::crash_test::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(STEPS, steps.to_string())
        .env(LIFE, life)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        assert!(text.contains("1 passed"), "the child did not run: {text}");
        return None;
    }
    let ended = text
        .split_once("ended at: ")
        .map(|(_, rest)| rest.lines().next().unwrap().to_owned());
    let errors = String::from_utf8_lossy(&output.stderr);
    Some(ended.unwrap_or_else(|| panic!("{life}, {steps} steps: failed on its own\n{text}\n{errors}")))
}

/// Something starts and is whole, every listed slot has its file, and the next change works.
fn assert_alive(folder: &Path, after: &str) {
    let store = open(folder);
    assert!(!store.recovered(), "{after}: the state was lost");
    let state = store.state().unwrap();
    for slot in &state.slots {
        assert!(
            store.is_intact(&slot.name).unwrap(),
            "{after}: {} is listed but not whole",
            slot.name
        );
    }
    let start = store.start(SystemTime::UNIX_EPOCH).unwrap();
    let lost = start
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Dropped { .. }) && state.trial.is_none());
    assert!(!lost, "{after}: a slot was lost: {:?}", start.effects);
    assert!(
        store.is_intact(&start.slot).unwrap(),
        "{after}: {} does not start",
        start.slot
    );
    drop(start);

    let bundles = BundleStore::open(&folder.join("data")).unwrap();
    for slots in bundles.all().unwrap().into_values() {
        for installed in slots.current.iter().chain(&slots.waiting).chain(&slots.earlier) {
            assert!(
                check_digest(&bundles.path(&installed.digest), installed.digest).is_ok(),
                "{after}"
            );
        }
    }

    let slot = install(&store, "3.0.0").unwrap();
    store.begin_trial(&slot).unwrap();
    let start = store.start(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(
        (&start.slot, start.on_trial),
        (&slot, true),
        "{after}: the next update does not start"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn after_a_death_at_any_step_something_starts_and_the_next_change_works() {
    let mut names = BTreeSet::new();
    let mut deaths = 0;
    for steps in 0.. {
        let home = fresh_folder();
        let folder = home.path();
        let Some(ended) = live("whole", folder, steps) else {
            break;
        };
        let after = format!("step {steps}, {ended}");
        for second in 0.. {
            let home_of_second = fresh_folder();
            let again = home_of_second.path();
            copy(folder, again);
            let Some(ended) = live("recovery", again, second) else {
                break;
            };
            deaths += 1;
            assert_alive(
                again,
                &format!("{after}; then step {second} of the recovery, {ended}"),
            );
        }
        assert_alive(folder, &after);
        names.insert(ended);
        deaths += 1;
    }
    let all = [
        "open: folders made",
        "change: before the state is stored",
        "change: state stored",
        "install: permissions set",
        "install: file synced",
        "install: folder made",
        "install: file moved",
        "garbage: before a slot is deleted",
        "garbage: slot deleted",
        "open bundles: folders made",
        "change bundles: before the record is stored",
        "change bundles: record stored",
        "install bundle: file synced",
        "install bundle: file moved",
        "garbage: before a bundle is deleted",
        "garbage: bundle deleted",
    ];
    assert_eq!(
        names.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(all)
    );
    assert!(deaths > 1_000, "{deaths}");
}
