//! Where a content is cut into parts: before each executable, since the delta crate knows an executable
//! by the beginning of a file. Runs where a patch is made. Refuses to know what is in an executable.

use crate::recipe::{MAX_PARTS, Part};

/// Smaller executables don't get a part of their own.
const MIN_EXECUTABLE: usize = 64 * 1024;
/// Smaller parts are made of the surroundings of where they were, since to search all costs time.
const SMALL: usize = 64 * 1024;
/// The size of a block of a tar file.
const TAR: usize = 512;

/// An executable, or what begins like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Executable {
    start: usize,
    length: usize,
    magic: [u8; 4],
}

/// Cuts a new content. `plains` are the places where the plain text of a stream begins. The patches'
/// lengths are not known yet.
pub(crate) fn parts(old: &[u8], old_plains: &[usize], new: &[u8], new_plains: &[usize]) -> Vec<Part> {
    let olds = executables(old, old_plains);
    let mut news: Vec<(Executable, Executable)> = executables(new, new_plains)
        .into_iter()
        .filter_map(|new| Some((new, *like(&olds, new)?)))
        .collect();
    // The largest gain most. Before each there may be a part of other things.
    news.sort_by_key(|(new, _)| std::cmp::Reverse(new.length));
    news.truncate(MAX_PARTS - 1);
    news.sort_by_key(|(new, _)| new.start);

    let mut parts = Vec::new();
    let first = news.first().map_or(new.len(), |(new, _)| new.start);
    if first > 0 {
        parts.push(plain_part(first, old.len()));
    }
    for (number, (executable, of)) in news.iter().enumerate() {
        let end = news.get(number + 1).map_or(new.len(), |(next, _)| next.start);
        parts.push(Part {
            length: (end - executable.start) as u64,
            old_start: of.start as u64,
            old_length: old.len() as u64,
            patch: 0,
        });
    }
    parts
}

/// What comes before the first executable.
fn plain_part(length: usize, old: usize) -> Part {
    let old_length = if length < SMALL { old.min(4 * SMALL) } else { old };
    Part {
        length: length as u64,
        old_start: 0,
        old_length: old_length as u64,
        patch: 0,
    }
}

/// The old executable of the same kind that has the most similar length.
fn like(olds: &[Executable], new: Executable) -> Option<&Executable> {
    let same = olds.iter().filter(|old| old.magic == new.magic);
    same.min_by_key(|old| old.length.abs_diff(new.length))
}

/// The executables of a content, in order.
fn executables(content: &[u8], plains: &[usize]) -> Vec<Executable> {
    let mut starts = Vec::new();
    for start in [0].iter().chain(plains) {
        if is_tar(content, *start) {
            members(content, *start, &mut starts);
        } else {
            starts.push(*start);
        }
    }
    starts.retain(|start| magic(&content[*start..]).is_some());
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().copied().skip(1).chain([content.len()]);
    let executables = starts.iter().zip(ends).filter_map(|(start, end)| {
        Some(Executable {
            start: *start,
            length: end - start,
            magic: magic(&content[*start..])?,
        })
    });
    executables
        .filter(|found| found.length >= MIN_EXECUTABLE)
        .collect()
}

/// The first bytes of an executable.
fn magic(bytes: &[u8]) -> Option<[u8; 4]> {
    let first = *bytes.first_chunk::<4>()?;
    let is_windows = || {
        let at = u32::from_le_bytes(*bytes.get(0x3c..)?.first_chunk()?) as usize;
        Some(first.starts_with(b"MZ") && bytes.get(at..at.checked_add(4)?)? == b"PE\0\0")
    };
    match first {
        [0x7f, b'E', b'L', b'F'] | [0xcf, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe] => Some(first),
        _ => is_windows()?.then_some(*b"MZ\0\0"),
    }
}

fn is_tar(content: &[u8], at: usize) -> bool {
    content
        .get(at + 257..)
        .is_some_and(|bytes| bytes.starts_with(b"ustar"))
}

/// Where the files of a tar file begin.
fn members(content: &[u8], mut at: usize, starts: &mut Vec<usize>) {
    while is_tar(content, at) {
        let Some(size) = octal(&content[at + 124..at + 136]) else {
            break;
        };
        let start = at + TAR;
        if start < content.len() && size >= MIN_EXECUTABLE {
            starts.push(start);
        }
        let Some(end) = start.checked_add(size) else {
            break;
        };
        at = end.next_multiple_of(TAR);
    }
}

fn octal(digits: &[u8]) -> Option<usize> {
    let mut digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.try_fold(0_usize, |sum, digit| {
        sum.checked_mul(8)?.checked_add(usize::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable(length: usize) -> Vec<u8> {
        let mut bytes = vec![1; length];
        bytes[..4].copy_from_slice(b"\x7fELF");
        bytes
    }

    fn tar(files: &[&[u8]]) -> Vec<u8> {
        let mut tar = Vec::new();
        for file in files {
            let mut header = [0; TAR];
            header[124..135].copy_from_slice(format!("{:011o}", file.len()).as_bytes());
            header[257..262].copy_from_slice(b"ustar");
            tar.extend_from_slice(&header);
            tar.extend_from_slice(file);
            tar.resize(tar.len().next_multiple_of(TAR), 0);
        }
        tar
    }

    #[test]
    fn a_part_begins_at_each_executable_of_a_tar_file() {
        let old = tar(&[b"notes", &executable(100_000)]);
        let new = tar(&[b"notes", b"more notes", &executable(100_001)]);
        let parts = parts(&old, &[], &new, &[]);
        let seen: Vec<_> = parts.iter().map(|part| (part.length, part.old_start)).collect();
        assert_eq!(seen, [(5 * 512, 0), (new.len() as u64 - 5 * 512, 3 * 512)]);
    }

    #[test]
    fn what_has_no_executable_is_one_part() {
        let parts = parts(b"old", &[], b"new one", &[3]);
        assert_eq!(parts.len(), 1);
        assert_eq!((parts[0].length, parts[0].old_length), (7, 3));
    }

    #[test]
    fn an_executable_that_is_new_begins_no_part() {
        let new = executable(100_000);
        assert_eq!(parts(b"old", &[], &new, &[]).len(), 1);
    }

    #[test]
    fn a_tar_file_that_is_cut_off_is_no_trouble() {
        let whole = tar(&[&executable(70_000)]);
        for length in [0, 100, 262, 512, 513, 600, 70_000] {
            let _ = parts(&whole, &[], &whole[..length], &[]);
        }
    }
}
