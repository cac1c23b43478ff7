//! A static server on loopback that can be told to fail.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use moult_model::Digest;

/// How a request fails.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The status, with no body of worth.
    Status(u16),
    /// One bit of the byte in the middle is turned.
    Flip,
    /// The body ends early without a word: its length was announced as what came.
    Short(usize),
    /// The connection breaks after this many bytes.
    Cut(usize),
    /// After this many bytes nothing comes any more.
    Stall(usize),
    /// After this many bytes they come slowly: so many every 10 ms.
    Drip(usize, usize),
    /// The body never ends.
    Endless,
    /// Whatever range is asked for, the whole file comes with 200.
    IgnoreRange,
    /// The file has other bytes and another entity tag.
    Replaced(Vec<u8>),
    /// Another range comes than was asked for.
    WrongRange,
    /// A redirect to this address.
    Redirect(String),
}

/// A fault of paths that end so, for some requests.
#[derive(Clone, Debug)]
struct Rule {
    path: String,
    fault: Fault,
    times: u32,
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    folder: PathBuf,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(folder: PathBuf) -> Self {
        let shared = Arc::new(Shared {
            folder,
            ..Shared::default()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, port, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Lets requests fail whose path ends so: the next `times`.
    pub(crate) fn fail(&self, path: &str, fault: Fault, times: u32) {
        self.shared.rules.lock().unwrap().push(Rule {
            path: path.to_owned(),
            fault,
            times,
        });
    }

    pub(crate) fn heal(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
    }

    /// The requests for paths that end so.
    pub(crate) fn seen_of(&self, path: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path.ends_with(path))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let text = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let (range, if_range) = (text(header::RANGE), text(header::IF_RANGE));
    let fault = {
        let mut rules = shared.rules.lock().unwrap();
        let rule = rules
            .iter_mut()
            .find(|rule| rule.times > 0 && path.ends_with(&rule.path));
        rule.map(|rule| {
            rule.times -= 1;
            rule.fault.clone()
        })
    };
    let response = serve(&shared, &path, request.headers(), fault.as_ref());
    let status = response.status().as_u16();
    shared.seen.lock().unwrap().push(Seen {
        path,
        status,
        range,
        if_range,
    });
    response
}

fn serve(shared: &Shared, path: &str, headers: &HeaderMap, fault: Option<&Fault>) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match fault {
        Some(Fault::Status(status)) => return StatusCode::from_u16(*status).unwrap().into_response(),
        Some(Fault::Redirect(to)) => {
            return (StatusCode::FOUND, [(header::LOCATION, to.clone())]).into_response();
        }
        _ => {}
    }
    let Ok(mut bytes) = fs::read(shared.folder.join(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match fault {
        Some(Fault::Flip) => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        Some(Fault::Short(length)) => bytes.truncate(*length),
        Some(Fault::Replaced(other)) => bytes.clone_from(other),
        _ => {}
    }
    let etag = format!("\"{}\"", Digest::of(&bytes).short());
    if text(header::IF_NONE_MATCH) == Some(etag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let asked =
        text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let is_same = text(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let start: usize = match (fault, asked) {
        (Some(Fault::IgnoreRange), _) | (_, None) => 0,
        (Some(Fault::WrongRange), Some(start)) => start - 1,
        (_, Some(start)) if is_same => start,
        (_, Some(_)) => 0,
    };
    let total = bytes.len();
    let mut response = Response::builder().header(header::ETAG, &etag);
    if start > 0 {
        let range = format!("bytes {start}-{}/{total}", total - 1);
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, range);
    }
    let rest = Bytes::from(bytes.split_off(start));
    let announced = response.header(header::CONTENT_LENGTH, rest.len());
    let body = match fault {
        Some(Fault::Cut(length)) => {
            let chunks = [Ok(rest.slice(..*length)), Err(std::io::Error::other("cut"))];
            // The bytes are on their way before the connection breaks.
            let cut = stream::iter(chunks).then(|chunk| async {
                if chunk.is_err() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                chunk
            });
            return announced.body(Body::from_stream(cut)).unwrap();
        }
        Some(Fault::Stall(length)) => {
            let first = stream::iter([Ok::<_, std::io::Error>(rest.slice(..*length))]);
            return announced
                .body(Body::from_stream(first.chain(stream::pending())))
                .unwrap();
        }
        Some(Fault::Drip(length, portion)) => {
            let first = rest.slice(..(*length).min(rest.len()));
            let slow = rest.slice(first.len()..);
            let portions: Vec<_> = (0..slow.len())
                .step_by(*portion)
                .map(|at| slow.slice(at..slow.len().min(at + portion)))
                .collect();
            let portions = stream::iter(portions).then(|portion| async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok::<_, std::io::Error>(portion)
            });
            let first = stream::iter([Ok(first)]);
            return announced.body(Body::from_stream(first.chain(portions))).unwrap();
        }
        Some(Fault::Endless) => {
            let chunk = Bytes::from(vec![0; 4096]);
            let body = Body::from_stream(stream::repeat_with(move || {
                Ok::<_, std::io::Error>(chunk.clone())
            }));
            return Response::builder().header(header::ETAG, etag).body(body).unwrap();
        }
        _ => Body::from(rest),
    };
    announced.body(body).unwrap()
}
