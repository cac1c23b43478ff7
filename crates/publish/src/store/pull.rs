//! Brings the repository's folder up to the store: after somebody else has published, or on a new machine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use moult_durable::{create_dir_all, write_atomic};
use moult_model::Digest;
use serde::Serialize;

use super::headers::Kind;
use super::state::{Standing, State, TIMESTAMP, compare};
use super::{Listed, Store, StoreError, folder};
use crate::output::Size;
use crate::progress::Progress;

/// The largest artifact that is fetched, in bytes.
const MAX_ARTIFACT: u64 = 1 << 32;

/// What was fetched, or would be.
#[derive(Debug, Serialize)]
pub struct Pulled {
    store: String,
    before: Standing,
    files: Vec<Listed>,
    dry_run: bool,
}

/// Fetches what the folder has not. The timestamp comes last, so that an interrupted pull is simply done again. What was signed
/// here and never pushed is dropped only if `discard` says so.
pub fn pull(
    store: &dyn Store,
    repository: &Path,
    discard: bool,
    dry_run: bool,
    progress: &Progress,
) -> Result<Pulled, StoreError> {
    progress.stage("comparing with the store");
    let compared = compare(store, repository)?;
    let mut pulled = Pulled {
        store: store.name(),
        before: compared.standing,
        files: Vec::new(),
        dry_run,
    };
    match compared.standing {
        Standing::Parted if !discard => return Err(StoreError::Parted { store: store.name() }),
        Standing::FolderAhead if !discard || compared.remote.is_none() => return Ok(pulled),
        Standing::Same | Standing::StoreAhead | Standing::Parted | Standing::FolderAhead => {}
    }
    let Some((timestamp, _)) = compared.remote else {
        return Ok(pulled);
    };
    create_dir_all(repository)?;
    let mut local = Vec::new();
    folder::collect(repository, "", &mut local)?;
    let here: BTreeMap<_, _> = local
        .into_iter()
        .map(|listed| (listed.path, listed.size))
        .collect();
    let is_wanted = |listed: &Listed| {
        let is_part = ["metadata/", "targets/", "latest/"]
            .iter()
            .any(|folder| listed.path.starts_with(folder));
        // What was signed here under the same name and never pushed has to go.
        let may_differ = discard && listed.path.starts_with("metadata/");
        let is_other = here.get(&listed.path) != Some(&listed.size);
        is_part
            && listed.path != TIMESTAMP
            && (is_other || may_differ || Kind::of(&listed.path) == Kind::Pointer)
    };
    let wanted: Vec<_> = store.list()?.into_iter().filter(is_wanted).collect();
    progress.steps("fetching from the store", wanted.len());
    for listed in wanted {
        if !is_plain(&listed.path) {
            continue;
        }
        let place = repository.join(&listed.path);
        let fetched = store.read(&listed.path, MAX_ARTIFACT)?;
        progress.advance();
        let Some((bytes, _)) = fetched else { continue };
        if std::fs::read(&place).is_ok_and(|old| old == bytes) {
            continue;
        }
        if !dry_run {
            if let Some(folder) = place.parent() {
                create_dir_all(folder)?;
            }
            write_atomic(&place, &bytes)?;
        }
        pulled.files.push(listed);
    }
    if compared.standing != Standing::Same {
        pulled.files.push(Listed {
            path: TIMESTAMP.to_owned(),
            size: timestamp.len() as u64,
        });
    }
    if !dry_run {
        let place = repository.join(TIMESTAMP);
        if let Some(folder) = place.parent() {
            create_dir_all(folder)?;
        }
        write_atomic(&place, &timestamp)?;
        let mut state = State::read(repository);
        state.pushed = Some(Digest::of(&timestamp));
        state.write(repository)?;
    }
    Ok(pulled)
}

/// Whether a path leads to below the folder it is joined to.
fn is_plain(path: &str) -> bool {
    !path.contains('\\')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

impl fmt::Display for Pulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would fetch" } else { "fetched" };
        for file in &self.files {
            writeln!(f, "  {done}    {:>10}  {}", Size(file.size), file.path)?;
        }
        match (self.files.len(), self.before) {
            (0, Standing::FolderAhead) => write!(
                f,
                "the folder has what the store {} has not yet: run `moult push`",
                self.store
            ),
            (0, _) => write!(f, "the folder has everything that the store {} has", self.store),
            (1, _) => write!(f, "{done} 1 file from {}", self.store),
            (count, _) => write!(f, "{done} {count} files from {}", self.store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_elsewhere_is_left_out() {
        for (path, plain) in [
            ("targets/a/b", true),
            ("targets/../../x", false),
            ("/etc/x", false),
            ("targets//x", false),
            ("a\\b", false),
        ] {
            assert_eq!(is_plain(path), plain, "{path}");
        }
    }
}
