//! The old content: written to a scratch file once, then seen piece by piece.
//!
//! Refuses to search: which streams there are the recipe says.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use crate::codec::Codec;
use crate::recipe::{OldStream, runs};
use crate::{ApplyError, StreamError};

const BUFFER_BYTES: usize = 64 * 1024;

/// Writes the content of the old container, which has `length` bytes, from its beginning.
pub(crate) fn unpack(
    old: &mut (impl Read + Seek),
    length: u64,
    streams: &[OldStream],
    scratch: &mut (impl Write + Seek),
) -> Result<(), ApplyError> {
    scratch.rewind().map_err(ApplyError::Scratch)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, scratch);
    let gaps: Vec<u64> = streams.iter().map(|stream| stream.gap).collect();
    let mut at = 0;
    for run in runs(&gaps) {
        let first = at + streams[run.start].gap;
        copy(old, at, streams[run.start].gap, &mut out)?;
        at = first;
        for pair in streams[run.clone()].windows(2) {
            at += pair[0].length;
            copy(old, at, pair[1].gap, &mut out)?;
            at += pair[1].gap;
        }
        at = first;
        for number in run.clone() {
            let stream = &streams[number];
            if number > run.start {
                at += stream.gap;
            }
            old.seek(SeekFrom::Start(at)).map_err(ApplyError::Old)?;
            unpack_stream(&mut old.take(stream.length), stream, &mut out).map_err(|failed| match failed {
                Failed::Stream(source) => ApplyError::Unpack {
                    stream: number,
                    source,
                },
                Failed::Scratch(error) => ApplyError::Scratch(error),
            })?;
            at += stream.length;
        }
    }
    copy(old, at, length - at, &mut out)?;
    out.flush().map_err(ApplyError::Scratch)
}

enum Failed {
    Stream(StreamError),
    Scratch(io::Error),
}

fn unpack_stream(encoded: &mut impl Read, stream: &OldStream, out: &mut impl Write) -> Result<(), Failed> {
    let decode = |error| Failed::Stream(StreamError::Decode(error));
    let mut decoder = Codec::decoder(stream.codec, encoded).map_err(decode)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut left = stream.plain;
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) if left == 0 => return Ok(()),
            Ok(read) if read > 0 && read as u64 <= left => {
                left -= read as u64;
                out.write_all(&buffer[..read]).map_err(Failed::Scratch)?;
            }
            Ok(_) => return Err(Failed::Stream(StreamError::Length)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(decode(error)),
        }
    }
}

fn copy(old: &mut (impl Read + Seek), at: u64, length: u64, out: &mut impl Write) -> Result<(), ApplyError> {
    old.seek(SeekFrom::Start(at)).map_err(ApplyError::Old)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut left = length;
    while left > 0 {
        let now = left.min(BUFFER_BYTES as u64) as usize;
        old.read_exact(&mut buffer[..now]).map_err(ApplyError::Old)?;
        out.write_all(&buffer[..now]).map_err(ApplyError::Scratch)?;
        left -= now as u64;
    }
    Ok(())
}

/// Some of a content as a file of its own: the delta crate knows an executable by a file's beginning.
pub(crate) struct View<S> {
    content: S,
    start: u64,
    length: u64,
    at: u64,
}

impl<S> View<S> {
    /// `start` and `length` lie within the content.
    pub(crate) fn new(content: S, start: u64, length: u64) -> Self {
        Self {
            content,
            start,
            length,
            at: 0,
        }
    }
}

impl<S: Read + Seek> Read for View<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = left.min(buffer.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        self.content.seek(SeekFrom::Start(self.start + self.at))?;
        let read = self.content.read(&mut buffer[..most])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<S> Seek for View<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_view_begins_and_ends_where_it_is_told_to() -> io::Result<()> {
        let table = [
            (0, 10, "0123456789"),
            (4, 6, "456789"),
            (3, 4, "3456"),
            (10, 0, ""),
        ];
        for (start, length, expected) in table {
            let mut view = View::new(Cursor::new(b"0123456789"), start, length);
            let mut seen = String::new();
            view.read_to_string(&mut seen)?;
            assert_eq!((seen.as_str(), view.seek(SeekFrom::End(0))?), (expected, length));
            assert_eq!(view.seek(SeekFrom::Start(20))?, 20);
            assert_eq!(view.read(&mut [0; 4])?, 0);
        }
        Ok(())
    }
}
