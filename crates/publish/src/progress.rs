//! How far the work is, on stderr, and only when somebody looks at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One line that says what is being done.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A line on stderr; nothing at all when that is not a terminal.
    pub fn on_terminal() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self(bar)
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
