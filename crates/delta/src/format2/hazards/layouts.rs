//! Layouts that can't be those of a file.

use super::*;
use crate::layout::{Form, MAX_PROBES, MAX_REGIONS, MAX_SPANS, Probe};

#[test]
fn layouts_outside_of_their_files_are_refused() {
    let code = |offset, length| vec![region(offset, length, Kind::X86_64)];
    let word = |probe| vec![region(0, 8, Kind::Words(vec![probe]))];
    let wide = |bits| Form::Absolute64 { base: 0, bits };
    let whole = [(0, 10, 0)];
    let table = [
        ("a span behind the end", layout(&[(5, 6, 0)], vec![])),
        ("a span whose end overflows", layout(&[(5, u32::MAX, 0)], vec![])),
        ("an address that overflows", layout(&[(0, 5, u32::MAX)], vec![])),
        ("spans that overlap", layout(&[(0, 5, 0), (4, 2, 100)], vec![])),
        (
            "spans that are not sorted",
            layout(&[(5, 1, 0), (0, 2, 100)], vec![]),
        ),
        ("a region behind the end", layout(&whole, code(5, 6))),
        ("a region whose end overflows", layout(&whole, code(5, u32::MAX))),
        (
            "regions that overlap",
            layout(&whole, [code(0, 5), code(4, 2)].concat()),
        ),
        (
            "a stride of nothing",
            layout(
                &whole,
                word(Probe {
                    stride: 0,
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "an alignment beyond all",
            layout(
                &whole,
                word(Probe {
                    align: 32,
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "a word that is too narrow",
            layout(
                &whole,
                word(Probe {
                    form: wide(31),
                    ..Probe::NONE
                }),
            ),
        ),
        (
            "a word that is too wide",
            layout(
                &whole,
                word(Probe {
                    form: wide(65),
                    ..Probe::NONE
                }),
            ),
        ),
    ];
    let good = layout(&whole, word(Probe::NONE));
    for (what, bad) in table {
        let old = control_with(&bad, &bad, &[], &[]);
        assert_eq!(fault(old), PartFault::Layout, "{what}");
    }
    // The new one alone: its places are its own.
    for (what, bad) in [
        ("no span", layout(&[], good.regions.clone())),
        (
            "a span behind the end",
            layout(&[(5, 9, 0)], good.regions.clone()),
        ),
        (
            "a region behind the end",
            layout(&whole, vec![region(9, 8, good.regions[0].kind.clone())]),
        ),
    ] {
        assert_eq!(
            fault(control_with(&good, &bad, &[], &[])),
            PartFault::Layout,
            "{what}"
        );
    }
}

#[test]
fn numbers_of_a_layout_beyond_the_limits_allocate_nothing() {
    // A list that says it is longer than may be is cut there: the rest is read as something else.
    let spans = vec![(0, 0, 0); MAX_SPANS + 1];
    let regions = vec![region(0, 0, Kind::X86_64); MAX_REGIONS + 1];
    let probes = vec![Probe::NONE; MAX_PROBES + 1];
    for bad in [
        layout(&spans, vec![]),
        layout(&[(0, 10, 0)], regions),
        layout(&[(0, 10, 0)], vec![region(0, 8, Kind::Words(probes))]),
    ] {
        let bad = patch(
            NEW_BYTES,
            &[(NEW_BYTES, control_with(&bad, &bad, &[], &[]), vec![0; 50])],
        );
        assert!(applied(&bad, NEW_BYTES).0.is_err());
    }
}
