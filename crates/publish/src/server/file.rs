//! An open file, its entity tag, and its bytes as a body.
//!
//! The file is opened once: tag, length and bytes are of the same file even when another one
//! takes its place meanwhile.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, SeekFrom, Write as _};
use std::ops::Range;
use std::time::UNIX_EPOCH;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use moult_model::Digest;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::access_log::Entry;

/// Up to this many bytes the entity tag is the digest of the content.
const HASHED_BYTES: u64 = 1024 * 1024;
const CHUNK_BYTES: u64 = 64 * 1024;

/// A file that can be served.
pub(super) struct Content {
    source: Source,
    length: u64,
    etag: String,
}

enum Source {
    Memory(Bytes),
    File(File),
}

impl Content {
    /// Reads or measures an open file. What is not a regular file is `NotFound`.
    pub(super) fn of(mut file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if metadata.len() > HASHED_BYTES {
            let etag = format!("\"{}\"", identity(&file, &metadata));
            return Ok(Self {
                source: Source::File(file),
                length: metadata.len(),
                etag,
            });
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        file.read_to_end(&mut bytes)?;
        let etag = format!("\"{}\"", Digest::of(&bytes));
        Ok(Self {
            length: bytes.len() as u64,
            source: Source::Memory(bytes.into()),
            etag,
        })
    }

    /// The same packed with gzip, if it is held in memory and is shorter that way. Its tag names the file, not
    /// the packing.
    pub(super) fn packed(self) -> (Self, bool) {
        let Source::Memory(bytes) = &self.source else {
            return (self, false);
        };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
        match packed {
            Ok(packed) if packed.len() < bytes.len() => (
                Self {
                    length: packed.len() as u64,
                    source: Source::Memory(packed.into()),
                    etag: self.etag,
                },
                true,
            ),
            _ => (self, false),
        }
    }

    /// The length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The strong entity tag, with its quotes.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    /// The bytes of a part, in chunks. A file that got shorter meanwhile breaks the body off:
    /// the announced length is then not reached, and the client knows.
    pub(super) fn body(self, part: Range<u64>, entry: Entry) -> Body {
        let state = Sending {
            at: part.start,
            end: part.end,
            entry,
            source: SendingFrom::of(self.source),
        };
        Body::from_stream(stream::try_unfold(state, |mut state| async move {
            match state.next().await? {
                Some(bytes) => io::Result::Ok(Some((bytes, state))),
                None => Ok(None),
            }
        }))
    }
}

/// What tells a large file from another without reading it: length, time of change, and the file system's
/// own number, so that a file which takes its place within one tick of the clock differs.
fn identity(file: &File, metadata: &Metadata) -> String {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = modified.map_or(0, |since| since.as_nanos());
    let number = number(file, metadata);
    format!("{:x}-{nanoseconds:x}-{number:x}", metadata.len())
}

#[cfg(unix)]
fn number(_: &File, metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(windows)]
fn number(file: &File, _: &Metadata) -> u64 {
    winapi_util::file::information(file).map_or(0, |information| information.file_index())
}

struct Sending {
    at: u64,
    end: u64,
    entry: Entry,
    source: SendingFrom,
}

enum SendingFrom {
    Memory(Bytes),
    /// The file and where its cursor stands.
    File(tokio::fs::File, Option<u64>),
}

impl SendingFrom {
    fn of(source: Source) -> Self {
        match source {
            Source::Memory(bytes) => Self::Memory(bytes),
            Source::File(file) => Self::File(tokio::fs::File::from_std(file), None),
        }
    }
}

impl Sending {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let length = (self.end - self.at).min(CHUNK_BYTES);
        let bytes = match &mut self.source {
            SendingFrom::Memory(bytes) => bytes.slice(self.at as usize..(self.at + length) as usize),
            SendingFrom::File(file, cursor) => {
                if *cursor != Some(self.at) {
                    file.seek(SeekFrom::Start(self.at)).await?;
                }
                let mut chunk = vec![0; length as usize];
                file.read_exact(&mut chunk).await?;
                *cursor = Some(self.at + length);
                chunk.into()
            }
        };
        self.at += length;
        self.entry.count(length, self.at == self.end);
        Ok(Some(bytes))
    }
}
