//! Processes of one start of the application, found by what only they have in their environment.
//! Ends processes by id, and only those.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A child that is killed when this is dropped.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Takes charge of a child.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// The child.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, waits, and ends it if it does not.
    pub fn end(&mut self, patience: Duration) {
        signal(self.0.id(), Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < patience {
            match self.0.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        self.kill();
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended already: then there is nothing to end.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// Sends a signal to one process. One that is gone is not an error.
pub fn signal(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // Gone already, which is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

/// The processes whose environment has `name=value`, this one not counted.
pub fn with_environment(name: &str, value: &Path) -> Vec<u32> {
    let wanted = [name.as_bytes(), b"=", value.as_os_str().as_encoded_bytes()].concat();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| *id != std::process::id())
        .filter(|id| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == wanted)
        })
        .collect()
}

/// The memory of processes in KiB: what is shared between several is divided among them (`Pss`).
pub fn memory_kib(ids: &[u32]) -> u64 {
    let of = |id: &u32| {
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok())
            .unwrap_or(0u64)
    };
    ids.iter().map(of).sum()
}

/// The command names of processes, for messages.
pub fn names(ids: &[u32]) -> Vec<String> {
    let name = |id: &u32| {
        fs::read_to_string(format!("/proc/{id}/comm"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    ids.iter().map(|id| format!("{} ({id})", name(id))).collect()
}

/// The living children of these processes that have this name.
pub fn children_named(parents: &[u32], name: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // `id (name) state parent ...`; a name may hold anything.
        let Some((head, tail)) = stat.rsplit_once(')') else {
            return false;
        };
        let mut fields = tail.split_whitespace();
        let is_alive = fields.next().is_some_and(|state| state != "Z");
        let parent = fields.next().and_then(|parent| parent.parse().ok());
        is_alive
            && head.ends_with(&format!("({name}"))
            && parent.is_some_and(|parent| parents.contains(&parent))
    })
    .collect()
}
