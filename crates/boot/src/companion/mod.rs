//! Replacing the programs beside the application: the launcher and the rescue.
//!
//! Each release of the application carries the two that it was tested with. They take the place of the
//! installed ones on their own: never with the application, never while one is on trial, one in a start,
//! and only after a start in which the application was confirmed already. What is replaced is kept under
//! another name. This module refuses to know where the bytes come from; they are covered by the
//! application's signature.
//!
//! ```text
//! Same | Waiting -> Staged -> Tested -> Replaced -> Settled
//!                                    -> AtItsEnd -> Replaced by its last act
//! ```
//! [`machine`] decides from what is on the disk, `steps` carries out. At each moment the program's name
//! leads to the whole old file or the whole new one.
//!
//! A launcher that passes its test and fails all the same can't be taken back by itself: nothing is left
//! that could. `moult.previous` beside it is the one before, to be renamed by hand, and installing the
//! package again puts everything right.

pub mod machine;
mod parting;
mod probe;
mod record;
mod steps;

#[cfg(all(test, unix))]
mod tests;

use std::path::Path;

use moult_durable::TwoCopy;
use moult_model::{Digest, Version};

pub use parting::{TAKE_PLACE, last_act, take_place};
pub use probe::{SELF_TEST, SelfTest, Tested};
pub use record::{Companions, Known, Pending};

pub(crate) use probe::run_app_image as probe_app_image;
pub(crate) use steps::exchange;

use self::machine::Stage;
use crate::{BootError, StartToken, Store, WriteRight};

/// The launcher's name in the install folder, without what a system adds to names of programs.
pub const LAUNCHER: &str = "moult";
/// The rescue's.
pub const RESCUE: &str = "moult-rescue";

/// A program that the running application carries.
#[derive(Clone, Copy, Debug)]
pub struct Embedded<'a> {
    /// Its name in the install folder: [`LAUNCHER`] or [`RESCUE`].
    pub name: &'a str,
    /// What it calls itself when it is tested.
    pub program: &'a str,
    /// Its version. A lower one than the installed is never put in its place.
    pub version: &'a Version,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Where a program stands after a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: Stage,
}

/// Brings the programs beside the application up to date, as far as it is time: at most one is replaced in
/// a call. To be called once in each start, when the application has been in good order for a while.
///
/// `start` names this start, and `right` shows that nobody else is at work. A folder that can't be written
/// is no error: the package looks after it ([`Stage::NotOurs`]). After an error the old program is in its
/// place, whole, and a later call goes on.
pub fn settle(
    store: &Store,
    right: &WriteRight,
    install: &Path,
    embedded: &[Embedded<'_>],
    start: &StartToken,
) -> Result<Vec<Settled>, BootError> {
    let own = crate::Place::of(&crate::place::Facts::gather(install, |name| {
        std::env::var_os(name)
    }))
    .is_own();
    settle_with(store, right, install, embedded, start, own, &probe::run)
}

/// As [`settle`], with the answer to whether the folder is the user's own, and a way to test a program.
fn settle_with(
    store: &Store,
    right: &WriteRight,
    install: &Path,
    embedded: &[Embedded<'_>],
    start: &StartToken,
    own: bool,
    probe: &SelfTest<'_>,
) -> Result<Vec<Settled>, BootError> {
    right.check()?;
    let record = TwoCopy::new(store.root(), "companions");
    let mut companions: Companions = match record.load() {
        Ok(known) => known.unwrap_or_default(),
        // What was tried and refused is forgotten; nothing else depends on it.
        Err(moult_durable::DurableError::BothCopiesUnreadable { .. }) => Companions::default(),
        Err(error) => return Err(error.into()),
    };
    let boot = store.state()?;
    let mut replaced = false;
    let mut settled = Vec::new();
    for one in embedded {
        let before = companions.get(one.name);
        let digest = Digest::of(one.bytes);
        let (known, ready) = before.clone().seen(digest, start, boot.trial.is_none());
        let folder = steps::Folder {
            install,
            own,
            ready: ready && !replaced,
            packaged: &store.base().version,
            data: store.root(),
            probe,
        };
        let (stage, known) = folder.settle(one, digest, known)?;
        replaced |= stage == Stage::Replaced;
        if known != before {
            companions.set(one.name, known);
            record.store(&companions)?;
        }
        settled.push(Settled {
            name: one.name.to_owned(),
            stage,
        });
    }
    Ok(settled)
}
