//! What is in a patch, without its old file: which streams are unpacked and made again, by whom, and
//! which parts the content has. It refuses to judge whether that is much.

use std::io::{BufReader, Read};

use crate::apply::{read_header, read_recipe};
use crate::codec::{Codec, Settings};
use crate::deflate::Maker;
use crate::{ApplyError, Header, deflate, lzma, zstandard};

/// What the delta crate needs at most, in bytes.
const DELTA_BYTES: u64 = 32 << 20;
/// What is needed besides: buffers, the recipe and the bytes between streams.
const OWN_BYTES: u64 = 12 << 20;

/// What is in a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// What it says of itself.
    pub header: Header,
    /// How many streams of the old container are unpacked.
    pub unpacked: u64,
    /// The streams of the new container that are made again, by their encoders and settings.
    pub rebuilt: Vec<StreamContents>,
    /// How many more streams the new container has that the old one has not; they stay as they are.
    pub left: u64,
    /// The parts of the new content, in order.
    pub parts: Vec<PartContents>,
    /// The most bytes of memory that applying it takes.
    pub memory: u64,
}

/// Streams that one encoder makes with one choice of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamContents {
    /// The encoder and its settings, for people.
    pub encoder: String,
    /// How many streams it makes.
    pub streams: u64,
    /// How many bytes they have when they are unpacked.
    pub plain_bytes: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// A part of the new content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartContents {
    /// How many bytes it has.
    pub bytes: u64,
    /// Where in the old content that begins which it is made of.
    pub old_start: u64,
    /// How many bytes that has.
    pub old_bytes: u64,
    /// How many bytes its patch has.
    pub patch_bytes: u64,
}

/// Reads a patch up to the patches of its parts. Works for patches that were made with other versions of
/// the encoders, too, as long as their recipes are like those of this build.
pub fn contents(patch: impl Read) -> Result<Contents, ApplyError> {
    let mut patch = BufReader::new(patch);
    let header = read_header(&mut patch)?;
    let recipe = read_recipe(&mut patch, &header)?;
    let mut rebuilt: Vec<StreamContents> = Vec::new();
    for stream in &recipe.news {
        let encoder = name(stream.settings);
        let known = rebuilt.iter().position(|one| one.encoder == encoder);
        let at = known.unwrap_or_else(|| {
            rebuilt.push(StreamContents {
                encoder,
                streams: 0,
                plain_bytes: 0,
                bytes: 0,
            });
            rebuilt.len() - 1
        });
        rebuilt[at].streams += 1;
        rebuilt[at].plain_bytes += stream.plain;
        rebuilt[at].bytes += stream.length;
    }
    let encoders = recipe.news.iter().map(|stream| match stream.settings {
        Settings::Deflate(_) => deflate::ENCODER_BYTES,
        Settings::Zstandard(settings) => settings.memory(),
        Settings::Lzma(settings) => settings.memory(),
    });
    let decoders = recipe.olds.iter().map(|stream| match stream.codec {
        Codec::Deflate(_) => deflate::ENCODER_BYTES,
        Codec::Zstandard => zstandard::decoder_memory(stream.plain),
        Codec::Lzma(chain) => lzma::decoder_memory(chain),
    });
    let parts = recipe.parts.iter().map(|part| PartContents {
        bytes: part.length,
        old_start: part.old_start,
        old_bytes: part.old_length,
        patch_bytes: part.patch,
    });
    let parts: Vec<_> = parts.collect();
    // What old is unpacked with is gone when new is made.
    let making = encoders.max().unwrap_or(0) + DELTA_BYTES;
    Ok(Contents {
        header,
        unpacked: recipe.olds.len() as u64,
        rebuilt,
        left: recipe.left,
        parts,
        memory: OWN_BYTES + making.max(decoders.max().unwrap_or(0)),
    })
}

/// An encoder and its settings.
fn name(settings: Settings) -> String {
    match settings {
        Settings::Deflate(settings) => {
            let level = settings.level;
            match settings.maker {
                Maker::Zlib(8) => format!("zlib -{level}"),
                Maker::Zlib(memory) => format!("zlib -{level} memLevel {memory}"),
                Maker::Gzip => format!("gzip -{level}"),
                Maker::Miniz => format!("miniz_oxide -{level}"),
            }
        }
        Settings::Zstandard(settings) => {
            let worker = if settings.call.has_worker() {
                ", worker"
            } else {
                ""
            };
            let checksum = if settings.checksum { ", checksum" } else { "" };
            format!("zstd level {}{worker}{checksum}", settings.level)
        }
        Settings::Lzma(settings) => {
            let extreme = if settings.extreme { "e" } else { "" };
            let filter = if settings.chain.branch > 0 { ", filter" } else { "" };
            format!("liblzma preset {}{extreme}{filter}", settings.preset)
        }
    }
}
