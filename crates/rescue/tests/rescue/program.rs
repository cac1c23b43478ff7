//! The program: its arguments and its exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::world::World;

/// Runs it: exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_moult-rescue"))
        .args(arguments)
        .env("MOULT_DATA", data.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn what_it_is_not_started_for_is_told_with_how_to_start_it() {
    let digest = "ab".repeat(32);
    let table: [&[&str]; 8] = [
        &["--help"],
        &["rescue"],
        &["--failed"],
        &["--failed", "short"],
        &["install-package"],
        &["install-package", "/x"],
        &["install-package", "/x", "not a digest"],
        &["install-package", "/x", &digest, "more"],
    ];
    for arguments in table {
        let (code, _, error) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {error}");
        assert!(error.contains("Usage: moult-rescue"), "{arguments:?}: {error}");
    }
    let (code, output, _) = run(&["--version"]);
    assert_eq!(
        (code, output.trim()),
        (0, concat!("moult-rescue ", env!("CARGO_PKG_VERSION")))
    );
}

/// A build without trust files believes nobody, and says what a person can do.
#[test]
fn a_build_that_knows_nobody_says_so_and_touches_nothing() {
    for arguments in [&[][..], &["--failed", &"ab".repeat(32)]] {
        let (code, _, error) = run(arguments);
        assert_eq!(code, 4, "{error}");
        for part in ["knows nobody", "Your data", "install it again"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    assert_eq!(run(&["--self-test"]).0, 4);
}

/// A program in the place of `zenity` that writes down what it is given.
fn window_program(folder: &Path) {
    let path = folder.join("zenity");
    let script = "#!/bin/bash\n\
        echo \"$@\" >> \"$0.arguments\"\n\
        while read -r line; do echo \"$line\" >> \"$0.lines\"; done\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_person_reads_how_far_it_is_and_how_it_ended() {
    let mut world = World::new(&["1.1.0"]);
    world.install_rescue();
    window_program(world.folder());
    let run = |world: &World, by_launcher: bool| {
        let mut command = Command::new(world.config.install.join("moult-rescue"));
        command
            .env("MOULT_DATA", &world.config.data)
            .env("DISPLAY", ":0")
            .env("PATH", world.folder())
            .env_remove("MOULT_AUTOMATION");
        if by_launcher {
            command.env("MOULT_INSTALL", &world.config.install);
        }
        let output = command.output().unwrap();
        let noted = |what: &str| {
            let path = world.folder().join(format!("zenity.{what}"));
            let text = fs::read_to_string(&path).unwrap_or_default();
            let _ = fs::remove_file(path);
            text
        };
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), error, noted("arguments"), noted("lines"))
    };
    let (code, error, arguments, lines) = run(&world, false);
    assert_eq!(code, Some(0), "{error}");
    let steps = [
        "Looking for a good version",
        "Fetching Moult 1.1.0.",
        "Checking Moult 1.1.0.",
    ];
    for step in steps {
        assert!(
            error.contains(step) && lines.contains(&format!("# {step}")),
            "{step}: {error} {lines}"
        );
    }
    assert!(lines.trim_end().ends_with("100"), "{lines}");
    assert!(
        error
            .trim_end()
            .ends_with("Moult 1.1.0 was brought back and is started next."),
        "{error}"
    );
    assert!(
        arguments.contains("--progress") && !arguments.contains("--error"),
        "{arguments}"
    );

    // The box at the end is for whoever started it by hand; the launcher has its own words.
    fs::remove_file(world.config.data.join("run/rescue.json")).unwrap();
    world.server.go_dark();
    for (by_launcher, boxed) in [(false, true), (true, false)] {
        let (code, error, arguments, _) = run(&world, by_launcher);
        assert_eq!(code, Some(3), "{error}");
        assert!(error.contains("Connect to the internet"), "{error}");
        assert_eq!(arguments.contains("--error"), boxed, "{arguments}");
    }
}
