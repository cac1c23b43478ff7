//! Servers on loopback that speak HTTP by hand, so that they can get everything wrong.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moult_model::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::plan::{Mirror, Plan, Random, SERVERS};

/// The servers, and a port on which nobody listens.
pub(crate) struct Farm {
    shared: Arc<Shared>,
    ports: Vec<u16>,
    nobody: u16,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    downloads: Mutex<BTreeMap<u64, Arc<Download>>>,
    /// The server that redirects lead to.
    other: String,
}

/// A file, and what is done to those who want it.
pub(crate) struct Download {
    bytes: Vec<u8>,
    pub(crate) digest: Digest,
    scripts: Mutex<Vec<(VecDeque<Fault>, Fault)>>,
    /// What was done since the fetcher was started last, and in all.
    served: Mutex<(Vec<Fault>, Vec<Fault>)>,
    /// Bytes of the file that were sent.
    pub(crate) sent: AtomicU64,
    /// Bytes that the fetcher has on its disk.
    there: AtomicU64,
    pub(crate) kill: Notify,
}

impl Download {
    /// The fetcher has so many bytes.
    pub(crate) fn is_there(&self, bytes: u64) {
        self.there.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn forget_served(&self) {
        self.served.lock().unwrap().0.clear();
    }

    /// What was done since the fetcher was started last.
    pub(crate) fn served_last(&self) -> Vec<Fault> {
        self.served.lock().unwrap().0.clone()
    }

    pub(crate) fn served(&self) -> Vec<Fault> {
        self.served.lock().unwrap().1.clone()
    }

    /// Waits until what was sent is with the fetcher, but for what it has not written yet.
    async fn until_there(&self, end: usize) {
        const PIECE: u64 = 32 * 1024;
        for _ in 0..500 {
            if self.there.load(Ordering::Relaxed) + PIECE >= end as u64 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // What is not enough for a piece is written with the next beat.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

impl Farm {
    pub(crate) async fn open() -> Self {
        let mut listeners = Vec::new();
        for server in 0..=SERVERS {
            // The last is another host.
            let host = if server == SERVERS && cfg!(target_os = "linux") {
                "127.0.0.2:0"
            } else {
                "127.0.0.1:0"
            };
            listeners.push(TcpListener::bind(host).await.unwrap());
        }
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        let shared = Arc::new(Shared {
            downloads: Mutex::default(),
            other: format!("http://{}", listeners[SERVERS].local_addr().unwrap()),
        });
        let serve = |(server, listener): (usize, TcpListener)| {
            let shared = shared.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        // A client that goes is no concern of a server's.
                        let _ = talk(&shared, server, stream).await;
                    });
                }
            })
        };
        let tasks = listeners.into_iter().enumerate().map(serve).collect();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = gone.local_addr().unwrap().port();
        Self {
            shared,
            ports,
            nobody,
            tasks,
        }
    }

    pub(crate) fn address(&self, mirror: &Mirror) -> String {
        match mirror {
            Mirror::Server(server) => format!("http://127.0.0.1:{}/", self.ports[*server]),
            Mirror::Nobody => format!("http://127.0.0.1:{}/", self.nobody),
            Mirror::NoName => "https://no-such-name.invalid/".to_owned(),
        }
    }

    pub(crate) fn add(&self, plan: &Plan) -> Arc<Download> {
        let mut random = Random(plan.seed);
        let mut bytes: Vec<u8> = Vec::with_capacity(plan.size + 8);
        while bytes.len() < plan.size {
            bytes.extend_from_slice(&random.next().to_le_bytes());
        }
        bytes.truncate(plan.size);
        let download = Arc::new(Download {
            digest: Digest::of(&bytes),
            bytes,
            scripts: Mutex::new(plan.scripts.clone()),
            served: Mutex::default(),
            sent: AtomicU64::new(0),
            there: AtomicU64::new(0),
            kill: Notify::new(),
        });
        let mut downloads = self.shared.downloads.lock().unwrap();
        downloads.insert(plan.seed, download.clone());
        download
    }

    /// From now on all answers for it are right.
    pub(crate) fn heal(download: &Download) {
        for script in &mut *download.scripts.lock().unwrap() {
            *script = (VecDeque::new(), Fault::None);
        }
    }

    pub(crate) fn remove(&self, plan: &Plan) {
        self.shared.downloads.lock().unwrap().remove(&plan.seed);
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A request, as far as it matters.
struct Request {
    path: String,
    from: Option<usize>,
    if_range: Option<String>,
}

/// Answers one request after the other, until something goes wrong.
async fn talk(shared: &Shared, server: usize, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(request) = read(&mut stream).await? {
        let seed = request
            .path
            .rsplit('/')
            .next()
            .and_then(|seed| seed.parse::<u64>().ok());
        let download = seed.and_then(|seed| shared.downloads.lock().unwrap().get(&seed).cloned());
        let Some(download) = download else {
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                .await?;
            continue;
        };
        let fault = {
            let mut scripts = download.scripts.lock().unwrap();
            match scripts.get_mut(server) {
                Some((begun, after)) => begun.pop_front().unwrap_or(*after),
                None => Fault::None,
            }
        };
        {
            let mut done = download.served.lock().unwrap();
            done.0.push(fault);
            done.1.push(fault);
        }
        let mut answer = Answer {
            server,
            shared,
            download: &download,
            stream: &mut stream,
        };
        if !answer.give(&request, fault).await? {
            break;
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 || head.len() > 16_384 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    Ok(Some(Request {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        from: header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()),
        if_range: header("if-range"),
    }))
}

struct Answer<'a> {
    server: usize,
    shared: &'a Shared,
    download: &'a Download,
    stream: &'a mut TcpStream,
}

impl Answer<'_> {
    /// Gives it. Says whether the connection may be used again.
    async fn give(&mut self, request: &Request, fault: Fault) -> io::Result<bool> {
        if let Some(head) = self.refusal(request, fault) {
            self.stream.write_all(head.as_bytes()).await?;
            return Ok(!matches!(fault, Fault::Garbage));
        }
        match fault {
            Fault::NoAnswer => return self.wait_for_ever().await,
            Fault::SlowHead => {
                for byte in b"HTTP/1.1 200 OK\r\nx-slow: "
                    .iter()
                    .chain(std::iter::repeat(&b'x'))
                {
                    self.stream.write_all(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                return Ok(false);
            }
            Fault::HugeHead => {
                self.stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                for line in 0..200_000 {
                    self.stream
                        .write_all(format!("x-{line}: {line}\r\n").as_bytes())
                        .await?;
                }
                return Ok(false);
            }
            _ => {}
        }
        self.file(request, fault).await
    }

    /// Answers without a byte of the file.
    fn refusal(&self, request: &Request, fault: Fault) -> Option<String> {
        const PAGE: &str = "<!DOCTYPE html><html><body>Sign in to use this network.</body></html>";
        let head = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status} Whatever\r\n{headers}content-length: {length}\r\n\r\n{body}")
        };
        Some(match fault {
            Fault::Loop => head(302, &format!("location: {}\r\n", request.path), ""),
            Fault::Away => head(307, "location: http://elsewhere.example/file\r\n", ""),
            Fault::OtherHost => {
                let to = format!("location: {}{}\r\n", self.shared.other, request.path);
                head(302, &to, "")
            }
            Fault::Portal => head(200, "content-type: text/html; charset=utf-8\r\n", PAGE),
            Fault::PortalInDisguise => {
                // As long as the file, so that its length does not give it away.
                let size = self.download.bytes.len();
                let page = PAGE.repeat(size / PAGE.len() + 1);
                return (size > 20).then(|| head(200, "", &page[..size]));
            }
            Fault::Status(status) => head(status, "", ""),
            Fault::Busy(status, seconds) => head(status, &format!("retry-after: {seconds}\r\n"), ""),
            Fault::BusyUntil(status) => head(status, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""),
            Fault::Garbage => "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(),
            Fault::Empty => head(200, "", ""),
            _ => return None,
        })
    }

    async fn file(&mut self, request: &Request, fault: Fault) -> io::Result<bool> {
        let size = self.download.bytes.len();
        // Each server has tags of its own, as mirrors do.
        let is_other = matches!(fault, Fault::OtherTag | Fault::OtherTagInPart);
        let tag = format!("\"{}-{}\"", self.server, if is_other { "other" } else { "one" });
        let is_same = request.if_range.as_ref().is_none_or(|asked| *asked == tag);
        let from = match (fault, request.from) {
            (Fault::IgnoreRange, _) | (_, None) => None,
            (Fault::OtherTagInPart, from) => from,
            (_, from) => from.filter(|_| is_same),
        };
        if from.is_some_and(|from| from >= size) {
            let head =
                format!("HTTP/1.1 416 No\r\ncontent-range: bytes */{size}\r\ncontent-length: 0\r\n\r\n");
            self.stream.write_all(head.as_bytes()).await?;
            return Ok(true);
        }
        let mut begin = from.unwrap_or(0);
        if fault == Fault::WrongRange && begin > 0 {
            begin -= 1;
        }
        let body = self.body(begin, fault);
        let first = match from {
            Some(_) => format!("206 Part\r\ncontent-range: bytes {begin}-{}/{size}", size - 1),
            None => "200 OK".to_owned(),
        };
        let tag = match fault {
            Fault::NoTag => String::new(),
            Fault::WeakTag => format!("etag: W/{tag}\r\n"),
            _ => format!("etag: {tag}\r\n"),
        };
        let last = match fault {
            Fault::Endless => "connection: close".to_owned(),
            Fault::CutChunks(_) => "transfer-encoding: chunked".to_owned(),
            Fault::Gzip | Fault::DoubleGzip => {
                format!("content-encoding: gzip\r\ncontent-length: {}", body.len())
            }
            _ => format!("content-length: {}", body.len()),
        };
        let head = format!("HTTP/1.1 {first}\r\n{tag}{last}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await?;
        self.send_all(begin, &body, fault).await
    }

    /// The bytes of the file from one on, as the fault has them.
    fn body(&self, begin: usize, fault: Fault) -> Vec<u8> {
        let mut body = self.download.bytes[begin..].to_vec();
        match fault {
            Fault::Flip => {
                let place = body.len() / 2;
                body[place] ^= 1;
            }
            Fault::LongLength => body.extend_from_slice(&[7; 100]),
            Fault::ShortLength => body.truncate(body.len() / 2),
            Fault::Gzip => body = zip(&body),
            Fault::DoubleGzip => body = zip(&zip(&body)),
            _ => {}
        }
        body
    }

    /// Sends a body, as far as it is sent. Says whether the connection may be used again.
    async fn send_all(&mut self, begin: usize, body: &[u8], fault: Fault) -> io::Result<bool> {
        match fault {
            Fault::Cut(at) => {
                self.send(&body[..at.min(body.len())]).await?;
                Ok(false)
            }
            Fault::Reset(at) => {
                let at = at.min(body.len());
                self.send(&body[..at]).await?;
                self.download.until_there(begin + at).await;
                self.stream.set_zero_linger()?;
                Ok(false)
            }
            Fault::Kill(at) => {
                let at = at.min(body.len());
                self.send(&body[..at]).await?;
                self.download.until_there(begin + at).await;
                self.download.kill.notify_one();
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(false)
            }
            Fault::Drip => {
                for byte in body {
                    self.send(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(true)
            }
            Fault::Silence(at) => {
                self.send(&body[..at.min(body.len())]).await?;
                self.wait_for_ever().await
            }
            Fault::CutChunks(at) => {
                let at = at.min(body.len());
                for chunk in body[..at].chunks(5_000) {
                    self.stream
                        .write_all(format!("{:x}\r\n", chunk.len()).as_bytes())
                        .await?;
                    self.send(chunk).await?;
                    self.stream.write_all(b"\r\n").await?;
                }
                self.stream.write_all(b"1000\r\n").await?;
                self.send(&body[at..body.len().min(at + 7)]).await?;
                Ok(false)
            }
            Fault::Endless => {
                self.send(body).await?;
                loop {
                    self.stream.write_all(&[0; 4096]).await?;
                }
            }
            _ => {
                self.send(body).await?;
                Ok(true)
            }
        }
    }

    /// Sends bytes of the file.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (number, chunk) in bytes.chunks(16 * 1024).enumerate() {
            if number == 1 {
                // On a real line no more comes before the other side has been heard of.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.stream.write_all(chunk).await?;
            self.download
                .sent
                .fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Until the client goes.
    async fn wait_for_ever(&mut self) -> io::Result<bool> {
        let mut byte = [0; 1];
        let _ = tokio::time::timeout(Duration::from_secs(20), self.stream.read(&mut byte)).await;
        Ok(false)
    }
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
