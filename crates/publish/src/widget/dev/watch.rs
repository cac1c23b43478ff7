//! Watches the files of a widget by looking at them. A widget has some dozens: a look takes less than a millisecond,
//! and works on every system and every kind of disk alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Folders in which nothing is written by hand.
const PASSED_BY: [&str; 4] = ["node_modules", "dist", "build", "target"];

/// What was saved longer ago than this was not saved just now.
const RECENT: Duration = Duration::from_secs(2);

/// The files as they were at the last look.
#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    is_built_apart: bool,
    seen: BTreeMap<PathBuf, (SystemTime, u64)>,
}

impl Watch {
    /// Looks for the first time.
    pub(super) fn begin(folder: &Path, is_built_apart: bool) -> Self {
        let mut watch = Self {
            folder: folder.to_owned(),
            is_built_apart,
            seen: BTreeMap::new(),
        };
        watch.seen = watch.look();
        watch
    }

    /// As [`Self::changed`], once nothing has changed for a moment.
    pub(super) fn settled(&mut self, moment: Duration) -> Option<Instant> {
        let mut saved = self.changed()?;
        loop {
            std::thread::sleep(moment);
            match self.changed() {
                Some(later) => saved = later,
                None => return Some(saved),
            }
        }
    }

    /// When the newest of what differs from the last look was saved, if anything does.
    pub(super) fn changed(&mut self) -> Option<Instant> {
        let now = self.look();
        if now == self.seen {
            return None;
        }
        let fresh = now
            .iter()
            .filter(|(path, about)| self.seen.get(*path) != Some(about));
        let saved = fresh.map(|(_, (at, _))| *at).max();
        self.seen = now;
        // A file that was moved here, or went, was saved some other time.
        let ago = saved
            .and_then(|saved| saved.elapsed().ok())
            .filter(|ago| *ago < RECENT);
        let here = Instant::now();
        Some(ago.and_then(|ago| here.checked_sub(ago)).unwrap_or(here))
    }

    fn look(&self) -> BTreeMap<PathBuf, (SystemTime, u64)> {
        let mut found = BTreeMap::new();
        self.collect(&self.folder, &mut found);
        found
    }

    /// What can't be read just now is written just now, and looked at again.
    fn collect(&self, folder: &Path, found: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let passed_by = self.is_built_apart && PASSED_BY.contains(&&*name);
            if passed_by
                || name.starts_with('.')
                || name.ends_with('~')
                || name.rsplit_once('.').is_some_and(|(_, kind)| kind == "bundle")
            {
                continue;
            }
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                self.collect(&entry.path(), found);
            } else if let Ok(at) = about.modified() {
                found.insert(entry.path(), (at, about.len()));
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_of_a_source_is_noticed_once_and_one_of_a_build_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["src", "dist", "node_modules/x"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        fs::write(at("src/main.ts"), "1").unwrap();
        let mut watch = Watch::begin(folder.path(), true);
        assert!(watch.changed().is_none());
        fs::write(at("src/main.ts"), "22").unwrap();
        assert!(watch.changed().is_some());
        assert!(watch.changed().is_none());
        for path in [
            "dist/widget.js",
            "node_modules/x/a.js",
            "src/.main.ts.swp",
            "src/main.ts~",
        ] {
            fs::write(at(path), "x").unwrap();
            assert!(watch.changed().is_none(), "{path}");
        }
        fs::write(at("src/new.ts"), "").unwrap();
        assert!(watch.changed().is_some());
        fs::remove_file(at("src/new.ts")).unwrap();
        assert!(watch.changed().is_some());
    }
}
