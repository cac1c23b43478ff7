//! Patches from older releases to a new one: made, written down, read back, applied and compared
//! before anybody may list them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use moult_delta::Limits;
use moult_model::{Digest, Release, Version};

use crate::progress::Progress;
use crate::{PublishError, full_file};

/// How many patches are made at a time. Each takes up to six times both artifacts in memory, so more
/// than two would cost more than they save.
const THREADS: usize = 2;
/// Two artifacts that have more bytes than this together are large: of such patches one is made at a
/// time. It uses all cores for most of its work anyway.
const LARGE: u64 = 64 << 20;

/// What patches are made between, and where.
pub struct Task<'a> {
    /// The repository that older artifacts are recovered from.
    pub repository: &'a Path,
    /// The folder that patches are made in.
    pub folder: PathBuf,
    /// The older releases.
    pub bases: &'a [Release],
    /// The new version.
    pub version: &'a Version,
    /// The new artifact.
    pub artifact: &'a [u8],
    /// Whether no other task runs at the same time.
    pub is_alone: bool,
}

/// A patch that leads to the new artifact, as was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The artifact it starts from.
    pub from: Digest,
    /// The version it starts from.
    pub from_version: Version,
    /// The number of its format.
    pub format: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Task<'_> {
    /// Makes a patch from each base, in the order of the bases whatever ends first.
    pub fn run(&self, progress: &Progress) -> Result<Vec<Made>, PublishError> {
        let to = Digest::of(self.artifact);
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = if self.is_alone { threads } else { 1 };
        let threads = threads.min(THREADS).min(self.bases.len());
        let next = AtomicUsize::new(0);
        let large = Mutex::new(());
        let work = || {
            let mut made = Vec::new();
            while let Some((at, base)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                self.bases.get(at).map(|base| (at, base))
            } {
                let result = self.make(base, &to, &large);
                progress.advance();
                let failed = result.is_err();
                made.push((at, result));
                if failed {
                    break;
                }
            }
            made
        };
        let mut made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|thread| match thread.join() {
                    Ok(made) => made,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        made.sort_by_key(|(at, _)| *at);
        made.into_iter().map(|(_, result)| result).collect()
    }

    fn make(&self, base: &Release, to: &Digest, large: &Mutex<()>) -> Result<Made, PublishError> {
        let both = base.size.saturating_add(self.artifact.len() as u64);
        // Held until the end. A thread that panicked with it ends the command anyway.
        let _turn = (both > LARGE).then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
        let old = full_file::recover(self.repository, base)?;
        let (from, to_version) = (&base.version, self.version);
        let mut bytes = Vec::new();
        let stats = moult_delta::diff(&old, self.artifact, &mut bytes);
        let stats = stats.map_err(|source| PublishError::Diff {
            from: from.clone(),
            to: to_version.clone(),
            source,
        })?;
        let path = self
            .folder
            .join(format!("{}-{}.mpatch", base.digest.short(), to.short()));
        moult_durable::write_atomic(&path, &bytes)?;
        let bytes = std::fs::read(&path).map_err(|source| PublishError::FolderRead { path, source })?;
        self.prove(base, &old, &bytes)?;
        Ok(Made {
            from: base.digest,
            from_version: from.clone(),
            format: stats.format,
            bytes,
        })
    }

    /// Does with the patch what a client does.
    fn prove(&self, base: &Release, old: &[u8], patch: &[u8]) -> Result<(), PublishError> {
        let (from, to) = (base.version.clone(), self.version.clone());
        let limits = Limits::exactly(self.artifact.len() as u64);
        let mut rebuilt = Vec::with_capacity(self.artifact.len());
        match moult_delta::apply(&mut std::io::Cursor::new(old), patch, &mut rebuilt, limits) {
            Err(source) => Err(PublishError::PatchRefused {
                from,
                to,
                source: Box::new(source),
            }),
            Ok(_) if rebuilt != self.artifact => Err(PublishError::PatchWrong { from, to }),
            Ok(_) => Ok(()),
        }
    }
}
