//! A key behind a command: the configured program gets what is to be signed and prints the signature. So a key can stay in a
//! hardware module or a key service. It refuses to know which.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::BoxedError;

/// How long a command may take. Somebody may have to touch a device.
const LONGEST: Duration = Duration::from_mins(2);
/// How much of an answer is read, in bytes. The largest signature is far below.
const LARGEST: u64 = 64 * 1024;
const BEAT: Duration = Duration::from_millis(10);

/// Has a command sign. It gets the bytes on its standard input, and the role and the key's id as `MOULT_ROLE` and
/// `MOULT_KEY_ID`; it prints the signature in hexadecimal digits or base64 and ends well. What it says on its standard error the
/// user sees.
pub(super) fn sign(command: &[String], role: &str, id: &str, bytes: &[u8]) -> Result<Vec<u8>, BoxedError> {
    let (program, arguments) = command.split_first().ok_or("it names no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("MOULT_ROLE", role)
        .env("MOULT_KEY_ID", id)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let bytes = bytes.to_vec();
    // Both ends at once, whatever the command reads before it writes. One that reads nothing closes its end, which is its
    // business: it is judged by what it says.
    thread::spawn(move || input.map(|mut input| input.write_all(&bytes)));
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = output.map(|output| output.take(LARGEST).read_to_string(&mut text));
        read.transpose().map(|_| text)
    });
    wait(&mut child)?;
    let text = reader.join().map_err(|_| "its answer could not be read")??;
    parse(&text)
}

fn wait(child: &mut Child) -> Result<(), BoxedError> {
    let end = Instant::now() + LONGEST;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("it ended with {status}").into()),
            None if Instant::now() >= end => {
                child.kill()?;
                child.wait()?;
                return Err(format!("it took longer than {} s", LONGEST.as_secs()).into());
            }
            None => thread::sleep(BEAT),
        }
    }
}

fn parse(text: &str) -> Result<Vec<u8>, BoxedError> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it printed nothing".into());
    }
    hex::decode(text)
        .or_else(|_| STANDARD.decode(text))
        .map_err(|_| "what it printed is neither hexadecimal digits nor base64".into())
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Vec<u8>, String> {
        let command = ["sh", "-c", script].map(str::to_owned);
        sign(&command, "timestamp", "abc", b"what is signed").map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_gets_the_bytes_and_is_told_who_signs() {
        let script = r#"test "$(cat)" = "what is signed" && test "$MOULT_ROLE $MOULT_KEY_ID" = "timestamp abc" && echo 00ff"#;
        assert_eq!(shell(script).unwrap(), [0, 0xff]);
        assert_eq!(shell("echo AP8=").unwrap(), [0, 0xff], "base64, and nothing read");
    }

    #[test]
    fn a_command_that_fails_says_how() {
        for (script, expected) in [
            ("exit 3", "exit status: 3"),
            ("true", "printed nothing"),
            ("echo '%'", "neither hexadecimal"),
            ("echo 00; exit 1", "exit status: 1"),
        ] {
            let error = shell(script).unwrap_err();
            assert!(error.contains(expected), "{script}: {error}");
        }
        assert!(sign(&[], "r", "i", b"").is_err());
        assert!(sign(&["./no-such-program".to_owned()], "r", "i", b"").is_err());
    }
}
