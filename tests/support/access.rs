//! What the server was asked for: the proof of what went over the wire.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

/// One answer of the server.
#[derive(Clone, Debug, Deserialize)]
pub struct Access {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path as it was asked for.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The bytes of its body that were sent.
    pub bytes: u64,
    /// The `Range` header of the request.
    pub range: Option<String>,
}

/// The server's access log.
#[derive(Clone, Debug)]
pub struct AccessLog {
    path: PathBuf,
}

/// A place in an access log.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

/// What went over the wire between two moments.
#[derive(Clone, Debug)]
pub struct Traffic(Vec<Access>);

impl AccessLog {
    /// The log in this file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All answers so far.
    pub fn all(&self) -> anyhow::Result<Vec<Access>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| self.path.display().to_string()),
        };
        // The last line may be half written at this moment.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line).with_context(|| format!("the access log has the line {line:?}"))
            })
            .collect()
    }

    /// This moment.
    pub fn mark(&self) -> anyhow::Result<Mark> {
        Ok(Mark(self.all()?.len()))
    }

    /// What was asked for since then.
    pub fn since(&self, mark: Mark) -> anyhow::Result<Traffic> {
        Ok(Traffic(self.all()?.split_off(mark.0)))
    }

    /// The last answers, a line each, for messages.
    pub fn tail(&self, lines: usize) -> String {
        let mut all = self.all().unwrap_or_default();
        // Checks that found nothing new come every second and tell nothing.
        all.retain(|access| {
            access.status != 304 && !(access.status == 404 && access.path.ends_with(".root.json"))
        });
        let tail = all.iter().skip(all.len().saturating_sub(lines));
        tail.map(
            |Access {
                 method,
                 path,
                 status,
                 bytes,
                 ..
             }| format!("{method} {path} -> {status} ({bytes} bytes)"),
        )
        .collect::<Vec<_>>()
        .join("\n")
    }
}

impl Traffic {
    /// The answers.
    pub fn answers(&self) -> &[Access] {
        &self.0
    }

    /// How often this path below `targets/` was asked for, whatever the answer.
    pub fn requests(&self, target: &str) -> usize {
        self.of(target).count()
    }

    /// The body bytes that were sent for this path below `targets/`.
    pub fn bytes(&self, target: &str) -> u64 {
        self.of(target).map(|access| access.bytes).sum()
    }

    /// How many files of artifacts (full files and patches) were asked for.
    pub fn artifact_requests(&self) -> usize {
        self.0
            .iter()
            .filter(|access| access.path.contains("/files/"))
            .count()
    }

    /// How often the timestamp was asked for: each check asks once.
    pub fn checks(&self) -> usize {
        self.0
            .iter()
            .filter(|access| access.path.ends_with("/metadata/timestamp.json"))
            .count()
    }

    fn of<'a>(&'a self, target: &str) -> impl Iterator<Item = &'a Access> {
        let path = format!("/targets/{target}");
        self.0.iter().filter(move |access| access.path == path)
    }
}
