//! How long a file of Rust may be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::command::root;

/// More lines than this is a note.
const LONG: usize = 400;
/// More lines than this is an error.
const TOO_LONG: usize = 700;
/// Folders that hold nothing that was written by hand.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", ".git"];

/// Fails if a file is too long, and names those that are long.
pub(crate) fn check() -> Result<String> {
    let mut files = Vec::new();
    collect(&root(), &mut files)?;
    let over = |limit: usize| files.iter().filter(move |(_, lines)| *lines > limit);
    let named = |files: Vec<&(PathBuf, usize)>| {
        let names = files
            .iter()
            .map(|(path, lines)| format!("{} has {lines} lines", path.display()));
        names.collect::<Vec<_>>().join("\n")
    };
    if over(TOO_LONG).next().is_some() {
        bail!(
            "at most {TOO_LONG} lines are allowed:\n{}",
            named(over(TOO_LONG).collect())
        );
    }
    Ok(match over(LONG).count() {
        0 => format!("{} files", files.len()),
        count => format!(
            "{} files, {count} with more than {LONG} lines:\n{}",
            files.len(),
            named(over(LONG).collect())
        ),
    })
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, usize)>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("`{}` could not be read", folder.display()))?;
    let mut paths: Vec<_> = entries.collect::<Result<_, _>>()?;
    paths.sort_by_key(fs::DirEntry::file_name);
    for entry in paths {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
            collect(&path, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("`{}` could not be read", path.display()))?;
            let shown = path.strip_prefix(root()).unwrap_or(&path).to_owned();
            files.push((shown, text.lines().count()));
        }
    }
    Ok(())
}
