//! Zstandard frames: compressed again with the settings that give the same bytes.
//!
//! There is no correction: a frame of another version of zstd, or of settings that are not tried, can't
//! be rebuilt. Refuses to know what is around a frame.

use std::io::{BufReader, Read};

use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{self, CCtx, CParameter, InBuffer, OutBuffer};

use crate::{Fault, StreamError};

/// The largest window that is decompressed, as a power of two: 128 MiB, the most of zstd's own levels.
const MAX_WINDOW_LOG: u32 = 27;
/// How many bytes the encoder is given at a time, as the programs do.
const STEP: usize = 128 * 1024;
/// The most bytes that are compressed in one call, since they are gathered in memory.
pub(crate) const MAX_AT_ONCE: u64 = 8 << 20;
/// Up to this level an encoder needs less than 128 MiB.
const MODEST_LEVEL: i32 = 19;
/// Above it one of a frame of at most this length needs less than 192 MiB.
const MAX_AMBITIOUS: u64 = 8 << 20;

pub(crate) fn version() -> String {
    format!("zstd {}", zstd_safe::version_string())
}

/// How the encoder is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Once with all bytes, as mksquashfs does.
    AtOnce,
    /// In steps; the length is told before, and the last step ends the frame.
    Known,
    /// In steps; the length is told before, and a call without bytes ends the frame.
    KnownThenEnd,
    /// In steps, without a length; a call without bytes ends the frame.
    Unknown,
    /// As `Known`, on a worker thread: as the program zstd does.
    KnownWorker,
    /// As `KnownThenEnd`, on a worker thread.
    KnownThenEndWorker,
    /// As `Unknown`, on a worker thread: as dpkg-deb and tar do.
    UnknownWorker,
}

impl Call {
    pub(crate) const ALL: [Self; 7] = [
        Self::AtOnce,
        Self::Known,
        Self::KnownThenEnd,
        Self::Unknown,
        Self::KnownWorker,
        Self::KnownThenEndWorker,
        Self::UnknownWorker,
    ];

    pub(crate) const fn tells_length(self) -> bool {
        !matches!(self, Self::Unknown | Self::UnknownWorker)
    }

    pub(crate) const fn has_worker(self) -> bool {
        matches!(
            self,
            Self::KnownWorker | Self::KnownThenEndWorker | Self::UnknownWorker
        )
    }

    /// Whether the last bytes come with the end.
    const fn ends_with_bytes(self) -> bool {
        matches!(self, Self::AtOnce | Self::Known | Self::KnownWorker)
    }
}

/// What an encoder has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) level: i8,
    pub(crate) checksum: bool,
    pub(crate) call: Call,
}

impl Settings {
    /// Whether an encoder of a frame of this length stays below 256 MiB.
    pub(crate) fn check(self, plain: u64) -> Result<(), Fault> {
        let level = i32::from(self.level);
        if level == 0 || !(-7..=22).contains(&level) {
            return Err(Fault::Codec);
        }
        let modest = level <= MODEST_LEVEL
            || plain <= MAX_AMBITIOUS && self.call.tells_length() && !self.call.has_worker();
        let gathered = self.call != Call::AtOnce || plain <= MAX_AT_ONCE;
        if modest && gathered {
            Ok(())
        } else {
            Err(Fault::Memory)
        }
    }
}

/// The most bytes that a decoder takes for a frame of so many plain bytes: its window, and what is
/// around it.
pub(crate) fn decoder_memory(plain: u64) -> u64 {
    plain.min(1 << MAX_WINDOW_LOG) + (1 << 20)
}

impl Settings {
    /// The most bytes that an encoder takes: by what it was seen to take, rounded up.
    pub(crate) fn memory(self) -> u64 {
        let mebibytes: u64 = match self.level {
            20.. => 192,
            16.. if self.call.has_worker() => 208,
            16.. => 128,
            _ if self.call.has_worker() => 176,
            _ => 96,
        };
        mebibytes << 20
    }
}

/// Decompresses a frame of an old file.
pub(crate) fn decoder<'a>(encoded: impl Read + 'a) -> std::io::Result<Box<dyn Read + 'a>> {
    let mut decoder = zstd::Decoder::with_buffer(BufReader::new(encoded))?.single_frame();
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    Ok(Box::new(decoder))
}

/// Compresses a frame.
pub(crate) struct Encoder {
    context: CCtx<'static>,
    call: Call,
    /// How many plain bytes are still to come.
    left: u64,
    /// What makes the next step.
    gathered: Vec<u8>,
    step: usize,
    output: Vec<u8>,
}

impl Encoder {
    /// `settings` were checked for `plain`.
    pub(crate) fn new(settings: Settings, plain: u64) -> Result<Self, StreamError> {
        let mut context = CCtx::try_create().ok_or_else(|| StreamError::Encode("no memory".to_owned()))?;
        let parameters = [
            CParameter::CompressionLevel(settings.level.into()),
            CParameter::ChecksumFlag(settings.checksum),
            CParameter::NbWorkers(settings.call.has_worker().into()),
        ];
        for parameter in parameters {
            context.set_parameter(parameter).map_err(failed)?;
        }
        if settings.call.tells_length() {
            context.set_pledged_src_size(Some(plain)).map_err(failed)?;
        }
        let step = if settings.call == Call::AtOnce {
            plain as usize
        } else {
            STEP
        };
        Ok(Self {
            context,
            call: settings.call,
            left: plain,
            gathered: Vec::new(),
            step,
            output: vec![0; STEP + 1024],
        })
    }

    /// Takes plain bytes, never more than the frame has.
    pub(crate) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        while !plain.is_empty() {
            let (now, later) = plain.split_at(plain.len().min(self.step - self.gathered.len()));
            self.gathered.extend_from_slice(now);
            self.left = self
                .left
                .checked_sub(now.len() as u64)
                .ok_or(StreamError::Length)?;
            plain = later;
            // The last bytes may have to wait for the end.
            if self.gathered.len() == self.step && !(self.left == 0 && self.call.ends_with_bytes()) {
                self.run(ZSTD_EndDirective::ZSTD_e_continue, out)?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        if self.left != 0 {
            return Err(StreamError::Length);
        }
        if !self.call.ends_with_bytes() && !self.gathered.is_empty() {
            self.run(ZSTD_EndDirective::ZSTD_e_continue, out)?;
        }
        self.run(ZSTD_EndDirective::ZSTD_e_end, out)
    }

    fn run(&mut self, end: ZSTD_EndDirective, out: &mut Vec<u8>) -> Result<(), StreamError> {
        let mut input = InBuffer::around(&self.gathered);
        loop {
            let mut output = OutBuffer::around(&mut self.output[..]);
            let rest = self
                .context
                .compress_stream2(&mut output, &mut input, end)
                .map_err(failed)?;
            out.extend_from_slice(output.as_slice());
            let is_done = match end {
                ZSTD_EndDirective::ZSTD_e_end => rest == 0,
                _ => input.pos() == self.gathered.len(),
            };
            if is_done {
                break;
            }
        }
        self.gathered.clear();
        Ok(())
    }
}

fn failed(code: zstd_safe::ErrorCode) -> StreamError {
    StreamError::Encode(zstd_safe::get_error_name(code).to_owned())
}
