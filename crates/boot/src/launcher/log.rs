//! The launcher's log: JSON lines, at most 1 MiB, and as much again of what came before. Refuses to be a
//! reason not to start: what can't be written is dropped.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use moult_durable::fs::File;
use serde_json::{Value, json};

/// The largest log file, in bytes.
const LIMIT: u64 = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Option<(File, u64)>,
}

impl Log {
    /// The log in a folder, as `launcher.log`; the one before is `launcher.log.1`.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join("launcher.log");
        let file = append(&path);
        Self { path, file }
    }

    /// Writes an event: the time in milliseconds since 1970, its name, and its details.
    pub(crate) fn write(&mut self, event: &str, details: &Value) {
        let at = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        let line = format!("{}\n", json!({ "at": at, "event": event, "details": details }));
        self.append(&line);
    }

    fn append(&mut self, line: &str) {
        if self
            .file
            .as_ref()
            .is_some_and(|(_, length)| length + line.len() as u64 > LIMIT)
        {
            self.file = None;
            let _ = moult_durable::fs::rename(&self.path, &self.path.with_extension("log.1"));
            self.file = append(&self.path);
        }
        if let Some((file, length)) = &mut self.file
            && file.write_all(line.as_bytes()).is_ok()
        {
            *length += line.len() as u64;
        }
    }
}

fn append(path: &Path) -> Option<(File, u64)> {
    let file = moult_durable::fs::append(path).ok()?;
    let length = file.metadata().ok()?.len();
    Some((file, length))
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn is_rotated_at_its_limit_and_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["launcher.log", "launcher.log.1"].map(|name| folder.path().join(name));
        let detail = json!("x".repeat(1_000));
        for round in 0..5 {
            let mut log = Log::open(folder.path());
            for _ in 0..600 {
                log.write("test", &detail);
                assert!(fs::metadata(&names[0]).unwrap().len() <= LIMIT);
            }
            assert_eq!(names[1].exists(), round > 0, "{round}");
        }
        for name in names {
            let text = fs::read_to_string(name).unwrap();
            assert!(text.len() as u64 <= LIMIT);
            assert!(
                text.lines()
                    .all(|line| serde_json::from_str::<Value>(line).is_ok())
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        Log::open(&folder.path().join("missing")).write("test", &Value::Null);
    }
}
