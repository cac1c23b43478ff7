//! Running programs that make or sign installers.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use moult_model::config::installer::Hook;

use super::InstallerError;

/// How much of what a program said is told.
const SAID: usize = 2000;

/// Runs a program to its end. Its output is told only if it fails.
///
/// `SOURCE_DATE_EPOCH` is set to `date`, so that what has no option for the time heeds it as well.
pub(super) fn run(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    folder: &Path,
    date: Option<i64>,
) -> Result<(), InstallerError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("SOURCE_DATE_EPOCH");
    if let Some(date) = date {
        command.env("SOURCE_DATE_EPOCH", date.to_string());
    }
    let output = command.output().map_err(|source| InstallerError::Start {
        program: program.to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = output.stdout;
    said.extend(output.stderr);
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(SAID)..])
        .trim()
        .to_owned();
    Err(InstallerError::Program {
        program: program.to_owned(),
        code: output
            .status
            .code()
            .map_or_else(|| output.status.to_string(), |code| code.to_string()),
        said,
    })
}

/// Runs the commands that sign a file.
pub(super) fn sign(hooks: &[Hook], file: &Path, folder: &Path) -> Result<(), InstallerError> {
    let name = file.to_string_lossy();
    for hook in hooks {
        let mut words = hook.iter().map(|word| word.replace("{file}", &name));
        // An empty command was refused with the configuration.
        if let Some(program) = words.next() {
            run(&program, words, folder, None)?;
        }
    }
    Ok(())
}
