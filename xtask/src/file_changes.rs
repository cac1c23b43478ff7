//! One place changes files: `moult_durable::fs`, whose calls are counted and can be made to fail. What
//! goes past it is never interrupted by a test, so it is refused here, by the text of the sources.
//!
//! It reads names, and does not compile: `use` is followed within its file, macros are not. Refuses to
//! know why a file is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::command::root;
use crate::tokens::{Token, tokens};

/// The crates that must survive a kill at any moment.
const CRATES: [&str; 6] = ["durable", "boot", "trust", "update", "handover", "rescue"];

/// The files that are that one place, and those that open what is no file of ours, or open it to look.
const EXCEPT: [&str; 7] = [
    "durable/src/fs.rs",
    // The faults themselves, and their copies of the disk.
    "durable/src/points.rs",
    "durable/src/tree.rs",
    // Opens to read who may do what.
    "boot/src/platform/windows/files.rs",
    // Opens a file to read it, and follows no link.
    "rescue/src/package/foreign.rs",
    // Makes a link in the temporary folder where a path is too long for a socket, but not on Linux.
    "boot/src/platform/unix/short_path.rs",
    // Opens a pipe.
    "boot/src/platform/windows/instance.rs",
];

/// What changes files, by its whole name. A name that ends in `::` stands for all below it.
const REFUSED: [&str; 31] = [
    "std::fs::write",
    "std::fs::rename",
    "std::fs::remove_file",
    "std::fs::remove_dir",
    "std::fs::remove_dir_all",
    "std::fs::create_dir",
    "std::fs::create_dir_all",
    "std::fs::set_permissions",
    "std::fs::copy",
    "std::fs::hard_link",
    "std::fs::soft_link",
    "std::fs::DirBuilder",
    "std::fs::OpenOptions",
    "std::fs::File::create",
    "std::fs::File::create_new",
    "std::fs::File::create_buffered",
    "std::fs::File::options",
    "std::fs::*",
    "std::os::unix::fs::symlink",
    "std::os::unix::net::UnixListener::bind",
    "std::os::unix::net::UnixDatagram::bind",
    "std::os::windows::fs::symlink_file",
    "std::os::windows::fs::symlink_dir",
    "tokio::fs::",
    "tokio::net::UnixListener::bind",
    "tempfile::",
    "rustix::fs::open",
    "rustix::fs::openat",
    "rustix::fs::renameat_with",
    "rustix::fs::mknodat",
    "rustix::fs::ftruncate",
];

/// Methods of a file that change it or make it last, past the counting.
const REFUSED_METHODS: [&str; 4] = ["set_len", "set_permissions", "sync_all", "sync_data"];

/// Fails with a line for each change of a file that is not counted.
pub(crate) fn check() -> Result<String> {
    let mut broken = Vec::new();
    let mut count = 0;
    for name in CRATES {
        let folder = root().join("crates").join(name).join("src");
        let mut files = BTreeMap::new();
        collect(&folder, &mut files)?;
        let tests: BTreeSet<PathBuf> = files
            .iter()
            .flat_map(|(path, text)| test_files(path, &tokens(text)))
            .collect();
        for (path, text) in &files {
            let shown = path.strip_prefix(root().join("crates")).unwrap_or(path);
            let is_test = tests
                .iter()
                .any(|test| path == test || path.starts_with(test.with_extension("")));
            if is_test || EXCEPT.iter().any(|except| shown == Path::new(except)) {
                continue;
            }
            count += 1;
            let found = changes(&tokens(text));
            broken.extend(
                found
                    .iter()
                    .map(|(line, what)| format!("crates/{}:{line}: {what}", shown.display())),
            );
        }
    }
    if !broken.is_empty() {
        bail!(
            "these change files past `moult_durable::fs`, where no test can interrupt them:\n{}",
            broken.join("\n")
        );
    }
    Ok(format!("{count} files"))
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("`{}` could not be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("`{}` could not be read", path.display()))?;
            files.insert(path, text);
        }
    }
    Ok(())
}

/// The files of the modules that a file declares for tests alone.
fn test_files(file: &Path, tokens: &[Token]) -> Vec<PathBuf> {
    let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") | None => file.with_file_name(""),
        Some(stem) => file.with_file_name(stem),
    };
    let mut modules = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = test_item(&tokens[at..]) {
            let item = &tokens[at..at + end];
            if let [.., keyword, name, semicolon] = item
                && keyword.text == "mod"
                && semicolon.text == ";"
            {
                let path = item
                    .windows(3)
                    .find(|part| part[0].text == "path" && part[1].text == "=");
                if let Some(path) = path {
                    modules.push(file.with_file_name(path[2].text.trim_matches('"')));
                } else {
                    modules.push(folder.join(format!("{}.rs", name.text)));
                    modules.push(folder.join(&name.text).join("mod.rs"));
                }
            }
            at += end;
        } else {
            at += 1;
        }
    }
    modules
}

/// The length of the item that begins here, if it is there for tests alone.
fn test_item(tokens: &[Token]) -> Option<usize> {
    let attribute = attribute(tokens)?;
    let words: Vec<&str> = tokens[..attribute]
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    let is_for_tests = matches!(
        words[..],
        ["#", "[", "cfg", "(", "test", ..] | ["#", "[", "cfg", "(", "all", "(", "test", ..]
    );
    if !is_for_tests {
        return None;
    }
    let mut at = attribute;
    while let Some(length) = self::attribute(&tokens[at..]) {
        at += length;
    }
    let mut depth = 0_usize;
    for token in &tokens[at..] {
        at += 1;
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth <= 1 => return Some(at),
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return Some(at),
            _ => {}
        }
    }
    Some(at)
}

/// The length of the attribute that begins here.
fn attribute(tokens: &[Token]) -> Option<usize> {
    if tokens.len() < 2 || tokens[0].text != "#" || tokens[1].text != "[" {
        return None;
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(1) {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" if depth == 1 => return Some(at + 1),
            "]" => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What changes files in a source, with its line.
fn changes(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut names = BTreeMap::new();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if let Some(end) = test_item(&tokens[at..]) {
            at += end;
        } else if token.text == "use" {
            let end = tokens[at..]
                .iter()
                .position(|token| token.text == ";")
                .map_or(tokens.len(), |length| at + length);
            let mut imported = Vec::new();
            imports(&tokens[at + 1..end], "", &mut imported);
            for (name, whole) in imported {
                found.extend(refused(&whole).map(|what| (token.line, what)));
                names.insert(name, whole);
            }
            at = end;
        } else if token.text == "." {
            let method = tokens.get(at + 1).map_or("", |token| token.text.as_str());
            if REFUSED_METHODS.contains(&method) {
                found.push((token.line, format!("`.{method}()`")));
            }
            at += 2;
        } else if token.is_word {
            let mut path = token.text.clone();
            while let [_, colons, next, ..] = &tokens[at..]
                && colons.text == "::"
                && next.is_word
            {
                path.push_str("::");
                path.push_str(&next.text);
                at += 2;
            }
            let (first, rest) = path.split_at(path.find("::").unwrap_or(path.len()));
            let whole = names.get(first).map_or(first, String::as_str).to_owned() + rest;
            found.extend(refused(&whole).map(|what| (token.line, what)));
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// The names that a `use` brings in, each with its whole path.
fn imports(tree: &[Token], before: &str, found: &mut Vec<(String, String)>) {
    let mut path = before.to_owned();
    let mut at = 0;
    while at < tree.len() {
        match tree[at].text.as_str() {
            "::" => path.push_str("::"),
            "{" => {
                let branches = &tree[at + 1..tree.len().saturating_sub(1)];
                split(branches).for_each(|branch| imports(branch, &path, found));
                return;
            }
            "as" => {
                if let Some(name) = tree.get(at + 1) {
                    found.push((name.text.clone(), path));
                }
                return;
            }
            "self" if !path.is_empty() => {
                path.truncate(path.trim_end_matches("::").len());
            }
            word => path.push_str(word),
        }
        at += 1;
    }
    let name = path.rsplit("::").next().unwrap_or_default().to_owned();
    found.push((name, path));
}

/// The branches between commas that are in no inner braces.
fn split(tree: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    tree.split(move |token| {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.text == ","
    })
    .filter(|branch| !branch.is_empty())
}

/// The name if it is one that changes files.
fn refused(whole: &str) -> Option<String> {
    let is_refused = REFUSED.iter().any(|refused| {
        let is_below = whole
            .strip_prefix(refused)
            .is_some_and(|rest| rest.starts_with("::") || refused.ends_with("::"));
        whole == *refused || is_below
    });
    is_refused.then(|| format!("`{whole}`"))
}

#[cfg(test)]
#[path = "file_changes/tests.rs"]
mod tests;
