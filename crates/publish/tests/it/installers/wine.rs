//! The installer for Windows, installed under Wine: its programs are for 64 bits, as Debian's wine64 is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{WINDOWS, desk, has, left_out, make};

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// A Windows of its own, which ends with the test.
struct Windows {
    folder: tempfile::TempDir,
}

impl Windows {
    fn new() -> Result<Self> {
        let windows = Self {
            folder: tempfile::tempdir()?,
        };
        windows.run(&["wineboot", "--init"])?;
        windows.wait()?;
        Ok(windows)
    }

    /// Runs a program to its end. Its output goes nowhere: what stays behind would keep it open.
    fn run(&self, words: &[&str]) -> Result<()> {
        let status = self.command(WINE).args(words).status()?;
        ensure!(status.success(), "{words:?}: {status}");
        Ok(())
    }

    /// Until all programs have ended: an uninstaller goes on in a copy of itself.
    fn wait(&self) -> Result<()> {
        let status = self.command(SERVER).arg("--wait").status()?;
        ensure!(status.success(), "{status}");
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("WINEPREFIX", self.folder.path())
            .env("WINEDEBUG", "-all")
            .env(
                "WINEDLLOVERRIDES",
                "mscoree,mshtml,winemenubuilder.exe,winedbg.exe=",
            )
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn user(&self) -> Result<PathBuf> {
        let users = self.folder.path().join("drive_c/users");
        let mut found = std::fs::read_dir(users)?.flatten().map(|entry| entry.path());
        found.find(|path| !path.ends_with("Public")).context("a user")
    }

    /// The registry of the user, as Wine keeps it.
    fn registry(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("user.reg"))?)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        // One that has gone already is no error.
        let _ = self.command(SERVER).arg("--kill").status();
    }
}

#[test]
fn an_nsis_installer_installs_without_an_administrator_and_leaves_what_the_user_made() -> Result<()> {
    if !has("makensis") {
        return Ok(());
    }
    let desk = desk()?;
    make(&desk, WINDOWS, "nsis")?;
    let setup = desk
        .path("dist/installers/1.2.3")
        .join(WINDOWS)
        .join("Moult-1.2.3-x64-setup.exe");
    ensure!(std::fs::read(&setup)?.starts_with(b"MZ"));
    if !Path::new(WINE).exists() {
        left_out("wine64");
        return Ok(());
    }
    let windows = Windows::new()?;
    let setup = setup.to_str().context("text")?;
    windows.run(&[setup, "/S"])?;
    windows.wait()?;
    let local = windows.user()?.join("AppData/Local");
    let program = local.join("Programs/Moult");
    assert_eq!(
        std::fs::read(program.join("moult-app.exe"))?,
        desk.read("target/app.exe")?
    );
    assert_eq!(
        std::fs::read(program.join("moult.exe"))?,
        desk.read("companions/moult-launcher.exe")?
    );
    let label: Value = serde_json::from_slice(&std::fs::read(program.join("moult-app.json"))?)?;
    assert_eq!(label["version"], "1.2.3");
    assert_eq!(label["format"], "nsis");
    let registry = windows.registry()?;
    for part in [
        "Uninstall\\\\dev.moult.app]",
        "Classes\\\\moult\\\\shell\\\\open\\\\command]",
        "\"DisplayVersion\"=\"1.2.3\"",
    ] {
        ensure!(registry.contains(part), "{part}");
    }
    // Again over it, as an update does.
    windows.run(&[setup, "/S"])?;
    windows.wait()?;
    // What Moult and its user have made since.
    let data = local.join("Moult");
    std::fs::create_dir_all(data.join("versions/1.3.0"))?;
    std::fs::write(data.join("settings.json"), "{}")?;
    std::fs::write(program.join("notes of the user.txt"), "mine")?;
    let uninstall = program.join("uninstall.exe");
    windows.run(&[uninstall.to_str().context("text")?, "/S"])?;
    windows.wait()?;
    let left: Vec<_> = std::fs::read_dir(&program)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["notes of the user.txt"]);
    ensure!(data.join("settings.json").exists() && !data.join("versions").exists());
    let registry = windows.registry()?;
    ensure!(
        !registry.contains("Uninstall\\\\dev.moult.app]") && !registry.contains("Classes\\\\moult\\\\shell")
    );
    Ok(())
}
