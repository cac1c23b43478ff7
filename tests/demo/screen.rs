//! What the viewer sees in the terminal: a line per step, with a clock while it runs and a tick when it is done.

use std::time::{Duration, Instant};

use console::{Term, style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The terminal.
#[derive(Debug)]
pub(crate) struct Screen(Term);

/// A step that runs. Without [`Step::done`] it counts as given up.
#[derive(Debug)]
pub(crate) struct Step {
    screen: Term,
    bar: ProgressBar,
    what: String,
    start: Instant,
    finished: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self(Term::stdout())
    }

    pub(crate) fn line(&self, text: &str) {
        say(&self.0, text);
    }

    /// Announces a group of steps.
    pub(crate) fn heading(&self, text: &str) {
        say(&self.0, &format!("\n{}", style(text).bold()));
    }

    /// Starts a step.
    pub(crate) fn step(&self, what: &str) -> Step {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Step {
            screen: self.0.clone(),
            bar,
            what: what.to_owned(),
            start: Instant::now(),
            finished: false,
        }
    }

    /// Tells a claim and whether it held.
    pub(crate) fn claim(&self, text: &str, holds: bool) {
        let mark = if holds {
            style("✓").green()
        } else {
            style("✗").red().bold()
        };
        say(&self.0, &format!("      {mark} {text}"));
    }
}

impl Step {
    /// Says what the step is at.
    pub(crate) fn now(&self, what: &str) {
        self.bar.set_message(format!("{}: {what}", self.what));
    }

    /// Ends the step well.
    pub(crate) fn done(mut self, result: &str) {
        self.end(&style("✓").green().to_string(), result);
    }

    fn end(&mut self, mark: &str, result: &str) {
        self.finished = true;
        self.bar.finish_and_clear();
        let seconds = style(format!("{:6.1} s", self.start.elapsed().as_secs_f64())).dim();
        let result = if result.is_empty() {
            String::new()
        } else {
            format!("  {}", style(result).dim())
        };
        say(
            &self.screen,
            &format!("  {mark} {seconds}  {}{result}", self.what),
        );
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.finished {
            self.end(&style("✗").red().bold().to_string(), "");
        }
    }
}

/// A terminal that was closed ends nothing: the checks go on.
fn say(screen: &Term, text: &str) {
    let _ = screen.write_line(text);
}
