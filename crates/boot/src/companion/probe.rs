//! Lets a program test itself before it takes another's place. Refuses to know what it tests.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::layout::{DATA_VARIABLE, INSTALL_VARIABLE};

/// What a program is started with to test itself. It changes nothing, and prints who it is.
pub const SELF_TEST: &str = "--self-test";
/// How long it may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How much of what it prints is read, in bytes.
const OUTPUT: u64 = 4096;

/// Tests the program at a path, which calls itself by the second name, with the third as its data folder.
pub type SelfTest<'a> = dyn Fn(&Path, &str, &Path) -> bool + 'a;

/// What a program says of itself.
#[derive(Deserialize)]
struct Answer {
    program: String,
}

/// Starts a program with [`SELF_TEST`]. True: within 5 seconds it ended well and said that it is `program`.
pub(super) fn run(path: &Path, program: &str, data: &Path) -> bool {
    let mut command = Command::new(path);
    command
        .arg(SELF_TEST)
        .env(DATA_VARIABLE, data)
        .env(INSTALL_VARIABLE, path.parent().unwrap_or(path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().is_ok_and(|child| has_passed(child, program))
}

fn has_passed(mut child: Child, program: &str) -> bool {
    let looks = LIMIT.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        match child.try_wait() {
            Ok(Some(status)) => return status.success() && says(&mut child, program),
            Ok(None) => std::thread::sleep(LOOK),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// Called when the process has ended: what it printed fits into the pipe, or it would not have.
fn says(child: &mut Child, program: &str) -> bool {
    let mut text = String::new();
    let read = child
        .stdout
        .take()
        .map(|output| output.take(OUTPUT).read_to_string(&mut text));
    matches!(read, Some(Ok(_)))
        && serde_json::from_str(text.trim()).is_ok_and(|answer: Answer| answer.program == program)
}
