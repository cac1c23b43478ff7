//! The encoder of miniz_oxide, which most programs in Rust compress with. Refuses to know where plain
//! bytes come from.

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress};

use crate::StreamError;

/// Its version. The library does not tell it; a test compares it with what is built in.
pub(super) const VERSION: &str = "0.9.1";
const BUFFER_BYTES: usize = 64 * 1024;
/// How many bytes it is given at a time, as programs that copy a file do. Its lowest level gives other
/// bytes where it gets others.
const STEP: usize = 8 * 1024;

/// Compresses.
pub(super) struct Encoder {
    state: Box<CompressorOxide>,
    /// What makes the next step.
    gathered: Vec<u8>,
    output: Vec<u8>,
}

impl Encoder {
    /// `level` is from 1 to 10.
    pub(super) fn new(level: u8) -> Self {
        let mut state = Box::<CompressorOxide>::default();
        state.set_format_and_level(DataFormat::Raw, level);
        Self {
            state,
            gathered: Vec::with_capacity(STEP),
            output: vec![0; BUFFER_BYTES],
        }
    }

    pub(super) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        while !plain.is_empty() {
            let (now, later) = plain.split_at(plain.len().min(STEP - self.gathered.len()));
            self.gathered.extend_from_slice(now);
            plain = later;
            if self.gathered.len() == STEP {
                self.run(TDEFLFlush::None, out)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), StreamError> {
        self.run(TDEFLFlush::None, out)?;
        self.run(TDEFLFlush::Finish, out)
    }

    /// Compresses what was gathered.
    fn run(&mut self, flush: TDEFLFlush, out: &mut Vec<u8>) -> Result<(), StreamError> {
        let mut plain = &self.gathered[..];
        while !plain.is_empty() || flush == TDEFLFlush::Finish {
            let (status, read, made) = compress(&mut self.state, plain, &mut self.output, flush);
            plain = &plain[read..];
            out.extend_from_slice(&self.output[..made]);
            match status {
                TDEFLStatus::Done => break,
                TDEFLStatus::Okay if read > 0 || made > 0 => {}
                _ => return Err(StreamError::Encode("miniz_oxide gave up".to_owned())),
            }
        }
        self.gathered.clear();
        Ok(())
    }
}
