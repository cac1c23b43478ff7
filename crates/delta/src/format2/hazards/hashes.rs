//! Page hashes outside of what they hash or of the file, and what reaches into them.

use super::*;
use crate::layout::{HASH_BYTES, MAX_PAGES};

#[test]
fn page_hashes_outside_of_the_new_file_are_refused() {
    let new_bytes = 100_000;
    let table = |begin, covered, page_bits, at| HashTable {
        begin,
        covered,
        page_bits,
        at,
    };
    let good = table(0, 0x5000, 12, 0x6000);
    assert!(HashTable::are_sound(&[good], new_bytes));
    let bad = [
        ("nothing hashed", vec![table(0, 0, 12, 0x6000)]),
        ("pages too small", vec![table(0, 0x5000, 11, 0x6000)]),
        ("pages too large", vec![table(0, 0x5000, 17, 0x6000)]),
        ("pages beyond all", vec![table(0, 0x5000, 32, 0x6000)]),
        ("before their pages", vec![table(0, 0x7000, 12, 0x6000)]),
        ("a sum that overflows", vec![table(0x6000, u32::MAX, 12, 0x5fff)]),
        ("over the end", vec![table(0, 0x5000, 12, 99_999)]),
        ("behind the end", vec![table(0, 0x5000, 12, u32::MAX)]),
        ("more pages than may be", vec![table(0, u32::MAX, 12, u32::MAX)]),
        ("twice", vec![good, good]),
        ("over one another", vec![good, table(0x6010, 0x1000, 12, 0x8000)]),
    ];
    for (what, tables) in bad {
        let none = Layout::default();
        let control = control_with(&none, &none, &tables, &[]);
        let (result, written) = applied(&patch(new_bytes, &[(new_bytes, control, vec![0; 50])]), new_bytes);
        assert!(
            matches!(
                result,
                Err(ApplyError::Part {
                    fault: PartFault::Hashes,
                    ..
                })
            ),
            "{what}: {result:?}"
        );
        assert_eq!(written, 0);
    }
    const { assert!(MAX_PAGES * HASH_BYTES <= 1 << 20) };
}

#[test]
fn segments_and_parts_that_cut_page_hashes_are_refused() {
    let new_bytes = 100_000;
    let table = HashTable {
        begin: 0,
        covered: 0x5000,
        page_bits: 12,
        at: 0x6000,
    };
    let none = Layout::default();
    // The hashes are in 0x6000..0x60a0.
    for (segment, refused) in [
        (segment(0x5ffa, 0, 6), false),
        (segment(0x5ffa, 0, 7), true),
        (segment(0x6010, 0, 5), true),
        (segment(0x609f, 0, 2), true),
        (segment(0x60a0, 0, 5), false),
    ] {
        let control = control_with(&none, &none, &[table], &[segment]);
        let (result, _) = applied(&patch(new_bytes, &[(new_bytes, control, vec![0; 50])]), new_bytes);
        let found = matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::OutsideNew,
                ..
            })
        );
        assert_eq!(found, refused, "{segment:?}: {result:?}");
    }
    for (end, refused) in [(0x6000, false), (0x6001, true), (0x609f, true), (0x60a0, false)] {
        let control = control_with(&none, &none, &[table], &[]);
        let (result, _) = applied(&patch(new_bytes, &[(end, control, vec![0; 50])]), new_bytes);
        let found = matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::Hashes,
                ..
            })
        );
        assert_eq!(found, refused, "{end:#x}: {result:?}");
    }
}
