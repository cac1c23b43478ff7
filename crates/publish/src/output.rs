//! What is printed: results on stdout, for people or as JSON, and errors on stderr.

use std::fmt;
use std::io::{self, Write as _};
use std::time::Instant;

use console::style;
use serde::Serialize;
use serde_json::json;

use crate::PublishError;

/// Where and in which form results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

/// A result that people and programs can read.
pub trait Report: fmt::Display + Serialize {}

impl<T: fmt::Display + Serialize> Report for T {}

impl Output {
    /// Prints JSON or text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read it.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result: its text, or one line of JSON.
    pub fn report(self, report: &impl Report) -> Result<(), PublishError> {
        let text = if self.json {
            serde_json::to_string(report).map_err(|source| PublishError::Encode {
                what: "the result",
                source,
            })?
        } else {
            report.to_string()
        };
        print(&text).map_err(|source| PublishError::Print { source })
    }

    /// Prints a text as it is, whoever reads it.
    pub fn print(self, text: &str) -> Result<(), PublishError> {
        print(text).map_err(|source| PublishError::Print { source })
    }

    /// Prints an error on stderr, and with JSON as an object on stdout too.
    pub fn error(self, error: &PublishError) {
        let (message, hint) = (error.message(), error.hint());
        // Nothing is left to do when stderr is closed.
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{} {message}", style("error:").red().bold().for_stderr());
        if let Some(hint) = &hint {
            let _ = writeln!(stderr, "{} {hint}", style("hint:").cyan().bold().for_stderr());
        }
        if self.json {
            let mut object = json!({ "error": { "message": message, "hint": hint } });
            if let Some(details) = error.details() {
                object["details"] = details;
            }
            let _ = print(&object.to_string());
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", text.trim_end())?;
    stdout.flush()
}

/// Seconds since then, to the millisecond.
pub fn seconds(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// A size for people: bytes up to 10,000, then thousands or millions with one digit.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            bytes @ 0..10_000 => format!("{bytes} B"),
            bytes @ 10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
            bytes => format!("{:.1} MB", bytes as f64 / 1e6),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (9_999, "9999 B"),
            (10_000, "10.0 kB"),
            (123_456, "123.5 kB"),
            (12_345_678, "12.3 MB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Size(bytes).to_string(), expected);
        }
    }
}
