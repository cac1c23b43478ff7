//! What the launcher is told by its place, its arguments and its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Deadlines;
use crate::layout::{AUTOMATION_VARIABLE, data_root};
use crate::{BootError, launcher};

/// `name=milliseconds` pairs for tests (see [`Deadlines`]); heeded only under automation.
const DEADLINES_VARIABLE: &str = "MOULT_LAUNCHER_DEADLINES_MS";

/// What the launcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder with the packaged executable.
    pub install: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// The arguments for the application.
    pub arguments: Vec<OsString>,
    /// Whether the web view can be automated.
    pub automation: bool,
    /// How long to wait for what.
    pub deadlines: Deadlines,
}

impl Settings {
    /// The settings of this process.
    pub fn from_process() -> Result<Self, launcher::Ending> {
        let advice = "Nothing was changed.";
        let path = std::env::current_exe().and_then(whole);
        let path = path.map_err(|source| {
            launcher::Ending::failed(
                &BootError::Read {
                    path: PathBuf::from("moult"),
                    source,
                },
                advice,
            )
        })?;
        let install = path.parent().map_or_else(PathBuf::new, PathBuf::from);
        Self::new(install, std::env::args_os().skip(1).collect(), |name| {
            std::env::var_os(name)
        })
        .map_err(|error| launcher::Ending::failed(&error, advice))
    }

    fn new(
        install: PathBuf,
        arguments: Vec<OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, BootError> {
        let automation = variable(AUTOMATION_VARIABLE).is_some_and(|value| value == "1");
        let overrides = variable(DEADLINES_VARIABLE).filter(|_| automation);
        let deadlines = match overrides {
            Some(text) => Deadlines::default().overridden(&text.to_string_lossy()),
            None => Deadlines::default(),
        };
        Ok(Self {
            data: data_root(variable, &install)?,
            install,
            arguments,
            automation,
            deadlines,
        })
    }
}

/// A path without links: one installation has one name. On Windows the system names a program by a path
/// without links already, and other programs do not take the form that a path without links has there.
fn whole(path: PathBuf) -> std::io::Result<PathBuf> {
    if cfg!(windows) {
        Ok(path)
    } else {
        path.canonicalize()
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't build its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_heeded_only_under_automation() {
        for (automation, heeded) in [("1", true), ("0", false), ("", false)] {
            let variable = |name: &str| match name {
                "MOULT_DATA" => Some("/data".into()),
                "MOULT_AUTOMATION" => Some(automation.into()),
                "MOULT_LAUNCHER_DEADLINES_MS" => Some("paint=1".into()),
                _ => None,
            };
            let settings = Settings::new("/install".into(), Vec::new(), variable).unwrap();
            assert_eq!(settings.deadlines != Deadlines::default(), heeded, "{automation}");
            assert_eq!(settings.automation, heeded, "{automation}");
        }
    }
}
