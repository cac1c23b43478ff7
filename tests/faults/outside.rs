//! The same seen from outside, by strace: the system's calls that change files are the points, one to one,
//! and a kill from outside leaves what one from inside leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use moult_durable::faults::{Call, Line};
use serde_json::json;

use crate::ground::{self, Ground, Life, Place};
use crate::share::{Report, each, share};

/// Every call that can change a file, a folder or what is known of one, and those that begin a process or
/// a thread.
const CALLS: &str = "open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,truncate,ftruncate,\
    fallocate,fsync,fdatasync,sync_file_range,msync,mmap,copy_file_range,sendfile,splice,rename,renameat,\
    renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,\
    fchmodat,chown,fchown,lchown,fchownat,utimensat,setxattr,fsetxattr,bind,fork,vfork,clone,clone3";
/// So many kills from outside where not all are tried.
const KILLS: usize = 6;

/// A call as strace shows it.
#[derive(Debug)]
struct Traced {
    /// The system's name of the call.
    name: String,
    /// How many calls of this name there were before, and 1: what strace is told to kill at it.
    number: usize,
    /// What it is as a point. None if it changes nothing below the root.
    change: Option<Change>,
}

/// A change, from whichever side it was seen: what, the path below the root, the second path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change(String, String, Option<String>);

impl Change {
    fn of_point(line: &Line) -> Self {
        let call = match line.call {
            // A folder and a file are synced by the same call.
            Call::SyncFolder => Call::Sync,
            call => call,
        };
        Self(format!("{call:?}"), line.raw.clone(), line.raw_to.clone())
    }
}

/// Runs an update below strace. `inject` are further arguments of strace.
fn traced(ground: &Ground, place: &Place, inject: &[&str], fault: &str) -> anyhow::Result<Vec<Traced>> {
    let folder = ground.folder()?;
    let output = folder.join("trace");
    let text = output.to_str().context("a path that is no text")?;
    let calls = format!("trace={CALLS}");
    let mut under = vec!["strace", "-f", "-y", "-s", "1", "-o", text, "-e", &calls];
    under.extend(inject);
    let ended = ground
        .drive(&under, "update", place, fault)
        .context("is strace installed?")?;
    ensure!(
        ended.status.success() || (!inject.is_empty() && ended.was_killed()),
        "{} under strace: {}",
        ended.status,
        ended.words
    );
    let trace = fs::read_to_string(&output)?;
    fs::remove_dir_all(folder)?;
    read(&trace, &place.install())
}

fn read(trace: &str, root: &Path) -> anyhow::Result<Vec<Traced>> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut process = None;
    for line in trace.lines() {
        let (id, rest) = line.split_once(' ').context("a line without a process")?;
        ensure!(
            *process.get_or_insert(id) == id,
            "there is a second process or thread: {line}"
        );
        let rest = rest.trim_start();
        let Some((name, rest)) = rest.split_once('(') else {
            // The end of the process.
            continue;
        };
        let number = numbers.entry(name.to_owned()).or_default();
        *number += 1;
        let change = change(name, rest, root).with_context(|| line.to_owned())?;
        calls.push(Traced {
            name: name.to_owned(),
            number: *number,
            change,
        });
    }
    Ok(calls)
}

/// What a call changes below the root.
fn change(name: &str, arguments: &str, root: &Path) -> anyhow::Result<Option<Change>> {
    let below = |path: &str| {
        let path = Path::new(path).strip_prefix(root).ok()?;
        Some(path.to_string_lossy().into_owned())
    };
    // Paths are in quotes, open files are shown as 5</path>.
    let quoted: Vec<_> = arguments
        .split('"')
        .skip(1)
        .step_by(2)
        .filter_map(below)
        .collect();
    let opened = arguments.split_once('<').and_then(|(before, rest)| {
        let is_number = !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            .then(|| rest.split_once('>'))
            .flatten()
            .and_then(|(path, _)| below(path))
    });
    let has = |flag: &str| arguments.contains(flag);
    let call = match name {
        "open" | "openat" | "openat2" | "creat" if has("O_CREAT") || has("O_TRUNC") || name == "creat" => {
            if has("O_APPEND") {
                Call::Append
            } else if has("O_EXCL") || has("O_TRUNC") {
                Call::Create
            } else {
                Call::OpenOrCreate
            }
        }
        "open" | "openat" | "openat2" => return Ok(None),
        "write" => Call::Write,
        "ftruncate" => Call::SetLength,
        "fsync" | "fdatasync" => Call::Sync,
        "renameat2" if has("RENAME_EXCHANGE") => Call::Exchange,
        "rename" | "renameat" | "renameat2" => Call::Rename,
        "link" | "linkat" => Call::Link,
        "unlinkat" if has("AT_REMOVEDIR") => Call::RemoveFolder,
        "unlink" | "unlinkat" => Call::RemoveFile,
        "rmdir" => Call::RemoveFolder,
        "mkdir" | "mkdirat" => Call::MakeFolder,
        "chmod" | "fchmod" | "fchmodat" => Call::SetMode,
        "bind" => Call::Bind,
        // Memory that is a file's is read only.
        "mmap" if !(has("PROT_WRITE") && has("MAP_SHARED")) => return Ok(None),
        _ => {
            let mut files = arguments
                .split('<')
                .skip(1)
                .filter_map(|rest| below(rest.split('>').next()?));
            let place = quoted.into_iter().next().or_else(|| files.next());
            ensure!(place.is_none(), "a call that is no point");
            return Ok(None);
        }
    };
    let mut paths = quoted.into_iter().chain(opened);
    Ok(paths
        .next()
        .map(|path| Change(format!("{call:?}"), path, paths.next())))
}

#[test]
fn what_the_system_sees_is_what_is_counted() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("strace");
    for life in Life::ALL {
        let place = ground.fresh(life)?;
        let logs = ground.folder()?;
        let log = logs.join("points");
        let seen = traced(&ground, &place, &[], &format!("log={}", log.display()))?;
        let seen: Vec<_> = seen.into_iter().filter_map(|call| call.change).collect();
        let counted: Vec<_> = ground::read_log(&log)?.iter().map(Change::of_point).collect();
        if let Some(at) = (0..seen.len().max(counted.len())).find(|&at| seen.get(at) != counted.get(at)) {
            report.fail(format!(
                "{}: at {} the system sees {:?}, counted is {:?}",
                life.name(),
                at + 1,
                seen.get(at),
                counted.get(at)
            ));
        }
        report.note(
            life.name(),
            json!({ "seen": seen.len(), "counted": counted.len() }),
        );
        place.remove()?;
    }
    report.end()
}

#[test]
fn a_kill_from_outside_leaves_what_one_from_inside_leaves() -> anyhow::Result<()> {
    let ground = Ground::open()?;
    let mut report = Report::begin("outside");
    let mut runs = 0;
    for life in Life::ALL {
        let place = ground.fresh(life)?;
        let calls = traced(&ground, &place, &[], "")?;
        place.remove()?;
        let changes: Vec<_> = calls
            .iter()
            .filter(|call| call.change.is_some())
            .zip(1_u64..)
            .collect();
        let changes = share(changes, KILLS);
        runs += changes.len();
        let outcomes = each(&changes, |(call, point)| {
            let inside = ground.fresh(life)?;
            ground.update(&inside, &format!("kill@{point}"))?;
            let outside = ground.fresh(life)?;
            let inject = format!("inject={}:signal=KILL:when={}", call.name, call.number);
            traced(&ground, &outside, &["-e", &inject], "")?;
            ensure!(
                inside.likeness()? == outside.likeness()?,
                "{:?} looks otherwise when it is killed from outside",
                call.change
            );
            inside.remove()?;
            outside.remove()
        });
        let names = changes
            .iter()
            .map(|(_, point)| format!("{}, point {point}", life.name()));
        report.judge(names.zip(outcomes));
    }
    report.note("runs", runs);
    report.end()
}

#[test]
fn a_trace_is_read_as_the_points_are_written() -> anyhow::Result<()> {
    let root = Path::new("/place");
    let table = [
        (
            "openat",
            r#"AT_FDCWD</x>, "/place/data/f", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0666) = 5</place/data/f>"#,
            Some(("Create", "data/f", None)),
        ),
        (
            "openat",
            r#"AT_FDCWD</x>, "/place/data/f", O_RDONLY|O_CLOEXEC) = 5</place/data/f>"#,
            None,
        ),
        (
            "openat",
            r#"AT_FDCWD</x>, "/elsewhere/f", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 5</elsewhere/f>"#,
            None,
        ),
        (
            "write",
            r#"5</place/data/f>, "x"..., 17) = 17"#,
            Some(("Write", "data/f", None)),
        ),
        ("write", r#"2</dev/pts/0>, "x"..., 17) = 17"#, None),
        ("fsync", r"6</place/data>) = 0", Some(("Sync", "data", None))),
        (
            "rename",
            r#""/place/a", "/place/b") = 0"#,
            Some(("Rename", "a", Some("b"))),
        ),
        (
            "renameat2",
            r#"AT_FDCWD</x>, "/place/a", AT_FDCWD</x>, "/place/b", RENAME_EXCHANGE) = 0"#,
            Some(("Exchange", "a", Some("b"))),
        ),
        (
            "unlinkat",
            r#"AT_FDCWD</x>, "/place/a", AT_REMOVEDIR) = 0"#,
            Some(("RemoveFolder", "a", None)),
        ),
        (
            "mmap",
            r"NULL, 4096, PROT_READ, MAP_SHARED, 5</place/data/f>, 0) = 0x7f",
            None,
        ),
    ];
    for (name, arguments, expected) in table {
        let expected = expected.map(|(call, path, to): (&str, &str, Option<&str>)| {
            Change(call.into(), path.into(), to.map(Into::into))
        });
        assert_eq!(change(name, arguments, root)?, expected, "{name}({arguments}");
    }
    let hidden = [
        (
            "mmap",
            r"NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5</place/data/f>, 0) = 0x7f",
        ),
        ("symlink", r#""/x", "/place/a") = 0"#),
        (
            "copy_file_range",
            r"5</place/a>, NULL, 6</place/b>, NULL, 9, 0) = 9",
        ),
        ("pwrite64", r#"5</place/a>, "x", 1, 0) = 1"#),
    ];
    for (name, arguments) in hidden {
        assert!(change(name, arguments, root).is_err(), "{name} is not a point");
    }
    assert!(
        read("1 fsync(5</x>) = 0\n2 fsync(5</x>) = 0\n", root).is_err(),
        "a second process"
    );
    Ok(())
}
