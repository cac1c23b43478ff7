//! Deflate streams in a file: whether there is one, and which settings could have made it. Refuses to know where.

use flate2::{Decompress, FlushDecompress, Status};

use crate::deflate::{Checksum, Maker, Settings, Trailer};

/// Decompresses the stream at the beginning of `bytes` if it is whole and gives at most `most` bytes.
/// Gives what it becomes and how long it and its trailer are. A trailer that is wrong is no stream.
pub(crate) fn unpack(bytes: &[u8], trailer: Trailer, most: u64) -> Option<(Vec<u8>, usize)> {
    let mut state = Decompress::new(false);
    let mut plain = Vec::new();
    loop {
        if plain.len() == plain.capacity() {
            plain.reserve((plain.len()).max(16 * 1024));
        }
        let at = state.total_in() as usize;
        let before = state.total_out();
        let status = state
            .decompress_vec(&bytes[at..], &mut plain, FlushDecompress::None)
            .ok()?;
        if state.total_out() > most {
            return None;
        }
        match status {
            Status::StreamEnd => break,
            Status::Ok if state.total_out() > before || state.total_in() as usize > at => {}
            Status::Ok | Status::BufError if plain.len() == plain.capacity() => {}
            Status::Ok | Status::BufError => return None,
        }
    }
    let end = state.total_in() as usize;
    let mut checksum = Checksum::new(trailer);
    checksum.update(&plain);
    let expected = checksum.finish();
    (bytes.get(end..end + expected.len())? == expected).then_some((plain, end + expected.len()))
}

/// The settings that are worth a try for a stream, the likely ones first.
pub(crate) fn candidates(trailer: Trailer) -> Vec<Settings> {
    const LEVELS: [u8; 9] = [6, 9, 1, 5, 8, 7, 4, 3, 2];
    const MAKERS: [Maker; 4] = [Maker::Zlib(8), Maker::Gzip, Maker::Miniz, Maker::Zlib(9)];
    let all = MAKERS.iter().flat_map(|maker| {
        LEVELS.map(|level| Settings {
            trailer,
            maker: *maker,
            level,
        })
    });
    all.collect()
}
