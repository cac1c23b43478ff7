//! A display to draw on: one of our own without a monitor, or the one of the person who watches.

use std::io::{BufRead as _, BufReader};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use crate::processes::Guard;

/// A display. One of our own ends when this is dropped.
#[derive(Debug)]
pub struct Display {
    name: String,
    // Dropped in this order: who needs the server before the server.
    manager: Option<Guard>,
    _server: Option<Guard>,
}

impl Display {
    /// Starts an X server without a monitor on a free display.
    pub fn own() -> anyhow::Result<Self> {
        Self::start(None)
    }

    /// The same, with its frame buffer as a file in this folder.
    pub fn with_frame_buffer(folder: &Path) -> anyhow::Result<Self> {
        Self::start(Some(folder))
    }

    /// Starts a small window manager on it, and waits until that manages windows.
    pub fn manage(&mut self) -> anyhow::Result<()> {
        let manager = self
            .command("openbox")
            .arg("--sm-disable")
            .stdout(Stdio::null())
            .spawn();
        let manager = manager.context("`openbox` could not be started; install the package openbox")?;
        self.manager = Some(Guard::new(manager));
        for _ in 0..100 {
            let answer = self
                .command("xprop")
                .args(["-root", "_NET_SUPPORTING_WM_CHECK"])
                .output();
            let answer = answer.context("`xprop` could not be started; install the package x11-utils")?;
            if String::from_utf8_lossy(&answer.stdout).contains("window id") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("openbox did not take the display {}", self.name)
    }

    fn start(frame_buffer: Option<&Path>) -> anyhow::Result<Self> {
        let (reader, writer) = std::io::pipe().context("a pipe could not be made")?;
        rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty())
            .context("a pipe could not be handed on")?;
        let mut command = Command::new("Xvfb");
        if let Some(folder) = frame_buffer {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            command.arg("-fbdir").arg(folder);
        }
        let server = command
            .args(["-displayfd", &writer.as_raw_fd().to_string()])
            .args(["-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb could not be started; install the package xvfb")?;
        let server = Guard::new(server);
        drop(writer);
        let mut number = String::new();
        BufReader::new(reader)
            .read_line(&mut number)
            .context("Xvfb did not say which display it took")?;
        let number = number.trim();
        anyhow::ensure!(!number.is_empty(), "Xvfb ended at once");
        Ok(Self {
            name: format!(":{number}"),
            manager: None,
            _server: Some(server),
        })
    }

    /// The display this process was given, if any.
    pub fn given() -> Option<Self> {
        let name = std::env::var("DISPLAY").ok().filter(|name| !name.is_empty())?;
        Some(Self {
            name,
            manager: None,
            _server: None,
        })
    }

    /// Its name, for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a picture of the whole display.
    pub fn picture(&self, path: &Path) -> anyhow::Result<PathBuf> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let status = self
            .command("import")
            .args(["-window", "root"])
            .arg(path)
            .status();
        let status = status.context("`import` could not be started; install the package imagemagick")?;
        anyhow::ensure!(
            status.success(),
            "`import` could not take a picture of display {}",
            self.name
        );
        Ok(path.to_owned())
    }

    /// The ids of the visible windows with this text in their title.
    pub fn windows(&self, title: &str) -> anyhow::Result<Vec<String>> {
        let output = self
            .command("xdotool")
            .args(["search", "--onlyvisible", "--name", title])
            .output();
        let output = output.context("`xdotool` could not be started; install the package xdotool")?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Gives a window the keyboard and presses a key in it.
    pub fn press(&self, window: &str, key: &str) -> anyhow::Result<()> {
        let status = self
            .command("xdotool")
            .args(["windowfocus", "--sync", window, "key", key])
            .status();
        anyhow::ensure!(
            status.context("`xdotool` could not be started")?.success(),
            "the key {key} was not pressed"
        );
        Ok(())
    }

    /// Moves the pointer and clicks, as a hand does.
    pub fn click(&self, x: f64, y: f64) -> anyhow::Result<()> {
        let place = [format!("{x:.0}"), format!("{y:.0}")];
        let status = self
            .command("xdotool")
            .args(["mousemove", &place[0], &place[1], "click", "1"])
            .status();
        anyhow::ensure!(
            status.context("`xdotool` could not be started")?.success(),
            "nothing was clicked at {place:?}"
        );
        Ok(())
    }

    /// Starts to type where the keyboard is, a key at a time with this many milliseconds between.
    pub fn begin_typing(&self, text: &str, pause_ms: u32) -> anyhow::Result<Child> {
        self.command("xdotool")
            .args(["type", "--delay", &pause_ms.to_string(), text])
            .spawn()
            .context("`xdotool` could not be started")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.name)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}
