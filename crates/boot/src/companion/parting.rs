//! Replacing the launcher where a program that runs can't be replaced, as on Windows: its last act is to
//! start the one that waits, and that one takes the name as soon as it is free. Refuses to do anything that
//! was not tested before.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use moult_durable::{TwoCopy, rename_patiently, sync_dir};

use super::steps::{Names, keep};
use super::{Companions, LAUNCHER};
use crate::BootError;
use crate::base::digest_of;

/// What the one that waits is started with.
pub const TAKE_PLACE: &str = "--take-place";

/// A launcher's last act: starts the launcher that waits for its place, if there is one. Its end is not
/// waited for, since it waits for this process's.
pub fn last_act(install: &Path, data: &Path) -> Option<Child> {
    let record: TwoCopy<Companions> = TwoCopy::new(data, "companions");
    let pending = record.load().ok()??.get(LAUNCHER).pending?;
    let new = Names::of(install, LAUNCHER).new;
    if !pending.at_its_end || digest_of(&new).ok()? != pending.digest {
        return None;
    }
    let mut command = Command::new(new);
    command
        .arg(TAKE_PLACE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok()
}

/// Takes the place of the program whose name this one's is with `.new` behind it. The one before is kept.
/// If its place does not become free within seconds, everything stays as it is.
pub fn take_place(own: &Path) -> Result<(), BootError> {
    let refuse = || BootError::NotOurs {
        path: own.to_owned(),
        reason: "it does not wait for a place",
    };
    let (install, name) = waiting(own).ok_or_else(refuse)?;
    let names = Names::of(&install, &name);
    if names.new != own {
        return Err(refuse());
    }
    if digest_of(&names.previous).ok() != digest_of(&names.program).ok() {
        keep(&names)?;
    }
    rename_patiently(&names.new, &names.program)?;
    Ok(sync_dir(&install)?)
}

/// The folder and the name of the program that a path waits for.
fn waiting(own: &Path) -> Option<(PathBuf, String)> {
    let name = own.file_name()?.to_str()?;
    let name = name
        .strip_suffix(std::env::consts::EXE_SUFFIX)?
        .strip_suffix(".new")
        .filter(|name| !name.is_empty())?;
    Some((own.parent()?.to_owned(), name.to_owned()))
}
