//! ELF, 64 bits, little-endian, x86-64 and AArch64.
//!
//! Program headers and the dynamic section come first, since a stripped file has them; section
//! headers only say more.

use super::draft::{Draft, Range};
use super::reader::Reader;
use super::{frames, go};
use crate::layout::{Form, Kind};

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

const SHT_PROGBITS: u32 = 1;
const SHT_NOBITS: u32 = 8;
const SHT_INIT_ARRAY: u32 = 14;
const SHT_FINI_ARRAY: u32 = 15;
const SHF_WRITE: u64 = 1;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;
/// Positions are those of the program, not of the file: the bytes are compressed.
const SHF_COMPRESSED: u64 = 0x800;

const DT_PLTRELSZ: u64 = 2;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_JMPREL: u64 = 23;
const DT_RELRSZ: u64 = 35;

/// The size of a relocation with an addend.
const RELA: u64 = 24;
/// More headers than this are a lie.
const MAX_HEADERS: u16 = 8192;
/// How many relocations are looked at to see whether pointers are in place.
const SAMPLE: u64 = 512;

struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    length: u64,
    memory: u64,
}

struct Section {
    name: String,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    length: u64,
}

/// What the dynamic section says.
#[derive(Default)]
struct Dynamic {
    rela: (u64, u64),
    plt: (u64, u64),
    relr: u64,
}

/// A draft of an ELF file's layout; None if it is none that is known.
pub(super) fn parse(file: Reader) -> Option<Draft> {
    if file.slice(0, 6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let code = match file.u16(18)? {
        62 => Kind::X86_64,
        183 => Kind::Arm64,
        _ => return None,
    };
    let segments = segments(file)?;
    let loads = || {
        segments
            .iter()
            .filter(|segment| segment.kind == PT_LOAD && segment.memory > 0)
    };
    let base = loads().map(|segment| segment.address & !0xfff).min()?;
    let mut draft = Draft::new(format!("ELF {}", file.u16(18)?), file.length());
    for segment in loads() {
        let address = segment.address - base;
        draft.span(segment.offset, segment.length, address);
        let end = address.saturating_add(segment.memory);
        draft.extent = draft.extent.max(u32::try_from(end).unwrap_or(u32::MAX));
    }
    let sections = sections(file, base);
    let text = text(&segments, &sections, base);
    if text.is_empty() {
        return None;
    }

    let dynamic = dynamic(file, &segments);
    relocations(&mut draft, base, &dynamic);
    for segment in segments.iter().filter(|segment| segment.kind == PT_GNU_EH_FRAME) {
        frames::index(
            &mut draft,
            file,
            segment.address.wrapping_sub(base),
            segment.length,
            text,
        );
    }
    let named = |name: &str| sections.iter().find(|section| section.name == name);
    go::tables(
        &mut draft,
        file,
        base,
        text,
        named(".gopclntab").map(|section| section.offset),
    );
    if let Some(section) = named(".eh_frame") {
        frames::frames(&mut draft, file, section.address, section.length, text);
    }
    instructions(&mut draft, &segments, &sections, &code);
    let pointers = in_place(&draft, file, base, &dynamic);
    data(&mut draft, &segments, &sections, base, text, pointers);
    Some(draft)
}

fn segments(file: Reader) -> Option<Vec<Segment>> {
    let at = file.u64(32)?;
    let count = file.u16(56)?;
    if file.u16(54)? != 56 || count > MAX_HEADERS {
        return None;
    }
    let mut segments = Vec::new();
    for index in 0..u64::from(count) {
        let Some(header) = at.checked_add(index * 56).and_then(|at| file.part(at, 56)) else {
            break;
        };
        segments.push(Segment {
            kind: header.u32(0)?,
            flags: header.u32(4)?,
            offset: header.u64(8)?,
            address: header.u64(16)?,
            length: header.u64(32)?,
            memory: header.u64(40)?,
        });
    }
    Some(segments)
}

/// The sections that are mapped and whose addresses fit, with addresses relative to `base`. None
/// are an empty list: stripped files have none.
fn sections(file: Reader, base: u64) -> Vec<Section> {
    let read = |index: u64| {
        let at = file.u64(40)?.checked_add(index * 64)?;
        file.part(at, 64)
    };
    let count = file.u16(60).unwrap_or(0).min(MAX_HEADERS);
    let names = file.u16(62).and_then(|index| read(u64::from(index)));
    let names = names.and_then(|header| file.part(header.u64(24)?, header.u64(32)?));
    if file.u16(58) != Some(64) {
        return Vec::new();
    }
    let section = |index| {
        let header = read(index)?;
        let flags = header.u64(8)?;
        let name = names.and_then(|names| names.name(u64::from(header.u32(0)?), 64));
        (flags & SHF_ALLOC != 0 && flags & SHF_COMPRESSED == 0).then_some(Section {
            name: name.unwrap_or_default(),
            kind: header.u32(4)?,
            flags,
            address: header.u64(16)?.checked_sub(base)?,
            offset: header.u64(24)?,
            length: header.u64(32)?,
        })
    };
    let sections = (0..u64::from(count)).filter_map(section);
    sections
        .filter(|section| section.kind != SHT_NOBITS && section.length > 0)
        .collect()
}

/// Where instructions are, as addresses.
fn text(segments: &[Segment], sections: &[Section], base: u64) -> Range {
    let mut range = Range::default();
    let mut include = |address: u64, length: u64| {
        let high = u32::try_from(address.saturating_add(length));
        if let (Ok(low), Ok(high)) = (u32::try_from(address), high) {
            range.include(low, high);
        }
    };
    for section in sections
        .iter()
        .filter(|section| section.flags & SHF_EXECINSTR != 0)
    {
        include(section.address, section.length);
    }
    if range.is_empty() {
        let mut include = |address: u64, length: u64| {
            let high = u32::try_from(address.saturating_add(length));
            if let (Ok(low), Ok(high)) = (u32::try_from(address), high) {
                range.include(low, high);
            }
        };
        for segment in segments {
            if segment.kind == PT_LOAD && segment.flags & PF_X != 0 {
                // One that takes no memory may stand below all that is mapped.
                if let Some(address) = segment.address.checked_sub(base) {
                    include(address, segment.length);
                }
            }
        }
    }
    range
}

fn dynamic(file: Reader, segments: &[Segment]) -> Dynamic {
    let mut dynamic = Dynamic::default();
    let Some(segment) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
        return dynamic;
    };
    for index in 0..segment.length / 16 {
        let Some(entry) = segment.offset.checked_add(index * 16) else {
            break;
        };
        let (Some(tag), Some(value)) = (file.u64(entry), file.u64(entry.saturating_add(8))) else {
            break;
        };
        match tag {
            0 => break,
            DT_RELA => dynamic.rela.0 = value,
            DT_RELASZ => dynamic.rela.1 = value,
            DT_JMPREL => dynamic.plt.0 = value,
            DT_PLTRELSZ => dynamic.plt.1 = value,
            DT_RELRSZ => dynamic.relr = value,
            _ => {}
        }
    }
    dynamic
}

/// Targets in the image, without those that are more likely small numbers.
fn image(draft: &Draft, base: u64) -> Range {
    let low = if base == 0 { 0x200 } else { 0 };
    Range {
        low,
        high: draft.extent,
    }
}

fn relocations(draft: &mut Draft, base: u64, dynamic: &Dynamic) {
    let form = Form::Absolute64 { base, bits: 64 };
    let image = image(draft, base);
    let kind = Kind::Words(vec![image.probe(24, 0, form), image.probe(24, 16, form)]);
    for (name, (address, length)) in [("rela", dynamic.rela), ("rela of plt", dynamic.plt)] {
        let length = length - length % RELA;
        draft.region_at(name, address.wrapping_sub(base), length, 4, &kind);
    }
}

/// Whether data holds the pointers themselves, not only the relocations' addends.
fn in_place(draft: &Draft, file: Reader, base: u64, dynamic: &Dynamic) -> bool {
    if dynamic.relr > 0 || dynamic.rela.1 < RELA {
        return true;
    }
    let Some(at) = draft.offset(dynamic.rela.0.wrapping_sub(base)) else {
        return true;
    };
    let count = dynamic.rela.1 / RELA;
    let step = (count / SAMPLE).max(1);
    let (mut same, mut different) = (0_u32, 0_u32);
    for index in 0..count.min(SAMPLE) {
        let entry = index.saturating_mul(step).saturating_mul(RELA).saturating_add(at);
        let Some(entry) = file.part(entry, RELA) else {
            break;
        };
        let (Some(place), Some(addend)) = (entry.u64(0), entry.u64(16)) else {
            break;
        };
        let Some(place) = draft.offset(place.wrapping_sub(base)) else {
            continue;
        };
        if addend != 0 && file.u64(place) == Some(addend) {
            same += 1;
        } else {
            different += 1;
        }
    }
    same > different
}

fn instructions(draft: &mut Draft, segments: &[Segment], sections: &[Section], code: &Kind) {
    let align = if *code == Kind::Arm64 { 4 } else { 1 };
    let before = draft.regions.len();
    for section in sections
        .iter()
        .filter(|section| section.flags & SHF_EXECINSTR != 0)
    {
        draft.region(&section.name, section.offset, section.length, align, code);
    }
    if draft.regions.len() == before {
        for segment in segments {
            if segment.kind == PT_LOAD && segment.flags & PF_X != 0 {
                draft.region("code", segment.offset, segment.length, align, code);
            }
        }
    }
}

fn data(
    draft: &mut Draft,
    segments: &[Segment],
    sections: &[Section],
    base: u64,
    text: Range,
    pointers: bool,
) {
    // No pointer leads below what is first referred to: code, constants or data.
    let content = |section: &&Section| {
        section.kind == SHT_PROGBITS && !["interp", "note"].iter().any(|word| section.name.contains(word))
    };
    let first = sections
        .iter()
        .filter(content)
        .map(|section| section.address)
        .min();
    let first = first
        .and_then(|first| u32::try_from(first).ok())
        .unwrap_or(0x1000);
    let image = Range {
        low: first.min(text.low),
        high: draft.extent,
    };
    let pointer = image.probe(8, 0, Form::Absolute64 { base, bits: 64 });
    // A jump table's entry is relative to the table, not to itself. But its neighbours are near, so
    // that what moves it moves the target so read as well.
    let jump = text.probe(4, 0, Form::Relative32);
    let both = if pointers { vec![pointer, jump] } else { vec![jump] };
    let constants = Kind::Words(both);
    let variables = Kind::Words(vec![pointer]);
    for section in sections {
        let writable = section.flags & SHF_WRITE != 0;
        let executable = section.flags & SHF_EXECINSTR != 0;
        let holds = matches!(section.kind, SHT_PROGBITS | SHT_INIT_ARRAY | SHT_FINI_ARRAY);
        if executable || !holds {
            continue;
        }
        if writable && pointers {
            draft.region(&section.name, section.offset, section.length, 8, &variables);
        } else if !writable && section.name.starts_with(".rodata") {
            draft.region(&section.name, section.offset, section.length, 8, &constants);
        }
    }
    if sections.is_empty() {
        for segment in segments.iter().filter(|segment| segment.kind == PT_LOAD) {
            if segment.flags & (PF_X | PF_W) == 0 {
                draft.region("constants", segment.offset, segment.length, 8, &constants);
            } else if segment.flags & PF_X == 0 && pointers {
                draft.region("variables", segment.offset, segment.length, 8, &variables);
            }
        }
    }
}
