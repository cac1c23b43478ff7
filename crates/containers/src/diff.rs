//! Making a patch: unpack both containers, see which streams of new can be rebuilt, and let the delta
//! crate find how the contents differ. What is given was applied, and is smaller than without all this.

use std::collections::HashSet;
use std::io::{self, Cursor, Write};
use std::ops::{ControlFlow, Range};

use moult_delta::{Limits, Progress};
use sha2::{Digest as _, Sha256};

use crate::codec::Settings;
use crate::find::{self, Stream};
use crate::recipe::{NewStream, OldStream, Recipe, runs};
use crate::{ApplyError, DiffError, FORMAT, MAGIC, apply_containers, encoders, number, sections};

/// After so many streams of a kind that no settings rebuild, only the settings of others are tried.
const PATIENCE: u32 = 16;

/// Is told how far it has come, and says whether to go on.
type Tell<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// What a patch is made of. All sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The size of the patch.
    pub patch_bytes: u64,
    /// The size of a patch between the containers as they are.
    pub plain_patch_bytes: u64,
    /// The size of the recipe, compressed.
    pub recipe_bytes: u64,
    /// The size of the old content.
    pub old_content_bytes: u64,
    /// The size of the new content.
    pub new_content_bytes: u64,
    /// How many compressed streams the new container has that the old one has not.
    pub streams: usize,
    /// How many of them are rebuilt.
    pub rebuilt: usize,
}

/// Makes a patch that leads from one container to another. The same input gives the same patch.
///
/// `None` if no stream can be rebuilt, or if the patch is not smaller than one between the containers
/// as they are: that is for the delta crate then. The patch is applied before it is written: what is
/// written works.
pub fn diff_containers(old: &[u8], new: &[u8], out: &mut impl Write) -> Result<Option<Stats>, DiffError> {
    diff_containers_with(old, new, out, &|_| ControlFlow::Continue(()))
}

/// As [`diff_containers`], and tells how far the delta crate has come with each part and then with the
/// containers as they are, from any thread. `Break` gives up: that is [`DiffError::Delta`] with
/// [`moult_delta::DiffError::Cancelled`], and nothing is written.
pub fn diff_containers_with(
    old: &[u8],
    new: &[u8],
    out: &mut impl Write,
    progress: &Tell,
) -> Result<Option<Stats>, DiffError> {
    let Some((patch, mut stats)) = make(old, new, progress)? else {
        return Ok(None);
    };
    check(old, new, &patch)?;
    let mut plain = Vec::new();
    moult_delta::diff_with(old, new, &mut plain, progress).map_err(DiffError::Delta)?;
    if patch.len() >= plain.len() {
        return Ok(None);
    }
    stats.plain_patch_bytes = plain.len() as u64;
    out.write_all(&patch).map_err(DiffError::Write)?;
    Ok(Some(stats))
}

fn make(old: &[u8], new: &[u8], progress: &Tell) -> Result<Option<(Vec<u8>, Stats)>, DiffError> {
    let (mut olds, mut news) = (find::streams(old), find::streams(new));
    leave_out_same(old, &mut olds, new, &mut news);
    let streams = news.len();
    let news = rebuildable(new, news);
    if news.is_empty() {
        return Ok(None);
    }
    let rebuilt = news.len();
    let old_content = Content::new(old, &olds);
    let new_content = Content::new(new, news.iter().map(|(stream, _)| stream));

    let mut parts = sections::parts(
        &old_content.bytes,
        &old_content.plains,
        &new_content.bytes,
        &new_content.plains,
    );
    let mut patches = Vec::new();
    let mut at = 0;
    for part in &mut parts {
        let end = at + part.length as usize;
        let base = old_content.part(part.old_start as usize, part.old_length as usize);
        let before = patches.len();
        moult_delta::diff_with(&base, &new_content.bytes[at..end], &mut patches, progress)
            .map_err(DiffError::Delta)?;
        part.patch = (patches.len() - before) as u64;
        at = end;
    }

    let mut patch = MAGIC.to_vec();
    patch.extend_from_slice(&FORMAT.to_le_bytes());
    let encoders = encoders();
    patch.push(encoders.len() as u8);
    patch.extend_from_slice(encoders.as_bytes());
    number::write(&mut patch, old.len() as u64);
    number::write(&mut patch, new.len() as u64);
    let before = patch.len();
    let recipe = Recipe {
        olds: old_streams(&olds),
        news: new_streams(news),
        parts,
    };
    if recipe.write(&mut patch).map_err(DiffError::Recipe)?.is_none() {
        return Ok(None);
    }
    let recipe_bytes = (patch.len() - before) as u64;
    patch.extend_from_slice(&patches);
    let stats = Stats {
        patch_bytes: patch.len() as u64,
        plain_patch_bytes: 0,
        recipe_bytes,
        old_content_bytes: old_content.bytes.len() as u64,
        new_content_bytes: new_content.bytes.len() as u64,
        streams,
        rebuilt,
    };
    Ok(Some((patch, stats)))
}

/// Leaves out the streams that both containers have: as bytes they cost nothing, and nobody has to
/// compress them again.
fn leave_out_same(old: &[u8], olds: &mut Vec<Stream>, new: &[u8], news: &mut Vec<Stream>) {
    let hash = |file: &[u8], stream: &Stream| -> [u8; 32] {
        Sha256::digest(&file[stream.offset..stream.end()]).into()
    };
    let of_old: HashSet<[u8; 32]> = olds.iter().map(|stream| hash(old, stream)).collect();
    let of_new: HashSet<[u8; 32]> = news.iter().map(|stream| hash(new, stream)).collect();
    olds.retain(|stream| !of_new.contains(&hash(old, stream)));
    news.retain(|stream| !of_old.contains(&hash(new, stream)));
}

/// The streams that can be rebuilt, and how.
fn rebuildable(file: &[u8], streams: Vec<Stream>) -> Vec<(Stream, Settings)> {
    let mut found: Vec<(Stream, Settings)> = Vec::new();
    let mut failed = 0;
    let mut hint: Option<Settings> = None;
    for stream in streams {
        let encoded = &file[stream.offset..stream.end()];
        let thorough = failed < PATIENCE;
        let settings = find::reproduce(stream.codec, encoded, &stream.plain, hint.as_ref(), thorough);
        match settings {
            Some(settings) => {
                if !matches!(settings, Settings::Deflate(..)) {
                    hint = Some(settings.clone());
                }
                found.push((stream, settings));
            }
            None => failed += 1,
        }
    }
    found
}

/// A container with its streams unpacked.
struct Content {
    bytes: Vec<u8>,
    /// Where the plain text of a stream begins.
    plains: Vec<usize>,
}

impl Content {
    fn new<'a>(file: &[u8], streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        let mut content = Self {
            bytes: Vec::new(),
            plains: Vec::new(),
        };
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
                content.plains.push(content.bytes.len());
                content.bytes.extend_from_slice(&stream.plain);
            }
        }
        let end = streams.last().map_or(0, |stream| stream.end());
        content.bytes.extend_from_slice(&file[end..]);
        content
    }

    /// What [`crate::old::View`] shows.
    fn part(&self, start: usize, length: usize) -> Vec<u8> {
        let (before, after) = self.bytes.split_at(start);
        let mut part = Vec::with_capacity(length);
        part.extend_from_slice(&after[..length.min(after.len())]);
        part.extend_from_slice(&before[..length - part.len()]);
        part
    }
}

fn old_streams(streams: &[Stream]) -> Vec<OldStream> {
    let mut at = 0;
    let streams = streams.iter().map(|stream| {
        let gap = (stream.offset - at) as u64;
        at = stream.end();
        OldStream {
            gap,
            length: stream.length as u64,
            plain: stream.plain.len() as u64,
            codec: stream.codec,
        }
    });
    streams.collect()
}

fn new_streams(streams: Vec<(Stream, Settings)>) -> Vec<NewStream> {
    let mut at = 0;
    let streams = streams.into_iter().map(|(stream, settings)| {
        let gap = (stream.offset - at) as u64;
        at = stream.end();
        NewStream {
            gap,
            length: stream.length as u64,
            plain: stream.plain.len() as u64,
            settings,
        }
    });
    streams.collect()
}

/// Applies the patch and compares.
fn check(old: &[u8], new: &[u8], patch: &[u8]) -> Result<(), DiffError> {
    let limits = Limits {
        output_bytes: new.len() as u64,
        patch_bytes: patch.len() as u64,
    };
    let mut scratch = Cursor::new(Vec::new());
    let mut same = Same { expected: new };
    apply_containers(&mut Cursor::new(old), patch, &mut same, &mut scratch, limits)
        .map(|_| ())
        .map_err(|error: ApplyError| DiffError::SelfCheck(Box::new(error)))
}

/// Takes the bytes that are expected and no others.
struct Same<'a> {
    expected: &'a [u8],
}

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.expected.strip_prefix(bytes) {
            Some(rest) => self.expected = rest,
            None => return Err(io::Error::other("the new file comes out different")),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
