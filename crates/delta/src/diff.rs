//! Making a patch: what is alike is found, described, coded, and proven. Refuses to know where the
//! files come from.

use std::io::{self, Cursor, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::align::Weights;
use crate::format2::encode;
use crate::matching::{PASSES, Pair};
use crate::{ApplyError, DiffError, Limits, apply, format1, format2};

/// What a patch is made of. All sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffStats {
    /// The number of its format.
    pub format: u16,
    /// The size of the old file.
    pub old_bytes: u64,
    /// The size of the new file.
    pub new_bytes: u64,
    /// The size of the patch.
    pub patch_bytes: u64,
    /// Whether both files were read as executables.
    pub executable: bool,
    /// How many bytes of the new file are the executable's own: what is appended to it is not.
    pub executable_bytes: u64,
    /// How many segments are copied; 0 in format 1.
    pub segments: u64,
    /// How many bytes of the new file are copied, with corrections; 0 in format 1.
    pub copied_bytes: u64,
}

/// How far making a patch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of the stage is done, in bytes.
    pub done: u64,
    /// How much there is to do, in bytes.
    pub total: u64,
}

/// What is done while a patch is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// What is alike is searched for, for the `pass`th time, counted from 0.
    Match {
        /// Which time.
        pass: u8,
    },
    /// The patch is coded.
    Encode,
    /// The patch is applied, to prove it.
    Prove,
}

/// Makes a patch that leads from `old` to `new`. The same files give the same patch, on any number
/// of cores.
///
/// The patch is applied before it is written: what is written works. Needs up to 6 bytes of memory
/// for each byte of both files, these included, and not less than 64 MiB. Files of 4 GiB and more, and
/// old files of 2 GiB and more, get a patch of format 1.
pub fn diff(old: &[u8], new: &[u8], out: &mut impl Write) -> Result<DiffStats, DiffError> {
    diff_with(old, new, out, &|_| ControlFlow::Continue(()))
}

/// As [`diff`], and tells how far it has come, from any thread. `Break` gives up, and nothing is
/// written.
pub fn diff_with(
    old: &[u8],
    new: &[u8],
    out: &mut impl Write,
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<DiffStats, DiffError> {
    let mut stats = DiffStats {
        format: format2::FORMAT,
        old_bytes: old.len() as u64,
        new_bytes: new.len() as u64,
        patch_bytes: 0,
        executable: false,
        executable_bytes: 0,
        segments: 0,
        copied_bytes: 0,
    };
    if i32::try_from(old.len()).is_err() || u32::try_from(new.len()).is_err() {
        let mut patch = Vec::new();
        format1::diff(old, new, &mut patch)?;
        stats.format = format1::FORMAT;
        stats.patch_bytes = patch.len() as u64;
        out.write_all(&patch).map_err(DiffError::Write)?;
        return Ok(stats);
    }
    let pair = Pair::new(old, new);
    stats.executable = pair.is_executable();
    stats.executable_bytes = pair.executable_bytes();
    let mut best: Option<Vec<u8>> = None;
    for weights in choices(stats.executable) {
        let description = pair.describe(weights, &|pass, done, total| {
            debug_assert!(pass < PASSES, "a pass too many");
            let stage = Stage::Match { pass: pass as u8 };
            progress(Progress { stage, done, total })
        })?;
        let mut done = 0;
        let patch = encode(old, new, &description, |bytes| {
            done += u64::from(bytes);
            let (stage, total) = (Stage::Encode, new.len() as u64);
            progress(Progress { stage, done, total }).is_continue()
        })?;
        if best.as_ref().is_none_or(|best| patch.len() < best.len()) {
            let lengths = description
                .segments
                .iter()
                .map(|segment| u64::from(segment.length));
            stats.segments = description.segments.len() as u64;
            stats.copied_bytes = lengths.sum();
            best = Some(patch);
        }
    }
    let patch = best.ok_or(DiffError::Engine)?;
    prove(old, new, &patch, progress)?;
    stats.patch_bytes = patch.len() as u64;
    out.write_all(&patch).map_err(DiffError::Write)?;
    Ok(stats)
}

/// Which weights are tried. New text can be cheaper than a copy, or not: that shows only when both
/// were coded.
fn choices(executable: bool) -> &'static [Weights] {
    if executable {
        &[Weights::DEFAULT]
    } else {
        &[Weights::DEFAULT, Weights::TEXT]
    }
}

/// Applies the patch and compares what comes out.
fn prove(
    old: &[u8],
    new: &[u8],
    patch: &[u8],
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<(), DiffError> {
    let limits = Limits {
        output_bytes: new.len() as u64,
        patch_bytes: patch.len() as u64,
    };
    let done = AtomicU64::new(0);
    let mut compared = Compared {
        rest: new,
        watch: |bytes| {
            let done = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            let (stage, total) = (Stage::Prove, new.len() as u64);
            progress(Progress { stage, done, total }).is_continue()
        },
        cancelled: false,
    };
    let applied = apply(&mut Cursor::new(old), patch, &mut compared, limits);
    if compared.cancelled {
        return Err(DiffError::Cancelled);
    }
    applied
        .map(|_| ())
        .map_err(|error| DiffError::SelfCheck(Box::new(error)))
}

/// Takes bytes only if they are the expected ones.
struct Compared<'a, F> {
    rest: &'a [u8],
    watch: F,
    cancelled: bool,
}

impl<F: FnMut(u64) -> bool> Write for Compared<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !(self.watch)(bytes.len() as u64) {
            self.cancelled = true;
            return Err(io::Error::other("cancelled"));
        }
        match self.rest.strip_prefix(bytes) {
            Some(rest) => self.rest = rest,
            None => return Err(io::Error::other(ApplyError::Trailing)),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
