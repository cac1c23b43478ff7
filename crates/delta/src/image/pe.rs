//! PE32+ of x86-64 and AArch64: Windows' executables and libraries.

use super::draft::{Draft, Range};
use super::go;
use super::reader::Reader;
use crate::layout::{Form, Kind, Probe};

const SCN_INITIALIZED: u32 = 0x40;
const SCN_EXECUTE: u32 = 0x2000_0000;
/// More sections than this are a lie.
const MAX_SECTIONS: u16 = 1024;
/// More bytes of names to look up than this are a lie.
const MAX_LOOKUPS: u32 = 0x4_0000;
/// A record of unwinding and what follows it have about this many bytes.
const RECORD: u32 = 16;
/// An address relative to the image, as most tables have it.
const RVA: Form = Form::Absolute32 { base: 0 };

struct Section {
    name: String,
    address: u32,
    memory: u32,
    offset: u32,
    length: u32,
    flags: u32,
}

/// The tables to which the optional header leads.
#[derive(Clone, Copy)]
enum Directory {
    Export = 0,
    Import = 1,
    Exception = 3,
    ImportAddresses = 12,
}

/// A draft of a PE file's layout; None if it is none that is known.
pub(super) fn parse(file: Reader) -> Option<Draft> {
    if file.slice(0, 2)? != b"MZ" {
        return None;
    }
    let at = u64::from(file.u32(0x3c)?);
    if file.slice(at, 4)? != b"PE\0\0" {
        return None;
    }
    let code = match file.u16(at + 4)? {
        0x8664 => Kind::X86_64,
        0xaa64 => Kind::Arm64,
        _ => return None,
    };
    let optional = at + 24;
    if file.u16(optional)? != 0x20b {
        return None;
    }
    let base = file.u64(optional + 24)?;
    let extent = file.u32(optional + 56)?;
    let headers = file.u32(optional + 60)?;
    let sections = sections(file, optional + u64::from(file.u16(at + 20)?), file.u16(at + 6)?);

    let mut draft = Draft::new(format!("PE {code:?}"), file.length());
    draft.span(0, u64::from(headers), 0);
    for section in &sections {
        // What the file has beyond the section's size in memory is padding.
        let length = if section.memory == 0 {
            section.length
        } else {
            section.length.min(section.memory)
        };
        draft.span(section.offset.into(), length.into(), section.address.into());
    }
    draft.extent = draft.extent.max(extent);
    let mut text = Range::default();
    for section in sections.iter().filter(|section| section.flags & SCN_EXECUTE != 0) {
        text.include(section.address, section.address.saturating_add(section.memory));
    }
    if text.is_empty() {
        return None;
    }

    let directory = |which: Directory| {
        let entry = optional + 112 + 8 * which as u64;
        let known = file.u32(optional + 108)? > which as u32;
        let address = file.u32(entry)?;
        (known && address > 0).then_some((u64::from(address), u64::from(file.u32(entry + 4)?)))
    };
    let image = Range {
        low: headers.max(0x1000),
        high: draft.extent,
    };
    if let Some((address, length)) = directory(Directory::Exception) {
        unwinding(&mut draft, address, length, &code, text, image);
    }
    if let Some((address, length)) = directory(Directory::Import) {
        imports(&mut draft, file, address, length, image);
        if let Some((address, length)) = directory(Directory::ImportAddresses) {
            draft.region_at("import addresses", address, length, 8, &thunks(image));
        }
    }
    if let Some((address, _)) = directory(Directory::Export) {
        exports(&mut draft, file, address, image);
    }
    if let Some(table) = directory(Directory::Exception).filter(|_| code == Kind::X86_64) {
        exceptions(&mut draft, file, table, text, image);
    }
    for section in sections.iter().filter(|section| section.name == ".rdata") {
        types(&mut draft, file, section, text, image);
    }
    go::tables(&mut draft, file, base, text, None);
    let align = if code == Kind::Arm64 { 4 } else { 1 };
    for section in sections.iter().filter(|section| section.flags & SCN_EXECUTE != 0) {
        draft.region(
            &section.name,
            section.offset.into(),
            section.length.into(),
            align,
            &code,
        );
    }
    data(&mut draft, &sections, base, text, image);
    Some(draft)
}

fn sections(file: Reader, at: u64, count: u16) -> Vec<Section> {
    let section = |index: u64| {
        let header = file.part(at + index * 40, 40)?;
        Some(Section {
            name: header.name(0, 8)?,
            memory: header.u32(8)?,
            address: header.u32(12)?,
            length: header.u32(16)?,
            offset: header.u32(20)?,
            flags: header.u32(36)?,
        })
    };
    (0..u64::from(count.min(MAX_SECTIONS)))
        .map_while(section)
        .collect()
}

/// The exception directory: for each function where it begins and ends and its unwinding.
fn unwinding(draft: &mut Draft, address: u64, length: u64, code: &Kind, text: Range, image: Range) {
    // A function may end where the code does.
    let text = Range {
        low: text.low,
        high: text.high.saturating_add(1),
    };
    let (size, kind) = if *code == Kind::X86_64 {
        (
            12,
            vec![
                text.probe(12, 0, RVA),
                text.probe(12, 4, RVA),
                image.probe(12, 8, RVA),
            ],
        )
    } else {
        // A packed record has no address; its value is far above the image or hardly ever in it.
        (8, vec![text.probe(8, 0, RVA), image.probe(8, 4, RVA)])
    };
    draft.region_at(
        "unwinding",
        address,
        length - length % size,
        4,
        &Kind::Words(kind),
    );
}

/// Slots of 8 bytes, each with the address of an imported name; an import by number has the highest
/// bit set.
fn thunks(image: Range) -> Kind {
    Kind::Words(vec![image.probe(8, 0, Form::Absolute64 { base: 0, bits: 64 })])
}

fn imports(draft: &mut Draft, file: Reader, address: u64, length: u64, image: Range) {
    let probes = [0, 12, 16].map(|phase| image.probe(20, phase, RVA));
    draft.region_at(
        "imports",
        address,
        length - length % 20,
        4,
        &Kind::Words(probes.to_vec()),
    );
    let Some(at) = draft.offset(address) else { return };
    // The lookup tables stand in a row, and end with an empty slot each.
    let mut lookups = Range::default();
    for index in 0..(length / 20).min(4096) {
        let Some(first) = file.u32(at + index * 20) else {
            break;
        };
        if first == 0 {
            break;
        }
        let Some(offset) = draft.offset(first.into()) else {
            continue;
        };
        let slots = (0..65536).take_while(|slot| file.u64(offset + 8 * slot).is_some_and(|slot| slot > 0));
        let bytes = u32::try_from(8 * slots.count() + 8).unwrap_or(8);
        lookups.include(first, first.saturating_add(bytes));
        // Scattered tables would cover what is between them.
        if lookups.high - lookups.low > MAX_LOOKUPS {
            return;
        }
    }
    let length = u64::from(lookups.high - lookups.low);
    draft.region_at("import lookups", lookups.low.into(), length, 8, &thunks(image));
}

fn exports(draft: &mut Draft, file: Reader, address: u64, image: Range) {
    let Some(header) = draft.offset(address).and_then(|at| file.part(at, 40)) else {
        return;
    };
    let table = |count: u64, at: u64| Some((u64::from(header.u32(at)?), 4 * u64::from(header.u32(count)?)));
    let kind = Kind::Words(vec![image.probe(4, 0, RVA)]);
    if let (Some(functions), Some(names)) = (table(20, 28), table(24, 32)) {
        draft.region_at("exports", functions.0, functions.1, 4, &kind);
        draft.region_at("exported names", names.0, names.1, 4, &kind);
    }
}

/// Claims the records to which the exception directory leads; linkers put them side by side.
fn exceptions(draft: &mut Draft, file: Reader, table: (u64, u64), text: Range, image: Range) {
    let Some(at) = draft.offset(table.0) else { return };
    let mut records = Range::default();
    for index in 0..(table.1 / 12) {
        let Some(record) = file.u32(at + index * 12 + 8) else {
            break;
        };
        // An odd one leads to another entry of the directory.
        if record > 0 && record % 2 == 0 {
            records.include(record, record.saturating_add(RECORD));
        }
    }
    // Functions begin at multiples of 16: this tells them from what looks like an address. The
    // compact records of C++ have addresses at any byte.
    let entry = Probe {
        align: 4,
        ..text.probe(4, 0, RVA)
    };
    let data = Range {
        low: text.high,
        high: image.high,
    };
    let kind = Kind::Words(vec![
        entry,
        Probe { stride: 1, ..entry },
        data.probe(1, 0, RVA),
        text.probe(4, 0, RVA),
    ]);
    let length = u64::from(records.high - records.low);
    draft.region_at("exceptions", records.low.into(), length, 4, &kind);
}

/// Claims what C++ knows of its types at run time: records that hold their own address.
fn types(draft: &mut Draft, file: Reader, section: &Section, text: Range, image: Range) {
    let mut types = Range::default();
    let own = u64::from(section.offset);
    // A header may say anything.
    let length = u64::from(section.length).min(file.length().saturating_sub(own));
    for at in (0..length).step_by(4) {
        let address = section.address.saturating_add(at as u32);
        if file.u32(own + at) == Some(1) && file.u32(own + at + 20) == Some(address) {
            types.include(address, address.saturating_add(24));
        }
    }
    let image = Range {
        low: text.high.min(section.address),
        high: image.high,
    };
    let kind = Kind::Words(vec![image.probe(4, 0, RVA)]);
    let length = u64::from(types.high - types.low);
    draft.region_at("types", types.low.into(), length, 4, &kind);
}

fn data(draft: &mut Draft, sections: &[Section], base: u64, text: Range, image: Range) {
    let pointer = image.probe(8, 0, Form::Absolute64 { base, bits: 64 });
    // A jump table of LLVM has entries relative to the table: near enough to be relative to
    // themselves.
    let kind = Kind::Words(vec![pointer, text.probe(4, 0, Form::Relative32)]);
    for section in sections {
        let holds = section.flags & (SCN_INITIALIZED | SCN_EXECUTE) == SCN_INITIALIZED;
        // The first has deltas of addresses, the other offsets within itself.
        if holds && ![".reloc", ".rsrc"].contains(&section.name.as_str()) {
            draft.region(
                &section.name,
                section.offset.into(),
                section.length.into(),
                8,
                &kind,
            );
        }
    }
}
