//! Contents in memory, and the patch from one to the other, part by part. Runs where a patch is made.
//! Refuses to know how streams are rebuilt.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use moult_delta::DiffStats;

use crate::diff::Tell;
use crate::find::Stream;
use crate::recipe::{Part, runs};
use crate::sections::{self, Cut};

/// A container with its streams unpacked.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
}

impl Content {
    pub(crate) fn new<'a>(file: &[u8], streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        let mut content = Self { bytes: Vec::new() };
        let streams: Vec<&Stream> = streams.into_iter().collect();
        let starts = [0].into_iter().chain(streams.iter().map(|stream| stream.end()));
        let gaps: Vec<Range<usize>> = starts
            .zip(&streams)
            .map(|(start, stream)| start..stream.offset)
            .collect();
        let lengths: Vec<u64> = gaps.iter().map(|gap| gap.len() as u64).collect();
        for run in runs(&lengths) {
            for gap in &gaps[run.clone()] {
                content.bytes.extend_from_slice(&file[gap.clone()]);
            }
            for stream in &streams[run] {
                content.bytes.extend_from_slice(&stream.plain);
            }
        }
        let end = streams.last().map_or(0, |stream| stream.end());
        content.bytes.extend_from_slice(&file[end..]);
        content
    }
}

/// The parts of a new content with their patches.
pub(crate) struct Patched {
    pub(crate) parts: Vec<Part>,
    /// One after the other.
    pub(crate) patches: Vec<u8>,
    /// How many of the parts were read as executables.
    pub(crate) executables: usize,
    pub(crate) segments: u64,
    pub(crate) copied_bytes: u64,
}

impl Patched {
    /// Makes the patch of each part. What is cut out and then not read as an executable is joined with
    /// what is around it again.
    pub(crate) fn new(
        old: &Content,
        new: &Content,
        mut cuts: Vec<Cut>,
        progress: &Tell,
    ) -> Result<Self, moult_delta::DiffError> {
        // A part's beginning, its length, and what it is made of.
        let mut known: HashMap<[u64; 4], (Vec<u8>, DiffStats)> = HashMap::new();
        loop {
            let parts = sections::parts(&cuts, old.bytes.len(), new.bytes.len());
            let mut at = 0;
            for part in &parts {
                let key = [at, part.length, part.old_start, part.old_length];
                if let Entry::Vacant(entry) = known.entry(key) {
                    let base = &old.bytes[slice(part.old_start, part.old_length)];
                    let target = &new.bytes[slice(at, part.length)];
                    let mut patch = Vec::new();
                    let stats = moult_delta::diff_with(base, target, &mut patch, progress)?;
                    entry.insert((patch, stats));
                }
                at += part.length;
            }
            let before = cuts.len();
            cuts.retain(|cut| known.get(&cut.key()).is_some_and(|(_, stats)| stats.executable));
            if cuts.len() == before {
                return Ok(Self::of(parts, &known));
            }
        }
    }

    fn of(parts: Vec<Part>, known: &HashMap<[u64; 4], (Vec<u8>, DiffStats)>) -> Self {
        let mut patched = Self {
            parts,
            patches: Vec::new(),
            executables: 0,
            segments: 0,
            copied_bytes: 0,
        };
        let mut at = 0;
        for part in &mut patched.parts {
            let key = [at, part.length, part.old_start, part.old_length];
            if let Some((patch, stats)) = known.get(&key) {
                part.patch = patch.len() as u64;
                patched.patches.extend_from_slice(patch);
                patched.executables += usize::from(stats.executable);
                patched.segments += stats.segments;
                patched.copied_bytes += stats.copied_bytes;
            }
            at += part.length;
        }
        patched
    }
}

fn slice(start: u64, length: u64) -> Range<usize> {
    start as usize..(start + length) as usize
}
