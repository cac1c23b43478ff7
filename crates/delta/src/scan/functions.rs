//! Finding references in a table of functions: records of varying length, one after another.
//!
//! Refuses to know where the table is and how it came to be. The rules, which are part of the patch
//! format: at each multiple of 4 from the region's beginning, a record begins if its head of 44
//! bytes is there and plausible (see [`is_head`]). Its words are references by the probes, each by
//! its own, where the target is in the probe's range; the next record may begin right behind it. All
//! else are plain words. The sweep begins with the margin before the window, so that a record that
//! begins there has its words in the window; what is longer than the margin is plain.

use super::{Listing, Reference, ReferenceKind, field};
use crate::layout::Probe;

/// The probes, in their order.
const ENTRY: usize = 0;
const NAME: usize = 1;
const LINES: usize = 2;
const DATA: usize = 3;
const UNIT: usize = 4;

/// The head's length, and where in it things are.
const HEAD: usize = 44;
const LINE_TABLES: [usize; 3] = [16, 20, 24];
const MORE_LINE_TABLES: usize = 28;
const UNITS: usize = 32;
const FIRST_LINE: usize = 36;
const PADDING: usize = 42;
const MORE_DATA: usize = 43;
/// More tables than this no record has.
const MOST_TABLES: u32 = 16;
const MOST_LINES: u32 = 1 << 24;

/// Lists the references of a window of `length` bytes, of which `bytes` has `before` more at its
/// beginning and possibly more at its end.
pub(crate) fn list(bytes: &[u8], before: usize, length: usize, probes: &[Probe], out: &mut Listing) {
    out.clear();
    for at in (0..length).step_by(4) {
        if let Some(starts) = out.starts.get_mut(at / 64) {
            *starts |= 1 << (at % 64);
        }
    }
    let mut at = 0;
    while at < before + length {
        let head = bytes.get(at..at + HEAD).filter(|head| is_head(head, probes));
        let Some(head) = head else {
            at += 4;
            continue;
        };
        let mut take = |place: usize, probe: usize| {
            if place < before || place + 4 > before + length {
                return;
            }
            if let Some(target) = accepted(&bytes[place..], probes, probe) {
                let kind = ReferenceKind::Word { probe: probe as u8 };
                out.references.push(Reference {
                    at: (place - before) as u16,
                    kind,
                    target,
                });
            }
        };
        take(at, ENTRY);
        take(at + 4, NAME);
        for table in LINE_TABLES {
            take(at + table, LINES);
        }
        take(at + UNITS, UNIT);
        let tables = word(head, MORE_LINE_TABLES) as usize;
        let data = usize::from(head[MORE_DATA]);
        at += HEAD;
        for _ in 0..tables {
            take(at, LINES);
            at += 4;
        }
        for _ in 0..data {
            take(at, DATA);
            at += 4;
        }
    }
}

/// Whether a record begins here: its entry, name and line tables are where such are, the numbers of
/// its other tables and its first line are small, and its padding is zero.
fn is_head(head: &[u8], probes: &[Probe]) -> bool {
    head[PADDING] == 0
        && u32::from(head[MORE_DATA]) <= MOST_TABLES
        && word(head, MORE_LINE_TABLES) <= MOST_TABLES
        && word(head, FIRST_LINE) < MOST_LINES
        && accepted(head, probes, ENTRY).is_some()
        && accepted(&head[4..], probes, NAME).is_some()
        && LINE_TABLES
            .iter()
            .all(|table| accepted(&head[*table..], probes, LINES).is_some())
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |word| u32::from_le_bytes(*word))
}

/// The target of the word that stands first, if the probe accepts it.
#[inline]
fn accepted(bytes: &[u8], probes: &[Probe], probe: usize) -> Option<u32> {
    let probe = probes.get(probe)?;
    let target = field::word_target(probe.form, bytes, 0)?;
    (probe.low <= target && target < probe.high).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Form;

    /// Entries are above 0x10000, names above 0x20000 and so on, each in a table of 0x1000 bytes.
    fn probes() -> Vec<Probe> {
        let probe = |number: u32| {
            let low = number * 0x1_0000;
            let form = Form::Absolute32 {
                base: 0_u32.wrapping_sub(low),
            };
            Probe {
                form,
                low,
                high: low + 0x1000,
                ..Probe::NONE
            }
        };
        (1..=5).map(probe).collect()
    }

    fn record(line_tables: &[u32], data: &[u32]) -> Vec<u8> {
        let count = line_tables.len() as u32;
        let tail = (data.len() as u32) << 24;
        let head = [0x10, 0x20, 0, 0, 0x30, 0x40, 0x50, count, 0x60, 7, tail];
        let words = head.iter().chain(line_tables).chain(data);
        words.flat_map(|word| word.to_le_bytes()).collect()
    }

    fn listed(bytes: &[u8], before: usize, length: usize) -> Vec<(u16, u32)> {
        let mut out = Listing::default();
        list(bytes, before, length, &probes(), &mut out);
        assert!((0..length).all(|at| out.starts_at(at) == (at % 4 == 0)));
        out.references
            .iter()
            .map(|reference| (reference.at, reference.target))
            .collect()
    }

    const HEAD_TARGETS: [(u16, u32); 6] = [
        (0, 0x1_0010),
        (4, 0x2_0020),
        (16, 0x3_0030),
        (20, 0x3_0040),
        (24, 0x3_0050),
        (32, 0x5_0060),
    ];

    #[test]
    fn each_word_of_a_record_has_its_own_probe() {
        let bytes = record(&[0x70, u32::MAX], &[0x80]);
        let more = [(44, 0x3_0070), (52, 0x4_0080)];
        assert_eq!(
            listed(&bytes, 0, bytes.len()),
            [&HEAD_TARGETS[..], &more].concat()
        );
    }

    #[test]
    fn what_is_not_plausible_is_no_record() {
        // what, where, the word there
        let table: &[(&str, usize, u32)] = &[
            ("an entry outside the code", 0, 0x1000),
            ("a name outside the names", 4, 0x1000),
            ("a line table outside them", 24, 0x1000),
            ("too many line tables", 28, 17),
            ("a first line too high", 36, 1 << 24),
            ("padding that is not zero", 40, 1 << 16),
            ("too many data", 40, 17 << 24),
        ];
        for (what, at, word) in table {
            let mut bytes = record(&[], &[]);
            bytes[*at..at + 4].copy_from_slice(&word.to_le_bytes());
            assert_eq!(listed(&bytes, 0, bytes.len()), [], "{what}");
        }
    }

    #[test]
    fn a_record_that_begins_in_the_margin_has_its_words_in_the_window() {
        let bytes = record(&[0x70], &[0x80]);
        assert_eq!(listed(&bytes, 44, 4), [(0, 0x3_0070)]);
        assert_eq!(listed(&bytes, 24, 12), [(0, 0x3_0050), (8, 0x5_0060)]);
    }

    #[test]
    fn records_follow_one_another_and_a_cut_off_head_is_none() {
        let one = record(&[], &[0x80]);
        let bytes = [&one[..], &[0; 4], &one, &one[..40]].concat();
        let listed = listed(&bytes, 0, bytes.len());
        let entries: Vec<u16> = listed
            .iter()
            .filter(|found| found.1 == 0x1_0010)
            .map(|found| found.0)
            .collect();
        assert_eq!(entries, [0, 52]);
    }
}
