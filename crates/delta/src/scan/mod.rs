//! Finding instructions and references in bytes of the old file.
//!
//! What is found here decides what a patch means, so it is exact for ever: own tables, no crate's
//! disassembler, a version in the patch. Anything that is no instruction is a byte of data.

pub(crate) mod arm64;
pub(crate) mod field;
pub(crate) mod functions;
pub(crate) mod words;
pub(crate) mod x86_64;

/// A reference: a field in the file that leads to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Where the field begins, in bytes from the window's first byte. An instruction that begins in
    /// the window may have its field behind the window's end.
    pub(crate) at: u16,
    /// What the field looks like.
    pub(crate) kind: ReferenceKind,
    /// Where it leads, relative to the image base.
    pub(crate) target: u32,
}

/// What a reference's field looks like, and how it leads to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReferenceKind {
    /// x86-64: 4 bytes, relative to the end of the instruction, `tail` bytes after the field's end.
    /// `tail` is the length of an immediate that follows (0, 1, 2 or 4).
    X86 { tail: u8, flow: Flow },
    /// AArch64 `B` and `BL`: imm26.
    ArmBranch26 { link: bool },
    /// AArch64 `B.cond`, `CBZ`, `CBNZ`: imm19 of a branch.
    ArmBranch19,
    /// AArch64 `TBZ`, `TBNZ`: imm14.
    ArmBranch14,
    /// AArch64 `LDR` (literal): imm19.
    ArmLiteral19,
    /// AArch64 `ADR`.
    ArmAdr,
    /// AArch64 `ADRP`: the page of the target.
    ArmAdrp,
    /// AArch64 `ADD` (immediate), `LDR`/`STR` (unsigned offset): the low 12 bits of the target of
    /// the `ADRP` before it, shifted right by `shift`.
    ArmLow12 { shift: u8 },
    /// A word of data, by the probe of this number.
    Word { probe: u8 },
}

impl ReferenceKind {
    /// A small number for this kind, below 32, as a context of models. Probes from the
    /// 13th on share one.
    #[inline]
    pub(crate) fn context(self) -> u8 {
        match self {
            Self::X86 { flow: Flow::Call, .. } => 0,
            Self::X86 { flow: Flow::Jump, .. } => 1,
            Self::X86 {
                flow: Flow::Branch, ..
            } => 2,
            Self::X86 {
                tail,
                flow: Flow::Data,
            } => 3 + tail.min(3),
            Self::ArmBranch26 { link } => 7 + u8::from(link),
            Self::ArmBranch19 => 9,
            Self::ArmBranch14 => 10,
            Self::ArmLiteral19 => 11,
            Self::ArmAdr => 12,
            Self::ArmAdrp => 13,
            Self::ArmLow12 { shift } => 14 + shift.min(4),
            Self::Word { probe } => 19 + probe.min(12),
        }
    }
}

/// What an x86-64 instruction does with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flow {
    Call,
    Jump,
    Branch,
    Data,
}

/// What was found in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// A bit for each byte of the window: an instruction, a word or a byte of data that is neither
    /// begins here. Bit `i` of word `i / 64`.
    pub(crate) starts: [u64; WINDOW / 64],
    /// Sorted by `at`; fields do not overlap.
    pub(crate) references: Vec<Reference>,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            starts: [0; WINDOW / 64],
            references: Vec::new(),
        }
    }
}

impl Listing {
    /// Makes it empty, for the next window; what it has allocated stays.
    pub(crate) fn clear(&mut self) {
        self.starts = [0; WINDOW / 64];
        self.references.clear();
    }

    /// Whether an instruction, a word or a byte of data begins with this byte of the window.
    #[inline]
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn starts_at(&self, at: usize) -> bool {
        self.starts
            .get(at / 64)
            .is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }
}

/// Windows begin at multiples of this many bytes from a region's beginning; each is listed alone, so
/// that any place of a file can be listed without what is before it.
pub(crate) const WINDOW: usize = 1024;
/// How many bytes before a window, and how many after it, are looked at, if the region has them.
pub(crate) const MARGIN: usize = 64;
