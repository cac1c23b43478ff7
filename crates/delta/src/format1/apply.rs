//! Applying a patch: each byte of the new file is written once, in order, and hashed on the way.
//!
//! The patch may come from anybody. Nothing is allocated, read or written by a number of the patch
//! before that number was checked. Refuses to know who signed what.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

use super::block::{self, Entry, HEAD_BYTES, Head};
use super::{Header, MAX_WINDOW_LOG};
use crate::base::{Output, check_base, check_end, check_length};
use crate::{Applied, ApplyError, Fault};

/// How a zstd frame begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Writes the new file. The magic number and the format were read already.
///
/// Needs at most 30 MiB of memory, whatever the patch says: 16 MiB for zstd's window, two blocks of
/// 4 MiB, their numbers, and buffers.
pub(crate) fn apply(
    old: &mut (impl Read + Seek),
    patch: &mut impl BufRead,
    out: &mut impl Write,
    output_bytes: u64,
) -> Result<Applied, ApplyError> {
    let header = Header::read_rest(patch)?;
    check_length(header.new, output_bytes)?;
    check_base(old, header.old)?;

    // A frame must be there, and not one that zstd would skip.
    let mut magic = [0; 4];
    patch.read_exact(&mut magic).map_err(body_error)?;
    if magic != ZSTD_MAGIC {
        return Err(ApplyError::Compression(io::Error::new(
            io::ErrorKind::InvalidData,
            "not a zstd frame",
        )));
    }
    let frame = magic.chain(&mut *patch);
    let mut body = zstd::Decoder::with_buffer(frame)
        .map_err(ApplyError::Compression)?
        .single_frame();
    body.window_log_max(MAX_WINDOW_LOG)
        .map_err(ApplyError::Compression)?;

    let mut out = Output::new(out, header.new);
    write_blocks(old, &mut body, &mut out, header.old.bytes)?;

    // The frame must end here, and the patch with it.
    match body.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err(ApplyError::Trailing),
        Err(error) => return Err(body_error(error)),
    }
    drop(body);
    check_end(patch)?;
    out.finish()
}

fn write_blocks(
    old: &mut (impl Read + Seek),
    body: &mut impl Read,
    out: &mut Output<impl Write>,
    old_bytes: u64,
) -> Result<(), ApplyError> {
    let mut at_old = 0_u64;
    let (mut data, mut output, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0_u64.. {
        if out.missing() == 0 {
            break;
        }
        let invalid = |fault| ApplyError::Block { block, fault };
        let mut head = [0; HEAD_BYTES];
        body.read_exact(&mut head).map_err(body_error)?;
        let head = Head::decode(head);
        head.check(out.missing()).map_err(invalid)?;

        data.resize(head.control as usize + head.output() as usize, 0);
        body.read_exact(&mut data).map_err(body_error)?;
        let (control, data) = data.split_at(head.control as usize);
        block::entries(head, control, &mut entries).map_err(invalid)?;
        let starts = starts(&entries, at_old, old_bytes).map_err(invalid)?;

        output.resize(head.output() as usize, 0);
        let (diff, extra) = data.split_at(head.diff as usize);
        at_old = fill(&mut output, old, &entries, &starts, diff, extra).map_err(ApplyError::Old)?;
        out.write_all(&output).map_err(ApplyError::New)?;
    }
    Ok(())
}

/// Where in the old file each entry begins, if all of them stay inside it.
fn starts(entries: &[Entry], mut at: u64, old_bytes: u64) -> Result<Vec<u64>, Fault> {
    let mut starts = Vec::with_capacity(entries.len());
    for entry in entries {
        let start = at.checked_add_signed(entry.seek).ok_or(Fault::OutsideOld)?;
        at = start.checked_add(entry.add.into()).ok_or(Fault::OutsideOld)?;
        if at > old_bytes {
            return Err(Fault::OutsideOld);
        }
        starts.push(start);
    }
    Ok(starts)
}

/// Fills a block's output. The lengths were checked to add up. Gives where in the old file it ended.
fn fill(
    output: &mut [u8],
    old: &mut (impl Read + Seek),
    entries: &[Entry],
    starts: &[u64],
    mut diff: &[u8],
    mut extra: &[u8],
) -> io::Result<u64> {
    let mut rest = output;
    let mut at_old = 0;
    for (entry, start) in entries.iter().zip(starts) {
        let (add, copy) = (entry.add as usize, entry.copy as usize);
        let (sums, after) = rest.split_at_mut(add);
        let (copied, after) = after.split_at_mut(copy);
        rest = after;

        if add > 0 {
            old.seek(SeekFrom::Start(*start))?;
            old.read_exact(sums)?;
        }
        let (differences, later) = diff.split_at(add);
        for (sum, difference) in sums.iter_mut().zip(differences) {
            *sum = sum.wrapping_add(*difference);
        }
        diff = later;

        let (new, later) = extra.split_at(copy);
        copied.copy_from_slice(new);
        extra = later;
        at_old = start + u64::from(entry.add);
    }
    Ok(at_old)
}

/// What an error means that came through the decompressor.
fn body_error(error: io::Error) -> ApplyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ApplyError::Truncated,
        _ => ApplyError::Compression(error),
    }
}
