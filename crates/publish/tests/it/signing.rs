//! The service that signs for the online roles: who is let in, and what it signs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, ensure};
use moult_publish::sign_service::{SignService, token};
use moult_trust::sign::{Editor, Keys, OnlineSigner};

use crate::support::Desk;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What it is, the first line, the headers, the body, and the status of the answer.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a [u8], u16);

struct Running {
    desk: Desk,
    service: SignService,
}

impl Running {
    fn start() -> Result<Self> {
        let desk = Desk::new()?;
        desk.moult_at(&jiff::Timestamp::now().to_string(), &["keys", "init"])?
            .done()?;
        let signer = OnlineSigner::new(Keys::open(&desk.path("keys"))?)?;
        let service = SignService::start(signer, TOKEN.to_owned(), 0)?;
        Ok(Self { desk, service })
    }

    fn host(&self) -> String {
        self.service
            .url()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned()
    }

    /// The status, and what was said.
    fn ask(&self, head: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.host())?;
        write!(stream, "{head} HTTP/1.1\r\nconnection: close\r\n")?;
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "content-length: {}\r\n\r\n", body.len())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).context("a status")?.parse()?;
        let said = answer
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
            .trim()
            .to_owned();
        Ok((status, said))
    }

    fn id(&self, role: &str) -> Result<String> {
        let keys = Keys::open(&self.desk.path("keys"))?;
        let states = Editor::open(&self.desk.path("dist/repository"), &keys)?.role_states();
        let state = states.into_iter().find(|state| state.expiry.role == role);
        state
            .and_then(|state| state.keys.into_keys().next())
            .context("no such role")
    }

    /// The document of the timestamp, in canonical form.
    fn timestamp(&self) -> Result<Vec<u8>> {
        let file: serde_json::Value =
            serde_json::from_slice(&self.desk.read("dist/repository/metadata/timestamp.json")?)?;
        Ok(serde_json::to_vec(&file["signed"])?)
    }
}

#[test]
fn lets_in_who_has_the_token_and_signs_for_three_roles() -> Result<()> {
    let running = Running::start()?;
    let (host, id) = (running.host(), running.id("timestamp")?);
    let right = format!("Bearer {TOKEN}");
    let document = running.timestamp()?;
    let path = format!("POST /timestamp/{id}");
    let ask = |head: &str, headers: &[(&str, &str)], body: &[u8]| running.ask(head, headers, body);
    let auth = [("host", host.as_str()), ("authorization", right.as_str())];

    let (status, signature) = ask(&path, &auth, &document)?;
    assert_eq!((status, signature.len()), (200, 128), "{signature}");

    let wrong = format!("Bearer {}", TOKEN.replace('0', "1"));
    let short = format!("Bearer {}", &TOKEN[..31]);
    let local = host.replace("127.0.0.1", "localhost");
    let table: [Case<'_>; 12] = [
        ("no token", &path, vec![("host", &host)], &document, 401),
        (
            "a wrong token",
            &path,
            vec![("host", &host), ("authorization", &wrong)],
            &document,
            401,
        ),
        (
            "half of it",
            &path,
            vec![("host", &host), ("authorization", &short)],
            &document,
            401,
        ),
        (
            "a web page",
            &path,
            [&auth[..], &[("origin", "https://example.org")]].concat(),
            &document,
            403,
        ),
        (
            "by another name",
            &path,
            vec![("host", "updates.example"), ("authorization", &right)],
            &document,
            403,
        ),
        (
            "by its own name",
            &path,
            vec![("host", &local), ("authorization", &right)],
            &document,
            200,
        ),
        (
            "not posted",
            &path.replace("POST", "GET"),
            auth.to_vec(),
            b"",
            405,
        ),
        ("nowhere", "POST /timestamp", auth.to_vec(), &document, 404),
        (
            "the root",
            &path.replace("timestamp/", "root/"),
            auth.to_vec(),
            &document,
            403,
        ),
        (
            "a key that is not here",
            &path.replace(&id, &"0".repeat(64)),
            auth.to_vec(),
            &document,
            403,
        ),
        ("no document", &path, auth.to_vec(), b"{}", 403),
        (
            "another role's",
            &path.replace("timestamp/", "snapshot/"),
            auth.to_vec(),
            &document,
            403,
        ),
    ];
    for (what, head, headers, body, expected) in table {
        let (status, said) = ask(head, &headers, body)?;
        assert_eq!(status, expected, "{what}: {said}");
    }
    Ok(())
}

/// A builder that has no online key publishes through the service.
#[cfg(unix)]
#[test]
fn a_key_behind_the_service_signs_for_a_command_elsewhere() -> Result<()> {
    let running = Running::start()?;
    let desk = &running.desk;
    let now = jiff::Timestamp::now().to_string();
    // The builder's key folder has a command in place of the secret, for all three roles.
    for (name, bytes) in desk.files("keys")? {
        let role = name.split('.').next().unwrap_or_default();
        let online = OnlineSigner::ROLES.contains(&role);
        let mut bytes = bytes;
        if online {
            let mut file: serde_json::Value = serde_json::from_slice(&bytes)?;
            file.as_object_mut().map(|file| file.remove("secret"));
            let script = format!(
                "curl --silent --show-error --fail --data-binary @- -H 'Authorization: Bearer {TOKEN}' \
                 {}$MOULT_ROLE/$MOULT_KEY_ID",
                running.service.url()
            );
            file["command"] = serde_json::json!(["sh", "-c", script]);
            bytes = serde_json::to_vec(&file)?;
        }
        desk.write(&format!("builder/{name}"), bytes)?;
    }
    desk.configure("/keys", serde_json::json!("builder"))?;
    desk.moult_at(&now, &["publish", "shell"])?.done()?;
    desk.moult_at(&now, &["resign"])?.done()?;
    let listed = desk.moult(&["keys", "list"])?.done()?;
    ensure!(listed.stdout.contains("behind `sh -c curl"), "{listed}");
    Ok(())
}

#[test]
fn a_token_is_made_once_and_is_for_its_owner_alone() -> Result<()> {
    let desk = Desk::new()?;
    let path = desk.path("token");
    let made = token(&path)?;
    assert_eq!((made.len(), token(&path)?), (64, made.clone()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    }
    desk.write("token", "short")?;
    ensure!(token(&path).is_err(), "a token that can be guessed");
    Ok(())
}

#[test]
fn the_service_needs_keys() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("error_sign_service_no_keys", &desk.moult(&["sign-service"])?);
    Ok(())
}
