//! Making a patch from one file to another. Nothing is written before all of the patch is made and
//! proven.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use moult_delta::{DiffError, DiffStats, Stage};
use moult_model::Digest;
use serde::Serialize;

use super::{PatchError, container, open};
use crate::interrupt::Interrupt;
use crate::output::{Size, seconds};
use crate::progress::Progress;

/// A patch that was made.
#[derive(Debug, Serialize)]
pub struct Made {
    path: String,
    format: u16,
    size: u64,
    digest: Digest,
    old_size: u64,
    new_size: u64,
    /// The patch's size over the new file's; 0 if that is empty.
    ratio: f64,
    /// Whether both files were read as executables.
    is_executable: bool,
    segments: u64,
    copied: u64,
    /// What it does with the containers, in format 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Inside>,
    seconds: f64,
}

/// What was found in two containers.
#[derive(Debug, Serialize)]
struct Inside {
    /// How many compressed streams the new one has that the old one has not.
    streams: usize,
    /// How many of them are rebuilt.
    rebuilt: usize,
    /// How many executables are patched on their own.
    executables: usize,
    /// The size of a patch between the files as they are.
    plain_patch: u64,
}

/// Makes a patch. One that stands there is replaced; anything else only if it may be.
pub fn make(
    [old, new, patch]: [&Path; 3],
    may_replace: bool,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Result<Made, PatchError> {
    let started = Instant::now();
    check_place(patch, may_replace)?;
    progress.stage("reading");
    let old_bytes = read("old file", old)?;
    let new_bytes = read("new file", new)?;
    let shown = Shown {
        progress,
        stage: AtomicU8::new(0),
    };
    let tell = |state| {
        shown.show(state);
        if interrupt.is_asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let mut bytes = Vec::new();
    let made = moult_delta::diff_with(&old_bytes, &new_bytes, &mut bytes, &tell);
    let stats = made.map_err(|source| match source {
        DiffError::Cancelled => PatchError::Interrupted,
        source => PatchError::Make {
            old: old.to_owned(),
            new: new.to_owned(),
            source: Box::new(source),
        },
    })?;
    // What is compressed, or holds executables, may differ less inside. An executable is no container
    // unless most of it is appended, as in an AppImage.
    let files = [(old, &old_bytes[..]), (new, &new_bytes[..])];
    let of_containers = if stats.executable_bytes * 2 > stats.new_bytes {
        None
    } else {
        container::make(files, bytes.len() as u64, &tell)?
    };
    let (bytes, container) = match of_containers {
        Some((patch, stats)) => (patch, Some(stats)),
        None => (bytes, None),
    };
    moult_durable::write_atomic(patch, &bytes).map_err(|source| PatchError::Place {
        path: patch.to_owned(),
        source,
    })?;
    let made = Made::of(patch, &bytes, &stats, seconds(started));
    Ok(match container {
        Some(container) => made.with(&container),
        None => made,
    })
}

/// The three files are easily confused: only a patch is replaced without being told to.
fn check_place(patch: &Path, may_replace: bool) -> Result<(), PatchError> {
    let there = || patch.to_owned();
    if patch.is_dir() {
        return Err(PatchError::Folder { path: there() });
    }
    // Told before minutes are spent.
    let folder = patch.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::metadata(folder).map_err(|source| PatchError::Create {
            path: there(),
            source,
        })?;
    }
    if may_replace || fs::symlink_metadata(patch).is_err() {
        return Ok(());
    }
    let mut magic = Vec::new();
    let read = File::open(patch).and_then(|file| file.take(8).read_to_end(&mut magic));
    if read.is_ok() && magic == crate::inspect::PATCH_MAGIC {
        Ok(())
    } else {
        Err(PatchError::NotAPatch { path: there() })
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, PatchError> {
    let mut file = open(what, path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(PatchError::read(what, path))?;
    Ok(bytes)
}

/// Shows how far it is. It is told from any thread, and very often.
struct Shown<'a> {
    progress: &'a Progress,
    /// Which stage is shown, 0 for none.
    stage: AtomicU8,
}

impl Shown<'_> {
    fn show(&self, state: moult_delta::Progress) {
        let (number, name) = match state.stage {
            Stage::Match { pass } => (pass.saturating_add(3), "searching what is alike"),
            Stage::Encode => (1, "coding"),
            Stage::Prove => (2, "proving"),
            _ => (u8::MAX, "working"),
        };
        if self.stage.swap(number, Ordering::Relaxed) != number {
            self.progress.bytes(name, state.total);
        }
        self.progress.reach(state.done);
    }
}

impl Made {
    fn of(path: &Path, bytes: &[u8], stats: &DiffStats, seconds: f64) -> Self {
        let ratio = bytes.len() as f64 / stats.new_bytes.max(1) as f64;
        Self {
            path: path.display().to_string(),
            format: stats.format,
            size: bytes.len() as u64,
            digest: Digest::of(bytes),
            old_size: stats.old_bytes,
            new_size: stats.new_bytes,
            ratio: if stats.new_bytes == 0 {
                0.0
            } else {
                (ratio * 1e6).round() / 1e6
            },
            is_executable: stats.executable,
            segments: stats.segments,
            copied: stats.copied_bytes,
            container: None,
            seconds,
        }
    }

    fn with(self, stats: &moult_containers::Stats) -> Self {
        Self {
            format: moult_containers::FORMAT,
            is_executable: stats.executables > 0,
            segments: stats.segments,
            copied: stats.copied_bytes,
            container: Some(Inside {
                streams: stats.streams,
                rebuilt: stats.rebuilt,
                executables: stats.executables,
                plain_patch: stats.plain_patch_bytes,
            }),
            ..self
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wrote {}", self.path)?;
        let share = self.ratio * 100.0;
        writeln!(
            f,
            "  patch      {:>10}  {} bytes, {share:.2} % of the new file",
            Size(self.size),
            self.size
        )?;
        writeln!(f, "  old file   {:>10}", Size(self.old_size))?;
        writeln!(f, "  new file   {:>10}", Size(self.new_size))?;
        if self.segments > 0 {
            let segments = self.segments;
            writeln!(
                f,
                "  copied     {:>10}  in {segments} segments",
                Size(self.copied)
            )?;
        }
        if let Some(inside) = &self.container {
            let Inside {
                streams,
                rebuilt,
                executables,
                plain_patch,
            } = inside;
            writeln!(f, "  rebuilt    {rebuilt:>10}  of {streams} compressed streams")?;
            writeln!(f, "  programs   {executables:>10}  patched on their own")?;
            writeln!(
                f,
                "  as it is   {:>10}  would be the patch without unpacking",
                Size(*plain_patch)
            )?;
        }
        let kind = if self.is_executable {
            ", as executables"
        } else {
            ""
        };
        writeln!(f, "  format     {:>10}{kind}", self.format)?;
        write!(f, "  time       {:>8.1} s", self.seconds)
    }
}
