//! Installers, made and installed with the systems' own programs. What is started from them is the real launcher.

mod systems;
mod wine;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Desk, TRIPLE, executable};

const WINDOWS: &str = "x86_64-pc-windows-gnu";
/// Where `cargo xtask setup` lays the runtime of AppImages.
const RUNTIME: &str = "tools/appimage-runtime-x86_64";

/// A program that a test needs. `cargo xtask setup` installs it on Debian and Ubuntu: there its lack is a fault;
/// elsewhere the test is left out, and says so.
pub(crate) fn has(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    assert!(
        is_there || !Path::new("/usr/bin/dpkg-query").exists(),
        "`{program}` is missing: run `cargo xtask setup`"
    );
    if !is_there {
        left_out(program);
    }
    is_there
}

#[expect(
    clippy::print_stderr,
    reason = "whoever reads the tests' output must know what was not tested"
)]
pub(crate) fn left_out(what: &str) {
    eprintln!("NOT TESTED: `{what}` is not there");
}

/// Runs a program, which must end well.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .with_context(|| program.to_owned())?;
    told(program, &output)
}

pub(crate) fn told(program: &str, output: &Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program}: {}\n{said}\n{errors}",
        output.status
    );
    Ok(said)
}

/// Where cargo builds what is tested.
fn target() -> Result<PathBuf> {
    let moult = Path::new(env!("CARGO_BIN_EXE_moult"));
    Ok(moult.ancestors().nth(2).context("target/debug/moult")?.to_owned())
}

/// The real launcher, and the application of its own tests with a script at its end.
fn programs() -> Result<(Vec<u8>, Vec<u8>)> {
    let target = target()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "moult-boot",
            "--bin",
            "moult-launcher",
            "--example",
            "child",
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root)
        .output()?;
    told("cargo", &output)?;
    // As releases are; what a debugger needs would only be packed and unpacked again.
    let stripped = |built: &str| -> Result<Vec<u8>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("stripped");
        let (from, to) = (target.join(built), file.display().to_string());
        run("strip", &["-o", &to, &from.display().to_string()], folder.path())?;
        Ok(std::fs::read(file)?)
    };
    let launcher = stripped("debug/moult-launcher")?;
    let mut child = stripped("debug/examples/child")?;
    child.extend_from_slice(b"MOULT-CHILD:paint,quit:user");
    Ok((launcher, child))
}

/// A desk with everything that installers are made from. The programs are bytes without a meaning.
pub(crate) fn desk() -> Result<Desk> {
    let desk = Desk::new()?;
    desk.write("target/app", executable(1, 60_000, 0))?;
    desk.configure("/targets", json!([TRIPLE, WINDOWS, "aarch64-apple-darwin"]))?;
    desk.configure(
        "/app",
        json!({ "executable": "{target}/../target/app", "shell": "shell" }),
    )?;
    desk.configure("/installer", installer())?;
    for name in ["moult-launcher", "moult-rescue", "moult-sandbox"] {
        desk.write(&format!("companions/{name}"), executable(2, 20_000, 0))?;
        desk.write(&format!("companions/{name}.exe"), executable(3, 20_000, 0))?;
    }
    desk.write("target/app.exe", executable(4, 60_000, 0))?;
    let own = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        std::fs::read(&path).with_context(|| path.display().to_string())
    };
    desk.write("icon.png", own("src-tauri/icons/icon.png")?)?;
    desk.write("icon.ico", own("src-tauri/icons/icon.ico")?)?;
    desk.write("hooks.nsh", own("installer/windows/hooks.nsh")?)?;
    desk.write(
        "rescue.policy",
        own("crates/rescue/polkit/dev.moult.rescue.policy")?,
    )?;
    desk.write("LICENSE-MIT", own("LICENSE-MIT")?)?;
    desk.write("LICENSE-APACHE", own("LICENSE-APACHE")?)?;
    // Enough for whoever only looks at its first bytes.
    let runtime = [
        b"\x7fELF\x02\x01\x01\0AI\x02\0".as_slice(),
        &executable(5, 1_000, 0),
    ]
    .concat();
    desk.write("runtime", runtime)?;
    Ok(desk)
}

/// The same with programs that run, and the real runtime if it is there.
fn real_desk() -> Result<Desk> {
    let desk = desk()?;
    let (launcher, app) = programs()?;
    desk.write("target/app", app)?;
    desk.write("companions/moult-launcher", launcher)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in [target()?, root.join("target")] {
        if let Ok(runtime) = std::fs::read(folder.join(RUNTIME)) {
            desk.write("runtime", runtime)?;
            return Ok(desk);
        }
    }
    Ok(desk)
}

fn installer() -> Value {
    json!({
        "folder": "dist/installers",
        "package": "moult",
        "summary": "Desktop widgets that stay current while they are used",
        "description": "Moult shows widgets.\n\nIt & its widgets are renewed while they are in use, and this paragraph is longer than a line.",
        "icon": "icon.png",
        "license": "MIT OR Apache-2.0",
        "license_files": ["LICENSE-MIT", "LICENSE-APACHE"],
        "homepage": "https://moult.example/",
        "maintainer": "The Moult authors <packages@moult.example>",
        "schemes": ["moult"],
        "companions": "companions",
        "system": { "/usr/share/polkit-1/actions/dev.moult.rescue.policy": "rescue.policy" },
        "deb": { "depends": ["libc6 (>= 2.34)"], "recommends": ["zenity"] },
        "rpm": { "requires": ["libgtk-3.so.0()(64bit)"] },
        "appimage": { "runtime": "runtime" },
        "windows": { "icon": "icon.ico", "hooks": "hooks.nsh", "upgrade_code": "6E1F6C9A-3B57-4C0E-9D3E-2A4B7C1D8E90" },
        "macos": { "minimum": "11.0" },
    })
}

/// Makes installers of 1.2.3 and returns what was made.
fn make(desk: &Desk, triple: &str, formats: &str) -> Result<Value> {
    let mut words = vec!["installer", "--version", "1.2.3", "--target", triple];
    if !formats.is_empty() {
        words.extend(["--format", formats]);
    }
    desk.json(&words)
}

fn made(desk: &Desk, name: &str) -> PathBuf {
    desk.path("dist/installers/1.2.3").join(TRIPLE).join(name)
}

/// Starts the launcher of an installation to its end, and says what the application noted.
fn start(launcher: &Path, arguments: &[&str]) -> Result<(PathBuf, Vec<Value>)> {
    let data = tempfile::tempdir()?;
    let output = Command::new(launcher)
        .args(arguments)
        .env("MOULT_DATA", data.path())
        .env("TMPDIR", data.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("MOULT_AUTOMATION")
        .output()?;
    told("the launcher", &output)?;
    let journal = std::fs::read_to_string(data.path().join("journal"))?;
    let lines: Vec<Value> = journal
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let install = lines[0]["install"].as_str().context("the install folder")?;
    Ok((install.into(), lines))
}

#[test]
fn help_names_every_format_and_option() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("help_installer", &desk.moult(&["installer", "--help"])?);
    Ok(())
}

#[test]
fn all_of_a_system_are_made_listed_and_named_as_is_usual() -> Result<()> {
    if !has("mksquashfs") {
        return Ok(());
    }
    let desk = desk()?;
    let ran = desk
        .moult(&["installer", "--version", "1.2.3", "--target", TRIPLE])?
        .done()?;
    desk.snapshot("installer", &ran);
    let list: Value = serde_json::from_slice(&std::fs::read(made(&desk, "installers.json"))?)?;
    let mut names = Vec::new();
    for one in list["installers"].as_array().context("a list")? {
        let name = one["file"].as_str().context("a name")?;
        let bytes = std::fs::read(made(&desk, name))?;
        assert_eq!(one["size"], bytes.len());
        assert_eq!(one["sha256"], moult_model::Digest::of(&bytes).to_string());
        names.push(name.to_owned());
    }
    assert_eq!(
        names,
        [
            "Moult-1.2.3-x86_64.AppImage",
            "moult_1.2.3_amd64.deb",
            "moult-1.2.3-1.x86_64.rpm",
            "moult_1.2.3_amd64.snap"
        ]
    );
    // Nothing of the work is left.
    assert_eq!(desk.files("dist/installers")?.len(), 5);
    Ok(())
}

/// On another day of the computer, in another folder, by a user with another mask.
#[test]
fn the_same_input_gives_the_same_bytes() -> Result<()> {
    let mut targets = Vec::new();
    if has("mksquashfs") {
        targets.push((TRIPLE, "appimage,deb,rpm,snap"));
    }
    if has("makensis") {
        targets.push((WINDOWS, "nsis"));
    }
    for (triple, formats) in targets {
        let files = |mask: &str| {
            let desk = desk()?;
            let script = format!(
                "umask {mask} && exec '{}' installer --version 1.2.3 --target {triple} --format {formats}",
                env!("CARGO_BIN_EXE_moult")
            );
            let output = Command::new("sh")
                .args(["-c", &script])
                .current_dir(desk.path("."))
                .env("SOURCE_DATE_EPOCH", "1795255200")
                .output()?;
            told("moult", &output)?;
            desk.files("dist/installers")
        };
        let (one, other) = (files("022")?, files("077")?);
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (name, bytes) in &one {
            ensure!(other[name] == *bytes, "{name} differs");
        }
    }
    Ok(())
}

#[test]
fn a_file_is_signed_before_it_is_hashed_and_is_not_placed_if_that_fails() -> Result<()> {
    let desk = desk()?;
    let append = json!(["sh", "-c", "printf signed >> \"$1\"", "sh", "{file}"]);
    desk.configure("/installer/sign", json!({ "deb": [append] }))?;
    let report = make(&desk, TRIPLE, "deb")?;
    let bytes = std::fs::read(made(&desk, "moult_1.2.3_amd64.deb"))?;
    ensure!(bytes.ends_with(b"signed"));
    assert_eq!(
        report["installers"][0]["sha256"],
        moult_model::Digest::of(&bytes).to_string()
    );
    desk.configure(
        "/installer/sign",
        json!({ "rpm": [["sh", "-c", "echo the token is not there >&2; exit 3"]] }),
    )?;
    let ran = desk.moult(&[
        "installer",
        "--version",
        "1.2.3",
        "--target",
        TRIPLE,
        "--format",
        "rpm",
    ])?;
    desk.snapshot("error_installer_sign", &ran);
    ensure!(!made(&desk, "moult-1.2.3-1.x86_64.rpm").exists());
    Ok(())
}

/// What the rescue asks for before it installs a package.
#[test]
fn with_a_signature_beside_it_a_package_can_be_told_to_be_the_publishers() -> Result<()> {
    let desk = desk()?;
    let words = [
        "installer",
        "--version",
        "1.2.3",
        "--target",
        TRIPLE,
        "--format",
        "deb",
        "--sign",
    ];
    let ran = desk.moult(&words)?;
    desk.snapshot("error_installer_no_keys", &ran);
    desk.moult(&["keys", "init"])?.done()?;
    desk.moult(&words)?.done()?;
    let key = String::from_utf8(desk.read("keys/public/minisign.pub")?)?;
    let signature = std::fs::read_to_string(made(&desk, "moult_1.2.3_amd64.deb.sig"))?;
    let signed = |bytes: &[u8]| moult_trust::signed_version(key.trim(), &signature, bytes);
    let bytes = std::fs::read(made(&desk, "moult_1.2.3_amd64.deb"))?;
    assert_eq!(signed(&bytes)?, Some("1.2.3".parse()?));
    ensure!(signed(&bytes[1..]).is_err());
    Ok(())
}

#[test]
fn what_can_not_work_is_said_before_anything_is_made() -> Result<()> {
    let cases: [(&str, &str, Value, &[&str]); 8] = [
        ("package", "/installer/package", json!("widgets"), &[TRIPLE]),
        (
            "maintainer",
            "/installer/maintainer",
            json!("Moult\nPre-Depends: x"),
            &[TRIPLE],
        ),
        (
            "system_path",
            "/installer/system",
            json!({ "/usr/../etc/passwd": "icon.png" }),
            &[TRIPLE],
        ),
        ("icon", "/installer/icon", json!("icon.ico"), &[TRIPLE]),
        ("companions", "/installer/companions", json!("nowhere"), &[TRIPLE]),
        (
            "runtime",
            "/installer/appimage",
            json!({ "runtime": "icon.png" }),
            &[TRIPLE, "--format", "appimage"],
        ),
        (
            "other_system",
            "/installer/folder",
            json!("dist/installers"),
            &[TRIPLE, "--format", "nsis"],
        ),
        (
            "no_hdiutil",
            "/installer/folder",
            json!("dist/installers"),
            &["aarch64-apple-darwin"],
        ),
    ];
    for (name, pointer, value, words) in cases {
        if name == "no_hdiutil" && cfg!(target_os = "macos") {
            continue;
        }
        let desk = desk()?;
        desk.configure(pointer, value)?;
        let ran = desk.moult(&[&["installer", "--version", "1.2.3", "--target"], words].concat())?;
        desk.snapshot(&format!("error_installer_{name}"), &ran);
        ensure!(
            !desk
                .files(".")?
                .keys()
                .any(|path| path.starts_with("dist/installers/"))
        );
    }
    let bare = Desk::new()?;
    let ran = bare.moult(&["installer", "--version", "1.2.3", "--target", TRIPLE])?;
    bare.snapshot("error_installer_not_configured", &ran);
    Ok(())
}
