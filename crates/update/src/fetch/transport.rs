//! The transport of `trust`: small files in one piece, with a deadline, three tries and a size limit.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::StreamExt as _;
use moult_model::ErrorCode;
use moult_trust::{GetFuture, Reply, Transport, TransportError};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use tokio::time;

use crate::error::UpdateError;
use crate::fetch::{Backoff, Folder, Http, Limits, backoff};

/// The repository that the settings name. The settings may change while it is in use, and what they
/// say may be no address at all; then every request fails, and nothing else.
#[derive(Debug)]
pub struct Repository {
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    address: String,
    limits: Limits,
    /// None if the address can't be one.
    http: Option<Arc<Http>>,
}

impl Repository {
    /// The repository at an address.
    pub fn new(address: &str, limits: Limits) -> Self {
        let http = Http::new(address, limits).ok().map(Arc::new);
        Self {
            current: RwLock::new(Current {
                address: address.to_owned(),
                limits,
                http,
            }),
        }
    }

    /// A repository that lies in a folder of this computer; no request leaves this process. What the
    /// settings say is an address all the same: if it changes, the network is next.
    pub fn in_folder(folder: Folder, settings_address: &str, limits: Limits) -> Self {
        let http = Http::in_folder(folder, limits).ok().map(Arc::new);
        Self {
            current: RwLock::new(Current {
                address: settings_address.to_owned(),
                limits,
                http,
            }),
        }
    }

    /// Goes on at another address. Says whether it is another one.
    pub fn set_address(&self, address: &str) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.address == address {
            return false;
        }
        let limits = current.limits;
        *current = Current {
            address: address.to_owned(),
            limits,
            http: Http::new(address, limits).ok().map(Arc::new),
        };
        true
    }

    /// Goes on with other limits.
    pub fn set_limits(&self, limits: Limits) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.limits != limits {
            current.limits = limits;
            let http = current.http.as_ref().map(|http| http.with_limits(limits));
            current.http = http.and_then(Result::ok).map(Arc::new);
        }
    }

    /// The client for the address of now.
    pub fn http(&self) -> Result<Arc<Http>, UpdateError> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        match &current.http {
            Some(http) => Ok(http.clone()),
            None => Http::new(&current.address, current.limits).map(Arc::new),
        }
    }

    async fn fetch(&self, path: &str, max_bytes: u64, etag: Option<&str>) -> Result<Reply, TransportError> {
        let http = self.http().map_err(|error| refused(path, error))?;
        let url = http.url(path).map_err(|error| refused(path, error))?;
        let limits = *http.limits();
        let backoff = Backoff::new(&limits);
        let mut failed = 0;
        loop {
            let call = ask(&http, &url, max_bytes, etag);
            let outcome = match time::timeout(limits.control, call).await {
                Ok(outcome) => outcome,
                Err(_) => Err(UpdateError::Stalled {
                    url: url.to_string(),
                    seconds: limits.control.as_secs(),
                }),
            };
            match outcome {
                Ok(reply) => return Ok(reply),
                Err(error) if error.is_transient() && failed + 1 < limits.tries => {
                    failed += 1;
                    tracing::debug!(%url, failed, %error, "a control call is tried again");
                    time::sleep(backoff.pause(failed, backoff::random())).await;
                }
                Err(error) => return Err(refused(url.as_str(), error)),
            }
        }
    }
}

impl Transport for Repository {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, etag: Option<&'a str>) -> GetFuture<'a> {
        Box::pin(self.fetch(path, max_bytes, etag))
    }
}

/// One try.
async fn ask(http: &Http, url: &url::Url, max_bytes: u64, etag: Option<&str>) -> Result<Reply, UpdateError> {
    let failed = |source| UpdateError::Request {
        url: url.to_string(),
        source,
    };
    let mut request = http.get(url.clone());
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let response = http.send(request).await.map_err(failed)?;
    match response.status().as_u16() {
        200 => {}
        304 if etag.is_some() => return Ok(Reply::NotModified),
        403 | 404 => return Ok(Reply::Missing),
        status => {
            return Err(UpdateError::Status {
                url: url.to_string(),
                status,
            });
        }
    }
    let too_long = || UpdateError::TooLong {
        url: url.to_string(),
        limit: max_bytes,
    };
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_long());
    }
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(failed)?;
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Reply::Body { bytes, etag })
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
