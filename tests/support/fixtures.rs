//! What every test starts from: real builds of the application, the launcher, the command line, the
//! shell and the widgets, and keys that the builds trust.
//!
//! It is made once and made anew only when a source it comes from has changed. A lock keeps test
//! processes that start together from making it twice.

mod build;
mod logic;
mod stamp;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use moult_durable::Lock;
use moult_model::Digest;

use stamp::{Stamp, digest_of_sources};

/// The builds and keys, in `target/fixtures`.
#[derive(Clone, Debug)]
pub struct Fixtures {
    workspace: PathBuf,
    target: PathBuf,
    folder: PathBuf,
    triple: String,
    /// Changes when the keys or the command line change: what was published before is of no use then.
    generation: Digest,
}

/// A build of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppBuild {
    /// Its version.
    pub version: &'static str,
    /// The fault it was given on purpose.
    pub fault: Option<&'static str>,
}

/// The builds of the application. The first is what gets installed.
pub const APP_BUILDS: [AppBuild; 4] = [
    AppBuild {
        version: "0.1.0",
        fault: None,
    },
    AppBuild {
        version: "0.1.1",
        fault: None,
    },
    AppBuild {
        version: "0.1.2",
        fault: Some("crash-at-start"),
    },
    AppBuild {
        version: "0.1.3",
        fault: Some("hang-at-start"),
    },
];

/// The versions of the widget with logic: the name here, its publisher and version, what its logic is told at its build, and
/// whether it must run in the shadow of the one before.
pub const COUNTERS: [(&str, &str, &str, &str, bool); 5] = [
    ("counter-1.0.0", "moult", "1.0.0", "first", false),
    ("counter-1.1.0", "moult", "1.1.0", "second", false),
    ("counter-1.2.0", "moult", "1.2.0", "different", true),
    ("counter-1.3.0", "moult", "1.3.0", "equal", true),
    ("other-counter-1.0.0", "other", "1.0.0", "first", false),
];

/// The versions of the shell.
pub const SHELL_VERSIONS: [&str; 2] = ["0.1.0", "0.2.0"];

/// With this in the environment what was made once is used, whatever has changed since: for work on the
/// tests themselves while the product changes.
const AS_THEY_ARE: &str = "MOULT_FIXTURES_AS_THEY_ARE";

/// The widgets: the name here, and the built folder in the workspace.
pub const WIDGETS: [(&str, &str); 5] = [
    ("clock", "widgets/clock/dist"),
    ("system", "widgets/system/dist"),
    ("notes-1.1.0", "widgets/notes/dist"),
    ("notes-1.0.0", "tests/fixtures/notes-1.0.0/dist"),
    ("notes-bad", "tests/fixtures/notes-bad/dist"),
];

const TOOL_SOURCES: &[&str] = &[
    "Cargo.toml",
    "crates/model",
    "crates/durable",
    "crates/delta",
    "crates/trust",
    "crates/boot",
    "crates/sandbox",
    "crates/publish",
    "sdk",
];
/// What decides the form of keys and repositories. Builds that trust the keys take long: they are not made
/// anew for a change elsewhere.
const KEY_SOURCES: &[&str] = &["crates/model/src", "crates/trust/src"];
const UI_SOURCES: &[&str] = &[
    "package.json",
    "package-lock.json",
    "ui",
    "sdk",
    "widgets",
    "tests/fixtures",
];
const LOGIC_SOURCES: &[&str] = &[
    "Cargo.toml",
    "crates/model/src",
    "crates/durable/src",
    "crates/sandbox/src",
    "crates/logic",
    "sdk/rust",
    "sdk/wit",
];
const APP_SOURCES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "crates/model",
    "crates/durable",
    "crates/delta",
    "crates/trust",
    "crates/boot",
    "crates/handover",
    "crates/update",
    "crates/sandbox",
    "src-tauri",
];

impl Fixtures {
    /// Makes what is missing or out of date. The first time this takes minutes; its progress goes to `say`.
    pub fn ensure(say: &mut dyn FnMut(&str)) -> anyhow::Result<Self> {
        let (fixtures, lock) = Self::open(say)?;
        let ui = digest_of_sources(&fixtures.workspace, UI_SOURCES, &[])?;
        let app = digest_of_sources(&fixtures.workspace, APP_SOURCES, &[ui])?;
        let logic = digest_of_sources(&fixtures.workspace, LOGIC_SOURCES, &[ui])?;
        fixtures.step("ui", ui, say, "shell and widgets", || build::ui(&fixtures))?;
        fixtures.step(
            "logic",
            logic,
            say,
            "the widget with logic, and what runs it",
            || logic::build(&fixtures),
        )?;
        for one in APP_BUILDS {
            let what = format!("the application {}", one.version);
            let step = format!("app-{}", one.version);
            fixtures.step(&step, app, say, &what, || build::app(&fixtures, one))?;
        }
        drop(lock);
        Ok(fixtures)
    }

    /// Makes the command line, the launcher and the keys only: enough to publish.
    pub fn ensure_tools(say: &mut dyn FnMut(&str)) -> anyhow::Result<Self> {
        Ok(Self::open(say)?.0)
    }

    fn open(say: &mut dyn FnMut(&str)) -> anyhow::Result<(Self, Lock)> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("no workspace")?
            .to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let folder = target.join("fixtures");
        fs::create_dir_all(folder.join("stamps")).with_context(|| folder.display().to_string())?;
        let lock = Lock::acquire(&folder.join("lock"))?;
        let generation = digest_of_sources(&workspace, TOOL_SOURCES, &[])?;
        let fixtures = Self {
            workspace,
            target,
            folder,
            triple: host_triple()?,
            generation,
        };
        let keys = digest_of_sources(&fixtures.workspace, KEY_SOURCES, &[])?;
        let what = "the command line and the launcher";
        fixtures.step("tools", generation, say, what, || build::tools(&fixtures))?;
        build::configuration(&fixtures)?;
        fixtures.step("keys", keys, say, "keys and an empty repository", || {
            build::keys(&fixtures)
        })?;
        Ok((fixtures, lock))
    }

    fn step(
        &self,
        name: &str,
        wanted: Digest,
        say: &mut dyn FnMut(&str),
        what: &str,
        make: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let stamp = Stamp::new(self.folder.join("stamps").join(name));
        if stamp.is(wanted) || (stamp.exists() && std::env::var_os(AS_THEY_ARE).is_some()) {
            return Ok(());
        }
        say(&format!("making {what}"));
        stamp.clear()?;
        make().with_context(|| format!("could not make {what}"))?;
        stamp.set(wanted)
    }

    /// The workspace's folder.
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// `target/fixtures`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The host's target triple: what everything is built for.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// Changes when what was published before can't be used any more.
    pub fn generation(&self) -> Digest {
        self.generation
    }

    /// The command line.
    pub fn moult(&self) -> PathBuf {
        self.folder.join("bin/moult")
    }

    /// The launcher.
    pub fn launcher(&self) -> PathBuf {
        self.folder.join("bin/moult-launcher")
    }

    /// The program that runs widget logic.
    pub fn sandbox(&self) -> PathBuf {
        self.folder.join("bin/moult-sandbox")
    }

    /// The stripped executable of one version.
    pub fn app(&self, version: &str) -> PathBuf {
        self.folder.join("app").join(version).join("moult-app")
    }

    /// The built shell of one version.
    pub fn shell(&self, version: &str) -> PathBuf {
        self.folder.join("shell").join(version)
    }

    /// A built widget, by its name in [`WIDGETS`].
    pub fn widget(&self, name: &str) -> PathBuf {
        self.folder.join("widgets").join(name)
    }

    /// A widget as swaps are tried with it (`tests/fixtures/swap`): `notes-90.0.0`, or `notes-` and a fault.
    pub fn probed(&self, name: &str) -> PathBuf {
        self.folder.join("swap").join(name)
    }

    /// The public half of the keys: what the application is built with.
    pub fn trust(&self) -> PathBuf {
        self.folder.join("keys/public")
    }
}

fn host_triple() -> anyhow::Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("rustc could not be started")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}
