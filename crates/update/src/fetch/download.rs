//! Streams a pinned file to disk: hashed while it comes, resumed where it broke, stopped at its size.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use moult_model::Digest;
use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::{task, time};
use url::Url;

use super::part::{Part, remove};
use super::pieces::Pieces;
use crate::error::UpdateError;
use crate::fetch::{Backoff, Http, Limits, backoff};

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
    http: Arc<Http>,
    staging: PathBuf,
    limits: Limits,
}

/// How one try failed.
enum Broken {
    /// The next try goes on from the bytes that are there.
    Resume(UpdateError),
    /// The next try starts over.
    StartOver(UpdateError),
    /// There is no next try, and the bytes are worthless.
    Delete(UpdateError),
    /// There is no next try; the bytes are kept for a later one.
    Keep(UpdateError),
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
    pub fn new(http: Arc<Http>, staging: impl Into<PathBuf>) -> Self {
        Self {
            limits: *http.limits(),
            http,
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

    async fn complete(
        &self,
        path: &Path,
        pinned: &Pinned,
        progress: &(dyn Fn(u64) + Sync),
        wire_bytes: &mut u64,
    ) -> Result<(), UpdateError> {
        let url = self.http.url(&pinned.path)?;
        let limits = &self.limits;
        let pauses = Backoff::new(limits);
        let (staging, digest, size) = (self.staging.clone(), pinned.digest, pinned.size);
        let mut part = blocking(move || Part::open(&staging, &digest, size)).await?;
        let mut failed = 0;
        loop {
            let resumed = part.length() > 0;
            let outcome;
            (part, outcome) = self.attempt(part, &url, pinned, progress, wire_bytes).await?;
            let broken = match outcome {
                Ok(()) if part.digest() == pinned.digest => {
                    let path = path.to_owned();
                    return blocking(move || part.complete(&path)).await;
                }
                // The fault may lie in the bytes of an earlier try.
                Ok(()) if resumed => Broken::StartOver(UpdateError::Corrupt { url: url.to_string() }),
                Ok(()) => Broken::Delete(UpdateError::Corrupt { url: url.to_string() }),
                Err(broken) => broken,
            };
            failed += 1;
            let is_last = failed >= limits.tries;
            let error = match broken {
                Broken::Delete(error) => {
                    blocking(move || part.delete()).await?;
                    return Err(error);
                }
                Broken::StartOver(error) => {
                    part = blocking(move || part.start_over().map(|()| part)).await?;
                    error
                }
                Broken::Resume(error) => error,
                Broken::Keep(error) => {
                    if part.length() == 0 {
                        blocking(move || part.delete()).await?;
                    }
                    return Err(error);
                }
            };
            if is_last {
                return Err(error);
            }
            tracing::info!(%url, failed, bytes = part.length(), %error, "a download is tried again");
            time::sleep(pauses.pause(failed, backoff::random())).await;
        }
    }

    /// One request, and all that comes of it. The outer error is the disk's.
    async fn attempt(
        &self,
        mut part: Part,
        url: &Url,
        pinned: &Pinned,
        progress: &(dyn Fn(u64) + Sync),
        wire_bytes: &mut u64,
    ) -> Result<(Part, Result<(), Broken>), UpdateError> {
        if part.length() == pinned.size && pinned.size > 0 {
            return Ok((part, Ok(())));
        }
        let response = match self.request(&part, url).await {
            Ok(response) => response,
            Err(broken) => return Ok((part, Err(broken))),
        };
        let etag = response
            .headers()
            .get(ETAG)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        match response.status().as_u16() {
            206 if part.length() == 0 || !is_rest(&response, &part, pinned.size, etag.as_deref()) => {
                let error = UpdateError::WrongRange {
                    url: url.to_string(),
                    asked: part.length(),
                };
                return Ok((part, Err(Broken::StartOver(error))));
            }
            206 => {}
            200 => {
                if response
                    .content_length()
                    .is_some_and(|length| length > pinned.size)
                {
                    return Ok((part, Err(Broken::Delete(too_long(url, pinned)))));
                }
                let digest = pinned.digest;
                let size = pinned.size;
                part = blocking(move || {
                    part.start_over()?;
                    part.bind(&digest, size, etag.as_deref())?;
                    Ok(part)
                })
                .await?;
            }
            // What is there is longer than what the server has.
            416 => {
                let error = UpdateError::WrongRange {
                    url: url.to_string(),
                    asked: part.length(),
                };
                return Ok((part, Err(Broken::StartOver(error))));
            }
            status => {
                let error = UpdateError::Status {
                    url: url.to_string(),
                    status,
                };
                let broken = if error.is_transient() {
                    Broken::Resume(error)
                } else {
                    Broken::Keep(error)
                };
                return Ok((part, Err(broken)));
            }
        }
        self.stream(part, response, url, pinned, progress, wire_bytes)
            .await
    }

    async fn request(&self, part: &Part, url: &Url) -> Result<Response, Broken> {
        let mut request = self.http.get(url.clone());
        if let (Some(etag), length @ 1..) = (part.etag(), part.length()) {
            request = request
                .header(RANGE, format!("bytes={length}-"))
                .header(IF_RANGE, etag);
        }
        let stall = self.limits.stall;
        match time::timeout(stall, self.http.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(source)) => {
                let error = UpdateError::Request {
                    url: url.to_string(),
                    source,
                };
                Err(if error.is_transient() {
                    Broken::Resume(error)
                } else {
                    Broken::Keep(error)
                })
            }
            Err(_) => Err(Broken::Resume(stalled(url, stall))),
        }
    }

    async fn stream(
        &self,
        mut part: Part,
        response: Response,
        url: &Url,
        pinned: &Pinned,
        progress: &(dyn Fn(u64) + Sync),
        wire_bytes: &mut u64,
    ) -> Result<(Part, Result<(), Broken>), UpdateError> {
        let stall = self.limits.stall;
        let mut body = response.bytes_stream();
        let mut pieces = Pieces::new(self.limits.piece);
        let beat = self.limits.beat;
        let mut written_at = Instant::now();
        let end = loop {
            let chunk = match time::timeout(stall, body.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(source))) => {
                    break Err(Broken::Resume(UpdateError::Request {
                        url: url.to_string(),
                        source,
                    }));
                }
                Ok(None) => break Ok(()),
                Err(_) => break Err(Broken::Resume(stalled(url, stall))),
            };
            *wire_bytes += chunk.len() as u64;
            if part.length() + pieces.length() as u64 + chunk.len() as u64 > pinned.size {
                return Ok((part, Err(Broken::Delete(too_long(url, pinned)))));
            }
            let mut full = pieces.add(&chunk);
            if beat.is_some_and(|beat| written_at.elapsed() >= beat) {
                full.extend(pieces.rest());
            }
            if !full.is_empty() {
                part = write(part, full).await?;
                progress(part.length());
                written_at = Instant::now();
            }
        };
        part = write(part, pieces.rest().into_iter().collect()).await?;
        progress(part.length());
        let found = part.length();
        let end = match end {
            Ok(()) if found < pinned.size => {
                let expected = pinned.size;
                Err(Broken::Resume(UpdateError::CutShort {
                    url: url.to_string(),
                    found,
                    expected,
                }))
            }
            end => end,
        };
        Ok((part, end))
    }
}

/// Whether a 206 brings the rest of the same bytes.
fn is_rest(response: &Response, part: &Part, size: u64, etag: Option<&str>) -> bool {
    let expected = format!("bytes {}-{}/{size}", part.length(), size.saturating_sub(1));
    let range = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok());
    range == Some(expected.as_str()) && etag.is_none_or(|etag| part.etag() == Some(etag))
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

async fn write(mut part: Part, pieces: Vec<Vec<u8>>) -> Result<Part, UpdateError> {
    if pieces.is_empty() {
        return Ok(part);
    }
    blocking(move || {
        for piece in &pieces {
            part.append(piece)?;
        }
        Ok(part)
    })
    .await
}

fn too_long(url: &Url, pinned: &Pinned) -> UpdateError {
    UpdateError::TooLong {
        url: url.to_string(),
        limit: pinned.size,
    }
}

fn stalled(url: &Url, stall: Duration) -> UpdateError {
    UpdateError::Stalled {
        url: url.to_string(),
        seconds: stall.as_secs(),
    }
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
