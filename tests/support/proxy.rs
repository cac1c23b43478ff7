//! A network that fails on purpose: passes requests on to the server and damages the answers it is told to.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tokio::sync::oneshot;
use url::Url;

/// What is done to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One bit in the middle of the body is turned over.
    Flip,
    /// The second half of the body is missing, and the length says so.
    Truncate,
    /// The body breaks off in the middle: fewer bytes come than were announced.
    Cut,
    /// The server is not asked; this is the answer.
    Status(u16),
}

/// A running proxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: Url,
    client: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
}

#[derive(Clone, Debug)]
struct Rule {
    part: String,
    fault: Fault,
    hits: usize,
}

const PASSED_ON: [header::HeaderName; 8] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_NONE_MATCH,
    header::ETAG,
    header::CONTENT_TYPE,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
];

impl Proxy {
    /// Starts a proxy before `upstream` on a free port of the loopback address.
    pub fn start(upstream: &Url) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.clone(),
            client: reqwest::Client::builder().no_proxy().build()?,
            rules: Mutex::new(Vec::new()),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(move || runtime.block_on(run(listener, state, stopped)))?;
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it is, ending in `/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on, damages the answers to paths that contain `part`.
    pub fn damage(&self, part: &str, fault: Fault) {
        self.rules().push(Rule {
            part: part.to_owned(),
            fault,
            hits: 0,
        });
    }

    /// How many answers were damaged since the last [`Proxy::heal`].
    pub fn hits(&self) -> usize {
        self.rules().iter().map(|rule| rule.hits).sum()
    }

    /// From now on, damages nothing.
    pub fn heal(&self) {
        self.rules().clear();
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.shared.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let router = Router::new().fallback(answer).with_state(shared);
    tokio::select! {
        _ = async { axum::serve(listener, router).await } => {}
        _ = stopped => {}
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let fault = shared.fault_of(&path);
    if let Some(Fault::Status(status)) = fault {
        return with_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    }
    match shared
        .forward(&path, request.method().clone(), request.headers())
        .await
    {
        Ok((status, headers, body)) => damaged(status, headers, body, fault),
        Err(_) => with_status(StatusCode::BAD_GATEWAY),
    }
}

impl Shared {
    fn fault_of(&self, path: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| path.contains(&rule.part))?;
        rule.hits += 1;
        Some(rule.fault)
    }

    async fn forward(
        &self,
        path: &str,
        method: axum::http::Method,
        headers: &HeaderMap,
    ) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
        let url = self.upstream.join(path.trim_start_matches('/'))?;
        let reply = self
            .client
            .request(method, url)
            .headers(chosen(headers))
            .send()
            .await?;
        let (status, headers) = (reply.status(), chosen(reply.headers()));
        Ok((status, headers, reply.bytes().await?))
    }
}

fn chosen(headers: &HeaderMap) -> HeaderMap {
    let pick = |name: header::HeaderName| headers.get(&name).map(|value| (name, value.clone()));
    PASSED_ON.into_iter().filter_map(pick).collect()
}

fn damaged(status: StatusCode, headers: HeaderMap, body: Bytes, fault: Option<Fault>) -> Response {
    let half = body.len() / 2;
    let body = match fault {
        Some(Fault::Flip) if !body.is_empty() => {
            let mut bytes = body.to_vec();
            bytes[half] ^= 1;
            Body::from(bytes)
        }
        Some(Fault::Truncate) => Body::from(body.slice(..half)),
        Some(Fault::Cut) => Body::from_stream(Broken {
            first: Some(body.slice(..half)),
        }),
        _ => Body::from(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Some bytes, then a broken connection.
struct Broken {
    first: Option<Bytes>,
}

impl futures_util::Stream for Broken {
    type Item = std::io::Result<Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let broken = || Err(std::io::ErrorKind::ConnectionReset.into());
        std::task::Poll::Ready(Some(self.first.take().map_or_else(broken, Ok)))
    }
}
