//! Patches between containers as files: format 3. Refuses to know what is in a container.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Seek as _, Write};
use std::ops::ControlFlow;
use std::path::Path;

use moult_containers::{ApplyError, Contents, DiffError, Header, Limits, Stats};
use serde::Serialize;

use super::{Apply, PatchError};
use crate::output::Size;

/// Makes a patch of format 3. None if it would not be smaller than `plain` bytes.
pub(super) fn make(
    [(old, old_bytes), (new, new_bytes)]: [(&Path, &[u8]); 2],
    plain: u64,
    progress: &(dyn Fn(moult_delta::Progress) -> ControlFlow<()> + Sync),
) -> Result<Option<(Vec<u8>, Stats)>, PatchError> {
    let mut patch = Vec::new();
    let made = moult_containers::diff_below(old_bytes, new_bytes, plain, &mut patch, progress);
    let stats = made.map_err(|source| match source {
        DiffError::Delta(moult_delta::DiffError::Cancelled) => PatchError::Interrupted,
        source => PatchError::MakeContainer {
            old: old.to_owned(),
            new: new.to_owned(),
            source: Box::new(source),
        },
    })?;
    Ok(stats.map(|stats| (patch, stats)))
}

/// Reads a patch's header, and leaves the file at its beginning.
pub(super) fn header(patch: &Path, file: &mut File) -> Result<Header, PatchError> {
    let header = moult_containers::inspect(BufReader::new(&mut *file));
    let header = header.and_then(|header| {
        file.rewind().map_err(ApplyError::Patch)?;
        Ok(header)
    });
    header.map_err(look(patch))
}

fn look(patch: &Path) -> impl FnOnce(ApplyError) -> PatchError {
    move |source| PatchError::LookContainer {
        patch: patch.to_owned(),
        source: Box::new(source),
    }
}

/// Writes the new container, and tells its length and hash.
pub(super) fn apply(
    task: &Apply<'_>,
    old: &mut File,
    patch: File,
    out: &mut impl Write,
    limits: Limits,
) -> Result<(u64, [u8; 32]), PatchError> {
    // Beside the new file: where there is room for that there may be for what is in it. It has no name,
    // so that nothing is left of it however this ends.
    let folder = task.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let scratch = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")));
    let mut scratch = scratch.map_err(PatchError::write(task.out))?;
    let applied = moult_containers::apply(old, patch, out, &mut scratch, limits);
    let applied = applied.map_err(|source| match source {
        ApplyError::New(source) => PatchError::write(task.out)(source),
        source => PatchError::ApplyContainer {
            patch: task.patch.to_owned(),
            old: task.old.to_owned(),
            source: Box::new(source),
        },
    })?;
    Ok((applied.bytes, applied.sha256))
}

/// What a patch does with the containers.
#[derive(Debug, Serialize)]
pub(super) struct Recipe {
    encoders: String,
    unpacked: u64,
    rebuilt: u64,
    left: u64,
    /// The most bytes of memory that it takes to apply the patch.
    memory: u64,
    streams: Vec<Streams>,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Streams {
    encoder: String,
    count: u64,
    size: u64,
    content: u64,
}

#[derive(Debug, Serialize)]
struct Part {
    size: u64,
    old_offset: u64,
    old_size: u64,
    patch: u64,
}

/// Reads a patch's header and its recipe.
pub(super) fn recipe(patch: &Path, file: File) -> Result<(Header, Recipe), PatchError> {
    let contents = moult_containers::contents(file).map_err(look(patch))?;
    let recipe = Recipe::of(&contents);
    Ok((contents.header, recipe))
}

impl Recipe {
    fn of(contents: &Contents) -> Self {
        let streams = contents.rebuilt.iter().map(|one| Streams {
            encoder: one.encoder.clone(),
            count: one.streams,
            size: one.bytes,
            content: one.plain_bytes,
        });
        let streams: Vec<_> = streams.collect();
        let parts = contents.parts.iter().map(|part| Part {
            size: part.bytes,
            old_offset: part.old_start,
            old_size: part.old_bytes,
            patch: part.patch_bytes,
        });
        Self {
            encoders: contents.header.encoders.clone(),
            unpacked: contents.unpacked,
            rebuilt: streams.iter().map(|one| one.count).sum(),
            left: contents.left,
            memory: contents.memory,
            streams,
            parts: parts.collect(),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "made with {}", self.encoders)?;
        writeln!(f, "memory  {:>10}  at most, to apply it", Size(self.memory))?;
        writeln!(f, "\nstreams")?;
        writeln!(f, "  unpacked  {:>6}  of the old file", self.unpacked)?;
        writeln!(f, "  rebuilt   {:>6}  of the new file", self.rebuilt)?;
        writeln!(f, "  left      {:>6}  of the new file, as they are", self.left)?;
        if !self.streams.is_empty() {
            writeln!(
                f,
                "\n{:<28} {:>8} {:>10} {:>10}",
                "encoder", "streams", "size", "content"
            )?;
        }
        for one in &self.streams {
            let (size, content) = (Size(one.size), Size(one.content));
            writeln!(f, "{:<28} {:>8} {size:>10} {content:>10}", one.encoder, one.count)?;
        }
        write!(
            f,
            "\n  #  {:>10} {:>12} {:>10} {:>10}",
            "part", "made at", "made of", "patch"
        )?;
        for (at, part) in self.parts.iter().enumerate() {
            let [size, of, patch] = [part.size, part.old_size, part.patch].map(Size);
            let offset = format!("{:#x}", part.old_offset);
            write!(f, "\n{at:>3}  {size:>10} {offset:>12} {of:>10} {patch:>10}")?;
        }
        Ok(())
    }
}
