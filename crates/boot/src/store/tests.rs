//! The store on a real disk.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::fs;

use super::*;

pub(super) struct Fixture {
    folder: tempfile::TempDir,
    pub(super) store: Store,
}

pub(super) fn digest(version: &str) -> Digest {
    Digest::of(version.as_bytes())
}

pub(super) fn name(version: &str) -> SlotName {
    SlotName::of(&version.parse().unwrap(), &digest(version))
}

pub(super) fn token() -> StartToken {
    StartToken::of([1; 16])
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000)
}

/// A packaged executable whose bytes are its version.
pub(super) fn base(folder: &Path, version: &str) -> Base {
    let executable = folder.join("base");
    fs::write(&executable, version).unwrap();
    Base {
        executable,
        version: version.parse().unwrap(),
        digest: digest(version),
    }
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data"), base(folder.path(), "1.0.0")).unwrap();
        Self { folder, store }
    }

    fn reopen(&mut self, base_version: &str) {
        let base = base(self.folder.path(), base_version);
        self.store = Store::open(&self.folder.path().join("data"), base).unwrap();
    }

    fn make_current(&self, version: &str) {
        install(&self.store, version).unwrap();
        self.store.begin_trial(&name(version)).unwrap();
        self.store.confirm(&name(version), None).unwrap();
    }

    fn starts(&self) -> (SlotName, bool) {
        let start = self.store.start(now(), &token()).unwrap();
        (start.slot, start.on_trial)
    }
}

pub(super) fn install(store: &Store, version: &str) -> Result<SlotName, BootError> {
    let file = store.staging().join("incoming");
    fs::write(&file, version).unwrap();
    store.install(&file, &version.parse().unwrap(), digest(version))
}

#[test]
fn an_update_is_installed_tried_confirmed_and_started() {
    let fixture = Fixture::new();
    assert_eq!(fixture.starts(), (SlotName::base(), false));
    let slot = install(&fixture.store, "1.1.0").unwrap();
    assert_eq!(slot.as_str(), format!("1.1.0-{}", digest("1.1.0").short()));
    assert_eq!(fs::read(fixture.store.executable(&slot)).unwrap(), b"1.1.0");
    assert_eq!(
        fixture.starts(),
        (SlotName::base(), false),
        "what is installed is not tried by itself"
    );
    fixture.store.begin_trial(&slot).unwrap();
    assert_eq!(fixture.starts(), (slot.clone(), true));
    assert_eq!(
        fixture.store.state().unwrap().trial.unwrap().tries_left,
        2,
        "lowered before the start"
    );
    fixture.store.confirm(&slot, None).unwrap();
    assert_eq!(fixture.starts(), (slot, false));
    assert_eq!(fixture.store.state().unwrap().previous, Some(SlotName::base()));
}

#[test]
fn what_was_not_announced_is_not_installed() {
    let fixture = Fixture::new();
    let file = fixture.store.staging().join("incoming");
    fs::write(&file, "1.1.1").unwrap();
    let refused = fixture
        .store
        .install(&file, &"1.1.0".parse().unwrap(), digest("1.1.0"));
    assert!(matches!(refused, Err(BootError::DigestMismatch { .. })));
    assert_eq!(fixture.store.state().unwrap().slots.len(), 1);
}

#[test]
fn what_is_installed_already_keeps_its_slot() {
    let fixture = Fixture::new();
    let slot = install(&fixture.store, "1.1.0").unwrap();
    assert_eq!(install(&fixture.store, "1.1.0").unwrap(), slot);
    assert_eq!(install(&fixture.store, "1.0.0").unwrap(), SlotName::base());
    fs::write(fixture.store.executable(&slot), "1.1.x").unwrap();
    assert!(!fixture.store.is_intact(&slot).unwrap());
    assert_eq!(
        install(&fixture.store, "1.1.0").unwrap(),
        slot,
        "a damaged file is replaced"
    );
    assert!(fixture.store.is_intact(&slot).unwrap());
}

#[test]
fn a_digest_that_failed_is_refused_everywhere() {
    let fixture = Fixture::new();
    let slot = install(&fixture.store, "1.1.0").unwrap();
    fixture.store.begin_trial(&slot).unwrap();
    for _ in 0..3 {
        assert_eq!(fixture.starts(), (slot.clone(), true));
        fixture
            .store
            .trial_failed(&slot, Why::Crashed { code: 139 }, now())
            .unwrap();
    }
    assert_eq!(fixture.starts(), (SlotName::base(), false));
    assert!(fixture.store.is_banned(&digest("1.1.0")).unwrap());
    let rollback = fixture.store.state().unwrap().last_rollback.unwrap();
    assert_eq!((rollback.at, rollback.why), (1_000, Why::Crashed { code: 139 }));
    assert!(matches!(
        install(&fixture.store, "1.1.0"),
        Err(BootError::Banned { .. })
    ));
    assert!(matches!(
        fixture.store.begin_trial(&slot),
        Err(BootError::NotInstalled { .. })
    ));
    fixture.store.lift_ban(&digest("1.1.0")).unwrap();
    install(&fixture.store, "1.1.0").unwrap();
}

#[test]
fn a_newer_package_takes_over() {
    let mut fixture = Fixture::new();
    fixture.make_current("1.1.0");
    for (package, starts) in [("1.0.1", name("1.1.0")), ("1.2.0", SlotName::base())] {
        fixture.reopen(package);
        assert_eq!(fixture.starts(), (starts, false), "{package}");
    }
    fixture.store.go_back().unwrap();
    fixture.reopen("1.2.0");
    assert_eq!(
        fixture.starts(),
        (name("1.1.0"), false),
        "the user went back from it"
    );
    // It can't be read for a moment.
    let folder = fixture.folder.path();
    let (missing, problem) = Base::from_install_or_missing(&folder.join("nowhere"));
    assert!(matches!(problem, Some(BootError::Base { .. })));
    let state = fixture.store.state().unwrap();
    let again = Store::open(&folder.join("data"), missing).unwrap();
    assert_eq!(again.state().unwrap(), state);
    fixture.reopen("1.2.0");
    assert_eq!(fixture.starts(), (name("1.1.0"), false), "it is no new package");
}

#[cfg(unix)]
#[test]
fn a_slot_that_is_missing_or_open_to_others_gives_way() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let mode = |path: PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let table: [(&str, &dyn Fn(PathBuf)); 6] = [
        ("the file is missing", &|file| fs::remove_file(file).unwrap()),
        ("the folder is missing", &|file| {
            fs::remove_dir_all(file.parent().unwrap()).unwrap();
        }),
        ("its group may write it", &|file| mode(file, 0o775)),
        ("all may write it", &|file| mode(file, 0o757)),
        ("all may write its folder", &|file| {
            mode(file.parent().unwrap().to_owned(), 0o777);
        }),
        ("it is a link", &|file| {
            fs::rename(&file, file.with_extension("real")).unwrap();
            symlink(file.with_extension("real"), file).unwrap();
        }),
    ];
    for (what, spoil) in table {
        let fixture = Fixture::new();
        fixture.make_current("1.1.0");
        fixture.make_current("1.2.0");
        install(&fixture.store, "1.3.0").unwrap();
        fixture.store.begin_trial(&name("1.3.0")).unwrap();
        for (spoilt, next) in [
            ("1.3.0", name("1.2.0")),
            ("1.2.0", name("1.1.0")),
            ("1.1.0", SlotName::base()),
        ] {
            spoil(fixture.store.executable(&name(spoilt)));
            assert_eq!(fixture.starts(), (next, false), "{what}: {spoilt}");
        }
        let state = fixture.store.state().unwrap();
        assert!(state.banned.is_empty(), "{what}");
        install(&fixture.store, "1.2.0").unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_data_folder_that_others_can_write_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    fs::create_dir_all(root.join("versions")).unwrap();
    for path in [root.clone(), root.join("versions")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    Store::open(&root, base(folder.path(), "1.0.0")).unwrap();
    for name in ["", "versions", "bundles", "staging", "run", "log"] {
        let mode = fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{name}");
    }
}

#[test]
fn bad_bytes_in_the_state_never_keep_the_application_from_starting() {
    let mut fixture = Fixture::new();
    fixture.make_current("1.1.0");
    fixture.make_current("1.2.0");
    let copies = ["state.a", "state.b"].map(|copy| fixture.store.root().join(copy));
    let originals = copies.clone().map(|copy| fs::read(copy).unwrap());
    for (broken, starts) in [
        (vec![0], None),
        (vec![1], None),
        (vec![0, 1], Some(SlotName::base())),
    ] {
        for (copy, bytes) in copies.iter().zip(&originals) {
            fs::write(copy, bytes).unwrap();
        }
        for index in &broken {
            let mut bytes = originals[*index].clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&copies[*index], bytes).unwrap();
        }
        fixture.reopen("1.0.0");
        assert_eq!(fixture.store.recovered(), starts.is_some(), "{broken:?}");
        let (slot, _) = fixture.starts();
        // With one copy left it may be the one before the last write, whose slots are all there.
        assert!(fixture.store.executable(&slot).exists());
        assert!(starts.is_none_or(|starts| starts == slot), "{broken:?}");
        install(&fixture.store, "1.3.0").unwrap();
    }
}

#[test]
fn cleaning_up_keeps_what_may_start_and_what_runs() {
    let fixture = Fixture::new();
    for version in ["1.1.0", "1.2.0", "1.3.0", "1.4.0"] {
        fixture.make_current(version);
    }
    install(&fixture.store, "1.5.0").unwrap();
    install(&fixture.store, "1.6.0").unwrap();
    fixture.store.begin_trial(&name("1.5.0")).unwrap();
    fs::create_dir(fixture.store.root().join("versions/left-over")).unwrap();
    let runs = fixture.store.hold(&name("1.1.0")).unwrap();
    let kept = |versions: &[&str]| {
        let all = ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0"];
        for version in all {
            let there = fixture.store.executable(&name(version)).exists();
            let listed = fixture.store.state().unwrap().slot(&name(version)).is_some();
            assert_eq!(
                (there, listed),
                (versions.contains(&version), versions.contains(&version)),
                "{version}"
            );
        }
    };
    let collected = fixture.store.collect_garbage(1).unwrap();
    assert_eq!(
        collected,
        Collected { removed: 2, bytes: 5 },
        "1.2.0 and the folder that is left over"
    );
    kept(&["1.1.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0"]);
    drop(runs);
    fixture.store.collect_garbage(0).unwrap();
    kept(&["1.3.0", "1.4.0", "1.5.0"]);
    assert_eq!(fixture.store.collect_garbage(0).unwrap(), Collected::default());
    let locks = fs::read_dir(fixture.store.root().join("run")).unwrap().count();
    assert_eq!(locks, 0, "no lock of a deleted slot stays");
}

#[test]
fn two_that_change_the_state_at_once_lose_nothing() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..5 {
                    let version = format!("1.{thread}.{}", number + 1);
                    let file = store.staging().join(&version);
                    fs::write(&file, &version).unwrap();
                    store
                        .install(&file, &version.parse().unwrap(), digest(&version))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(store.state().unwrap().slots.len(), 21);
}

#[test]
fn a_process_that_was_stopped_with_the_lock_costs_a_change_and_never_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let base = base(folder.path(), "1.0.0");
    let store = Store::open(&root, base.clone()).unwrap();
    let _held = Lock::acquire(&root.join("state.lock")).unwrap();
    // It waits for its turn, and no longer than it may.
    let waits = Store::open_within(&root, base.clone(), Duration::from_millis(1));
    assert!(
        matches!(&waits, Err(BootError::Busy { path, .. }) if path.ends_with("state.lock")),
        "{waits:?}"
    );
    assert_eq!(store.state().unwrap().current, SlotName::base());
    let reading = Store::open_reading(&root, base);
    assert!(matches!(
        reading.start(now(), &token()),
        Err(BootError::Busy { .. })
    ));
    assert_eq!(reading.state().unwrap().current, SlotName::base());
}

#[test]
fn reading_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let reading = Store::open_reading(&root, base(folder.path(), "1.0.0"));
    assert_eq!(reading.state().unwrap().current, SlotName::base());
    assert!(!root.exists());
}

#[test]
fn what_is_stepped_over_is_neither_banned_nor_replaced() {
    let fixture = Fixture::new();
    fixture.make_current("1.1.0");
    fixture.make_current("1.2.0");
    let step_over = |slot: &SlotName| fixture.store.kept_failing(slot, now()).unwrap();
    for (failed, starts) in [(name("1.2.0"), name("1.1.0")), (name("1.1.0"), SlotName::base())] {
        assert_eq!(step_over(&failed), [Effect::SteppedOver { slot: failed.clone() }]);
        assert_eq!(fixture.starts(), (starts, false));
    }
    let state = fixture.store.state().unwrap();
    assert_eq!(
        (state.current, state.previous),
        (name("1.2.0"), Some(name("1.1.0")))
    );
    assert!(state.banned.is_empty());
    step_over(&SlotName::base());
    let nothing = fixture.store.start(now(), &token());
    assert!(matches!(nothing, Err(BootError::NothingLeft)), "{nothing:?}");
    assert_eq!(
        fixture.starts(),
        (name("1.2.0"), false),
        "then all are tried once more"
    );
}

#[test]
fn beside_a_version_only_another_is_started() {
    let fixture = Fixture::new();
    fixture.make_current("1.1.0");
    let beside = |running: &SlotName| {
        let start = fixture.store.start_beside(running, now(), &token()).unwrap();
        start.map(|start| (start.slot, start.on_trial))
    };
    assert_eq!(beside(&name("1.1.0")), None, "it is the one that is due");
    assert_eq!(beside(&SlotName::base()), Some((name("1.1.0"), false)));
    install(&fixture.store, "1.2.0").unwrap();
    fixture.store.begin_trial(&name("1.2.0")).unwrap();
    for left in [2, 1, 0] {
        assert_eq!(beside(&name("1.1.0")), Some((name("1.2.0"), true)));
        let trial = fixture.store.state().unwrap().trial.unwrap();
        assert_eq!((trial.tries_left, trial.start), (left, Some(token())));
    }
    assert_eq!(beside(&name("1.1.0")), None, "it has no tries left");
    assert_eq!(fixture.store.state().unwrap().trial, None);
}

#[test]
fn only_the_last_start_of_a_trial_confirms_it() {
    let fixture = Fixture::new();
    let slot = install(&fixture.store, "1.1.0").unwrap();
    fixture.store.begin_trial(&slot).unwrap();
    let [first, second] = [[1; 16], [2; 16]].map(StartToken::of);
    fixture.store.start(now(), &first).unwrap();
    fixture.store.start(now(), &second).unwrap();
    let late = fixture.store.confirm(&slot, Some(&first));
    assert!(matches!(late, Err(BootError::StaleStart { .. })), "{late:?}");
    fixture.store.confirm(&slot, Some(&second)).unwrap();
    fixture.store.confirm(&slot, Some(&first)).unwrap();
    assert_eq!(
        fixture.store.state().unwrap().current,
        slot,
        "it is current already"
    );
}

#[test]
fn staging_is_kept_within_bounds_by_age() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging().to_owned();
    for (name, age) in [("b", 4), ("a", 4), ("new", 1), ("kept", 9), ("newest", 0)] {
        let file = fs::File::create(staging.join(name)).unwrap();
        file.set_len(100).unwrap();
        file.set_modified(now() - Duration::from_secs(age)).unwrap();
    }
    let left = || {
        let mut names: Vec<_> = fs::read_dir(&staging)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names.join(" ")
    };
    let table = [
        (500, 0, "a b kept new newest"),
        (499, 100, "b kept new newest"),
        (300, 100, "kept new newest"),
        (100, 200, "kept"),
        (0, 0, "kept"),
    ];
    for (limit, bytes, names) in table {
        let collected = fixture.store.bound_staging(limit, &["kept"]).unwrap();
        assert_eq!((collected.bytes, left().as_str()), (bytes, names), "{limit}");
    }
}

#[test]
fn the_web_data_of_a_slot_goes_with_it() {
    let fixture = Fixture::new();
    fixture.make_current("1.1.0");
    fixture.make_current("1.2.0");
    fixture.make_current("1.3.0");
    let web = fixture.store.root().join("web");
    let gone_before = name("0.9.0");
    let all = [
        &name("1.1.0"),
        &name("1.2.0"),
        &name("1.3.0"),
        &gone_before,
        &SlotName::base(),
    ];
    for slot in all.map(SlotName::as_str).into_iter().chain(["something else"]) {
        fs::create_dir_all(web.join(slot).join("cache/deep")).unwrap();
        fs::write(web.join(slot).join("cache/deep/file"), "data").unwrap();
    }
    fs::create_dir_all(web.join("1.0.0-in-use")).unwrap();
    let held = fixture.store.hold(&"1.0.0-in-use".parse().unwrap()).unwrap();
    fixture.store.collect_garbage(0).unwrap();
    let left = |slot: &str| web.join(slot).exists();
    assert!(!left(name("1.1.0").as_str()) && !left(gone_before.as_str()));
    for kept in [name("1.2.0"), name("1.3.0"), SlotName::base()] {
        assert!(left(kept.as_str()), "{kept}");
    }
    assert!(left("something else") && left("1.0.0-in-use"));
    drop(held);
    fixture.store.collect_garbage(0).unwrap();
    assert!(!left("1.0.0-in-use"));
}
