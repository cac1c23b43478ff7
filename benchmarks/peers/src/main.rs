//! The diff crates that `cargo xtask bench delta` measures, each as a program of its own kind: read two
//! files, write one. What they are measured for is theirs; nothing here is clever on their behalf.
//!
//! `delta-peers qbsdiff|bidiff diff OLD NEW PATCH` and `delta-peers qbsdiff|bidiff apply OLD PATCH NEW`

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use qbsdiff::{Bsdiff, Bspatch, ParallelScheme};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["qbsdiff", "diff", old, new, patch] => qbsdiff_diff(old, new, patch),
        ["qbsdiff", "apply", old, patch, new] => qbsdiff_apply(old, patch, new),
        ["bidiff", "diff", old, new, patch] => bidiff_diff(old, new, patch),
        ["bidiff", "apply", old, patch, new] => bidiff_apply(old, patch, new),
        _ => bail!("usage: delta-peers qbsdiff|bidiff diff OLD NEW PATCH, or apply OLD PATCH NEW"),
    }
}

/// One thread: cut into parallel jobs its patches are larger.
fn qbsdiff_diff(old: &str, new: &str, patch: &str) -> Result<()> {
    let (old, new) = (read(old)?, read(new)?);
    let out = create(patch)?;
    Bsdiff::new(&old, &new)
        .parallel_scheme(ParallelScheme::Never)
        .compression_level(9)
        .compare(out)?;
    Ok(())
}

fn qbsdiff_apply(old: &str, patch: &str, new: &str) -> Result<()> {
    let (old, patch) = (read(old)?, read(patch)?);
    let mut out = create(new)?;
    Bspatch::new(&patch)?.apply(&old, &mut out)?;
    Ok(out.flush()?)
}

/// Its patches are made to be compressed by the caller.
fn bidiff_diff(old: &str, new: &str, patch: &str) -> Result<()> {
    let (old, new) = (read(old)?, read(new)?);
    let mut encoder = zstd::Encoder::new(create(patch)?, 22)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(27)?;
    bidiff::simple_diff(&old, &new, &mut encoder)?;
    Ok(encoder.finish()?.flush()?)
}

fn bidiff_apply(old: &str, patch: &str, new: &str) -> Result<()> {
    let decoder = zstd::Decoder::new(open(patch)?)?;
    let mut reader = bipatch::Reader::new(decoder, BufReader::new(open(old)?))?;
    let mut out = create(new)?;
    io::copy(&mut reader, &mut out)?;
    Ok(out.flush()?)
}

fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    fs::read(path).with_context(|| format!("`{}` could not be read", path.display()))
}

fn open(path: &str) -> Result<File> {
    File::open(path).with_context(|| format!("`{path}` could not be opened"))
}

fn create(path: &str) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("`{path}` could not be created"))?;
    Ok(BufWriter::with_capacity(1 << 16, file))
}
