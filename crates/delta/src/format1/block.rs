//! Blocks: a few entries, with their numbers in columns, their differences, and their new bytes.
//!
//! Numbers of one kind compress better beside each other than in between of what they are about,
//! and a block is small enough to be held whole, so nobody needs three streams at once. Refuses to
//! know how the bytes are compressed and where they go.

use crate::Fault;

/// The most output of a block, in bytes: differences and new bytes together.
pub(crate) const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// The most control bytes of a block.
pub(crate) const MAX_CONTROL: usize = 256 * 1024;
/// The size of a block's head: four lengths.
pub(crate) const HEAD_BYTES: usize = 16;
/// The longest number in bytes: 64 bits, 7 in each byte.
const MAX_NUMBER: usize = 10;

/// A block's four lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) entries: u32,
    pub(crate) control: u32,
    pub(crate) diff: u32,
    pub(crate) extra: u32,
}

/// One step: move `seek` bytes in the old file from where the last step ended, give `add` bytes that
/// are the sums of old bytes and differences, then `copy` new bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seek: i64,
    pub(crate) add: u32,
    pub(crate) copy: u32,
}

impl Head {
    pub(crate) fn decode(bytes: [u8; HEAD_BYTES]) -> Self {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self {
            entries: word(0),
            control: word(4),
            diff: word(8),
            extra: word(12),
        }
    }

    fn encode(self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        for (at, word) in [self.entries, self.control, self.diff, self.extra]
            .into_iter()
            .enumerate()
        {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// How many bytes the block gives.
    pub(crate) fn output(self) -> u64 {
        u64::from(self.diff) + u64::from(self.extra)
    }

    /// Checks the lengths before anything is allocated by them.
    pub(crate) fn check(self, left_of_new: u64) -> Result<(), Fault> {
        if self.control as usize > MAX_CONTROL {
            return Err(Fault::ControlTooLong);
        }
        // Each entry has three numbers of at least a byte.
        if self.entries == 0 || u64::from(self.entries) * 3 > u64::from(self.control) {
            return Err(Fault::Entries);
        }
        if self.output() == 0 || self.output() > MAX_OUTPUT as u64 {
            return Err(Fault::Output);
        }
        if self.output() > left_of_new {
            return Err(Fault::OutsideNew);
        }
        Ok(())
    }
}

/// Reads a block's control bytes: all lengths to add, then all lengths to copy, then all seeks.
/// The head was checked.
pub(crate) fn entries(head: Head, mut control: &[u8], entries: &mut Vec<Entry>) -> Result<(), Fault> {
    entries.clear();
    for _ in 0..head.entries {
        entries.push(Entry {
            add: length(&mut control)?,
            copy: 0,
            seek: 0,
        });
    }
    for entry in &mut *entries {
        entry.copy = length(&mut control)?;
    }
    for entry in &mut *entries {
        entry.seek = unzigzag(number(&mut control)?);
    }
    if !control.is_empty() {
        return Err(Fault::ControlRest);
    }
    if entries.iter().any(|entry| entry.add == 0 && entry.copy == 0) {
        return Err(Fault::EmptyEntry);
    }
    let sum = |of: fn(&Entry) -> u32| entries.iter().map(|entry| u64::from(of(entry))).sum::<u64>();
    if sum(|entry| entry.add) != u64::from(head.diff) || sum(|entry| entry.copy) != u64::from(head.extra) {
        return Err(Fault::Sum);
    }
    Ok(())
}

/// Collects entries and writes them as blocks.
pub(crate) struct BlockWriter {
    max_output: usize,
    entries: u32,
    adds: Vec<u8>,
    copies: Vec<u8>,
    seeks: Vec<u8>,
    diff: Vec<u8>,
    extra: Vec<u8>,
    body: Vec<u8>,
    /// How many blocks and entries were written, and the bytes in them.
    pub(crate) written: Written,
}

/// What a body is made of, before compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) blocks: u64,
    pub(crate) entries: u64,
    pub(crate) control: u64,
    pub(crate) diff: u64,
    pub(crate) extra: u64,
}

impl BlockWriter {
    /// `max_output` is [`MAX_OUTPUT`], or less in tests.
    pub(crate) fn new(max_output: usize) -> Self {
        Self {
            max_output,
            entries: 0,
            adds: Vec::new(),
            copies: Vec::new(),
            seeks: Vec::new(),
            diff: Vec::new(),
            extra: Vec::new(),
            body: Vec::new(),
            written: Written::default(),
        }
    }

    /// Adds a step; a long one is cut where a block is full.
    pub(crate) fn push(&mut self, mut seek: i64, mut diff: &[u8], mut extra: &[u8]) {
        while !diff.is_empty() || !extra.is_empty() {
            let room = self.max_output - self.diff.len() - self.extra.len();
            let control = self.adds.len() + self.copies.len() + self.seeks.len();
            if room == 0 || control + 3 * MAX_NUMBER > MAX_CONTROL {
                self.end_block();
                continue;
            }
            let (diff_here, diff_later) = diff.split_at(diff.len().min(room));
            let (extra_here, extra_later) = extra.split_at(extra.len().min(room - diff_here.len()));
            self.entries += 1;
            write_number(&mut self.adds, diff_here.len() as u64);
            write_number(&mut self.copies, extra_here.len() as u64);
            write_number(&mut self.seeks, zigzag(seek));
            self.diff.extend_from_slice(diff_here);
            self.extra.extend_from_slice(extra_here);
            (seek, diff, extra) = (0, diff_later, extra_later);
        }
    }

    /// The whole body, before compression.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Written) {
        self.end_block();
        (self.body, self.written)
    }

    fn end_block(&mut self) {
        if self.entries == 0 {
            return;
        }
        let control = self.adds.len() + self.copies.len() + self.seeks.len();
        // All four are within the limits above, which are far below 2^32.
        let head = Head {
            entries: self.entries,
            control: control as u32,
            diff: self.diff.len() as u32,
            extra: self.extra.len() as u32,
        };
        self.written.blocks += 1;
        self.written.entries += u64::from(head.entries);
        self.written.control += u64::from(head.control);
        self.written.diff += u64::from(head.diff);
        self.written.extra += u64::from(head.extra);
        self.body.extend_from_slice(&head.encode());
        for part in [
            &mut self.adds,
            &mut self.copies,
            &mut self.seeks,
            &mut self.diff,
            &mut self.extra,
        ] {
            self.body.append(part);
        }
        self.entries = 0;
    }
}

/// Writes a number, 7 bits in each byte, the lowest first; the top bit says that more follow.
pub(crate) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(control: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0_u64;
    for at in 0..MAX_NUMBER {
        let (byte, rest) = control.split_first().ok_or(Fault::Number)?;
        *control = rest;
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * at as u32;
        // The tenth byte has room for one bit.
        if shift == 63 && bits > 1 {
            return Err(Fault::Number);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || at == 0;
            return if shortest { Ok(number) } else { Err(Fault::Number) };
        }
    }
    Err(Fault::Number)
}

fn length(control: &mut &[u8]) -> Result<u32, Fault> {
    u32::try_from(number(control)?).map_err(|_| Fault::Number)
}

/// Folds the sign into the lowest bit: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
pub(crate) fn zigzag(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX >> 1,
            u64::MAX,
        ] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, value);
            assert_eq!(number(&mut &bytes[..]), Ok(value));
            assert_eq!(
                number(&mut &bytes[..bytes.len() - 1]),
                Err(Fault::Number),
                "{value} cut off"
            );
        }
        for bad in [
            &[0x80, 0x00][..],
            &[0xff; 11],
            &[0x80; 10],
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
        ] {
            assert_eq!(number(&mut &*bad), Err(Fault::Number), "{bad:?}");
        }
    }

    #[test]
    fn signs_are_folded_and_unfolded() {
        for (signed, folded) in [
            (0, 0),
            (-1, 1),
            (1, 2),
            (-2, 3),
            (i64::MAX, u64::MAX - 1),
            (i64::MIN, u64::MAX),
        ] {
            assert_eq!(zigzag(signed), folded);
            assert_eq!(unzigzag(folded), signed);
        }
    }

    #[test]
    fn long_steps_are_cut_into_blocks() {
        let mut writer = BlockWriter::new(4);
        writer.push(7, b"abcdef", b"ghi");
        let (body, written) = writer.finish();
        assert_eq!((written.blocks, written.diff, written.extra), (3, 6, 3));
        let head = Head::decode(*body.first_chunk().unwrap_or(&[0; 16]));
        assert_eq!(
            head,
            Head {
                entries: 1,
                control: 3,
                diff: 4,
                extra: 0
            }
        );
        assert_eq!(&body[16..], b"\x04\x00\x0eabcd\x01\0\0\0\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02\x02\0efgh\x01\0\0\0\x03\0\0\0\0\0\0\0\x01\0\0\0\0\x01\0i");
    }

    #[test]
    fn a_block_ends_before_its_control_bytes_grow_too_long() {
        let mut writer = BlockWriter::new(MAX_OUTPUT);
        for _ in 0..100_000 {
            writer.push(i64::MIN, b"a", b"");
        }
        let (body, written) = writer.finish();
        assert_eq!(written.entries, 100_000);
        let mut at = 0;
        let mut blocks = 0;
        while let Some(head) = body[at..].first_chunk() {
            let head = Head::decode(*head);
            assert_eq!(head.check(u64::MAX), Ok(()));
            at += HEAD_BYTES + head.control as usize + head.output() as usize;
            blocks += 1;
        }
        assert_eq!((at, blocks), (body.len(), written.blocks));
    }
}
