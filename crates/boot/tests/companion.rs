//! The real launcher is replaced by a real launcher.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't set up its world has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use moult_boot::companion::{Embedded, LAUNCHER, last_act, machine::Stage, settle, take_place};
use moult_boot::{Base, StartToken, Store, WriteRight};
use moult_durable::faults::{Action, Plan, arm, disarm};

/// Where a program that runs can't be replaced, the one that waits takes the place at its end. Here such a
/// system is one whose rename is refused.
#[test]
fn a_launcher_that_can_not_be_replaced_now_gives_its_place_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (install, data) = (folder.path().join("install"), folder.path().join("data"));
    fs::create_dir(&install).unwrap();
    fs::write(install.join("moult-app"), "app").unwrap();
    let before = fs::read(env!("CARGO_BIN_EXE_moult-launcher")).unwrap();
    let after = [&before[..], b"newer"].concat();
    let moult = install.join("moult");
    let version = "9.0.0".parse().unwrap();
    let launcher = Embedded {
        name: LAUNCHER,
        program: "moult-launcher",
        version: &version,
        bytes: &after,
    };
    let settled = |start| {
        let store = Store::open(&data, Base::from_install(&install).unwrap()).unwrap();
        let right = WriteRight::take(&data, Duration::ZERO).unwrap().unwrap();
        let token = StartToken::of([start; 16]);
        settle(&store, &right, &install, &[launcher], &token).map(|settled| settled[0].stage)
    };
    let mut refused = false;
    for at in 1..20 {
        if refused {
            break;
        }
        for leftover in ["companions.a", "companions.b"] {
            let _ = fs::remove_file(data.join(leftover));
        }
        for leftover in ["moult", "moult.new", "moult.previous"] {
            let _ = fs::remove_file(install.join(leftover));
        }
        fs::write(&moult, &before).unwrap();
        fs::set_permissions(&moult, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(settled(1).unwrap(), Stage::Waiting);
        assert!(last_act(&install, &data).is_none(), "nothing was tested yet");
        arm(Plan {
            at,
            action: Action::Fail {
                errno: 13,
                sticky: false,
            },
            log: None,
            root: install.clone(),
        })
        .unwrap();
        let stage = settled(2);
        disarm();
        if !matches!(stage, Ok(Stage::AtItsEnd)) {
            continue;
        }
        refused = true;
        assert_eq!(settled(3).unwrap(), Stage::AtItsEnd, "it is not tested anew");
        assert_eq!(fs::read(&moult).unwrap(), before);
        let mut child = last_act(&install, &data).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(fs::read(&moult).unwrap(), after);
        assert_eq!(fs::read(install.join("moult.previous")).unwrap(), before);
        assert_eq!(settled(4).unwrap(), Stage::Settled);
        assert!(last_act(&install, &data).is_none(), "it is done");
    }
    assert!(refused, "one change gives the place away");
}

#[test]
fn only_a_program_that_waits_takes_a_place() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["moult", "moult.newer", ".new", "moult.new.old"] {
        let path = folder.path().join(name);
        fs::write(&path, "x").unwrap();
        assert!(take_place(&path).is_err(), "{name}");
        assert_eq!(fs::read(&path).unwrap(), b"x", "{name}");
    }
}

#[test]
fn the_launcher_tests_itself_and_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let (install, data) = (folder.path().join("install ä"), folder.path().join("data"));
    fs::create_dir(&install).unwrap();
    fs::write(install.join("moult-app"), "app").unwrap();
    let before = fs::read(env!("CARGO_BIN_EXE_moult-launcher")).unwrap();
    let moult = install.join("moult");
    fs::write(&moult, &before).unwrap();
    fs::set_permissions(&moult, fs::Permissions::from_mode(0o755)).unwrap();
    // What follows a program's end in its file is nothing to it.
    let after = [&before[..], b"newer"].concat();
    let store = Store::open(&data, Base::from_install(&install).unwrap()).unwrap();
    let right = WriteRight::take(&data, Duration::ZERO).unwrap().unwrap();
    let version = "9.0.0".parse().unwrap();
    let launcher = Embedded {
        name: LAUNCHER,
        program: "moult-launcher",
        version: &version,
        bytes: &after,
    };
    for (start, stage) in [(1, Stage::Waiting), (2, Stage::Replaced), (3, Stage::Settled)] {
        let token = StartToken::of([start; 16]);
        let settled = settle(&store, &right, &install, &[launcher], &token).unwrap();
        assert_eq!(settled[0].stage, stage, "start {start}");
    }
    assert_eq!(fs::read(&moult).unwrap(), after);
    assert_eq!(fs::read(install.join("moult.previous")).unwrap(), before);
    let output = Command::new(&moult)
        .arg("--self-test")
        .env("MOULT_DATA", &data)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("\"due\":\"base\""),
        "{said}"
    );
}
