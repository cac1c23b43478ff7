//! Applying a patch: the old file is read where it is needed and the new one written once, so that
//! neither is ever whole in memory. No thread is started: its stack would count as memory, too.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use moult_delta::{ApplyError, Limits};
use moult_model::Digest;
use serde::Serialize;

use super::new_file::{NewFile, exists};
use super::{PatchError, container, header, is_of_containers, open};
use crate::interrupt::Interrupt;
use crate::output::{Size, seconds};
use crate::progress::Progress;

/// What is applied to what.
#[derive(Debug)]
pub struct Apply<'a> {
    /// The old file.
    pub old: &'a Path,
    /// The patch.
    pub patch: &'a Path,
    /// Where the new file is to stand.
    pub out: &'a Path,
    /// Whether what stands there may be replaced.
    pub may_replace: bool,
    /// The new file's size, if it is known from a source that is trusted.
    pub size: Option<u64>,
    /// The new file's digest, if it is known from a source that is trusted.
    pub digest: Option<Digest>,
}

/// What was applied.
#[derive(Debug, Serialize)]
pub struct Applied {
    path: String,
    format: u16,
    size: u64,
    digest: Digest,
    patch_size: u64,
    /// Whether the digest was compared with a trusted one.
    is_trusted: bool,
    seconds: f64,
}

/// Writes the new file.
pub fn apply(task: &Apply<'_>, progress: &Progress, interrupt: &Interrupt) -> Result<Applied, PatchError> {
    let started = Instant::now();
    if task.out.is_dir() {
        return Err(PatchError::Folder {
            path: task.out.to_owned(),
        });
    }
    if !task.may_replace && exists(task.out) {
        return Err(PatchError::Exists {
            path: task.out.to_owned(),
        });
    }
    let mut old = open("old file", task.old)?;
    let mut patch = open("patch", task.patch)?;
    let patch_size = patch
        .metadata()
        .map_err(PatchError::read("patch", task.patch))?
        .len();
    let is_of_containers = is_of_containers(task.patch, &mut patch)?;
    let (format, announced) = if is_of_containers {
        let header = container::header(task.patch, &mut patch)?;
        (moult_containers::FORMAT, header.new.bytes)
    } else {
        let header = header(task.patch, &mut patch)?;
        (header.format, header.new.bytes)
    };
    // Without a trusted size the patch's own word is all there is; its result is as good as that word.
    let size = task.size.unwrap_or(announced);
    progress.bytes("applying", size);
    let mut out = Watched {
        file: NewFile::begin(task.out)?,
        written: 0,
        progress,
        interrupt,
    };
    let limits = Limits::exactly(size);
    let applied = if is_of_containers {
        container::apply(task, &mut old, patch, &mut out, limits)
    } else {
        apply_plain(task, &mut old, patch, &mut out, limits)
    };
    let (bytes, sha256) = applied.map_err(|error| match error {
        _ if interrupt.is_asked() => PatchError::Interrupted,
        error => error,
    })?;
    let digest = Digest::from_bytes(sha256);
    if let Some(expected) = task.digest
        && expected != digest
    {
        return Err(PatchError::Untrusted {
            patch: task.patch.to_owned(),
            expected,
            found: digest,
        });
    }
    out.file.place(old, task.may_replace)?;
    Ok(Applied {
        path: task.out.display().to_string(),
        format,
        size: bytes,
        digest,
        patch_size,
        is_trusted: task.digest.is_some(),
        seconds: seconds(started),
    })
}

/// Applies a patch of the delta crate, and tells the new file's length and hash.
fn apply_plain(
    task: &Apply<'_>,
    old: &mut File,
    patch: File,
    out: &mut impl Write,
    limits: Limits,
) -> Result<(u64, [u8; 32]), PatchError> {
    let applied = moult_delta::apply(old, patch, out, limits);
    let applied = applied.map_err(|source| match source {
        ApplyError::New(source) => PatchError::write(task.out)(source),
        source => PatchError::Apply {
            patch: task.patch.to_owned(),
            old: task.old.to_owned(),
            source: Box::new(source),
        },
    })?;
    Ok((applied.bytes, applied.sha256))
}

/// Says how far writing is, and stops where somebody asks for it.
struct Watched<'a> {
    file: NewFile,
    written: u64,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.interrupt.is_asked() {
            return Err(io::Error::other("interrupted"));
        }
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        self.progress.reach(self.written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wrote {}", self.path)?;
        let known = if self.is_trusted { ", as expected" } else { "" };
        writeln!(
            f,
            "  new file   {:>10}  sha256 {}{known}",
            Size(self.size),
            self.digest
        )?;
        writeln!(
            f,
            "  patch      {:>10}  format {}",
            Size(self.patch_size),
            self.format
        )?;
        write!(f, "  time       {:>8.1} s", self.seconds)
    }
}
