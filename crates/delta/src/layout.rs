//! Where the parts of an executable stand, where in them references are found, and where it holds hashes
//! of its own pages.
//!
//! Only a publisher's machine parses executables. A patch carries what came out of it: the spans and
//! regions below. So a decoder knows no executable format, and a parser may change without a new
//! patch format. Refuses to know ELF, PE and Mach-O.
//!
//! All addresses are relative to the image base and fit 32 bits; so do all file offsets.

/// The most spans of a layout.
pub(crate) const MAX_SPANS: usize = 64;
/// The most regions of a layout.
pub(crate) const MAX_REGIONS: usize = 256;
/// The most probes of a region.
pub(crate) const MAX_PROBES: usize = 8;
/// The most tables of page hashes: one for each slice of a universal file.
pub(crate) const MAX_TABLES: usize = 8;
/// The most pages of a table. All hashes of a table are held: 1 MiB.
pub(crate) const MAX_PAGES: u32 = 1 << 15;
/// The length of a page's hash, in bytes.
pub(crate) const HASH_BYTES: u32 = 32;

/// Bytes of a file that are mapped at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where in the file, in bytes.
    pub(crate) offset: u32,
    /// How many bytes of the file.
    pub(crate) length: u32,
    /// Where in memory, relative to the image base.
    pub(crate) address: u32,
}

/// Bytes of a file in which references are found by one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// Where in the file, in bytes.
    pub(crate) offset: u32,
    /// How many bytes.
    pub(crate) length: u32,
    /// How its references are found.
    pub(crate) kind: Kind,
}

/// How a region's references are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Machine code of x86-64, found by a linear sweep.
    X86_64,
    /// Machine code of AArch64, little-endian, in words of 4 bytes.
    Arm64,
    /// Data in words of 4 bytes from the region's beginning: at each, the first probe that accepts. If
    /// a probe's stride or phase is no multiple of 4, they are tried at each byte.
    Words(Vec<Probe>),
    /// A table of functions, one record after another: see [`crate::scan::functions`]. Five probes:
    /// for entries, names, line tables, data and compilation units. Their `stride` and `phase` mean
    /// nothing.
    Functions(Vec<Probe>),
}

/// A rule by which a word of data is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// It applies where (position in the region) modulo `stride` is `phase`.
    pub(crate) stride: u16,
    /// See `stride`.
    pub(crate) phase: u16,
    /// How the word leads to an address.
    pub(crate) form: Form,
    /// The lowest target that is accepted, relative to the image base.
    pub(crate) low: u32,
    /// The first target above `low` that is no longer accepted.
    pub(crate) high: u32,
    /// Targets that are no multiple of 2 to this power are not accepted. Below 32.
    pub(crate) align: u8,
}

/// How a word of data leads to an address. `base` is in the file at hand: two releases have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 4 bytes: target = word - `base` (modulo 2^32).
    Absolute32 { base: u32 },
    /// 8 bytes, of which the lowest `bits` bits (32 to 64) lead to the address and the others are
    /// kept: target = (word modulo 2^bits) - `base` (modulo 2^64), if that fits 32 bits.
    Absolute64 { base: u64, bits: u8 },
    /// 4 bytes: the distance from the word's own address: target = address of the word + word (modulo
    /// 2^32).
    Relative32,
    /// 4 bytes: the distance back from the word's own address: target = address of the word - word
    /// (modulo 2^32).
    Backward32,
}

/// What is known of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Sorted by offset, disjoint.
    pub(crate) spans: Vec<Span>,
    /// Sorted by offset, disjoint, each within one span.
    pub(crate) regions: Vec<Region>,
}

/// The SHA-256 of each page of a stretch of the file, in the code signature of a Mach-O file. They
/// follow from the pages, so a patch need not carry them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashTable {
    /// Where the first page begins.
    pub(crate) begin: u32,
    /// How many bytes are hashed; the last page may be short.
    pub(crate) covered: u32,
    /// The length of a page in bytes, as a power of two.
    pub(crate) page_bits: u32,
    /// Where the first hash stands, at or after the end of what is hashed.
    pub(crate) at: u32,
}

impl Span {
    pub(crate) const NONE: Self = Self {
        offset: 0,
        length: 0,
        address: 0,
    };
}

impl Probe {
    pub(crate) const NONE: Self = Self {
        stride: 4,
        phase: 0,
        form: Form::Relative32,
        low: 0,
        high: 0,
        align: 0,
    };
}

impl Form {
    /// What a word is above, 0 if it is above nothing.
    pub(crate) fn base(self) -> u64 {
        match self {
            Self::Absolute32 { base } => base.into(),
            Self::Absolute64 { base, .. } => base,
            Self::Relative32 | Self::Backward32 => 0,
        }
    }
}

impl Layout {
    /// Whether it can be one of a file of `file_bytes`: all that other code relies on.
    pub(crate) fn is_sound(&self, file_bytes: u32) -> bool {
        let mut end = 0_u32;
        let spans = self.spans.iter().all(|span| {
            let sound = span.offset >= end && span.address.checked_add(span.length).is_some();
            span.offset.checked_add(span.length).is_some_and(|to| {
                end = to;
                sound && to <= file_bytes
            })
        });
        let mut end = 0_u32;
        let regions = self.regions.iter().all(|region| {
            let sound = region.offset >= end && region.kind.is_sound();
            region.offset.checked_add(region.length).is_some_and(|to| {
                end = to;
                sound && to <= file_bytes
            })
        });
        // References lead to addresses, which come with spans.
        spans && regions && (self.regions.is_empty() || !self.spans.is_empty())
    }
}

impl Kind {
    /// The probes, if it has some.
    pub(crate) fn probes(&self) -> &[Probe] {
        match self {
            Self::X86_64 | Self::Arm64 => &[],
            Self::Words(probes) | Self::Functions(probes) => probes,
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::X86_64 | Self::Arm64 => true,
            Self::Words(probes) | Self::Functions(probes) => probes.iter().all(|probe| {
                let form = match probe.form {
                    Form::Absolute64 { bits, .. } => (32..=64).contains(&bits),
                    _ => true,
                };
                form && probe.stride > 0 && probe.align < 32
            }),
        }
    }
}

impl HashTable {
    /// How many hashes there are.
    pub(crate) fn pages(&self) -> u32 {
        self.covered.div_ceil(1 << self.page_bits)
    }

    /// Where the hashes end.
    pub(crate) fn end(&self) -> u32 {
        self.at + self.pages() * HASH_BYTES
    }

    fn is_sound(&self, from: u32, file_bytes: u32) -> bool {
        (12..=16).contains(&self.page_bits)
            && self.covered > 0
            && self.begin >= from
            && self
                .begin
                .checked_add(self.covered)
                .is_some_and(|end| end <= self.at)
            && self.pages() <= MAX_PAGES
            && u64::from(self.at) + u64::from(self.pages()) * u64::from(HASH_BYTES) <= file_bytes.into()
    }

    /// Whether these can be the tables of a file: sorted, disjoint, inside.
    pub(crate) fn are_sound(tables: &[Self], file_bytes: u32) -> bool {
        let mut from = 0;
        tables.len() <= MAX_TABLES
            && tables.iter().all(|table| {
                let sound = table.is_sound(from, file_bytes);
                from = if sound { table.end() } else { u32::MAX };
                sound
            })
    }
}
