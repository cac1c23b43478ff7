//! Content to container: what is written comes in the order of the content, and each stream is
//! compressed as soon as it is there. Refuses to know where the content comes from.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::codec::Encoder;
use crate::recipe::{NewStream, runs};
use crate::{ApplyError, StreamError};

/// What is to be done next. All but `Release` take bytes of the content.
enum Step {
    /// Bytes go to the container.
    Copy(u64),
    /// Bytes are kept: they belong between the streams that follow.
    Hold(u64),
    /// Bytes are compressed.
    Stream(NewStream),
    /// So many of the bytes that are kept go to the container.
    Release(u64),
}

/// The steps to a container whose last stream is followed by `tail` bytes.
fn steps(streams: Vec<NewStream>, tail: u64) -> Vec<Step> {
    let gaps: Vec<u64> = streams.iter().map(|stream| stream.gap).collect();
    let mut streams = streams.into_iter();
    let mut steps = Vec::new();
    for run in runs(&gaps) {
        let held = &gaps[run.start + 1..run.end];
        steps.extend([Step::Copy(gaps[run.start]), Step::Hold(held.iter().sum())]);
        let after = held.iter().map(|gap| Some(*gap)).chain([None]);
        for (stream, gap) in streams.by_ref().take(run.len()).zip(after) {
            steps.push(Step::Stream(stream));
            steps.extend(gap.map(Step::Release));
        }
    }
    steps.push(Step::Copy(tail));
    steps
}

/// A stream that is being compressed.
struct Current {
    encoder: Encoder,
    /// How many plain bytes are still to come.
    plain: u64,
    /// How many compressed bytes are still to be made.
    length: u64,
}

/// What is being done, and for how many bytes more.
enum State {
    Copy(u64),
    Hold(u64),
    Stream(Box<Current>),
}

/// Takes content and writes a container.
pub(crate) struct Rebuilder<'a, W> {
    out: &'a mut W,
    steps: std::vec::IntoIter<Step>,
    state: State,
    /// How many streams were begun.
    begun: usize,
    held: Vec<u8>,
    made: Vec<u8>,
    written: u64,
    hasher: Sha256,
    /// Why writing failed. The caller in between knows only that it did.
    failed: Option<ApplyError>,
}

impl<'a, W: Write> Rebuilder<'a, W> {
    /// `streams` were checked against `length`, that of the container.
    pub(crate) fn new(out: &'a mut W, streams: Vec<NewStream>, length: u64) -> Self {
        let inside: u64 = streams.iter().map(|stream| stream.gap + stream.length).sum();
        Self {
            out,
            steps: steps(streams, length - inside).into_iter(),
            state: State::Copy(0),
            begun: 0,
            held: Vec::new(),
            made: Vec::new(),
            written: 0,
            hasher: Sha256::new(),
            failed: None,
        }
    }

    /// Why writing failed.
    pub(crate) fn take_failure(&mut self) -> Option<ApplyError> {
        self.failed.take()
    }

    /// The length and the hash of what was written.
    pub(crate) fn finish(mut self) -> Result<(u64, [u8; 32]), ApplyError> {
        self.settle()?;
        self.out.flush().map_err(ApplyError::New)?;
        Ok((self.written, self.hasher.finalize().into()))
    }

    fn take(&mut self, mut content: &[u8]) -> Result<(), ApplyError> {
        while !content.is_empty() {
            self.settle()?;
            let (State::Copy(left) | State::Hold(left)) = &mut self.state else {
                let now = self.compress(content)?;
                content = &content[now..];
                continue;
            };
            let now = (*left).min(content.len() as u64) as usize;
            if now == 0 {
                return Err(ApplyError::Trailing);
            }
            *left -= now as u64;
            let (now, later) = content.split_at(now);
            content = later;
            match self.state {
                State::Hold(_) => self.held.extend_from_slice(now),
                _ => self.write_out(now)?,
            }
        }
        Ok(())
    }

    /// Gives the current stream what is its own, and tells how much that was.
    fn compress(&mut self, content: &[u8]) -> Result<usize, ApplyError> {
        let State::Stream(current) = &mut self.state else {
            return Ok(0);
        };
        let now = current.plain.min(content.len() as u64) as usize;
        current.plain -= now as u64;
        let pushed = current.encoder.push(&content[..now], &mut self.made);
        let fits = current.length.checked_sub(self.made.len() as u64);
        current.length = fits.unwrap_or(0);
        self.check(pushed.and(fits.map(|_| ()).ok_or(StreamError::Length)))?;
        self.emit()?;
        Ok(now)
    }

    /// Goes on until bytes of the content are needed, or nothing is left.
    fn settle(&mut self) -> Result<(), ApplyError> {
        loop {
            match &self.state {
                State::Copy(0) | State::Hold(0) => {}
                State::Stream(current) if current.plain == 0 => {}
                _ => return Ok(()),
            }
            if let State::Stream(current) = std::mem::replace(&mut self.state, State::Copy(0)) {
                let finished = current.encoder.finish(&mut self.made);
                let fits = self.made.len() as u64 == current.length;
                self.check(finished.and(fits.then_some(()).ok_or(StreamError::Length)))?;
                self.emit()?;
            }
            match self.steps.next() {
                None => return Ok(()),
                Some(Step::Copy(length)) => self.state = State::Copy(length),
                Some(Step::Hold(length)) => self.state = State::Hold(length),
                Some(Step::Release(length)) => {
                    let released: Vec<u8> = self.held.drain(..length as usize).collect();
                    self.write_out(&released)?;
                }
                Some(Step::Stream(stream)) => {
                    self.begun += 1;
                    let encoder = self.check(Encoder::new(stream.settings, stream.plain))?;
                    self.state = State::Stream(Box::new(Current {
                        encoder,
                        plain: stream.plain,
                        length: stream.length,
                    }));
                }
            }
        }
    }

    /// Writes what an encoder made.
    fn emit(&mut self) -> Result<(), ApplyError> {
        let made = std::mem::take(&mut self.made);
        self.write_out(&made)?;
        self.made = made;
        self.made.clear();
        Ok(())
    }

    fn write_out(&mut self, bytes: &[u8]) -> Result<(), ApplyError> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(ApplyError::New)
    }

    fn check<T>(&self, result: Result<T, StreamError>) -> Result<T, ApplyError> {
        result.map_err(|source| ApplyError::Rebuild {
            stream: self.begun - 1,
            source,
        })
    }
}

impl<W: Write> Write for Rebuilder<'_, W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        // A buffer in between tries again when it is dropped: the first failure is the one that counts.
        if let Some(failed) = &self.failed {
            return Err(io::Error::other(failed.to_string()));
        }
        match self.take(content) {
            Ok(()) => Ok(content.len()),
            Err(error) => {
                let told = io::Error::other(error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
