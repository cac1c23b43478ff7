//! A kill, an error or a copy at each change of the disk, on small examples. What these points are for
//! is proved on the whole engine elsewhere.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]

use std::collections::BTreeMap;
use std::fs as disk;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use moult_durable::faults::{self, Action, Call, Line, Plan};
use moult_durable::{NewFile, TwoCopy, create_dir_all, fs, write_atomic};

/// Points are counted for the whole process, so only one of these tests may count at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan(root: &Path, at: u64, action: Action) -> Plan {
    Plan {
        at,
        action,
        log: None,
        root: root.to_owned(),
    }
}

fn logged(root: &Path, log: &Path, work: impl FnOnce()) -> Vec<Line> {
    let plan = Plan {
        log: Some(log.to_owned()),
        ..plan(root, 0, Action::Nothing)
    };
    faults::arm(plan).unwrap();
    work();
    faults::disarm();
    read(log)
}

fn read(log: &Path) -> Vec<Line> {
    let text = disk::read_to_string(log).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// All files below a folder, with their bytes; folders with none.
fn tree(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in disk::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = path.is_file().then(|| disk::read(&path).unwrap());
            if bytes.is_none() {
                folders.push(path.clone());
            }
            // The process's number is in the names of unfinished files.
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let is_unfinished = name.ends_with(".moult-new");
            found.insert(
                PathBuf::from(if is_unfinished { "unfinished".into() } else { name }),
                bytes,
            );
        }
    }
    found
}

/// What the tests below interrupt: a bit of everything.
fn work(root: &Path) -> Result<(), moult_durable::DurableError> {
    create_dir_all(&root.join("records/deep"))?;
    let record = TwoCopy::<String>::new(root.join("records"), "state");
    for value in ["one", "two", "three"] {
        record.store(&value.to_owned())?;
    }
    let mut file = NewFile::begin(&root.join("records/large"))?;
    let large = vec![7; 600_000];
    file.write_all(&large)
        .map_err(|source| moult_durable::DurableError::Write {
            path: file.to().to_owned(),
            source,
        })?;
    file.place()?;
    moult_durable::rename(&root.join("records/large"), &root.join("records/deep/large"))?;
    fs::remove_tree(&root.join("records/deep")).map_err(|source| moult_durable::DurableError::Remove {
        path: root.join("records/deep"),
        source,
    })
}

/// What holds however `work` was interrupted: there is a value or none, never damage.
fn assert_sound(root: &Path, when: &str) {
    let record = TwoCopy::<String>::new(root.join("records"), "state");
    let value = record.load().unwrap();
    assert!(
        matches!(value.as_deref(), None | Some("one" | "two" | "three")),
        "{when}: {value:?}"
    );
    let large = disk::read(root.join("records/large")).unwrap_or_default();
    assert!(large.is_empty() || large == vec![7; 600_000], "{when}");
}

#[test]
fn nothing_counts_unless_it_was_asked_for_and_lies_below_the_root() {
    let _alone = alone();
    let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_atomic(&root.path().join("file"), b"1").unwrap();
    assert_eq!(faults::passed(), 0);
    faults::arm(plan(root.path(), 0, Action::Nothing)).unwrap();
    write_atomic(&elsewhere.path().join("file"), b"1").unwrap();
    assert_eq!(faults::passed(), 0);
    fs::rename(&elsewhere.path().join("file"), &root.path().join("moved")).unwrap();
    assert_eq!(faults::disarm(), 1);
    write_atomic(&root.path().join("file"), b"2").unwrap();
    assert_eq!(faults::passed(), 0);
}

// Windows has no request to sync a folder, so the lines are others there.
#[cfg(unix)]
#[test]
fn each_call_is_a_line_and_two_runs_write_the_same_lines() {
    let _alone = alone();
    let logs = tempfile::tempdir().unwrap();
    let runs = ["first", "second"].map(|run| {
        let root = tempfile::tempdir().unwrap();
        let log = logs.path().join(run);
        let lines = logged(root.path(), &log, || {
            write_atomic(&root.path().join("file"), b"bytes").unwrap();
            write_atomic(&root.path().join("file"), b"more bytes").unwrap();
        });
        let compared = lines.into_iter().map(|line| Line {
            raw: String::new(),
            raw_to: None,
            ..line
        });
        compared.collect::<Vec<_>>()
    });
    assert_eq!(runs[0], runs[1]);
    let shown: Vec<_> = runs[0]
        .iter()
        .map(|line| (line.n, line.call, line.path.as_str(), line.ordinal, line.length))
        .collect();
    let new = ".file.*.moult-new";
    assert_eq!(
        shown,
        [
            (1, Call::Create, new, 0, None),
            (2, Call::Write, new, 0, Some(5)),
            (3, Call::Sync, new, 0, None),
            (4, Call::Rename, new, 0, None),
            (5, Call::SyncFolder, "", 0, None),
            (6, Call::Create, new, 1, None),
            (7, Call::Write, new, 1, Some(10)),
            (8, Call::Sync, new, 1, None),
            (9, Call::Rename, new, 1, None),
            (10, Call::SyncFolder, "", 1, None),
        ]
    );
    assert_eq!(runs[0][3].to.as_deref(), Some("file"));
    assert_eq!(runs[0][6].opened_at, Some(6));
}

#[test]
fn each_function_is_one_point_with_its_own_name() {
    let _alone = alone();
    let (root, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| root.path().join(name);
    let lines = logged(root.path(), &logs.path().join("log"), || {
        let file = fs::create(&at("a")).unwrap();
        file.set_length(3).unwrap();
        file.sync().unwrap();
        let mut file = fs::append(&at("a")).unwrap();
        file.write_all(b"end").unwrap();
        fs::open_or_create(&at("b")).unwrap();
        fs::link(&at("a"), &at("c")).unwrap();
        fs::set_mode(&at("a"), 0o600).unwrap();
        fs::sync_file(&at("a")).unwrap();
        fs::make_folder(&at("d")).unwrap();
        fs::sync_folder(&at("d")).unwrap();
        fs::rename(&at("b"), &at("d/b")).unwrap();
        let _ = fs::exchange(&at("a"), &at("c"));
        fs::remove_file(&at("c")).unwrap();
        #[cfg(unix)]
        fs::bind(&at("d/socket")).unwrap();
        fs::remove_tree(&at("d")).unwrap();
    });
    let mut calls: Vec<_> = lines.iter().map(|line| line.call).collect();
    assert_eq!(lines[4].offset, Some(3), "what is appended begins at the end");
    if cfg!(unix) {
        let expected = [
            Call::Create,
            Call::SetLength,
            Call::Sync,
            Call::Append,
            Call::Write,
            Call::OpenOrCreate,
            Call::Link,
            Call::SetMode,
            Call::Sync,
            Call::MakeFolder,
            Call::SyncFolder,
            Call::Rename,
            Call::Exchange,
            Call::RemoveFile,
            Call::Bind,
            Call::RemoveFile,
            Call::RemoveFile,
            Call::RemoveFolder,
        ];
        assert_eq!(calls, expected);
    }
    calls.sort_unstable();
    calls.dedup();
    let known = if cfg!(unix) { 15 } else { 13 };
    assert_eq!(calls.len(), known, "each kind of call occurs");
}

#[test]
fn a_tree_is_removed_in_the_order_of_its_names_and_links_are_not_followed() {
    let _alone = alone();
    let (root, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tree = root.path().join("tree");
    for name in ["b", "a/z", "a/y", "c"] {
        create_dir_all(tree.join(name).parent().unwrap()).unwrap();
        disk::write(tree.join(name), name).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(logs.path(), tree.join("link")).unwrap();
    disk::write(logs.path().join("kept"), "").unwrap();
    let lines = logged(root.path(), &logs.path().join("log"), || {
        fs::remove_tree(&tree).unwrap();
    });
    let removed: Vec<_> = lines.iter().map(|line| line.path.as_str()).collect();
    let link = cfg!(unix).then_some("tree/link");
    let expected = ["tree/a/y", "tree/a/z", "tree/a", "tree/b", "tree/c"];
    assert_eq!(
        removed,
        expected
            .into_iter()
            .chain(link)
            .chain(["tree"])
            .collect::<Vec<_>>()
    );
    assert!(logs.path().join("kept").exists());
}

#[test]
fn an_error_at_any_call_leaves_the_old_value_or_the_new_one() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    faults::arm(plan(root.path(), 0, Action::Nothing)).unwrap();
    work(root.path()).unwrap();
    let points = faults::disarm();
    assert!(points > 20, "{points}");
    for sticky in [false, true] {
        for at in 1..=points {
            let root = tempfile::tempdir().unwrap();
            faults::arm(plan(root.path(), at, Action::Fail { errno: 28, sticky })).unwrap();
            let outcome = work(root.path());
            faults::disarm();
            let when = format!("error at {at}, sticky: {sticky}");
            assert!(outcome.is_err(), "{when}");
            assert_sound(root.path(), &when);
            let unfinished = tree(root.path()).contains_key(Path::new("unfinished"));
            assert!(sticky || !unfinished, "{when}: something was left");
            // What could not be done can be done when the disk is well again.
            work(root.path()).unwrap();
        }
    }
}

#[test]
fn a_write_that_fails_has_written_half_as_on_a_full_disk() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    let fail = Action::Fail {
        errno: 28,
        sticky: false,
    };
    faults::arm(plan(root.path(), 2, fail)).unwrap();
    let mut file = fs::create_new(&path).unwrap();
    let error = file.write_all(b"0123456789").unwrap_err();
    faults::disarm();
    assert_eq!(error.raw_os_error(), Some(28));
    assert_eq!(disk::read(&path).unwrap(), b"01234");
}

#[test]
fn the_bytes_of_each_write_are_recorded_with_the_tree_before() {
    let _alone = alone();
    let (root, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    disk::write(root.path().join("before"), "kept").unwrap();
    let record = Action::Record {
        into: into.path().to_owned(),
    };
    faults::arm(plan(root.path(), 0, record)).unwrap();
    write_atomic(&root.path().join("file"), b"new").unwrap();
    faults::disarm();
    assert_eq!(disk::read(into.path().join("tree/before")).unwrap(), b"kept");
    assert_eq!(disk::read(into.path().join("2")).unwrap(), b"new");
    assert_eq!(disk::read_dir(into.path()).unwrap().count(), 2);
}

const ROOT: &str = "MOULT_TEST_ROOT";
const AT: &str = "MOULT_TEST_AT";

#[test]
fn a_copy_before_each_call_is_what_a_kill_there_leaves() {
    let _alone = alone();
    let (root, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let snapshot = Action::Snapshot {
        into: into.path().to_owned(),
    };
    faults::arm(plan(root.path(), 0, snapshot)).unwrap();
    work(root.path()).unwrap();
    let points = faults::disarm();
    for at in 1..=points {
        let killed = tempfile::tempdir().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process_that_is_killed", "--ignored"])
            .env(ROOT, killed.path())
            .env(AT, at.to_string())
            .output()
            .unwrap()
            .status;
        // On Windows a process that was ended has a code all the same.
        assert!(
            !status.success() && (cfg!(windows) || status.code().is_none()),
            "it was killed at {at}"
        );
        assert_eq!(
            tree(killed.path()),
            tree(&into.path().join(at.to_string())),
            "{at}"
        );
        assert_sound(killed.path(), &format!("killed at {at}"));
    }
}

/// The other process of the test above.
#[test]
#[ignore = "is started by another test"]
fn process_that_is_killed() {
    let root = PathBuf::from(std::env::var_os(ROOT).unwrap());
    let at = std::env::var(AT).unwrap().parse().unwrap();
    faults::arm(plan(&root, at, Action::Kill)).unwrap();
    work(&root).unwrap();
}
