//! A static server on loopback, on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tokio::runtime::Runtime;

/// What of a folder is served, and how.
#[derive(Debug)]
struct Shared {
    folder: Mutex<PathBuf>,
    /// Paths that end so are answered with zeros of the same length.
    spoiled: Mutex<Vec<String>>,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    url: String,
    runtime: Option<Runtime>,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let shared = Arc::new(Shared {
            folder: Mutex::new(folder.to_owned()),
            spoiled: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            shared,
            url,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on another folder is served.
    pub(crate) fn serve(&self, folder: &Path) {
        folder.clone_into(&mut self.shared.folder.lock().unwrap());
    }

    /// From now on files whose path ends so have other bytes.
    pub(crate) fn spoil(&self, path: &str) {
        self.shared.spoiled.lock().unwrap().push(path.to_owned());
    }

    /// From now on nobody answers.
    pub(crate) fn go_dark(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> (StatusCode, Vec<u8>) {
    let path = request.uri().path().trim_start_matches('/');
    let file = shared.folder.lock().unwrap().join(path);
    match std::fs::read(file) {
        Ok(bytes) => {
            let spoiled = shared.spoiled.lock().unwrap();
            let is_spoiled = spoiled.iter().any(|end| path.ends_with(end.as_str()));
            let bytes = if is_spoiled { vec![0; bytes.len()] } else { bytes };
            (StatusCode::OK, bytes)
        }
        Err(_) => (StatusCode::NOT_FOUND, Vec::new()),
    }
}
