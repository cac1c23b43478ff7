//! Tells the person something when the application has no window to say it in.
//!
//! A window of the system's own, made by a program that is there already: `zenity`, `kdialog` or
//! `xmessage` on Linux, `osascript` on macOS, a message box on Windows. It is not waited for, so that
//! nobody who is away keeps the launcher alive. It refuses to know what is said. Standard error is the
//! caller's, who writes there in any case.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::layout::AUTOMATION_VARIABLE;
use crate::place::slot_environment;

/// A program that ends with a failure within this time had no screen to show anything on.
const EARLY: Duration = Duration::from_secs(1);
/// How often it is looked at in that time.
const LOOK: Duration = Duration::from_millis(25);
/// What stands above the text.
const TITLE: &str = "Moult";

/// Whether the person saw it in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A window was opened, and stays until it is closed.
    Window,
    /// There is no screen, or no program that can show a message: only standard error is left.
    Nowhere,
}

/// Shows a failure in a window of the system's own, and goes on at once. On Windows it waits until the
/// window is closed.
///
/// Under automation nothing is shown: nobody would close it.
pub fn say(text: &str) -> Shown {
    if cfg!(windows) {
        let automated = std::env::var_os(AUTOMATION_VARIABLE).is_some_and(|value| value == "1");
        if !automated && crate::platform::message_box(TITLE, text) {
            return Shown::Window;
        }
        return Shown::Nowhere;
    }
    say_with(text, |name| std::env::var_os(name))
}

/// A program of this name that can show a window to somebody here and now.
pub fn window_program(name: &str) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name);
    may_show(variable)
        .then(|| find(name, &variable("PATH").unwrap_or_default()))
        .flatten()
}

/// A program that shows a text, and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Showing {
    program: &'static str,
    arguments: Vec<String>,
}

fn say_with(text: &str, variable: impl Fn(&str) -> Option<OsString>) -> Shown {
    if !may_show(&variable) {
        return Shown::Nowhere;
    }
    let path = variable("PATH").unwrap_or_default();
    for showing in showings(text) {
        if let Some(program) = find(showing.program, &path)
            && start(&program, &showing.arguments)
        {
            return Shown::Window;
        }
    }
    Shown::Nowhere
}

/// Whether there is a screen, and somebody in front of it.
fn may_show(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let automated = variable(AUTOMATION_VARIABLE).is_some_and(|value| value == "1");
    let screen = cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    screen && !automated
}

/// Who may show it, best first. The text is one argument of its own, so that nothing in it is a command.
fn showings(text: &str) -> Vec<Showing> {
    let showing = |program, arguments: &[&str]| Showing {
        program,
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
    };
    if cfg!(target_os = "macos") {
        let script = "display alert (item 1 of argv) message (item 2 of argv) as critical";
        let lines = ["-e", "on run argv", "-e", script, "-e", "end run", TITLE, text];
        return vec![showing("osascript", &lines)];
    }
    // zenity reads `\n` and the like in the text, and marks in it unless it is told not to.
    let plain = text.replace('\\', "\\\\");
    vec![
        showing(
            "zenity",
            &[
                "--error",
                "--no-markup",
                "--width=420",
                &format!("--title={TITLE}"),
                &format!("--text={plain}"),
            ],
        ),
        showing("kdialog", &["--title", TITLE, "--error", text]),
        showing("xmessage", &["-center", text]),
    ]
}

/// The program of this name in a list of folders. A folder that is not absolute is left out: it would be
/// another one in each place.
fn find(program: &str, path: &OsString) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Starts a program that shows a window. False if it could not, or ended with a failure at once.
fn start(program: &Path, arguments: &[String]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for (name, value) in slot_environment(std::env::vars_os()) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    match command.spawn() {
        Ok(child) => has_opened(child),
        Err(_) => false,
    }
}

fn has_opened(mut child: Child) -> bool {
    let looks = EARLY.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(LOOK),
            Err(_) => return false,
        }
    }
    true
}

#[cfg(all(test, unix, not(target_os = "macos")))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const TEXT: &str = "Moult could not be started: <b>&\\n\"$(x)\". Your data is kept.";

    /// A folder with programs that write down their arguments, one on a line, and end with a code.
    fn programs(codes: &[(&str, i32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, code) in codes {
            let path = folder.path().join(name);
            let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.said\"\nexit {code}\n");
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn said(folder: &Path, variables: &[(&str, &str)]) -> (Shown, Vec<String>) {
        let shown = say_with(TEXT, |name| match name {
            "PATH" => Some(folder.as_os_str().to_owned()),
            _ => variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into()),
        });
        let mut asked: Vec<String> = ["zenity", "kdialog", "xmessage"]
            .iter()
            .filter(|name| folder.join(format!("{name}.said")).exists())
            .map(|name| (*name).to_owned())
            .collect();
        asked.sort_by_key(|name| name != "zenity");
        (shown, asked)
    }

    #[test]
    fn the_first_program_that_can_shows_it() {
        type Case<'a> = (&'a [(&'a str, i32)], Shown, &'a [&'a str]);
        let x11 = [("DISPLAY", ":0")];
        let table: [Case<'_>; 6] = [
            (&[("zenity", 0), ("kdialog", 0)], Shown::Window, &["zenity"]),
            (&[("kdialog", 0), ("xmessage", 0)], Shown::Window, &["kdialog"]),
            (&[("xmessage", 0)], Shown::Window, &["xmessage"]),
            (
                &[("zenity", 1), ("kdialog", 0)],
                Shown::Window,
                &["zenity", "kdialog"],
            ),
            (&[("zenity", 1)], Shown::Nowhere, &["zenity"]),
            (&[], Shown::Nowhere, &[]),
        ];
        for (there, shown, asked) in table {
            let folder = programs(there);
            let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(said(folder.path(), &x11), (shown, asked), "{there:?}");
        }
    }

    #[test]
    fn without_a_screen_or_under_automation_nobody_is_asked() {
        let table: [(&[(&str, &str)], Shown); 5] = [
            (&[], Shown::Nowhere),
            (&[("DISPLAY", "")], Shown::Nowhere),
            (&[("DISPLAY", ":0"), ("MOULT_AUTOMATION", "1")], Shown::Nowhere),
            (&[("WAYLAND_DISPLAY", "wayland-0")], Shown::Window),
            (&[("DISPLAY", ":0"), ("MOULT_AUTOMATION", "0")], Shown::Window),
        ];
        for (variables, shown) in table {
            let folder = programs(&[("zenity", 0)]);
            assert_eq!(said(folder.path(), variables).0, shown, "{variables:?}");
        }
    }

    #[test]
    fn an_empty_path_and_a_relative_one_find_nothing() {
        for path in ["", ".", "bin:."] {
            let shown = say_with(TEXT, |name| match name {
                "PATH" => Some(path.into()),
                "DISPLAY" => Some(":0".into()),
                _ => None,
            });
            assert_eq!(shown, Shown::Nowhere, "{path:?}");
        }
    }

    #[test]
    fn the_text_arrives_whole_as_one_argument() {
        for (program, expected) in [
            ("zenity", format!("--text={}", TEXT.replace('\\', "\\\\"))),
            ("kdialog", TEXT.to_owned()),
            ("xmessage", TEXT.to_owned()),
        ] {
            let folder = programs(&[(program, 0)]);
            said(folder.path(), &[("DISPLAY", ":0")]);
            let arguments = std::fs::read_to_string(folder.path().join(format!("{program}.said"))).unwrap();
            assert_eq!(arguments.lines().last().unwrap(), expected, "{program}");
        }
    }
}
