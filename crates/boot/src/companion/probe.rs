//! Lets a program test itself before it takes another's place. Refuses to know what it tests.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::layout::{DATA_VARIABLE, INSTALL_VARIABLE};

/// What a program is started with to test itself. It changes nothing, and prints who it is.
pub const SELF_TEST: &str = "--self-test";
/// How long it may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How long an AppImage may take, which is unpacked first.
const APP_IMAGE_LIMIT: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often a file that is still open elsewhere is tried again.
const PATIENCE: u32 = 50;
/// How much of what it prints is read, in bytes.
const OUTPUT: u64 = 4096;

/// What came of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// It ended well, and is the program that it should be.
    Passed,
    /// It did not end well or in time, is another program, or nothing that runs here.
    Failed,
    /// The system could not start it now, which says nothing about it.
    NotNow,
}

/// Tests the program at a path, which calls itself by the second name, with the third as its data folder.
pub type SelfTest<'a> = dyn Fn(&Path, &str, &Path) -> Tested + 'a;

/// What a program says of itself.
#[derive(Deserialize)]
struct Answer {
    program: String,
}

/// Starts a program with [`SELF_TEST`]. It passes if within 5 seconds it ended well and said that it is
/// `program`.
pub(super) fn run(path: &Path, program: &str, data: &Path) -> Tested {
    test(&mut Command::new(path), path, program, data, LIMIT)
}

/// The same for an AppImage, which hands its arguments on to the launcher in it. It is unpacked instead of mounted, so that
/// nothing depends on what the system has for that; so it has longer.
pub(crate) fn run_app_image(path: &Path, data: &Path) -> Tested {
    let mut command = Command::new(path);
    // What the running one was told about itself is not the new one's.
    for name in ["APPDIR", "APPIMAGE", "ARGV0", "OWD"] {
        command.env_remove(name);
    }
    command.env("APPIMAGE_EXTRACT_AND_RUN", "1");
    test(&mut command, path, "moult-launcher", data, APP_IMAGE_LIMIT)
}

fn test(command: &mut Command, path: &Path, program: &str, data: &Path, limit: Duration) -> Tested {
    command
        .arg(SELF_TEST)
        .env(DATA_VARIABLE, data)
        .env(INSTALL_VARIABLE, path.parent().unwrap_or(path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut patience = PATIENCE;
    loop {
        match command.spawn() {
            Ok(child) => return judge(child, program, limit),
            // Somebody who is being started just now still has the file open from before its own start.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && patience > 0 => {
                patience -= 1;
                std::thread::sleep(LOOK);
            }
            Err(error) if is_short_of_something(&error) => return Tested::NotNow,
            Err(_) => return Tested::Failed,
        }
    }
}

/// Whether a program could not be started for a reason that passes.
fn is_short_of_something(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ExecutableFileBusy
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::WouldBlock
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::Interrupted
    ) || is_out_of_descriptors(error)
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        [Errno::MFILE, Errno::NFILE]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

fn judge(mut child: Child, program: &str, limit: Duration) -> Tested {
    let looks = limit.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        match child.try_wait() {
            Ok(Some(status)) if status.success() && says(&mut child, program) => return Tested::Passed,
            Ok(Some(_)) => return Tested::Failed,
            Ok(None) => std::thread::sleep(LOOK),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Tested::Failed
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
