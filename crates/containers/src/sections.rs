//! Where a content is cut into parts: at each executable that there is an old one for, since the delta
//! crate knows an executable by the beginning of a file. Runs where a patch is made. Refuses to know what
//! is in an executable, and what a cut saves.

use crate::executable::{Kind, may_begin, recognise};
use crate::recipe::{MAX_PARTS, Part};

/// Smaller executables don't get a part of their own.
const MIN_EXECUTABLE: usize = 32 * 1024;
/// What is between executables and smaller belongs to the one before it.
const SMALL: usize = 64 * 1024;
/// The size of a block of a tar file.
const TAR: usize = 512;

/// An executable inside of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Executable<'a> {
    start: usize,
    /// With what follows it and belongs to it.
    length: usize,
    kind: Kind,
    /// Its name without folders; empty where it has none.
    name: &'a [u8],
}

impl Executable<'_> {
    fn of<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        &content[self.start..self.start + self.length]
    }
}

/// An executable of the new content, and the old one that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    start: usize,
    length: usize,
    old_start: usize,
    old_length: usize,
}

impl Cut {
    /// Its beginning, its length, and what it is made of.
    pub(crate) fn key(&self) -> [u64; 4] {
        [self.start, self.length, self.old_start, self.old_length].map(|number| number as u64)
    }
}

/// The executables of a new content that are worth a part.
pub(crate) fn cuts(old: &[u8], new: &[u8]) -> Vec<Cut> {
    let olds = executables(old);
    let mut cuts: Vec<Cut> = executables(new)
        .iter()
        .filter_map(|new_one| {
            let old_one = like(&olds, new_one)?;
            // What did not change costs nothing wherever it is.
            let is_same = old_one.of(old) == new_one.of(new);
            (!is_same).then_some(Cut {
                start: new_one.start,
                length: new_one.length,
                old_start: old_one.start,
                old_length: old_one.length,
            })
        })
        .collect();
    // The largest gain most. Around each there may be a part of other things.
    cuts.sort_by_key(|cut| std::cmp::Reverse(cut.length));
    cuts.truncate((MAX_PARTS - 1) / 2);
    cuts.sort_by_key(|cut| cut.start);
    cuts
}

/// The parts that a new content has with these cuts. The lengths of their patches are not known yet.
pub(crate) fn parts(cuts: &[Cut], old: usize, new: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    let rest = |length: usize| Part {
        length: length as u64,
        old_start: 0,
        // To search all for a few bytes costs more time than it saves bytes.
        old_length: if length < SMALL { old.min(4 * SMALL) } else { old } as u64,
        patch: 0,
    };
    for cut in cuts {
        if cut.start > at {
            parts.push(rest(cut.start - at));
        }
        parts.push(Part {
            length: cut.length as u64,
            old_start: cut.old_start as u64,
            old_length: cut.old_length as u64,
            patch: 0,
        });
        at = cut.start + cut.length;
    }
    if at < new {
        parts.push(rest(new - at));
    }
    parts
}

/// The old executable that a new one comes from: of the same kind, of the same name if there is one, and
/// of the most similar length.
fn like<'a, 'b>(olds: &'b [Executable<'a>], new: &Executable<'_>) -> Option<&'b Executable<'a>> {
    let same = olds.iter().filter(|old| old.kind == new.kind);
    same.min_by_key(|old| (old.name != new.name, old.length.abs_diff(new.length)))
}

/// The executables of a content, in order. What is inside of one is not one.
fn executables(content: &[u8]) -> Vec<Executable<'_>> {
    let mut found: Vec<Executable<'_>> = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let here = may_begin(content[at])
            .then(|| recognise(&content[at..]))
            .flatten();
        match here {
            Some((kind, length)) => {
                if length >= MIN_EXECUTABLE {
                    found.push(Executable {
                        start: at,
                        length,
                        kind,
                        name: name(content, at),
                    });
                }
                at += length;
            }
            None => at += 1,
        }
    }
    let ends: Vec<usize> = found
        .iter()
        .skip(1)
        .map(|next| next.start)
        .chain([content.len()])
        .collect();
    for (one, end) in found.iter_mut().zip(ends) {
        if end - (one.start + one.length) < SMALL {
            one.length = end - one.start;
        }
    }
    found
}

/// The name of the file that begins here if a tar file is around it, without its folders: these often
/// tell the version.
fn name(content: &[u8], at: usize) -> &[u8] {
    let header = at.checked_sub(TAR).and_then(|start| content.get(start..at));
    let Some(header) = header.filter(|header| header[257..].starts_with(b"ustar")) else {
        return &[];
    };
    let path = &header[..100];
    let path = path.split(|byte| *byte == 0).next().unwrap_or(path);
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with a header, one segment and so many bytes.
    fn executable(length: usize, machine: u8) -> Vec<u8> {
        let mut bytes = vec![1; length];
        bytes[..120].fill(0);
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[0x12] = machine;
        bytes[0x20] = 64;
        bytes[0x36] = 56;
        bytes[0x38] = 1;
        bytes[64 + 0x20..64 + 0x28].copy_from_slice(&(length as u64).to_le_bytes());
        bytes
    }

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, file) in files {
            let mut header = [0; TAR];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[257..262].copy_from_slice(b"ustar");
            tar.extend_from_slice(&header);
            tar.extend_from_slice(file);
            tar.resize(tar.len().next_multiple_of(TAR), 0);
        }
        tar
    }

    fn seen(old: &[u8], new: &[u8]) -> Vec<(u64, u64, u64)> {
        parts(&cuts(old, new), old.len(), new.len())
            .iter()
            .map(|part| (part.length, part.old_start, part.old_length))
            .collect()
    }

    #[test]
    fn each_executable_of_a_tar_file_is_a_part_made_of_the_one_of_its_name() {
        let [a, b, c] = [100_000, 70_000, 90_000].map(|length| executable(length, 62));
        let (new_a, new_b) = (executable(70_001, 62), executable(100_500, 62));
        let old = tar(&[("1/a", &a), ("1/b", &b), ("1/c", &c)]);
        let new = tar(&[("notes", b"some"), ("2/b", &new_b), ("2/a", &new_a)]);
        // Up to the next executable, whose header is the end of the part before it.
        let rounded = |length: usize| length.next_multiple_of(512) as u64;
        let (first, second) = (512, 512 + rounded(100_000) + 512);
        assert_eq!(
            seen(&old, &new),
            [
                (3 * 512, 0, old.len() as u64),
                (rounded(100_500) + 512, second, rounded(70_000) + 512),
                (rounded(70_001), first, rounded(100_000) + 512),
            ]
            .map(|(length, start, of)| (
                length,
                start,
                if length == 3 * 512 { of.min(256 * 1024) } else { of }
            ))
        );
    }

    #[test]
    fn what_is_far_from_an_executable_is_a_part_of_its_own() {
        let (old_one, new_one) = (executable(50_000, 62), executable(60_000, 62));
        let old = [&old_one[..], &vec![7; 100_000]].concat();
        let new = [&vec![7; 90_000], &new_one[..], &vec![7; 80_000]].concat();
        let all = old.len() as u64;
        assert_eq!(
            seen(&old, &new),
            [(90_000, 0, all), (60_000, 0, 50_000), (80_000, 0, all)]
        );
    }

    #[test]
    fn without_an_old_executable_of_its_kind_or_a_change_there_is_no_part() {
        let (one, other) = (executable(100_000, 62), executable(100_000, 183));
        for (old, new) in [
            (&b"old"[..], &one[..]),
            (&one, b"new one"),
            (&one, &other),
            (&one, &one),
            (&executable(9000, 62), &executable(9001, 62)),
        ] {
            assert!(cuts(old, new).is_empty());
            let all = parts(&[], old.len(), new.len());
            assert_eq!((all.len(), all[0].length), (1, new.len() as u64));
        }
    }

    #[test]
    fn headers_that_lie_or_end_early_are_no_executables() {
        let whole = executable(70_000, 62);
        for length in [0, 3, 64, 100, 69_999] {
            assert!(cuts(&whole, &whole[..length]).is_empty(), "{length}");
        }
        for at in (0x20..0x28).chain(0x36..0x40).chain(96..104) {
            let mut lying = whole.clone();
            lying[at] = 0xff;
            // It must neither fail nor reach beyond the end.
            let parts = seen(&whole, &lying);
            assert_eq!(parts.iter().map(|part| part.0).sum::<u64>(), 70_000, "byte {at}");
        }
        for head in [&b"MZ"[..], b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02"] {
            let file = [head, &vec![0xff; 70_000]].concat();
            assert!(cuts(&file, &file[1..]).is_empty());
        }
    }

    #[test]
    fn there_are_never_more_parts_than_allowed() {
        let old = executable(40_000, 62);
        let one = [executable(40_001, 62), vec![0; 70_000]].concat();
        let new = one.repeat(40);
        let parts = parts(&cuts(&old, &new), old.len(), new.len());
        assert!((20..=MAX_PARTS).contains(&parts.len()), "{}", parts.len());
        assert_eq!(
            parts.iter().map(|part| part.length).sum::<u64>(),
            new.len() as u64
        );
    }
}
