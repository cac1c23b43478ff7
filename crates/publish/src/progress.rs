//! How far the work is, on stderr, and only when somebody looks at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One line that says what is being done.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A line on stderr; nothing at all when that is not a terminal.
    pub fn on_terminal() -> Self {
        let line = Self::without_thread();
        if !line.0.is_hidden() {
            line.0.enable_steady_tick(Duration::from_millis(100));
        }
        line
    }

    /// The same, but it moves only when something is told: for work in little memory.
    pub fn without_thread() -> Self {
        Self(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// No line.
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Says what begins now.
    pub fn stage(&self, what: &str) {
        self.0.set_style(ProgressStyle::default_spinner());
        self.0.set_message(what.to_owned());
    }

    /// Says what begins now and in how many steps.
    pub fn steps(&self, what: &str, count: usize) {
        self.0.set_length(count as u64);
        self.0.set_position(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len} [{bar:24}] {elapsed}") {
            self.0.set_style(style);
        }
        self.0.set_message(what.to_owned());
    }

    /// Says what begins now and how many bytes it is about.
    pub fn bytes(&self, what: &str, count: u64) {
        self.0.set_length(count);
        self.0.set_position(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {percent}% [{bar:24}] {elapsed}") {
            self.0.set_style(style);
        }
        self.0.set_message(what.to_owned());
    }

    /// So many bytes are done.
    pub fn reach(&self, done: u64) {
        self.0.set_position(done);
    }

    /// A step is done.
    pub fn advance(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
