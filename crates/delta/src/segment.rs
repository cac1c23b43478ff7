//! Which bytes of the new file are made from which bytes of the old one. Refuses to know how that was
//! found, and how it is written.

/// Bytes of the new file that are made of as many bytes of the old one, with corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where in the new file.
    pub(crate) new: u32,
    /// Where in the old file.
    pub(crate) old: u32,
    /// How many bytes.
    pub(crate) length: u32,
}

impl Segment {
    /// No bytes.
    pub(crate) const NONE: Self = Self {
        new: 0,
        old: 0,
        length: 0,
    };
}
