//! Patches that were made by somebody who means harm: each is refused by its own error, before
//! anything is read, written or allocated by what it says.
//!
//! They are made with the encoder's own parts, which say whatever they are told to. Refuses to know
//! what each of them says.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod framing;
mod hashes;
mod layouts;
mod memory;
mod segments;

use std::io::{self, Cursor, Write};

use super::control::Control;
use super::range::{Coder, Encoder};
use super::{COUNT_BITS, Header, Segment, contents};
use crate::layout::{HashTable, Kind, Layout, Region, Span};
use crate::preamble::put_number;
use crate::{ApplyError, Checksum, Identity, Limits, PartFault, apply};

const OLD: &[u8] = b"0123456789";
const NEW_BYTES: u32 = 13;

/// A part: the bytes it gives, its control and its body.
type Crafted = (u32, Vec<u8>, Vec<u8>);

fn layout(spans: &[(u32, u32, u32)], regions: Vec<Region>) -> Layout {
    let span = |(offset, length, address): &(u32, u32, u32)| Span {
        offset: *offset,
        length: *length,
        address: *address,
    };
    Layout {
        spans: spans.iter().map(span).collect(),
        regions,
    }
}

fn region(offset: u32, length: u32, kind: Kind) -> Region {
    Region { offset, length, kind }
}

fn segment(new: u32, old: u32, length: u32) -> Segment {
    Segment { new, old, length }
}

/// A patch from `OLD` to a file of this length.
fn patch(new_bytes: u32, parts: &[Crafted]) -> Vec<u8> {
    patch_from(OLD, new_bytes, parts)
}

fn patch_from(old: &[u8], new_bytes: u32, parts: &[Crafted]) -> Vec<u8> {
    let identity = |bytes, crc32| Identity {
        bytes,
        checksum: Checksum::Crc32(crc32),
    };
    let header = Header {
        memory: 20,
        old: identity(old.len() as u64, crc32fast::hash(old)),
        new: identity(new_bytes.into(), 0),
    };
    let mut patch = header.encode();
    let mut left = new_bytes;
    for (length, control, body) in parts {
        // The last part says nothing of its length.
        let told = if *length == left { 0 } else { *length };
        left = left.wrapping_sub(*length);
        for number in [told, control.len() as u32, body.len() as u32] {
            put_number(&mut patch, number);
        }
        patch.extend_from_slice(control);
        patch.extend_from_slice(body);
    }
    patch
}

/// The control of a first part, without layouts.
fn control(segments: &[Segment]) -> Vec<u8> {
    control_with(&Layout::default(), &Layout::default(), &[], segments)
}

fn control_with(old: &Layout, new: &Layout, tables: &[HashTable], segments: &[Segment]) -> Vec<u8> {
    control_claiming(segments.len() as u32, old, new, tables, segments)
}

/// The control of a first part that says that it has `count` segments.
fn control_claiming(
    count: u32,
    old: &Layout,
    new: &Layout,
    tables: &[HashTable],
    segments: &[Segment],
) -> Vec<u8> {
    let mut coder = Encoder::new();
    super::layouts::layouts(&mut coder, old, new);
    super::hashes::tables(&mut coder, tables);
    coder.raw(count, COUNT_BITS);
    let mut model = Control::new();
    for segment in segments {
        model.segment(&mut coder, *segment);
    }
    coder.finish()
}

/// Counts what is written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What comes of a patch from `OLD`, and how many bytes were written until then.
fn applied(patch: &[u8], new_bytes: u32) -> (Result<(), ApplyError>, u64) {
    let limits = Limits {
        output_bytes: new_bytes.into(),
        patch_bytes: 1 << 30,
    };
    let mut out = Counted(0);
    let result = apply(&mut Cursor::new(OLD), patch, &mut out, limits);
    // Who looks into a patch without its old file gets no further.
    let looked = contents(patch);
    if let (Err(ApplyError::Part { fault, .. }), Err(ApplyError::Part { fault: seen, .. })) =
        (&result, &looked)
    {
        assert_eq!(fault, seen);
    }
    (result.map(|_| ()), out.0)
}

fn fault(control: Vec<u8>) -> PartFault {
    let bad = patch(NEW_BYTES, &[(NEW_BYTES, control, vec![0; 100])]);
    let (result, written) = applied(&bad, NEW_BYTES);
    assert_eq!(written, 0, "{result:?}");
    match result {
        Err(ApplyError::Part { part: 0, fault }) => fault,
        other => panic!("{other:?}"),
    }
}
