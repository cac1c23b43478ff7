//! The codecs under one roof: what is written of a stream into a recipe, and the encoders by it.
//!
//! Refuses to know where streams are.

use std::io::{self, Read};

use crate::deflate::{self, Trailer};
use crate::number::take_byte;
use crate::zstandard::{self, Call};
use crate::{Fault, StreamError, lzma};

/// What a decoder has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Deflate(Trailer),
    Zstandard,
    Lzma(lzma::Chain),
}

impl Codec {
    #[cfg(feature = "diff")]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Deflate(Trailer::None) => out.push(1),
            Self::Deflate(Trailer::Adler) => out.push(2),
            Self::Deflate(Trailer::Gzip) => out.push(3),
            Self::Zstandard => out.push(4),
            Self::Lzma(chain) => out.extend([5, chain.branch, chain.dictionary]),
        }
    }

    pub(crate) fn take(input: &mut &[u8]) -> Result<Self, Fault> {
        match take_byte(input)? {
            kind @ 1..=3 => Ok(Self::Deflate(Trailer::ALL[usize::from(kind - 1)])),
            4 => Ok(Self::Zstandard),
            5 => {
                let chain = lzma::Chain {
                    branch: take_byte(input)?,
                    dictionary: take_byte(input)?,
                };
                chain.check()?;
                Ok(Self::Lzma(chain))
            }
            _ => Err(Fault::Codec),
        }
    }

    /// Decompresses a stream of an old file. What follows it, as a trailer, is not read.
    pub(crate) fn decoder<'a>(self, encoded: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        match self {
            Self::Deflate(_) => Ok(deflate::decoder(encoded)),
            Self::Zstandard => zstandard::decoder(encoded),
            Self::Lzma(chain) => lzma::decoder(encoded, chain),
        }
    }
}

/// What an encoder has to be told to give a stream again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    Deflate(deflate::Settings),
    Zstandard(zstandard::Settings),
    Lzma(lzma::Settings),
}

impl Settings {
    #[cfg(feature = "diff")]
    fn codec(self) -> Codec {
        match self {
            Self::Deflate(settings) => Codec::Deflate(settings.trailer),
            Self::Zstandard(_) => Codec::Zstandard,
            Self::Lzma(settings) => Codec::Lzma(settings.chain),
        }
    }

    #[cfg(feature = "diff")]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        self.codec().write(out);
        match self {
            Self::Deflate(settings) => settings.write(out),
            Self::Zstandard(settings) => {
                let call = Call::ALL.iter().position(|call| *call == settings.call);
                out.push(settings.level.cast_unsigned());
                out.push(settings.checksum.into());
                out.push(call.unwrap_or_default() as u8);
            }
            Self::Lzma(settings) => out.extend([settings.preset, settings.extreme.into()]),
        }
    }

    /// Takes the settings of a stream of `plain` bytes.
    pub(crate) fn take(input: &mut &[u8], plain: u64) -> Result<Self, Fault> {
        Ok(match Codec::take(input)? {
            Codec::Deflate(trailer) => Self::Deflate(deflate::Settings::take(input, trailer)?),
            Codec::Zstandard => {
                let settings = zstandard::Settings {
                    level: take_byte(input)?.cast_signed(),
                    checksum: take_flag(input)?,
                    call: *Call::ALL
                        .get(usize::from(take_byte(input)?))
                        .ok_or(Fault::Codec)?,
                };
                settings.check(plain)?;
                Self::Zstandard(settings)
            }
            Codec::Lzma(chain) => {
                let settings = lzma::Settings {
                    chain,
                    preset: take_byte(input)?,
                    extreme: take_flag(input)?,
                };
                settings.check()?;
                Self::Lzma(settings)
            }
        })
    }
}

fn take_flag(input: &mut &[u8]) -> Result<bool, Fault> {
    match take_byte(input)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::Codec),
    }
}

/// Gives a stream again.
pub(crate) enum Encoder {
    Deflate(Box<deflate::Encoder>),
    Zstandard(zstandard::Encoder),
    Lzma(lzma::Encoder),
}

impl Encoder {
    /// `settings` were checked for a stream of `plain` bytes.
    pub(crate) fn new(settings: Settings, plain: u64) -> Result<Self, StreamError> {
        Ok(match settings {
            Settings::Deflate(settings) => Self::Deflate(Box::new(deflate::Encoder::new(settings))),
            Settings::Zstandard(settings) => Self::Zstandard(zstandard::Encoder::new(settings, plain)?),
            Settings::Lzma(settings) => Self::Lzma(lzma::Encoder::new(settings)?),
        })
    }

    /// Takes plain bytes, never more than the stream has, and appends what they make.
    pub(crate) fn push(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        match self {
            Self::Deflate(encoder) => encoder.push(plain, out),
            Self::Zstandard(encoder) => encoder.push(plain, out),
            Self::Lzma(encoder) => encoder.push(plain, out),
        }
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        match self {
            Self::Deflate(encoder) => encoder.finish(out),
            Self::Zstandard(encoder) => encoder.finish(out),
            Self::Lzma(encoder) => encoder.finish(out),
        }
    }
}
