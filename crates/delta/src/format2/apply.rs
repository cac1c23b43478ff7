//! Applying a patch of format 2. Refuses to know how parts are read and bytes are made.

use std::io::{Read, Seek, Write};

use crate::base::{Output, check_base, check_end, check_length};
use crate::{Applied, ApplyError};

use super::Header;
use super::decode::{Parts, Sizes};
use super::range::Decoder;

/// Writes the new file. The magic number and the format were read already.
pub(crate) fn apply(
    old: &mut (impl Read + Seek),
    patch: &mut impl Read,
    out: &mut impl Write,
    output_bytes: u64,
) -> Result<Applied, ApplyError> {
    let header = Header::read_rest(patch)?;
    check_length(header.new, output_bytes)?;
    check_base(old, header.old)?;
    let sizes = Sizes {
        old: header.old.bytes as u32,
        new: header.new.bytes as u32,
    };
    let mut parts = Parts::new(sizes);
    let mut state = None;
    let mut old = Some(old);
    let mut out = Output::new(out, header.new);
    while let Some((frame, segments)) = parts.next(patch)? {
        if let Some(old) = old.take() {
            state = Some(parts.body(old)?);
        }
        if let Some((file, body)) = &mut state {
            let mut coder = Decoder::new(&mut *patch, frame.body_bytes.into());
            parts.make(frame, &segments, body, file, &mut coder, &mut out)?;
        }
    }
    check_end(patch)?;
    out.finish()
}
