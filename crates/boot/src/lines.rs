//! JSON lines over a connection, with a limit on each. Refuses to know what they say.

use std::io::{self, BufRead, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line that is read, in bytes.
pub(crate) const LONGEST: usize = 256 * 1024;

/// Writes a value as one line, in one write where the system allows it.
pub(crate) fn write(writer: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line)
}

/// What a line held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<T> {
    /// A value.
    Value(T),
    /// Something else: the other side may be newer. The line is skipped.
    Unknown,
    /// The other side has gone, in the middle of a line or not.
    End,
}

/// Reads one line. A line over [`LONGEST`] is skipped, and never kept in memory.
pub(crate) fn read<T: DeserializeOwned>(reader: &mut impl BufRead) -> io::Result<Line<T>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let bytes = match reader.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            return Ok(Line::End);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if line.len() + taken > LONGEST {
            too_long = true;
            line = Vec::new();
        } else if !too_long {
            line.extend_from_slice(&bytes[..taken]);
        }
        reader.consume(taken);
        if end.is_some() {
            let value = (!too_long).then(|| serde_json::from_slice(&line).ok()).flatten();
            return Ok(value.map_or(Line::Unknown, Line::Value));
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_endless_lines_are_skipped() {
        let mut bytes = Vec::new();
        write(&mut bytes, &7_u32).unwrap();
        bytes.extend_from_slice(b"\"a later message\"\n");
        bytes.extend(std::iter::repeat_n(b'1', 3 * LONGEST));
        bytes.extend_from_slice(b"\n8\n9");
        let mut reader = io::BufReader::with_capacity(1000, &bytes[..]);
        let lines: Vec<_> = (0..5).map(|_| read::<u32>(&mut reader).unwrap()).collect();
        assert_eq!(
            lines,
            [
                Line::Value(7),
                Line::Unknown,
                Line::Unknown,
                Line::Value(8),
                Line::End
            ]
        );
    }
}
