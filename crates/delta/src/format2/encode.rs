//! A description of the new file to the bytes of a patch. Refuses to know how it was found.

use std::io;

use crate::layout::Layout;
use crate::preamble::put_number;
use crate::{Checksum, Identity};

use super::body::{Body, BodyError, Part};
use super::control::Control;
use super::hashes::{self, HashTable};
use super::header::Header;
use super::layouts::layouts;
use super::old::OldFile;
use super::projection::Projection;
use super::range::{Coder, Encoder};
use super::{MAX_SEGMENTS, Segment, literal_bits};

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

/// Writes a patch. Tells how many bytes of the new file are written as it goes, and stops when that
/// gives false.
pub(crate) fn encode(
    old: &[u8],
    new: &[u8],
    description: &Description,
    mut progress: impl FnMut(u32) -> bool,
) -> io::Result<Option<Vec<u8>>> {
    let header = Header {
        old: identity(old),
        new: identity(new),
    };
    let new_bytes = new.len() as u32;
    let mut patch = header.encode();
    let layouts_of = (&description.old, &description.new);
    let mut file = OldFile::new(io::Cursor::new(old), old.len() as u32, description.old.clone());
    let tables = description.tables.clone();
    let mut body = Body::new(layouts_of.0, layouts_of.1, tables, literal_bits(new_bytes));
    body.prime(&mut file, old.len() as u32)?;
    let mut control = Control::new();
    let mut from = 0;
    let mut rest = &description.segments[..];
    while from < new_bytes {
        let (these, later) = rest.split_at(rest.len().min(MAX_SEGMENTS));
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
        coder.raw(these.len() as u32, 18);
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
            Err(_) if watched.cancelled => return Ok(None),
            Err(BodyError::Old(error) | BodyError::New(error)) => return Err(error),
            Err(BodyError::Coder) => return Err(io::ErrorKind::InvalidData.into()),
        }
        coder.raw(body.check(), 16);
        let body_bytes = coder.finish();

        for number in [end - from, control_bytes.len() as u32, body_bytes.len() as u32] {
            put_number(&mut patch, number);
        }
        patch.extend_from_slice(&control_bytes);
        patch.extend_from_slice(&body_bytes);
        from = end;
    }
    Ok(Some(patch))
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
