//! The one step that runs with an administrator's rights: it installs a system package that this
//! product's publisher signed, and nothing else.
//!
//! Whoever asks for it is not trusted, and neither is the digest that they name: it only says which file
//! they mean. What decides is the signature by the key that was compiled in, over a copy that nobody else
//! can reach. The copy is hashed while it is made and read again for its signature; the file that was
//! named is opened once and never again. A package below the installed version is refused, so that nobody
//! can bring a hole back with a signature of old.
//!
//! Every call leaves a line in the audit log before anything is installed, and another with its outcome.
//! This module refuses to know repositories, and what is in a package.

mod audit;
mod copy;
mod foreign;
mod tool;

use std::io;
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, Lock};
use moult_model::{Digest, Version};
use serde::Deserialize;

pub use tool::Tools;

use self::copy::Copy;

/// What could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// It was called without an administrator's rights.
    #[error("installing a package needs an administrator's rights")]
    NotAdministrator,
    /// The file is not named by its whole path.
    #[error("the package must be named by its whole path")]
    Relative,
    /// The file is not the caller's, has another digest, is not signed by this product's publisher, or is
    /// no package. It is not told which, so that nobody learns about files that they can't read.
    #[error("the file is not a package of this product's publisher that belongs to you")]
    Refused,
    /// The package is older than what is installed.
    #[error("the package has version {offered}, which is below the installed {installed}")]
    Older {
        /// The version of the package.
        offered: Version,
        /// The installed version.
        installed: Version,
    },
    /// Another installation is under way.
    #[error("another package is being installed")]
    Busy,
    /// The folder for the copy is not the administrator's alone.
    #[error("`{path}` is not the administrator's alone")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder or file could not be prepared.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The copy could not be made.
    #[error("`{path}` could not be written")]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The audit log could not be written, so nothing is installed.
    #[error("the audit log `{path}` could not be written")]
    Audit {
        /// The log.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system's package manager could not be started.
    #[error("`{tool}` could not be started")]
    Start {
        /// The program.
        tool: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system's package manager refused.
    #[error("`{tool}` ended with {code}: {said}")]
    Tool {
        /// The program.
        tool: PathBuf,
        /// Its exit code, or -1 if a signal ended it.
        code: i32,
        /// The end of what it said.
        said: String,
    },
}

/// The system that a package is installed in.
#[derive(Clone, Debug)]
pub struct System {
    /// Where the copy is made: a folder that nobody else can enter.
    pub work: PathBuf,
    /// The audit log.
    pub audit: PathBuf,
    /// Who asks for it, as a user's number.
    pub caller: u32,
    /// The packaged version that is installed, if there is one.
    pub installed: Option<Version>,
    /// The package managers.
    pub tools: Tools,
}

/// What was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The version, as it was signed.
    pub version: Version,
}

/// What the installer writes beside the packaged executable.
#[derive(Deserialize)]
struct Label {
    version: Version,
}

impl System {
    /// This computer. Fails without an administrator's rights.
    ///
    /// Of the environment only the caller's number is read, which `pkexec` and `sudo` set.
    pub fn real() -> Result<Self, PackageError> {
        if !rustix::process::geteuid().is_root() {
            return Err(PackageError::NotAdministrator);
        }
        // The caller's would be the package's files' otherwise.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let number = |name: &str| std::env::var(name).ok()?.parse().ok();
        Ok(Self {
            work: "/var/lib/moult".into(),
            audit: "/var/log/moult-packages.log".into(),
            caller: number("PKEXEC_UID").or_else(|| number("SUDO_UID")).unwrap_or(0),
            installed: installed(),
            tools: Tools::default(),
        })
    }
}

/// The version of the package that this program came with.
fn installed() -> Option<Version> {
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok()?;
    let bytes = std::fs::read(program.parent()?.join("moult-app.json")).ok()?;
    serde_json::from_slice(&bytes)
        .ok()
        .map(|label: Label| label.version)
}

/// Installs a package: `file` has `digest`, and beside it `<file>.sig` has its signature by `key`, both as
/// Tauri writes them. Returns when the package manager has ended.
pub fn install(file: &Path, digest: Digest, key: &str, system: &System) -> Result<Done, PackageError> {
    let request = audit::Request {
        caller: system.caller,
        file,
        digest,
    };
    let ended = attempt(&request, key, system);
    let outcome = match &ended {
        Ok(done) => format!("installed {}", done.version),
        Err(error) => format!("failed: {error}"),
    };
    audit::note(system, &request, &outcome)?;
    ended
}

fn attempt(request: &audit::Request<'_>, key: &str, system: &System) -> Result<Done, PackageError> {
    if !request.file.is_absolute() {
        return Err(PackageError::Relative);
    }
    copy::own_folder(&system.work)?;
    let Some(_held) = Lock::try_acquire(&system.work.join("lock"))? else {
        return Err(PackageError::Busy);
    };
    let signature = copy::signature_of(request.file, system.caller)?;
    let copy = Copy::make(request.file, system)?;
    if copy.digest() != request.digest {
        return Err(PackageError::Refused);
    }
    let signed = copy.read().and_then(|bytes| {
        moult_trust::signed_version(key, &signature, bytes).map_err(|_| PackageError::Refused)
    })?;
    let version = signed.ok_or(PackageError::Refused)?;
    if let Some(installed) = system.installed.clone().filter(|installed| version < *installed) {
        return Err(PackageError::Older {
            offered: version,
            installed,
        });
    }
    let kind = copy.kind()?;
    audit::note(system, request, &format!("installs {version}"))?;
    system.tools.install(kind, copy.path())?;
    Ok(Done { version })
}
