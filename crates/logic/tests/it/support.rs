//! The component that does what a test asks for, a pool of real child processes, and an ear.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use moult_model::stage::SavedState;
use moult_sandbox::logic::cache::Cache;
use moult_sandbox::logic::pool::{CallNumber, Key, Listener, Pool, Spec};
use moult_sandbox::logic::{Fault, Limits};
use serde_json::{Value, json};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_moult-sandbox");

/// What is waited for comes long before this. Only a guard.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The guest as a component, built once.
pub(crate) static COMPONENT: LazyLock<Arc<[u8]>> = LazyLock::new(|| component(&build()).into());

/// Makes a component of a core module.
pub(crate) fn component(module: &[u8]) -> Vec<u8> {
    let mut encoder = wit_component::ComponentEncoder::default();
    encoder.validate(true).module(module).unwrap().encode().unwrap()
}

fn build() -> Vec<u8> {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guest");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            "wasm32-unknown-unknown",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(guest)
        .env_remove("RUSTFLAGS");
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "the guest can't be built; `cargo xtask setup` adds its target:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read(target.join("wasm32-unknown-unknown/release/moult_test_guest.wasm")).unwrap()
}

/// What an ear heard.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Call(CallNumber, String, Value),
    Said(Value),
    Logged(String),
    Snapshot(SavedState),
    Restarted,
    Failed(Fault, bool),
}

struct Ear {
    tell: Mutex<Sender<(Key, Heard)>>,
}

impl Ear {
    fn tell(&self, key: &Key, heard: Heard) {
        let _ = self.tell.lock().unwrap().send((key.clone(), heard));
    }
}

impl Listener for Ear {
    fn call(&self, key: &Key, number: CallNumber, capability: &str, request: Value) {
        self.tell(key, Heard::Call(number, capability.to_owned(), request));
    }

    fn said(&self, key: &Key, event: Value) {
        self.tell(key, Heard::Said(event));
    }

    fn logged(&self, key: &Key, line: &str) {
        self.tell(key, Heard::Logged(line.to_owned()));
    }

    fn snapshot(&self, key: &Key, state: &SavedState) {
        self.tell(key, Heard::Snapshot(state.clone()));
    }

    fn restarted(&self, key: &Key) {
        self.tell(key, Heard::Restarted);
    }

    fn failed(&self, key: &Key, fault: &Fault, gave_up: bool) {
        self.tell(key, Heard::Failed(fault.clone(), gave_up));
    }
}

/// A pool with real children, and what it tells.
pub(crate) struct World {
    pub(crate) pool: Pool,
    heard: Mutex<Receiver<(Key, Heard)>>,
    _cache: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self::keeping(&folder.path().join("logic"));
        Self {
            _cache: Some(folder),
            ..world
        }
    }

    /// A world whose compiled code is kept in a folder.
    pub(crate) fn keeping(code: &Path) -> Self {
        let (tell, heard) = channel();
        let ear = Ear {
            tell: Mutex::new(tell),
        };
        let cache = Cache::open(code).unwrap();
        Self {
            pool: Pool::new(PROGRAM.into(), Some(cache), Box::new(ear)).unwrap(),
            heard: Mutex::new(heard),
            _cache: None,
        }
    }

    /// A world in which the guest runs under a key.
    pub(crate) fn with(instance: &str) -> (Self, Key) {
        let world = Self::new();
        let key = key("moult", instance);
        world.pool.start(key.clone(), spec()).unwrap();
        (world, key)
    }

    /// The next thing heard that is of interest.
    pub(crate) fn hear<T>(&self, wanted: impl Fn(&Key, Heard) -> Option<T>) -> T {
        let heard = self.heard.lock().unwrap();
        loop {
            let (key, what) = heard.recv_timeout(PATIENCE).unwrap();
            if let Some(found) = wanted(&key, what) {
                return found;
            }
        }
    }

    /// Has the guest do something.
    pub(crate) fn act(
        &self,
        key: &Key,
        what: Value,
    ) -> Result<Value, moult_sandbox::logic::pool::LogicError> {
        self.pool.handle(key, what)
    }

    /// The next failure of this instance, and whether it stays off.
    pub(crate) fn failure(&self, of: &Key) -> (Fault, bool) {
        self.hear(|key, what| match what {
            Heard::Failed(fault, gave_up) if key == of => Some((fault, gave_up)),
            _ => None,
        })
    }
}

pub(crate) fn key(publisher: &str, instance: &str) -> Key {
    Key {
        publisher: publisher.to_owned(),
        instance: instance.to_owned(),
    }
}

pub(crate) fn spec() -> Spec {
    Spec {
        component: Arc::clone(&COMPONENT),
        // Tests run beside others, and without optimisation of the engine: the budget must not be theirs.
        limits: Limits {
            event_ms: 200,
            ..Limits::default()
        },
        settings: json!({ "name": "test" }),
        state: None,
        schema: 2,
    }
}

pub(crate) fn state(count: u64) -> SavedState {
    SavedState {
        schema: 2,
        data: json!({ "count": count }),
    }
}
