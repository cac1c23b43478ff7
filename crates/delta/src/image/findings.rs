//! What fuzzing has found: files that once made a parser panic.

use super::layouts;
use super::samples::{File, elf};

/// Where the program headers of the sample are: kind, flags, offset, address...
const SEGMENT: [usize; 4] = [64, 64 + 56, 64 + 2 * 56, 64 + 3 * 56];

#[test]
fn a_dynamic_section_at_the_end_of_all_numbers_is_none() {
    // Found by `layouts_elf`: the place of an entry's second half overflowed.
    for low in [u32::MAX, u32::MAX - 7, u32::MAX - 15, u32::MAX - 16] {
        let mut file = File(elf());
        file.u32s(SEGMENT[2] + 8, &[low, u32::MAX]);
        layouts(&file.0, &file.0);
    }
}

#[test]
fn an_executable_segment_without_memory_does_not_count() {
    // It stands below all that is mapped, so that it has no address relative to the image.
    let mut file = File(elf());
    file.u32s(SEGMENT[0] + 16, &[0x10_0000, 0]);
    file.u32s(SEGMENT[1] + 16, &[0x20_0000, 0]);
    file.u32s(SEGMENT[3], &[1, 5]);
    file.u32s(SEGMENT[3] + 8, &[0; 12]);
    layouts(&file.0, &file.0);
}
