//! The parts of a patch, from its bytes: checked before anything is made of them.
//! Refuses to know where the new bytes go.

use std::io::{self, Read, Seek, Write};

use crate::layout::{HashTable, Layout};
use crate::preamble::take_number;
use crate::{ApplyError, PartFault};

use super::body::{Body, BodyError, Part};
use super::control::Control;
use super::hashes;
use super::layouts::layouts;
use super::old::OldFile;
use super::projection::Projection;
use super::range::{Coder, Decoder};
use super::{COUNT_BITS, MIN_PART_BYTES, Segment, literal_bits, max_segments};

/// The lengths of both files, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) old: u32,
    pub(crate) new: u32,
}

/// The framing of a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Where in the new file it begins and ends.
    pub(crate) from: u32,
    pub(crate) end: u32,
    /// The lengths of its two streams.
    pub(crate) control_bytes: u32,
    pub(crate) body_bytes: u32,
}

/// What all parts rely on; it comes with the first.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    pub(crate) old: Layout,
    pub(crate) new: Layout,
    pub(crate) tables: Vec<HashTable>,
}

/// Reads parts, one after the other.
pub(crate) struct Parts {
    sizes: Sizes,
    control: Control,
    pub(crate) ground: Option<Ground>,
    at: u32,
    /// How many parts were begun.
    pub(crate) begun: u64,
}

impl Parts {
    pub(crate) fn new(sizes: Sizes) -> Self {
        Self {
            sizes,
            control: Control::new(),
            ground: None,
            at: 0,
            begun: 0,
        }
    }

    /// The error for something wrong with the part at hand.
    pub(crate) fn fault(&self, fault: PartFault) -> ApplyError {
        ApplyError::Part {
            part: self.begun.saturating_sub(1),
            fault,
        }
    }

    /// Reads the next part's frame and its segments; nothing if the new file is complete. An empty
    /// file has no part.
    pub(crate) fn next(
        &mut self,
        patch: &mut impl Read,
    ) -> Result<Option<(Frame, Vec<Segment>)>, ApplyError> {
        if self.at == self.sizes.new {
            return Ok(None);
        }
        self.begun += 1;
        // The last part says nothing of its length.
        let end = match take_number(patch)? {
            0 => Some(self.sizes.new),
            length => self.at.checked_add(length).filter(|end| *end < self.sizes.new),
        };
        let frame = Frame {
            from: self.at,
            end: end.ok_or_else(|| self.fault(PartFault::Length))?,
            control_bytes: take_number(patch)?,
            body_bytes: take_number(patch)?,
        };
        let mut coder = Decoder::new(patch, frame.control_bytes.into());
        let segments = self.control(&mut coder, frame);
        // What went wrong with reading comes before what was made of nothing.
        finish(&mut coder)?;
        let segments = segments.map_err(|fault| self.fault(fault))?;
        self.end(&mut coder)?;
        self.at = frame.end;
        Ok(Some((frame, segments)))
    }

    fn control(&mut self, coder: &mut Decoder<impl Read>, frame: Frame) -> Result<Vec<Segment>, PartFault> {
        let ground = if let Some(ground) = &self.ground {
            ground
        } else {
            let (old, new) = layouts(coder, &Layout::default(), &Layout::default());
            let tables = hashes::tables(coder, &[]);
            if !old.is_sound(self.sizes.old) || !new.is_sound(self.sizes.new) {
                return Err(PartFault::Layout);
            }
            if !HashTable::are_sound(&tables, self.sizes.new) {
                return Err(PartFault::Hashes);
            }
            self.ground.insert(Ground { old, new, tables })
        };
        let tables = &ground.tables;
        if tables
            .iter()
            .any(|table| table.at < frame.end && frame.end < table.end())
        {
            return Err(PartFault::Hashes);
        }
        let count = coder.raw(0, COUNT_BITS) as usize;
        let most = max_segments(&ground.old);
        if count > most {
            return Err(PartFault::Segments);
        }
        // Each part costs some work, so a short one must be the last.
        if frame.end < self.sizes.new && frame.end - frame.from < MIN_PART_BYTES && count < most {
            return Err(PartFault::Short);
        }
        let mut segments = Vec::with_capacity(count);
        let mut at = frame.from;
        for _ in 0..count {
            if coder.has_failed() {
                break;
            }
            let segment = self.control.segment(coder, Segment::NONE);
            let end = segment
                .new
                .checked_add(segment.length)
                .filter(|end| *end <= frame.end);
            let Some(end) = end.filter(|_| segment.new >= at && segment.length > 0) else {
                return Err(PartFault::OutsideNew);
            };
            if tables
                .iter()
                .any(|table| segment.new < table.end() && table.at < end)
            {
                return Err(PartFault::OutsideNew);
            }
            let old_end = segment.old.checked_add(segment.length);
            if old_end.is_none_or(|end| end > self.sizes.old) {
                return Err(PartFault::OutsideOld);
            }
            at = end;
            segments.push(segment);
        }
        Ok(segments)
    }

    /// What the bodies of all parts share.
    pub(crate) fn body<R: Read + Seek>(&self, old: R) -> Result<(OldFile<R>, Body), ApplyError> {
        let none = Ground::default();
        let ground = self.ground.as_ref().unwrap_or(&none);
        let mut file = OldFile::new(old, self.sizes.old, ground.old.clone());
        let bits = literal_bits(self.sizes.new, &ground.new);
        let mut body = Body::new(&ground.old, &ground.new, ground.tables.clone(), bits);
        body.prime(&mut file).map_err(ApplyError::Old)?;
        Ok((file, body))
    }

    /// Makes the bytes of a part whose frame and segments were read. `coder` reads the body.
    pub(crate) fn make<R: Read>(
        &self,
        frame: Frame,
        segments: &[Segment],
        body: &mut Body,
        old: &mut OldFile<impl Read + Seek>,
        coder: &mut (impl Coder + AsMut<Decoder<R>>),
        out: &mut impl Write,
    ) -> Result<(), ApplyError> {
        let none = Ground::default();
        let ground = self.ground.as_ref().unwrap_or(&none);
        let projection = Projection::new(segments, &ground.old, &ground.new);
        let part = Part {
            segments,
            projection: &projection,
            end: frame.end,
            truth: &[],
        };
        let made = body.part(coder, old, part, out);
        let check = coder.raw(0, 16);
        finish(coder.as_mut())?;
        made.map_err(|error| match error {
            BodyError::Old(error) => ApplyError::Old(error),
            BodyError::New(error) => ApplyError::New(error),
            BodyError::Coder => ApplyError::Truncated,
        })?;
        if check != body.check() {
            return Err(self.fault(PartFault::References));
        }
        self.end(coder.as_mut())
    }

    /// A stream has as many bytes as its length says, and none is left.
    fn end(&self, coder: &mut Decoder<impl Read>) -> Result<(), ApplyError> {
        let at_end = coder.is_at_end();
        // That the patch ends before its stream does is seen only by looking for more.
        finish(coder)?;
        if at_end {
            Ok(())
        } else {
            Err(self.fault(PartFault::Rest))
        }
    }
}

/// Whether reading went well so far.
fn finish(coder: &mut Decoder<impl Read>) -> Result<(), ApplyError> {
    match coder.failure() {
        Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ApplyError::Truncated),
        Some(error) => Err(ApplyError::Patch(error)),
        None => Ok(()),
    }
}
