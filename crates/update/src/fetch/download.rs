//! Streams a pinned file to disk: hashed while it comes, resumed where it broke, stopped at its size.

mod attempt;

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use moult_model::Digest;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::{task, time};

use super::breaker::{BreakerEvent, Verdict};
use super::choice::{Choice, Pick};
use super::part::{Part, remove};
use crate::error::UpdateError;
use crate::fetch::{Backoff, Limits, Mirrors, backoff};
use attempt::{Attempt, Broken, Then};

pub(super) use attempt::{refusal, text};

/// What is fetched. Bytes that are not these are never handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Its path in the repository.
    pub path: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A file on the disk that had the pinned digest and size when it was written.
#[derive(Debug)]
pub struct Fetched {
    path: PathBuf,
    digest: Digest,
    wire_bytes: u64,
}

/// Fetches files of one repository into one folder.
#[derive(Clone, Debug)]
pub struct Fetcher {
    mirrors: Mirrors,
    staging: PathBuf,
    limits: Limits,
}

impl Fetched {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Bytes that came over the wire for it this time, of all tries.
    pub fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }
}

impl Fetcher {
    /// A fetcher that writes into `staging`, which must exist.
    pub fn new(mirrors: impl Into<Mirrors>, staging: impl Into<PathBuf>) -> Self {
        let mirrors = mirrors.into();
        Self {
            limits: *mirrors.limits(),
            mirrors,
            staging: staging.into(),
        }
    }

    /// The same with other limits than those of its repository.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Fetches a file, or finds that it is there already. `progress` is told how many of its bytes are
    /// on the disk.
    pub async fn fetch(
        &self,
        pinned: &Pinned,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Fetched, UpdateError> {
        let path = self.staging.join(format!("{}.download", pinned.digest));
        let mut wire_bytes = 0;
        if !is_complete(&path, pinned).await? {
            self.complete(&path, pinned, progress, &mut wire_bytes).await?;
        }
        progress(pinned.size);
        Ok(Fetched {
            path,
            digest: pinned.digest,
            wire_bytes,
        })
    }

    /// Asks one mirror after the other for what is missing until it is there. The next one goes on from the
    /// byte where the one before stood.
    async fn complete(
        &self,
        path: &Path,
        pinned: &Pinned,
        progress: &(dyn Fn(u64) + Sync),
        wire_bytes: &mut u64,
    ) -> Result<(), UpdateError> {
        let pauses = Backoff::new(&self.limits);
        let mut choice = Choice::new(self.mirrors.count(), self.mirrors.current(), self.limits.tries);
        let (staging, digest, size) = (self.staging.clone(), pinned.digest, pinned.size);
        let mut part = blocking(move || Part::open(&staging, &digest, size)).await?;
        let mut last = None;
        loop {
            let (place, failed, hurry) = match choice.pick(|place| self.mirrors.wait(place)) {
                Pick::Take { place, failed, hurry } => (place, failed, hurry),
                Pick::Wait(wait) if wait <= self.limits.longest_wait => {
                    time::sleep(wait).await;
                    continue;
                }
                Pick::Wait(wait) => {
                    let error = last.unwrap_or_else(|| self.mirrors.resting(self.mirrors.current(), wait));
                    return give_up(part, error).await;
                }
                Pick::Nothing => return give_up(part, last.unwrap_or(UpdateError::Abandoned)).await,
            };
            if failed > 0 {
                time::sleep(pauses.pause(failed, backoff::random())).await;
            }
            if let Verdict::Wait(_) = self.mirrors.ask(place) {
                continue;
            }
            let url = self.mirrors.http(place)?.url(&pinned.path)?;
            let resumed = part.length() > 0;
            let attempt = Attempt {
                mirrors: &self.mirrors,
                place,
                url: &url,
                pinned,
                limits: &self.limits,
                hurry,
                progress,
            };
            let outcome;
            (part, outcome) = attempt.run(part, wire_bytes).await?;
            let broken = match outcome {
                Ok(()) if part.digest_so_far() == pinned.digest => {
                    self.mirrors.report(place, BreakerEvent::Answered(None));
                    self.mirrors.prefer(place);
                    let path = path.to_owned();
                    return blocking(move || part.complete(&path)).await;
                }
                // The fault may lie in the bytes of an earlier try.
                Ok(()) if resumed => {
                    Broken::new(Then::StartOver, UpdateError::Corrupt { url: url.to_string() })
                }
                Ok(()) => Broken::new(Then::Leave, UpdateError::Corrupt { url: url.to_string() }),
                Err(broken) => broken,
            };
            self.mirrors.report(place, broken.event());
            if broken.is_worthless() {
                part = blocking(move || part.start_over().map(|()| part)).await?;
            }
            match broken.then {
                Then::Resume | Then::StartOver => choice.failed(place),
                Then::Leave | Then::Keep => choice.leave(place),
                Then::Slow(per_second) => choice.was_slow(place, per_second),
            }
            let error = *broken.error;
            if error.is_alarming() {
                self.mirrors.alert(&url, &error);
            }
            tracing::info!(%url, bytes = part.length(), %error, "a download broke off");
            last = Some(error);
        }
    }
}

/// Ends without the file. Bytes that are some are kept for a later try.
async fn give_up(part: Part, error: UpdateError) -> Result<(), UpdateError> {
    if part.length() == 0 {
        blocking(move || part.delete()).await?;
    }
    Err(error)
}

/// Whether the file is there already. One that is not what it should be is removed.
async fn is_complete(path: &Path, pinned: &Pinned) -> Result<bool, UpdateError> {
    let (path, pinned) = (path.to_owned(), pinned.clone());
    blocking(move || {
        if !fs::exists(&path).map_err(UpdateError::disk("read", &path))? {
            return Ok(false);
        }
        let mut file = File::open(&path).map_err(UpdateError::disk("opened", &path))?;
        let found = Digest::of_reader(&mut file).map_err(UpdateError::disk("read", &path))?;
        if found == (pinned.digest, pinned.size) {
            return Ok(true);
        }
        remove(&path).map(|()| false)
    })
    .await
}

/// Runs what blocks where it may block. A runtime of one thread has no such place: there it is run at
/// once, so that all files are changed by that thread.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UpdateError> + Send + 'static,
) -> Result<T, UpdateError> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(UpdateError::Abandoned));
    }
    task::spawn_blocking(work)
        .await
        .unwrap_or(Err(UpdateError::Abandoned))
}

#[cfg(test)]
#[path = "download/tests.rs"]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
