//! How a widget is built: by its own command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::DevError;

/// The command that builds a widget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Build {
    /// A line for the shell of the system.
    Line(String),
    /// What is in the folder is what goes into the bundle.
    Nothing,
}

impl Build {
    /// The command that is named, else the script `build` of package.json. A folder without one needs no build.
    pub fn of(folder: &Path, named: Option<&str>) -> Result<Self, DevError> {
        if let Some(line) = named {
            return Ok(Self::Line(line.to_owned()));
        }
        let path = folder.join("package.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(source) => {
                return Err(DevError::System {
                    what: format!("`{}` can't be read", path.display()),
                    source,
                });
            }
        };
        let package: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let script = package["scripts"]["build"].as_str();
        script
            .map(|line| Self::Line(line.to_owned()))
            .ok_or_else(|| DevError::NoBuild {
                folder: folder.to_owned(),
            })
    }

    /// Whether what is built lies apart from what it is built of.
    pub(super) fn output(&self) -> bool {
        matches!(self, Self::Line(_))
    }

    /// Builds. What the command said is the error, if it failed.
    pub(super) fn run(&self, folder: &Path) -> Result<Result<(), String>, DevError> {
        let Self::Line(line) = self else {
            return Ok(Ok(()));
        };
        let failed = |source| DevError::System {
            what: format!("`{line}` can't be started"),
            source,
        };
        let mut command = shell(line);
        command
            .current_dir(folder)
            .env("PATH", path_with_tools(folder))
            // Colours would be read out as letters over the tile.
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0")
            .stdin(Stdio::null());
        let output = command.output().map_err(failed)?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        Ok(Err(if said.is_empty() {
            format!("`{line}` ended with {}", output.status)
        } else {
            said
        }))
    }
}

/// The same as npm gives to a script, without the time that npm takes: the tools of the project come first.
fn path_with_tools(folder: &Path) -> std::ffi::OsString {
    let tools = std::path::absolute(folder)
        .unwrap_or_else(|_| folder.to_owned())
        .join("node_modules/.bin");
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = std::iter::once(tools)
        .chain(std::env::split_paths(&old))
        .collect();
    std::env::join_paths(all).unwrap_or(old)
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut command = Command::new("cmd");
    command.raw_arg(format!("/d /s /c \"{line}\""));
    command
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_that_of_the_project_unless_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Build::of(folder.path(), None).unwrap(), Build::Nothing);
        let package = folder.path().join("package.json");
        std::fs::write(&package, r#"{"scripts":{"build":"node build.mjs"}}"#).unwrap();
        assert_eq!(
            Build::of(folder.path(), None).unwrap(),
            Build::Line("node build.mjs".to_owned())
        );
        assert_eq!(
            Build::of(folder.path(), Some("make")).unwrap(),
            Build::Line("make".to_owned())
        );
        std::fs::write(&package, "{}").unwrap();
        assert!(Build::of(folder.path(), None).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_a_build_that_fails_says_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let run = |line: &str| Build::Line(line.to_owned()).run(folder.path()).unwrap();
        assert_eq!(run("true"), Ok(()));
        assert_eq!(run("echo broken >&2; exit 3"), Err("broken".to_owned()));
        assert!(run("exit 3").unwrap_err().contains("exit 3"));
    }
}
