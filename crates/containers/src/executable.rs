//! Executables inside of other bytes: where one begins, how long it is, and which machine runs it.
//!
//! Runs where a patch is made, never where it is applied. Reads as little of a header as it takes to be
//! sure that it is one; what is in an executable is for the delta crate to know.

/// No program has more segments, sections, commands or slices.
const MOST: usize = 4096;

/// What an executable is for: only those of a kind are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By its machine.
    Elf(u16),
    /// By its machine.
    Windows(u16),
    /// By its machine; 0 if it has several.
    Apple(u32),
}

/// The kind and length of the executable at the beginning of `bytes`.
pub(crate) fn recognise(bytes: &[u8]) -> Option<(Kind, usize)> {
    let (kind, end) = match *bytes.first_chunk::<4>()? {
        [0x7f, b'E', b'L', b'F'] => elf(bytes)?,
        [b'M', b'Z', ..] => windows(bytes)?,
        [0xcf, 0xfa, 0xed, 0xfe] => apple(bytes)?,
        [0xca, 0xfe, 0xba, 0xbe] => universal(bytes)?,
        _ => return None,
    };
    (end <= bytes.len()).then_some((kind, end))
}

/// Whether an executable could begin with these bytes: to be asked often.
pub(crate) const fn may_begin(first: u8) -> bool {
    matches!(first, 0x7f | b'M' | 0xcf | 0xca)
}

fn elf(bytes: &[u8]) -> Option<(Kind, usize)> {
    const WIDE: u8 = 2;
    const NO_BYTES: u64 = 8;
    let [class, order, version] = *bytes.get(4..7)?.first_chunk()?;
    // Executables of the other byte order are not known to the delta crate.
    if !matches!(class, 1 | 2) || order != 1 || version != 1 {
        return None;
    }
    let is_wide = class == WIDE;
    let word = |at: usize, wide_at: usize| {
        if is_wide {
            number::<8>(bytes, wide_at)
        } else {
            number::<4>(bytes, at)
        }
    };
    let (segments, sections) = (word(0x1c, 0x20)?, word(0x20, 0x28)?);
    let counts = if is_wide { 0x36 } else { 0x2a };
    let short = |by: usize| number::<2>(bytes, counts + by);
    let (segment, segment_count) = (short(0)?, short(2)?);
    let (section, section_count) = (short(4)?, short(6)?);
    let mut end = 0;
    for count in [segment_count, section_count] {
        if count > MOST as u64 {
            return None;
        }
    }
    for index in 0..segment_count {
        let at = usize::try_from(segments.checked_add(index * segment)?).ok()?;
        let (offset, length) = if is_wide { (8, 0x20) } else { (4, 0x10) };
        let size = |by: usize| {
            if is_wide {
                number::<8>(bytes, at.checked_add(by)?)
            } else {
                number::<4>(bytes, at.checked_add(by)?)
            }
        };
        end = end.max(size(offset)?.checked_add(size(length)?)?);
    }
    end = end.max(sections.checked_add(section_count * section)?);
    for index in 0..section_count {
        let at = usize::try_from(sections.checked_add(index * section)?).ok()?;
        let (offset, length) = if is_wide { (0x18, 0x20) } else { (0x10, 0x14) };
        let size = |by: usize| {
            if is_wide {
                number::<8>(bytes, at.checked_add(by)?)
            } else {
                number::<4>(bytes, at.checked_add(by)?)
            }
        };
        if number::<4>(bytes, at.checked_add(4)?)? != NO_BYTES {
            end = end.max(size(offset)?.checked_add(size(length)?)?);
        }
    }
    let machine = number::<2>(bytes, 0x12)? as u16;
    Some((Kind::Elf(machine), found(end)?))
}

fn windows(bytes: &[u8]) -> Option<(Kind, usize)> {
    let header = usize::try_from(number::<4>(bytes, 0x3c)?).ok()?;
    if bytes.get(header..header.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let machine = number::<2>(bytes, header + 4)? as u16;
    let count = number::<2>(bytes, header + 6)?;
    let optional = number::<2>(bytes, header + 20)?;
    if count > MOST as u64 {
        return None;
    }
    let sections = header + 24 + optional as usize;
    let mut end = 0;
    for index in 0..count as usize {
        let at = sections + index * 40;
        let (size, start) = (number::<4>(bytes, at + 16)?, number::<4>(bytes, at + 20)?);
        end = end.max(start + size);
    }
    Some((Kind::Windows(machine), found(end)?))
}

fn apple(bytes: &[u8]) -> Option<(Kind, usize)> {
    const SEGMENT: u64 = 0x19;
    let machine = number::<4>(bytes, 4)? as u32;
    let count = number::<4>(bytes, 16)?;
    if count > MOST as u64 {
        return None;
    }
    let (mut at, mut end) = (32_usize, 0_u64);
    for _ in 0..count {
        let (command, size) = (number::<4>(bytes, at)?, number::<4>(bytes, at + 4)?);
        if command == SEGMENT {
            let (start, length) = (number::<8>(bytes, at + 40)?, number::<8>(bytes, at + 48)?);
            end = end.max(start.checked_add(length)?);
        }
        at = at.checked_add(usize::try_from(size.max(8)).ok()?)?;
    }
    Some((Kind::Apple(machine), found(end)?))
}

/// Several executables of Apple's in one file. Compiled Java begins the same, but never goes on so.
fn universal(bytes: &[u8]) -> Option<(Kind, usize)> {
    let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    let count = number(4)?;
    if !(1..=16).contains(&count) {
        return None;
    }
    let mut end = 0;
    for index in 0..count as usize {
        let at = 8 + index * 20;
        let (start, length) = (number(at + 8)? as usize, number(at + 12)? as usize);
        apple(bytes.get(start..start.checked_add(length)?)?)?;
        end = end.max(start + length);
    }
    Some((Kind::Apple(0), end))
}

/// The end, if an executable can have that one.
fn found(end: u64) -> Option<usize> {
    usize::try_from(end).ok().filter(|end| *end > 64)
}

/// A number of so many bytes, the lowest first.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes: [u8; N] = *bytes.get(at..)?.first_chunk()?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}
