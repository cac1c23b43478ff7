//! The local interface: `GET /v1/status` on the loopback address, for those who know its token. Refuses
//! to know what the status is.
//!
//! Web pages reach the loopback address too, so a request must name the token, must say that it is meant
//! for this address and port (against names that are made to lead here), and must not come from a page.
//! One request at a time, 8 KiB, 2 s.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moult_durable::{DurableError, fs};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::HandOverError;
use crate::offer::{random, same};

/// The longest request with its headers, in bytes.
const LONGEST_REQUEST: usize = 8 * 1024;
/// How long a request may take to come, and its answer to go.
const LIMIT: Duration = Duration::from_secs(2);
/// The one thing there is.
const STATUS: &str = "/v1/status";

/// A listening socket on the loopback address, and the token that it asks for.
#[derive(Debug)]
pub struct Endpoint {
    pub(crate) socket: TcpListener,
    pub(crate) token: String,
}

/// Where the interface is found: `run/api.json`, which only its user can read.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    port: u16,
    token: String,
}

/// The interface, while it answers. It stops when this is dropped.
#[derive(Debug)]
pub struct LocalApi {
    endpoint: Option<Endpoint>,
    stop: Arc<AtomicBool>,
}

impl Endpoint {
    /// Listens, at the port of the last time if it is free, and writes where. Only who has the right to
    /// write may call this.
    pub fn open(data: &Path) -> Result<Self, HandOverError> {
        let file = data.join("run/api.json");
        let last = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Found>(&bytes).ok());
        let socket = last
            .and_then(|last| bind(last.port).ok())
            .map_or_else(|| bind(0), Ok)
            .map_err(|source| HandOverError::LocalApi { source })?;
        let endpoint = Self {
            socket,
            token: random()?,
        };
        let found = Found {
            port: endpoint.port()?,
            token: endpoint.token.clone(),
        };
        write_private(&file, &found)?;
        Ok(endpoint)
    }

    /// The port.
    pub fn port(&self) -> Result<u16, HandOverError> {
        let address = self
            .socket
            .local_addr()
            .map_err(|source| HandOverError::LocalApi { source })?;
        Ok(address.port())
    }

    /// The socket that another process sent. Refused: one that others than this computer can reach.
    #[cfg(unix)]
    pub(crate) fn from_descriptor(
        descriptor: std::os::fd::OwnedFd,
        token: String,
    ) -> Result<Self, HandOverError> {
        let socket = TcpListener::from(descriptor);
        let fail = |source| HandOverError::LocalApi { source };
        let address = socket.local_addr().map_err(fail)?;
        if !address.ip().is_loopback() {
            return Err(fail(ErrorKind::InvalidInput.into()));
        }
        Ok(Self { socket, token })
    }

    /// Listens at a port that another process has just left.
    #[cfg_attr(unix, expect(dead_code, reason = "there the socket itself comes over"))]
    pub(crate) fn at(port: u16, token: String) -> Result<Self, HandOverError> {
        let until = Instant::now() + LIMIT;
        loop {
            match bind(port) {
                Ok(socket) => return Ok(Self { socket, token }),
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
                Err(source) => return Err(HandOverError::LocalApi { source }),
            }
        }
    }
}

impl LocalApi {
    /// Answers from a thread of its own, with what `status` says at that moment.
    pub fn serve(
        endpoint: Endpoint,
        status: impl Fn() -> Value + Send + 'static,
    ) -> Result<Self, HandOverError> {
        let fail = |source| HandOverError::LocalApi { source };
        let socket = endpoint.socket.try_clone().map_err(fail)?;
        let address = socket.local_addr().map_err(fail)?;
        let token = endpoint.token.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("local-api".to_owned())
            .spawn(move || {
                while !stopping.load(Ordering::SeqCst) {
                    match socket.accept() {
                        // One that came just before the end is answered all the same.
                        Ok((stream, _)) => {
                            let _ = answer(&stream, address, &token, &status);
                        }
                        Err(_) => std::thread::sleep(Duration::from_millis(100)),
                    }
                }
            })
            .map_err(|source| HandOverError::Thread { source })?;
        Ok(Self {
            endpoint: Some(endpoint),
            stop,
        })
    }

    /// Stops answering; whoever connects from now on waits in the socket for the next who answers.
    pub fn into_endpoint(mut self) -> Option<Endpoint> {
        self.silence();
        self.endpoint.take()
    }

    /// The thread waits for a connection: it gets one. It is not waited for, since it may have a slow
    /// caller just now; then the connection is a wordless one for whoever answers next.
    fn silence(&self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self
            .endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.socket.local_addr().ok());
        if let Some(address) = address {
            let _ = TcpStream::connect_timeout(&address, Duration::from_millis(100));
        }
    }
}

impl Drop for LocalApi {
    fn drop(&mut self) {
        self.silence();
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// Replaces a file by one that only its user can read, at no moment by another.
fn write_private(path: &Path, found: &Found) -> Result<(), HandOverError> {
    let fail = |source| {
        HandOverError::Durable(DurableError::Write {
            path: path.to_owned(),
            source,
        })
    };
    let new = path.with_extension("json.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let bytes = serde_json::to_vec(found).map_err(|source| HandOverError::Encode { source })?;
    let mut file = fs::create_new_with_mode(&new, 0o600).map_err(fail)?;
    file.write_all(&bytes).map_err(fail)?;
    fs::rename(&new, path).map_err(fail)
}

fn answer(stream: &TcpStream, here: SocketAddr, token: &str, status: &dyn Fn() -> Value) -> io::Result<()> {
    stream.set_write_timeout(Some(LIMIT))?;
    let (code, body) = match read_request(stream)? {
        Some(request) => judge(&request, here, token),
        None => ("431 Request Header Fields Too Large", None),
    };
    let body = body.map_or_else(
        || serde_json::json!({ "error": code }).to_string(),
        |()| status().to_string(),
    );
    let more = match &code[..3] {
        "401" => "WWW-Authenticate: Bearer\r\n",
        "405" => "Allow: GET\r\n",
        _ => "",
    };
    let head = format!(
        "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n{more}\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// The request's head; `None` if it is too long. One that is too slow or ends early is an error.
fn read_request(stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let until = Instant::now() + LIMIT;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let mut reader = stream;
        let read = match reader.read(&mut piece) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        head.extend_from_slice(&piece[..read]);
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(end);
            return Ok((end <= LONGEST_REQUEST).then_some(head));
        }
        if head.len() > LONGEST_REQUEST {
            return Ok(None);
        }
    }
}

/// What a request gets: a code, and whether the status with it.
fn judge(head: &[u8], here: SocketAddr, token: &str) -> (&'static str, Option<()>) {
    const BAD: (&str, Option<()>) = ("400 Bad Request", None);
    let Ok(head) = std::str::from_utf8(head) else {
        return BAD;
    };
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return BAD;
    };
    let mut headers = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return BAD;
        };
        headers.push((name, value.trim()));
    }
    // One that is there twice may mean one thing here and another elsewhere.
    let header = |wanted: &str| {
        let mut found = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(*value),
            _ => None,
        }
    };
    let from_page = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("origin"));
    if from_page || header("host") != Some(here.to_string().as_str()) {
        return ("403 Forbidden", None);
    }
    let known = header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|given| same(given, token));
    match (known, method, path) {
        (false, _, _) => ("401 Unauthorized", None),
        (true, "GET", STATUS) => ("200 OK", Some(())),
        (true, _, STATUS) => ("405 Method Not Allowed", None),
        (true, _, _) => ("404 Not Found", None),
    }
}

#[cfg(test)]
#[path = "local_api_tests.rs"]
mod tests;
