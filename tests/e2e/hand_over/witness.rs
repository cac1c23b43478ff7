//! Somebody who looks all the time whether there is a window, and asks the local interface.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use moult_tests::scene::{PATIENCE, Scene};
use serde::Deserialize;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks and asks until it is ended.
pub(crate) struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) looks: u32,
    /// How many of the looks found no window of the application.
    pub(crate) without_window: u32,
    /// Requests without the answer 200, with what came in its place.
    pub(crate) refused: Vec<String>,
    pub(crate) ports: BTreeSet<u16>,
    /// The versions that answered, one for each change.
    pub(crate) versions: Vec<String>,
}

/// What the application says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) writes: bool,
}

#[derive(Deserialize)]
struct Found {
    port: u16,
    token: String,
}

impl Witness {
    pub(crate) fn begin(scene: &Scene) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&stop);
        let file = place(scene);
        let display = scene.display().name().to_owned();
        found(&file)?;
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !ends.load(Ordering::Relaxed) {
                seen.look(&file, &display);
                std::thread::sleep(PAUSE);
            }
            seen
        });
        Ok(Self { stop, thread })
    }

    pub(crate) fn end(self) -> anyhow::Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the witness failed")
    }
}

impl Seen {
    fn look(&mut self, file: &Path, display: &str) {
        self.looks += 1;
        // A look walks through all windows one by one. One that goes meanwhile ends it with nothing, though another
        // stands; so what finds none looks again. The frame buffer is watched closer by `cargo xtask bench restart`.
        if !has_window(display) && !has_window(display) {
            self.without_window += 1;
        }
        match ask(file) {
            Ok((port, status)) => {
                self.ports.insert(port);
                if self.versions.last() != Some(&status.version) {
                    self.versions.push(status.version);
                }
            }
            Err(error) => self.refused.push(format!("{error:#}")),
        }
    }
}

/// What the application says now.
pub(crate) fn status(scene: &Scene) -> anyhow::Result<Status> {
    Ok(ask(&place(scene))?.1)
}

fn place(scene: &Scene) -> PathBuf {
    scene.install().data().join("run/api.json")
}

fn found(file: &Path) -> anyhow::Result<Found> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn ask(file: &Path) -> anyhow::Result<(u16, Status)> {
    let Found { port, token } = found(file)?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("nobody listens")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    let body = answer.split("\r\n\r\n").nth(1).context("no body")?;
    Ok((port, serde_json::from_str(body)?))
}

/// Whether a window of the application is mapped. A look that could not be made counts as none.
fn has_window(display: &str) -> bool {
    Command::new("xdotool")
        .args(["search", "--onlyvisible", "--name", "^Moult$"])
        .env("DISPLAY", display)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| !output.stdout.is_empty())
}
