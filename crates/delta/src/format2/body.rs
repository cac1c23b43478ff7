//! The bytes of the new file, in order: new ones and copied ones.
//!
//! Refuses to know how anything is found or modelled.

use std::io::{self, Read, Seek, Write};

use crate::layout::{Layout, Region};
use crate::scan::Reference;

use super::Segment;
use super::copy::Copying;
use super::fresh::{Fresh, Next};
use super::guess::{Asked, Guesser};
use super::hashes::{HashTable, Hashing};
use super::old::{LONGEST_TOKEN, OldFile, Window};
use super::projection::Projection;
use super::range::Coder;
use super::token::Token;

/// Longer stretches of the old file are not looked at where new bytes stand in for them.
const LONGEST_REPLACED: u32 = 4096;
/// Output is handed on in pieces of about this many bytes.
const PIECE: usize = 64 * 1024;

/// Why the bytes of the new file could not be made.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The old file could not be read.
    Old(io::Error),
    /// The new one could not be written.
    New(io::Error),
    /// The coder has read what it could.
    Coder,
}

/// All that lives as long as a patch.
pub(crate) struct Body {
    copying: Copying,
    fresh: Fresh,
    guesser: Guesser,
    hashing: Hashing,
    regions: Vec<Region>,
    /// The region of the new file that ends after the position, if it is not before all of them.
    region: usize,
    /// The last 8 bytes, the last one lowest.
    recent: u64,
    position: u32,
    out: Vec<u8>,
}

/// What a part is made of.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) segments: &'a [Segment],
    pub(crate) projection: &'a Projection,
    /// Where it ends in the new file.
    pub(crate) end: u32,
    /// All of the new file for an encoder, nothing for a decoder.
    pub(crate) truth: &'a [u8],
}

impl Body {
    pub(crate) fn new(old: &Layout, new: &Layout, tables: Vec<HashTable>, literal_bits: u32) -> Self {
        Self {
            copying: Copying::new(),
            fresh: Fresh::new(literal_bits, &new.spans),
            guesser: Guesser::new(old, new),
            hashing: Hashing::new(tables),
            regions: new.regions.clone(),
            region: 0,
            recent: 0,
            position: 0,
            out: Vec::with_capacity(PIECE + 64),
        }
    }

    /// 16 bits that follow from all references so far and where they led.
    pub(crate) fn check(&self) -> u32 {
        self.guesser.check()
    }

    /// Takes from the old file what is wanted before the first part.
    pub(crate) fn prime(&mut self, old: &mut OldFile<impl Read + Seek>) -> io::Result<()> {
        let wanted = self.fresh.wanted();
        if wanted == 0 {
            return Ok(());
        }
        let mut recent = 0;
        old.last(wanted, |bytes| recent = self.fresh.prime(recent, bytes))
    }

    /// Codes the next part of the new file. `old` holds all segments, which are sorted, disjoint and
    /// within the part.
    pub(crate) fn part(
        &mut self,
        coder: &mut impl Coder,
        old: &mut OldFile<impl Read + Seek>,
        part: Part<'_>,
        out: &mut impl Write,
    ) -> Result<(), BodyError> {
        let mut left = 0;
        for segment in part.segments {
            if segment.new > self.position {
                self.replace(old, left, segment.old, segment.new - self.position)?;
            }
            left = segment.old + segment.length;
            self.make(coder, segment.new, part.truth, out)?;
            self.copy(coder, old, *segment, part, out)?;
        }
        self.make(coder, part.end, part.truth, out)?;
        self.flush(coder, out)
    }

    /// Shows what was between two segments in the old file to the model of new bytes.
    fn replace(
        &mut self,
        old: &mut OldFile<impl Read + Seek>,
        from: u32,
        to: u32,
        new_bytes: u32,
    ) -> Result<(), BodyError> {
        // Bounded by what is made, or a byte of a patch could ask for much work.
        let most = LONGEST_REPLACED.min(new_bytes.saturating_mul(16).saturating_add(64));
        if from >= to || to - from > most {
            return Ok(());
        }
        let (mut at, mut recent) = (from, self.recent);
        while at < to {
            let bytes = old.bytes(at).map_err(BodyError::Old)?;
            let bytes = &bytes[..bytes.len().min((to - at) as usize)];
            recent = self.fresh.replaced(recent, bytes);
            at += bytes.len() as u32;
        }
        Ok(())
    }

    fn flush(&mut self, coder: &impl Coder, out: &mut impl Write) -> Result<(), BodyError> {
        if coder.has_failed() {
            return Err(BodyError::Coder);
        }
        self.hashing.take(&self.out);
        out.write_all(&self.out).map_err(BodyError::New)?;
        self.out.clear();
        Ok(())
    }

    #[inline]
    fn give(&mut self, bytes: &[u8]) {
        self.recent = shifted(self.recent, bytes);
        self.out.extend_from_slice(bytes);
        self.position += bytes.len() as u32;
    }

    /// Makes new bytes up to `end`.
    fn make(
        &mut self,
        coder: &mut impl Coder,
        end: u32,
        truth: &[u8],
        out: &mut impl Write,
    ) -> Result<(), BodyError> {
        if self.position < end {
            self.fresh.begin(self.recent);
        }
        while self.position < end {
            if self.out.len() >= PIECE {
                self.flush(coder, out)?;
            }
            let table = self.hashing.next().map(|table| table.at);
            if table == Some(self.position) {
                self.flush(coder, out)?;
                for piece in self.hashing.finish().chunks(PIECE) {
                    self.give(piece);
                    self.flush(coder, out)?;
                }
                continue;
            }
            // Nothing that is made reaches into page hashes.
            let end = table.map_or(end, |at| end.min(at.max(self.position)));
            let region = self.new_region();
            coder.place(region.map_or(0, |region| region + 1));
            let next = Next {
                region: region.map(|region| &self.regions[region]),
                position: self.position,
                recent: self.recent,
                left: end - self.position,
                truth: truth.get(self.position as usize..).unwrap_or(&[]),
            };
            let (bytes, count) = self.fresh.step(coder, &next);
            self.give(&bytes[..count]);
        }
        Ok(())
    }

    /// The region of the new file that holds the position.
    #[inline]
    fn new_region(&mut self) -> Option<usize> {
        while let Some(region) = self.regions.get(self.region) {
            if self.position < region.offset + region.length {
                return (self.position >= region.offset).then_some(self.region);
            }
            self.region += 1;
        }
        None
    }

    fn copy(
        &mut self,
        coder: &mut impl Coder,
        old: &mut OldFile<impl Read + Seek>,
        segment: Segment,
        part: Part<'_>,
        out: &mut impl Write,
    ) -> Result<(), BodyError> {
        let mut done = 0;
        while done < segment.length {
            let window = old.window(segment.old + done).map_err(BodyError::Old)?;
            let mut at = segment.old + done - window.offset;
            let references = &window.listing.references;
            let mut next = references.partition_point(|reference| u32::from(reference.at) < at);
            let new_region = self.new_region();
            coder.place(new_region.map_or(0, |region| region + 1));
            while at < window.length && done < segment.length {
                let left = segment.length - done;
                if self.copying.is_calm() {
                    let run_end = run_end(window, at, left, &mut next);
                    if run_end > at {
                        let length = run_end - at;
                        let run = &window.bytes[at as usize..run_end as usize];
                        let position = self.position as usize;
                        let truth = part.truth.get(position..position + length as usize);
                        let missed = u32::from(truth.is_some_and(|truth| truth != run));
                        if self.copying.run(coder, window.mode, length, missed) == 0 {
                            self.out.extend_from_slice(run);
                            self.recent = shifted(self.recent, run);
                            self.position += length;
                            at = run_end;
                            done += length;
                            if self.out.len() >= PIECE {
                                self.flush(coder, out)?;
                            }
                            continue;
                        }
                    }
                }
                let (end, reference) = self.token_end(window, at, left, &mut next);
                let length = (end - at).min(left);
                let position = self.position as usize;
                let token = Token {
                    old: window.sixteen(at, length as usize),
                    length: length as usize,
                    mode: window.mode,
                    truth: part
                        .truth
                        .get(position..position + length as usize)
                        .unwrap_or(&[]),
                };
                let given = match reference {
                    None => self.copying.plain(coder, &token),
                    Some(reference) => {
                        let in_token = u32::from(reference.at) - at;
                        let asked = Asked {
                            reference,
                            in_token: in_token as usize,
                            old_region: window.region,
                            new_region,
                            position: self.position + in_token,
                        };
                        let mut guess = self.guesser.first(&asked, &token, part.projection);
                        let guesser = &self.guesser;
                        let more = || guesser.all(&asked, &token, part.projection);
                        let given = self.copying.referring(coder, &token, &mut guess, more);
                        self.guesser.learn(&asked, &guess, &given);
                        given
                    }
                };
                self.give(&given[..token.length]);
                at += length;
                done += length;
                if self.out.len() >= PIECE {
                    self.flush(coder, out)?;
                }
            }
        }
        Ok(())
    }

    /// Where the token at `at` ends, and its reference if the field is within the `left` bytes that
    /// are copied. `next` is the number of the first reference that was not passed.
    #[inline]
    fn token_end<'a>(
        &self,
        window: &'a Window,
        at: u32,
        left: u32,
        next: &mut usize,
    ) -> (u32, Option<&'a Reference>) {
        let end = window.token_end(at);
        while let Some(reference) = window.listing.references.get(*next) {
            let begin = u32::from(reference.at);
            if begin >= end {
                break;
            }
            *next += 1;
            if begin < at {
                continue;
            }
            let field_end = begin + self.guesser.length(*reference, window.region) as u32;
            if field_end <= at + left.min(LONGEST_TOKEN) {
                return (end.max(field_end), Some(reference));
            }
            break;
        }
        (end, None)
    }
}

/// The last 8 bytes after these.
#[inline]
fn shifted(recent: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(recent, |recent, byte| recent << 8 | u64::from(*byte))
}

/// Longer runs of tokens are coded in pieces, in bytes.
const LONGEST_RUN: u32 = 127;

/// Where a run of tokens without references ends that begins at `at`.
#[inline]
fn run_end(window: &Window, at: u32, left: u32, next: &mut usize) -> u32 {
    let references = &window.listing.references;
    while references
        .get(*next)
        .is_some_and(|reference| u32::from(reference.at) < at)
    {
        *next += 1;
    }
    let most = (at + left.min(LONGEST_RUN)).min(window.length);
    match references.get(*next) {
        Some(reference) if u32::from(reference.at) < most => window.token_start(at, reference.at.into()),
        _ if most == window.length || left <= LONGEST_RUN => most,
        _ => window.token_start(at, most),
    }
}
