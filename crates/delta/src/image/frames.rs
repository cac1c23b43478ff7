//! The tables by which exceptions unwind: `.eh_frame` and its index, alike in ELF and Mach-O.
//!
//! Refuses to know how a file names them, and what unwinding does.

use super::draft::{Draft, Range};
use super::reader::Reader;
use crate::layout::{Form, Kind};

/// The header of the index ends here and its table begins.
const INDEX_HEADER: u64 = 12;
/// How many of the records that many frames share are looked for.
const COMMON: usize = 4;

/// Claims the index (`.eh_frame_hdr`) of `length` bytes at `address`, and the frames to which it
/// leads.
pub(super) fn index(draft: &mut Draft, file: Reader, address: u64, length: u64, code: Range) {
    let Some(offset) = draft.offset(address) else {
        return;
    };
    let Some([version, frames, count, table]) = file
        .slice(offset, 4)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
    else {
        return;
    };
    // The frames relative to the field, a count, and a table relative to the index: all that
    // linkers write.
    if (version, frames, count, table) != (1, 0x1b, 0x03, 0x3b) {
        return;
    }
    let (Some(distance), Some(begin)) = (file.i32(offset + 4), draft.address(offset)) else {
        return;
    };
    let at = (address + 4).wrapping_add_signed(i64::from(distance));
    let frames = self::frames(draft, file, at, u64::MAX, code);
    let form = Form::Absolute32 {
        base: 0_u32.wrapping_sub(begin),
    };
    let kind = Kind::Words(vec![code.probe(8, 0, form), frames.probe(8, 4, form)]);
    let body = length.saturating_sub(INDEX_HEADER);
    draft.region("index of frames", offset + INDEX_HEADER, body, 4, &kind);
}

/// Claims the frames (`.eh_frame`) from `address` on, and tells their range.
pub(super) fn frames(draft: &mut Draft, file: Reader, address: u64, most: u64, code: Range) -> Range {
    let nothing = Range::default();
    let Some(offset) = draft.offset(address) else {
        return nothing;
    };
    let (Some(begin), Ok(end)) = (draft.address(offset), u32::try_from(offset)) else {
        return nothing;
    };
    let within = draft
        .spans
        .iter()
        .find(|span| span.offset <= end && end < span.offset + span.length);
    let Some(span) = within else { return nothing };
    let most = most.min(u64::from(span.offset + span.length - end));
    let Some(part) = file.part(offset, most) else {
        return nothing;
    };
    let walked = walk(part, begin);
    let length = walked.length;
    if length == 0 {
        return nothing;
    }
    let mut probes = vec![code.probe(4, 0, Form::Relative32)];
    for at in walked.shared {
        // Exactly one target, or none: a record that is missing in one release still has its probe.
        let at = at.map(|at| begin.saturating_add(at));
        let low = at.unwrap_or_default();
        let range = Range {
            low,
            high: low + u32::from(at.is_some()),
        };
        probes.push(range.probe(4, 0, Form::Backward32));
    }
    probes.push(walked.exceptions.probe(4, 1, Form::Relative32));
    draft.region("frames", offset, u64::from(length), 4, &Kind::Words(probes));
    Range {
        low: begin,
        high: begin.saturating_add(length),
    }
}

/// What a walk along the frames finds.
struct Walk {
    length: u32,
    /// The records that most frames share, in order.
    shared: [Option<u32>; COMMON],
    /// Where tables of exceptions are, to which frames lead.
    exceptions: Range,
}

fn walk(part: Reader, begin: u32) -> Walk {
    let mut at = 0_u64;
    let mut exceptions = Range::default();
    // Each shared record with how many frames use it, in order of position.
    let mut shared: Vec<(u64, u32)> = Vec::new();
    while let (Some(length), Some(link)) = (part.u32(at), part.u32(at + 4)) {
        // Zero ends the list; the highest value begins a long form that nobody writes.
        if length < 4 || length == u32::MAX {
            break;
        }
        if link == 0 {
            shared.push((at, 0));
        } else if let Some(target) = (at + 4).checked_sub(u64::from(link))
            && let Ok(place) = shared.binary_search_by_key(&target, |(at, _)| *at)
        {
            shared[place].1 += 1;
            // Only records of such a kind say that their frames have tables of exceptions.
            let handles = part.name(target + 9, 8).is_some_and(|name| name.contains('L'));
            if handles && let Some(target) = exception(part, at, begin) {
                exceptions.include(target, target.saturating_add(1));
            }
        }
        at += 4 + u64::from(length);
    }
    shared.sort_by_key(|(at, users)| (u32::MAX - users, *at));
    shared.truncate(COMMON);
    shared.sort_unstable();
    let mut most = [None; COMMON];
    for (place, (at, _)) in most.iter_mut().zip(shared) {
        *place = u32::try_from(at).ok();
    }
    let length = u32::try_from(at.min(part.length())).unwrap_or(0);
    Walk {
        length,
        shared: most,
        exceptions,
    }
}

/// The table of exceptions of the frame at `at`, if it looks as if it had one. It stands behind the
/// addresses, which have 4 bytes each, or 8, and behind a length of as much: at the second byte of a
/// word.
fn exception(part: Reader, at: u64, begin: u32) -> Option<u32> {
    let place = match (part.u8(at + 16), part.u8(at + 24)) {
        (Some(4), _) => at + 17,
        (_, Some(8)) => at + 25,
        _ => return None,
    };
    let distance = part.u32(place).filter(|distance| *distance != 0)?;
    Some(
        begin
            .wrapping_add(u32::try_from(place).ok()?)
            .wrapping_add(distance),
    )
}
