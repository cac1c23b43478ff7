//! What a person reads: a line for each step, and the output of a step that failed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one module that prints"
)]

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use console::{Term, style};

/// Steps that all run, whatever becomes of the others.
#[derive(Default)]
pub(crate) struct Steps {
    only: Option<String>,
    done: Vec<Done>,
}

struct Done {
    name: String,
    passed: bool,
    time: Duration,
}

impl Steps {
    /// Passes over steps whose name does not contain this.
    pub(crate) fn only(name: Option<String>) -> Self {
        Self {
            only: name,
            done: Vec::new(),
        }
    }

    /// Runs a step that prints nothing itself, and prints whether it passed and how long it took.
    /// What it returns is a note for its line.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<String>) {
        if self
            .only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            return;
        }
        let terminal = Term::stdout();
        if terminal.is_term() {
            // Is overwritten by the result.
            let _ = terminal.write_str(&format!("  {name}"));
        }
        let start = Instant::now();
        let result = step();
        if terminal.is_term() {
            let _ = terminal.clear_line();
        }
        self.add(name, start.elapsed(), result);
    }

    /// Runs a step whose output is shown as it comes. Tells whether it passed.
    pub(crate) fn run_live(&mut self, name: &str, step: impl FnOnce() -> Result<()>) -> bool {
        note(&format!("{name}:"));
        let start = Instant::now();
        let result = step();
        let passed = result.is_ok();
        self.add(name, start.elapsed(), result.map(|()| String::new()));
        passed
    }

    fn add(&mut self, name: &str, time: Duration, result: Result<String>) {
        let passed = result.is_ok();
        match result {
            Ok(text) => {
                let mut lines = text.lines();
                println!("{}", line(true, name, time, lines.next().unwrap_or_default()));
                lines.for_each(note);
            }
            Err(error) => {
                println!("{}", line(false, name, time, ""));
                format!("{error:#}").lines().for_each(note);
            }
        }
        self.done.push(Done {
            name: name.to_owned(),
            passed,
            time,
        });
    }

    /// Whether all passed so far.
    pub(crate) fn passed(&self) -> bool {
        self.done.iter().all(|step| step.passed)
    }

    /// Prints all steps once more, and fails if one failed.
    pub(crate) fn summary(self, title: &str) -> Result<()> {
        let total: Duration = self.done.iter().map(|step| step.time).sum();
        heading(title);
        for step in &self.done {
            println!("{}", line(step.passed, &step.name, step.time, ""));
        }
        println!("  {} steps, {}", self.done.len(), seconds(total));
        self.end()
    }

    /// Fails if one failed, or if none has the name that was asked for.
    pub(crate) fn end(self) -> Result<()> {
        if let (Some(only), []) = (&self.only, &*self.done) {
            bail!("no step has `{only}` in its name");
        }
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|step| !step.passed)
            .map(|step| &*step.name)
            .collect();
        if !failed.is_empty() {
            bail!(
                "{} of {} steps failed: {}",
                failed.len(),
                self.done.len(),
                failed.join(", ")
            );
        }
        Ok(())
    }
}

/// A heading above what follows.
pub(crate) fn heading(text: &str) {
    println!("\n{}", style(text).bold());
}

/// A line of its own.
pub(crate) fn note(text: &str) {
    println!("    {text}");
}

/// Why the command as a whole failed.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("\n{} {error:#}", style("✗").red().bold());
}

fn line(passed: bool, name: &str, time: Duration, note: &str) -> String {
    let mark = if passed {
        style("✓").green()
    } else {
        style("✗").red()
    };
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("  {note}")
    };
    format!("{mark} {name:<28} {:>9}{}", seconds(time), style(note).dim())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
