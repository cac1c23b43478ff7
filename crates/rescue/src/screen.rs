//! Tells a person how far it is: on standard error, and in a small window where there is one to be had.
//! Refuses to know what is being done.

#![expect(
    clippy::print_stderr,
    reason = "where there is no window, standard error is what a user can read"
)]

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moult_boot::launcher::message;
use moult_boot::place::slot_environment;

use crate::Step;

/// How often, and how many times, a window that is to close is looked at.
const LOOK: Duration = Duration::from_millis(25);
const LOOKS: u32 = 20;

/// Where the person reads how far it is.
#[derive(Debug)]
pub struct Screen {
    window: Mutex<Option<Child>>,
    last: Mutex<(String, u8)>,
}

impl Screen {
    /// Opens a window with a bar, if there is a screen and a program that shows one.
    pub fn open() -> Self {
        Self {
            window: Mutex::new(window()),
            last: Mutex::default(),
        }
    }

    /// Tells a step.
    pub fn tell(&self, step: &Step) {
        let (text, percent) = (step.to_string(), step.percent());
        let mut last = lock(&self.last);
        if last.0 != text {
            eprintln!("{text}");
        }
        if *last != (text.clone(), percent) {
            let mut window = lock(&self.window);
            let shown = window
                .as_mut()
                .and_then(|window| window.stdin.as_mut())
                .map(|input| writeln!(input, "# {text}\n{percent}"));
            // A window that the person closed does not stop the rescue.
            if matches!(shown, Some(Err(_))) {
                end(&mut window);
            }
        }
        *last = (text, percent);
    }

    /// Closes the window and tells how it ended: in another one too, if `in_window`.
    pub fn close(self, text: &str, in_window: bool) {
        end(&mut lock(&self.window));
        eprintln!("{text}");
        if in_window {
            message::say(text);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn window() -> Option<Child> {
    let program = message::window_program("zenity")?;
    let mut command = Command::new(program);
    command
        .args([
            "--progress",
            "--title=Moult",
            "--width=420",
            "--no-cancel",
            "--auto-close",
            "--text=Moult is being repaired…",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for (name, value) in slot_environment(std::env::vars_os()) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.spawn().ok()
}

/// Closes the window. It closes by itself at a hundred percent; one that does not is closed.
fn end(window: &mut Option<Child>) {
    if let Some(mut child) = window.take() {
        if let Some(mut input) = child.stdin.take() {
            // It may have been closed already.
            let _ = writeln!(input, "100");
        }
        for _ in 0..LOOKS {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}
