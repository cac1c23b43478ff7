//! The access log: a line of JSON per answer.
//!
//! A line is written before the last byte of its answer is handed to the connection, so whoever
//! has read an answer whole finds its line. An answer that was cut off is noted with the bytes
//! that were handed over until then.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Serialize;

/// Where answers are noted. Clones write to the same file.
#[derive(Clone)]
pub(super) struct AccessLog(Option<Arc<Mutex<File>>>);

/// What was asked for.
pub(super) struct Record {
    pub(super) method: String,
    /// As it was asked for, not decoded.
    pub(super) path: String,
    /// The `Range` header as it was sent.
    pub(super) range: Option<String>,
}

/// A line that is written once: when the answer is complete, or when it is given up.
pub(super) struct Entry {
    log: AccessLog,
    record: Record,
    status: u16,
    bytes: u64,
    written: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    bytes: u64,
    range: Option<&'a str>,
}

impl AccessLog {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Some(Arc::new(Mutex::new(file)))))
    }

    pub(super) fn write(&self, record: &Record, status: u16, bytes: u64) {
        let Some(file) = &self.0 else { return };
        let line = Line {
            method: &record.method,
            path: &record.path,
            status,
            bytes,
            range: record.range.as_deref(),
        };
        let Ok(mut text) = serde_json::to_vec(&line) else {
            return;
        };
        text.push(b'\n');
        if let Ok(mut file) = file.lock() {
            // A full disk must not stop the server; the answer matters more than its line.
            let _ = file.write_all(&text);
        }
    }

    pub(super) fn entry(&self, record: Record, status: u16) -> Entry {
        Entry {
            log: self.clone(),
            record,
            status,
            bytes: 0,
            written: false,
        }
    }
}

impl Entry {
    /// Counts bytes that are about to be handed over; `last` completes the line.
    pub(super) fn count(&mut self, bytes: u64, last: bool) {
        self.bytes += bytes;
        if last {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if !self.written {
            self.written = true;
            self.log.write(&self.record, self.status, self.bytes);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.finish();
    }
}
