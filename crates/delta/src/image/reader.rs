//! Integers read from bytes that nobody has checked.
//!
//! Every position is a `u64` as the formats write them; what lies outside the file is `None`. Refuses
//! to know what the integers mean.

/// A file, or a part of one, that is read at any position.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes there are.
    pub(super) fn length(self) -> u64 {
        self.bytes.len() as u64
    }

    /// `length` bytes from `at`.
    pub(super) fn slice(self, at: u64, length: u64) -> Option<&'a [u8]> {
        let begin = usize::try_from(at).ok()?;
        let end = usize::try_from(at.checked_add(length)?).ok()?;
        self.bytes.get(begin..end)
    }

    /// The part of `length` bytes from `at`, to be read for itself.
    pub(super) fn part(self, at: u64, length: u64) -> Option<Self> {
        self.slice(at, length).map(Self::new)
    }

    fn array<const N: usize>(self, at: u64) -> Option<[u8; N]> {
        self.slice(at, N as u64)?.try_into().ok()
    }

    pub(super) fn u8(self, at: u64) -> Option<u8> {
        self.array(at).map(|[byte]| byte)
    }

    pub(super) fn u16(self, at: u64) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn i32(self, at: u64) -> Option<i32> {
        self.array(at).map(i32::from_le_bytes)
    }

    pub(super) fn u64(self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Big-endian: headers of universal binaries and code signatures.
    pub(super) fn u32_big(self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// Big-endian: see [`Self::u32_big`].
    pub(super) fn u64_big(self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_be_bytes)
    }

    /// A name that ends at a zero byte or after `most` bytes. Bytes that are no printable ASCII
    /// become `?`: a name is only compared.
    pub(super) fn name(self, at: u64, most: u64) -> Option<String> {
        let most = most.min(self.length().checked_sub(at)?);
        let bytes = self.slice(at, most)?;
        Some(
            bytes
                .iter()
                .take_while(|byte| **byte != 0)
                .map(|byte| {
                    if byte.is_ascii_graphic() {
                        char::from(*byte)
                    } else {
                        '?'
                    }
                })
                .collect(),
        )
    }
}
