//! Deflate streams in a file: whether there is one, and how it was made. Refuses to know where.

use flate2::{Decompress, FlushDecompress, Status};
use preflate_rs::{ExitCode, PreflateConfig, PreflateStreamProcessor};

use crate::deflate::{Checksum, Chunk, MAX_CHUNK, Trailer, catch};

/// How many compressed bytes are taken at a time. A chunk ends at the end of a deflate block.
const CHUNK_BYTES: usize = 1 << 20;

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

/// Finds out how a stream was made. None if it can't be rebuilt.
pub(crate) fn analyse(encoded: &[u8]) -> Option<Vec<Chunk>> {
    let config = PreflateConfig {
        plain_text_limit: MAX_CHUNK as usize - (1 << 16),
        verify_compression: true,
        ..PreflateConfig::default()
    };
    catch(|| {
        let mut state = PreflateStreamProcessor::new(&config);
        let mut chunks = Vec::new();
        let (mut at, mut step) = (0, CHUNK_BYTES);
        while !state.is_done() {
            let end = encoded.len().min(at + step);
            match state.decompress(&encoded[at..end]) {
                Ok(found) => {
                    let plain = state.plain_text().len() as u64;
                    if plain > MAX_CHUNK || (plain == 0 && !state.is_done()) {
                        return None;
                    }
                    chunks.push(Chunk {
                        plain,
                        corrections: found.corrections,
                    });
                    at += found.compressed_size;
                    step = CHUNK_BYTES;
                    state.shrink_to_dictionary();
                }
                // A block that is longer than the chunk.
                Err(error) if error.exit_code() == ExitCode::ShortRead && end < encoded.len() => step *= 2,
                Err(_) => return None,
            }
        }
        (at == encoded.len()).then_some(chunks)
    })
    .ok()
    .flatten()
}
