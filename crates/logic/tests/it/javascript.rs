//! Logic in JavaScript: that of the template `js-logic`, built by its own script, with a few acts for the tests.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use moult_model::Digest;
use moult_model::stage::SavedState;
use moult_sandbox::logic::FaultKind;
use moult_sandbox::logic::pool::{Key, LogicError, Spec};
use moult_sandbox::logic::wire::COMPONENT_BYTES;
use serde_json::{Value, json};

use crate::support::{Heard, World, key, spec};

/// The component. Each test has a process of its own, so it is kept in a file for all of them, and for the next run.
static COMPONENT: LazyLock<Arc<[u8]>> = LazyLock::new(|| built().unwrap().into());

/// What is laid out, and where: below `sdk`, or below the tests of this crate.
const PARTS: [(&str, &str); 7] = [
    ("sdk/templates/common", ""),
    ("sdk/templates/counter", ""),
    ("sdk/templates/page", ""),
    ("sdk/templates/logic", ""),
    ("sdk/templates/js-logic", ""),
    ("sdk/wit", "vendor/wit"),
    ("crates/logic/tests/javascript", "tests"),
];

fn room() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of compiled code that these tests share: it takes half a minute to compile.
fn code() -> PathBuf {
    room().join("code")
}

fn built() -> io::Result<Vec<u8>> {
    fs::create_dir_all(room())?;
    // Whoever comes first builds and compiles; the others wait here.
    let lock = File::create(room().join("lock"))?;
    lock.lock()?;
    let mut files = Vec::new();
    for (from, to) in PARTS {
        collect(&workspace().join(from), Path::new(to), &mut files)?;
    }
    let laid = files.clone();
    collect(&workspace().join("sdk/src"), Path::new("kit"), &mut files)?;
    files.push((
        "package-lock.json".into(),
        fs::read(workspace().join("package-lock.json"))?,
    ));
    let inputs: Vec<u8> = files
        .into_iter()
        .flat_map(|(path, bytes)| [path.to_string_lossy().as_bytes(), &bytes].concat())
        .collect();
    let component = room().join(format!("{}.wasm", Digest::of(&inputs)));
    if !component.is_file() {
        build(&laid, &component)?;
    }
    let component = fs::read(component)?;
    // Compiled here once, while the others wait.
    let world = World::keeping(&code());
    let spec = Spec {
        component: component.as_slice().into(),
        ..spec()
    };
    world.pool.start(key("moult", "first"), spec).unwrap();
    Ok(component)
}

fn collect(folder: &Path, to: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            collect(&entry.path(), &to, files)?;
        } else {
            files.push((to, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Lays out a widget of the template, with what the workspace has installed, and has its own script build the logic.
fn build(files: &[(PathBuf, Vec<u8>)], component: &Path) -> io::Result<()> {
    let folder = room().join("widget");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, bytes)?;
    }
    fs::rename(folder.join("src/logic.ts"), folder.join("src/template.ts"))?;
    fs::rename(folder.join("tests/logic.ts"), folder.join("src/logic.ts"))?;
    fs::create_dir_all(folder.join("dist"))?;
    let modules = workspace().join("node_modules");
    #[cfg(unix)]
    std::os::unix::fs::symlink(modules, folder.join("node_modules"))?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(modules, folder.join("node_modules"))?;
    let output = Command::new("node")
        .arg("logic/build.mjs")
        .current_dir(&folder)
        .output()?;
    assert!(
        output.status.success(),
        "the logic can't be built; `cargo xtask setup` installs what it needs:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(folder.join("dist/logic.wasm"), component)
}

/// A world in which the logic runs.
fn world(instance: &str) -> (World, Key) {
    let component = javascript();
    let world = World::keeping(&code());
    let key = key("moult", instance);
    world.pool.start(key.clone(), component).unwrap();
    (world, key)
}

fn javascript() -> Spec {
    Spec {
        component: Arc::clone(&COMPONENT),
        ..spec()
    }
}

fn state(schema: u32, data: Value) -> SavedState {
    SavedState { schema, data }
}

#[test]
fn a_component_with_an_engine_is_as_large_as_is_said() {
    let bytes = COMPONENT.len();
    assert!((10_000_000..13_000_000).contains(&bytes), "{bytes}");
    assert!(bytes < COMPONENT_BYTES);
}

#[test]
fn javascript_handles_events_and_knows_its_settings() {
    let (world, key) = world("one");
    let add = |amount: i32| world.act(&key, json!({"kind": "add", "amount": amount})).unwrap();
    assert_eq!(add(3), json!({"count": 3}));
    assert_eq!(add(-1), json!({"count": 2}));
    assert_eq!(world.act(&key, Value::Null).unwrap(), json!({"count": 2}));
    assert_eq!(
        world.act(&key, json!({"do": "settings"})).unwrap(),
        json!({"name": "test"})
    );
    assert!(world.act(&key, json!({"do": "now"})).unwrap().as_u64().unwrap() > 1_700_000_000_000);
    let random = || world.act(&key, json!({"do": "random"})).unwrap();
    assert_ne!(random(), random());
}

#[test]
fn javascript_speaks_to_its_page_and_its_log_and_waits_for_what_it_calls() {
    let (world, key) = world("one");
    world
        .act(&key, json!({"do": "say", "what": {"tick": 1}}))
        .unwrap();
    let said = world.hear(|_, heard| match heard {
        Heard::Said(event) => Some(event),
        _ => None,
    });
    assert_eq!(said, json!({"tick": 1}));
    world.act(&key, json!({"do": "log", "line": "here"})).unwrap();
    assert_eq!(logged(&world), "here");
    std::thread::scope(|scope| {
        for (outcome, expected) in [
            (Ok(json!("found")), json!({"ok": "found"})),
            (
                Err(json!({"code": "denied", "happened": "No."})),
                json!({"problem": {"code": "denied", "happened": "No."}}),
            ),
        ] {
            let question = json!({"do": "call", "capability": "storage.get", "request": {"key": "a"}});
            let asked = scope.spawn(|| world.act(&key, question));
            let (number, capability, request) = world.hear(|_, heard| match heard {
                Heard::Call(number, capability, request) => Some((number, capability, request)),
                _ => None,
            });
            assert_eq!((&*capability, request), ("storage.get", json!({"key": "a"})));
            world.pool.answer(number, outcome);
            assert_eq!(asked.join().unwrap().unwrap(), expected);
        }
    });
}

fn logged(world: &World) -> String {
    world.hear(|_, heard| match heard {
        Heard::Logged(line) => Some(line),
        _ => None,
    })
}

#[test]
fn javascript_hands_its_state_over_and_reads_older_ones() {
    let (world, live) = world("one");
    world.act(&live, json!({"kind": "add", "amount": 3})).unwrap();
    let taken = world.pool.snapshot(&live).unwrap();
    assert_eq!((taken.schema, &taken.data["count"]), (2, &json!(3)));

    let beside = key("moult", "one beside");
    world.pool.start(beside.clone(), javascript()).unwrap();
    world.pool.restore(&beside, taken).unwrap();
    assert!(world.pool.rename(&beside, live.clone()));
    let look = || world.act(&live, Value::Null).unwrap();
    assert_eq!(look(), json!({"count": 3}));

    world.pool.restore(&live, state(1, json!({"count": 5}))).unwrap();
    assert_eq!(look(), json!({"count": 5}), "schema 1 is migrated");
    for (bad, words) in [
        (state(9, json!({"count": 7})), "this version reads 1 to 2"),
        (state(2, json!({"count": "7"})), "This is no counter."),
    ] {
        let refused = world.pool.restore(&live, bad);
        assert!(
            matches!(&refused, Err(LogicError::Refused(reason)) if reason.contains(words)),
            "{refused:?}"
        );
        assert_eq!(look(), json!({"count": 5}), "it goes on");
    }
}

#[test]
fn what_javascript_does_wrong_ends_it_alone_and_it_comes_back_with_its_state() {
    let (world, good) = world("good");
    let cases = [
        (json!({"do": "throw"}), FaultKind::Trapped),
        (json!({"do": "loop"}), FaultKind::TimedOut),
        (json!({"do": "recurse"}), FaultKind::Trapped),
        (json!({"do": "allocate"}), FaultKind::OutOfMemory),
    ];
    for (number, (act, expected)) in cases.into_iter().enumerate() {
        // In the same process as the good one.
        let bad = key("moult", &format!("bad {number}"));
        let with_state = Spec {
            state: Some(state(1, json!({"count": 40}))),
            ..javascript()
        };
        world.pool.start(bad.clone(), with_state).unwrap();
        let process = world.pool.process_of("moult");
        let outcome = world.act(&bad, act.clone());
        let Err(LogicError::Failed(fault)) = outcome else {
            unreachable!("{act}: {outcome:?}")
        };
        assert_eq!(fault.kind, expected, "{act}: {fault}");
        assert_eq!(
            world.act(&good, json!({"kind": "add"})).unwrap(),
            json!({"count": number + 1}),
            "after {act}"
        );
        world.hear(|key, heard| (key == &bad && heard == Heard::Restarted).then_some(()));
        assert_eq!(world.act(&bad, Value::Null).unwrap(), json!({"count": 40}));
        assert_eq!(world.pool.process_of("moult"), process, "no process ended");
        world.pool.stop(&bad);
    }
}

#[test]
fn an_error_that_nobody_caught_is_in_the_log() {
    let (world, key) = world("one");
    assert!(world.act(&key, json!({"do": "throw"})).is_err());
    let line = logged(&world);
    assert!(line.starts_with("RangeError: as the test asked\n"), "{line}");
    assert!(line.contains("logic.js:"), "it says where: {line}");
}

#[test]
fn javascript_that_is_killed_from_outside_comes_back() {
    let (world, key) = world("one");
    world.act(&key, json!({"kind": "add", "amount": 4})).unwrap();
    world.hear(|_, heard| match heard {
        Heard::Snapshot(state) if state.data["count"] == 4 => Some(()),
        _ => None,
    });
    crate::running::end(world.pool.process_of("moult").unwrap());
    world.hear(|of, heard| (of == &key && heard == Heard::Restarted).then_some(()));
    assert_eq!(world.act(&key, Value::Null).unwrap(), json!({"count": 4}));
}

/// The code of one component has some 37 MB: ten instances would take all that a publisher's process may have.
#[cfg(target_os = "linux")]
#[test]
fn instances_share_the_code_of_their_component() {
    let (world, _) = world("one");
    let process = world.pool.process_of("moult").unwrap();
    let memory = || -> u64 {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        kib.unwrap().trim().parse::<u64>().unwrap() << 10
    };
    let one = memory();
    for number in 0..4 {
        world
            .pool
            .start(key("moult", &format!("more {number}")), javascript())
            .unwrap();
    }
    let more = (memory() - one) / 4;
    assert!(more < 24 << 20, "one takes {one} bytes, each more of them {more}");
}
