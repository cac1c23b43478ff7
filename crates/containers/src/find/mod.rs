//! What only a publisher does: finding streams, and how they were made.
//!
//! Refuses to know of patches.

mod deflate;
mod scan;
mod xz;
mod zstandard;

use crate::StreamError;
use crate::codec::{Codec, Encoder, Settings};

pub(crate) use scan::{Stream, streams};

/// The settings that rebuild a stream. `hint` rebuilt another one and is tried first; `thorough` tries
/// all that is worth it.
pub(crate) fn reproduce(
    codec: Codec,
    expected: &[u8],
    plain: &[u8],
    hint: Option<&Settings>,
    thorough: bool,
) -> Option<Settings> {
    let candidates: Vec<Settings> = match codec {
        Codec::Deflate(trailer) => {
            let candidates = deflate::candidates(trailer);
            candidates.into_iter().map(Settings::Deflate).collect()
        }
        Codec::Zstandard => {
            let candidates = zstandard::candidates(expected, plain.len() as u64);
            candidates.into_iter().map(Settings::Zstandard).collect()
        }
        Codec::Lzma(chain) => xz::candidates(chain).into_iter().map(Settings::Lzma).collect(),
    };
    let same_of = |settings: &Settings| same_bytes(*settings, expected, plain).unwrap_or(0);
    if let Some(hint) = candidates.iter().find(|one| Some(*one) == hint)
        && same_of(hint) == expected.len()
    {
        return Some(*hint);
    }
    // Levels of zstd that begin a frame in another way, however they are called.
    let mut other_frames = Vec::new();
    for settings in candidates {
        if !thorough || Some(&settings) == hint {
            continue;
        }
        let level = match &settings {
            Settings::Zstandard(settings) => Some(settings.level),
            _ => None,
        };
        if level.is_some_and(|level| other_frames.contains(&level)) {
            continue;
        }
        let same = same_of(&settings);
        if same == expected.len() {
            return Some(settings);
        }
        if same < zstandard::decisive(plain.len()) {
            other_frames.extend(level);
        }
    }
    None
}

/// How many bytes an encoder gives as they are expected. Ends at the first step with one that differs.
fn same_bytes(settings: Settings, expected: &[u8], plain: &[u8]) -> Result<usize, StreamError> {
    const STEP: usize = 256 * 1024;
    let mut encoder = Encoder::new(settings, plain.len() as u64)?;
    let mut made = Vec::new();
    let mut at = 0;
    let mut differs = |made: &mut Vec<u8>| {
        let rest = &expected[at..];
        let same = made
            .iter()
            .zip(rest)
            .take_while(|(made, one)| made == one)
            .count();
        at += same;
        let differs = same < made.len();
        made.clear();
        (differs, at)
    };
    for step in plain.chunks(STEP) {
        encoder.push(step, &mut made)?;
        if let (true, same) = differs(&mut made) {
            return Ok(same);
        }
    }
    encoder.finish(&mut made)?;
    let (differs, same) = differs(&mut made);
    // Bytes too many are no match.
    Ok(if differs {
        same.min(expected.len().saturating_sub(1))
    } else {
        same
    })
}
