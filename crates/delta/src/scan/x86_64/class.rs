//! What the bytes of an x86-64 instruction are.
//!
//! Refuses to know how that is found out: [`super::parser`] does.

/// What the next byte is, as far as the bytes before it tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldClass {
    /// The first byte of an instruction.
    Start,
    /// A further prefix or the opcode, after a prefix.
    Prefixed,
    /// A further byte of opcode, VEX or EVEX.
    OpcodeMore,
    /// The ModRM.
    ModRm,
    /// The SIB.
    Sib,
    /// A displacement of 1 byte.
    Disp8,
    /// Byte `index` of a displacement of 4 bytes that is no reference.
    Disp32 {
        /// 0 to 3.
        index: u8,
    },
    /// Byte `index` of a displacement from the instruction's end.
    RipDisp32 {
        /// 0 to 3.
        index: u8,
    },
    /// The distance of a short jump.
    Rel8,
    /// Byte `index` of the distance of a call, jump or branch.
    Rel32 {
        /// 0 to 3.
        index: u8,
    },
    /// Byte `index` of an immediate of `width` bytes (1, 2, 3, 4 or 8).
    Imm {
        /// Below `width`.
        index: u8,
        /// 3 is `ENTER`'s.
        width: u8,
    },
}

impl FieldClass {
    /// How many numbers [`FieldClass::context`] has.
    #[cfg(test)]
    pub(crate) const CONTEXTS: usize = 37;

    /// A small number for this class, as a context of models.
    #[inline]
    pub(crate) fn context(self) -> u8 {
        match self {
            Self::Start => 0,
            Self::Prefixed => 1,
            Self::OpcodeMore => 2,
            Self::ModRm => 3,
            Self::Sib => 4,
            Self::Disp8 => 5,
            Self::Rel8 => 6,
            Self::Disp32 { index } => 7 + index,
            Self::RipDisp32 { index } => 11 + index,
            Self::Rel32 { index } => 15 + index,
            Self::Imm { index, width } => index + IMMEDIATES[usize::from(width & 15)],
        }
    }
}

/// The first context of immediates of each width.
const IMMEDIATES: [u8; 16] = [19, 19, 20, 22, 25, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29];
