//! Making a patch: unpack both containers, see which streams of new can be rebuilt, and let the delta
//! crate find how the contents differ. What is given was applied, and is smaller than without all this.

use std::collections::HashSet;
use std::io::{self, Cursor, Write};
use std::ops::ControlFlow;

use moult_delta::{Limits, Progress};
use sha2::{Digest as _, Sha256};

use crate::codec::Settings;
use crate::content::{Content, Patched};
use crate::find::{self, Stream};
use crate::recipe::{NewStream, OldStream, Recipe};
use crate::{ApplyError, DiffError, FORMAT, MAGIC, apply, encoders, number, sections};

/// After so many streams of a kind that no settings rebuild, only the settings of others are tried.
const PATIENCE: u32 = 16;

/// Is told how far it has come, and says whether to go on.
pub(crate) type Tell<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// What a patch is made of. All sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The size of the old container.
    pub old_bytes: u64,
    /// The size of the new container.
    pub new_bytes: u64,
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
    /// How many executables are patched on their own.
    pub executables: usize,
    /// How many segments are copied in all parts.
    pub segments: u64,
    /// How many bytes of the new content are copied, with corrections.
    pub copied_bytes: u64,
}

/// Makes a patch that leads from one container to another. The same input gives the same patch.
///
/// `None` if no stream can be rebuilt and no executable be cut out, or if the patch is not smaller than
/// one between the containers as they are: that is for the delta crate then. The patch is applied before
/// it is written: what is written works. Needs the memory of the delta crate for both contents, and these
/// twice.
pub fn diff(old: &[u8], new: &[u8], out: &mut impl Write) -> Result<Option<Stats>, DiffError> {
    diff_with(old, new, out, &|_| ControlFlow::Continue(()))
}

/// As [`diff`], and tells how far the delta crate has come with each part and then with the containers as
/// they are, from any thread. `Break` gives up: that is [`DiffError::Delta`] with
/// [`moult_delta::DiffError::Cancelled`], and nothing is written.
pub fn diff_with(
    old: &[u8],
    new: &[u8],
    out: &mut impl Write,
    progress: &Tell,
) -> Result<Option<Stats>, DiffError> {
    // Most files are none: that is known before the work of a patch between them as they are.
    let Some(made) = make(old, new, progress)? else {
        return Ok(None);
    };
    let mut plain = Vec::new();
    moult_delta::diff_with(old, new, &mut plain, progress).map_err(DiffError::Delta)?;
    choose(old, new, made, plain.len() as u64, out)
}

/// As [`diff_with`], for a caller that knows how many bytes a patch between the containers as they are
/// has: `plain`.
pub fn diff_below(
    old: &[u8],
    new: &[u8],
    plain: u64,
    out: &mut impl Write,
    progress: &Tell,
) -> Result<Option<Stats>, DiffError> {
    let Some(made) = make(old, new, progress)? else {
        return Ok(None);
    };
    choose(old, new, made, plain, out)
}

/// Writes the patch if it is worth it, and works.
fn choose(
    old: &[u8],
    new: &[u8],
    (patch, stats): (Vec<u8>, Stats),
    plain: u64,
    out: &mut impl Write,
) -> Result<Option<Stats>, DiffError> {
    if stats.patch_bytes >= plain {
        return Ok(None);
    }
    prove(old, new, &patch)?;
    out.write_all(&patch).map_err(DiffError::Write)?;
    Ok(Some(Stats {
        plain_patch_bytes: plain,
        ..stats
    }))
}

fn make(old: &[u8], new: &[u8], progress: &Tell) -> Result<Option<(Vec<u8>, Stats)>, DiffError> {
    let (mut olds, mut news) = (find::streams(old), find::streams(new));
    leave_out_same(old, &mut olds, new, &mut news);
    let streams = news.len();
    let news = rebuildable(new, news);
    if news.is_empty() {
        // Compressed bytes that stay are only like others that stay.
        olds.clear();
    }
    let rebuilt = news.len();
    let old_content = Content::new(old, &olds);
    let new_content = Content::new(new, news.iter().map(|(stream, _)| stream));
    let cuts = sections::cuts(&old_content.bytes, &new_content.bytes);
    let is_whole = |parts: &[_]| parts.len() == 1 && cuts.len() == 1;
    let parts = sections::parts(&cuts, old.len(), new.len());
    if news.is_empty() && (cuts.is_empty() || is_whole(&parts)) {
        return Ok(None);
    }
    let patched = Patched::new(&old_content, &new_content, cuts, progress).map_err(DiffError::Delta)?;

    let mut patch = MAGIC.to_vec();
    patch.extend_from_slice(&FORMAT.to_le_bytes());
    let encoders = encoders();
    patch.push(encoders.len() as u8);
    patch.extend_from_slice(encoders.as_bytes());
    for file in [old, new] {
        number::write(&mut patch, file.len() as u64);
        patch.extend_from_slice(&Sha256::digest(file));
    }
    let before = patch.len();
    let recipe = Recipe {
        olds: old_streams(&olds),
        news: new_streams(news),
        left: (streams - rebuilt) as u64,
        parts: patched.parts,
    };
    if recipe.write(&mut patch).map_err(DiffError::Recipe)?.is_none() {
        return Ok(None);
    }
    let recipe_bytes = (patch.len() - before) as u64;
    patch.extend_from_slice(&patched.patches);
    let stats = Stats {
        old_bytes: old.len() as u64,
        new_bytes: new.len() as u64,
        patch_bytes: patch.len() as u64,
        plain_patch_bytes: 0,
        recipe_bytes,
        old_content_bytes: old_content.bytes.len() as u64,
        new_content_bytes: new_content.bytes.len() as u64,
        streams,
        rebuilt,
        executables: patched.executables,
        segments: patched.segments,
        copied_bytes: patched.copied_bytes,
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
                hint = Some(settings);
                found.push((stream, settings));
            }
            None => failed += 1,
        }
    }
    found
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
fn prove(old: &[u8], new: &[u8], patch: &[u8]) -> Result<(), DiffError> {
    let limits = Limits {
        output_bytes: new.len() as u64,
        patch_bytes: patch.len() as u64,
    };
    let mut scratch = Cursor::new(Vec::new());
    let mut same = Same { expected: new };
    apply(&mut Cursor::new(old), patch, &mut same, &mut scratch, limits)
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
