//! The real launcher is replaced by a real launcher.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't set up its world has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use moult_boot::companion::{Embedded, LAUNCHER, machine::Stage, settle};
use moult_boot::{Base, StartToken, Store, WriteRight};

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
