//! A folder that is served, and the simplest client there can be: it adds nothing to a request and
//! hides nothing of an answer.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::{Context as _, Result};
use moult_publish::server::Server;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::executable;

pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// More than the server keeps in memory.
pub(crate) const LARGE: usize = 3 * 1024 * 1024 + 17;

pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Site {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("metadata"))?;
        std::fs::write(root.join("metadata/timestamp.json"), b"{\"a\":1}")?;
        std::fs::write(root.join("metadata/1.root.json"), b"{}")?;
        std::fs::write(root.join("empty"), b"")?;
        std::fs::write(root.join("large.bin"), executable(3, LARGE, 0))?;
        std::fs::write(folder.path().join("secret"), b"secret")?;
        let server = Server::start(&root, 0, Some(folder.path().join("access.log")))?;
        Ok(Self { folder, server })
    }

    pub(crate) fn get(&self, path: &str, headers: Headers<'_>) -> Result<Answer> {
        self.ask("GET", path, headers)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: Headers<'_>) -> Result<Answer> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        )?;
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut answer = read_head(&mut reader)?;
        reader.read_to_end(&mut answer.body)?;
        Ok(answer)
    }

    pub(crate) fn log(&self) -> Result<Vec<Value>> {
        let text = std::fs::read_to_string(self.folder.path().join("access.log"))?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn length(&self) -> Option<usize> {
        self.header("content-length")
            .and_then(|length| length.parse().ok())
    }
}

pub(crate) fn read_head(reader: &mut impl std::io::BufRead) -> Result<Answer> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("a status line")?.parse()?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Answer {
        status,
        headers,
        body: Vec::new(),
    })
}
