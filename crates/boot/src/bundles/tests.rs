//! The bundle store on a real disk, as tables.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    root: PathBuf,
    store: BundleStore,
    subject: Subject,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        let store = BundleStore::open(&root).unwrap();
        Self {
            _folder: folder,
            root,
            store,
            subject: "w/acme/clock".parse().unwrap(),
        }
    }

    fn install(&self, version: &str) -> Result<PathBuf, BootError> {
        let file = self.store.staging().join(version);
        fs::write(&file, version).unwrap();
        self.store
            .install(&file, &self.subject, &version.parse().unwrap(), digest(version))
    }

    fn make_current(&self, version: &str) {
        self.install(version).unwrap();
        self.store.begin_trial(&self.subject, &digest(version)).unwrap();
        self.store.confirm(&self.subject, &digest(version)).unwrap();
    }

    /// Current, trial, waiting, earlier, banned: versions alone.
    fn seen(&self) -> [Vec<String>; 5] {
        let slots = self.store.subject(&self.subject).unwrap();
        let versions = |list: &[Installed]| list.iter().map(|one| one.version.to_string()).collect();
        [
            versions(slots.current.as_slice()),
            versions(slots.trial.as_slice()),
            versions(&slots.waiting),
            versions(&slots.earlier),
            slots.banned.iter().map(|ban| ban.version.to_string()).collect(),
        ]
    }
}

fn digest(version: &str) -> Digest {
    Digest::of(version.as_bytes())
}

fn expected(parts: [&str; 5]) -> [Vec<String>; 5] {
    parts.map(|part| part.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn a_bundle_is_installed_tried_and_confirmed() {
    let fixture = Fixture::new();
    let path = fixture.install("1.0.0").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"1.0.0");
    assert_eq!(fixture.seen(), expected(["", "", "1.0.0", "", ""]));
    fixture
        .store
        .begin_trial(&fixture.subject, &digest("1.0.0"))
        .unwrap();
    assert_eq!(fixture.seen(), expected(["", "1.0.0", "", "", ""]));
    for _ in 0..2 {
        fixture.store.confirm(&fixture.subject, &digest("1.0.0")).unwrap();
        assert_eq!(fixture.seen(), expected(["1.0.0", "", "", "", ""]));
    }
    fixture.make_current("1.1.0");
    assert_eq!(fixture.seen(), expected(["1.1.0", "", "", "1.0.0", ""]));
}

#[test]
fn bytes_that_are_not_the_announced_ones_are_refused() {
    let fixture = Fixture::new();
    let file = fixture.store.staging().join("x");
    fs::write(&file, "other").unwrap();
    let refused = fixture
        .store
        .install(&file, &fixture.subject, &Version::new(1, 0, 0), digest("1.0.0"));
    assert!(matches!(refused, Err(BootError::DigestMismatch { .. })));
    assert_eq!(fixture.seen(), expected([""; 5]));
}

#[test]
fn a_damaged_file_in_the_store_is_replaced() {
    let fixture = Fixture::new();
    let path = fixture.install("1.0.0").unwrap();
    fs::write(&path, "1.0.1").unwrap();
    assert_eq!(fs::read(fixture.install("1.0.0").unwrap()).unwrap(), b"1.0.0");
}

#[test]
fn giving_up_a_trial_keeps_what_is_current() {
    for (ban, after) in [
        (true, ["1.1.0", "", "", "1.0.0", "1.2.0"]),
        (false, ["1.1.0", "", "1.2.0", "1.0.0", ""]),
    ] {
        let fixture = Fixture::new();
        fixture.make_current("1.0.0");
        fixture.make_current("1.1.0");
        fixture.install("1.2.0").unwrap();
        fixture
            .store
            .begin_trial(&fixture.subject, &digest("1.2.0"))
            .unwrap();
        let stands = fixture.store.roll_back(&fixture.subject, Why::Hung, ban).unwrap();
        assert_eq!(stands.unwrap().version.to_string(), "1.1.0");
        assert_eq!(fixture.seen(), expected(after));
        let again = fixture
            .install("1.2.0")
            .and_then(|_| fixture.store.begin_trial(&fixture.subject, &digest("1.2.0")));
        assert_eq!(matches!(again, Err(BootError::Banned { .. })), ban);
        if ban {
            fixture
                .store
                .lift_ban(&fixture.subject, &digest("1.2.0"))
                .unwrap();
            fixture.install("1.2.0").unwrap();
        }
    }
}

#[test]
fn a_current_bundle_that_fails_gives_way_to_the_one_before() {
    let fixture = Fixture::new();
    fixture.make_current("1.0.0");
    let alone = fixture.store.roll_back(&fixture.subject, Why::Hung, true);
    assert!(matches!(alone, Err(BootError::NothingToGoBackTo)));
    fixture.make_current("1.1.0");
    fixture
        .store
        .roll_back(&fixture.subject, Why::Hung, true)
        .unwrap();
    assert_eq!(fixture.seen(), expected(["1.0.0", "", "", "", "1.1.0"]));
}

#[test]
fn the_user_goes_back_to_any_earlier_version_and_forward_again() {
    let fixture = Fixture::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        fixture.make_current(version);
    }
    let go_back = |version: &str| fixture.store.go_back(&fixture.subject, &version.parse().unwrap());
    assert_eq!(go_back("1.0.0").unwrap().digest, digest("1.0.0"));
    assert_eq!(fixture.seen(), expected(["1.0.0", "", "", "1.2.0 1.1.0", ""]));
    go_back("1.2.0").unwrap();
    assert_eq!(fixture.seen(), expected(["1.2.0", "", "", "1.0.0 1.1.0", ""]));
    assert!(matches!(
        go_back("9.0.0"),
        Err(BootError::BundleVersionNotInstalled { .. })
    ));
}

#[test]
fn a_trial_that_was_left_over_is_dropped_without_a_ban() {
    let fixture = Fixture::new();
    fixture.make_current("1.0.0");
    fixture.install("1.1.0").unwrap();
    fixture
        .store
        .begin_trial(&fixture.subject, &digest("1.1.0"))
        .unwrap();
    // As long as the one that began it lives, a trial is that one's.
    let other = BundleStore::open(&fixture.root).unwrap();
    assert_eq!(fixture.seen(), expected(["1.0.0", "1.1.0", "", "", ""]));
    drop(other);
    let Fixture {
        _folder: folder,
        root,
        store,
        subject,
    } = fixture;
    drop(store);
    let reading = BundleStore::open_reading(&root);
    assert!(reading.subject(&subject).unwrap().trial.is_some());
    let refused = [
        reading.confirm(&subject, &digest("1.1.0")),
        reading.begin_trial(&subject, &digest("1.0.0")),
        reading.remove(&subject),
        reading.collect_garbage(1).map(drop),
    ];
    assert!(
        refused
            .iter()
            .all(|one| matches!(one, Err(BootError::ReadingOnly))),
        "{refused:?}"
    );
    let fixture = Fixture {
        store: BundleStore::open(&root).unwrap(),
        _folder: folder,
        root,
        subject,
    };
    assert_eq!(fixture.seen(), expected(["1.0.0", "", "1.1.0", "", ""]));
}

#[test]
fn a_trial_of_an_earlier_version_loses_nothing() {
    let fixture = Fixture::new();
    fixture.make_current("1.0.0");
    fixture.make_current("1.1.0");
    fixture
        .store
        .begin_trial(&fixture.subject, &digest("1.0.0"))
        .unwrap();
    assert_eq!(fixture.seen(), expected(["1.1.0", "1.0.0", "", "1.0.0", ""]));
    fixture.store.confirm(&fixture.subject, &digest("1.0.0")).unwrap();
    assert_eq!(fixture.seen(), expected(["1.0.0", "", "", "1.1.0", ""]));
}

#[test]
fn cleaning_up_keeps_what_is_listed_and_what_another_subject_needs() {
    let fixture = Fixture::new();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        fixture.make_current(version);
    }
    let file = fixture.store.staging().join("shared");
    fs::write(&file, "1.0.0").unwrap();
    fixture
        .store
        .install(&file, &Subject::Shell, &Version::new(1, 0, 0), digest("1.0.0"))
        .unwrap();
    fs::write(fixture.root.join("bundles/unlisted.bundle"), "12345").unwrap();
    let collected = fixture.store.collect_garbage(1).unwrap();
    assert_eq!(
        collected,
        Collected {
            removed: 2,
            bytes: 10
        },
        "1.1.0 and the unlisted one"
    );
    assert_eq!(fixture.seen(), expected(["1.3.0", "", "", "1.2.0", ""]));
    for (version, kept) in [
        ("1.0.0", true),
        ("1.1.0", false),
        ("1.2.0", true),
        ("1.3.0", true),
    ] {
        assert_eq!(fixture.store.path(&digest(version)).exists(), kept, "{version}");
    }
    fixture.store.remove(&fixture.subject).unwrap();
    assert_eq!(fixture.store.collect_garbage(1).unwrap().removed, 2);
    assert_eq!(
        fixture.store.all().unwrap().into_keys().collect::<Vec<_>>(),
        [Subject::Shell]
    );
}

#[test]
fn a_bad_byte_in_both_copies_of_the_record_costs_the_list_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.make_current("1.0.0");
    fixture.make_current("1.1.0");
    for copy in ["bundles/state.a", "bundles/state.b"] {
        fs::write(fixture.root.join(copy), "torn").unwrap();
    }
    let store = BundleStore::open(&fixture.root).unwrap();
    assert!(store.all().unwrap().is_empty());
    fixture.make_current("1.1.0");
    assert_eq!(fixture.seen(), expected(["1.1.0", "", "", "", ""]));
}
