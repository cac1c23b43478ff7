//! A door to the online keys, on the loopback address alone: `POST /ROLE/KEY-ID` with the canonical document gives the
//! signature in hexadecimal digits. So it fits behind a key that is a command, with any program that posts.
//!
//! Who has no token, comes from a web page, or names another host gets nothing. What is signed is the business of
//! [`OnlineSigner`], which knows three roles and looks at each document.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use moult_trust::sign::{OnlineSigner, SignError};
use tokio::sync::oneshot;

use crate::PublishError;

/// A running service. It ends when it is dropped.
#[derive(Debug)]
pub struct SignService {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Door {
    signer: OnlineSigner,
    token: String,
    /// The addresses by which callers may name it: a page of somebody else can't.
    hosts: [String; 2],
}

impl SignService {
    /// Signs on `127.0.0.1` for who has the token. Port 0 takes a free one.
    pub fn start(signer: OnlineSigner, token: String, port: u16) -> Result<Self, PublishError> {
        let listen_error = |source| PublishError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        listener.set_nonblocking(true).map_err(listen_error)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .map_err(listen_error)?;
        let port = address.port();
        let door = Arc::new(Door {
            signer,
            token,
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("moult-sign".to_owned())
            .spawn(move || runtime.block_on(run(listener, door, stopped)))
            .map_err(listen_error)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it is: `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Waits until it ends, which it does not do by itself.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was printed there; the caller only waits.
            drop(thread.join());
        }
    }
}

impl Drop for SignService {
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

/// The token in a file; a new one of 256 bits, for its owner alone, if there is no file.
pub fn token(path: &Path) -> Result<String, PublishError> {
    let failed = |source| PublishError::Token {
        path: path.to_owned(),
        source,
    };
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(text.trim().to_owned()),
        Ok(_) => return Err(failed(io::Error::other("it has less than 32 characters"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let token =
        moult_trust::sign::random_token().map_err(crate::repository::sign_error("no token can be made"))?;
    moult_durable::write_atomic_with_mode(path, token.as_bytes(), 0o600)?;
    Ok(token)
}

async fn run(listener: TcpListener, door: Arc<Door>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let router = Router::new().fallback(answer).with_state(door);
    tokio::select! {
        _ = async { axum::serve(listener, router).await } => {}
        _ = stopped => {}
    }
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.headers.contains_key(header::ORIGIN) || !door.is_named(&head.headers) {
        return refusal(StatusCode::FORBIDDEN, "web pages and other hosts get nothing");
    }
    if !door.has_token(&head.headers) {
        return refusal(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
    }
    if head.method != Method::POST {
        return refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "post the document to /ROLE/KEY-ID",
        );
    }
    let path = head.uri.path().trim_start_matches('/').to_owned();
    let Some((role, id)) = path
        .split_once('/')
        .map(|(role, id)| (role.to_owned(), id.to_owned()))
    else {
        return refusal(StatusCode::NOT_FOUND, "post the document to /ROLE/KEY-ID");
    };
    let Ok(bytes) = to_bytes(body, OnlineSigner::MAX_BYTES).await else {
        return refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the document is too large, or was cut off",
        );
    };
    let signed = tokio::task::spawn_blocking(move || door.sign(&role, &id, &bytes)).await;
    match signed {
        Ok(Ok(signature)) => hex::encode(signature).into_response(),
        Ok(Err(error)) => {
            let status = match error {
                SignError::NotSigned { .. } | SignError::Orders { .. } | SignError::KeyMissing { .. } => {
                    StatusCode::FORBIDDEN
                }
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            refusal(status, &PublishError::message_of(&error))
        }
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "signing failed"),
    }
}

impl Door {
    fn sign(&self, role: &str, id: &str, bytes: &Bytes) -> Result<Vec<u8>, SignError> {
        self.signer.sign(role, id, bytes, Timestamp::now())
    }

    fn is_named(&self, headers: &HeaderMap) -> bool {
        text_of(headers, &header::HOST).is_some_and(|host| self.hosts.iter().any(|known| known == host))
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let given = text_of(headers, &header::AUTHORIZATION)
            .and_then(|text| text.strip_prefix("Bearer "))
            .unwrap_or_default();
        same(given.as_bytes(), self.token.as_bytes())
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
