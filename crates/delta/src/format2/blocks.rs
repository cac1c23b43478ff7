//! The bytes of the old file, read in blocks: what is near what was read is often asked for next.
//!
//! What is given depends on the file alone; the blocks only save calls. Refuses to know what the bytes
//! are.

use std::io::{self, Read, Seek, SeekFrom};

/// The length of a block, in bytes.
const BLOCK: usize = 4 * 1024;
/// How many blocks are kept.
const KEPT: usize = 128;
/// What all blocks take, in bytes.
pub(crate) const BYTES: usize = KEPT * BLOCK;

/// How long the pieces are in which the end of the file is given, in bytes: part of the format.
const PIECE: usize = 64 * 1024;

const NO_BLOCK: u32 = u32::MAX;

/// A file that is read in blocks.
pub(crate) struct Blocks<R> {
    reader: R,
    /// How long the file is, in bytes.
    length: u32,
    /// Which block is in each place.
    numbers: [u32; KEPT],
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Blocks<R> {
    /// Of a file of `length` bytes.
    pub(crate) fn new(reader: R, length: u32) -> Self {
        Self {
            reader,
            length,
            numbers: [NO_BLOCK; KEPT],
            bytes: vec![0; BYTES],
        }
    }

    /// The bytes from `offset` to the end of their block: at least one if `offset` is inside the file.
    pub(crate) fn from(&mut self, offset: u32) -> io::Result<&[u8]> {
        let number = offset / BLOCK as u32;
        let place = number as usize % KEPT;
        let begin = number * BLOCK as u32;
        let length = self.length.saturating_sub(begin).min(BLOCK as u32) as usize;
        let block = &mut self.bytes[place * BLOCK..][..length];
        if self.numbers[place] != number {
            // Not to be found while it is half read.
            self.numbers[place] = NO_BLOCK;
            self.reader.seek(SeekFrom::Start(begin.into()))?;
            self.reader.read_exact(block)?;
            self.numbers[place] = number;
        }
        Ok(block.get((offset - begin) as usize..).unwrap_or(&[]))
    }

    /// Adds the bytes from `offset` on to `bytes`, until that has `length` bytes. Fails if the file
    /// ends before.
    pub(crate) fn extend(&mut self, bytes: &mut Vec<u8>, mut offset: u32, length: usize) -> io::Result<()> {
        while bytes.len() < length {
            let more = self.from(offset)?;
            let taken = more.len().min(length - bytes.len());
            if taken == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&more[..taken]);
            offset += taken as u32;
        }
        Ok(())
    }

    /// Reads the last `count` bytes of the file, in pieces of [`PIECE`] bytes; the last may be shorter.
    pub(crate) fn last(&mut self, count: u32, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut at = self.length.saturating_sub(count);
        let mut piece = Vec::with_capacity(PIECE.min(count as usize));
        while at < self.length {
            piece.clear();
            let length = PIECE.min((self.length - at) as usize);
            self.extend(&mut piece, at, length)?;
            take(&piece);
            at += length as u32;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 256 + at) as u8).collect()
    }

    #[test]
    fn bytes_are_those_of_the_file_in_any_order() -> io::Result<()> {
        let file = file(BYTES + 3 * BLOCK + 5);
        let length = file.len() as u32;
        let mut blocks = Blocks::new(Cursor::new(&file), length);
        for offset in [
            0,
            1,
            8191,
            8192,
            8193,
            BYTES as u32,
            5,
            BYTES as u32 + 5,
            length - 1,
        ] {
            let at = offset as usize;
            let found = blocks.from(offset)?.to_vec();
            assert!(!found.is_empty(), "{offset}");
            assert!(file[at..].starts_with(&found), "{offset}");
            for count in [0, 1, 2000, 3 * BLOCK] {
                let count = count.min(file.len() - at);
                let mut bytes = Vec::new();
                blocks.extend(&mut bytes, offset, count)?;
                assert!(bytes == file[at..at + count], "{count} at {offset}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_end_of_the_file_is_an_error_and_not_zeros() {
        let file = file(BLOCK + 9);
        let mut blocks = Blocks::new(Cursor::new(&file), BLOCK as u32 + 9);
        let mut bytes = Vec::new();
        assert!(blocks.extend(&mut bytes, BLOCK as u32, 10).is_err());
        // A file that was cut since its length was asked for.
        let mut cut = Blocks::new(Cursor::new(&file[..BLOCK + 8]), BLOCK as u32 + 9);
        for _ in 0..2 {
            assert!(cut.from(BLOCK as u32).is_err());
        }
        assert!(cut.from(7).is_ok());
    }

    #[test]
    fn the_last_bytes_come_in_order() -> io::Result<()> {
        let file = file(2 * PIECE + 9);
        for count in [0, 1, 9, 10, BLOCK + 9, PIECE, PIECE + 1, 2 * PIECE + 9, 3 * PIECE] {
            let mut blocks = Blocks::new(Cursor::new(&file), file.len() as u32);
            let mut found = Vec::new();
            let mut lengths = Vec::new();
            blocks.last(count as u32, |piece| {
                found.extend_from_slice(piece);
                lengths.push(piece.len());
            })?;
            let whole = lengths.len().saturating_sub(1);
            assert!(
                lengths[..whole].iter().all(|length| *length == PIECE),
                "{lengths:?}"
            );
            assert!(found == file[file.len().saturating_sub(count)..], "{count}");
        }
        Ok(())
    }
}
