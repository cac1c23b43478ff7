//! A server on the loopback address that counts what reaches it. Whatever reaches it has left the sandbox.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// What reached the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    /// Connections, also those on which nothing was said.
    pub(crate) connections: usize,
    /// Bytes in all.
    pub(crate) bytes: usize,
    /// The paths that were asked for.
    pub(crate) paths: Vec<String>,
}

/// The server. It ends with the test.
pub(crate) struct Probe {
    address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Probe {
    /// Listens, and answers each request with `page` for `/control.html` and with nothing else for others.
    pub(crate) async fn listen(page: impl FnOnce(SocketAddr) -> String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let datagrams = UdpSocket::bind(address).await?;
        let page: Arc<str> = page(address).into();
        let arrivals: Arc<Mutex<Arrivals>> = Arc::default();
        let (streams, packets) = (Arc::clone(&arrivals), Arc::clone(&arrivals));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                note(&streams, |arrivals| arrivals.connections += 1);
                tokio::spawn(serve(stream, Arc::clone(&streams), Arc::clone(&page)));
            }
        });
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((bytes, _)) = datagrams.recv_from(&mut buffer).await {
                note(&packets, |arrivals| {
                    arrivals.bytes += bytes;
                    arrivals.paths.push("/datagram".to_owned());
                });
            }
        });
        Ok(Self { address, arrivals })
    }

    /// An address at the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The host and port.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Arrivals {
        std::mem::take(&mut *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What came so far.
    pub(crate) fn seen(&self) -> Arrivals {
        self.arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn note(arrivals: &Mutex<Arrivals>, change: impl FnOnce(&mut Arrivals)) {
    change(&mut arrivals.lock().unwrap_or_else(PoisonError::into_inner));
}

async fn serve(mut stream: TcpStream, arrivals: Arc<Mutex<Arrivals>>, page: Arc<str>) {
    let mut buffer = [0; 4096];
    let reading = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer));
    let Ok(Ok(bytes)) = reading.await else { return };
    let text = String::from_utf8_lossy(&buffer[..bytes]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or("?").to_owned();
    let body = if path == "/control.html" { &*page } else { "" };
    let kind = if path == "/control.html" {
        "text/html"
    } else {
        "text/plain"
    };
    note(&arrivals, |arrivals| {
        arrivals.bytes += bytes;
        arrivals.paths.push(path);
    });
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nAccess-Control-Allow-Origin: *\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever asked may have gone.
    drop(stream.write_all(answer.as_bytes()).await);
}
