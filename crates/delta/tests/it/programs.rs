//! Small programs made by hand, and releases of them: ELF, PE and Mach-O files with functions that
//! call one another, and tables that lead to them.
//!
//! The functions are random bytes, but for their calls: what a decoder finds in them must be the same
//! for ever, sense or not. Refuses to know patches.

#[path = "../../src/testing/noise.rs"]
mod noise;

use sha2::{Digest as _, Sha256};

pub(crate) use noise::Noise;

/// The kinds of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    ElfX86,
    ElfArm,
    PeX86,
    PeArm,
    MachO,
}

impl Format {
    pub(crate) const ALL: [Self; 5] = [Self::ElfX86, Self::ElfArm, Self::PeX86, Self::PeArm, Self::MachO];

    fn is_arm(self) -> bool {
        matches!(self, Self::ElfArm | Self::PeArm | Self::MachO)
    }
}

/// A function: bytes, and calls of other functions after each.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    name: usize,
    pieces: Vec<(Vec<u8>, usize)>,
}

/// What a program is made of.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) format: Format,
    pub(crate) functions: Vec<Function>,
    pub(crate) text: Vec<u8>,
}

impl Program {
    pub(crate) fn new(format: Format, seed: u64, count: usize) -> Self {
        let mut noise = Noise::new(seed);
        let functions = (0..count).map(|name| function(&mut noise, name, count)).collect();
        let words = ["moult", "skin", "feather", "shell", "molt", "new", "old"];
        let text = (0..count * 4).map(|_| words[noise.below(7) as usize]);
        let text = text.collect::<Vec<_>>().join(" ").into_bytes();
        Self {
            format,
            functions,
            text,
        }
    }

    /// Another release: functions are moved, some are written anew.
    pub(crate) fn next(&self, seed: u64, moved: usize, changed: usize) -> Self {
        let mut noise = Noise::new(seed ^ 0x5eed);
        let mut next = self.clone();
        let count = next.functions.len();
        for _ in 0..moved.min(count * 8) {
            let at = noise.below(count as u32) as usize;
            let function = next.functions.remove(at);
            next.functions
                .insert(noise.below(count as u32) as usize, function);
        }
        for _ in 0..changed.min(count * 8) {
            let at = noise.below(count as u32) as usize;
            let name = next.functions[at].name;
            next.functions[at] = function(&mut noise, name, count);
        }
        let at = noise.below(next.text.len() as u32 + 1) as usize;
        next.text.splice(at..at, *b"another word ");
        next
    }

    /// The file.
    pub(crate) fn link(&self) -> Vec<u8> {
        match self.format {
            Format::ElfX86 | Format::ElfArm => self.elf(),
            Format::PeX86 | Format::PeArm => self.pe(),
            Format::MachO => self.macho(),
        }
    }

    /// The functions one after another, and where each name begins.
    fn code(&self) -> (Vec<u8>, Vec<u32>) {
        let arm = self.format.is_arm();
        let mut code = Vec::new();
        let mut begins = vec![0_u32; self.functions.len()];
        let mut calls = Vec::new();
        for function in &self.functions {
            code.resize(code.len().next_multiple_of(16), if arm { 0 } else { 0xcc });
            begins[function.name] = code.len() as u32;
            for (bytes, callee) in &function.pieces {
                let whole = if arm { bytes.len() & !3 } else { bytes.len() };
                code.extend_from_slice(&bytes[..whole]);
                calls.push((code.len(), *callee));
                code.extend_from_slice(if arm {
                    &[0, 0, 0, 0x94]
                } else {
                    &[0xe8, 0, 0, 0, 0]
                });
            }
        }
        for (at, callee) in calls {
            let distance = begins[callee].wrapping_sub(at as u32);
            let (at, word) = if arm {
                (at, 0x9400_0000 | distance >> 2 & 0x03ff_ffff)
            } else {
                (at + 1, distance.wrapping_sub(5))
            };
            code[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        (code, begins)
    }

    /// Stripped and position independent, with relocations.
    fn elf(&self) -> Vec<u8> {
        let (code, begins) = self.code();
        let code_at = (0x400 + 24 * begins.len()).next_multiple_of(256);
        let text_at = (code_at + code.len()).next_multiple_of(256);
        let mut file = File(vec![0; text_at]);
        let machine = if self.format.is_arm() { 183 } else { 62 };
        file.put(0, b"\x7fELF\x02\x01\x01");
        file.u16s(16, &[3, machine]);
        file.u64s(24, &[code_at as u64 + 0x1000, 64, 0]);
        file.u16s(52, &[64, 56, 4, 64, 0, 0]);
        let segments = [
            (1, 4, 0, 0, code_at),
            (1, 5, code_at, code_at + 0x1000, code.len()),
            (1, 6, text_at, text_at + 0x2000, self.text.len()),
            (2, 6, 0x180, 0x180, 0x40),
        ];
        for (index, (kind, flags, offset, address, length)) in segments.into_iter().enumerate() {
            let at = 64 + 56 * index;
            file.u32s(at, &[kind, flags]);
            let [offset, address, length] = [offset, address, length].map(|number| number as u64);
            file.u64s(at + 8, &[offset, address, address, length, length, 0x1000]);
        }
        file.u64s(0x180, &[7, 0x400, 8, 24 * begins.len() as u64, 0, 0]);
        for (entry, begin) in begins.iter().enumerate() {
            let place = (text_at + 0x2000 + 8 * entry) as u64;
            file.u64s(
                0x400 + 24 * entry,
                &[place, 8, u64::from(*begin) + code_at as u64 + 0x1000],
            );
        }
        file.put(code_at, &code);
        file.0.extend_from_slice(&self.text);
        file.0
    }

    /// Code, constants and an exception directory.
    fn pe(&self) -> Vec<u8> {
        let (code, begins) = self.code();
        let entry = if self.format.is_arm() { 8 } else { 12 };
        let lengths = [
            code.len(),
            self.text.len().max(64 * begins.len()),
            entry * begins.len(),
        ];
        let lengths = lengths.map(|length| length.next_multiple_of(0x200));
        let mut file = File(vec![0; 0x400 + lengths.iter().sum::<usize>()]);
        let machine = if self.format.is_arm() { 0xaa64 } else { 0x8664 };
        file.put(0, b"MZ");
        file.u32s(0x3c, &[0x80]);
        file.put(0x80, b"PE\0\0");
        file.u16s(0x84, &[machine, 3]);
        file.u16s(0x94, &[240, 0]);
        file.u16s(0x98, &[0x20b]);
        file.u64s(0x98 + 24, &[0x1_4000_0000]);
        file.u32s(0x98 + 108, &[16]);
        let (mut offset, mut address) = (0x400, 0x1000);
        let mut places = [(0, 0); 3];
        let flags = [0x6000_0020, 0x4000_0040, 0x4000_0040];
        for (index, name) in [&b".text\0\0\0"[..], b".rdata\0\0", b".pdata\0\0"]
            .into_iter()
            .enumerate()
        {
            let (at, length) = (0x98 + 240 + 40 * index, lengths[index]);
            file.put(at, name);
            file.u32s(
                at + 8,
                &[length as u32, address as u32, length as u32, offset as u32],
            );
            file.u32s(at + 36, &[flags[index]]);
            places[index] = (offset, address);
            offset += length;
            address = (address + length).next_multiple_of(0x1000);
        }
        file.u32s(0x98 + 56, &[address as u32, 0x400]);
        file.u32s(0x98 + 136, &[places[2].1 as u32, (entry * begins.len()) as u32]);
        file.put(places[0].0, &code);
        file.put(places[1].0, &self.text);
        let mut sorted = begins;
        sorted.sort_unstable();
        for (number, begin) in sorted.into_iter().enumerate() {
            let (begin, record) = (places[0].1 as u32 + begin, (places[1].1 + 64 * number) as u32);
            let words = [begin, begin + 16, record];
            let at = places[2].0 + entry * number;
            file.u32s(at, if entry == 12 { &words } else { &words[1..] });
        }
        file.0
    }

    /// Code, data with pointers, and an ad hoc signature with the hashes of all pages.
    fn macho(&self) -> Vec<u8> {
        let (code, begins) = self.code();
        let base = 0x1_0000_0000_u64;
        let data_at = (0x400 + code.len()).next_multiple_of(0x1000);
        let data: Vec<u8> = begins
            .iter()
            .flat_map(|begin| (base + 0x400 + u64::from(*begin)).to_le_bytes())
            .chain(self.text.iter().copied())
            .collect();
        let signed = (data_at + data.len()).next_multiple_of(16);
        let pages = signed.div_ceil(0x1000);
        let directory = 44 + 4;
        let signature = 20 + directory + 32 * pages;
        let mut file = File(vec![0; signed + signature]);
        file.u32s(0, &[0xfeed_facf, 0x0100_000c, 0, 2, 3, 152 * 2 + 16, 0, 0]);
        let segments = [
            (
                b"__TEXT\0\0",
                b"__text\0\0",
                0x8000_0400_u32,
                0,
                data_at,
                0x400,
                code.len(),
            ),
            (
                b"__DATA\0\0",
                b"__data\0\0",
                0,
                data_at,
                signed - data_at,
                data_at,
                data.len(),
            ),
        ];
        for (index, (segment, section, flags, from, length, at, bytes)) in segments.into_iter().enumerate() {
            let command = 32 + 152 * index;
            file.u32s(command, &[0x19, 152]);
            file.put(command + 8, segment);
            file.u64s(
                command + 24,
                &[base + from as u64, length as u64, from as u64, length as u64],
            );
            file.u32s(command + 56, &[3, 1 + 2 * index as u32, 1, 0]);
            file.put(command + 72, section);
            file.put(command + 88, segment);
            file.u64s(command + 104, &[base + at as u64, bytes as u64]);
            file.u32s(command + 120, &[at as u32, 4, 0, 0, flags]);
        }
        file.u32s(32 + 304, &[0x1d, 16, signed as u32, signature as u32]);
        file.put(0x400, &code);
        file.put(data_at, &data);
        let [signed_bytes, slots] = [signed as u32, pages as u32];
        file.big(signed, &[0xfade_0cc0, signature as u32, 1, 0, 20]);
        let length = (directory + 32 * pages) as u32;
        let numbers = [
            0xfade_0c02,
            length,
            0x2_0400,
            2,
            directory as u32,
            44,
            0,
            slots,
            signed_bytes,
        ];
        file.big(signed + 20, &numbers);
        file.put(signed + 20 + 36, &[32, 2, 0, 12]);
        for page in 0..pages {
            let end = signed.min((page + 1) * 0x1000);
            let hash = Sha256::digest(&file.0[page * 0x1000..end]);
            file.put(signed + 20 + directory + 32 * page, &hash);
        }
        file.0
    }
}

fn function(noise: &mut Noise, name: usize, count: usize) -> Function {
    let pieces = (0..=noise.below(4)).map(|_| {
        let length = 4 + noise.below(60) as usize;
        (noise.bytes(length), noise.below(count as u32) as usize)
    });
    let pieces = pieces.collect();
    Function { name, pieces }
}

/// A file in the making.
struct File(Vec<u8>);

impl File {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn u16s(&mut self, at: usize, values: &[u16]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes);
    }

    fn u32s(&mut self, at: usize, values: &[u32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes);
    }

    fn u64s(&mut self, at: usize, values: &[u64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(at, &bytes);
    }

    fn big(&mut self, at: usize, values: &[u32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        self.put(at, &bytes);
    }
}
