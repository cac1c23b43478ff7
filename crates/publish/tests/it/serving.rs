//! What the static server answers, byte by byte, and what it never answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use moult_model::Digest;
use moult_publish::server::Server;
use serde_json::Value;

use crate::http::{Headers, LARGE, Site, read_head};
use crate::support::executable;

#[test]
fn a_file_comes_whole_with_its_tag_and_length() -> Result<()> {
    let site = Site::start()?;
    let answer = site.get("/metadata/timestamp.json", &[])?;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{\"a\":1}"[..]));
    assert_eq!(answer.length(), Some(7));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    let tag = format!("\"{}\"", Digest::of(b"{\"a\":1}"));
    assert_eq!(answer.header("etag"), Some(tag.as_str()));

    let versioned = site.get("/metadata/1.root.json", &[])?;
    assert_eq!(
        versioned.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let empty = site.get("/empty", &[])?;
    assert_eq!(
        (empty.status, empty.length(), empty.body.len()),
        (200, Some(0), 0)
    );
    let large = site.get("/large.bin", &[])?;
    assert_eq!((large.status, large.length()), (200, Some(LARGE)));
    ensure!(
        large.body == executable(3, LARGE, 0),
        "the large file came changed"
    );
    Ok(())
}

#[test]
fn metadata_comes_packed_for_who_takes_it_and_its_tag_is_weak_then() -> Result<()> {
    let site = Site::start()?;
    let json = format!("{{\"a\":[{}1]}}", "1,".repeat(500));
    std::fs::write(site.folder.path().join("root/metadata/2.snapshot.json"), &json)?;
    let path = "/metadata/2.snapshot.json";
    let plain = site.get(path, &[])?;
    assert_eq!(
        (plain.header("content-encoding"), plain.body.as_slice()),
        (None, json.as_bytes())
    );
    assert_eq!(plain.header("vary"), Some("accept-encoding"));
    for (accepted, expected) in [
        ("gzip", true),
        ("br, gzip;q=0.5", true),
        ("*", true),
        ("br", false),
        ("gzip;q=0", false),
    ] {
        let answer = site.get(path, &[("accept-encoding", accepted)])?;
        assert_eq!(
            answer.header("content-encoding").is_some(),
            expected,
            "{accepted}"
        );
        if expected {
            let mut unpacked = String::new();
            flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_string(&mut unpacked)?;
            assert_eq!(unpacked, json);
            assert_eq!(answer.length(), Some(answer.body.len()));
            let tag = answer.header("etag").context("a tag")?.to_owned();
            assert!(tag.starts_with("W/"), "{tag}");
            let again = site.get(path, &[("accept-encoding", accepted), ("if-none-match", &tag)])?;
            assert_eq!((again.status, again.body.len()), (304, 0));
        }
    }
    // What is shorter as it is, what is no metadata, and parts come as they are.
    for (path, range) in [
        ("/metadata/timestamp.json", None),
        ("/large.bin", None),
        (path, Some(("range", "bytes=1-2"))),
    ] {
        let headers: Vec<_> = [("accept-encoding", "gzip")].into_iter().chain(range).collect();
        assert_eq!(
            site.get(path, &headers)?.header("content-encoding"),
            None,
            "{path}"
        );
    }
    Ok(())
}

#[test]
fn one_range_comes_alone_and_impossible_ones_are_refused() -> Result<()> {
    let site = Site::start()?;
    let whole = executable(3, LARGE, 0);
    let end = LARGE - 1;
    let cases = [
        (
            format!("bytes=100-{end}"),
            206,
            Some(format!("bytes 100-{end}/{LARGE}")),
            &whole[100..],
        ),
        (
            format!("bytes={end}-"),
            206,
            Some(format!("bytes {end}-{end}/{LARGE}")),
            &whole[end..],
        ),
        (
            "bytes=65000-70000".to_owned(),
            206,
            Some(format!("bytes 65000-70000/{LARGE}")),
            &whole[65000..=70000],
        ),
        (
            "bytes=-5".to_owned(),
            206,
            Some(format!("bytes {}-{end}/{LARGE}", LARGE - 5)),
            &whole[LARGE - 5..],
        ),
        (
            format!("bytes={LARGE}-"),
            416,
            Some(format!("bytes */{LARGE}")),
            &[][..],
        ),
        ("bytes=0-1,4-5".to_owned(), 200, None, &whole[..]),
    ];
    for (range, status, content_range, body) in cases {
        let answer = site.get("/large.bin", &[("range", &range)])?;
        assert_eq!(answer.status, status, "{range}");
        assert_eq!(
            answer.header("content-range"),
            content_range.as_deref(),
            "{range}"
        );
        assert_eq!(answer.length(), Some(body.len()), "{range}");
        ensure!(answer.body == body, "{range}: other bytes");
    }
    let small = site.get("/metadata/timestamp.json", &[("range", "bytes=1-3")])?;
    assert_eq!((small.status, &small.body[..]), (206, &b"\"a\""[..]));
    let empty = site.get("/empty", &[("range", "bytes=0-")])?;
    assert_eq!(
        (empty.status, empty.header("content-range")),
        (416, Some("bytes */0"))
    );
    Ok(())
}

#[test]
fn tags_decide_between_nothing_a_part_and_all() -> Result<()> {
    let site = Site::start()?;
    for (path, length) in [("/metadata/timestamp.json", 7), ("/large.bin", LARGE)] {
        let tag = site.get(path, &[])?.header("etag").context("a tag")?.to_owned();
        let same = site.get(path, &[("if-none-match", &tag)])?;
        assert_eq!(
            (same.status, same.body.len(), same.header("etag")),
            (304, 0, Some(tag.as_str())),
            "{path}"
        );
        let other = site.get(path, &[("if-none-match", "\"other\"")])?;
        assert_eq!((other.status, other.body.len()), (200, length), "{path}");
        let part = site.get(path, &[("range", "bytes=1-2"), ("if-range", &tag)])?;
        assert_eq!((part.status, part.body.len()), (206, 2), "{path}");
        let stale = site.get(path, &[("range", "bytes=1-2"), ("if-range", "\"other\"")])?;
        assert_eq!((stale.status, stale.body.len()), (200, length), "{path}");
    }
    Ok(())
}

/// The hazard: another file of the same length takes its place within one tick of the clock.
#[test]
fn a_file_that_takes_anothers_place_has_another_tag() -> Result<()> {
    let site = Site::start()?;
    let root = site.folder.path().join("root");
    let time = std::fs::metadata(root.join("large.bin"))?.modified()?;
    for (name, bytes) in [
        ("large.bin", executable(4, LARGE, 0)),
        ("metadata/timestamp.json", b"{\"a\":2}".to_vec()),
    ] {
        let path = format!("/{name}");
        let before = site.get(&path, &[])?.header("etag").context("a tag")?.to_owned();
        let new = root.join("new");
        std::fs::write(&new, &bytes)?;
        std::fs::File::options()
            .write(true)
            .open(&new)?
            .set_modified(time)?;
        std::fs::rename(&new, root.join(name))?;
        let answer = site.get(&path, &[("if-none-match", &before)])?;
        assert_eq!(answer.status, 200, "{name}");
        ensure!(
            answer.header("etag") != Some(&before) && answer.body == bytes,
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn head_tells_what_get_would_send() -> Result<()> {
    let site = Site::start()?;
    for path in ["/metadata/timestamp.json", "/large.bin", "/empty"] {
        let (head, get) = (
            site.ask("HEAD", path, &[("range", "bytes=0-1")])?,
            site.get(path, &[])?,
        );
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in [
            "content-length",
            "etag",
            "content-type",
            "cache-control",
            "accept-ranges",
        ] {
            ensure!(
                head.header(name).is_some() && head.header(name) == get.header(name),
                "{path}: {name}"
            );
        }
    }
    let post = site.ask("POST", "/empty", &[("content-length", "0")])?;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
    Ok(())
}

#[test]
fn nothing_outside_the_folder_is_served() -> Result<()> {
    let site = Site::start()?;
    let outside = site.folder.path().join("secret");
    #[cfg(unix)]
    {
        let root = site.folder.path().join("root");
        std::os::unix::fs::symlink(&outside, root.join("link"))?;
        std::os::unix::fs::symlink(site.folder.path(), root.join("up"))?;
        std::os::unix::fs::symlink("metadata/timestamp.json", root.join("inside"))?;
        assert_eq!(site.get("/inside", &[])?.status, 200);
    }
    let absolute = format!("/{}", outside.display());
    let paths = [
        "/../secret",
        "/metadata/../../secret",
        "/%2e%2e/secret",
        "/%2E%2e%2fsecret",
        "/..%2fsecret",
        "/..%5csecret",
        "/%252e%252e/secret",
        "//secret",
        "/./../secret",
        "/link",
        "/up/secret",
        &absolute,
        "/",
        "/metadata",
        "/metadata/",
        "/missing",
        "/empty/",
        "/empty%00",
        "/large.bin/x",
    ];
    for path in paths {
        let answer = site.get(path, &[])?;
        assert_eq!(
            (answer.status, answer.length(), answer.body.len()),
            (404, Some(0), 0),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let whole_address = site.get(&format!("{}../secret", site.server.url()), &[])?;
    assert_eq!(whole_address.status, 404);
    Ok(())
}

#[test]
fn the_log_has_each_answer_before_its_reader_has_it() -> Result<()> {
    let site = Site::start()?;
    let large = LARGE.to_string();
    let cases: [(&str, &str, Headers<'_>, &str); 6] = [
        ("GET", "/metadata/timestamp.json?x=1", &[], "200 7 null"),
        ("GET", "/large.bin", &[], &format!("200 {large} null")),
        (
            "GET",
            "/large.bin",
            &[("range", "bytes=5-9")],
            "206 5 \"bytes=5-9\"",
        ),
        ("HEAD", "/large.bin", &[], "200 0 null"),
        (
            "GET",
            "/missing",
            &[("range", "bytes=5-9")],
            "404 0 \"bytes=5-9\"",
        ),
        ("GET", "/large.bin", &[("if-none-match", "*")], "304 0 null"),
    ];
    for (at, (method, path, headers, expected)) in cases.into_iter().enumerate() {
        site.ask(method, path, headers)?;
        let log = site.log()?;
        let line = log.last().context("a line")?;
        assert_eq!(log.len(), at + 1, "{method} {path}");
        assert_eq!(
            format!("{} {} {}", line["status"], line["bytes"], line["range"]),
            expected
        );
        assert_eq!(
            (line["method"].as_str(), line["path"].as_str()),
            (Some(method), path.split('?').next())
        );
    }
    Ok(())
}

#[test]
fn an_answer_that_was_cut_off_is_noted_with_what_was_sent() -> Result<()> {
    let site = Site::start()?;
    // Far more than the buffers of a connection hold.
    let length = 256 * 1024 * 1024;
    std::fs::File::create(site.folder.path().join("root/huge"))?.set_len(length)?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, site.server.port()))?;
    stream.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n")?;
    stream.read_exact(&mut vec![0; 100_000])?;
    drop(stream);
    let deadline = Instant::now() + Duration::from_mins(1);
    let line = loop {
        if let Some(line) = site.log()?.pop() {
            break line;
        }
        ensure!(Instant::now() < deadline, "no line was written");
        std::thread::sleep(Duration::from_millis(10));
    };
    let bytes = line["bytes"].as_u64().context("a number")?;
    ensure!((65_536..length).contains(&bytes), "{line}");
    Ok(())
}

#[test]
fn a_connection_serves_one_request_after_another() -> Result<()> {
    let site = Site::start()?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, site.server.port()))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    for path in ["/large.bin", "/missing", "/metadata/timestamp.json", "/empty"] {
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")?;
        let head = read_head(&mut reader)?;
        let mut body = vec![0; head.length().context("a length")?];
        reader.read_exact(&mut body)?;
        assert_eq!(head.status, if path == "/missing" { 404 } else { 200 });
    }
    Ok(())
}

#[test]
fn a_server_that_was_stopped_lets_go_of_port_and_connections() -> Result<()> {
    let Site { folder, server } = Site::start()?;
    let port = server.port();
    let mut open = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    server.stop();
    // The connection ends: nothing comes any more, or it was reset.
    ensure!(
        matches!(open.read(&mut [0]), Ok(0) | Err(_)),
        "the connection is still served"
    );
    ensure!(
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(),
        "the port is still listened on"
    );
    let again = Server::start(&folder.path().join("root"), port, None)?;
    assert_eq!(again.url(), format!("http://127.0.0.1:{port}/"));
    Ok(())
}

#[tokio::test]
async fn a_server_can_be_dropped_inside_a_runtime() -> Result<()> {
    let site = Site::start()?;
    let port = site.server.port();
    drop(site);
    ensure!(
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "the port is still listened on"
    );
    Ok(())
}

#[test]
fn the_command_prints_its_address_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("x.json"), "{}")?;
    for json in [false, true] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moult"));
        command
            .args(["serve", "--folder"])
            .arg(folder.path())
            .stdout(Stdio::piped());
        if json {
            command.arg("--json");
        }
        let mut child = command.spawn()?;
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line);
        let asked = read
            .map_err(anyhow::Error::from)
            .and_then(|_| ask_at(line.trim(), json));
        child.kill()?;
        child.wait()?;
        assert_eq!(asked?, 200);
    }
    Ok(())
}

/// Fetches a file from the address in a line of `moult serve`.
fn ask_at(line: &str, json: bool) -> Result<u16> {
    let url = if json {
        let object: Value = serde_json::from_str(line)?;
        object["url"].as_str().context("an address")?.to_owned()
    } else {
        line.strip_prefix("listening on ")
            .context("an address")?
            .to_owned()
    };
    let Some(address) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix('/'))
    else {
        bail!("{url} is no address");
    };
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /x.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    Ok(read_head(&mut BufReader::new(stream))?.status)
}
