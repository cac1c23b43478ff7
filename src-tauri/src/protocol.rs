//! The `widget` protocol: the files of live loads, and nothing else.
//!
//! The policy of a frame is in the response's headers, so that nothing a bundle contains can change it.

use tauri::http::{Method, Request, Response, StatusCode, header};

use crate::loads::{Loads, origin};

/// What the host itself serves to every load, below `/_moult/`.
pub(crate) struct HostFiles {
    pub(crate) font: Vec<u8>,
}

/// Answers a request of a frame.
pub(crate) fn answer(loads: &Loads, files: &HostFiles, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let host = request.uri().host().unwrap_or_default();
    let host = host.strip_prefix("widget.").unwrap_or(host);
    let Some(load) = loads.by_host(host) else {
        return refusal(StatusCode::NOT_FOUND);
    };
    if request.method() != Method::GET {
        return refusal(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = request.uri().path().trim_start_matches('/');
    let body = match path {
        "_moult/inter-latin.woff2" => Some(files.font.clone()),
        _ => load.bundle.file(path).map(<[u8]>::to_vec),
    };
    match body {
        Some(body) => Response::builder()
            .header(header::CONTENT_TYPE, content_type(path))
            .header(header::CONTENT_SECURITY_POLICY, policy(host))
            // Frames have an opaque origin: without this no module and no font would load.
            .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::REFERRER_POLICY, "no-referrer")
            .header(
                "Permissions-Policy",
                "camera=(), microphone=(), geolocation=(), display-capture=(), usb=()",
            )
            .body(body)
            .unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR)),
        None => refusal(StatusCode::NOT_FOUND),
    }
}

/// The frame may run and read what its own bundle holds, and reach nothing else.
fn policy(host: &str) -> String {
    let own = origin(host);
    format!(
        "default-src 'none'; script-src {own}; style-src {own} 'unsafe-inline'; img-src {own} data:; \
         font-src {own}; connect-src {own}; frame-src 'none'; worker-src blob:; form-action 'none'; base-uri 'none'"
    )
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn refusal(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use moult_model::Bundle;

    use super::*;

    fn ask(loads: &Loads, method: &str, url: &str) -> anyhow::Result<Response<Vec<u8>>> {
        let request = Request::builder().method(method).uri(url).body(Vec::new())?;
        Ok(answer(loads, &HostFiles { font: vec![1] }, &request))
    }

    #[test]
    fn serves_the_files_of_a_live_load_and_nothing_else() -> anyhow::Result<()> {
        let bundle = Bundle::parse(crate::build::Build::new("1.0.0")?.shell.bytes().to_vec())?;
        let loads = Loads::default();
        let load = loads.open(&Arc::new(bundle), None, None, Vec::new(), serde_json::Map::new())?;
        let origin = load.url.trim_end_matches("/index.html").to_owned();
        let entry = ask(&loads, "GET", &load.url)?;
        assert_eq!(entry.status(), StatusCode::OK);
        let policy = entry.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()?
            .to_owned();
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains(&origin)
                && policy.contains(&format!("connect-src {origin};"))
        );
        assert_eq!(
            ask(&loads, "GET", &format!("{origin}/_moult/inter-latin.woff2"))?.status(),
            StatusCode::OK
        );
        for (method, url) in [
            ("POST", load.url.clone()),
            ("GET", format!("{origin}/../../etc/passwd")),
            ("GET", format!("{origin}/%2e%2e/x")),
            ("GET", format!("{origin}/")),
            ("GET", "widget://other.localhost/index.html".to_owned()),
            ("GET", "widget://localhost/index.html".to_owned()),
        ] {
            assert!(
                !ask(&loads, method, &url)?.status().is_success(),
                "{method} {url}"
            );
        }
        loads.close(&load.token);
        assert_eq!(ask(&loads, "GET", &load.url)?.status(), StatusCode::NOT_FOUND);
        Ok(())
    }
}
