//! The launcher's decisions over whole lives, without a process: each bad trial ends as `BOOT.md` says.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use std::fs;

use moult_boot::launcher::{Body, Deadlines, Ending, LifeEnd, Lived, Settings, Starting, rehearse};
use moult_boot::{Base, BootState, Quit, SlotName, Store, ToLauncher, Why};
use moult_model::Digest;

const OLD: &str = "1.1.0";
const NEW: &str = "1.2.0";

/// What a version on trial does at each of its starts.
type Life = fn(&Store, &Starting<'_>, usize) -> Lived;

struct Lives<'a> {
    store: &'a Store,
    of_trial: Life,
    of_current: Life,
    started: Vec<(SlotName, bool)>,
}

impl Body for Lives<'_> {
    fn run(&mut self, start: &Starting<'_>) -> Lived {
        let earlier = self.started.iter().filter(|(slot, _)| slot == start.slot).count();
        self.started.push((start.slot.clone(), start.on_trial));
        let is_new = *start.slot == slot(NEW);
        let life = if is_new { self.of_trial } else { self.of_current };
        life(self.store, start, earlier)
    }
}

fn slot(version: &str) -> SlotName {
    SlotName::of(&version.parse().unwrap(), &Digest::of(version.as_bytes()))
}

fn quitting(why: Quit) -> ToLauncher {
    ToLauncher::Quitting { why }
}

fn lived(said: &[ToLauncher], end: LifeEnd) -> Lived {
    let said = said.to_vec();
    Lived { said, end }
}

fn good(_: &Store, _: &Starting<'_>, _: usize) -> Lived {
    let said = [ToLauncher::Painted, quitting(Quit::User)];
    lived(&said, LifeEnd::Code(0))
}

fn crash(_: &Store, _: &Starting<'_>, _: usize) -> Lived {
    lived(&[], LifeEnd::Signal(11))
}

fn confirmed(store: &Store, start: &Starting<'_>, _: usize) -> Lived {
    store.confirm(start.slot, Some(start.start)).unwrap();
    let said = [ToLauncher::Painted, ToLauncher::Confirmed, quitting(Quit::User)];
    lived(&said, LifeEnd::Code(0))
}

fn install(store: &Store, version: &str) -> SlotName {
    let file = store.staging().join("incoming");
    fs::write(&file, version).unwrap();
    let digest = Digest::of(version.as_bytes());
    store.install(&file, &version.parse().unwrap(), digest).unwrap()
}

struct Computer {
    folder: tempfile::TempDir,
    store: Store,
}

/// 1.0.0 is packaged, 1.1.0 is current, 1.2.0 is on trial.
fn computer() -> Computer {
    let folder = tempfile::tempdir().unwrap();
    let app = format!("moult-app{}", std::env::consts::EXE_SUFFIX);
    fs::write(folder.path().join(app), "1.0.0").unwrap();
    fs::write(folder.path().join("moult-app.json"), r#"{"version":"1.0.0"}"#).unwrap();
    let base = Base::from_install(folder.path()).unwrap();
    let store = Store::open(&folder.path().join("data"), base).unwrap();
    let old = install(&store, OLD);
    store.begin_trial(&old).unwrap();
    store.confirm(&old, None).unwrap();
    let new = install(&store, NEW);
    store.begin_trial(&new).unwrap();
    Computer { folder, store }
}

impl Computer {
    fn launch(&self, of_trial: Life, of_current: Life) -> (Ending, Vec<(SlotName, bool)>) {
        let settings = Settings {
            install: self.folder.path().to_owned(),
            data: self.folder.path().join("data"),
            arguments: Vec::new(),
            automation: false,
            deadlines: Deadlines::default(),
        };
        let mut lives = Lives {
            store: &self.store,
            of_trial,
            of_current,
            started: Vec::new(),
        };
        let ending = rehearse(&settings, &mut lives);
        (ending, lives.started)
    }

    fn state(&self) -> BootState {
        self.store.state().unwrap()
    }
}

#[test]
fn each_bad_trial_ends_within_three_starts() {
    let table: [(&str, Life, Why); 6] = [
        ("it crashes at once", crash, Why::Crashed { code: 139 }),
        ("it hangs", |_, _, _| lived(&[], LifeEnd::Hung), Why::Hung),
        (
            "its heart stops",
            |_, _, _| lived(&[ToLauncher::Painted], LifeEnd::Hung),
            Why::Hung,
        ),
        (
            "it ends at once",
            |_, _, _| lived(&[ToLauncher::Painted], LifeEnd::Code(0)),
            Why::ExitedEarly,
        ),
        (
            "it breaks its own updater",
            |_, _, _| {
                let unfit = ToLauncher::Unfit { what: "trust".into() };
                lived(&[ToLauncher::Painted, unfit], LifeEnd::Code(0))
            },
            Why::Crashed { code: 78 },
        ),
        (
            "it crashes after it said that it was confirmed",
            |_, _, _| lived(&[ToLauncher::Painted, ToLauncher::Confirmed], LifeEnd::Signal(6)),
            Why::Crashed { code: 134 },
        ),
    ];
    for (what, life, why) in table {
        let computer = computer();
        let (ending, started) = computer.launch(life, good);
        assert_eq!(ending.code, 0, "{what}");
        let mut expected = vec![(slot(NEW), true); 3];
        expected.push((slot(OLD), false));
        assert_eq!(started, expected, "{what}");
        let state = computer.state();
        assert_eq!((state.current, state.trial), (slot(OLD), None), "{what}");
        assert_eq!(state.banned[0].why, why, "{what}");
    }
}

#[test]
fn a_trial_that_nothing_is_known_against_is_not_banned() {
    let table: [(&str, Life, Option<u8>); 4] = [
        ("its user ends it", good, Some(3)),
        (
            "the session ends",
            |_, _, _| lived(&[ToLauncher::Painted], LifeEnd::Signal(15)),
            Some(3),
        ),
        (
            "the session ends during its start",
            |_, _, _| lived(&[], LifeEnd::Signal(15)),
            Some(2),
        ),
        ("it is confirmed", confirmed, None),
    ];
    for (what, life, tries) in table {
        let computer = computer();
        let (_, started) = computer.launch(life, good);
        assert_eq!(started.len(), 1, "{what}");
        let state = computer.state();
        assert!(state.banned.is_empty(), "{what}");
        assert_eq!(state.trial.map(|trial| trial.tries_left), tries, "{what}");
    }
}

#[test]
fn a_version_that_crashes_at_its_second_start_is_caught() {
    let computer = computer();
    let second: Life = |store, start, earlier| {
        if earlier == 0 {
            good(store, start, earlier)
        } else {
            crash(store, start, earlier)
        }
    };
    computer.launch(second, good);
    assert!(computer.state().banned.is_empty());
    let (_, started) = computer.launch(|store, start, _| second_start(store, start), good);
    assert_eq!(started.len(), 4);
    assert_eq!(computer.state().banned.len(), 1);
}

fn second_start(store: &Store, start: &Starting<'_>) -> Lived {
    crash(store, start, 1)
}

#[test]
fn when_all_versions_crash_it_ends_with_a_word() {
    let computer = computer();
    let (ending, started) = computer.launch(crash, crash);
    // The trial, then four of each confirmed version, then the current one once more.
    assert_eq!(started.len(), 3 + 4 + 4 + 1);
    assert_eq!(started.last(), Some(&(slot(OLD), false)));
    assert_eq!(ending.code, 139);
    assert!(ending.message.unwrap().contains("Your data is kept"));
    let state = computer.state();
    assert_eq!((state.current, state.banned.len()), (slot(OLD), 1));
    assert!(computer.folder.path().join("data/log/launcher.log").exists());
}
