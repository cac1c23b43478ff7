//! Looks at what a death leaves, at each call that changes a file.
//!
//! A child of this test, which is this binary once more, lives a whole life of an installation, and the tree
//! is copied before each call. A process that is killed loses nothing that it has written, so each copy is
//! what a kill right there would leave; every few calls a child is really killed, and has left the same. From
//! each tree something must start, the state must be readable and the next change must work; and so it must
//! from each tree that a second death leaves, during the recovery from the first.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use moult_durable::faults::{self, Action, Plan};

use super::tests::{base, digest, install, name, token};
use super::*;
use crate::bundles::BundleStore;

const FOLDER: &str = "MOULT_TEST_CRASH_FOLDER";
const KILL_AT: &str = "MOULT_TEST_CRASH_KILL_AT";

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("data"), base(folder, "1.0.0")).unwrap()
}

fn whole_life(folder: &Path) {
    let at = SystemTime::UNIX_EPOCH;
    let store = open(folder);
    // An update that is confirmed.
    let good = install(&store, "1.1.0").unwrap();
    store.begin_trial(&good).unwrap();
    store.start(at, &token()).unwrap();
    store.confirm(&good, None).unwrap();
    // One that is quit once, and then fails for good.
    let bad = install(&store, "1.2.0").unwrap();
    store.begin_trial(&bad).unwrap();
    store.start(at, &token()).unwrap();
    store.trial_quit(&bad).unwrap();
    for _ in 0..3 {
        store.start(at, &token()).unwrap();
        store.trial_failed(&bad, Why::Hung, at).unwrap();
    }
    // Two more, a way back, and a clean-up.
    for version in ["1.3.0", "1.4.0"] {
        let slot = install(&store, version).unwrap();
        store.begin_trial(&slot).unwrap();
        store.start(at, &token()).unwrap();
        store.confirm(&slot, None).unwrap();
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
    store.start(at, &token()).unwrap();
    let slot = install(&store, "2.0.0").unwrap();
    if store.state().unwrap().current != slot {
        store.begin_trial(&slot).unwrap();
    }
    store.collect_garbage(0).unwrap();
}

/// Arms a plan for the folder, does something, and tells how many calls there were.
fn watched(folder: &Path, at: u64, action: Action, work: impl FnOnce(&Path)) -> u64 {
    faults::arm(Plan {
        at,
        action,
        log: None,
        root: folder.to_owned(),
    })
    .unwrap();
    work(folder);
    faults::disarm()
}

/// The trees that a life leaves when it ends before one of its calls, or at its end; each once.
fn trees_of(folder: &Path, into: &Path, work: impl FnOnce(&Path)) -> (u64, Vec<PathBuf>) {
    fs::create_dir_all(into).unwrap();
    let snapshots = Action::Snapshot {
        into: into.to_owned(),
    };
    let calls = watched(folder, 0, snapshots, work);
    let mut trees = BTreeMap::new();
    for number in 1..=calls {
        let tree = into.join(number.to_string());
        trees.entry(contents(&tree)).or_insert(tree);
    }
    (calls, trees.into_values().collect())
}

/// What is in a tree: names without the numbers of processes, modes, and bytes.
fn contents(tree: &Path) -> String {
    let mut lines = BTreeSet::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            let shown = path.strip_prefix(tree).unwrap().to_string_lossy().into_owned();
            let shown = match shown.split_once(".moult-new") {
                Some((name, _)) => format!(
                    "{}.moult-new",
                    name.trim_end_matches(|c: char| !c.is_alphabetic())
                ),
                None => shown,
            };
            let digest = data.is_file().then(|| digest_of(&path).unwrap());
            lines.insert(format!("{shown} {} {digest:?}", mode(&data)));
            if data.is_dir() {
                folders.push(path);
            }
        }
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

#[cfg(unix)]
fn mode(data: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(data)
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

/// The whole proof, in a process of its own: a plan counts the calls of a process.
#[test]
#[ignore = "the child of the crash test: it does nothing by itself"]
fn every_tree() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let living = folder.join("life");
    fs::create_dir_all(&living).unwrap();
    let (calls, trees) = trees_of(&living, &folder.join("trees"), whole_life);
    let mut second_trees = BTreeSet::new();
    for tree in &trees {
        let (again, seconds) = (folder.join("again"), folder.join("seconds"));
        copy(tree, &again);
        for second in trees_of(&again, &seconds, recovery).1 {
            // Looked at once, whichever first death it came from.
            if second_trees.insert(contents(&second)) {
                assert_alive(&second, &format!("{}, then {}", tree.display(), second.display()));
            }
        }
        fs::remove_dir_all(&again).unwrap();
        fs::remove_dir_all(&seconds).unwrap();
        copy(tree, &again);
        assert_alive(&again, &tree.display().to_string());
        fs::remove_dir_all(&again).unwrap();
    }
    assert!(
        calls > 200 && trees.len() > 100 && second_trees.len() > 1_000,
        "{calls} calls, {} trees, {} after a second death",
        trees.len(),
        second_trees.len()
    );
    fs::write(folder.join("calls"), calls.to_string()).unwrap();
}

/// A life that is killed at a call.
#[test]
#[ignore = "a child of the crash test: it does nothing by itself"]
fn killed_life() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let at = std::env::var(KILL_AT).unwrap().parse().unwrap();
    watched(&folder, at, Action::Kill, whole_life);
}

fn child(test: &str, folder: &Path, kill_at: u64) -> std::process::Output {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("store::crash_test::{test}"),
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(KILL_AT, kill_at.to_string())
        .output()
        .unwrap()
}

/// In memory where there is such a folder: a process that dies loses nothing that it has written, so
/// nothing is gained by waiting for a disk.
fn fresh_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
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
    let start = store.start(SystemTime::UNIX_EPOCH, &token()).unwrap();
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
    let start = store.start(SystemTime::UNIX_EPOCH, &token()).unwrap();
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
fn after_a_death_at_any_call_something_starts_and_the_next_change_works() {
    let home = fresh_folder();
    let folder = home.path();
    let output = child("every_tree", folder, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");

    // A real kill leaves what the copy holds.
    let calls: u64 = fs::read_to_string(folder.join("calls")).unwrap().parse().unwrap();
    for at in (1..=calls).step_by(23) {
        let killed = fresh_folder();
        let life = killed.path().join("life");
        fs::create_dir_all(&life).unwrap();
        assert!(!child("killed_life", &life, at).status.success(), "call {at}");
        let copied = folder.join("trees").join(at.to_string());
        assert_eq!(contents(&life), contents(&copied), "call {at}");
    }
}
