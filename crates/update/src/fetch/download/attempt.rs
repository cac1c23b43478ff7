//! One request to one mirror, and all that comes of it. It refuses to know whether there is another try.

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use moult_model::ErrorCode;
use reqwest::Response;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_RANGE, RANGE,
    RETRY_AFTER,
};
use tokio::time::{self, Instant};
use url::Url;

use super::{Pinned, blocking};
use crate::error::UpdateError;
use crate::fetch::breaker::BreakerEvent;
use crate::fetch::pace::Pace;
use crate::fetch::part::Part;
use crate::fetch::pieces::Pieces;
use crate::fetch::{Limits, Mirrors, portal, retry_after};

/// How one try failed.
pub(super) struct Broken {
    pub(super) then: Then,
    pub(super) error: Box<UpdateError>,
}

/// What follows a try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The next try goes on from the bytes that are there.
    Resume,
    /// The next try starts over.
    StartOver,
    /// This mirror is not asked again, and what came is worthless.
    Leave,
    /// This mirror is not asked again; the bytes are kept.
    Keep,
    /// So many bytes per second are too few while there is another mirror. The bytes are kept.
    Slow(u64),
}

impl Broken {
    pub(super) fn new(then: Then, error: UpdateError) -> Self {
        Self {
            then,
            error: Box::new(error),
        }
    }

    fn of(error: UpdateError) -> Self {
        let then = if error.is_transient() {
            Then::Resume
        } else {
            Then::Keep
        };
        Self::new(then, error)
    }

    /// Whether the bytes that are there are of no use.
    pub(super) fn is_worthless(&self) -> bool {
        matches!(self.then, Then::StartOver | Then::Leave)
    }

    /// What it means for the host. What a server refuses, and what comes slowly, is an answer all the same.
    pub(super) fn event(&self) -> BreakerEvent {
        match (self.then, &*self.error) {
            (Then::Resume, UpdateError::Busy { seconds, .. }) => {
                BreakerEvent::Busy(Duration::from_secs(*seconds))
            }
            (Then::Resume, error) if error.code() == ErrorCode::Offline => BreakerEvent::Unsaid,
            (Then::Resume, _) => BreakerEvent::Failed,
            _ => BreakerEvent::Answered(None),
        }
    }
}

/// One try.
pub(super) struct Attempt<'a> {
    pub(super) mirrors: &'a Mirrors,
    pub(super) place: usize,
    pub(super) url: &'a Url,
    pub(super) pinned: &'a Pinned,
    pub(super) limits: &'a Limits,
    /// Whether there is another mirror to go to.
    pub(super) hurry: bool,
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl Attempt<'_> {
    /// Makes it. The outer error is the disk's.
    pub(super) async fn run(
        &self,
        part: Part,
        wire_bytes: &mut u64,
    ) -> Result<(Part, Result<(), Broken>), UpdateError> {
        if part.length() == self.pinned.size && self.pinned.size > 0 {
            return Ok((part, Ok(())));
        }
        let mut tag = self.known_tag(&part).map(str::to_owned);
        let mut asked = self.request(&part, tag.as_deref()).await;
        let is_whole = |response: &Response| response.status().as_u16() == 200;
        if tag.is_some()
            && asked
                .as_ref()
                .is_ok_and(|response| is_whole(response) && !is_page(response))
        {
            // Another tag does not mean another file: this may be another computer behind the same name. What
            // the bytes are worth the digest says.
            drop(asked);
            tag = None;
            asked = self.request(&part, None).await;
        }
        let response = match asked {
            Ok(response) => response,
            Err(broken) => return Ok((part, Err(broken))),
        };
        if let Err(broken) = self.look_at(&response, &part, tag.as_deref()) {
            return Ok((part, Err(broken)));
        }
        self.stream(part, response, wire_bytes).await
    }

    /// The tag that the bytes so far have at this mirror.
    fn known_tag<'p>(&self, part: &'p Part) -> Option<&'p str> {
        let http = self.mirrors.http(self.place).ok()?;
        part.etag(http.base().as_str()).filter(|_| part.length() > 0)
    }

    async fn request(&self, part: &Part, tag: Option<&str>) -> Result<Response, Broken> {
        let http = self.mirrors.http(self.place).map_err(Broken::of)?;
        let mut request = http.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
        if part.length() > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.length()));
        }
        if let Some(tag) = tag {
            request = request.header(IF_RANGE, tag);
        }
        match time::timeout(self.silence(), http.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(source)) => Err(Broken::of(UpdateError::Request {
                url: self.url.to_string(),
                source,
            })),
            Err(_) => Err(Broken::new(Then::Resume, self.stalled())),
        }
    }

    /// Whether an answer brings what was asked for, as far as its head tells.
    fn look_at(&self, response: &Response, part: &Part, tag: Option<&str>) -> Result<(), Broken> {
        let url = || self.url.to_string();
        let length = response.content_length();
        if let (200 | 206, Some(coding)) = (response.status().as_u16(), text(response, CONTENT_ENCODING))
            && !matches!(coding, "" | "identity")
        {
            return Err(Broken::new(
                Then::Keep,
                UpdateError::Coding {
                    url: url(),
                    coding: coding.chars().take(100).collect(),
                },
            ));
        }
        match response.status().as_u16() {
            206 if !self.is_rest(response, part, tag) => {
                return Err(Broken::new(
                    Then::StartOver,
                    UpdateError::WrongRange {
                        url: url(),
                        asked: part.length(),
                    },
                ));
            }
            200 if is_page(response) => {
                return Err(Broken::new(Then::Keep, UpdateError::Portal { url: url() }));
            }
            200 if length.is_some_and(|length| length > self.pinned.size) => {
                return Err(Broken::new(Then::Leave, self.too_long()));
            }
            200 if length.is_some_and(|length| length < self.pinned.size) => {
                return Err(Broken::new(
                    Then::Resume,
                    UpdateError::WrongLength {
                        url: url(),
                        found: length.unwrap_or_default(),
                        expected: self.pinned.size,
                    },
                ));
            }
            200 | 206 => {}
            // What is there is longer than what the server has.
            416 => {
                return Err(Broken::new(
                    Then::StartOver,
                    UpdateError::WrongRange {
                        url: url(),
                        asked: part.length(),
                    },
                ));
            }
            status => return Err(Broken::of(refusal(response, self.url, status))),
        }
        Ok(())
    }

    /// Whether a 206 brings the rest of the same bytes. Only a strong tag that was asked for, and another one in
    /// the answer, say that they are others.
    fn is_rest(&self, response: &Response, part: &Part, tag: Option<&str>) -> bool {
        let size = self.pinned.size;
        let expected = format!("bytes {}-{}/{size}", part.length(), size.saturating_sub(1));
        let given = text(response, ETAG).filter(|given| given.starts_with('"'));
        let is_same = match (tag, given) {
            (Some(tag), Some(given)) => tag == given,
            _ => true,
        };
        part.length() > 0 && text(response, CONTENT_RANGE) == Some(expected.as_str()) && is_same
    }

    async fn stream(
        &self,
        mut part: Part,
        response: Response,
        wire_bytes: &mut u64,
    ) -> Result<(Part, Result<(), Broken>), UpdateError> {
        let (window, floor) = if self.hurry {
            (self.limits.leave, self.mirrors.floor())
        } else {
            (self.limits.stall, self.limits.crawl)
        };
        let began = Instant::now();
        // What is waited for the user's own limit is no mirror's fault.
        let mut held_back = Duration::ZERO;
        let mut pace = Pace::new(window, Duration::ZERO);
        let mut pieces = Pieces::new(self.limits.piece);
        let mut written_at = began;
        let etag = text(&response, ETAG).map(str::to_owned);
        let address = self.mirrors.http(self.place)?.base().to_string();
        // What is there goes only when something better has begun to come.
        let mut is_whole = response.status().as_u16() == 200;
        if !is_whole {
            part = bind(part, etag.clone(), &address, false).await?;
        }
        let mut body = response.bytes_stream();
        let end = loop {
            let chunk = match time::timeout(self.silence(), body.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(source))) => {
                    break Err(Broken::new(
                        Then::Resume,
                        UpdateError::Request {
                            url: self.url.to_string(),
                            source,
                        },
                    ));
                }
                Ok(None) => break Ok(()),
                Err(_) => break Err(Broken::new(Then::Resume, self.stalled())),
            };
            *wire_bytes += chunk.len() as u64;
            if is_whole {
                if portal::is_page(None, &chunk) {
                    let url = self.url.to_string();
                    return Ok((part, Err(Broken::new(Then::Keep, UpdateError::Portal { url }))));
                }
                part = bind(part, etag.clone(), &address, true).await?;
                is_whole = false;
            }
            let before = part.length() + pieces.length() as u64;
            if before + chunk.len() as u64 > self.pinned.size {
                return Ok((part, Err(Broken::new(Then::Leave, self.too_long()))));
            }
            let mut full = pieces.add(&chunk);
            if self.limits.beat.is_some_and(|beat| written_at.elapsed() >= beat) {
                full.extend(pieces.rest());
            }
            if !full.is_empty() {
                part = write(part, full).await?;
                (self.progress)(part.length());
                written_at = Instant::now();
            }
            let pause = self.mirrors.throttle(chunk.len() as u64);
            if !pause.is_zero() {
                time::sleep(pause).await;
                held_back += pause;
            }
            let now = began.elapsed().saturating_sub(held_back);
            pace.add(chunk.len() as u64, now);
            if pace.is_below(floor, now) {
                let per_second = pace.so_far(now);
                let url = self.url.to_string();
                let error = UpdateError::Crawl { url, per_second };
                break Err(if self.hurry {
                    Broken::new(Then::Slow(per_second), error)
                } else {
                    Broken::new(Then::Resume, error)
                });
            }
        };
        part = write(part, pieces.rest().into_iter().collect()).await?;
        (self.progress)(part.length());
        let (found, expected) = (part.length(), self.pinned.size);
        let end = match end {
            Ok(()) if found < expected => Err(Broken::new(
                Then::Resume,
                UpdateError::CutShort {
                    url: self.url.to_string(),
                    found,
                    expected,
                },
            )),
            end => end,
        };
        Ok((part, end))
    }

    /// For how long nothing may come.
    fn silence(&self) -> Duration {
        if self.hurry {
            self.limits.leave.min(self.limits.stall)
        } else {
            self.limits.stall
        }
    }

    fn stalled(&self) -> UpdateError {
        UpdateError::Stalled {
            url: self.url.to_string(),
            seconds: self.silence().as_secs(),
        }
    }

    fn too_long(&self) -> UpdateError {
        UpdateError::TooLong {
            url: self.url.to_string(),
            limit: self.pinned.size,
        }
    }
}

/// What an answer that is neither the file nor a part of it means.
pub(in crate::fetch) fn refusal(response: &Response, url: &Url, status: u16) -> UpdateError {
    let url = url.to_string();
    let wait = text(response, RETRY_AFTER)
        .filter(|_| matches!(status, 429 | 503))
        .and_then(|value| retry_after::wait(value, Timestamp::now()));
    match wait {
        Some(wait) => UpdateError::Busy {
            url,
            status,
            seconds: wait.as_secs(),
        },
        None => UpdateError::Status { url, status },
    }
}

pub(in crate::fetch) fn text(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Whether an answer says of itself that it is a page.
fn is_page(response: &Response) -> bool {
    portal::is_page(text(response, CONTENT_TYPE), &[])
}

/// Notes where the bytes to come are from; `anew`: they are all of them.
async fn bind(mut part: Part, etag: Option<String>, address: &str, anew: bool) -> Result<Part, UpdateError> {
    let address = address.to_owned();
    blocking(move || {
        if anew {
            part.start_over()?;
        }
        part.bind(etag.as_deref(), &address)?;
        Ok(part)
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
