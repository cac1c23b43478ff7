//! A static server for one folder, on the loopback address alone.
//!
//! It does what a CDN does with a repository and what a client relies on: strong entity tags,
//! single ranges, exact lengths, metadata packed with gzip, cache headers by kind of file. It does not know what the
//! files mean, never lists a folder, never writes below it, and serves nothing that a link
//! leads out of it.

mod access_log;
mod conditions;
mod file;
mod path;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tokio::sync::oneshot;

use crate::PublishError;
use access_log::{AccessLog, Record};
use conditions::Selection;
use file::Content;

/// A running server. It ends when it is stopped or dropped, and connections end with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `folder` on `127.0.0.1`. Port 0 takes a free one. With `access_log`, each answer
    /// adds a line of JSON to that file, before its last byte is sent.
    pub fn start(folder: &Path, port: u16, access_log: Option<PathBuf>) -> Result<Self, PublishError> {
        let serve_error = |source| PublishError::ServeFolder {
            path: folder.to_owned(),
            source,
        };
        let root = folder.canonicalize().map_err(serve_error)?;
        if !root.is_dir() {
            return Err(serve_error(io::ErrorKind::NotADirectory.into()));
        }
        let log = match access_log {
            None => AccessLog::none(),
            Some(path) => {
                AccessLog::open(&path).map_err(|source| PublishError::AccessLog { path, source })?
            }
        };
        let listen_error = |source| PublishError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        listener.set_nonblocking(true).map_err(listen_error)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_io()
            .build()
            .map_err(listen_error)?;
        let (stop, stopped) = oneshot::channel();
        let site = Arc::new(Site { root, log });
        let thread = std::thread::Builder::new()
            .name("moult-serve".to_owned())
            .spawn(move || runtime.block_on(run(listener, site, stopped)))
            .map_err(listen_error)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where the folder is: `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends the server and every open connection; the port is free again when this returns.
    pub fn stop(mut self) {
        self.end();
    }

    /// Waits until the server ends, which it does not do by itself.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic in the server's thread was printed there; the caller only waits.
            drop(thread.join());
        }
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is served, and where the answers are noted.
struct Site {
    root: PathBuf,
    log: AccessLog,
}

/// Serves until told to stop. The runtime ends with it, and every connection with the runtime.
async fn run(listener: TcpListener, site: Arc<Site>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let router = Router::new().fallback(answer).with_state(site);
    tokio::select! {
        _ = async { axum::serve(listener, router).await } => {}
        _ = stopped => {}
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let record = Record {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        range: text_of(&head.headers, &header::RANGE).map(str::to_owned),
    };
    if head.method != Method::GET && head.method != Method::HEAD {
        let mut response = site.plain(&record, StatusCode::METHOD_NOT_ALLOWED);
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Some(relative) = path::relative(head.uri.path()) else {
        return site.plain(&record, StatusCode::NOT_FOUND);
    };
    let root = site.root.clone();
    let wanted = relative.clone();
    let opened = tokio::task::spawn_blocking(move || -> io::Result<Option<Content>> {
        match path::inside(&root, &wanted) {
            // A folder can't be opened everywhere.
            Some(path) if !path.is_dir() => File::open(path).and_then(Content::of).map(Some),
            _ => Ok(None),
        }
    });
    let content = match opened.await {
        Ok(Ok(Some(content))) => content,
        Ok(Ok(None)) => return site.plain(&record, StatusCode::NOT_FOUND),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return site.plain(&record, StatusCode::NOT_FOUND);
        }
        Ok(Err(_)) | Err(_) => return site.plain(&record, StatusCode::INTERNAL_SERVER_ERROR),
    };
    site.file(record, &head.method, &head.headers, &relative, content)
}

impl Site {
    /// An answer without a body.
    fn plain(&self, record: &Record, status: StatusCode) -> Response {
        self.log.write(record, status.as_u16(), 0);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn file(
        &self,
        record: Record,
        method: &Method,
        request: &HeaderMap,
        path: &str,
        content: Content,
    ) -> Response {
        let is_json = path::content_type(path) == "application/json";
        let can_pack = is_json && !request.contains_key(header::RANGE) && takes_gzip(request);
        let (content, is_packed) = if can_pack {
            content.packed()
        } else {
            (content, false)
        };
        let whole = content.length();
        let etag = content.etag().to_owned();
        let selection = conditions::select(
            &conditions::Conditions {
                is_get: *method == Method::GET,
                if_none_match: text_of(request, &header::IF_NONE_MATCH),
                range: text_of(request, &header::RANGE),
                if_range: text_of(request, &header::IF_RANGE),
            },
            &etag,
            whole,
        );
        let (status, part) = match selection {
            Selection::Whole => (StatusCode::OK, 0..whole),
            Selection::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Selection::NotModified => (StatusCode::NOT_MODIFIED, 0..0),
            Selection::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
        };
        let length = part.end - part.start;
        let content_range = match status {
            StatusCode::PARTIAL_CONTENT => Some(format!("bytes {}-{}/{whole}", part.start, part.end - 1)),
            StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{whole}")),
            _ => None,
        };
        let sends_body = *method == Method::GET && length > 0;
        let body = if sends_body {
            content.body(part, self.log.entry(record, status.as_u16()))
        } else {
            self.log.write(&record, status.as_u16(), 0);
            Body::empty()
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if status != StatusCode::NOT_MODIFIED {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(path::content_type(path)),
            );
        }
        if is_json {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if is_packed && status != StatusCode::NOT_MODIFIED {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // Packed bytes are other bytes: a strong tag would say that they are the same.
        let etag = if is_packed || (status == StatusCode::NOT_MODIFIED && can_pack) {
            format!("W/{etag}")
        } else {
            etag
        };
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(path::cache_control(path)),
        );
        let texts = [(header::ETAG, Some(etag)), (header::CONTENT_RANGE, content_range)];
        for (name, text) in texts {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Whether a client takes gzip: it names it, and not with the weight 0.
fn takes_gzip(request: &HeaderMap) -> bool {
    let accepted = text_of(request, &header::ACCEPT_ENCODING).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let names = matches!(parts.next(), Some("gzip" | "*"));
        names && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn text_of<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
