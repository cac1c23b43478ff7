//! The full file of an artifact: one zstd frame, and the way back.

use std::io::{self, Read as _};
use std::path::Path;

use moult_model::index::Encoding;
use moult_model::{Digest, Release};

use crate::PublishError;

/// Slow and small: a release is packed once and downloaded by everybody.
const LEVEL: i32 = 19;

/// Packs an artifact. One thread, so that the same artifact always gives the same bytes.
pub fn compress(artifact: &[u8]) -> Result<Vec<u8>, PublishError> {
    zstd::bulk::compress(artifact, LEVEL).map_err(|source| PublishError::Compress { source })
}

/// Reads back the artifact of an older release from the repository, and checks it against the
/// digests of the signed index.
pub fn recover(repository: &Path, release: &Release) -> Result<Vec<u8>, PublishError> {
    let path = repository.join("targets").join(&release.full.path);
    let stored = match std::fs::read(&path) {
        Ok(stored) => stored,
        Err(source) => return Err(PublishError::StoredMissing { path, source }),
    };
    if Digest::of(&stored) != release.full.digest {
        return Err(PublishError::StoredDamaged {
            path,
            expected: release.full.digest,
        });
    }
    let artifact = match release.full.encoding {
        Encoding::Identity => Ok(stored),
        Encoding::Zstd => decompress(&stored, release.size),
    };
    match artifact {
        Ok(artifact) if Digest::of(&artifact) == release.digest => Ok(artifact),
        _ => Err(PublishError::StoredDamaged {
            path,
            expected: release.digest,
        }),
    }
}

/// Unpacks at most `limit` bytes; one more is read, so that what is longer does not match.
pub fn decompress(packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let mut artifact = Vec::new();
    zstd::stream::read::Decoder::new(packed)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut artifact)?;
    Ok(artifact)
}
