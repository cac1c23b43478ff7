//! The moments before a file changes, counted, so that a test can stop, fail or copy at each of them.
//!
//! Nothing of this is at work unless [`arm`] was called, and no product code calls it: a process that
//! is not armed pays one relaxed load for each change. This module refuses to know why a file changes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::normal;
use crate::tree::copy_tree;

/// A system call that changes files, or that makes a change last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A new file is made, or the bytes of one that is there are dropped.
    Create,
    /// A file is opened with its bytes, or made empty.
    OpenOrCreate,
    /// A file is opened to be written at its end, or made empty.
    Append,
    /// Bytes are written.
    Write,
    /// A file is cut or made longer.
    SetLength,
    /// A file's bytes are made to last.
    Sync,
    /// A folder's names are made to last.
    SyncFolder,
    /// A name is changed; what had the new name is gone.
    Rename,
    /// Two names change places.
    Exchange,
    /// A file gets a second name.
    Link,
    /// A file's name is removed.
    RemoveFile,
    /// An empty folder is removed.
    RemoveFolder,
    /// A folder is made.
    MakeFolder,
    /// Who may read, write and run a file or folder is changed.
    SetMode,
    /// A socket gets a name.
    Bind,
}

/// What is to happen, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The number of the point at which `action` is taken; the first has number 1. With 0 there is no
    /// such point, except that [`Action::Snapshot`] is then taken at each.
    pub at: u64,
    /// What is done there, before the call.
    pub action: Action,
    /// Where to write a line of JSON for each point ([`Line`]); not below `root`.
    pub log: Option<PathBuf>,
    /// Only changes below this folder are points. Compared name by name: no links are followed.
    pub root: PathBuf,
}

/// What is done at a point, before its call.
#[derive(Clone, Debug)]
pub enum Action {
    /// The process ends at once, as by the system's killer: nothing is flushed, nothing is dropped.
    Kill,
    /// The call fails with this number of the system. If it would have written bytes, the first half of
    /// them is written, as on a disk that becomes full.
    Fail {
        /// The system's number of the error.
        errno: i32,
        /// Whether all later calls fail as well.
        sticky: bool,
    },
    /// The folder `root` is copied to `into/<number>`.
    Snapshot {
        /// The folder of the copies.
        into: PathBuf,
    },
    /// When the plan is armed, `root` is copied to `into/tree`; then the bytes of each write go to
    /// `into/<number>`. With the log this is all that is needed to play the changes again.
    Record {
        /// The folder of the bytes.
        into: PathBuf,
    },
    /// Nothing: points are counted and logged.
    Nothing,
}

/// A point, as a line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The point's number; the first has number 1.
    pub n: u64,
    /// The call.
    pub call: Call,
    /// What it changes, relative to the root, with `/` between names. Numbers that differ from run to
    /// run are replaced: `.NAME.*.moult-new`, and `ID` for 32 hexadecimal digits.
    pub path: String,
    /// The second name of a rename, exchange or link, written as `path` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many points before had this call and this path.
    pub ordinal: u64,
    /// The number of bytes of a write; the new length of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// SHA-256 of the bytes of a write, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The thread that asked: its name, or its number if it has none.
    pub thread: String,
    /// `path` as it is.
    pub raw: String,
    /// `to` as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_to: Option<String>,
    /// Where in the file a write begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The number of the point that opened the file which is written, cut or synced. Absent if it was
    /// opened before the plan was armed, or if the call names a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<u64>,
    /// The new mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// A change that is about to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<'a> {
    call: Call,
    path: &'a Path,
    to: Option<&'a Path>,
    bytes: Option<(u64, &'a [u8])>,
    length: Option<u64>,
    mode: Option<u32>,
    opened_at: u64,
}

impl<'a> Point<'a> {
    pub(crate) fn new(call: Call, path: &'a Path) -> Self {
        Self {
            call,
            path,
            to: None,
            bytes: None,
            length: None,
            mode: None,
            opened_at: 0,
        }
    }

    pub(crate) fn to(self, to: &'a Path) -> Self {
        Self { to: Some(to), ..self }
    }

    pub(crate) fn bytes(self, offset: u64, bytes: &'a [u8]) -> Self {
        Self {
            bytes: Some((offset, bytes)),
            length: Some(bytes.len() as u64),
            ..self
        }
    }

    pub(crate) fn length(self, length: u64) -> Self {
        Self {
            length: Some(length),
            ..self
        }
    }

    pub(crate) fn mode(self, mode: u32) -> Self {
        Self {
            mode: Some(mode),
            ..self
        }
    }

    pub(crate) fn opened_at(self, opened_at: u64) -> Self {
        Self { opened_at, ..self }
    }

    /// Counts the point if a plan is armed, and does what the plan says. The number is 0 if it does not
    /// count. An error is always one of the plan.
    pub(crate) fn pass(self) -> io::Result<u64> {
        if is_armed() { pass_armed(self) } else { Ok(0) }
    }
}

/// What goes on while a plan is armed.
struct Armed {
    plan: Plan,
    log: Option<File>,
    passed: u64,
    ordinals: BTreeMap<(Call, String), u64>,
}

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static ARMED: Mutex<Option<Armed>> = Mutex::new(None);

/// Begins to count the changes of this process from 1, by this plan; one that was armed before ends.
/// For tests and tools that prove what a product survives. Fails if the log or a copy can't be written.
pub fn arm(plan: Plan) -> io::Result<()> {
    let log = plan.log.as_ref().map(|path| {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
    });
    if let Action::Record { into } = &plan.action {
        copy_tree(&plan.root, &into.join("tree"))?;
    }
    let armed = Armed {
        log: log.transpose()?,
        plan,
        passed: 0,
        ordinals: BTreeMap::new(),
    };
    *locked() = Some(armed);
    IS_ARMED.store(true, Ordering::SeqCst);
    Ok(())
}

/// Ends the plan, and tells how many points were passed.
pub fn disarm() -> u64 {
    IS_ARMED.store(false, Ordering::SeqCst);
    locked().take().map_or(0, |armed| armed.passed)
}

/// How many points were passed since the plan was armed.
pub fn passed() -> u64 {
    locked().as_ref().map_or(0, |armed| armed.passed)
}

/// Whether a plan is armed. The only cost of all this where none is.
#[inline]
pub(crate) fn is_armed() -> bool {
    IS_ARMED.load(Ordering::Relaxed)
}

fn locked() -> MutexGuard<'static, Option<Armed>> {
    ARMED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn pass_armed(point: Point<'_>) -> io::Result<u64> {
    let mut armed = locked();
    match armed.as_mut() {
        Some(armed) => armed.pass(point),
        None => Ok(0),
    }
}

impl Armed {
    fn pass(&mut self, point: Point<'_>) -> io::Result<u64> {
        let below = |path: &Path| path.strip_prefix(&self.plan.root).ok().map(normal::shown);
        let (from, to) = (below(point.path), point.to.map(below));
        if from.is_none() && to.as_ref().is_none_or(Option::is_none) {
            return Ok(0);
        }
        // A name outside of the root is a name that should not occur, so it is shown whole.
        let outside = |path: &Path| normal::shown(path);
        let raw = from.unwrap_or_else(|| outside(point.path));
        let raw_to = point
            .to
            .zip(to)
            .map(|(path, to)| to.unwrap_or_else(|| outside(path)));
        self.passed += 1;
        self.log(&point, raw, raw_to)?;
        self.act(&point)?;
        Ok(self.passed)
    }

    fn log(&mut self, point: &Point<'_>, raw: String, raw_to: Option<String>) -> io::Result<()> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let path = normal::of(&raw);
        let ordinal = self.ordinals.entry((point.call, path.clone())).or_default();
        let thread = std::thread::current();
        let line = Line {
            n: self.passed,
            call: point.call,
            to: raw_to.as_deref().map(normal::of),
            ordinal: *ordinal,
            length: point.length,
            sha256: point.bytes.map(|(_, bytes)| hex::encode(Sha256::digest(bytes))),
            thread: thread
                .name()
                .map_or_else(|| format!("{:?}", thread.id()), str::to_owned),
            path,
            raw,
            raw_to,
            offset: point.bytes.map(|(offset, _)| offset),
            opened_at: Some(point.opened_at).filter(|number| *number > 0),
            mode: point.mode,
        };
        *ordinal += 1;
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        // One call for the line, so that it is whole when the process is killed next.
        log.write_all(&text)
    }

    fn act(&self, point: &Point<'_>) -> io::Result<()> {
        let (at, number) = (self.plan.at, self.passed);
        match &self.plan.action {
            Action::Kill if number == at => kill(),
            Action::Fail { errno, sticky } if number == at || (*sticky && at > 0 && number > at) => {
                Err(io::Error::from_raw_os_error(*errno))
            }
            Action::Snapshot { into } if number == at || at == 0 => {
                copy_tree(&self.plan.root, &into.join(number.to_string()))
            }
            Action::Record { into } => match point.bytes {
                Some((_, bytes)) => fs::write(into.join(number.to_string()), bytes),
                None => Ok(()),
            },
            Action::Kill | Action::Fail { .. } | Action::Snapshot { .. } | Action::Nothing => Ok(()),
        }
    }
}

/// Ends this process as the system's killer does.
fn kill() -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::abort()
}
