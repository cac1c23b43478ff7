//! Go's tables of functions and types, in whatever executable they stand.
//!
//! Refuses to know how the file maps them: addresses are relative to the image base.

use super::draft::{Draft, Range};
use super::reader::Reader;
use crate::layout::{Form, Kind};

/// The tables' beginnings: of Go 1.18, and of 1.20 and later.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// The header: magic, sizes, two counts, an address and five offsets.
const HEADER: u64 = 72;
/// The head of a record of a function, and the most words that may follow it.
const RECORD: u64 = 44 + 4 * 32;

/// Claims the tables; `at` is where a section says they are.
pub(super) fn tables(draft: &mut Draft, file: Reader, base: u64, text: Range, at: Option<u64>) {
    let found = at
        .filter(|at| is_header(file, *at))
        .or_else(|| search(draft, file));
    if let Some(header) = found.and_then(|at| Header::read(draft, file, at)) {
        let _ = functions(draft, file, base, text, &header);
        let _ = types(draft, file, base, &header);
    }
}

/// Whether the tables' header is here.
fn is_header(file: Reader, at: u64) -> bool {
    let Some(header) = file.part(at, HEADER) else {
        return false;
    };
    let magic = header.u32(0).is_some_and(|magic| MAGICS.contains(&magic));
    magic
        && header.u16(4) == Some(0)
        && matches!(header.u8(6), Some(1 | 2 | 4))
        && header.u8(7) == Some(8)
        && header.u64(32) == Some(HEADER)
        && header.u64(64).is_some_and(|functions| functions < file.length())
}

/// Executables without sections of that name: any place that looks like a header.
fn search(draft: &Draft, file: Reader) -> Option<u64> {
    draft.spans.iter().find_map(|span| {
        let (begin, end) = (u64::from(span.offset), u64::from(span.offset + span.length));
        (begin.next_multiple_of(16)..end)
            .step_by(16)
            .find(|at| is_header(file, *at))
    })
}

/// What the header says, as addresses: what each table holds ends where the next begins.
struct Header {
    /// Where in the file it is.
    at: u64,
    /// How many functions there are.
    count: u64,
    first: u64,
    names: Range,
    units: Range,
    lines: Range,
    functions: u32,
    /// Records of functions have the form of Go 1.20 and later.
    recent: bool,
}

impl Header {
    fn read(draft: &Draft, file: Reader, at: u64) -> Option<Self> {
        let place = |field: u64| draft.address(at.checked_add(file.u64(at + field)?)?);
        let [names, units, files, lines, functions] =
            [place(32)?, place(40)?, place(48)?, place(56)?, place(64)?];
        Some(Self {
            at,
            count: file.u64(at + 8)?,
            first: file.u64(at + 24)?,
            names: Range {
                low: names,
                high: units,
            },
            units: Range {
                low: units,
                high: files,
            },
            lines: Range {
                low: lines,
                high: functions,
            },
            functions,
            recent: file.u32(at)? == MAGICS[1],
        })
    }
}

/// Offsets into a table at `address`.
fn above(address: u32) -> Form {
    Form::Absolute32 {
        base: 0_u32.wrapping_sub(address),
    }
}

fn functions(draft: &mut Draft, file: Reader, base: u64, text: Range, header: &Header) -> Option<()> {
    let table = draft.offset(header.functions.into())?;
    let module = module(draft, file, base, header);
    // The header told where the code begins, until linkers left that to the module's data.
    let first = module
        .as_ref()
        .map_or(header.first, |module| module.first)
        .checked_sub(base);
    let first = first.and_then(|first| u32::try_from(first).ok());
    let first = first
        .filter(|first| text.low <= *first && *first < text.high)
        .unwrap_or(text.low);
    let length = header.count.checked_mul(8)?;
    let end = Range {
        low: header.functions,
        high: draft.extent,
    };
    let text = Range {
        low: first,
        high: text.high.saturating_add(1),
    };
    let kind = vec![
        text.probe(8, 0, above(first)),
        end.probe(8, 4, above(header.functions)),
    ];
    draft.region("go functions", table, length, 4, &Kind::Words(kind));

    let begin = table.checked_add(file.u32(table + 4)?.into())?;
    let last = table.checked_add(length)?.checked_sub(4)?;
    let length = table
        .checked_add(file.u32(last)?.into())?
        .checked_add(RECORD)?
        .checked_sub(begin)?;
    let data = module.map(|module| module.data).unwrap_or_default();
    let probes = [
        (text, first),
        (header.names, header.names.low),
        (header.lines, header.lines.low),
        (data, data.low),
        (header.units, header.units.low),
    ];
    let kind = probes.map(|(range, low)| range.probe(4, 0, above(low)));
    if header.recent {
        // The last record's length is not told: data of functions may follow at once.
        let length = if data.is_empty() {
            length
        } else {
            let most = draft.offset(data.low.into())?.checked_sub(begin)?;
            length.min(most)
        };
        draft.region("go records", begin, length, 4, &Kind::Functions(kind.to_vec()));
    }
    Some(())
}

/// What the module's data say.
struct Module {
    /// Where in the file they are.
    at: u64,
    /// Where the code begins, not yet relative to the base.
    first: u64,
    /// Data of functions.
    data: Range,
}

/// The module's data begin with the addresses of the header and of the names.
fn module(draft: &Draft, file: Reader, base: u64, header: &Header) -> Option<Module> {
    let begin = base.wrapping_add(draft.address(header.at)?.into());
    let names = base.wrapping_add(header.names.low.into());
    let at = draft.spans.iter().find_map(|span| {
        let (from, to) = (u64::from(span.offset), u64::from(span.offset + span.length));
        (from.next_multiple_of(8)..to)
            .step_by(8)
            .find(|at| file.u64(*at) == Some(begin) && file.u64(at + 8) == Some(names))
    })?;
    let field = |index: u64| file.u64(at + 8 * index);
    let relative = |index| {
        field(index)?
            .checked_sub(base)
            .and_then(|at| u32::try_from(at).ok())
    };
    let low = relative(40)?;
    let end = draft
        .spans
        .iter()
        .find(|span| span.address <= low && low - span.address < span.length)?;
    Some(Module {
        at,
        first: field(22)?,
        data: Range {
            low,
            high: end.address + end.length,
        },
    })
}

/// The lists of types, as distances from the first type, and of tables of methods.
fn types(draft: &mut Draft, file: Reader, base: u64, header: &Header) -> Option<()> {
    let module = module(draft, file, base, header)?;
    let field = |index: u64| file.u64(module.at + 8 * index)?.checked_sub(base);
    let (first, end) = (u32::try_from(field(37)?).ok()?, u32::try_from(field(38)?).ok()?);
    let kind = Kind::Words(vec![
        Range {
            low: first,
            high: end,
        }
        .probe(4, 0, above(first)),
    ]);
    // A list of sections comes before, and in some versions the end of the tables.
    let lists = (44..=45).find(|index| {
        let count = file.u64(module.at + 8 * index + 8);
        count.is_some_and(|count| (1..1 << 24).contains(&count))
            && count == file.u64(module.at + 8 * index + 16)
    })?;
    let count = file.u64(module.at + 8 * lists + 8)?;
    draft.region_at("go types", field(lists)?, 4 * count, 4, &kind);
    // The types themselves, with distances from the first in words of 4 bytes.
    let image = Range {
        low: 0x1000,
        high: draft.extent,
    };
    let names = Range {
        low: first.saturating_add(0x1000),
        high: end,
    };
    let pointer = image.probe(8, 0, Form::Absolute64 { base, bits: 64 });
    let kind = Kind::Words(vec![pointer, names.probe(4, 0, above(first))]);
    draft.region_at(
        "go constants",
        first.into(),
        u64::from(end.saturating_sub(first)),
        8,
        &kind,
    );
    Some(())
}
