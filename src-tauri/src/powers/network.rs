//! Requests of widgets: made by the application, to the hosts that a manifest declares, each redirect asked again.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use futures_util::StreamExt as _;
use moult_model::bundle::Permission;
use moult_model::{ErrorCode, Problem};
use moult_sandbox::call::{Fetch, Method};
use moult_sandbox::reaches;
use reqwest::{Client, Response, StatusCode, header, redirect};
use serde_json::{Map, Value, json};
use url::Url;

/// A request in all, redirects and body included.
const PATIENCE: Duration = Duration::from_secs(30);
/// To a server that answers at all.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest body that comes, in bytes.
const BODY_BYTES: usize = 4 << 20;
const REDIRECTS: usize = 5;

/// The one client for all widgets. It keeps no cookies, and sends nothing that it was not told to.
#[derive(Default)]
pub(crate) struct Network(OnceLock<Result<Client, String>>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("no client for HTTPS: {0}")]
    Client(String),
    #[error("`{0}` is not among the declared hosts")]
    Host(Url),
    #[error("more than {REDIRECTS} redirects")]
    Redirects,
    #[error("a redirect to nowhere")]
    Nowhere,
    #[error("the body has more than {BODY_BYTES} bytes")]
    TooLarge,
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
}

impl Network {
    /// Makes a request. A status that is no success is an answer like any other.
    pub(crate) async fn fetch(&self, allowed: Option<&Permission>, fetch: Fetch) -> Result<Value, Problem> {
        let answer = tokio::time::timeout(PATIENCE, self.follow(allowed, fetch)).await;
        answer
            .unwrap_or(Err(FetchError::Late))
            .map_err(|error| problem(&error))
    }

    fn client(&self) -> Result<&Client, FetchError> {
        let made = self.0.get_or_init(|| {
            Client::builder()
                // Each is asked about here: a host that is allowed must not lead to one that is not.
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT)
                .user_agent(concat!("Moult/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| error.to_string())
        });
        made.as_ref().map_err(|error| FetchError::Client(error.clone()))
    }

    async fn follow(&self, allowed: Option<&Permission>, fetch: Fetch) -> Result<Value, FetchError> {
        let Fetch {
            mut url,
            mut method,
            headers,
            mut body,
        } = fetch;
        for _ in 0..=REDIRECTS {
            if !allowed.is_some_and(|permission| reaches(permission, &url)) {
                return Err(FetchError::Host(url));
            }
            let mut request = self.client()?.request(name(method), url.clone());
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            if let Some(body) = &body {
                request = request.body(body.clone());
            }
            let response = request.send().await?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return read(response).await;
            }
            let place = response
                .headers()
                .get(header::LOCATION)
                .and_then(|place| place.to_str().ok());
            let next = place
                .and_then(|place| url.join(place).ok())
                .ok_or(FetchError::Nowhere)?;
            // As browsers do: what was posted is not posted again to where the answer lies.
            if !matches!(
                response.status(),
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
            ) {
                (method, body) = (Method::Get, None);
            }
            // From the net to this computer, or from https to http, leads nothing.
            if next.scheme() != url.scheme() {
                return Err(FetchError::Host(next));
            }
            url = next;
        }
        Err(FetchError::Redirects)
    }
}

async fn read(response: Response) -> Result<Value, FetchError> {
    let (status, url) = (response.status().as_u16(), response.url().clone());
    let headers: Map<String, Value> = response
        .headers()
        .iter()
        .filter(|(name, _)| **name != header::SET_COOKIE)
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), json!(value.to_str().ok()?))))
        .collect();
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if bytes.len() + piece.len() > BODY_BYTES {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    let mut answer = json!({ "status": status, "url": url, "headers": headers });
    match String::from_utf8(bytes) {
        Ok(text) => answer["body"] = json!(text),
        Err(error) => {
            answer["body_base64"] = json!(base64::engine::general_purpose::STANDARD.encode(error.as_bytes()));
        }
    }
    Ok(answer)
}

fn name(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn problem(error: &FetchError) -> Problem {
    let (code, happened) = match error {
        FetchError::Host(_) => (
            ErrorCode::NotDeclared,
            "That host is not among those that the widget declares.",
        ),
        FetchError::TooLarge => (ErrorCode::TooLarge, "The answer is too large."),
        FetchError::Request(error) if error.is_connect() => {
            (ErrorCode::Offline, "The server can't be reached.")
        }
        FetchError::Late => (ErrorCode::ServerFailed, "The server did not answer in time."),
        _ => (
            ErrorCode::ServerFailed,
            "The server gave no answer that can be used.",
        ),
    };
    tracing::info!(%error, "a request of a widget failed");
    Problem::new(code, happened, error).kept("What was there before goes on.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that gives each connection in turn one of these answers. Its port.
    fn serve(answers: Vec<String>) -> anyhow::Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Ok(port)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    async fn get(port: u16, hosts: &[String]) -> Result<Value, Problem> {
        let permission = Permission {
            hosts: hosts.to_vec(),
            ..Permission::new("network", "for the test")
        };
        let url =
            Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap_or_else(|_| unreachable!("it is one"));
        let fetch = Fetch {
            url,
            method: Method::Get,
            headers: BTreeMap::new(),
            body: None,
        };
        Network::default().fetch(Some(&permission), fetch).await
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_without_cookies() -> anyhow::Result<()> {
        let port = serve(vec![answer(
            "404 Not Found",
            "set-cookie: a=b\r\nx-a: 1\r\n",
            "nothing",
        )])?;
        let got = get(port, &[format!("127.0.0.1:{port}")])
            .await
            .unwrap_or_default();
        assert_eq!(
            (&got["status"], &got["body"], &got["headers"]["x-a"]),
            (&json!(404), &json!("nothing"), &json!("1"))
        );
        assert_eq!(got["headers"]["set-cookie"], Value::Null);
        Ok(())
    }

    #[tokio::test]
    async fn each_redirect_is_asked_about_again() -> anyhow::Result<()> {
        let forbidden = serve(vec![answer("200 OK", "", "secret")])?;
        let away = format!("location: http://127.0.0.1:{forbidden}/\r\n");
        let port = serve(vec![answer("302 Found", &away, "")])?;
        let refused = get(port, &[format!("127.0.0.1:{port}")]).await;
        assert_eq!(
            refused.map_err(|problem| problem.code),
            Err(ErrorCode::NotDeclared)
        );

        let here = answer("302 Found", "location: /again\r\n", "");
        let port = serve(vec![here.clone(), answer("200 OK", "", "found")])?;
        let got = get(port, &[format!("127.0.0.1:{port}")])
            .await
            .unwrap_or_default();
        assert_eq!(got["body"], json!("found"));
        let port = serve(vec![here; 7])?;
        let endless = get(port, &[format!("127.0.0.1:{port}")]).await;
        assert_eq!(
            endless.map_err(|problem| problem.code),
            Err(ErrorCode::ServerFailed)
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_not_taken() -> anyhow::Result<()> {
        let port = serve(vec![answer("200 OK", "", &"x".repeat(BODY_BYTES + 1))])?;
        let got = get(port, &[format!("127.0.0.1:{port}")]).await;
        assert_eq!(got.map_err(|problem| problem.code), Err(ErrorCode::TooLarge));
        Ok(())
    }
}
