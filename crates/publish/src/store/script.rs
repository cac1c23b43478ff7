//! A program of the publisher's own as a store, for places that `object_store` does not know: a Git host's releases, a folder
//! behind SSH. It is asked one thing at a time, by its arguments:
//!
//! | arguments | what it does |
//! |---|---|
//! | `list` | prints a line `SIZE PATH` for each file |
//! | `get PATH FILE` | copies it to FILE; exits with 3 if there is none |
//! | `put PATH FILE CACHE-CONTROL` | copies FILE there, and replaces what is there |
//! | `delete PATH` | removes it; it need not be there |
//!
//! It can't compare and swap, so one publisher alone may use it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use moult_model::Digest;

use super::headers::Kind;
use super::{Created, Listed, Store, StoreError, Tag};
use crate::progress::Progress;

/// The exit code that says that there is no such file.
const MISSING: i32 = 3;

pub(super) struct Script {
    program: String,
    arguments: Vec<String>,
    folder: PathBuf,
}

impl Script {
    /// `folder` is where the program is started in.
    pub(super) fn open(command: &[String], folder: &Path) -> Result<Self, StoreError> {
        let (program, arguments) = command.split_first().ok_or_else(|| StoreError::Unknown {
            url: "script".to_owned(),
            source: None,
        })?;
        Ok(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            folder: folder.to_owned(),
        })
    }

    fn failed(&self, action: &'static str, path: &str, problem: String) -> StoreError {
        StoreError::Script {
            program: self.program.clone(),
            action,
            path: path.to_owned(),
            problem,
        }
    }

    fn ask(&self, action: &'static str, path: &str, rest: &[&str]) -> Result<Output, StoreError> {
        // A name with a path in it is looked for in the configuration's folder, as other paths are.
        let program = if self.program.contains('/') {
            self.folder.join(&self.program)
        } else {
            PathBuf::from(&self.program)
        };
        let mut command = Command::new(program);
        command
            .args(&self.arguments)
            .arg(action)
            .current_dir(&self.folder);
        if !path.is_empty() {
            command.arg(path);
        }
        command
            .args(rest)
            .output()
            .map_err(|error| self.failed(action, path, error.to_string()))
    }

    fn must(&self, action: &'static str, path: &str, rest: &[&str]) -> Result<Output, StoreError> {
        let output = self.ask(action, path, rest)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(self.failed(action, path, said(&output)))
    }

    fn put(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<(), StoreError> {
        let file = self.temporary(path)?;
        std::fs::write(file.path(), bytes).map_err(|source| StoreError::Read {
            path: file.path().to_owned(),
            source,
        })?;
        self.put_file(path, file.path(), kind)
    }

    fn put_file(&self, path: &str, from: &Path, kind: Kind) -> Result<(), StoreError> {
        self.must("put", path, &[&from.to_string_lossy(), &kind.cache_control()])
            .map(|_| ())
    }

    fn temporary(&self, path: &str) -> Result<tempfile::NamedTempFile, StoreError> {
        tempfile::NamedTempFile::new().map_err(|error| self.failed("put", path, error.to_string()))
    }
}

/// What a program says of its own failure.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let code = output
        .status
        .code()
        .map_or("no code".to_owned(), |code| format!("code {code}"));
    match last {
        Some(line) => format!("it ended with {code}: {}", line.trim()),
        None => format!("it ended with {code}"),
    }
}

impl Store for Script {
    fn name(&self) -> String {
        self.program.clone()
    }

    fn compares(&self) -> bool {
        false
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let output = self.must("list", "", &[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut found = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let parsed = line
                .trim()
                .split_once(' ')
                .and_then(|(size, path)| Some((size.parse().ok()?, path.trim())));
            let Some((size, path)) = parsed else {
                let problem = format!("`{line}` is not a size, a space and a path");
                return Err(self.failed("list", "", problem));
            };
            found.push(Listed {
                path: path.to_owned(),
                size,
            });
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn read(&self, path: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let file = self.temporary(path)?;
        let output = self.ask("get", path, &[&file.path().to_string_lossy()])?;
        if output.status.code() == Some(MISSING) {
            return Ok(None);
        }
        if !output.status.success() {
            return Err(self.failed("get", path, said(&output)));
        }
        let bytes = std::fs::read(file.path()).map_err(|source| StoreError::Read {
            path: file.path().to_owned(),
            source,
        })?;
        if bytes.len() as u64 > most {
            return Err(StoreError::TooLarge {
                store: self.name(),
                path: path.to_owned(),
            });
        }
        let digest = Some(Digest::of(&bytes));
        Ok(Some((
            bytes,
            Tag {
                digest,
                ..Tag::default()
            },
        )))
    }

    fn create(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<Created, StoreError> {
        self.put(path, bytes, kind).map(|()| Created::New)
    }

    fn upload(
        &self,
        path: &str,
        from: &Path,
        kind: Kind,
        _progress: &Progress,
    ) -> Result<Created, StoreError> {
        self.put_file(path, from, kind).map(|()| Created::New)
    }

    fn swap(&self, path: &str, bytes: &[u8], kind: Kind, _seen: Option<&Tag>) -> Result<(), StoreError> {
        self.put(path, bytes, kind)
    }

    fn replace(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<(), StoreError> {
        self.put(path, bytes, kind)
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.must("delete", path, &[]).map(|_| ())
    }
}
