//! An installed copy of the product, and a start of it through the launcher.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use moult_model::{Digest, Settings};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::json;

use crate::display::Display;
use crate::fixtures::Fixtures;
use crate::processes::{self, Guard};

/// An install folder with a data folder beside the launcher.
#[derive(Clone, Debug)]
pub struct Install {
    folder: PathBuf,
}

/// A start of the installed product. It and all its processes end when this is dropped.
#[derive(Debug)]
pub struct Running {
    launcher: Guard,
    data: PathBuf,
    errors: PathBuf,
}

/// Where one start of the application lets itself be driven: `run/inspector.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Inspector {
    /// The port on the loopback address.
    pub port: u16,
    /// The slot that was started.
    pub slot: String,
    /// Tells one start from another.
    pub start: serde_json::Value,
}

impl Install {
    /// Installs a version with these settings into `folder`, which is created.
    pub fn new(
        fixtures: &Fixtures,
        folder: &Path,
        version: &str,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let install = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(install.data()).with_context(|| folder.display().to_string())?;
        let executable = folder.join("moult-app");
        fs::copy(fixtures.launcher(), folder.join("moult")).context("the launcher could not be installed")?;
        fs::copy(fixtures.app(version), &executable).context("the application could not be installed")?;
        fs::copy(fixtures.sandbox(), folder.join("moult-sandbox"))
            .context("the program for widget logic could not be installed")?;
        let (digest, _) = Digest::of_reader(&mut fs::File::open(&executable)?)?;
        let about = json!({ "version": version, "digest": digest });
        fs::write(folder.join("moult-app.json"), serde_json::to_vec_pretty(&about)?)?;
        install.set_settings(settings)?;
        Ok(install)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data root.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The launcher: what the user starts.
    pub fn launcher(&self) -> PathBuf {
        self.folder.join("moult")
    }

    /// Writes the settings file. The application reads it when it starts.
    pub fn set_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        let path = self.data().join("settings.json");
        fs::write(&path, serde_json::to_vec_pretty(settings)?).with_context(|| path.display().to_string())
    }

    /// Starts the product. Web data, caches and sockets stay inside the folder.
    pub fn start(&self, display: &Display) -> anyhow::Result<Running> {
        let home = self.folder.join("home");
        let errors = self.folder.join("stderr.txt");
        let mut command = Command::new(self.launcher());
        for (name, part) in [
            ("XDG_DATA_HOME", "share"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "runtime"),
        ] {
            let folder = home.join(part);
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            command.env(name, folder);
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(home.join("runtime"), private)?;
        let file = fs::OpenOptions::new().create(true).append(true).open(&errors)?;
        let child = command
            .current_dir(&self.folder)
            .env("DISPLAY", display.name())
            .env("GDK_BACKEND", "x11")
            .env("MOULT_AUTOMATION", "1")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LANG", "C.UTF-8")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("the launcher could not be started")?;
        Ok(Running {
            launcher: Guard::new(child),
            data: self.data(),
            errors,
        })
    }
}

impl Running {
    /// The launcher's process id.
    pub fn launcher_id(&self) -> u32 {
        self.launcher.id()
    }

    /// How the launcher ended, if it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.launcher.child().try_wait().ok().flatten()
    }

    /// How the present start lets itself be driven.
    pub fn inspector(&self) -> anyhow::Result<Inspector> {
        let path = self.data.join("run/inspector.json");
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// The processes of the application and its web engine; the launcher is not among them.
    pub fn processes(&self) -> Vec<u32> {
        processes::with_environment("MOULT_DATA", &self.data)
    }

    /// Ends it as a user's session does: SIGTERM to the launcher, which passes it on.
    pub fn end(&mut self) {
        self.launcher.end(Duration::from_secs(10));
        self.end_rest();
    }

    /// The last lines of everything it wrote, for messages.
    pub fn tail(&self, lines: usize) -> String {
        let mut parts = Vec::new();
        let log = self.data.join("log");
        for path in [self.errors.clone(), log.join("launcher.log"), log.join("app.log")] {
            let content = fs::read_to_string(&path).unwrap_or_default();
            let all: Vec<&str> = content.lines().collect();
            parts.push(format!("--- {}", path.display()));
            parts.extend(
                all.iter()
                    .skip(all.len().saturating_sub(lines))
                    .map(|line| brief(line)),
            );
        }
        parts.join("\n")
    }

    fn end_rest(&self) {
        for id in self.processes() {
            processes::signal(id, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// The fields of a line of the application's log without what every line has; other lines as they are.
fn brief(line: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
    match (&parsed["timestamp"], &parsed["fields"]) {
        (serde_json::Value::String(at), serde_json::Value::Object(fields)) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ");
            let subject = parsed["span"]["subject"].as_str().unwrap_or_default();
            format!(
                "{} {} {subject} {fields}",
                at.get(11..23).unwrap_or(at),
                parsed["level"].as_str().unwrap_or_default()
            )
        }
        _ => line.to_owned(),
    }
}
