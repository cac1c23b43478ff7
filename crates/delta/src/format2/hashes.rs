//! The page hashes of a code signature, which follow from the pages before them.
//!
//! A signature of a Mach-O file holds the SHA-256 of each page of the file before it. No match and no
//! model can shorten them, so they are made anew. Refuses to know what else a signature holds.

use sha2::{Digest as _, Sha256};

use super::chance::Number;
use super::range::{Coder, Stream};

/// The most tables of page hashes: one for each slice of a universal file.
pub(crate) const MAX_TABLES: usize = 8;
/// The most pages of a table: 2 MiB of hashes are held.
pub(crate) const MAX_PAGES: u32 = 1 << 16;
/// The length of a hash, in bytes.
pub(crate) const HASH_BYTES: u32 = 32;

/// Page hashes in the new file.
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

impl HashTable {
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
}

/// Whether these can be the tables of a file: sorted, disjoint, inside.
pub(crate) fn are_sound(tables: &[HashTable], file_bytes: u32) -> bool {
    let mut from = 0;
    tables.len() <= MAX_TABLES
        && tables.iter().all(|table| {
            let sound = table.is_sound(from, file_bytes);
            from = if sound { table.end() } else { u32::MAX };
            sound
        })
}

/// Codes the list of tables.
pub(crate) fn tables(coder: &mut impl Coder, truth: &[HashTable]) -> Vec<HashTable> {
    coder.enter(Stream::Layout);
    let mut number = Number::new();
    let count = (0..MAX_TABLES)
        .take_while(|at| coder.raw(u32::from(truth.len() > *at), 1) == 1)
        .count();
    (0..count)
        .map(|at| {
            let table = truth.get(at).copied().unwrap_or_default();
            HashTable {
                begin: number.code(coder, table.begin),
                covered: number.code(coder, table.covered),
                page_bits: number.code(coder, table.page_bits),
                at: number.code(coder, table.at),
            }
        })
        .collect()
}

/// Hashes pages as they are written.
pub(crate) struct Hashing {
    tables: Vec<HashTable>,
    position: u32,
    page: Sha256,
    hashes: Vec<u8>,
}

impl Hashing {
    /// `tables` are sound.
    pub(crate) fn new(tables: Vec<HashTable>) -> Self {
        Self {
            tables,
            position: 0,
            page: Sha256::new(),
            hashes: Vec::new(),
        }
    }

    /// The next table.
    #[inline]
    pub(crate) fn next(&self) -> Option<&HashTable> {
        self.tables.first()
    }

    /// Takes the next bytes of the file.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while let (Some(table), false) = (self.tables.first(), bytes.is_empty()) {
            let covered = table.begin..table.begin + table.covered;
            if self.position >= covered.end {
                self.position += bytes.len() as u32;
                return;
            }
            let skipped = covered
                .start
                .saturating_sub(self.position)
                .min(bytes.len() as u32);
            bytes = &bytes[skipped as usize..];
            self.position += skipped;
            if bytes.is_empty() {
                return;
            }
            let inside = self.position - covered.start;
            let page = 1 << table.page_bits;
            let page_end = covered
                .start
                .saturating_add((inside / page + 1).saturating_mul(page));
            let page_end = page_end.min(covered.end);
            let taken = (page_end - self.position).min(bytes.len() as u32);
            self.page.update(&bytes[..taken as usize]);
            bytes = &bytes[taken as usize..];
            self.position += taken;
            if self.position == page_end {
                self.hashes.extend_from_slice(&self.page.finalize_reset());
            }
        }
    }

    /// The hashes of the next table, whose place was reached.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.tables.remove(0);
        std::mem::take(&mut self.hashes)
    }
}
