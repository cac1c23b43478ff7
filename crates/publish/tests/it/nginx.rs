//! nginx over a folder store, with the very snippet that the store lays into it: what a CDN in front is told of each file.
//! Without nginx on this machine there is nothing to be tried, and the test says so; `cargo xtask setup` installs it.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::support::Desk;

/// A running nginx, ended with its value.
struct Nginx {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// Where Debian puts it; it is in no user's path.
const PROGRAMS: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

impl Nginx {
    /// None if it is not installed.
    fn start(root: &Path, snippet: &str) -> Result<Option<Self>> {
        let Some(program) = PROGRAMS.iter().find(|program| Path::new(program).exists()) else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = folder.path().display();
        let configuration = format!(
            "daemon off;\nmaster_process off;\nuser root;\npid {home}/pid;\nerror_log {home}/error.log;\n\
             events {{ worker_connections 64; }}\nhttp {{\n access_log off;\n client_body_temp_path {home}/a;\n \
             proxy_temp_path {home}/b;\n fastcgi_temp_path {home}/c;\n uwsgi_temp_path {home}/d;\n \
             scgi_temp_path {home}/e;\n server {{\n listen 127.0.0.1:{port};\n root {};\n{snippet}\n }}\n}}\n",
            root.display()
        );
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, configuration)?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&path)
            .arg("-p")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let nginx = Self { child, port, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < until, "nginx does not listen: {}", nginx.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(nginx))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    /// The status and the headers of an answer.
    fn head(&self, path: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, _) = text.split_once("\r\n\r\n").context("an answer has a head")?;
        let status = head.split(' ').nth(1).context("a status")?.parse()?;
        Ok((status, head.to_lowercase()))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn nginx_tells_caches_how_long_each_file_may_be_kept() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.configure("/repository/store", json!({ "kind": "folder", "path": "www" }))?;
    desk.moult(&["publish", "widget", "moult/clock"])?.done()?;
    let snippet = String::from_utf8(desk.read("www/nginx.conf.example")?)?;
    // Its user has to get in.
    std::fs::set_permissions(
        desk.path("."),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let Some(nginx) = Nginx::start(&desk.path("www"), &snippet)? else {
        eprintln_once();
        return Ok(());
    };
    let full = desk
        .files("www/targets")?
        .into_keys()
        .find(|name| name.strip_suffix(".zst").is_some())
        .context("a full file")?;
    let full = format!("targets/{full}");
    for (path, status, kept) in [
        ("metadata/timestamp.json", 200, "max-age=60"),
        ("metadata/root.json", 200, "max-age=60"),
        ("metadata/1.root.json", 200, "immutable"),
        // The next root, which is not there yet: a cache must not remember that for long.
        ("metadata/2.root.json", 404, "max-age=60"),
        ("metadata/3.snapshot.json", 200, "immutable"),
        (full.as_str(), 200, "immutable"),
        (".lock", 403, ""),
    ] {
        let (found, head) = nginx.head(path)?;
        assert_eq!(found, status, "{path}: {}", nginx.log());
        if !kept.is_empty() {
            let line = head.lines().find(|line| line.starts_with("cache-control:"));
            ensure!(line.is_some_and(|line| line.contains(kept)), "{path}: {head}");
        }
    }
    // A role that is not there must not be remembered for a year.
    let (status, head) = nginx.head("metadata/9.snapshot.json")?;
    ensure!(status == 404 && !head.contains("immutable"), "{head}");
    let (_, head) = nginx.head("metadata/1.targets.json")?;
    ensure!(
        head.contains("content-encoding: gzip"),
        "metadata is compressed: {head}"
    );
    let (_, head) = nginx.head(&full)?;
    ensure!(
        !head.contains("content-encoding"),
        "what is packed is left alone: {head}"
    );
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn eprintln_once() {
    eprintln!("not tried: nginx is not installed");
}
