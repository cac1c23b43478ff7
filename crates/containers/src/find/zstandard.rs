//! Zstandard frames in a file: whether there is one, and which settings could have made it. Refuses to
//! know where.

use std::io::Read;

use zstd::zstd_safe;

use crate::zstandard::{Call, MAX_AT_ONCE, Settings, decoder};

/// How a frame begins.
pub(crate) const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How many bytes a frame of so many plain bytes begins with that its level alone decides, and not how
/// the encoder is called: its header, and if it is long some of its first block. That spares trying
/// workers, who do much before the first byte can be seen.
pub(crate) const fn decisive(plain: usize) -> usize {
    if plain > 512 * 1024 { 4096 } else { 6 }
}

/// Decompresses the frame at the beginning of `bytes` if it is whole and gives at most `most` bytes.
pub(crate) fn unpack(bytes: &[u8], most: u64) -> Option<(Vec<u8>, usize)> {
    let length = zstd_safe::find_frame_compressed_size(bytes).ok()?;
    let mut plain = Vec::new();
    let mut decoder = decoder(&bytes[..length]).ok()?.take(most + 1);
    decoder.read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= most).then_some((plain, length))
}

/// The settings that are worth a try for a frame, the likely ones first.
pub(crate) fn candidates(encoded: &[u8], plain: u64) -> Vec<Settings> {
    const LEVELS: [i8; 29] = [
        3, 19, 15, 22, 9, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, -1, -2, -3, -4, -5,
        -6, -7,
    ];
    let checksum = encoded.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
    let told = matches!(zstd_safe::get_frame_content_size(encoded), Ok(Some(_)));
    let calls = Call::ALL.into_iter().filter(|call| call.tells_length() == told);
    // Zstd itself takes no worker for less than this.
    let calls = calls.filter(|call| !call.has_worker() || plain > 512 * 1024);
    // One call and steps differ where the last step is full or the window is.
    let calls = calls.filter(|call| *call != Call::AtOnce || plain <= MAX_AT_ONCE);
    let of_call = |call| {
        LEVELS.into_iter().map(move |level| Settings {
            level,
            checksum,
            call,
        })
    };
    let all = calls.flat_map(of_call);
    all.filter(|settings| settings.check(plain).is_ok()).collect()
}
