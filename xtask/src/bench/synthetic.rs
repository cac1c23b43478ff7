//! An executable of 300 MB that nobody has to download, and its next release: what applying holds in
//! memory must not grow with the file. It is an ELF for x86-64 that parses like a real one, with calls,
//! jumps, addresses of data and a table of relocated pointers; it would do nothing sensible.
//!
//! The same bytes at each run: everything comes from a counter. It says nothing about the size of patches
//! of real programs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::corpus::sha256;

/// The SHA-256 of both files, so that figures of different days are of the same files.
const SHA256: [&str; 2] = [
    "b88a9fc0a6a5276d7175463c3ec157cf9b527d03b62be0ffc58ca09745c18094",
    "fa1504ae0fa86c48051e4148816ad8a59eeec9f63e914be3761dfb61e98a4f9d",
];

const FUNCTIONS: u32 = 500_000;
const POINTERS: u64 = 400_000;
const DATA: usize = 8 << 20;
const PAGE: u64 = 4096;
const HEADERS: u64 = 64 + 3 * 56;
/// How many bytes of data one function of the new release adds before the rest of the data.
const NEW_DATA: usize = 48;
const RELOCATION: u64 = 24;

/// The two files, made if they are not there.
pub(crate) fn files() -> Result<[PathBuf; 2]> {
    let folder = super::folder().join("corpus");
    fs::create_dir_all(&folder)?;
    let mut paths = [PathBuf::new(), PathBuf::new()];
    for (at, name) in ["old", "new"].into_iter().enumerate() {
        let path = folder.join(format!("synthetic.{name}"));
        if !fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == SHA256[at]) {
            let bytes = release(name == "new");
            let found = sha256(&bytes);
            ensure!(
                found == SHA256[at],
                "the {name} synthetic file has {} bytes and the SHA-256 {found}, which is not the one in the source",
                bytes.len()
            );
            fs::write(&path, bytes)?;
        }
        paths[at] = path;
    }
    Ok(paths)
}

/// A stream of numbers from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Most values of real code are near the beginning of their range.
    fn small(&mut self, limit: u64) -> u64 {
        let range = self.below(limit) + 1;
        self.below(range)
    }
}

/// What a reference names, in either release: the address is found when all is laid out.
#[derive(Clone, Copy)]
enum Target {
    Function(u32),
    Data(u32),
}

/// A function of a release: the same name in both, another body if it was edited.
struct Function {
    name: u32,
    body: u64,
}

/// Where everything lies. File offsets are addresses.
struct Places {
    data: u64,
    functions: Vec<u64>,
    inserted_data: usize,
}

impl Places {
    fn address(&self, target: Target) -> u64 {
        match target {
            Target::Function(name) => self.functions[name as usize],
            Target::Data(offset) => self.data + self.inserted_data as u64 + u64::from(offset),
        }
    }
}

/// The new release has every 1500th function edited, and a new one before every 4000th.
fn functions(new: bool) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut added = FUNCTIONS;
    for name in 0..FUNCTIONS {
        if new && name % 4000 == 3999 {
            functions.push(Function {
                name: added,
                body: u64::from(added) << 20,
            });
            added += 1;
        }
        let edited = u64::from(new && name % 1500 == 1499);
        functions.push(Function {
            name,
            body: u64::from(name) << 20 | edited,
        });
    }
    functions
}

fn release(new: bool) -> Vec<u8> {
    let functions = functions(new);
    let inserted_data = if new { NEW_DATA } else { 0 };
    let relocations = HEADERS.next_multiple_of(PAGE);
    let data = (relocations + POINTERS * RELOCATION).next_multiple_of(PAGE);
    let text = (data + (inserted_data + DATA) as u64).next_multiple_of(PAGE);

    // Sizes don't depend on addresses, so a first pass with none tells where everything comes to lie.
    let mut places = Places {
        data,
        functions: vec![0; functions.len()],
        inserted_data,
    };
    let mut at = text;
    let mut scratch = Vec::new();
    for function in &functions {
        places.functions[function.name as usize] = at;
        scratch.clear();
        body(function, 0, &mut scratch, |_| 0);
        at += scratch.len() as u64;
    }
    let text_end = at;
    let pointers = text_end.next_multiple_of(PAGE);

    let mut out = headers(&[
        (4, 0, text),
        (5, text, text_end),
        (6, pointers, pointers + 8 * POINTERS),
    ]);
    out.resize(relocations as usize, 0);
    let mut named = Numbers(7);
    for pointer in 0..POINTERS {
        let function = Target::Function(named.below(u64::from(FUNCTIONS)) as u32);
        // R_X86_64_RELATIVE: the address is in the entry, the place itself holds zeros.
        for word in [pointers + 8 * pointer, 8, places.address(function)] {
            out.extend(word.to_le_bytes());
        }
    }
    out.resize(data as usize, 0);
    out.extend(std::iter::repeat_n(b'+', inserted_data));
    let mut bytes = Numbers(11);
    while out.len() < (data as usize) + inserted_data + DATA {
        out.extend((0..8).map(|_| b' ' + bytes.small(90) as u8));
    }
    out.resize(text as usize, 0xcc);
    for function in &functions {
        let start = out.len() as u64;
        body(function, start, &mut out, |target| places.address(target));
    }
    out.resize((pointers + 8 * POINTERS) as usize, 0);
    sections(
        &mut out,
        &[
            (".rela.dyn", 4, 2, relocations, POINTERS * RELOCATION),
            (".rodata", 1, 2, data, (inserted_data + DATA) as u64),
            (".text", 1, 6, text, text_end - text),
            (".data.rel.ro", 1, 3, pointers, 8 * POINTERS),
        ],
    );
    out
}

/// Appends a function that begins at `start`.
fn body(function: &Function, start: u64, out: &mut Vec<u8>, address: impl Fn(Target) -> u64) {
    let base = out.len();
    let mut numbers = Numbers(function.body);
    // An edit changes the size, not the kind of function.
    let mut kind = Numbers(function.body & !0xf_ffff);
    let steps = 20 + kind.below(200) + (function.body & 1);
    let refer = |out: &mut Vec<u8>, target: Target| {
        // Addresses count from the end of the field.
        let next = start + (out.len() - base) as u64 + 4;
        out.extend((address(target).wrapping_sub(next) as u32).to_le_bytes());
    };
    out.extend([
        0x55,
        0x48,
        0x89,
        0xe5,
        0x48,
        0x83,
        0xec,
        8 + 8 * numbers.small(12) as u8,
    ]);
    for _ in 0..steps {
        let register = (numbers.below(8) as u8) << 3;
        match numbers.below(12) {
            0..=2 => out.extend([
                0x48,
                0x8b,
                0x45 | register,
                0u8.wrapping_sub(8 * numbers.small(12) as u8),
            ]),
            3 | 4 => out.extend([
                0x48,
                0x89,
                0x45 | register,
                0u8.wrapping_sub(8 * numbers.small(12) as u8),
            ]),
            5 | 6 => {
                out.push(0xe8);
                // Most calls stay near.
                let near = u64::from(function.name % FUNCTIONS) + numbers.small(4000);
                refer(out, Target::Function((near % u64::from(FUNCTIONS)) as u32));
            }
            7 => {
                out.extend([0x48, 0x8d, 0x05 | register]);
                refer(out, Target::Data(numbers.below(DATA as u64) as u32));
            }
            8 => out.extend([0x74 | (register >> 3 & 1), numbers.small(60) as u8]),
            9 => {
                out.extend([0x48, 0xc7, 0xc0 | register >> 3]);
                out.extend((numbers.small(100_000) as u32).to_le_bytes());
            }
            10 => out.extend([0x48, 0x01 | (register & 0x28), 0xc0 | register]),
            _ => {
                out.extend([0x0f, 0x84 | (register >> 3 & 1)]);
                refer(out, Target::Function(function.name % FUNCTIONS));
            }
        }
    }
    out.extend([0xc9, 0xc3]);
    let length = (out.len() - base).next_multiple_of(16);
    out.resize(base + length, 0xcc);
}

/// The header and a loaded segment for each of flags, beginning and end.
fn headers(segments: &[(u32, u64, u64); 3]) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    half(&mut out, &[3, 62]);
    out.extend(1u32.to_le_bytes());
    // Entry, program headers, and section headers, which `sections` puts in.
    for word in [segments[1].1, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0u32.to_le_bytes());
    half(&mut out, &[64, 56, 3, 64, 0, 0]);
    for (flags, start, end) in segments {
        out.extend(1u32.to_le_bytes());
        out.extend(flags.to_le_bytes());
        for word in [*start, *start, *start, end - start, end - start, PAGE] {
            out.extend(word.to_le_bytes());
        }
    }
    out
}

/// Appends the names and headers of sections: name, type, flags, offset, size.
fn sections(out: &mut Vec<u8>, listed: &[(&str, u32, u64, u64, u64)]) {
    let names_at = out.len() as u64;
    let mut names = vec![0];
    let mut table = vec![0; 64];
    let names_section = (".shstrtab", 3, 0, names_at, 0);
    for (name, kind, flags, offset, size) in listed.iter().chain([&names_section]) {
        table.extend((names.len() as u32).to_le_bytes());
        table.extend(kind.to_le_bytes());
        names.extend(name.bytes().chain([0]));
        let last = *kind == 3;
        let size = if last { names.len() as u64 } else { *size };
        let address = if last { 0 } else { *offset };
        let entry = if *kind == 4 { RELOCATION } else { 0 };
        for word in [*flags, address, *offset, size, 0, 16, entry] {
            table.extend(word.to_le_bytes());
        }
    }
    out.extend(&names);
    out.resize(out.len().next_multiple_of(16), 0);
    let table_at = out.len() as u64;
    out.extend(table);
    out[40..48].copy_from_slice(&table_at.to_le_bytes());
    let count = listed.len() as u16 + 2;
    out[60..62].copy_from_slice(&count.to_le_bytes());
    out[62..64].copy_from_slice(&(count - 1).to_le_bytes());
}

fn half(out: &mut Vec<u8>, words: &[u16]) {
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_function_keeps_its_name_and_changes_its_body() {
        let (old, new) = (functions(false), functions(true));
        assert_eq!(old.len(), FUNCTIONS as usize);
        assert_eq!(new.len(), old.len() + (FUNCTIONS / 4000) as usize);
        let edited = new.iter().filter(|function| function.body & 1 == 1).count();
        assert_eq!(edited, (FUNCTIONS / 1500) as usize);
    }

    #[test]
    fn a_body_is_as_long_wherever_its_targets_are() {
        for name in [0, 17, FUNCTIONS - 1] {
            let function = Function {
                name,
                body: u64::from(name) << 20,
            };
            let (mut nowhere, mut somewhere) = (Vec::new(), Vec::new());
            body(&function, 0, &mut nowhere, |_| 0);
            body(&function, 4096, &mut somewhere, |_| 0x1234_5678);
            assert_eq!(nowhere.len(), somewhere.len());
            assert_eq!(nowhere.len() % 16, 0);
        }
    }
}
