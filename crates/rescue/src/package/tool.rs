//! The system's package managers, started with nothing of the caller's. Refuses to know where the package
//! came from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::PackageError;
use super::copy::Kind;

/// How much of what a package manager says is kept, in bytes.
const SAID: usize = 2000;

/// Where the package managers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// dpkg.
    pub dpkg: PathBuf,
    /// Arguments that come first for dpkg.
    pub dpkg_arguments: Vec<String>,
    /// rpm.
    pub rpm: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            dpkg: "/usr/bin/dpkg".into(),
            dpkg_arguments: Vec::new(),
            rpm: "/usr/bin/rpm".into(),
        }
    }
}

impl Tools {
    pub(super) fn install(&self, kind: Kind, package: &Path) -> Result<(), PackageError> {
        let (tool, arguments) = match kind {
            // Nobody is there to be asked about a changed configuration file.
            Kind::Deb => (&self.dpkg, &["--force-confold", "--install"][..]),
            Kind::Rpm => (&self.rpm, &["--upgrade", "--quiet"][..]),
        };
        let mut command = Command::new(tool);
        if kind == Kind::Deb {
            command.args(&self.dpkg_arguments);
        }
        let output = command
            .args(arguments)
            .arg(package)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .map_err(|source| PackageError::Start {
                tool: tool.clone(),
                source,
            })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        let begin = (said.len().saturating_sub(SAID)..=said.len())
            .find(|at| said.is_char_boundary(*at))
            .unwrap_or(0);
        Err(PackageError::Tool {
            tool: tool.clone(),
            code: output.status.code().unwrap_or(-1),
            said: said[begin..].to_owned(),
        })
    }
}
