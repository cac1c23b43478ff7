//! What lies in a folder, in a form that can be compared: whole, or without what differs from run to run
//! though the same was done (times, random names, generations). Refuses to know whose folder it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use moult_model::{Digest, Hasher};
use serde_json::Value;

/// Files up to this size are looked into; in larger ones there are no times or names.
const TEXT_LIMIT: u64 = 256 * 1024;

/// Each file and folder below `root`, by its path there with `/` between the parts: the digest of a
/// file's bytes, `None` for a folder. Links are named by where they lead.
pub fn listing(root: &Path) -> anyhow::Result<BTreeMap<String, Option<Digest>>> {
    let mut found = BTreeMap::new();
    walk(root, root, &mut |name, path, is_folder| {
        let digest = if is_folder {
            None
        } else {
            Some(Digest::of(&contents(path)?))
        };
        found.insert(name, digest);
        Ok(())
    })?;
    Ok(found)
}

/// The sum of all files' sizes in bytes, and how many files and folders there are.
pub fn size(root: &Path) -> anyhow::Result<(u64, usize)> {
    let (mut bytes, mut count) = (0, 0);
    walk(root, root, &mut |_, path, is_folder| {
        count += 1;
        if !is_folder {
            bytes += path.symlink_metadata()?.len();
        }
        Ok(())
    })?;
    Ok((bytes, count))
}

/// What a dead process had begun to write, under a name that has its number and that only it would have read.
const BEGUN: &str = ".moult-new";

/// How closely two folders are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Everything counts.
    Whole,
    /// What somebody who comes after a kill decides by. Left out besides: files that a dead process had
    /// begun (nobody reads them, all are removed alike); which of a record's two copies is the newer one, and
    /// what the older says (it is read where the newer is damaged, and a kill damages none); how often the
    /// story of an update names the same step.
    Decisive,
}

/// A digest that is the same for two folders in which the same was done, and another one else.
///
/// Left out are times, ids of 32 hexadecimal digits, process numbers in names, how often a record was
/// stored (but not which of its two copies is newer), and the files that `leave_out` names.
pub fn likeness(root: &Path, look: Look, leave_out: &dyn Fn(&str) -> bool) -> anyhow::Result<Digest> {
    let mut lines = Vec::new();
    walk(root, root, &mut |name, path, is_folder| {
        if leave_out(&name) {
            return Ok(());
        }
        let shown = plain_name(&name);
        if is_folder {
            lines.push(format!("{shown}\nfolder"));
        } else if look == Look::Whole {
            lines.push(format!("{shown}\n{}", inside(path, look)?));
        } else if !shown.ends_with(BEGUN) {
            lines.push(decisive(&shown, &inside(path, look)?));
        }
        Ok(())
    })?;
    // Random names sort at random.
    lines.sort();
    let mut hasher = Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(b"\0");
    }
    Ok(hasher.finish())
}

/// A file's line where neither the name of the newer copy counts nor what is in the older.
fn decisive(name: &str, inside: &str) -> String {
    let record = name.strip_suffix(".a").or_else(|| name.strip_suffix(".b"));
    match (record, inside.split_once(' ')) {
        (Some(record), Some(("older", _))) => format!("{record}\nolder"),
        (Some(record), Some(("newer" | "only", body))) => format!("{record}\n{body}"),
        _ => format!("{name}\n{inside}"),
    }
}

/// Copies a folder with all in it, links as links, with the permissions of the files.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &target)?;
            fs::set_permissions(&target, source.metadata()?.permissions())?;
        } else if kind.is_file() {
            fs::copy(&source, &target).with_context(|| target.display().to_string())?;
        }
        // Sockets and the like belong to a process that is gone.
    }
    Ok(())
}

/// A name without the parts that are random.
pub fn plain_name(name: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in name.split('/') {
        let part = match part.strip_suffix(BEGUN) {
            // `.NAME.PROCESS-NUMBER.moult-new`
            Some(stem) => match stem.rsplit_once('.') {
                Some((stem, _)) => format!("{stem}.*.moult-new"),
                None => part.to_owned(),
            },
            None => part.to_owned(),
        };
        parts.push(without_ids(&part));
    }
    parts.join("/")
}

fn walk(
    root: &Path,
    folder: &Path,
    visit: &mut dyn FnMut(String, &Path, bool) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<PathBuf>>>()?;
    paths.sort();
    for path in paths {
        let parts: Vec<_> = path
            .strip_prefix(root)?
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let is_folder = path.symlink_metadata()?.is_dir();
        visit(parts.join("/"), &path, is_folder)?;
        if is_folder {
            walk(root, &path, visit)?;
        }
    }
    Ok(())
}

fn contents(path: &Path) -> anyhow::Result<Vec<u8>> {
    let kind = path.symlink_metadata()?.file_type();
    if kind.is_symlink() {
        return Ok(fs::read_link(path)?.as_os_str().as_encoded_bytes().to_vec());
    }
    if !kind.is_file() {
        return Ok(b"neither a file nor a folder".to_vec());
    }
    fs::read(path).with_context(|| path.display().to_string())
}

/// What is in a file, without what is random.
fn inside(path: &Path, look: Look) -> anyhow::Result<String> {
    let bytes = contents(path)?;
    if bytes.len() as u64 > TEXT_LIMIT {
        return Ok(Digest::of(&bytes).to_string());
    }
    if let Some((generation, body)) = record(&bytes) {
        let age = match other_copy(path).and_then(|other| record(&fs::read(other).ok()?).map(|(of, _)| of)) {
            Some(other) if other > generation => "older",
            Some(_) => "newer",
            None => "only",
        };
        return Ok(format!("{age} {}", plain_text(&body, look)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(plain_text(&text, look)),
        Err(error) => Ok(Digest::of(error.as_bytes()).to_string()),
    }
}

/// A text without ids, times and durations.
fn plain_text(text: &str, look: Look) -> String {
    let text = match serde_json::from_str(text) {
        Ok(mut value) => {
            without_clock(&mut value);
            if look == Look::Decisive {
                told_once(&mut value);
            }
            value.to_string()
        }
        Err(_) => text.to_owned(),
    };
    without_times(&without_ids(&text))
}

/// Takes out what a clock said: seconds since 1970, and how long phases took, which is in the history as
/// `"phases": [[name, milliseconds], ...]`.
fn without_clock(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Array(phases) if name == "phases" => {
                        for phase in phases.iter_mut().filter_map(Value::as_array_mut) {
                            phase.truncate(1);
                        }
                    }
                    field => without_clock(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_clock),
        Value::Number(number) if number.as_u64().is_some_and(|number| number / 1_000_000_000 == 1) => {
            *value = Value::Null;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Leaves each step once in the story of an update: which phases it went through and which downloads it
/// began, again after each kill. It is shown to people; nobody decides by it.
fn told_once(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Array(steps) if matches!(&**name, "phases" | "begun" | "plan") => {
                        let mut seen = Vec::new();
                        steps.retain(|step| {
                            let is_new = !seen.contains(step);
                            seen.push(step.clone());
                            is_new
                        });
                    }
                    field => told_once(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(told_once),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The generation and the body of an intact copy of a record.
fn record(bytes: &[u8]) -> Option<(u64, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once('\n')?;
    let head: Value = serde_json::from_str(head).ok()?;
    head.get("sha256")?;
    Some((head.get("generation")?.as_u64()?, body.to_owned()))
}

fn other_copy(path: &Path) -> Option<PathBuf> {
    let other = match path.extension()?.to_str()? {
        "a" => "b",
        "b" => "a",
        _ => return None,
    };
    Some(path.with_extension(other))
}

/// Replaces each word of exactly 32 hexadecimal digits.
fn without_ids(text: &str) -> String {
    replace_words(
        text,
        |byte| byte.is_ascii_hexdigit(),
        |word| (word.len() == 32).then_some("ID"),
    )
}

/// Replaces points in time, as `2026-01-02T03:04:05.6Z`.
fn without_times(text: &str) -> String {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z');
    replace_words(text, is_part, |word| {
        let is_time = word.len() >= 20 && word.as_bytes()[10] == b'T' && word.ends_with('Z');
        is_time.then_some("TIME")
    })
}

/// Replaces words: the longest runs of bytes that belong to one.
fn replace_words(
    text: &str,
    belongs: impl Fn(u8) -> bool,
    instead: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(|byte| belongs(*byte)).count();
        if length > 0 {
            let (word, after) = rest.split_at(length);
            result.push_str(instead(word).unwrap_or(word));
            rest = after;
        } else {
            let length = rest.bytes().take_while(|byte| !belongs(*byte)).count();
            let (other, after) = rest.split_at(length);
            result.push_str(other);
            rest = after;
        }
    }
    result
}
