//! Stores that earlier releases wrote are read for ever, and what this one writes is read by the first.
//!
//! `tests/golden/store/<number>` was written once by the release that began a shape: 1 by the first one, 2 by
//! the one that knows starts by their names and steps over what ends too often. Nobody changes them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::fs;

use super::tests::{digest, install, name, token};
use super::*;
use crate::BundleStore;
use crate::layout::executable_name;

fn golden(shape: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/store")
        .join(shape.to_string())
}

/// A copy that belongs to its user alone, as an installation does.
fn copied(shape: u8) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        platform::make_private(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            // The kept ones are named as on the system that wrote them.
            let target = if entry.file_name() == "moult-app" {
                to.join(executable_name())
            } else {
                to.join(entry.file_name())
            };
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), &target).unwrap();
                platform::make_executable(&target).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&golden(shape), folder.path());
    folder
}

fn open(folder: &Path) -> Store {
    let base = Base::from_install(&folder.join("install")).unwrap();
    Store::open(&folder.join("data"), base).unwrap()
}

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_000)
}

/// 1.1.0 is current, 1.2.0 was banned, 1.3.0 is on trial and crashed once; so it is in each shape.
#[test]
fn the_stores_of_all_releases_are_read_and_go_on() {
    for shape in [1, 2] {
        let folder = copied(shape);
        let store = open(folder.path());
        assert!(!store.recovered(), "shape {shape}");
        let state = store.state().unwrap();
        assert_eq!(state.current, name("1.1.0"), "shape {shape}");
        assert_eq!(state.previous, Some(SlotName::base()), "shape {shape}");
        assert_eq!(state.banned[0].digest, digest("1.2.0"), "shape {shape}");
        let trial = state.trial.clone().unwrap();
        assert_eq!(
            (&trial.slot, trial.tries_left),
            (&name("1.3.0"), 2),
            "shape {shape}"
        );
        assert_eq!(trial.failures[0].why, Why::Crashed { code: 139 }, "shape {shape}");
        assert_eq!(state.last_rollback.unwrap().why, Why::Hung, "shape {shape}");
        assert!(
            state
                .slots
                .iter()
                .all(|slot| store.is_intact(&slot.name).unwrap())
        );

        let start = store.start(at(), &token()).unwrap();
        assert_eq!(
            (start.slot, start.on_trial),
            (name("1.3.0"), true),
            "shape {shape}"
        );
        store.confirm(&name("1.3.0"), Some(&token())).unwrap();
        install(&store, "1.4.0").unwrap();
        store.begin_trial(&name("1.4.0")).unwrap();
        assert_eq!(store.start(at(), &token()).unwrap().slot, name("1.4.0"));

        let bundles = BundleStore::open(&folder.path().join("data")).unwrap();
        let subject = "w/acme/clock".parse().unwrap();
        let slots = bundles.subject(&subject).unwrap();
        assert_eq!(slots.current.unwrap().digest, digest("1.1.0"), "shape {shape}");
        assert_eq!(slots.banned[0].why, Why::ExitedEarly, "shape {shape}");
        bundles.begin_trial(&subject, &digest("1.3.0")).unwrap();
        bundles.confirm(&subject, &digest("1.3.0")).unwrap();
    }
}

/// The state as the first release reads it. It ignores fields that it does not know, but it knows no other
/// `why` than its own, and what it can't read at all makes it start the packaged version.
mod first {
    #![expect(dead_code, reason = "it is read, and that is the test")]

    use moult_model::{Digest, Version};
    use serde::Deserialize;

    use crate::SlotName;

    #[derive(Deserialize)]
    pub(super) struct BootState {
        pub(super) current: SlotName,
        #[serde(default)]
        previous: Option<SlotName>,
        #[serde(default)]
        pub(super) trial: Option<Trial>,
        slots: Vec<Slot>,
        #[serde(default)]
        banned: Vec<Ban>,
        #[serde(default)]
        last_rollback: Option<Rollback>,
    }

    #[derive(Deserialize)]
    struct Slot {
        name: SlotName,
        version: Version,
        digest: Digest,
    }

    #[derive(Deserialize)]
    pub(super) struct Trial {
        slot: SlotName,
        pub(super) tries_left: u8,
        #[serde(default)]
        failures: Vec<Failure>,
    }

    #[derive(Deserialize)]
    struct Failure {
        why: Why,
        at: u64,
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Why {
        Crashed { code: i32 },
        Hung,
        ExitedEarly,
        Unfinished,
    }

    #[derive(Deserialize)]
    struct Ban {
        digest: Digest,
        version: Version,
        why: Why,
    }

    #[derive(Deserialize)]
    struct Rollback {
        from: Version,
        to: Version,
        why: Why,
        at: u64,
    }
}

#[test]
fn what_this_release_writes_is_read_by_the_first() {
    let folder = copied(1);
    let store = open(folder.path());
    let read = || -> first::BootState {
        let state = serde_json::to_value(store.state().unwrap()).unwrap();
        serde_json::from_value(state).unwrap()
    };
    store.start(at(), &token()).unwrap();
    assert_eq!(read().trial.unwrap().tries_left, 1);
    // One that says itself that it is unfit has failed with a code that the first release knows.
    let code = crate::launcher::UNFIT;
    store
        .trial_failed(&name("1.3.0"), Why::Crashed { code }, at())
        .unwrap();
    store.start(at(), &token()).unwrap();
    store
        .trial_failed(&name("1.3.0"), Why::ExitedEarly, at())
        .unwrap();
    assert!(read().trial.is_none());
    store.kept_failing(&name("1.1.0"), at()).unwrap();
    assert_eq!(read().current, name("1.1.0"));
}

/// Writes the store of shape 2. It was run once; another shape gets a life and a number of its own.
#[test]
#[ignore = "writes what is then kept"]
fn write_shape_2() {
    let Some(folder) = std::env::var_os("MOULT_TEST_GOLDEN").map(PathBuf::from) else {
        return;
    };
    let early = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    fs::create_dir_all(folder.join("install")).unwrap();
    fs::write(folder.join("install/moult-app"), "1.0.0").unwrap();
    let label = format!(r#"{{"version":"1.0.0","digest":"{}"}}"#, digest("1.0.0"));
    fs::write(folder.join("install/moult-app.json"), label).unwrap();
    let store = open(&folder);
    let begin = |version: &str| {
        let slot = install(&store, version).unwrap();
        store.begin_trial(&slot).unwrap();
        store.start(early, &token()).unwrap();
        slot
    };
    store.confirm(&begin("1.1.0"), Some(&token())).unwrap();
    let bad = begin("1.2.0");
    for _ in 0..3 {
        store.trial_failed(&bad, Why::Hung, early).unwrap();
        store.start(early, &token()).unwrap();
    }
    let crashed = begin("1.3.0");
    store
        .trial_failed(&crashed, Why::Crashed { code: 139 }, early)
        .unwrap();
    store.kept_failing(&name("1.1.0"), early).unwrap();

    let subject = "w/acme/clock".parse().unwrap();
    let bundles = BundleStore::open(&folder.join("data")).unwrap();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        let file = bundles.staging().join("incoming.bundle");
        fs::write(&file, version).unwrap();
        let found = bundles.install(&file, &subject, &version.parse().unwrap(), digest(version));
        found.unwrap();
        bundles.begin_trial(&subject, &digest(version)).unwrap();
        if version == "1.2.0" {
            bundles.roll_back(&subject, Why::ExitedEarly, true).unwrap();
        } else if version != "1.3.0" {
            bundles.confirm(&subject, &digest(version)).unwrap();
        }
    }
}
