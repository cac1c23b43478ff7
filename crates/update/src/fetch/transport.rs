//! The transport of `trust`: small files in one piece, with a deadline, three tries and a size limit.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use moult_model::ErrorCode;
use moult_trust::{GetFuture, Reply, Transport, TransportError};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use tokio::time::{self, Instant};
use url::Url;

use super::breaker::{BreakerEvent, Verdict};
use super::choice::{Choice, Pick};
use super::coding::{self, Unreadable};
use super::download::{refusal, text};
use crate::error::UpdateError;
use crate::fetch::{Alert, Backoff, Folder, Http, Limits, Mirrors, Route, backoff, portal};

/// The repository that the settings name. The settings may change while it is in use, and what they
/// say may be no address at all; then every request fails, and nothing else.
#[derive(Debug)]
pub struct Repository {
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    route: Route,
    limits: Limits,
    /// Set if a folder answers in place of the network.
    folder: Option<Folder>,
    /// None if the route can't be one.
    mirrors: Option<Mirrors>,
}

impl Current {
    fn open(route: Route, limits: Limits, folder: Option<Folder>) -> Self {
        let mut current = Self {
            route,
            limits,
            folder,
            mirrors: None,
        };
        current.mirrors = current.mirrors().ok();
        current
    }

    fn mirrors(&self) -> Result<Mirrors, UpdateError> {
        match (&self.mirrors, &self.folder) {
            (Some(mirrors), _) => Ok(mirrors.clone()),
            (None, Some(folder)) => Ok(Arc::new(Http::in_folder(folder.clone(), self.limits)?).into()),
            (None, None) => Mirrors::open(&self.route, self.limits),
        }
    }
}

impl Repository {
    /// The repository at an address.
    pub fn new(address: &str, limits: Limits) -> Self {
        Self::along(Route::to(address), limits)
    }

    /// The repository at the end of a route.
    pub fn along(route: Route, limits: Limits) -> Self {
        Self {
            current: RwLock::new(Current::open(route, limits, None)),
        }
    }

    /// A repository that lies in a folder of this computer; no request leaves this process. What the
    /// settings say is an address all the same: if it changes, the network is next.
    pub fn in_folder(folder: Folder, settings_address: &str, limits: Limits) -> Self {
        let route = Route::to(settings_address);
        Self {
            current: RwLock::new(Current::open(route, limits, Some(folder))),
        }
    }

    /// Goes on along another route. Says whether its address is another one.
    pub fn set_route(&self, route: Route) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.route.address != route.address;
        // A folder is no address that a mirror could stand in for.
        if current.route == route || (current.folder.is_some() && !is_other) {
            return false;
        }
        *current = Current::open(route, current.limits, None);
        is_other
    }

    /// Goes on with other limits.
    pub fn set_limits(&self, limits: Limits) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.limits != limits {
            *current = Current::open(current.route.clone(), limits, current.folder.clone());
        }
    }

    /// The addresses of now.
    pub fn mirrors(&self) -> Result<Mirrors, UpdateError> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .mirrors()
    }

    /// Whether it is reached through a network.
    pub(crate) fn is_remote(&self) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.folder.is_none()
    }

    /// Forgets that hosts failed: the user asks, or the network is another one.
    pub(crate) fn refresh(&self) {
        if let Ok(mirrors) = self.mirrors() {
            mirrors.refresh();
        }
    }

    /// What there is to tell since the last call.
    pub(crate) fn take_alerts(&self) -> Vec<Alert> {
        self.mirrors()
            .map(|mirrors| mirrors.take_alerts())
            .unwrap_or_default()
    }

    async fn fetch(&self, path: &str, max_bytes: u64, etag: Option<&str>) -> Result<Reply, TransportError> {
        let mirrors = self.mirrors().map_err(|error| refused(path, error))?;
        let limits = *mirrors.limits();
        let backoff = Backoff::new(&limits);
        let mut choice = Choice::new(mirrors.count(), mirrors.current(), limits.tries);
        // The end of the chain of roots is a file that is not there. It is so everywhere, and no fault.
        let may_be_missing = path.ends_with(".root.json");
        let mut last = None;
        loop {
            let (place, failed) = match choice.pick(|place| mirrors.wait(place)) {
                Pick::Take { place, failed, .. } => (place, failed),
                Pick::Wait(wait) => {
                    let error =
                        last.unwrap_or_else(|| Failure::Error(mirrors.resting(mirrors.current(), wait)));
                    return error.end(path);
                }
                Pick::Nothing => return last.unwrap_or(Failure::Error(UpdateError::Abandoned)).end(path),
            };
            if failed > 0 {
                time::sleep(backoff.pause(failed, backoff::random())).await;
            }
            if let Verdict::Wait(_) = mirrors.ask(place) {
                continue;
            }
            let http = mirrors.http(place).map_err(|error| refused(path, error))?;
            let url = http.url(path).map_err(|error| refused(path, error))?;
            let began = Instant::now();
            let call = ask(http, &url, max_bytes, etag);
            let outcome = match time::timeout(limits.control, call).await {
                Ok(outcome) => outcome,
                Err(_) => Err(UpdateError::Stalled {
                    url: url.to_string(),
                    seconds: limits.control.as_secs(),
                }),
            };
            match outcome {
                Ok(Answer::Reply(reply)) => {
                    mirrors.report(place, BreakerEvent::Answered(Some(began.elapsed())));
                    mirrors.prefer(place);
                    return Ok(reply);
                }
                // A mirror may lag behind.
                Ok(Answer::Missing(status)) => {
                    mirrors.report(place, BreakerEvent::Answered(None));
                    if may_be_missing {
                        return Ok(Reply::Missing);
                    }
                    let url_text = url.to_string();
                    mirrors.alert(
                        &url,
                        &UpdateError::Status {
                            url: url_text,
                            status,
                        },
                    );
                    choice.leave(place);
                    last.get_or_insert(Failure::Missing);
                }
                Err(error) => {
                    let event = match &error {
                        UpdateError::Busy { seconds, .. } => {
                            BreakerEvent::Busy(Duration::from_secs(*seconds))
                        }
                        error if error.code() == ErrorCode::Offline => BreakerEvent::Unsaid,
                        error if error.is_transient() => BreakerEvent::Failed,
                        _ => BreakerEvent::Answered(None),
                    };
                    mirrors.report(place, event);
                    if error.is_alarming() {
                        mirrors.alert(&url, &error);
                    }
                    if error.is_transient() {
                        tracing::debug!(%url, failed, %error, "a control call failed");
                        choice.failed(place);
                    } else {
                        choice.leave(place);
                    }
                    last = Some(Failure::Error(error));
                }
            }
        }
    }
}

/// What came of a file in the end.
enum Failure {
    Missing,
    Error(UpdateError),
}

impl Failure {
    fn end(self, path: &str) -> Result<Reply, TransportError> {
        match self {
            Self::Missing => Ok(Reply::Missing),
            Self::Error(error) => Err(refused(path, error)),
        }
    }
}

/// What one try brought.
enum Answer {
    Reply(Reply),
    /// There is no such file, by this status.
    Missing(u16),
}

impl Transport for Repository {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, etag: Option<&'a str>) -> GetFuture<'a> {
        Box::pin(self.fetch(path, max_bytes, etag))
    }
}

/// One try. The size limit is for the file as it is read, packed or not.
async fn ask(http: &Http, url: &Url, max_bytes: u64, etag: Option<&str>) -> Result<Answer, UpdateError> {
    let failed = |source| UpdateError::Request {
        url: url.to_string(),
        source,
    };
    let mut request = http.get(url.clone()).header(ACCEPT_ENCODING, coding::ACCEPTED);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let response = http.send(request).await.map_err(failed)?;
    match response.status().as_u16() {
        200 => {}
        304 if etag.is_some() => return Ok(Answer::Reply(Reply::NotModified)),
        status @ (403 | 404) => return Ok(Answer::Missing(status)),
        status => return Err(refusal(&response, url, status)),
    }
    let too_long = || UpdateError::TooLong {
        url: url.to_string(),
        limit: max_bytes,
    };
    let packed = text(&response, CONTENT_ENCODING).map(str::to_owned);
    // What can't be compressed gets a little longer by it.
    let most = match packed {
        Some(_) => max_bytes.saturating_add(max_bytes / 100).saturating_add(1024),
        None => max_bytes,
    };
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_long());
    }
    let etag = text(&response, ETAG).map(str::to_owned);
    let content_type = text(&response, CONTENT_TYPE).map(str::to_owned);
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(failed)?;
        if bytes.len() as u64 + chunk.len() as u64 > most {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    let bytes =
        coding::decode(bytes, packed.as_deref(), max_bytes).map_err(|unreadable| match unreadable {
            Unreadable::TooLong => too_long(),
            Unreadable::Broken | Unreadable::Unknown => UpdateError::Coding {
                url: url.to_string(),
                coding: packed.unwrap_or_default().chars().take(100).collect(),
            },
        })?;
    if portal::is_no_json(content_type.as_deref(), &bytes) {
        return Err(UpdateError::Portal { url: url.to_string() });
    }
    Ok(Answer::Reply(Reply::Body { bytes, etag }))
}

fn refused(url: &str, error: UpdateError) -> TransportError {
    let code = match error {
        // A signed file that is longer than it may be is no file of ours.
        UpdateError::TooLong { .. } if url.ends_with("index.json") => ErrorCode::IndexInvalid,
        UpdateError::TooLong { .. } => ErrorCode::MetadataInvalid,
        ref error => error.code(),
    };
    TransportError {
        code,
        url: url.to_owned(),
        source: Box::new(error),
    }
}
