//! The recipe: which streams of old are unpacked, how those of new are made, and which parts the content
//! of new has. Refuses to know what the bytes are.

use std::io::Read;
#[cfg(feature = "diff")]
use std::io::{self, Write};
use std::ops::Range;

use crate::codec::{Codec, Settings};
use crate::number;
use crate::{Fault, MAX_CONTENT, MAX_STREAMS};

/// The most bytes of a recipe: that of all streams that a container may have is smaller.
pub(crate) const MAX_BYTES: u64 = 8 << 20;
/// The most parts of a content.
pub(crate) const MAX_PARTS: usize = 32;
#[cfg(feature = "diff")]
const LEVEL: i32 = 19;

/// A gap of at most so many bytes between two streams comes before both in a content.
const SMALL_GAP: u64 = 255;
/// The most bytes of such gaps that are together.
const MAX_HELD: u64 = 64 * 1024;

/// Which streams follow each other with small gaps only, by all streams' gaps. In a content the small
/// gaps of a run come first and then all its plain bytes, so that a file that was compressed in blocks is
/// whole.
pub(crate) fn runs(gaps: &[u64]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (number, gap) in gaps.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if *gap <= SMALL_GAP && held + gap <= MAX_HELD => {
                run.end = number + 1;
                held += gap;
            }
            _ => {
                runs.push(number..number + 1);
                held = 0;
            }
        }
    }
    runs
}

/// A stream of the old container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OldStream {
    /// How many bytes are between the stream before it and this one.
    pub(crate) gap: u64,
    pub(crate) length: u64,
    pub(crate) plain: u64,
    pub(crate) codec: Codec,
}

/// A stream of the new container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewStream {
    /// How many bytes are between the stream before it and this one.
    pub(crate) gap: u64,
    pub(crate) length: u64,
    pub(crate) plain: u64,
    pub(crate) settings: Settings,
}

/// A part of the new content, made of some of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// How many bytes it has.
    pub(crate) length: u64,
    /// Where what it is made of begins in the old content.
    pub(crate) old_start: u64,
    /// How many bytes that has.
    pub(crate) old_length: u64,
    /// How many bytes its patch has.
    pub(crate) patch: u64,
}

/// All that a patch says besides the patches of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) olds: Vec<OldStream>,
    pub(crate) news: Vec<NewStream>,
    /// How many more streams the new container has, which stay as they are. Only told, never used.
    pub(crate) left: u64,
    pub(crate) parts: Vec<Part>,
}

impl Recipe {
    #[cfg(feature = "diff")]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        number::write(&mut out, self.olds.len() as u64);
        for stream in &self.olds {
            for number in [stream.gap, stream.length, stream.plain] {
                number::write(&mut out, number);
            }
            stream.codec.write(&mut out);
        }
        number::write(&mut out, self.news.len() as u64);
        for stream in &self.news {
            for number in [stream.gap, stream.length, stream.plain] {
                number::write(&mut out, number);
            }
            stream.settings.write(&mut out);
        }
        number::write(&mut out, self.left);
        number::write(&mut out, self.parts.len() as u64);
        for part in &self.parts {
            for number in [part.length, part.old_start, part.old_length, part.patch] {
                number::write(&mut out, number);
            }
        }
        out
    }

    /// Appends its length, its length when compressed, and itself compressed. None if it is too large.
    #[cfg(feature = "diff")]
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> io::Result<Option<()>> {
        let bytes = self.bytes();
        if bytes.len() as u64 > MAX_BYTES {
            return Ok(None);
        }
        let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
        encoder.write_all(&bytes)?;
        let packed = encoder.finish()?;
        number::write(out, bytes.len() as u64);
        number::write(out, packed.len() as u64);
        out.extend_from_slice(&packed);
        Ok(Some(()))
    }

    /// Reads a recipe for containers of these lengths from its compressed bytes.
    pub(crate) fn read(packed: impl Read, length: u64, old: u64, new: u64) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        let mut decoder = zstd::Decoder::new(packed).map_err(|_| Fault::Compression)?;
        decoder.window_log_max(24).map_err(|_| Fault::Compression)?;
        let mut decoder = decoder.take(length + 1);
        decoder.read_to_end(&mut bytes).map_err(|_| Fault::Compression)?;
        if bytes.len() as u64 != length {
            return Err(Fault::Compression);
        }
        let recipe = Self::parse(&bytes)?;
        recipe.check(old, new)?;
        Ok(recipe)
    }

    fn parse(mut input: &[u8]) -> Result<Self, Fault> {
        let input = &mut input;
        let mut recipe = Self {
            olds: Vec::new(),
            news: Vec::new(),
            left: 0,
            parts: Vec::new(),
        };
        for _ in 0..take_count(input, MAX_STREAMS)? {
            recipe.olds.push(OldStream {
                gap: number::take(input)?,
                length: number::take(input)?,
                plain: number::take(input)?,
                codec: Codec::take(input)?,
            });
        }
        for _ in 0..take_count(input, MAX_STREAMS)? {
            let (gap, length, plain) = (number::take(input)?, number::take(input)?, number::take(input)?);
            if plain > MAX_CONTENT {
                return Err(Fault::Content);
            }
            let settings = Settings::take(input, plain)?;
            recipe.news.push(NewStream {
                gap,
                length,
                plain,
                settings,
            });
        }
        recipe.left = number::take(input)?;
        for _ in 0..take_count(input, MAX_PARTS)? {
            recipe.parts.push(Part {
                length: number::take(input)?,
                old_start: number::take(input)?,
                old_length: number::take(input)?,
                patch: number::take(input)?,
            });
        }
        if input.is_empty() {
            Ok(recipe)
        } else {
            Err(Fault::Rest)
        }
    }

    fn check(&self, old: u64, new: u64) -> Result<(), Fault> {
        let olds = self
            .olds
            .iter()
            .map(|stream| (stream.gap, stream.length, stream.plain));
        let news = self
            .news
            .iter()
            .map(|stream| (stream.gap, stream.length, stream.plain));
        let old_content = content(old, olds)?;
        let new_content = content(new, news)?;
        let mut left = new_content;
        for part in &self.parts {
            left = left.checked_sub(part.length).ok_or(Fault::Parts)?;
            let end = part.old_start.checked_add(part.old_length);
            end.filter(|end| *end <= old_content).ok_or(Fault::Parts)?;
        }
        if left == 0 { Ok(()) } else { Err(Fault::Parts) }
    }
}

fn take_count(input: &mut &[u8], most: usize) -> Result<usize, Fault> {
    let count = number::take(input)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= most)
        .ok_or(Fault::Streams)
}

/// How long the content of a container is whose streams have these gaps, lengths and plain lengths.
fn content(container: u64, streams: impl Iterator<Item = (u64, u64, u64)>) -> Result<u64, Fault> {
    let (mut left, mut content) = (container, 0_u64);
    for (gap, length, plain) in streams {
        let inside = left.checked_sub(gap).and_then(|left| left.checked_sub(length));
        left = inside.ok_or(Fault::Outside)?;
        let sum = content.checked_add(gap).and_then(|sum| sum.checked_add(plain));
        content = sum.filter(|sum| *sum <= MAX_CONTENT).ok_or(Fault::Content)?;
    }
    let sum = content.checked_add(left);
    sum.filter(|sum| *sum <= MAX_CONTENT).ok_or(Fault::Content)
}

#[cfg(all(test, feature = "diff"))]
mod tests {
    use super::*;
    use crate::deflate::{self, Maker, Trailer};
    use crate::lzma;
    use crate::zstandard::{self, Call};

    fn recipe() -> Recipe {
        let chain = lzma::Chain {
            branch: 4,
            dictionary: 20,
        };
        let new = |gap, settings| NewStream {
            gap,
            length: 10,
            plain: 100,
            settings,
        };
        let gzip = deflate::Settings {
            trailer: Trailer::Gzip,
            maker: Maker::Gzip,
            level: 9,
        };
        let level = zstandard::Settings {
            level: -3,
            checksum: true,
            call: Call::Unknown,
        };
        let preset = lzma::Settings {
            chain,
            preset: 6,
            extreme: true,
        };
        Recipe {
            olds: vec![OldStream {
                gap: 7,
                length: 20,
                plain: 300,
                codec: Codec::Lzma(chain),
            }],
            news: vec![
                new(0, Settings::Deflate(gzip)),
                new(5, Settings::Zstandard(level)),
                new(6, Settings::Lzma(preset)),
            ],
            left: 2,
            parts: vec![Part {
                length: 311,
                old_start: 300,
                old_length: 7,
                patch: 1,
            }],
        }
    }

    #[test]
    fn a_recipe_comes_back_as_it_was_written() {
        let recipe = recipe();
        assert_eq!(Recipe::parse(&recipe.bytes()).as_ref(), Ok(&recipe));
        assert_eq!(recipe.check(27, 41), Ok(()));
    }

    #[test]
    fn streams_with_small_gaps_are_one_run() {
        let table = [
            (vec![], vec![]),
            (vec![1000], vec![(0, 1)]),
            (vec![1000, 255, 0, 256, 1], vec![(0, 3), (3, 5)]),
            (vec![0, 0], vec![(0, 2)]),
        ];
        for (gaps, expected) in table {
            let runs: Vec<_> = runs(&gaps).iter().map(|run| (run.start, run.end)).collect();
            assert_eq!(runs, expected, "{gaps:?}");
        }
        let many = vec![255; 300];
        assert_eq!(runs(&many), [0..258, 258..300]);
    }

    #[test]
    fn a_recipe_that_does_not_fit_its_containers_is_refused() {
        let changed = |change: &dyn Fn(&mut Recipe)| {
            let mut recipe = recipe();
            change(&mut recipe);
            recipe.check(27, 41)
        };
        assert_eq!(recipe().check(26, 41), Err(Fault::Outside));
        assert_eq!(recipe().check(27, 40), Err(Fault::Outside));
        assert_eq!(recipe().check(27, 42), Err(Fault::Parts));
        assert_eq!(
            changed(&|recipe| recipe.olds[0].gap = u64::MAX),
            Err(Fault::Outside)
        );
        assert_eq!(
            changed(&|recipe| recipe.olds[0].plain = u64::MAX),
            Err(Fault::Content)
        );
        assert_eq!(
            changed(&|recipe| recipe.parts[0].old_start = 301),
            Err(Fault::Parts)
        );
        assert_eq!(changed(&|recipe| recipe.parts.clear()), Err(Fault::Parts));
    }

    #[test]
    fn a_recipe_that_is_cut_off_or_has_a_rest_is_refused() {
        let bytes = recipe().bytes();
        for end in 0..bytes.len() {
            assert!(Recipe::parse(&bytes[..end]).is_err(), "{end} bytes");
        }
        assert_eq!(Recipe::parse(&[&bytes[..], &[0]].concat()), Err(Fault::Rest));
    }

    #[test]
    fn encoders_that_need_too_much_memory_are_refused() {
        let too_much = [
            (4, vec![22, 0, Call::Unknown as u8]),
            (4, vec![20, 0, Call::KnownWorker as u8]),
            (5, vec![0, 26, 6, 0]),
        ];
        for (codec, settings) in too_much {
            let bytes = [vec![codec], settings].concat();
            assert_eq!(
                Settings::take(&mut &bytes[..], 1 << 20),
                Err(Fault::Memory),
                "{bytes:?}"
            );
        }
        let at_once = [4, 3, 0, Call::AtOnce as u8];
        assert_eq!(Settings::take(&mut &at_once[..], 9 << 20), Err(Fault::Memory));
    }
}
