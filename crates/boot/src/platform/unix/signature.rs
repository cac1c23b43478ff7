//! Whether the system accepts a program's code signature. Refuses to know which program it is.
//!
//! macOS alone has such a check that a user's program can ask for. What asks is tested wherever there is a shell.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::BootError;

/// What macOS has for it. Named whole: a program of this name elsewhere must not decide.
const CODESIGN: &str = "/usr/bin/codesign";
/// After this it has nothing to say. A file of a hundred megabytes takes it less than a second.
const LIMIT: Duration = Duration::from_secs(20);
/// How long a pause between two looks is.
const PAUSE: Duration = Duration::from_millis(10);
/// So much of what it says is kept.
const LONGEST: usize = 400;

/// Succeeds if the system accepts the signature of a program, or can't be asked.
pub(crate) fn check_signature(file: &Path) -> Result<(), BootError> {
    if cfg!(target_os = "macos") {
        check_with(Path::new(CODESIGN), file)
    } else {
        Ok(())
    }
}

fn check_with(program: &Path, file: &Path) -> Result<(), BootError> {
    match refusal(ask(program, file, LIMIT)) {
        None => Ok(()),
        Some(said) => Err(BootError::SignatureRefused {
            path: file.to_owned(),
            said,
        }),
    }
}

/// Why it does not accept the file, in its own words. What can't be asked, or does not know, refuses nothing: the system
/// looks again when the file is started.
fn refusal(asked: io::Result<Output>) -> Option<String> {
    let output = asked.ok()?;
    // 1: it was checked and is not whole. 3: it does not fulfil what it asks for itself. 2 is a call that it does
    // not understand, and a signal tells nothing of the file.
    if !matches!(output.status.code(), Some(1 | 3)) {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let said: String = lines.join("; ").chars().take(LONGEST).collect();
    Some(if said.is_empty() {
        "it says no more".to_owned()
    } else {
        said
    })
}

fn ask(program: &Path, file: &Path, limit: Duration) -> io::Result<Output> {
    let mut child = Command::new(program)
        .args(["--verify", "--strict"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() >= limit {
            // It may have ended in between; then there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(PAUSE);
    }
    child.wait_with_output()
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::PathBuf;
    use std::process::ExitStatus;

    use super::*;

    fn ended(status: i32, said: &str) -> Output {
        Output {
            status: ExitStatus::from_raw(status),
            stdout: Vec::new(),
            stderr: said.into(),
        }
    }

    #[test]
    fn only_a_check_that_was_made_refuses_a_file() {
        let table = [
            ("whole", Ok(ended(0, "")), None),
            (
                "changed",
                Ok(ended(
                    1 << 8,
                    "moult-app: invalid signature\nIn architecture: arm64\n",
                )),
                Some("moult-app: invalid signature; In architecture: arm64"),
            ),
            (
                "not signed at all",
                Ok(ended(1 << 8, "moult-app: code object is not signed at all\n")),
                Some("moult-app: code object is not signed at all"),
            ),
            (
                "against its own wish",
                Ok(ended(3 << 8, "")),
                Some("it says no more"),
            ),
            (
                "a call that it does not know",
                Ok(ended(2 << 8, "Usage: codesign")),
                None,
            ),
            ("it crashed itself", Ok(ended(11, "")), None),
            ("it is not there", Err(io::ErrorKind::NotFound.into()), None),
            ("it took too long", Err(io::ErrorKind::TimedOut.into()), None),
        ];
        for (what, asked, expected) in table {
            assert_eq!(refusal(asked).as_deref(), expected, "{what}");
        }
        let endless = refusal(Ok(ended(1 << 8, &"x".repeat(10_000)))).unwrap();
        assert_eq!(endless.len(), LONGEST);
    }

    fn program(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("codesign");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn it_is_asked_for_the_whole_signature_of_this_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a file");
        let asks = program(folder.path(), "echo \"$#: $1 $2 $3\" >&2; exit 1");
        let error = check_with(&asks, &file).unwrap_err().to_string();
        let words = format!("3: --verify --strict {}", file.display());
        for said in [words.as_str(), "does not accept", "was kept"] {
            assert!(error.contains(said), "{error}");
        }
        program(folder.path(), "exit 0");
        check_with(&asks, &file).unwrap();
        check_with(&folder.path().join("missing"), &file).unwrap();
    }

    #[test]
    fn one_that_does_not_answer_is_ended_and_refuses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let hangs = program(folder.path(), "exec sleep 3600");
        let asked = ask(&hangs, Path::new("x"), Duration::from_millis(50));
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
