//! A publisher's folder, made anew for each test, and ways to run `moult` in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The clock of every command that does not say otherwise.
pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";
pub(crate) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A publisher's folder.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    /// A folder with a configuration, the widgets and the shell, built; no keys yet.
    pub(crate) fn new() -> Result<Self> {
        let desk = Self {
            folder: tempfile::tempdir()?,
        };
        desk.write(
            "release.config.json",
            serde_json::to_string_pretty(&configuration())?,
        )?;
        desk.bundle("widgets/clock", "w/moult/clock", "1.0.0", 0)?;
        desk.bundle("shell", "shell", "1.0.0", 0)?;
        Ok(desk)
    }

    /// The same, with keys and a repository.
    pub(crate) fn with_keys() -> Result<Self> {
        let desk = Self::new()?;
        desk.moult(&["keys", "init"])?.done()?;
        Ok(desk)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>> {
        let path = self.path(path);
        std::fs::read(&path).with_context(|| path.display().to_string())
    }

    /// Writes a built bundle. `seed` changes a few of its bytes.
    pub(crate) fn bundle(&self, folder: &str, id: &str, version: &str, seed: u64) -> Result<()> {
        let kind = if id == "shell" { "shell" } else { "widget" };
        let manifest = json!({
            "kind": kind, "id": id, "version": version, "name": "Test bundle",
            "entry": { "ui": "index.html" },
            "host_api": { "min": 1, "max": 1 },
            "state": { "schema": 2, "reads_from": 1 },
            "permissions": [{ "capability": "system.figures", "reason": "It draws them." }],
        });
        self.write(
            &format!("{folder}/moult.json"),
            serde_json::to_string_pretty(&manifest)?,
        )?;
        self.write(&format!("{folder}/index.html"), format!("<p>{seed}</p>"))?;
        self.write(
            &format!("{folder}/assets/picture.bin"),
            executable(7, 20_000, seed),
        )
    }

    /// Runs `moult` in the folder.
    pub(crate) fn moult(&self, args: &[&str]) -> Result<Ran> {
        self.moult_at(NOW, args)
    }

    pub(crate) fn moult_at(&self, now: &str, args: &[&str]) -> Result<Ran> {
        self.moult_with(&[], now, args)
    }

    /// Runs `moult` with variables in its environment; those of the test's own do not reach it.
    pub(crate) fn moult_with(&self, variables: &[(&str, &str)], now: &str, args: &[&str]) -> Result<Ran> {
        let output = Command::new(env!("CARGO_BIN_EXE_moult"))
            .env_remove("MOULT_PASSPHRASE")
            .envs(variables.iter().copied())
            .args(args)
            .args(["--now", now])
            .current_dir(self.folder.path())
            .output()?;
        Ok(Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// Runs `moult` with `--json` and returns the object it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let ran = self.moult(&[args, &["--json"]].concat())?.done()?;
        ensure!(
            ran.stdout.lines().count() == 1,
            "one line of JSON: {}",
            ran.stdout
        );
        Ok(serde_json::from_str(&ran.stdout)?)
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, pointer: &str, value: Value) -> Result<()> {
        let mut config: Value = serde_json::from_slice(&self.read("release.config.json")?)?;
        let (parent, name) = pointer.rsplit_once('/').context("a pointer has a /")?;
        let parent = config
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .context("an object")?;
        parent.insert(name.to_owned(), value);
        self.write("release.config.json", serde_json::to_string_pretty(&config)?)
    }

    /// Every file below a folder, by its path in it.
    pub(crate) fn files(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        let top = self.path(folder);
        collect(&top, &top, &mut found)?;
        Ok(found)
    }

    /// Compares what a command did with the stored snapshot, without what differs from run to run.
    pub(crate) fn snapshot(&self, name: &str, ran: &Ran) {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        if cfg!(windows) {
            // Before a path that was made whole.
            settings.add_filter(r"\\\\\?\\", "");
        }
        for folder in [
            Some(self.folder.path().to_owned()),
            self.folder.path().canonicalize().ok(),
        ] {
            if let Some(folder) = folder.as_ref().and_then(|folder| folder.to_str()) {
                settings.add_filter(&as_pattern(folder), "[DESK]");
            }
        }
        if cfg!(windows) {
            // Paths are shown as they are written there.
            settings.add_filter(r"\\", "/");
            settings.add_filter(r"\bmoult\.exe\b", "moult");
            // Windows says it in its own words and Wine in others; both have their numbers. What is missing may be
            // the file, or a folder on the way to it.
            settings.add_filter(
                r": [^:\n]+ \(os error [23]\)",
                ": No such file or directory (os error 2)",
            );
            settings.add_filter(
                r": [^:\n]+ \(os error 10048\)",
                ": Address already in use (os error 98)",
            );
        }
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[DIGEST]");
        settings.add_filter(r"\b[0-9a-f]{16}\b", "[KEY]");
        settings.add_filter(r"\b[0-9a-f]{8}\b", "[SHORT]");
        settings.add_filter(r"\bdW50cnVzdGVk[A-Za-z0-9+/=]+", "[MINISIGN]");
        settings.add_filter(r#""seconds":[0-9.]+"#, r#""seconds":0"#);
        settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
        settings.add_filter(r"on port \d+", "on port [PORT]");
        // Compressors get better; what sizes must be is asserted where it matters.
        settings.add_filter(r" *\b\d+(\.\d)? (B|kB|MB)\b", " [SIZE]");
        settings.add_filter(r"\d+\.\d % of", "[SHARE] of");
        settings.add_filter(r" *\b\d+ bytes, \d+\.\d+ % of", " [BYTES], [SHARE] of");
        settings.add_filter(r"\b\d+ segments", "[COUNT] segments");
        settings.add_filter(r" *\b\d+\.\d s\b", " [TIME]");
        settings.add_filter(
            r#""(size|full_size|index_size|patch_size|framing|control|body|segments|copied|new)":\d+"#,
            r#""$1":0"#,
        );
        settings.add_filter(r#""ratio":[0-9.]+"#, r#""ratio":0"#);
        settings.bind(|| insta::assert_snapshot!(name, ran.to_string()));
    }
}

impl Ran {
    /// The command must have ended well.
    pub(crate) fn done(self) -> Result<Self> {
        ensure!(self.code == Some(0), "{self}");
        Ok(self)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!(
            "exit: {}\n",
            self.code.map_or("none".to_owned(), |code| code.to_string())
        );
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            write!(text, "--- {name}\n{stream}")?;
        }
        f.write_str(&text)
    }
}

fn configuration() -> Value {
    json!({
        "product": { "name": "Moult", "identifier": "dev.moult.app" },
        "repository": { "folder": "dist/repository", "url": "https://updates.example/" },
        "keys": "keys",
        "targets": [TRIPLE, "aarch64-apple-darwin"],
        "channels": ["stable", "beta", "nightly"],
        "patches": { "versions_back": 3, "folder": "patches/out" },
        "app": { "executable": "target/{target}/app", "shell": "shell" },
        "widgets": { "moult/clock": "widgets/clock" },
    })
}

/// Bytes that look like nothing in particular, and of which `edits` changes one in a thousand.
pub(crate) fn executable(seed: u64, length: usize, edits: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..length).map(|_| (next() >> 32) as u8).collect();
    if edits > 0 {
        for at in (0..length).step_by(1000) {
            bytes[at] = bytes[at].wrapping_add(edits as u8);
        }
    }
    bytes
}

fn collect(top: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(top, &path, found)?;
        } else {
            let name = path.strip_prefix(top)?.to_string_lossy().replace('\\', "/");
            found.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(())
}

/// A text as a pattern that means it and nothing else.
fn as_pattern(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || !letter.is_ascii();
    text.chars()
        .flat_map(|letter| (!is_plain(letter)).then_some('\\').into_iter().chain([letter]))
        .collect()
}
