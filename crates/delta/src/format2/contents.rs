//! What is in a patch, and what its bytes were spent on. Refuses to know how it was made.

use std::io::{self, BufReader, Read, Seek};

use crate::base::{check_base, check_end};
use crate::layout::{Kind, Layout};
use crate::{ApplyError, preamble};

use super::decode::{Parts, Sizes};
use super::range::{Decoder, STREAMS, Stream, Weighing};
use super::{Header, Segment};

/// What can be told of a patch of format 2 without its old file. All sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// What applying it may need beside the program itself, in MiB.
    pub memory_mib: u8,
    /// How many parts it has.
    pub parts: u64,
    /// The header and the lengths of the streams.
    pub framing_bytes: u64,
    /// Layouts and segments.
    pub control_bytes: u64,
    /// All else.
    pub body_bytes: u64,
    /// How many segments are copied.
    pub segments: u64,
    /// Bytes of the new file that are copied, with corrections.
    pub copied_bytes: u64,
    /// Bytes of the new file that are made from nothing.
    pub new_bytes: u64,
    /// Bytes of the new file that are page hashes, and follow from the others.
    pub hash_bytes: u64,
    /// The new file's regions, in their order, and what is between them as one.
    pub sections: Vec<SectionContents>,
}

/// A region of the new file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SectionContents {
    /// What is in it.
    pub kind: &'static str,
    /// Where it begins; of what is between the regions, 0.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// How much of it is copied, with corrections.
    pub copied_bytes: u64,
}

/// What the body of a patch was spent on, in bytes, rounded down. The first of each pair of numbers
/// is the index of [`Contents::sections`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breakdown {
    /// By region of the new file and by stream: only what is not 0.
    pub spent: Vec<(usize, Stream, u64)>,
}

/// Reads what can be told of a patch of format 2 without its old file.
pub fn contents(patch: impl Read) -> Result<Contents, ApplyError> {
    let mut patch = BufReader::new(Counted { patch, bytes: 0 });
    let (header, sizes) = begin(&mut patch)?;
    let mut parts = Parts::new(sizes);
    let mut contents = Contents {
        memory_mib: header.memory,
        ..Contents::default()
    };
    while let Some((frame, segments)) = parts.next(&mut patch)? {
        if contents.sections.is_empty() {
            let layout = parts.ground.as_ref().map(|ground| &ground.new);
            contents.sections = sections(layout.unwrap_or(&Layout::default()), sizes.new);
        }
        contents.control_bytes += u64::from(frame.control_bytes);
        contents.body_bytes += u64::from(frame.body_bytes);
        contents.segments += segments.len() as u64;
        cover(&mut contents.sections, &segments);
        let skipped = io::copy(&mut (&mut patch).take(frame.body_bytes.into()), &mut io::sink());
        if skipped.map_err(ApplyError::Patch)? != u64::from(frame.body_bytes) {
            return Err(ApplyError::Truncated);
        }
    }
    check_end(&mut patch)?;
    contents.parts = parts.begun;
    contents.framing_bytes = patch.get_ref().bytes - contents.control_bytes - contents.body_bytes;
    contents.copied_bytes = contents.sections.iter().map(|section| section.copied_bytes).sum();
    contents.hash_bytes = parts
        .ground
        .iter()
        .flat_map(|ground| &ground.tables)
        .map(|table| u64::from(table.end() - table.at))
        .sum();
    contents.new_bytes = u64::from(sizes.new) - contents.copied_bytes - contents.hash_bytes;
    Ok(contents)
}

/// Counts the bytes that are read.
struct Counted<R> {
    patch: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.patch.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Applies a patch to its old file, and tells what its bytes are spent on.
pub fn breakdown(old: &mut (impl Read + Seek), patch: impl Read) -> Result<Breakdown, ApplyError> {
    let mut patch = BufReader::new(patch);
    let (header, sizes) = begin(&mut patch)?;
    check_base(old, header.old)?;
    let mut parts = Parts::new(sizes);
    let mut state = None;
    let mut old = Some(old);
    let mut costs: Vec<[u64; STREAMS]> = Vec::new();
    while let Some((frame, segments)) = parts.next(&mut patch)? {
        if let Some(old) = old.take() {
            state = Some(parts.body(old)?);
        }
        if let Some((file, body)) = &mut state {
            let decoder = Decoder::new(&mut patch, frame.body_bytes.into());
            let mut coder = Weighing::new(decoder, std::mem::take(&mut costs));
            parts.make(frame, &segments, body, file, &mut coder, &mut io::sink())?;
            costs = coder.into_costs();
        }
    }
    let mut spent = Vec::new();
    for (section, streams) in costs.iter().enumerate() {
        for (stream, cost) in Stream::ALL.into_iter().zip(streams) {
            let bytes = cost >> 19;
            if bytes > 0 {
                spent.push((section, stream, bytes));
            }
        }
    }
    Ok(Breakdown { spent })
}

fn begin(patch: &mut impl Read) -> Result<(Header, Sizes), ApplyError> {
    let format = preamble::read(patch)?;
    if format != super::FORMAT {
        return Err(ApplyError::Format(format));
    }
    let header = Header::read_rest(patch)?;
    let sizes = Sizes {
        old: header.old.bytes as u32,
        new: header.new.bytes as u32,
    };
    Ok((header, sizes))
}

/// What is between the regions comes first, as section 0.
fn sections(layout: &Layout, new_bytes: u32) -> Vec<SectionContents> {
    let regions = layout.regions.iter().map(|region| SectionContents {
        kind: match region.kind {
            Kind::X86_64 => "x86-64 code",
            Kind::Arm64 => "AArch64 code",
            Kind::Words(_) => "words of data",
            Kind::Functions(_) => "Go functions",
        },
        offset: region.offset.into(),
        bytes: region.length.into(),
        copied_bytes: 0,
    });
    let in_regions: u64 = layout.regions.iter().map(|region| u64::from(region.length)).sum();
    let mut sections = vec![SectionContents {
        kind: "bytes",
        offset: 0,
        bytes: u64::from(new_bytes) - in_regions,
        copied_bytes: 0,
    }];
    sections.extend(regions);
    sections
}

/// Adds what segments copy to the sections that they copy to.
fn cover(sections: &mut [SectionContents], segments: &[Segment]) {
    for segment in segments {
        let (from, to) = (u64::from(segment.new), u64::from(segment.new + segment.length));
        let first = sections[1..].partition_point(|section| section.offset + section.bytes <= from);
        let mut elsewhere = to - from;
        for section in sections[1 + first..]
            .iter_mut()
            .take_while(|section| section.offset < to)
        {
            let inside = to.min(section.offset + section.bytes) - from.max(section.offset);
            section.copied_bytes += inside;
            elsewhere -= inside;
        }
        sections[0].copied_bytes += elsewhere;
    }
}
