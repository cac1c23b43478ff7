//! Patches that lie, made by hand: each is refused with the error that says why, and none writes more
//! than it announced.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::Cursor;

use moult_delta::Limits;
use sha2::{Digest as _, Sha256};

use crate::codec::{Codec, Settings};
use crate::deflate::{self, Maker, Trailer};
use crate::recipe::{NewStream, OldStream, Part, Recipe};
use crate::{ApplyError, FORMAT, Fault, MAGIC, MAX_STREAMS, StreamError, apply, encoders, number};

const ZLIB: deflate::Settings = deflate::Settings {
    trailer: Trailer::None,
    maker: Maker::Zlib(8),
    level: 6,
};

/// What a patch says, all of it true until it is changed.
struct Lie {
    old: Vec<u8>,
    new: Vec<u8>,
    recipe: Recipe,
    /// The recipe's length as announced, if not its own.
    length: Option<u64>,
    /// The recipe's own bytes, if not those of `recipe`.
    packed: Option<Vec<u8>>,
    patches: Vec<u8>,
}

fn plain(seed: u8) -> Vec<u8> {
    (0..5000_u32)
        .map(|at| (at * at / 7) as u8 ^ seed)
        .map(|byte| byte & 31)
        .collect()
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = deflate::Encoder::new(ZLIB);
    encoder.push(plain, &mut out).expect("deflate");
    encoder.finish(&mut out).expect("deflate");
    out
}

/// Three bytes, a stream, and two bytes.
fn around(stream: &[u8]) -> Vec<u8> {
    [b"abc", stream, b"yz"].concat()
}

fn truth() -> Lie {
    let (old_plain, new_plain) = (plain(0), plain(1));
    let (old_stream, new_stream) = (deflated(&old_plain), deflated(&new_plain));
    let (old_content, new_content) = (around(&old_plain), around(&new_plain));
    let mut patches = Vec::new();
    moult_delta::diff(&old_content, &new_content, &mut patches).expect("a patch");
    let recipe = Recipe {
        olds: vec![OldStream {
            gap: 3,
            length: old_stream.len() as u64,
            plain: 5000,
            codec: Codec::Deflate(Trailer::None),
        }],
        news: vec![NewStream {
            gap: 3,
            length: new_stream.len() as u64,
            plain: 5000,
            settings: Settings::Deflate(ZLIB),
        }],
        left: 0,
        parts: vec![Part {
            length: 5005,
            old_start: 0,
            old_length: 5005,
            patch: patches.len() as u64,
        }],
    };
    Lie {
        old: around(&old_stream),
        new: around(&new_stream),
        recipe,
        length: None,
        packed: None,
        patches,
    }
}

impl Lie {
    fn patch(&self) -> Vec<u8> {
        let mut patch = [&MAGIC[..], &FORMAT.to_le_bytes()].concat();
        patch.push(encoders().len() as u8);
        patch.extend_from_slice(encoders().as_bytes());
        for file in [&self.old, &self.new] {
            number::write(&mut patch, file.len() as u64);
            patch.extend_from_slice(&Sha256::digest(file));
        }
        let own = zstd::bulk::compress(&self.recipe.bytes(), 1).expect("zstd");
        let packed = self.packed.as_ref().unwrap_or(&own);
        let length = self.length.unwrap_or(self.recipe.bytes().len() as u64);
        number::write(&mut patch, length);
        number::write(&mut patch, packed.len() as u64);
        patch.extend_from_slice(packed);
        patch.extend_from_slice(&self.patches);
        patch
    }

    /// What comes of it, and how many bytes were written to the scratch file and the new one.
    fn tell(&self) -> (Result<(), ApplyError>, usize, usize) {
        let (mut out, mut scratch) = (Vec::new(), Cursor::new(Vec::new()));
        let limits = Limits::exactly(self.new.len() as u64);
        let applied = apply(
            &mut Cursor::new(&self.old),
            &self.patch()[..],
            &mut out,
            &mut scratch,
            limits,
        );
        (applied.map(|_| ()), scratch.into_inner().len(), out.len())
    }
}

/// A change that makes a truth a lie, and what is to come of it.
type Row = (&'static str, fn(&mut Lie), fn(&ApplyError) -> bool);

const LIES: &[Row] = &[
    (
        "a stream that begins after the old file",
        |lie| lie.recipe.olds[0].gap = 1 << 40,
        |error| matches!(error, ApplyError::Recipe(Fault::Outside)),
    ),
    (
        "a sum of lengths that overflows",
        |lie| lie.recipe.olds[0].length = (1 << 63) - 1,
        |error| matches!(error, ApplyError::Recipe(Fault::Outside)),
    ),
    (
        "two streams in the room of one",
        |lie| {
            let mut again = lie.recipe.olds[0];
            again.gap = 0;
            lie.recipe.olds.push(again);
        },
        |error| matches!(error, ApplyError::Recipe(Fault::Outside)),
    ),
    (
        "a new stream that ends after the new file",
        |lie| lie.recipe.news[0].length += 3,
        |error| matches!(error, ApplyError::Recipe(Fault::Outside)),
    ),
    (
        "a content of more than a gibibyte",
        |lie| lie.recipe.olds[0].plain = 1 << 30,
        |error| matches!(error, ApplyError::Recipe(Fault::Content)),
    ),
    (
        "a new stream of more than a gibibyte",
        |lie| lie.recipe.news[0].plain = (1 << 30) + 1,
        |error| matches!(error, ApplyError::Recipe(Fault::Content)),
    ),
    (
        "a part more than the content has",
        |lie| lie.recipe.parts.push(lie.recipe.parts[0]),
        |error| matches!(error, ApplyError::Recipe(Fault::Parts)),
    ),
    (
        "no part",
        |lie| lie.recipe.parts.clear(),
        |error| matches!(error, ApplyError::Recipe(Fault::Parts)),
    ),
    (
        "a part of what is after the old content",
        |lie| lie.recipe.parts[0].old_start = 1,
        |error| matches!(error, ApplyError::Recipe(Fault::Parts)),
    ),
    (
        "a part whose end overflows",
        |lie| lie.recipe.parts[0].old_length = (1 << 63) - 1,
        |error| matches!(error, ApplyError::Recipe(Fault::Parts)),
    ),
    (
        "an old stream that gives more than announced",
        |lie| {
            lie.recipe.olds[0].plain = 100;
            lie.recipe.parts[0].old_length = 105;
        },
        |error| {
            matches!(
                error,
                ApplyError::Unpack {
                    stream: 0,
                    source: StreamError::Length
                }
            )
        },
    ),
    (
        "an old stream that gives less than announced",
        |lie| lie.recipe.olds[0].plain = 5001,
        |error| {
            matches!(
                error,
                ApplyError::Unpack {
                    stream: 0,
                    source: StreamError::Length
                }
            )
        },
    ),
    (
        "an old stream that is none",
        |lie| lie.recipe.olds[0].gap = 2,
        |error| matches!(error, ApplyError::Unpack { stream: 0, .. }),
    ),
    (
        "a new stream that comes out longer",
        |lie| {
            lie.recipe.news[0].length -= 1;
            lie.new.pop();
        },
        |error| {
            matches!(
                error,
                ApplyError::Rebuild {
                    stream: 0,
                    source: StreamError::Length
                }
            )
        },
    ),
    (
        "a new stream that comes out shorter",
        |lie| {
            lie.recipe.news[0].length += 1;
            lie.new.push(0);
        },
        |error| {
            matches!(
                error,
                ApplyError::Rebuild {
                    stream: 0,
                    source: StreamError::Length
                }
            )
        },
    ),
    (
        "a new stream of another level",
        |lie| lie.recipe.news[0].settings = Settings::Deflate(deflate::Settings { level: 1, ..ZLIB }),
        |error| matches!(error, ApplyError::Rebuild { .. } | ApplyError::WrongResult { .. }),
    ),
    (
        "a level that there is not",
        |lie| lie.recipe.news[0].settings = Settings::Deflate(deflate::Settings { level: 10, ..ZLIB }),
        |error| matches!(error, ApplyError::Recipe(Fault::Codec)),
    ),
    (
        "a patch of a part that is too short",
        |lie| lie.recipe.parts[0].patch -= 1,
        |error| matches!(error, ApplyError::Delta { part: 0, .. } | ApplyError::Trailing),
    ),
    (
        "a recipe that is longer than announced",
        |lie| lie.length = Some(5),
        |error| matches!(error, ApplyError::Recipe(Fault::Compression)),
    ),
    (
        "a recipe of a gibibyte in a few bytes",
        |lie| {
            lie.packed = zstd::bulk::compress(&vec![0; 1 << 26], 1).ok();
            lie.length = Some(100);
        },
        |error| matches!(error, ApplyError::Recipe(Fault::Compression)),
    ),
    (
        "a recipe longer than allowed",
        |lie| lie.length = Some(1 << 40),
        |error| matches!(error, ApplyError::Recipe(Fault::Compression)),
    ),
    (
        "more streams than allowed",
        |lie| {
            let mut bytes = Vec::new();
            number::write(&mut bytes, MAX_STREAMS as u64 + 1);
            lie.length = Some(bytes.len() as u64);
            lie.packed = zstd::bulk::compress(&bytes, 1).ok();
        },
        |error| matches!(error, ApplyError::Recipe(Fault::Streams)),
    ),
    (
        "another new file",
        |lie| lie.new[0] = b'b',
        |error| matches!(error, ApplyError::WrongResult { .. }),
    ),
];

#[test]
fn each_lie_is_refused_for_what_it_is() {
    for (name, change, is_expected) in LIES {
        let mut lie = truth();
        change(&mut lie);
        let (result, scratch, out) = lie.tell();
        let error = result.expect_err(name);
        assert!(is_expected(&error), "{name}: {error:?}");
        assert!(
            scratch <= 5006 && out <= lie.new.len() + 70_000,
            "{name}: {scratch}, {out}"
        );
    }
}

#[test]
fn the_truth_is_none() {
    let (result, scratch, out) = truth().tell();
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((scratch, out), (5005, truth().new.len()));
}

#[test]
fn a_bomb_writes_no_more_than_it_announced() {
    let mut lie = truth();
    // 64 MiB in 64 KiB.
    let bomb = deflated(&vec![0; 64 << 20]);
    lie.old = around(&bomb);
    lie.recipe.olds[0].length = bomb.len() as u64;
    let (result, scratch, out) = lie.tell();
    assert!(
        matches!(
            result,
            Err(ApplyError::Unpack {
                stream: 0,
                source: StreamError::Length
            })
        ),
        "{result:?}"
    );
    assert!(scratch <= 5005 && out == 0, "{scratch}, {out}");
}
