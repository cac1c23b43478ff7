//! `cargo xtask test --target windows`: the tests that need no screen, as Windows programs.
//!
//! Elsewhere than on Windows they run under Wine, which keeps Windows' rules for files, pipes, jobs and
//! images that run. Nothing of it touches the user's own Wine: it has a folder of its own in `target`.
//! What Wine can't show is listed in `docs/platforms.md`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command::{cargo, command, quiet, root, shown_live};
use crate::report::{Steps, heading};
use crate::setup;
use crate::targets::{self, Target};

/// What runs Windows programs.
const WINE: [&str; 1] = ["wine64"];
/// Where Debian and Ubuntu put it: not in the folders for programs, without the package that starts both
/// kinds of it.
const WINE_PROGRAM: &str = "/usr/lib/wine/wine64";
const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";

/// What is tested: all that has no window and no wish for one.
const PACKAGES: [&str; 10] = [
    "moult-boot",
    "moult-containers",
    "moult-delta",
    "moult-durable",
    "moult-handover",
    "moult-model",
    "moult-publish",
    "moult-rescue",
    "moult-trust",
    "moult-update",
];

/// Walks over each state, which are the same everywhere. Those of the first name write a whole installation anew for
/// each change of a file, or start a process for it: some ten thousand files, for which Wine takes many minutes.
const SLOW: [&str; 2] = ["after_a_death_at_any", "no_sequence_leaves_no_window"];

/// What asks for something that Wine 8 does wrong, so that the test's process crashes. Asking for the action of a signal
/// there (`SIG_GET`) sets it to a number instead, which is then called.
const CRASHING: [&str; 1] = ["the_first_ctrl_c_is_told"];

/// A function of Windows 10 that Rust's standard library asks for its random numbers, and that Wine has
/// only from version 9 on: handed on to the older one that does the same.
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }
";

/// Builds and runs the tests for another system; only those with this in their name, if one is given.
pub(crate) fn test(target: Target, filter: Option<&str>) -> Result<()> {
    if target == Target::Macos && !target.is_here() {
        bail!("programs for macOS run only there; `cargo xtask check --target macos` checks their types");
    }
    let mut steps = Steps::default();
    heading("Setup");
    target.add_setup_to(&mut steps);
    if target == Target::Windows && !target.is_here() {
        steps.run("Wine", wine);
    }
    if !steps.passed() {
        return steps.summary("Summary");
    }
    heading("Tests");
    let server = (target == Target::Windows && !target.is_here())
        .then(Server::start)
        .transpose()?;
    let build = [
        "build",
        "--quiet",
        "--package",
        "moult-boot",
        "--bins",
        "--examples",
    ];
    let mut build = cargo_for(target, &build);
    if steps.run_live("build the programs", || shown_live(&mut build)) {
        let mut tests = cargo_for(target, &["test", "--no-fail-fast"]);
        for package in PACKAGES {
            tests.args(["--package", package]);
        }
        // The documentation's examples are the same everywhere.
        tests.args(["--lib", "--bins", "--tests"]);
        tests.arg("--").args(filter);
        let skipped = SLOW
            .iter()
            .chain(if target.is_here() { &[][..] } else { &CRASHING });
        tests.args(skipped.flat_map(|name| ["--skip", name]));
        steps.run_live("tests", || shown_live(&mut tests));
    }
    drop(server);
    steps.summary("Summary")
}

fn cargo_for(target: Target, arguments: &[&str]) -> Command {
    let mut command = command(cargo(), &[arguments, &["--target", target.triple()]].concat());
    target.prepare(&mut command);
    if target == Target::Windows && !target.is_here() {
        command.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE_PROGRAM);
        surround(&mut command);
    }
    command
}

/// The folder that stands for a Windows computer.
fn prefix() -> PathBuf {
    targets::target_folder().join("wine")
}

/// What each program of Wine is told.
fn surround(command: &mut Command) {
    command
        .env("WINEPREFIX", prefix())
        .env("WINEDEBUG", "-all")
        // Neither the runtime for .NET nor the one for HTML is offered for download, nothing is put into the
        // user's menus, and no debugger keeps a process that crashed.
        .env(
            "WINEDLLOVERRIDES",
            "mscoree,mshtml,winemenubuilder.exe,winedbg.exe=",
        )
        // Snapshots are found by this, and never written there.
        .env("INSTA_WORKSPACE_ROOT", root())
        .env("INSTA_UPDATE", "no")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
}

/// Wine itself, its folder, and in it what it lacks.
fn wine() -> Result<String> {
    setup::debian_packages(&WINE)?;
    let prefix = prefix();
    let system = prefix.join("drive_c/windows/system32");
    if !system.join("kernel32.dll").exists() {
        fs::create_dir_all(&prefix)
            .with_context(|| format!("`{}` could not be created", prefix.display()))?;
        let mut boot = command(WINE_PROGRAM, &["wineboot", "--init"]);
        surround(&mut boot);
        silent(&mut boot)?;
        let mut wait = command(WINE_SERVER, &["--wait"]);
        surround(&mut wait);
        silent(&mut wait)?;
    }
    let (source, library) = (prefix.join("random.c"), system.join("bcryptprimitives.dll"));
    if !fs::read(&source).is_ok_and(|found| found == RANDOM.as_bytes()) || !library.exists() {
        let text = |path: &PathBuf| {
            path.to_str()
                .map(str::to_owned)
                .context("the target folder's path is not Unicode")
        };
        fs::write(&source, RANDOM).with_context(|| format!("`{}` could not be written", source.display()))?;
        let (from, to) = (text(&source)?, text(&library)?);
        let arguments = ["-shared", "-O2", "-s", "-o", &to, &from, "-ladvapi32"];
        quiet(&mut command("x86_64-w64-mingw32-gcc", &arguments))?;
    }
    Ok(quiet(&mut command(WINE_PROGRAM, &["--version"]))?
        .trim()
        .to_owned())
}

/// Runs a program of Wine that stays, or leaves some that stay: whoever waited for the end of its output would
/// wait for theirs.
fn silent(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.context("Wine could not be started")?;
    if !status.success() {
        bail!("Wine ended with {status}");
    }
    Ok(())
}

/// What all programs of Wine share. It stays between two of them, else each would wait for its start.
struct Server;

impl Server {
    fn start() -> Result<Self> {
        let mut server = command(WINE_SERVER, &["--persistent"]);
        surround(&mut server);
        silent(&mut server)?;
        // The first program starts Wine's services, which keep what it can write to. It has windows be made where
        // there is no screen: nobody sees them, and their messages come all the same.
        let key = r"HKCU\Software\Wine\Drivers";
        let mut first = command(
            WINE_PROGRAM,
            &["reg", "add", key, "/v", "Graphics", "/d", "null", "/f"],
        );
        surround(&mut first);
        silent(&mut first).map(|()| Self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut server = command(WINE_SERVER, &["--kill"]);
        surround(&mut server);
        // It ends those that a test that failed left behind as well. One that has gone already is no error.
        let _ = silent(&mut server);
    }
}
