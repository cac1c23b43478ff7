//! Brings the repository's folder to the store, in an order in which a client never sees a name before what it names:
//! artifacts and indexes, signed roles, the timestamp by comparing and swapping, and then what only points.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use moult_model::Digest;
use serde::Serialize;

use super::headers::Kind;
use super::state::{Standing, State, TIMESTAMP, compare};
use super::{Created, Listed, MAX_METADATA, Store, StoreError, Tag, folder};
use crate::output::Size;
use crate::progress::Progress;

/// How many files are brought at a time.
const THREADS: usize = 4;

/// What was brought, or would be.
#[derive(Debug, Serialize)]
pub struct Pushed {
    store: String,
    /// How the folder stood to the store before.
    before: Standing,
    files: Vec<PushedFile>,
    removed: Vec<String>,
    dry_run: bool,
    /// Whether the store can tell two publishers apart.
    compares: bool,
}

#[derive(Debug, Serialize)]
struct PushedFile {
    path: String,
    size: u64,
}

/// When a file goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Artifact,
    Index,
    Role,
    /// Nobody knows an older root where there is no timestamp yet.
    FirstRoot,
    Timestamp,
    /// A new root follows the timestamp: until then clients know the old keys.
    Root,
    Pointer,
}

fn turn(path: &str, is_first: bool) -> Option<Turn> {
    let is_root = path == "metadata/root.json" || path.ends_with(".root.json");
    Some(match path {
        TIMESTAMP => Turn::Timestamp,
        _ if path.starts_with("metadata/") && is_root && is_first => Turn::FirstRoot,
        _ if path.starts_with("metadata/") && is_root => Turn::Root,
        _ if path.starts_with("metadata/") => Turn::Role,
        _ if path.starts_with("targets/") && path.ends_with(".index.json") => Turn::Index,
        _ if path.starts_with("targets/") => Turn::Artifact,
        _ if path.starts_with("latest/") => Turn::Pointer,
        _ => return None,
    })
}

/// What is to be brought, in its order. An artifact is named by its digest, so it stays if it is there with the same size; a role
/// is named by a number that somebody else may have used too, so it stays only if it is known to be the same.
fn plan(
    local: &[Listed],
    remote: &[Listed],
    is_known: &dyn Fn(&str) -> bool,
    is_first: bool,
) -> Vec<(Turn, Listed)> {
    let there: BTreeMap<_, _> = remote.iter().map(|listed| (&listed.path, listed.size)).collect();
    let is_wanted = |listed: &Listed| {
        let is_there = there.get(&listed.path) == Some(&listed.size);
        // What may change in place is compared when its turn comes.
        match Kind::of(&listed.path) {
            Kind::Pointer => true,
            _ if listed.path.starts_with("metadata/") => !is_there || !is_known(&listed.path),
            _ => !is_there,
        }
    };
    let mut plan: Vec<_> = local
        .iter()
        .filter_map(|listed| Some((turn(&listed.path, is_first)?, listed.clone())))
        .filter(|(_, listed)| is_wanted(listed))
        .collect();
    plan.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
    plan
}

/// Brings it there. What this folder has dropped (`removed`) is removed there at the end.
pub fn push(
    store: &dyn Store,
    repository: &Path,
    removed: &[String],
    dry_run: bool,
    progress: &Progress,
) -> Result<Pushed, StoreError> {
    progress.stage("comparing with the store");
    let compared = compare(store, repository)?;
    match compared.standing {
        Standing::Same | Standing::FolderAhead => {}
        Standing::StoreAhead => return Err(StoreError::Behind { store: store.name() }),
        Standing::Parted => return Err(StoreError::Parted { store: store.name() }),
    }
    let mut local = Vec::new();
    folder::collect(repository, "", &mut local)?;
    let remote = store.list()?;
    let is_first = compared.remote.is_none();
    let mut state = State::read(repository);
    let digest_of = |path: &str| {
        std::fs::read(repository.join(path))
            .ok()
            .map(|bytes| Digest::of(&bytes))
    };
    let is_known = |path: &str| state.roles.get(path).copied() == digest_of(path);
    let plan = plan(&local, &remote, &is_known, is_first);
    let there: BTreeSet<_> = remote.iter().map(|listed| listed.path.as_str()).collect();
    let task = Task {
        store,
        repository,
        there: &there,
        seen: compared.remote.as_ref().map(|(_, tag)| tag),
        is_same: compared.standing == Standing::Same,
        dry_run,
        progress,
    };
    progress.steps("bringing files to the store", plan.len());
    let mut files = Vec::new();
    for same_turn in plan.chunk_by(|a, b| a.0 == b.0) {
        files.extend(task.run(same_turn)?);
    }
    // Nothing but the folder says what a stock updater is offered, so what it has no longer goes.
    let here: BTreeSet<_> = local.iter().map(|listed| listed.path.as_str()).collect();
    let gone = there
        .iter()
        .filter(|path| path.starts_with("latest/") && !here.contains(*path));
    let gone: Vec<_> = gone.map(|path| (*path).to_owned()).collect();
    let removed: Vec<_> = removed
        .iter()
        .filter(|path| there.contains(path.as_str()))
        .chain(&gone)
        .cloned()
        .collect();
    if !dry_run {
        let is_role = |path: &str| path.starts_with("metadata/") && Kind::of(path) == Kind::Versioned;
        state.roles = local
            .iter()
            .filter(|listed| is_role(&listed.path) && !removed.contains(&listed.path))
            .filter_map(|listed| Some((listed.path.clone(), digest_of(&listed.path)?)))
            .collect();
        state.pushed = compared.local.as_deref().map(Digest::of);
        state.write(repository)?;
        for path in &removed {
            store.remove(path)?;
        }
    }
    Ok(Pushed {
        store: store.name(),
        before: compared.standing,
        files,
        removed,
        dry_run,
        compares: store.compares(),
    })
}

struct Task<'a> {
    store: &'a dyn Store,
    repository: &'a Path,
    /// What the store has.
    there: &'a BTreeSet<&'a str>,
    /// The version of the timestamp that was seen.
    seen: Option<&'a Tag>,
    is_same: bool,
    dry_run: bool,
    progress: &'a Progress,
}

impl Task<'_> {
    /// Brings files of one turn, several at a time. Gives those that were not there.
    fn run(&self, files: &[(Turn, Listed)]) -> Result<Vec<PushedFile>, StoreError> {
        let threads = if self.store.compares() { THREADS } else { 1 };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut brought = Vec::new();
            while let Some((at, (turn, listed))) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                files.get(at).map(|file| (at, file))
            } {
                let result = self.bring(*turn, listed);
                self.progress.advance();
                let failed = result.is_err();
                brought.push((at, result.map(|is_new| is_new.then_some(listed))));
                if failed {
                    break;
                }
            }
            brought
        };
        let mut brought: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.min(files.len())).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|thread| match thread.join() {
                    Ok(brought) => brought,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        brought.sort_by_key(|(at, _)| *at);
        let mut files = Vec::new();
        for (_, result) in brought {
            files.extend(result?.map(|listed| PushedFile {
                path: listed.path.clone(),
                size: listed.size,
            }));
        }
        Ok(files)
    }

    /// Brings one file. Tells whether the store had it not.
    fn bring(&self, turn: Turn, listed: &Listed) -> Result<bool, StoreError> {
        let name = listed.path.as_str();
        let path = self.repository.join(name);
        let kind = Kind::of(name);
        let is_there = self.there.contains(name);
        let bytes = || {
            std::fs::read(&path).map_err(|source| StoreError::Read {
                path: path.clone(),
                source,
            })
        };
        match turn {
            Turn::Artifact | Turn::Index if self.dry_run => Ok(true),
            // Its name says what is in it, so that another size is damage.
            Turn::Artifact | Turn::Index if is_there => {
                self.store.replace(name, &bytes()?, kind).map(|()| true)
            }
            Turn::Artifact => {
                self.store.upload(name, &path, kind, self.progress)?;
                Ok(true)
            }
            Turn::Index => self.store.create(name, &bytes()?, kind).map(|_| true),
            Turn::Timestamp if self.is_same => Ok(false),
            Turn::Timestamp if self.dry_run => Ok(true),
            Turn::Timestamp => self.store.swap(name, &bytes()?, kind, self.seen).map(|()| true),
            Turn::Role | Turn::FirstRoot | Turn::Root if kind == Kind::Versioned => {
                self.versioned(name, &bytes()?, is_there)
            }
            Turn::Role | Turn::FirstRoot | Turn::Root | Turn::Pointer => self.pointer(name, &bytes()?),
        }
    }

    /// A signed role is never replaced: what another publisher put there stays.
    fn versioned(&self, name: &str, bytes: &[u8], is_there: bool) -> Result<bool, StoreError> {
        if self.dry_run {
            return Ok(true);
        }
        let created = if is_there || !self.store.compares() {
            Created::WasThere
        } else {
            self.store.create(name, bytes, Kind::Versioned)?
        };
        if created == Created::New {
            return Ok(true);
        }
        match self.store.read(name, MAX_METADATA)? {
            Some((other, _)) if other == bytes => Ok(false),
            Some(_) => Err(StoreError::Rival {
                store: self.store.name(),
                path: name.to_owned(),
            }),
            None => self.store.create(name, bytes, Kind::Versioned).map(|_| true),
        }
    }

    fn pointer(&self, name: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        let seen = if self.there.contains(name) {
            self.store.read(name, MAX_METADATA)?
        } else {
            None
        };
        if seen.is_some_and(|(other, _)| other == bytes) {
            return Ok(false);
        }
        if !self.dry_run {
            self.store.replace(name, bytes, Kind::Pointer)?;
        }
        Ok(true)
    }
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (would, would_not) = if self.dry_run {
            ("would bring", "would remove")
        } else {
            ("brought", "removed")
        };
        for file in &self.files {
            writeln!(f, "  {would}    {:>10}  {}", Size(file.size), file.path)?;
        }
        for path in &self.removed {
            writeln!(f, "  {would_not}                {path}")?;
        }
        if !self.compares {
            writeln!(
                f,
                "this store can't tell two publishers apart: use it from one machine alone"
            )?;
        }
        match self.files.len() {
            0 => write!(f, "the store {} has everything", self.store),
            1 => write!(f, "{would} 1 file to {}", self.store),
            count => write!(f, "{would} {count} files to {}", self.store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(files: &[(&str, u64)]) -> Vec<Listed> {
        let files = files.iter();
        files
            .map(|(path, size)| Listed {
                path: (*path).to_owned(),
                size: *size,
            })
            .collect()
    }

    fn order(local: &[(&str, u64)], remote: &[(&str, u64)], is_first: bool) -> Vec<String> {
        let is_known = |path: &str| path == "metadata/1.root.json";
        let plan = plan(&listed(local), &listed(remote), &is_known, is_first);
        plan.into_iter().map(|(_, listed)| listed.path).collect()
    }

    const LOCAL: [(&str, u64); 8] = [
        ("latest/stable.json", 5),
        ("metadata/1.root.json", 5),
        ("metadata/2.snapshot.json", 5),
        ("metadata/root.json", 5),
        ("metadata/timestamp.json", 5),
        ("notes.txt", 5),
        ("targets/app/shell/00.index.json", 5),
        ("targets/app/shell/files/00.zst", 5),
    ];

    #[test]
    fn nothing_is_named_before_it_is_there() {
        assert_eq!(
            order(&LOCAL, &[], true),
            [
                "targets/app/shell/files/00.zst",
                "targets/app/shell/00.index.json",
                "metadata/2.snapshot.json",
                "metadata/1.root.json",
                "metadata/root.json",
                "metadata/timestamp.json",
                "latest/stable.json",
            ]
        );
    }

    #[test]
    fn a_new_root_follows_the_timestamp_and_what_is_there_stays() {
        let remote = [
            ("targets/app/shell/files/00.zst", 5),
            ("targets/app/shell/00.index.json", 4),
            ("metadata/1.root.json", 5),
            ("metadata/2.snapshot.json", 5),
        ];
        assert_eq!(
            order(&LOCAL, &remote, false),
            [
                "targets/app/shell/00.index.json",
                "metadata/2.snapshot.json",
                "metadata/timestamp.json",
                "metadata/root.json",
                "latest/stable.json",
            ]
        );
    }
}
