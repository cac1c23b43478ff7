//! A repository in a folder, answering as a server does: whole files with strong entity tags, ranges,
//! `not modified`, `not found`. It reads and never writes, starts no thread and opens no connection, so
//! what a program does is the same from run to run. It refuses to know what a file is for.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderName, StatusCode};
use moult_model::Digest;
use reqwest::{Body, Request, Response};

/// The folder of a repository.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Where the files are, for whoever asks. Nothing is ever sent there.
    pub(crate) const ADDRESS: &str = "http://localhost/";
    /// A body comes in pieces of this many bytes: no power of two, as from a network.
    const PIECE: usize = 10_007;

    /// Names the folder. It need not exist: then every file is missing.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Answers a request. A file that can't be read is a fault of the server (500).
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let Some(path) = self.path(request.url().path()) else {
            return plain(StatusCode::NOT_FOUND);
        };
        match fs::read(&path) {
            Ok(bytes) => whole_or_part(request, &bytes.into()),
            Err(_) if is_missing(&path) => plain(StatusCode::NOT_FOUND),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The file of an address. None if the address leaves the folder.
    fn path(&self, of: &str) -> Option<PathBuf> {
        let parts = of.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(self.root.clone(), |path, part| {
            let leaves = part == ".." || part == "." || part.contains(['%', '\\']);
            (!leaves).then(|| path.join(part))
        })
    }
}

/// Whether there is no file of this name. A folder is no file.
fn is_missing(path: &Path) -> bool {
    !path.is_file()
}

fn whole_or_part(request: &Request, bytes: &Bytes) -> Response {
    let tag = format!("\"{}\"", Digest::of(bytes));
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if header(IF_NONE_MATCH) == Some(&tag) {
        return respond(StatusCode::NOT_MODIFIED, &[(ETAG, tag)], &Bytes::new());
    }
    let same = header(IF_RANGE).is_none_or(|wanted| wanted == tag);
    let from = header(RANGE).filter(|_| same).and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    let size = bytes.len();
    match from {
        None => respond(
            StatusCode::OK,
            &[(ETAG, tag), (ACCEPT_RANGES, "bytes".to_owned())],
            bytes,
        ),
        Some(from) if from >= size => respond(
            StatusCode::RANGE_NOT_SATISFIABLE,
            &[(CONTENT_RANGE, format!("bytes */{size}"))],
            &Bytes::new(),
        ),
        Some(from) => {
            let range = format!("bytes {from}-{}/{size}", size - 1);
            respond(
                StatusCode::PARTIAL_CONTENT,
                &[(ETAG, tag), (CONTENT_RANGE, range)],
                &bytes.slice(from..),
            )
        }
    }
}

fn plain(status: StatusCode) -> Response {
    respond(status, &[], &Bytes::new())
}

fn respond(status: StatusCode, headers: &[(HeaderName, String)], body: &Bytes) -> Response {
    let length = body.len();
    let pieces: Vec<_> = (0..length)
        .step_by(Folder::PIECE)
        .map(|at| Ok::<_, std::io::Error>(body.slice(at..length.min(at + Folder::PIECE))))
        .collect();
    let mut response = http::Response::new(Body::wrap_stream(stream::iter(pieces)));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response.into()
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;
    use crate::fetch::{Http, Limits};

    /// The request's headers, the status, the answer's range, the body.
    type Case<'a> = (&'a [(HeaderName, &'a str)], u16, Option<&'a str>, &'a str);

    #[tokio::test]
    async fn it_answers_as_a_server_does() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("targets")).unwrap();
        fs::write(folder.path().join("targets/file"), "0123456789").unwrap();
        let http = Http::in_folder(Folder::new(folder.path()), Limits::default()).unwrap();
        let tag = format!("\"{}\"", Digest::of(b"0123456789"));
        let table: [Case<'_>; 6] = [
            (&[], 200, None, "0123456789"),
            (
                &[(RANGE, "bytes=4-"), (IF_RANGE, &tag)],
                206,
                Some("bytes 4-9/10"),
                "456789",
            ),
            (
                &[(RANGE, "bytes=4-"), (IF_RANGE, "\"another\"")],
                200,
                None,
                "0123456789",
            ),
            (&[(RANGE, "bytes=10-")], 416, Some("bytes */10"), ""),
            (&[(IF_NONE_MATCH, &tag)], 304, None, ""),
            (&[(IF_NONE_MATCH, "\"another\"")], 200, None, "0123456789"),
        ];
        for (headers, status, range, body) in table {
            let url = http.url("targets/file").unwrap();
            let request = headers.iter().fold(http.get(url), |request, (name, value)| {
                request.header(name, *value)
            });
            let response = http.send(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{headers:?}");
            let found = response
                .headers()
                .get(CONTENT_RANGE)
                .map(|value| value.to_str().unwrap());
            assert_eq!(found, range, "{headers:?}");
            assert_eq!(response.text().await.unwrap(), body, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("targets")).unwrap();
        let http = Http::in_folder(Folder::new(folder.path()), Limits::default()).unwrap();
        for path in ["nothing", "targets", "targets/nothing"] {
            let request = http.get(http.url(path).unwrap());
            assert_eq!(http.send(request).await.unwrap().status().as_u16(), 404, "{path}");
        }
    }

    #[test]
    fn no_address_leaves_the_folder() {
        let folder = Folder::new("/repository");
        for (address, path) in [
            ("/metadata/1.root.json", Some("/repository/metadata/1.root.json")),
            ("/../secret", None),
            ("/a/%2e%2e/secret", None),
        ] {
            assert_eq!(folder.path(address).as_deref(), path.map(Path::new), "{address}");
        }
    }
}
