//! Mach-O of AArch64 and x86-64, thin or universal: macOS' executables and libraries.

use super::draft::{Draft, Range};
use super::reader::Reader;
use super::{frames, go};
use crate::layout::{Form, Kind};

const LC_SEGMENT_64: u32 = 0x19;
const LC_CODE_SIGNATURE: u32 = 0x1d;
const LC_DYLD_CHAINED_FIXUPS: u32 = 0x8000_0034;
const S_ZEROFILL: u32 = 1;
const S_GB_ZEROFILL: u32 = 12;
const S_THREAD_LOCAL_ZEROFILL: u32 = 18;
const S_ATTR_INSTRUCTIONS: u32 = 0x8000_0400;
const CPU_X86_64: u32 = 0x0100_0007;
const CPU_ARM64: u32 = 0x0100_000c;

/// Slices of a universal binary share the addresses of one layout, this far apart.
const SLICE: u64 = 0x4000_0000;
const MAX_SLICES: u64 = 4;
const MAX_COMMANDS: u32 = 4096;
const MAX_SECTIONS: u32 = 256;
/// Pointers below are rather numbers of imports, in files whose pointers are chained.
const LOWEST: u32 = 0x400;

/// One executable in the file.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    /// Where in the file it begins.
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Where in the layout's addresses it begins.
    place: u64,
}

struct Section {
    name: String,
    segment: String,
    address: u64,
    length: u64,
    offset: u64,
    flags: u32,
}

struct Segment {
    name: String,
    address: u64,
    memory: u64,
    offset: u64,
    length: u64,
    writable: bool,
}

/// What the load commands say.
#[derive(Default)]
pub(super) struct Commands {
    segments: Vec<Segment>,
    sections: Vec<Section>,
    fixups: Option<u64>,
    /// Where in the executable the signature is, and its length.
    pub(super) signature: Option<(u64, u64)>,
}

/// A draft of a Mach-O file's layout; None if it is none that is known.
pub(super) fn parse(file: Reader) -> Option<Draft> {
    let slices = slices(file)?;
    let mut draft = Draft::new("Mach-O".to_owned(), file.length());
    for slice in slices {
        add(&mut draft, file, slice)?;
    }
    Some(draft)
}

pub(super) fn slices(file: Reader) -> Option<Vec<Slice>> {
    if file.u32(0)? == 0xfeed_facf {
        return Some(vec![Slice {
            offset: 0,
            length: file.length(),
            place: 0,
        }]);
    }
    let (size, wide) = match file.u32_big(0)? {
        0xcafe_babe => (20, false),
        0xcafe_babf => (32, true),
        _ => return None,
    };
    // A class file of Java has the same beginning and, in place of the count, a version above 40.
    let count = u64::from(file.u32_big(4)?);
    if count == 0 || count > MAX_SLICES {
        return None;
    }
    let slice = |index: u64| {
        let entry = 8 + size * index;
        let (offset, length) = if wide {
            (file.u64_big(entry + 8)?, file.u64_big(entry + 16)?)
        } else {
            (
                u64::from(file.u32_big(entry + 8)?),
                u64::from(file.u32_big(entry + 12)?),
            )
        };
        (offset.checked_add(length)? <= file.length()).then_some(Slice {
            offset,
            length,
            place: SLICE * index,
        })
    };
    (0..count).map(slice).collect()
}

pub(super) fn commands(part: Reader) -> Option<Commands> {
    let mut commands = Commands::default();
    let mut at = 32_u64;
    for _ in 0..part.u32(16)?.min(MAX_COMMANDS) {
        let (Some(command), Some(size)) = (part.u32(at), part.u32(at + 4)) else {
            break;
        };
        let Some(body) = part.part(at, size.into()) else {
            break;
        };
        match command {
            LC_SEGMENT_64 => segment(body, &mut commands)?,
            LC_DYLD_CHAINED_FIXUPS => commands.fixups = body.u32(8).map(u64::from),
            LC_CODE_SIGNATURE => {
                commands.signature = body.u32(8).map(u64::from).zip(body.u32(12).map(u64::from));
            }
            _ => {}
        }
        // A command of no size would be read for ever.
        at += u64::from(size.max(8));
    }
    Some(commands)
}

fn segment(body: Reader, commands: &mut Commands) -> Option<()> {
    commands.segments.push(Segment {
        name: body.name(8, 16)?,
        address: body.u64(24)?,
        memory: body.u64(32)?,
        offset: body.u64(40)?,
        length: body.u64(48)?,
        writable: body.u32(60)? & 2 != 0,
    });
    for index in 0..u64::from(body.u32(64)?.min(MAX_SECTIONS)) {
        let Some(header) = body.part(72 + 80 * index, 80) else {
            break;
        };
        commands.sections.push(Section {
            name: header.name(0, 16)?,
            segment: header.name(16, 16)?,
            address: header.u64(32)?,
            length: header.u64(40)?,
            offset: u64::from(header.u32(48)?),
            flags: header.u32(64)?,
        });
    }
    Some(())
}

/// Adds one executable; None if it is none that is known.
fn add(draft: &mut Draft, file: Reader, slice: Slice) -> Option<()> {
    let part = file.part(slice.offset, slice.length)?;
    if part.u32(0)? != 0xfeed_facf {
        return None;
    }
    let (code, label) = match part.u32(4)? {
        CPU_X86_64 => (Kind::X86_64, "x86_64"),
        CPU_ARM64 => (Kind::Arm64, "arm64"),
        _ => return None,
    };
    let commands = commands(part)?;
    let mapped = || commands.segments.iter().filter(|segment| segment.length > 0);
    let base = mapped().map(|segment| segment.address).min()?;
    let end = commands.segments.iter().filter(|segment| segment.address >= base);
    let end = end
        .map(|segment| segment.address.saturating_add(segment.memory))
        .max()?
        - base;
    if end > SLICE && slice.place > 0 {
        return None;
    }
    draft.machine.push(' ');
    draft.machine.push_str(label);
    for segment in mapped() {
        draft.span(
            slice.offset.saturating_add(segment.offset),
            segment.length,
            (segment.address - base).saturating_add(slice.place),
        );
    }
    let end = u32::try_from(end.saturating_add(slice.place)).unwrap_or(u32::MAX);
    draft.extent = draft.extent.max(end);
    // From here on everything is in the layout's addresses.
    let base = base.wrapping_sub(slice.place);
    let place = u32::try_from(slice.place).ok()?;
    let range = |section: &Section| {
        let low = u32::try_from(section.address.wrapping_sub(base)).ok()?;
        Some(Range {
            low,
            high: low.checked_add(u32::try_from(section.length).ok()?)?,
        })
    };
    let mut text = Range::default();
    for section in commands.sections.iter().filter(|section| is_code(section)) {
        if let Some(range) = range(section) {
            text.include(range.low, range.high);
        }
    }
    if text.is_empty() {
        return None;
    }
    let lowest = text.low.min(place.saturating_add(LOWEST));
    let image = Range {
        low: lowest,
        high: end,
    };
    let form = form(part, &commands, base, slice.place);
    let work = Work {
        file,
        slice,
        base,
        label,
        text,
        image,
        form,
    };
    for section in &commands.sections {
        special(draft, &work, section, &commands, range(section));
    }
    let lines = commands
        .sections
        .iter()
        .find(|section| section.name == "__gopclntab");
    let lines = lines.map(|section| section.offset.saturating_add(slice.offset));
    go::tables(draft, file, base, text, lines);
    let align = if code == Kind::Arm64 { 4 } else { 1 };
    for section in commands.sections.iter().filter(|section| is_code(section)) {
        work.claim(draft, section, align, &code);
    }
    for section in &commands.sections {
        data(draft, &work, section, &commands);
    }
    Some(())
}

/// What is the same for all sections of a slice.
struct Work<'a> {
    file: Reader<'a>,
    slice: Slice,
    base: u64,
    label: &'a str,
    text: Range,
    image: Range,
    form: Form,
}

impl Work<'_> {
    fn claim(&self, draft: &mut Draft, section: &Section, align: u32, kind: &Kind) {
        let name = format!("{} {}.{}", self.label, section.segment, section.name);
        let offset = self.slice.offset.saturating_add(section.offset);
        draft.region(&name, offset, section.length, align, kind);
    }
}

fn is_code(section: &Section) -> bool {
    section.flags & S_ATTR_INSTRUCTIONS != 0 && has_bytes(section)
}

fn has_bytes(section: &Section) -> bool {
    let kind = section.flags & 0xff;
    ![S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL].contains(&kind) && section.offset > 0
}

/// How pointers look. They are chained to one another, or plain.
fn form(part: Reader, commands: &Commands, base: u64, place: u64) -> Form {
    let plain = Form::Absolute64 { base, bits: 64 };
    let format = commands.fixups.and_then(|at| {
        let starts = at.checked_add(u64::from(part.u32(at.checked_add(4)?)?))?;
        let segments = u64::from(part.u32(starts)?.min(64));
        // The first segment that has pointers at all.
        let first = (0..segments)
            .filter_map(|index| part.u32(starts + 4 + 4 * index))
            .find(|at| *at > 0)?;
        part.u16(starts.checked_add(u64::from(first))?.checked_add(6)?)
    });
    match format {
        // Addresses, or distances from the image's beginning, in the low bits.
        Some(2) => Form::Absolute64 {
            base: base & 0xf_ffff_ffff,
            bits: 36,
        },
        Some(6) => Form::Absolute64 {
            base: 0_u64.wrapping_sub(place),
            bits: 36,
        },
        // With authentication: 32 bits in some, 43 in others, all the same in images of this size,
        // whose base is a multiple of 4 GiB.
        Some(1 | 7 | 9 | 10 | 12) => Form::Absolute64 {
            base: 0_u64.wrapping_sub(place),
            bits: 32,
        },
        _ => plain,
    }
}

/// Sections whose tables are known.
fn special(draft: &mut Draft, work: &Work, section: &Section, commands: &Commands, range: Option<Range>) {
    match section.name.as_str() {
        "__eh_frame" => {
            if let Some(range) = range {
                frames::frames(draft, work.file, range.low.into(), section.length, work.text);
            }
        }
        "__unwind_info" => {
            let base = 0_u32.wrapping_sub(u32::try_from(work.slice.place).unwrap_or(0));
            let form = Form::Absolute32 { base };
            let mut exceptions = Range::default();
            for other in commands
                .sections
                .iter()
                .filter(|other| other.name == "__gcc_except_tab")
            {
                let low = u32::try_from(other.address.wrapping_sub(work.base)).unwrap_or(0);
                exceptions.include(low, low.saturating_add(u32::try_from(other.length).unwrap_or(0)));
            }
            let probes = vec![work.text.probe(4, 0, form), exceptions.probe(4, 0, form)];
            work.claim(draft, section, 4, &Kind::Words(probes));
        }
        _ => {}
    }
}

fn data(draft: &mut Draft, work: &Work, section: &Section, commands: &Commands) {
    if is_code(section) || !has_bytes(section) {
        return;
    }
    let owner = commands
        .segments
        .iter()
        .find(|segment| segment.name == section.segment);
    let writable = owner.is_some_and(|segment| segment.writable);
    if writable || section.segment.starts_with("__DATA") {
        let kind = Kind::Words(vec![work.image.probe(8, 0, work.form)]);
        work.claim(draft, section, 8, &kind);
    } else if section.segment == "__TEXT" && section.name == "__const" {
        // Jump tables: see the same in ELF.
        let kind = Kind::Words(vec![work.text.probe(4, 0, Form::Relative32)]);
        work.claim(draft, section, 4, &kind);
    }
}
