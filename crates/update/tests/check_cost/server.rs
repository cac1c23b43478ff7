//! A static server that counts. It packs JSON, gives entity tags, and answers what is not there with a page, as
//! nginx does.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use moult_model::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const MISSING: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// What a check cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    /// Bytes of the answers' bodies.
    pub(crate) body: u64,
    /// Bytes of the requests.
    pub(crate) asked: u64,
    /// Bytes of the answers' heads.
    pub(crate) heads: u64,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

struct Shared {
    folder: PathBuf,
    count: Mutex<Count>,
    has_tags: AtomicBool,
}

impl Server {
    pub(crate) async fn start(folder: PathBuf) -> Self {
        let shared = Arc::new(Shared {
            folder,
            count: Mutex::default(),
            has_tags: AtomicBool::new(true),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                // A client that goes is no concern of a server's.
                tokio::spawn(async move { drop(talk(&shared, stream).await) });
            }
        });
        Self { shared, port, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn set_tags(&self, has_tags: bool) {
        self.shared.has_tags.store(has_tags, Ordering::Relaxed);
    }

    /// What was asked since the last call.
    pub(crate) fn take(&self) -> Count {
        std::mem::take(&mut self.shared.count.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(shared: &Shared, mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut asked = Vec::new();
        let mut byte = [0; 1];
        while !asked.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).await? == 0 {
                return Ok(());
            }
            asked.push(byte[0]);
        }
        let (head, body) = answer(shared, &String::from_utf8_lossy(&asked));
        {
            let mut count = shared.count.lock().unwrap();
            count.requests += 1;
            count.body += body.len() as u64;
            count.asked += asked.len() as u64;
            count.heads += head.len() as u64;
        }
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
    }
}

fn answer(shared: &Shared, request: &str) -> (String, Vec<u8>) {
    const SERVER: &str = "server: nginx\r\ndate: Mon, 30 Nov 2026 18:00:00 GMT\r\nconnection: keep-alive\r\n";
    let path = request
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .trim_start_matches('/');
    let header = |wanted: &str| {
        request.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    let Ok(bytes) = std::fs::read(shared.folder.join(path)) else {
        let head = format!(
            "HTTP/1.1 404 Not Found\r\n{SERVER}content-type: text/html\r\ncontent-length: {}\r\n\r\n",
            MISSING.len()
        );
        return (head, MISSING.as_bytes().to_vec());
    };
    let tag = format!("W/\"{}\"", &Digest::of(&bytes).to_string()[..16]);
    let has_tags = shared.has_tags.load(Ordering::Relaxed);
    let tags = if has_tags {
        format!("etag: {tag}\r\n")
    } else {
        String::new()
    };
    if has_tags && header("if-none-match").as_deref() == Some(tag.as_str()) {
        return (
            format!("HTTP/1.1 304 Not Modified\r\n{SERVER}{tags}\r\n"),
            Vec::new(),
        );
    }
    assert_eq!(header("accept-encoding").as_deref(), Some("gzip"), "{request}");
    let packed = zip(&bytes);
    let head = format!(
        "HTTP/1.1 200 OK\r\n{SERVER}content-type: application/json\r\ncontent-encoding: gzip\r\n\
         vary: Accept-Encoding\r\ncache-control: public, max-age=60\r\n{tags}content-length: {}\r\n\r\n",
        packed.len()
    );
    (head, packed)
}

/// As a server does it that packs files once.
pub(crate) fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
