//! Small executables made by hand.
//!
//! Refuses to know what is tested with them.

/// A file in the making.
pub(super) struct File(pub(super) Vec<u8>);

impl File {
    fn of(length: usize) -> Self {
        // Never all zero: zero ends many a list.
        Self((0..length).map(|at| (at % 251) as u8).collect())
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn u16s(&mut self, at: usize, values: &[u16]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes)
    }

    pub(super) fn u32s(&mut self, at: usize, values: &[u32]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes)
    }

    fn u64s(&mut self, at: usize, values: &[u64]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes)
    }

    fn big(&mut self, at: usize, values: &[u32]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        self.put(at, &bytes)
    }
}

/// Stripped, position independent: code, a dynamic section with relocations, an index of frames.
pub(super) fn elf() -> Vec<u8> {
    let mut file = File::of(0x1000);
    file.put(0, b"\x7fELF\x02\x01\x01")
        .u16s(16, &[3, 62])
        .u64s(24, &[0x1400, 64, 0]);
    file.u16s(52, &[64, 56, 4, 64, 0, 0]);
    let mut segment = |index: usize, kind: u32, flags: u32, offset: u64, address: u64, length: u64| {
        let at = 64 + 56 * index;
        file.u32s(at, &[kind, flags]);
        file.u64s(at + 8, &[offset, address, address, length, length, 0x1000]);
    };
    segment(0, 1, 4, 0, 0, 0x400);
    segment(1, 1, 5, 0x400, 0x1400, 0x800);
    segment(2, 2, 6, 0x140, 0x140, 0x60);
    segment(3, 0x6474_e550, 4, 0x200, 0x200, 0x5c);
    file.u64s(0x140, &[7, 0x380, 8, 0x60, 0, 0]);
    for entry in 0..4 {
        file.u64s(0x380 + 24 * entry, &[0x1800, 8, 0x1400]);
    }
    file.put(0x200, &[1, 0x1b, 3, 0x3b]).u32s(0x204, &[0x5c, 10]);
    frames(&mut file, 0x260);
    file.0
}

/// A shared record, four frames with it, and the end.
fn frames(file: &mut File, at: usize) {
    file.u32s(at, &[20, 0])
        .put(at + 8, b"\x01zPLR\0")
        .u32s(at + 24, &[0; 2]);
    for index in 0..4_u32 {
        let place = at + 24 + 28 * index as usize;
        let here = place as u32;
        file.u32s(
            place,
            &[24, 28 + 28 * index, 0x1400_u32.wrapping_sub(here + 8), 16],
        );
        file.put(place + 16, &[4])
            .u32s(place + 17, &[0x3f0_u32.wrapping_sub(here + 17)]);
    }
    file.u32s(at + 24 + 28 * 4, &[0]);
}

/// Code, constants with a record of unwinding, and an exception directory.
pub(super) fn pe() -> Vec<u8> {
    let mut file = File::of(0x1000);
    file.put(0, b"MZ").u32s(0x3c, &[0x80]).put(0x80, b"PE\0\0");
    file.u16s(0x84, &[0x8664, 3]).u16s(0x94, &[240, 0]);
    file.u16s(0x98, &[0x20b])
        .u64s(0x98 + 24, &[0x1_4000_0000])
        .u32s(0x98 + 56, &[0x5000, 0x400]);
    file.u32s(0x98 + 108, &[16])
        .u64s(0x98 + 112, &[0; 16])
        .u32s(0x98 + 136, &[0x3000, 96]);
    let sections = [
        (b".text\0\0\0", 0x6000_0020),
        (b".rdata\0\0", 0x4000_0040),
        (b".pdata\0\0", 0x4000_0040),
    ];
    for (index, (name, flags)) in sections.into_iter().enumerate() {
        let (at, number) = (0x98 + 240 + 40 * index, index as u32);
        file.put(at, name).u32s(
            at + 8,
            &[0x400, 0x1000 * (number + 1), 0x400, 0x400 * (number + 1)],
        );
        file.u32s(at + 36, &[flags]);
    }
    for entry in 0..8 {
        file.u32s(0xc00 + 12 * entry, &[0x1000, 0x1010, 0x2000 + 64 * entry as u32]);
    }
    file.0
}

/// Code, data with pointers, and a signature with hashes.
pub(super) fn macho() -> Vec<u8> {
    let mut file = File::of(0x3000);
    file.u32s(0, &[0xfeed_facf, 0x0100_000c, 0, 2, 3, 152 * 2 + 16, 0, 0]);
    let segments: [(&[u8; 8], &[u8; 8], u32); 2] = [
        (b"__TEXT\0\0", b"__text\0\0", 0x8000_0400),
        (b"__DATA\0\0", b"__data\0\0", 0),
    ];
    for (index, (segment, section, flags)) in segments.into_iter().enumerate() {
        let (at, offset) = (32 + 152 * index, 0x1000 * index as u64);
        let address = 0x1_0000_0000 + offset;
        file.u32s(at, &[0x19, 152])
            .u64s(at + 8, &[0; 18])
            .put(at + 8, segment);
        file.u64s(at + 24, &[address, 0x1000, offset, 0x1000])
            .u32s(at + 56, &[3, 1 + 2 * index as u32, 1, 0]);
        file.put(at + 72, section).put(at + 88, segment);
        file.u64s(at + 104, &[address + 0x400, 0x400])
            .u32s(at + 120, &[offset as u32 + 0x400, 4, 0, 0, flags]);
    }
    file.u32s(32 + 304, &[0x1d, 16, 0x2000, 0x400]);
    file.big(0x2000, &[0xfade_0cc0, 0x100, 1, 0, 20])
        .big(0x2014, &[0xfade_0c02, 200, 0x2_0400, 2, 44, 40, 0, 2, 0x2000]);
    file.put(0x2014 + 36, &[32, 2, 0, 12]);
    file.0
}

/// Two slices, the second of x86-64.
pub(super) fn universal() -> Vec<u8> {
    let mut file = File::of(0x1000);
    file.big(
        0,
        &[
            0xcafe_babe,
            2,
            0x0100_000c,
            0,
            0x1000,
            0x3000,
            12,
            0x0100_0007,
            3,
            0x4000,
            0x3000,
            12,
        ],
    );
    let slice = macho();
    file.0.extend_from_slice(&slice);
    file.0.extend_from_slice(&slice);
    file.u32s(0x4004, &[0x0100_0007]);
    file.0
}
