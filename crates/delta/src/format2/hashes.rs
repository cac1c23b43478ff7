//! The page hashes of a code signature, which follow from the pages before them.
//!
//! A signature of a Mach-O file holds the SHA-256 of each page of the file before it. No match and no
//! model can shorten them, so they are made anew. Refuses to know what else a signature holds.

use sha2::{Digest as _, Sha256};

use crate::layout::{HASH_BYTES, MAX_TABLES};

use super::chance::Number;
use super::range::{Coder, Stream};

pub(crate) use crate::layout::HashTable;

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
                let all = (table.pages() * HASH_BYTES) as usize;
                // Once for all of them: to grow by doubling could take twice as much.
                self.hashes.reserve_exact(all - self.hashes.len());
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
