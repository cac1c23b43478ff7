//! An installation in a folder of its own: the real launcher, and applications that do what they are told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use moult_boot::{Base, BootState, SlotName, Store};
use moult_model::Digest;
use serde_json::{Value, json};

/// After this a test is lost. No test passes or fails by being quick or slow.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    /// Version 1.0.0 is packaged, and does what the script says.
    pub(crate) fn new(script: &str) -> Self {
        let new = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(new.install()).unwrap();
        let launcher = new.install().join(program("moult"));
        let built = Path::new(env!("CARGO_BIN_EXE_moult-launcher"));
        // A link, not a copy: a file that was just written may still be open in a process that is starting.
        fs::hard_link(built, &launcher)
            .or_else(|_| fs::copy(built, &launcher).map(drop))
            .unwrap();
        let bytes = application("1.0.0", script);
        let label = json!({ "version": "1.0.0", "digest": Digest::of(&bytes) });
        write_executable(&new.install().join(program("moult-app")), &bytes);
        fs::write(new.install().join("moult-app.json"), label.to_string()).unwrap();
        new
    }

    pub(crate) fn install(&self) -> PathBuf {
        self.folder.path().join("install")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.data(), Base::from_install(&self.install()).unwrap()).unwrap()
    }

    pub(crate) fn state(&self) -> BootState {
        self.store().state().unwrap()
    }

    /// Installs a version that does what the script says.
    pub(crate) fn slot(&self, version: &str, script: &str) -> SlotName {
        let store = self.store();
        let bytes = application(version, script);
        let file = store.staging().join(version);
        write_executable(&file, &bytes);
        store
            .install(&file, &version.parse().unwrap(), Digest::of(&bytes))
            .unwrap()
    }

    /// Installs a version and puts it on trial.
    pub(crate) fn trial(&self, version: &str, script: &str) -> SlotName {
        let slot = self.slot(version, script);
        self.store().begin_trial(&slot).unwrap();
        slot
    }

    /// Installs a version and makes it the current one.
    pub(crate) fn current(&self, version: &str, script: &str) -> SlotName {
        let slot = self.trial(version, script);
        self.store().confirm(&slot, None).unwrap();
        slot
    }

    /// Starts the launcher.
    pub(crate) fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Launched {
        let child = Command::new(self.install().join(program("moult")))
            .args(arguments)
            .env("MOULT_DATA", self.data())
            // No screen of the computer that runs the tests plays a part.
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("MOULT_LAUNCHER_FD")
            .env_remove("WEBKIT_INSPECTOR_SERVER")
            .env_remove("MOULT_AUTOMATION")
            .env_remove("MOULT_LAUNCHER_DEADLINES_MS")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Launched { child: Some(child) }
    }

    /// Runs the launcher to its end.
    pub(crate) fn run(&self) -> Output {
        self.start(&[], &[]).finish()
    }

    /// Runs the launcher to its end, with short deadlines.
    pub(crate) fn run_with(&self, deadlines: &str) -> Output {
        self.start(
            &[],
            &[
                ("MOULT_AUTOMATION", "1"),
                ("MOULT_LAUNCHER_DEADLINES_MS", deadlines),
            ],
        )
        .finish()
    }

    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.data().join("journal")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The starts so far, oldest first.
    pub(crate) fn starts(&self) -> Vec<Value> {
        self.journal()
            .into_iter()
            .filter(|line| line.get("started").is_some())
            .collect()
    }

    /// The slots that were started, oldest first.
    pub(crate) fn started_slots(&self) -> Vec<SlotName> {
        self.starts()
            .iter()
            .map(|line| line["slot"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// Waits until the journal holds a line of which this is true, and returns it.
    pub(crate) fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        wait(what, || self.journal().into_iter().find(|line| is_it(line)))
    }

    pub(crate) fn wait_for_note(&self, note: &str) {
        self.wait_for(note, |line| line["note"] == note);
    }

    /// Waits until an application heard a message of this kind.
    pub(crate) fn wait_for_note_of(&self, kind: &str) {
        self.wait_for(kind, |line| line["heard"]["kind"] == kind);
    }

    /// Notes something that an application waits for.
    pub(crate) fn add_note(&self, note: &str) {
        use std::io::Write as _;
        let mut journal = fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("journal"))
            .unwrap();
        writeln!(journal, "{}", json!({ "note": note })).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.data().join("log/launcher.log")).unwrap_or_default()
    }
}

/// Waits until there is something.
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "nothing was seen of: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A launcher that runs. It is killed if the test ends before it does.
pub(crate) struct Launched {
    child: Option<Child>,
}

impl Launched {
    #[cfg(unix)]
    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Ends it at once, and nothing else.
    pub(crate) fn kill(&mut self) {
        self.child.as_mut().unwrap().kill().unwrap();
    }

    pub(crate) fn finish(mut self) -> Output {
        let child = self.child.as_mut().unwrap();
        wait("the launcher's end", || child.try_wait().unwrap());
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The bytes of an application that does what the script says. No two versions have the same.
fn application(version: &str, script: &str) -> Vec<u8> {
    let beside = Path::new(env!("CARGO_BIN_EXE_moult-launcher")).parent().unwrap();
    let child = beside.join("examples").join(program("child"));
    let mut bytes = fs::read(&child).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. Build it: cargo build -p moult-boot --examples",
            child.display()
        )
    });
    bytes.extend_from_slice(format!("\n{version} MOULT-CHILD:").as_bytes());
    bytes.extend_from_slice(script.as_bytes());
    bytes
}

fn write_executable(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A program's file.
pub(crate) fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// The code of a process that aborted.
pub(crate) const ABORTED: i32 = if cfg!(windows) {
    0xC000_0409_u32.cast_signed()
} else {
    134
};

/// Whether a process of this installation has ended; one that nobody has waited for counts as ended.
#[cfg(unix)]
pub(crate) fn is_gone(_: &Installation, process: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::test_kill_process(process).is_err()
        || stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim().starts_with('Z'))
}

/// Whether a process of this installation has ended: then its lock is free.
#[cfg(windows)]
pub(crate) fn is_gone(installation: &Installation, process: i64) -> bool {
    let lock = installation.data().join(format!("alive-{process}"));
    moult_durable::Lock::try_acquire(&lock).unwrap().is_some()
}

/// Whether an application has no connection but the launcher's, which it has twice: it is read on its own.
/// Nothing else tells it on Windows, where nothing is inherited by itself.
pub(crate) fn has_one_connection(start: &Value) -> bool {
    cfg!(windows) || start["sockets"] == 2
}

/// The install folder as the launcher names it.
pub(crate) fn as_told(install: &Path) -> PathBuf {
    if cfg!(windows) {
        install.to_owned()
    } else {
        install.canonicalize().unwrap()
    }
}
