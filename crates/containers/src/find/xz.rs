//! The LZMA2 streams of an xz file, and which settings could have made one. Refuses to know where the
//! file is.

use std::io::Read;

use crate::lzma::{Chain, Decoder, Settings};
use crate::number;

/// How an xz stream begins.
pub(crate) const HEAD: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const HEAD_BYTES: usize = 12;
/// The identity of LZMA2 in a block header.
const LZMA2: u64 = 0x21;

/// A stream of an xz file: where it begins, how it is decoded, what it becomes, how long it is.
pub(crate) struct Block {
    pub(crate) start: usize,
    pub(crate) chain: Chain,
    pub(crate) plain: Vec<u8>,
    pub(crate) length: usize,
}

/// The LZMA2 streams of the xz stream at the beginning of `bytes`, up to what is not understood.
pub(crate) fn blocks(bytes: &[u8], most: u64) -> Vec<Block> {
    let mut found = Vec::new();
    let mut left = most;
    let mut at = HEAD_BYTES;
    let check = match bytes.get(7).map(|flags| flags & 15) {
        Some(0) => 0,
        Some(kind) => 4 << ((kind - 1) / 3),
        None => return found,
    };
    while let Some((header, chain)) = bytes.get(at..).and_then(block_header) {
        let start = at + header;
        let Some((plain, length)) = unpack(&bytes[start..], chain, left) else {
            break;
        };
        left -= plain.len() as u64;
        at = start + length.next_multiple_of(4) + check;
        found.push(Block {
            start,
            chain,
            plain,
            length,
        });
    }
    found
}

/// The length of a block's header and its filters. None for the index, and for filters that are not known.
fn block_header(bytes: &[u8]) -> Option<(usize, Chain)> {
    let size = match *bytes.first()? {
        0 => return None,
        size => (usize::from(size) + 1) * 4,
    };
    let flags = *bytes.get(1)?;
    let mut rest = bytes.get(2..size)?;
    let mut number = || number::take(&mut rest).ok();
    for size in [0x40, 0x80] {
        if flags & size != 0 {
            number()?;
        }
    }
    let mut branch = 0;
    if flags & 3 == 1 {
        branch = u8::try_from(number()?).ok().filter(|id| (4..=11).contains(id))?;
        if number()? != 0 {
            return None;
        }
    }
    if flags & 3 > 1 || number()? != LZMA2 || number()? != 1 {
        return None;
    }
    let chain = Chain {
        branch,
        dictionary: *rest.first()?,
    };
    chain.check().ok()?;
    Some((size, chain))
}

fn unpack(bytes: &[u8], chain: Chain, most: u64) -> Option<(Vec<u8>, usize)> {
    let mut decoder = Decoder::new(bytes, chain).ok()?;
    let mut plain = Vec::new();
    (&mut decoder).take(most + 1).read_to_end(&mut plain).ok()?;
    let length = decoder.length()?;
    (plain.len() as u64 <= most).then_some((plain, length))
}

/// The settings that are worth a try for a stream, the likely ones first.
pub(crate) fn candidates(chain: Chain) -> Vec<Settings> {
    // 0 to 2 with `extreme` are as 6 with it; 3 and 5 with it are one.
    const PRESETS: [(u8, bool); 9] = [
        (6, false),
        (6, true),
        (5, false),
        (4, false),
        (3, false),
        (2, false),
        (1, false),
        (0, false),
        (3, true),
    ];
    let all = PRESETS.into_iter().map(|(preset, extreme)| Settings {
        chain,
        preset,
        extreme,
    });
    all.filter(|settings| settings.check().is_ok()).collect()
}
