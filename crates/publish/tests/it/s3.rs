//! A real S3-compatible server on this machine, over a folder: for each test its own. It can count requests, and refuse some.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "updates";

/// A running server. It ends with its runtime.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    state: Arc<State>,
    _runtime: tokio::runtime::Runtime,
}

struct State {
    service: S3Service,
    /// The server's own comparing and writing are two steps; a real one does them in one.
    one_at_a_time: tokio::sync::Mutex<()>,
    requests: Mutex<Vec<String>>,
    /// How many more parts of uploads are taken before all are refused.
    parts_left: AtomicUsize,
}

impl Server {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let files = s3s_fs::FileSystem::new(folder.path()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single("test", "test-secret"));
        let state = Arc::new(State {
            service: builder.build(),
            one_at_a_time: tokio::sync::Mutex::new(()),
            requests: Mutex::new(Vec::new()),
            parts_left: AtomicUsize::new(usize::MAX),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = state.clone();
        let router = axum::Router::new().fallback(move |request: Request| answer(shared.clone(), request));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        });
        Ok(Self {
            folder,
            port,
            state,
            _runtime: runtime,
        })
    }

    /// What the configuration says of it.
    pub(crate) fn store(&self) -> Value {
        json!({
            "kind": "bucket",
            "url": format!("s3://{BUCKET}/app"),
            "options": {
                "aws_endpoint": format!("http://127.0.0.1:{}", self.port),
                "aws_region": "us-east-1",
                "aws_allow_http": "true",
                "aws_access_key_id": "test",
                "aws_secret_access_key": "test-secret",
            },
        })
    }

    /// The folder that holds the repository's files.
    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join("app")
    }

    /// The requests since the last question: method, path with query, and how long it may be kept by a cache.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state
            .requests
            .lock()
            .map(|mut requests| std::mem::take(&mut *requests))
            .unwrap_or_default()
    }

    /// After so many more parts all are refused.
    pub(crate) fn take_parts(&self, count: usize) {
        self.state.parts_left.store(count, Ordering::SeqCst);
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response {
    let method = request.method().clone();
    let path = request
        .uri()
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let kept = request
        .headers()
        .get("cache-control")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("-");
    if let Ok(mut requests) = state.requests.lock() {
        requests.push(format!("{method} {path} {kept}"));
    }
    if path.contains("partNumber=") {
        let left = state
            .parts_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            return axum::http::StatusCode::FORBIDDEN.into_response();
        }
    }
    let _turn = match method {
        axum::http::Method::PUT => Some(state.one_at_a_time.lock().await),
        _ => None,
    };
    let request = request.map(s3s::Body::http_body_unsync);
    match state.service.call(request).await {
        Ok(response) => response.map(axum::body::Body::new).into_response(),
        Err(error) => {
            let text = format!("{error:?}");
            (axum::http::StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}
