#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

use serde_json::json;

use super::*;

fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // The answer may come before all of a long request was read; then the rest of it is refused.
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn request(port: u16, token: &str) -> String {
    format!("GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    folder
}

fn found(data: &Path) -> Found {
    serde_json::from_slice(&std::fs::read(data.join("run/api.json")).unwrap()).unwrap()
}

#[test]
fn who_knows_the_token_gets_the_status_and_nobody_else_anything() {
    let data = folder();
    let endpoint = Endpoint::open(data.path()).unwrap();
    let Found { port, token } = found(data.path());
    let _api = LocalApi::serve(endpoint, || json!({ "version": "1.0.0" })).unwrap();
    let good = request(port, &token);
    let long = "x".repeat(LONGEST_REQUEST);
    let table = [
        (good.clone(), "200"),
        (good.replace("\r\nHost", "\r\nX: y\r\nhOST"), "200"),
        (good.replace(&token, "wrong"), "401"),
        (good.replace(&token, &token[1..]), "401"),
        (good.replace("Bearer ", "Basic "), "401"),
        (
            good.replace(&format!("Authorization: Bearer {token}\r\n"), ""),
            "401",
        ),
        (
            good.replace("\r\n\r\n", &format!("\r\nAuthorization: Bearer {token}\r\n\r\n")),
            "401",
        ),
        (good.replace("127.0.0.1", "moult.example"), "403"),
        (good.replace(&format!("127.0.0.1:{port}"), "127.0.0.1"), "403"),
        (good.replace("\r\n\r\n", "\r\nHost: 127.0.0.1:1\r\n\r\n"), "403"),
        (
            good.replace("\r\n\r\n", "\r\nOrigin: https://moult.example\r\n\r\n"),
            "403",
        ),
        (good.replace("/v1/status", "/v1/other"), "404"),
        (good.replace("/v1/status", "/v1/status?x=1"), "404"),
        (good.replace("GET", "POST"), "405"),
        (good.replace("GET ", "GET  "), "400"),
        (good.replace("HTTP/1.1", "HTTP/2"), "400"),
        (good.replace("\r\nHost", "\r\nno header\r\nHost"), "400"),
        ("\r\n\r\n".to_owned(), "400"),
        (good.replace("\r\n\r\n", &format!("\r\nX: {long}\r\n\r\n")), "431"),
        (long.clone() + &long, "431"),
    ];
    for (request, code) in table {
        let answer = ask(port, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {code} ")),
            "{request}\n{answer}"
        );
        assert_eq!(answer.contains("1.0.0"), code == "200", "{request}\n{answer}");
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
    }
}

#[test]
fn the_next_one_who_listens_answers_at_the_same_socket_and_no_caller_is_turned_away() {
    let data = folder();
    let endpoint = Endpoint::open(data.path()).unwrap();
    let Found { port, token } = found(data.path());
    let mut api = LocalApi::serve(endpoint, || json!("first")).unwrap();
    for round in 0..10 {
        assert!(ask(port, &request(port, &token)).contains(if round == 0 { "first" } else { "next" }));
        let endpoint = api.into_endpoint().unwrap();
        // Nobody answers just now; the connection waits.
        let mut waiting = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        waiting.write_all(request(port, &token).as_bytes()).unwrap();
        api = LocalApi::serve(endpoint, || json!("next")).unwrap();
        let mut answer = String::new();
        waiting.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{round}: {answer}");
    }
}

#[test]
fn it_comes_back_to_its_port_with_another_token() {
    let data = folder();
    drop(Endpoint::open(data.path()).unwrap());
    let first = found(data.path());
    let _endpoint = Endpoint::open(data.path()).unwrap();
    let second = found(data.path());
    assert_eq!(first.port, second.port);
    assert_ne!(first.token, second.token);
    // The port is taken now: another is found.
    let other = folder();
    std::fs::copy(
        data.path().join("run/api.json"),
        other.path().join("run/api.json"),
    )
    .unwrap();
    let _other = Endpoint::open(other.path()).unwrap();
    assert_ne!(found(other.path()).port, first.port);
}

#[cfg(unix)]
#[test]
fn only_its_user_reads_where_it_is_also_after_a_crash_while_writing() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = folder();
    std::fs::write(data.path().join("run/api.json.new"), "half").unwrap();
    let _endpoint = Endpoint::open(data.path()).unwrap();
    let mode = std::fs::metadata(data.path().join("run/api.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(data.path().join("run")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_socket_that_others_can_reach_is_refused() {
    for (address, taken) in [("127.0.0.1:0", true), ("0.0.0.0:0", false)] {
        let socket = TcpListener::bind(address).unwrap();
        let endpoint = Endpoint::from_descriptor(socket.into(), String::new());
        assert_eq!(endpoint.is_ok(), taken, "{address}");
    }
}
