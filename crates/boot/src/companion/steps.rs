//! Carries out what the machine says about one program. Each step is one change of a name, or a file that
//! nothing leads to yet.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, fs};
use moult_model::{Digest, Version};

use super::machine::{Facts, Stage, Step, next};
use super::{Embedded, Known, LAUNCHER, SelfTest, Tested};
use crate::BootError;
use crate::base::digest_of;

/// The most steps of one call: staging, test, keeping, exchange, clean-up, and clean-ups before.
const STEPS: usize = 8;

/// Where the programs lie, and what is known of the moment.
pub(super) struct Folder<'a> {
    pub(super) install: &'a Path,
    pub(super) own: bool,
    pub(super) ready: bool,
    pub(super) packaged: &'a Version,
    pub(super) data: &'a Path,
    pub(super) probe: &'a SelfTest<'a>,
}

/// The names of one program.
pub(super) struct Names {
    pub(super) program: PathBuf,
    /// What is to take its place; after an exchange, what was in its place.
    pub(super) new: PathBuf,
    pub(super) previous: PathBuf,
    /// A second name on its way to be `previous`.
    keeping: PathBuf,
}

impl Names {
    pub(super) fn of(install: &Path, name: &str) -> Self {
        // Windows runs only what is named as a program.
        let path = |addition: &str| install.join(format!("{name}{addition}{}", std::env::consts::EXE_SUFFIX));
        Self {
            program: path(""),
            new: path(".new"),
            previous: path(".previous"),
            keeping: path(".keeping"),
        }
    }
}

impl Folder<'_> {
    /// Goes as far as it is time to, and tells where the program stands.
    pub(super) fn settle(
        &self,
        one: &Embedded<'_>,
        embedded: Digest,
        mut known: Known,
    ) -> Result<(Stage, Known), BootError> {
        let names = Names::of(self.install, one.name);
        let (mut tested, mut replaced) = (false, false);
        for _ in 0..STEPS {
            let installed = digest_of(&names.program).ok();
            let facts = Facts {
                installed,
                staged: digest_of(&names.new).ok(),
                kept: digest_of(&names.previous).ok(),
                leftover: is_there(&names.keeping),
                embedded,
                version: one.version,
                installed_version: match &known.placed {
                    Some(placed) if Some(placed.digest) == installed => &placed.version,
                    // It came with the package.
                    _ => self.packaged,
                },
                own: self.own,
                ready: self.ready,
                refused: known.is_refused(&embedded),
                tested,
            };
            match next(&facts) {
                Step::Stage => stage(&names, one.bytes)?,
                // It passed already, and its place was not free.
                Step::Test if known.waits_for_its_end(embedded) => return Ok((Stage::AtItsEnd, known)),
                Step::Test => match (self.probe)(&names.new, one.program, self.data) {
                    Tested::Passed => tested = true,
                    Tested::NotNow => return Ok((Stage::Waiting, known)),
                    Tested::Failed => {
                        remove(&names.new)?;
                        return Ok((Stage::Refused, known.failed(embedded)));
                    }
                },
                Step::Keep => keep(&names)?,
                Step::Exchange => match exchange(&names.new, &names.program) {
                    Ok(()) => replaced = true,
                    Err(error) if !is_in_use(&error) => return Err(error),
                    // The launcher runs as long as this does; others end by themselves.
                    Err(_) if one.name == LAUNCHER => return Ok((Stage::AtItsEnd, known.at_its_end())),
                    Err(_) => return Ok((Stage::Waiting, known)),
                },
                Step::CleanUp => {
                    remove(&names.new)?;
                    remove(&names.keeping)?;
                }
                Step::End(Stage::Settled) => {
                    let stage = if replaced { Stage::Replaced } else { Stage::Settled };
                    return Ok((stage, known.placed(embedded, one.version)));
                }
                Step::End(stage) => {
                    if stage == Stage::NotHigher || stage == Stage::NotOurs {
                        known.pending = None;
                    }
                    return Ok((stage, known));
                }
            }
        }
        // What was just done did not last: the disk is not to be trusted now.
        Ok((Stage::Waiting, known))
    }
}

/// Writes the new program whole, and waits until it is on the disk.
fn stage(names: &Names, bytes: &[u8]) -> Result<(), BootError> {
    remove(&names.new)?;
    let path = || names.new.clone();
    let mut file = fs::create_new_with_mode(&names.new, 0o755)
        .map_err(|source| DurableError::Create { path: path(), source })?;
    file.write_all(bytes)
        .map_err(|source| DurableError::Write { path: path(), source })?;
    file.sync()
        .map_err(|source| DurableError::Sync { path: path(), source })?;
    drop(file);
    // Whatever the process's mask took away.
    fs::set_mode(&names.new, 0o755).map_err(|source| BootError::Permissions { path: path(), source })
}

/// Gives the installed program the name of the one before. Its own name stays as it is.
pub(super) fn keep(names: &Names) -> Result<(), BootError> {
    remove(&names.keeping)?;
    fs::link(&names.program, &names.keeping).map_err(|source| DurableError::Create {
        path: names.keeping.clone(),
        source,
    })?;
    Ok(moult_durable::rename(&names.keeping, &names.previous)?)
}

/// Lets the new program and the installed one change places. Where the system can't, the new one's name is
/// put over the old one's; the old file goes on as `previous`.
pub(crate) fn exchange(new: &Path, program: &Path) -> Result<(), BootError> {
    if is_there(program) {
        match fs::exchange(new, program) {
            Ok(()) => return Ok(moult_durable::sync_dir(folder_of(program))?),
            Err(error) if is_not_offered(&error) => {}
            Err(source) => {
                return Err(BootError::Durable(DurableError::Rename {
                    from: new.to_owned(),
                    to: program.to_owned(),
                    source,
                }));
            }
        }
    }
    moult_durable::rename_patiently(new, program)?;
    Ok(moult_durable::sync_dir(folder_of(program))?)
}

/// Whether a program could not be replaced because it runs, or because somebody else holds its file.
fn is_in_use(error: &BootError) -> bool {
    match error {
        BootError::Durable(DurableError::Held { .. }) => true,
        BootError::Durable(DurableError::Rename { source, .. }) => {
            source.kind() == io::ErrorKind::PermissionDenied
        }
        _ => false,
    }
}

/// Whether the system or the file system does not know how to exchange two names.
fn is_not_offered(error: &io::Error) -> bool {
    if matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
    ) {
        return true;
    }
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        [Errno::NOSYS, Errno::INVAL, Errno::NOTSUP]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    false
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn remove(path: &Path) -> Result<(), BootError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BootError::Remove {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
