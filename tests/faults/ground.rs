//! What each run starts from, and how it is started: the prepared template and repositories, and copies of
//! the template in folders of their own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use moult_durable::Lock;
use moult_durable::faults::Line;
use moult_model::Digest;
use moult_tests::tree::{self, Look};

use crate::share;

/// With this in the environment what was prepared once is used: for work on the tests themselves.
const AS_THEY_ARE: &str = "MOULT_FIXTURES_AS_THEY_ARE";
/// Where nothing is written to a disk.
const MEMORY: &str = "/dev/shm";
/// A run ends long before this. Only a guard.
const PATIENCE: Duration = Duration::from_mins(3);

/// How the new version does in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Life {
    Good,
    Crashing,
    GoBack,
    BrokenUpdater,
}

impl Life {
    pub(crate) const ALL: [Self; 3] = [Self::Good, Self::Crashing, Self::GoBack];

    /// As `moult-drive` is told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Crashing => "crashing",
            Self::GoBack => "go-back",
            Self::BrokenUpdater => "broken-updater",
        }
    }
}

/// The prepared template and repositories, and a folder to work in that is removed in the end.
pub(crate) struct Ground {
    prepared: PathBuf,
    work: tempfile::TempDir,
    places: AtomicUsize,
}

/// A folder with an installation, and beside it all that the installation must leave alone.
pub(crate) struct Place {
    folder: PathBuf,
    life: Life,
}

/// How a run of `moult-drive` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) words: String,
}

impl Ground {
    /// Prepares what is not prepared yet, or was by another build or some time ago: metadata expires.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = share::folder()?;
        fs::create_dir_all(&folder)?;
        let lock = Lock::acquire(&folder.join("lock"))?;
        let prepared = folder.join("ground");
        let stamp = prepared.join("stamp");
        let wanted = stamp_text()?;
        let found = fs::read_to_string(&stamp).ok();
        let will_do = found.is_some() && std::env::var_os(AS_THEY_ARE).is_some();
        if !will_do && found.as_deref() != Some(&*wanted) {
            let output = drive().arg("prepare").arg(&prepared).output()?;
            ensure!(
                output.status.success(),
                "the ground could not be prepared: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            fs::write(&stamp, stamp_text()?)?;
        }
        drop(lock);
        let work = if Path::new(MEMORY).is_dir() {
            tempfile::tempdir_in(MEMORY)?
        } else {
            tempfile::tempdir()?
        };
        Ok(Self {
            prepared,
            work,
            places: AtomicUsize::new(0),
        })
    }

    /// A place with the old version, freshly installed.
    pub(crate) fn fresh(&self, life: Life) -> anyhow::Result<Place> {
        let template = match life {
            Life::Good | Life::GoBack | Life::BrokenUpdater => "template",
            // So that there is a widget to roll back to.
            Life::Crashing => "template-used",
        };
        self.from(&self.prepared.join(template), life)
    }

    /// The same for repositories of another publisher: nothing was ever believed there.
    pub(crate) fn unused(&self, life: Life) -> anyhow::Result<Place> {
        self.from(&self.prepared.join("template"), life)
    }

    /// A place with a copy of an installation.
    pub(crate) fn from(&self, install: &Path, life: Life) -> anyhow::Result<Place> {
        let place = self.empty(life)?;
        tree::copy(install, &place.install())?;
        Ok(place)
    }

    /// A place to which an installation is moved.
    pub(crate) fn taking(&self, install: &Path, life: Life) -> anyhow::Result<Place> {
        let place = self.empty(life)?;
        fs::rename(install, place.install()).with_context(|| install.display().to_string())?;
        Ok(place)
    }

    fn empty(&self, life: Life) -> anyhow::Result<Place> {
        let folder = self.folder()?;
        for name in ["home", "temporary"] {
            fs::create_dir(folder.join(name))?;
        }
        Ok(Place { folder, life })
    }

    /// A new folder for anything else.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let folder = self.work.path().join(number.to_string());
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    fn repository(&self, life: Life) -> PathBuf {
        self.prepared.join(match life {
            Life::Good | Life::GoBack | Life::BrokenUpdater => "repo",
            Life::Crashing => "repo-crashing",
        })
    }

    /// Starts `moult-drive`, perhaps under another program that is named with its arguments.
    pub(crate) fn drive(
        &self,
        under: &[&str],
        what: &str,
        place: &Place,
        fault: &str,
    ) -> anyhow::Result<Ended> {
        finish(Self::order(
            under,
            what,
            place,
            &self.repository(place.life),
            fault,
        ))
    }

    /// One update from another repository.
    pub(crate) fn update_from(place: &Place, repository: &Path) -> anyhow::Result<Ended> {
        finish(Self::order(&[], "update", place, repository, ""))
    }

    fn order(under: &[&str], what: &str, place: &Place, repository: &Path, fault: &str) -> Command {
        let program = env!("CARGO_BIN_EXE_moult-drive");
        let mut command = match under {
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            [] => Command::new(program),
        };
        command
            .arg(what)
            .arg("--install")
            .arg(place.install())
            .arg("--repo")
            .arg(repository)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", place.folder.join("home"))
            .env("TMPDIR", place.folder.join("temporary"))
            .env("MOULT_DRIVE_LIFE", place.life.name())
            .current_dir(place.install());
        if !fault.is_empty() {
            command.env("MOULT_FAULT", fault);
        }
        command
    }

    /// One update, to its end or to the fault.
    pub(crate) fn update(&self, place: &Place, fault: &str) -> anyhow::Result<Ended> {
        self.drive(&[], "update", place, fault)
    }

    /// Whether the installation comes back by itself, and leaves all around it alone.
    pub(crate) fn check(&self, place: &Place) -> anyhow::Result<()> {
        let ended = self.drive(&[], "check", place, "")?;
        ensure!(
            ended.status.success(),
            "{} ({})",
            ended.words.trim(),
            ended.status
        );
        let around = place.around()?;
        ensure!(
            around.keys().eq(["home", "temporary"]),
            "something was left outside: {:?}",
            around.keys()
        );
        Ok(())
    }

    /// The points of an update that nothing disturbs.
    pub(crate) fn points(&self, life: Life) -> anyhow::Result<Vec<Line>> {
        let place = self.fresh(life)?;
        let log = place.folder.join("log");
        let ended = self.update(&place, &format!("log={}", log.display()))?;
        ensure!(
            ended.status.success(),
            "an undisturbed update failed: {}",
            ended.words
        );
        let lines = read_log(&log)?;
        place.remove()?;
        Ok(lines)
    }
}

impl Place {
    pub(crate) fn install(&self) -> PathBuf {
        self.folder.join("install")
    }

    pub(crate) fn life(&self) -> Life {
        self.life
    }

    /// What is like in all places where the same was done.
    pub(crate) fn likeness(&self) -> anyhow::Result<Digest> {
        likeness(&self.install())
    }

    pub(crate) fn remove(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| self.folder.display().to_string())
    }

    fn around(&self) -> anyhow::Result<BTreeMap<String, Option<Digest>>> {
        let mut around = tree::listing(&self.folder)?;
        around.retain(|name, _| name != "install" && !name.starts_with("install/"));
        Ok(around)
    }
}

impl Ended {
    /// Whether the system's killer ended it.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

/// What is like in all installations in which the same was done. The log says how things came, not how they are.
pub(crate) fn likeness(install: &Path) -> anyhow::Result<Digest> {
    tree::likeness(&install.join("data"), Look::Whole, &is_log)
}

/// The same in all that somebody decides by who comes after a kill.
pub(crate) fn decisive_likeness(install: &Path) -> anyhow::Result<Digest> {
    tree::likeness(&install.join("data"), Look::Decisive, &is_log)
}

fn is_log(name: &str) -> bool {
    name == "log" || name.starts_with("log/")
}

/// The lines of a log of points.
pub(crate) fn read_log(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn drive() -> Command {
    Command::new(env!("CARGO_BIN_EXE_moult-drive"))
}

fn stamp_text() -> anyhow::Result<String> {
    let program = Digest::of(&fs::read(env!("CARGO_BIN_EXE_moult-drive"))?);
    // The template trusts the keys of the fixtures, which are made anew now and then.
    let keys = share::folder()?
        .with_file_name("fixtures")
        .join("keys/public/root.json");
    let keys = Digest::of(&fs::read(keys).unwrap_or_default());
    let hours = std::time::UNIX_EPOCH.elapsed()?.as_secs() / 3600;
    Ok(format!("{program} {keys} {}", hours / 6))
}

fn finish(mut command: Command) -> anyhow::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} could not be started"))?;
    let mut stderr = child.stderr.take().context("no standard error")?;
    // What is said ends when the process does; a guard ends a process that does not.
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let id = rustix::process::Pid::from_child(&child);
    let guard = std::thread::spawn(move || {
        let begin = Instant::now();
        let late = wait.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        if late {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        (late, begin.elapsed())
    });
    let mut words = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut words)?;
    let status = child.wait()?;
    drop(done);
    match guard.join() {
        Ok((false, _)) => Ok(Ended { status, words }),
        Ok((true, after)) => bail!("no end after {} s: {}", after.as_secs(), words.trim()),
        Err(_) => bail!("the guard panicked"),
    }
}
