//! LZMA2, the streams inside of xz blocks: compressed again with the settings that give the same bytes.
//!
//! Headers, checks and the index of an xz file are not touched: they stay bytes of the container, so
//! that the xz program with any number of threads, dpkg-deb and mksquashfs are all alike here.

use std::io::{self, BufRead, BufReader, Read};

use liblzma::stream::{Action, Filters, LzmaOptions, Status, Stream};

use crate::{Fault, StreamError};

/// The largest dictionary of an encoder, 16 MiB: it needs 186 MiB then.
const MAX_ENCODER_DICTIONARY: u32 = 16 << 20;
/// The largest dictionary of a decoder.
const MAX_DECODER_DICTIONARY: u32 = 128 << 20;
const EXTREME: u32 = 1 << 31;
const BUFFER_BYTES: usize = 64 * 1024;

pub(crate) fn version() -> String {
    use liblzma_sys::{LZMA_VERSION_MAJOR, LZMA_VERSION_MINOR, LZMA_VERSION_PATCH};
    format!("liblzma {LZMA_VERSION_MAJOR}.{LZMA_VERSION_MINOR}.{LZMA_VERSION_PATCH}")
}

/// What a decoder has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The filter for machine code before LZMA2 by its identity in xz, or 0.
    pub(crate) branch: u8,
    /// The size of the dictionary as xz writes it.
    pub(crate) dictionary: u8,
}

impl Chain {
    /// The size of the dictionary in bytes, if a decoder may have one as large.
    fn dictionary(self) -> Result<u32, Fault> {
        if self.dictionary > 37 {
            return Err(Fault::Memory);
        }
        let size = (2 | u32::from(self.dictionary & 1)) << (self.dictionary / 2 + 11);
        if size > MAX_DECODER_DICTIONARY {
            return Err(Fault::Memory);
        }
        Ok(size)
    }

    pub(crate) fn check(self) -> Result<(), Fault> {
        self.dictionary()?;
        if matches!(self.branch, 0 | 4..=11) {
            Ok(())
        } else {
            Err(Fault::Codec)
        }
    }

    fn filters(self, options: &mut LzmaOptions) -> io::Result<Filters> {
        let size = self.dictionary().map_err(io::Error::other)?;
        options.dict_size(size);
        let mut filters = Filters::new();
        match self.branch {
            4 => filters.x86(),
            5 => filters.powerpc(),
            6 => filters.ia64(),
            7 => filters.arm(),
            8 => filters.arm_thumb(),
            9 => filters.sparc(),
            10 => filters.arm64(),
            11 => filters.riscv(),
            _ => &mut filters,
        };
        filters.lzma2(options);
        Ok(filters)
    }
}

/// What an encoder has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) chain: Chain,
    /// A preset of xz from 0 to 6; those above differ only in the dictionary.
    pub(crate) preset: u8,
    pub(crate) extreme: bool,
}

impl Settings {
    /// Whether an encoder stays below 256 MiB.
    pub(crate) fn check(self) -> Result<(), Fault> {
        self.chain.check()?;
        if self.preset > 6 {
            return Err(Fault::Codec);
        }
        if self.chain.dictionary()? > MAX_ENCODER_DICTIONARY {
            return Err(Fault::Memory);
        }
        Ok(())
    }
}

impl Settings {
    /// The most bytes that an encoder takes: its dictionary with the trees of the search around it.
    pub(crate) fn memory(self) -> u64 {
        u64::from(self.chain.dictionary().unwrap_or(MAX_ENCODER_DICTIONARY)) * 12 + (8 << 20)
    }
}

/// The most bytes that a decoder takes.
pub(crate) fn decoder_memory(chain: Chain) -> u64 {
    u64::from(chain.dictionary().unwrap_or(MAX_DECODER_DICTIONARY)) + (1 << 20)
}

/// Decompresses a stream of an old file.
pub(crate) fn decoder<'a>(encoded: impl Read + 'a, chain: Chain) -> io::Result<Box<dyn Read + 'a>> {
    Ok(Box::new(Decoder::new(BufReader::new(encoded), chain)?))
}

/// Decompresses a stream, and knows where it ends.
pub(crate) struct Decoder<R> {
    encoded: R,
    stream: Stream,
    is_at_end: bool,
}

impl<R> Decoder<R> {
    pub(crate) fn new(encoded: R, chain: Chain) -> io::Result<Self> {
        let filters = chain.filters(&mut LzmaOptions::new_preset(6)?)?;
        Ok(Self {
            encoded,
            stream: Stream::new_raw_decoder(&filters)?,
            is_at_end: false,
        })
    }

    /// How long the stream is, if its end was reached.
    #[cfg(feature = "diff")]
    pub(crate) fn length(&self) -> Option<usize> {
        self.is_at_end.then_some(self.stream.total_in() as usize)
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_at_end && !buffer.is_empty() {
            let input = self.encoded.fill_buf()?;
            let is_empty = input.is_empty();
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.process(input, buffer, Action::Run)?;
            let read = (self.stream.total_in() - before_in) as usize;
            let made = (self.stream.total_out() - before_out) as usize;
            self.encoded.consume(read);
            self.is_at_end = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made);
            }
            if !self.is_at_end && (is_empty || read == 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// Compresses a stream.
pub(crate) struct Encoder {
    stream: Stream,
    output: Vec<u8>,
}

impl Encoder {
    /// `settings` were checked.
    pub(crate) fn new(settings: Settings) -> Result<Self, StreamError> {
        let failed = |error: io::Error| StreamError::Encode(error.to_string());
        let extreme = if settings.extreme { EXTREME } else { 0 };
        let preset = u32::from(settings.preset) | extreme;
        let mut options = LzmaOptions::new_preset(preset).map_err(|error| failed(error.into()))?;
        let filters = settings.chain.filters(&mut options).map_err(failed)?;
        Ok(Self {
            stream: Stream::new_raw_encoder(&filters).map_err(|error| failed(error.into()))?,
            output: vec![0; BUFFER_BYTES],
        })
    }

    pub(crate) fn push(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        self.run(plain, Action::Run, out)
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        self.run(&[], Action::Finish, out)
    }

    fn run(&mut self, mut plain: &[u8], action: Action, out: &mut Vec<u8>) -> Result<(), StreamError> {
        loop {
            if plain.is_empty() && matches!(action, Action::Run) {
                return Ok(());
            }
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .process(plain, &mut self.output, action)
                .map_err(|error| StreamError::Encode(error.to_string()))?;
            plain = &plain[(self.stream.total_in() - before_in) as usize..];
            let made = (self.stream.total_out() - before_out) as usize;
            out.extend_from_slice(&self.output[..made]);
            if status == Status::StreamEnd {
                return Ok(());
            }
        }
    }
}
