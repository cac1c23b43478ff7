//! A description of the new file to the bytes of a patch. Refuses to know how it was found.

use std::io;

use crate::layout::{HashTable, Layout};
use crate::preamble::put_number;
use crate::{Checksum, DiffError, Identity};

use super::body::{Body, BodyError, Part};
use super::control::Control;
use super::hashes;
use super::header::Header;
use super::layouts::layouts;
use super::old::OldFile;
use super::projection::Projection;
use super::range::{Coder, Encoder};
use super::{COUNT_BITS, Segment, literal_bits, max_segments, memory};

/// The new file by the old one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    /// The layout of the old file.
    pub(crate) old: Layout,
    /// The layout of the new file, of the same shape.
    pub(crate) new: Layout,
    /// The tables of page hashes in the new file that are right.
    pub(crate) tables: Vec<HashTable>,
    /// Sorted by `new`, disjoint there, outside the tables, inside both files.
    pub(crate) segments: Vec<Segment>,
}

/// Writes a patch. Tells how many bytes of the new file are written as it goes, and is cancelled when
/// that gives false.
pub(crate) fn encode(
    old: &[u8],
    new: &[u8],
    description: &Description,
    mut progress: impl FnMut(u32) -> bool,
) -> Result<Vec<u8>, DiffError> {
    let header = Header {
        memory: memory(&description.new),
        old: identity(old),
        new: identity(new),
    };
    let new_bytes = new.len() as u32;
    let mut patch = header.encode();
    let layouts_of = (&description.old, &description.new);
    let mut file = OldFile::new(io::Cursor::new(old), old.len() as u32, description.old.clone());
    let tables = description.tables.clone();
    let mut body = Body::new(
        layouts_of.0,
        layouts_of.1,
        tables,
        literal_bits(new_bytes, layouts_of.1),
    );
    body.prime(&mut file).map_err(DiffError::Read)?;
    let mut control = Control::new();
    let mut from = 0;
    let mut rest = &description.segments[..];
    while from < new_bytes {
        let (these, later) = rest.split_at(rest.len().min(max_segments(layouts_of.0)));
        rest = later;
        let end = match these.last() {
            Some(last) if !later.is_empty() => last.new + last.length,
            _ => new_bytes,
        };
        let mut coder = Encoder::new();
        if from == 0 {
            layouts(&mut coder, layouts_of.0, layouts_of.1);
            hashes::tables(&mut coder, &description.tables);
        }
        coder.raw(these.len() as u32, COUNT_BITS);
        for segment in these {
            control.segment(&mut coder, *segment);
        }
        let control_bytes = coder.finish();

        let projection = Projection::new(these, layouts_of.0, layouts_of.1);
        let part = Part {
            segments: these,
            projection: &projection,
            end,
            truth: new,
        };
        let mut coder = Encoder::new();
        let mut watched = Watched {
            progress: &mut progress,
            cancelled: false,
        };
        match body.part(&mut coder, &mut file, part, &mut watched) {
            Ok(()) => {}
            Err(_) if watched.cancelled => return Err(DiffError::Cancelled),
            Err(BodyError::Old(error)) => return Err(DiffError::Read(error)),
            Err(BodyError::New(error)) => return Err(DiffError::Write(error)),
            Err(BodyError::Coder) => return Err(DiffError::Engine),
        }
        coder.raw(body.check(), 16);
        let body_bytes = coder.finish();

        let length = if end == new_bytes { 0 } else { end - from };
        for number in [length, control_bytes.len() as u32, body_bytes.len() as u32] {
            put_number(&mut patch, number);
        }
        patch.extend_from_slice(&control_bytes);
        patch.extend_from_slice(&body_bytes);
        from = end;
    }
    Ok(patch)
}

fn identity(file: &[u8]) -> Identity {
    Identity {
        bytes: file.len() as u64,
        checksum: Checksum::Crc32(crc32fast::hash(file)),
    }
}

/// Takes the new file's bytes as they are made again, and tells how many there are.
struct Watched<'a, F> {
    progress: &'a mut F,
    cancelled: bool,
}

impl<F: FnMut(u32) -> bool> io::Write for Watched<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cancelled = !(self.progress)(bytes.len() as u32);
        if self.cancelled {
            Err(io::Error::other("cancelled"))
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::format2::{MAX_SEGMENTS_UNLED, contents};
    use crate::testing::Noise;
    use crate::{Limits, apply};

    #[test]
    fn more_segments_than_a_part_may_have_come_in_parts() -> Result<(), Box<dyn Error>> {
        let old = Noise::new(1).bytes(100);
        let most = MAX_SEGMENTS_UNLED as u32;
        for (count, parts) in [(most, 1), (most + 1, 2), (2 * most + 5, 3)] {
            // In turn a new byte and an old one.
            let places = (0..count).map(|at| (2 * at + 1, at * 7 % 100));
            let segments: Vec<_> = places.map(|(new, old)| Segment { new, old, length: 1 }).collect();
            let new: Vec<u8> = segments
                .iter()
                .flat_map(|segment| [segment.new as u8, old[segment.old as usize]])
                .collect();
            let description = Description {
                segments,
                ..Description::default()
            };
            let patch = encode(&old, &new, &description, |_| true)?;
            let found = contents(&patch[..])?;
            assert_eq!((found.parts, found.segments), (parts, count.into()));
            let mut out = Vec::new();
            let limits = Limits::exactly(new.len() as u64);
            apply(&mut io::Cursor::new(&old), &patch[..], &mut out, limits)?;
            assert!(out == new, "{count}");
        }
        Ok(())
    }
}
