//! Where things are: the install folder and the data folder. Refuses to know what is in them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use moult_model::Digest;

use crate::{BootError, SlotName};

/// The data folder. It names an existing folder in place of the user's own.
pub const DATA_VARIABLE: &str = "MOULT_DATA";
/// The install folder, told to the application.
pub const INSTALL_VARIABLE: &str = "MOULT_INSTALL";
/// The slot that runs, told to the application.
pub const SLOT_VARIABLE: &str = "MOULT_SLOT";
/// Random hexadecimal digits that name one start, told to the application.
pub const START_TOKEN_VARIABLE: &str = "MOULT_START_TOKEN";
/// The number of the inherited descriptor that leads to the launcher, told to the application.
pub const LAUNCHER_FD_VARIABLE: &str = "MOULT_LAUNCHER_FD";
/// Which messages the launcher knows, told to the application: `2` for those of a hand-over. Without it
/// there is no hand-over: the application ends, and the launcher starts what is due.
pub const PROTOCOL_VARIABLE: &str = "MOULT_LAUNCHER_PROTOCOL";
/// The address and the token of the one that hands over, with a space between them, told to the
/// application that is started beside it.
pub const HAND_OVER_VARIABLE: &str = "MOULT_HAND_OVER";
/// `1` makes the web view's automation available at each start, and lets deadlines be set.
pub const AUTOMATION_VARIABLE: &str = "MOULT_AUTOMATION";

/// The application's executable in the install folder and in each slot.
pub fn executable_name() -> String {
    format!("moult-app{}", std::env::consts::EXE_SUFFIX)
}

/// The data folder for an installation: `MOULT_DATA`, else `data` beside the executable if that
/// exists (a portable installation), else the user's own folder for such data.
///
/// `variable` looks up an environment variable.
pub fn data_root(variable: impl Fn(&str) -> Option<OsString>, install: &Path) -> Result<PathBuf, BootError> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = set(DATA_VARIABLE) {
        return std::path::absolute(&folder).map_err(|source| BootError::Read { path: folder, source });
    }
    let portable = install.join("data");
    if portable.is_dir() {
        return Ok(portable);
    }
    let own = if cfg!(windows) {
        set("LOCALAPPDATA").map(|folder| folder.join("Moult"))
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Application Support/Moult"))
    } else {
        // A relative XDG folder is to be ignored, says its specification.
        set("XDG_DATA_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".local/share")))
            .map(|folder| folder.join("moult"))
    };
    own.ok_or(BootError::NoDataFolder)
}

/// The paths below one data folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
    pub(crate) versions: PathBuf,
    pub(crate) bundles: PathBuf,
    pub(crate) staging: PathBuf,
    pub(crate) run: PathBuf,
    pub(crate) log: PathBuf,
    /// The web engine's data, a folder for each slot. The application makes them.
    pub(crate) web: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            versions: root.join("versions"),
            bundles: root.join("bundles"),
            staging: root.join("staging"),
            run: root.join("run"),
            log: root.join("log"),
            web: root.join("web"),
        }
    }

    pub(crate) fn folders(&self) -> [&Path; 6] {
        [
            &self.root,
            &self.versions,
            &self.bundles,
            &self.staging,
            &self.run,
            &self.log,
        ]
    }

    pub(crate) fn slot_folder(&self, slot: &SlotName) -> PathBuf {
        self.versions.join(slot.as_str())
    }

    pub(crate) fn slot_executable(&self, slot: &SlotName) -> PathBuf {
        self.slot_folder(slot).join(executable_name())
    }

    pub(crate) fn slot_lock(&self, slot: &str) -> PathBuf {
        self.run.join(format!("{slot}.lock"))
    }

    pub(crate) fn store_lock(&self) -> PathBuf {
        self.root.join("state.lock")
    }

    pub(crate) fn writer_lock(&self) -> PathBuf {
        self.run.join("writer.lock")
    }

    pub(crate) fn bundle(&self, digest: &Digest) -> PathBuf {
        self.bundles.join(format!("{digest}.bundle"))
    }
}

#[cfg(all(test, unix, not(target_os = "macos")))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    /// The environment, the install folder, the data folder.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a Path, PathBuf);

    #[test]
    fn the_data_folder_is_looked_up_in_order() {
        let plain = tempfile::tempdir().unwrap();
        let portable = tempfile::tempdir().unwrap();
        std::fs::create_dir(portable.path().join("data")).unwrap();
        let table: [Case<'_>; 6] = [
            (
                &[("MOULT_DATA", "/d"), ("HOME", "/h")],
                portable.path(),
                "/d".into(),
            ),
            (&[("HOME", "/h")], portable.path(), portable.path().join("data")),
            (
                &[("XDG_DATA_HOME", "/x"), ("HOME", "/h")],
                plain.path(),
                "/x/moult".into(),
            ),
            (
                &[("XDG_DATA_HOME", "x"), ("HOME", "/h")],
                plain.path(),
                "/h/.local/share/moult".into(),
            ),
            (
                &[("MOULT_DATA", ""), ("HOME", "/h")],
                plain.path(),
                "/h/.local/share/moult".into(),
            ),
            (
                &[("MOULT_DATA", "here")],
                plain.path(),
                std::env::current_dir().unwrap().join("here"),
            ),
        ];
        for (variables, install, expected) in table {
            let look_up = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| OsString::from(value))
            };
            assert_eq!(data_root(look_up, install).unwrap(), expected, "{variables:?}");
        }
        assert!(matches!(
            data_root(|_| None, plain.path()),
            Err(BootError::NoDataFolder)
        ));
    }
}
