//! A program that is replaced, and what each death on the way leaves.
#![expect(clippy::unwrap_used, reason = "a test that can't set up its world has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moult_durable::faults::{Action, Plan, arm, disarm, passed};

use super::*;
use crate::layout::executable_name;
use crate::{Base, SlotName};

const OLD: &[u8] = b"#!/bin/sh\nexit 7\n";

/// A program that passes its test, and says which one it is.
fn program(word: &str) -> Vec<u8> {
    format!("#!/bin/sh\n# {word}\necho '{{\"program\":\"{word}\",\"protocol\":2}}'\n").into_bytes()
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder };
        fs::create_dir(world.install()).unwrap();
        world.put("moult", OLD);
        world.put("moult-rescue", OLD);
        world.put(&executable_name(), b"app");
        fs::write(world.install().join("moult-app.json"), r#"{"version":"1.0.0"}"#).unwrap();
        world
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.install().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn install(&self) -> PathBuf {
        self.folder.path().join("install")
    }

    fn settle(&self, launcher: &[u8], version: &str, start: u8) -> Result<Vec<Stage>, BootError> {
        settle_in(self.folder.path(), launcher, version, start, true)
    }

    /// A start in which the system can't start programs.
    fn settle_while_busy(&self, launcher: &[u8], start: u8) -> Vec<Stage> {
        let busy = |_: &Path, _: &str, _: &Path| Tested::NotNow;
        settle_by(self.folder.path(), launcher, "1.1.0", start, true, &busy).unwrap()
    }
}

/// A start of the application that carries this launcher, in a folder with `install` and `data`.
fn settle_in(
    root: &Path,
    launcher: &[u8],
    version: &str,
    start: u8,
    own: bool,
) -> Result<Vec<Stage>, BootError> {
    settle_by(root, launcher, version, start, own, &probe::run)
}

fn settle_by(
    root: &Path,
    launcher: &[u8],
    version: &str,
    start: u8,
    own: bool,
    probe: &SelfTest<'_>,
) -> Result<Vec<Stage>, BootError> {
    let install = root.join("install");
    let data = root.join("data");
    let store = Store::open(&data, Base::from_install(&install)?)?;
    let right = WriteRight::take(&data, Duration::ZERO)?.unwrap();
    let version = version.parse().unwrap();
    let rescue = program("moult-rescue");
    let embedded = [
        Embedded {
            name: LAUNCHER,
            program: "moult-launcher",
            version: &version,
            bytes: launcher,
        },
        Embedded {
            name: RESCUE,
            program: "moult-rescue",
            version: &version,
            bytes: &rescue,
        },
    ];
    let start = StartToken::of([start; 16]);
    let settled = settle_with(&store, &right, &install, &embedded, &start, own, probe)?;
    Ok(settled.into_iter().map(|one| one.stage).collect())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn one_in_a_start_and_only_after_a_start_that_was_confirmed_already() {
    use Stage::{Replaced, Settled, Waiting};
    let world = World::new();
    let launcher = program("moult-launcher");
    let table = [
        (1, [Waiting, Waiting]),
        (1, [Waiting, Waiting]),
        (2, [Replaced, Waiting]),
        (3, [Settled, Replaced]),
        (4, [Settled, Settled]),
    ];
    for (start, stages) in table {
        assert_eq!(
            world.settle(&launcher, "1.1.0", start).unwrap(),
            stages,
            "start {start}"
        );
    }
    let install = world.install();
    assert_eq!(fs::read(install.join("moult")).unwrap(), launcher);
    assert_eq!(
        fs::read(install.join("moult.previous")).unwrap(),
        OLD,
        "the one before is kept"
    );
    assert_eq!(
        fs::metadata(install.join("moult")).unwrap().permissions().mode() & 0o777,
        0o755
    );
    let expected = [
        "moult",
        "moult-app",
        "moult-app.json",
        "moult-rescue",
        "moult-rescue.previous",
        "moult.previous",
    ];
    assert_eq!(names(&install), expected, "nothing is left over");
}

#[test]
fn while_a_version_is_on_trial_nothing_is_replaced() {
    let world = World::new();
    let launcher = program("moult-launcher");
    world.settle(&launcher, "1.1.0", 1).unwrap();
    let data = world.folder.path().join("data");
    let store = Store::open(&data, Base::from_install(&world.install()).unwrap()).unwrap();
    let file = store.staging().join("x");
    fs::write(&file, "new").unwrap();
    let version = "2.0.0".parse().unwrap();
    let slot: SlotName = store.install(&file, &version, Digest::of(b"new")).unwrap();
    store.begin_trial(&slot).unwrap();
    assert_eq!(world.settle(&launcher, "1.1.0", 2).unwrap()[0], Stage::Waiting);
    store.go_back().unwrap();
    // The trial is over; this start is the first that counts.
    assert_eq!(world.settle(&launcher, "1.1.0", 3).unwrap()[0], Stage::Waiting);
    assert_eq!(world.settle(&launcher, "1.1.0", 4).unwrap()[0], Stage::Replaced);
}

#[test]
fn what_fails_its_test_never_takes_the_place_and_is_given_up_after_three_tries() {
    let bad: [(&str, Vec<u8>); 4] = [
        ("it ends badly", b"#!/bin/sh\nexit 1\n".to_vec()),
        ("it is another program", program("something-else")),
        ("it says nothing", b"#!/bin/sh\nexit 0\n".to_vec()),
        ("it is no program", b"\0\0".to_vec()),
    ];
    for (name, bytes) in bad {
        let world = World::new();
        world.settle(&bytes, "1.1.0", 1).unwrap();
        for start in 2..6 {
            assert_eq!(
                world.settle(&bytes, "1.1.0", start).unwrap()[0],
                Stage::Refused,
                "{name}"
            );
            assert_eq!(fs::read(world.install().join("moult")).unwrap(), OLD, "{name}");
            assert!(!world.install().join("moult.new").exists(), "{name}");
        }
        let record: TwoCopy<Companions> = TwoCopy::new(world.folder.path().join("data"), "companions");
        let known = record.load().unwrap().unwrap().get(LAUNCHER);
        assert_eq!(known.refused, [Digest::of(&bytes)], "{name}");
        // Another one is tried all the same.
        let good = program("moult-launcher");
        world.settle(&good, "1.2.0", 6).unwrap();
        assert_eq!(
            world.settle(&good, "1.2.0", 7).unwrap()[0],
            Stage::Replaced,
            "{name}"
        );
    }
}

#[test]
fn a_system_that_can_start_nothing_now_says_nothing_about_the_program() {
    let world = World::new();
    let launcher = program("moult-launcher");
    world.settle(&launcher, "1.1.0", 1).unwrap();
    for start in 2..7 {
        assert_eq!(world.settle_while_busy(&launcher, start)[0], Stage::Waiting);
        assert_eq!(fs::read(world.install().join("moult")).unwrap(), OLD);
    }
    assert_eq!(world.settle(&launcher, "1.1.0", 7).unwrap()[0], Stage::Replaced);
}

#[test]
fn an_older_application_does_not_bring_its_older_launcher_back() {
    let world = World::new();
    let (new, old) = (program("moult-launcher"), OLD.to_vec());
    for start in 1..4 {
        world.settle(&new, "1.2.0", start).unwrap();
    }
    for start in 4..8 {
        assert_eq!(world.settle(&old, "1.1.0", start).unwrap()[0], Stage::NotHigher);
    }
    assert_eq!(fs::read(world.install().join("moult")).unwrap(), new);
    // A later release carries the same one: what lies between the two is older as well.
    assert_eq!(world.settle(&new, "1.4.0", 8).unwrap()[0], Stage::Settled);
    for start in 9..12 {
        assert_eq!(world.settle(&old, "1.3.0", start).unwrap()[0], Stage::NotHigher);
    }
    // The package put its own back: its version is the package's.
    world.put("moult", OLD);
    world.settle(&new, "1.2.0", 12).unwrap();
    assert_eq!(world.settle(&new, "1.2.0", 13).unwrap()[0], Stage::Replaced);
}

#[test]
fn a_folder_of_the_system_is_left_to_its_package() {
    let world = World::new();
    let launcher = program("moult-launcher");
    for start in 1..4 {
        let stages = settle_in(world.folder.path(), &launcher, "1.1.0", start, false).unwrap();
        assert_eq!(stages, [Stage::NotOurs, Stage::NotOurs]);
    }
    assert!(!world.install().join("moult.previous").exists());
}

#[test]
fn a_program_that_is_missing_is_put_there() {
    let world = World::new();
    fs::remove_file(world.install().join("moult-rescue")).unwrap();
    let launcher = program("moult-launcher");
    for start in 1..4 {
        world.settle(&launcher, "1.1.0", start).unwrap();
    }
    let rescue = fs::read(world.install().join("moult-rescue")).unwrap();
    assert_eq!(rescue, program("moult-rescue"));
    assert!(!world.install().join("moult-rescue.previous").exists());
}

#[test]
fn what_a_later_release_noted_is_kept() {
    let world = World::new();
    let data = world.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let text = r#"{"known":{"moult":{"later":{"a":1}},"another":{"placed":{"digest":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","version":"1.0.0","x":2}}},"more":[3]}"#;
    let record: TwoCopy<serde_json::Value> = TwoCopy::new(&data, "companions");
    record.store(&serde_json::from_str(text).unwrap()).unwrap();
    let launcher = program("moult-launcher");
    for start in 1..4 {
        world.settle(&launcher, "1.1.0", start).unwrap();
    }
    let after = record.load().unwrap().unwrap();
    assert_eq!(after["more"][0], 3);
    assert_eq!(after["known"]["moult"]["later"]["a"], 1);
    assert_eq!(after["known"]["another"]["placed"]["x"], 2);
}

/// A copy of everything before each change of a file stands for a kill right there: the launcher is whole,
/// old or new, and the next start makes it the new one.
#[test]
fn after_a_death_at_any_step_the_launcher_is_old_or_new_and_the_next_start_completes_it() {
    let world = World::new();
    let launcher = program("moult-launcher");
    world.settle(&launcher, "1.1.0", 1).unwrap();
    let copies = tempfile::tempdir().unwrap();
    arm(Plan {
        at: 0,
        action: Action::Snapshot {
            into: copies.path().to_owned(),
        },
        log: None,
        root: world.folder.path().to_owned(),
    })
    .unwrap();
    assert_eq!(world.settle(&launcher, "1.1.0", 2).unwrap()[0], Stage::Replaced);
    let points = passed();
    disarm();
    assert!(points > 12, "{points} points");
    let mut old = 0;
    for point in 1..=points {
        let root = copies.path().join(point.to_string());
        let moult = root.join("install/moult");
        let bytes = fs::read(&moult).unwrap();
        assert!(bytes == OLD || bytes == launcher, "before change {point}");
        old += u64::from(bytes == OLD);
        let mode = fs::metadata(&moult).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "before change {point}");
        settle_in(&root, &launcher, "1.1.0", 3, true).unwrap();
        settle_in(&root, &launcher, "1.1.0", 4, true).unwrap();
        assert_eq!(
            fs::read(&moult).unwrap(),
            launcher,
            "after a death before change {point}"
        );
        assert_eq!(
            fs::read(root.join("install/moult.previous")).unwrap(),
            OLD,
            "{point}"
        );
        let left: Vec<_> = names(&root.join("install"))
            .into_iter()
            .filter(|name| name.contains(".new") || name.contains(".keeping"))
            .collect();
        assert!(left.is_empty(), "{left:?} after a death before change {point}");
    }
    assert!(old > 0 && old < points, "{old} of {points} still had the old one");
}

#[test]
fn an_error_at_any_step_leaves_a_whole_launcher_and_the_next_start_completes_it() {
    const DISK_IS_FULL: i32 = 28;
    for at in 1.. {
        let world = World::new();
        let launcher = program("moult-launcher");
        world.settle(&launcher, "1.1.0", 1).unwrap();
        let fail = Action::Fail {
            errno: DISK_IS_FULL,
            sticky: true,
        };
        arm(Plan {
            at,
            action: fail,
            log: None,
            root: world.folder.path().to_owned(),
        })
        .unwrap();
        let ended = world.settle(&launcher, "1.1.0", 2);
        let reached = passed() >= at;
        disarm();
        if !reached {
            assert!(ended.is_ok() && at > 12, "{at}");
            break;
        }
        let bytes = fs::read(world.install().join("moult")).unwrap();
        assert!(bytes == OLD || bytes == launcher, "an error at {at}");
        world.settle(&launcher, "1.1.0", 3).unwrap();
        assert_eq!(
            fs::read(world.install().join("moult")).unwrap(),
            launcher,
            "an error at {at}"
        );
    }
}
