//! Finding references in data, by probes.
//!
//! Refuses to know what the data mean. The rules, which are part of the patch format: at each multiple
//! of 4 from the region's beginning the probes are tried in their order. One applies if the position
//! in the region modulo its stride is its phase, its word ends within the window, and the word's
//! target is at least its `low` and below its `high`. The first that applies takes the word, and the
//! sweep goes on behind it; if none does, a plain word of 4 bytes is passed over. Each window is swept
//! from its beginning. A stride of 0 never applies. A target must be a multiple of 2 to the power of
//! the probe's `align`. If the stride or phase of any probe is no multiple of 4, the probes are tried
//! at each byte that no reference has taken; plain words then begin at multiples of 4 and behind
//! references.

use super::{Listing, Reference, ReferenceKind, WINDOW, field};
use crate::layout::Probe;

/// Lists the references of a window: at most [`super::WINDOW`] bytes that stand `position` bytes from
/// the region's beginning, at `address`. There are at most 256 probes.
pub(crate) fn list(window: &[u8], position: u32, address: u32, probes: &[Probe], out: &mut Listing) {
    out.clear();
    let window = window.get(..WINDOW).unwrap_or(window);
    let by_words = probes.iter().all(|probe| (probe.stride | probe.phase) % 4 == 0);
    let mut at = 0;
    let mut behind = true;
    while at < window.len() {
        let rest = &window[at..];
        let place = position.wrapping_add(at as u32);
        let here = address.wrapping_add(at as u32);
        let found = probes.iter().enumerate().find_map(|(number, probe)| {
            let target = field::word_target(probe.form, rest, here)?;
            // The range is asked first: it is what most words fail, and the remainder is slow.
            let applies = probe.low <= target
                && target < probe.high
                && target.trailing_zeros() >= u32::from(probe.align)
                && place.checked_rem(u32::from(probe.stride)) == Some(u32::from(probe.phase));
            applies.then_some((number, probe.form, target))
        });
        if (by_words || behind || found.is_some() || at % 4 == 0)
            && let Some(starts) = out.starts.get_mut(at / 64)
        {
            *starts |= 1 << (at % 64);
        }
        behind = found.is_some();
        at += match found {
            Some((number, form, target)) => {
                let kind = ReferenceKind::Word { probe: number as u8 };
                out.references.push(Reference {
                    at: at as u16,
                    kind,
                    target,
                });
                field::width(form)
            }
            None if by_words => 4,
            None => 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Form;

    // what, probes, position, words, references, starts
    type Row<'a> = (
        &'a str,
        Vec<Probe>,
        u32,
        &'a [u32],
        &'a [(u16, u8, u32)],
        &'a [usize],
    );

    fn listed(window: &[u8], position: u32, probes: &[Probe]) -> (Vec<(u16, u8, u32)>, Vec<usize>) {
        let mut out = Listing::default();
        list(window, position, 0x1000, probes, &mut out);
        let references = out.references.iter().map(|reference| match reference.kind {
            ReferenceKind::Word { probe } => (reference.at, probe, reference.target),
            kind => panic!("{kind:?} in data"),
        });
        (
            references.collect(),
            (0..window.len()).filter(|at| out.starts_at(*at)).collect(),
        )
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    const NEAR: Form = Form::Absolute32 { base: 0x100 };
    const WIDE: Form = Form::Absolute64 {
        base: 0x100,
        bits: 64,
    };

    #[test]
    fn a_word_in_range_is_taken_by_the_first_probe_that_applies() {
        let probe = |form, stride, phase| Probe {
            stride,
            phase,
            form,
            low: 0x10,
            high: 0x20,
            align: 0,
        };
        let table: &[Row<'_>] = &[
            ("no probes", vec![], 0, &[1, 2], &[], &[0, 4]),
            (
                "low is in, high is out",
                vec![probe(NEAR, 4, 0)],
                0,
                &[0x10F, 0x110, 0x11F, 0x120],
                &[(4, 0, 0x10), (8, 0, 0x1F)],
                &[0, 4, 8, 12],
            ),
            (
                "a wide word takes 8 bytes",
                vec![probe(WIDE, 4, 0)],
                0,
                &[7, 0x110, 0, 0x111, 0],
                &[(4, 0, 0x10), (12, 0, 0x11)],
                &[0, 4, 12],
            ),
            (
                "a wide word at the window's end is none",
                vec![probe(WIDE, 4, 0)],
                0,
                &[0x110],
                &[],
                &[0],
            ),
            (
                "the next probe has its turn",
                vec![probe(WIDE, 4, 0), probe(NEAR, 4, 0)],
                0,
                &[0x110, 1, 0x111, 0],
                &[(0, 1, 0x10), (8, 0, 0x11)],
                &[0, 4, 8],
            ),
            (
                "stride and phase count from the region's beginning",
                vec![probe(NEAR, 12, 4)],
                8,
                &[0x110, 0x111, 0x112, 0x113, 0x114, 0x115],
                &[(8, 0, 0x12), (20, 0, 0x15)],
                &[0, 4, 8, 12, 16, 20],
            ),
            (
                "a stride of 0 never applies",
                vec![probe(NEAR, 0, 0)],
                0,
                &[0x110],
                &[],
                &[0],
            ),
        ];
        for (what, probes, position, data, references, starts) in table {
            let (found, begun) = listed(&words(data), *position, probes);
            assert_eq!(
                (found.as_slice(), begun.as_slice()),
                (*references, *starts),
                "{what}"
            );
        }
    }

    #[test]
    fn a_distance_counts_from_its_own_word() {
        let probe = Probe {
            stride: 4,
            phase: 0,
            form: Form::Relative32,
            low: 0x1000,
            high: 0x1008,
            align: 0,
        };
        let (found, _) = listed(&words(&[3, 3, 0xFFFF_FFF8]), 0, &[probe]);
        assert_eq!(found, [(0, 0, 0x1003), (4, 0, 0x1007), (8, 0, 0x1000)]);
    }

    #[test]
    fn a_stride_of_one_finds_words_at_any_byte() {
        let probe = Probe {
            form: NEAR,
            stride: 1,
            phase: 0,
            low: 0x10,
            high: 0x20,
            align: 0,
        };
        let bytes = [9, 0x11, 1, 0, 0, 9, 9, 9, 9, 9, 0x12, 1, 0, 0];
        let begins = vec![0, 1, 5, 8, 10];
        assert_eq!(
            listed(&bytes, 0, &[probe]),
            (vec![(1, 0, 0x11), (10, 0, 0x12)], begins)
        );
    }

    #[test]
    fn a_phase_of_one_applies_to_the_second_byte_of_each_word() {
        let probe = Probe {
            form: NEAR,
            stride: 4,
            phase: 1,
            low: 0x10,
            high: 0x20,
            align: 0,
        };
        let bytes = [0x11, 1, 0, 0, 9, 0x12, 1, 0, 0, 9];
        assert_eq!(
            listed(&bytes, 0, &[probe]),
            (vec![(5, 0, 0x12)], vec![0, 4, 5, 9])
        );
    }

    #[test]
    fn targets_that_are_not_aligned_are_none() {
        let probe = Probe {
            form: NEAR,
            stride: 4,
            phase: 0,
            low: 0,
            high: 0x40,
            align: 4,
        };
        let (found, _) = listed(&words(&[0x110, 0x118, 0x120, 0x100]), 0, &[probe]);
        assert_eq!(found, [(0, 0, 0x10), (8, 0, 0x20), (12, 0, 0)]);
    }

    #[test]
    fn a_distance_back_counts_from_its_own_word() {
        let probe = Probe {
            form: Form::Backward32,
            stride: 4,
            phase: 0,
            low: 0xff0,
            high: 0xff8,
            align: 0,
        };
        let (found, _) = listed(&words(&[4, 0x10, 0x10]), 0, &[probe]);
        assert_eq!(found, [(4, 0, 0xff4)]);
    }

    #[test]
    fn a_last_word_that_is_cut_off_is_none() {
        let probe = Probe {
            stride: 4,
            phase: 0,
            form: NEAR,
            low: 0,
            high: u32::MAX,
            align: 0,
        };
        assert_eq!(
            listed(&[0x10, 1, 0, 0, 0x10, 1, 0], 0, &[probe]),
            (vec![(0, 0, 0x10)], vec![0, 4])
        );
    }
}
