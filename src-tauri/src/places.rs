//! The folders, and what the launcher told this start.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use moult_boot::Place;
use moult_boot::place::Facts;

/// Where everything lies.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The data root: slots, bundles, settings, state.
    pub(crate) data: PathBuf,
    /// The executable that runs.
    pub(crate) executable: PathBuf,
    /// The folder with the packaged executable.
    pub(crate) install: PathBuf,
    /// The name of the slot that runs: `base` or one of the versions.
    pub(crate) slot: String,
    /// What the person should know about the place that the packaged version lies in, if anything.
    pub(crate) statement: Option<String>,
}

impl Places {
    /// Reads what the launcher set. Started by hand, the application uses a `data` folder beside itself,
    /// so that a build that is tried out never touches what is installed.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let executable = std::env::current_exe().context("the executable's own path is not known")?;
        let folder = executable.parent().unwrap_or_else(|| Path::new(".")).to_owned();
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let install = path("MOULT_INSTALL").unwrap_or_else(|| folder.clone());
        let data = path("MOULT_DATA").unwrap_or_else(|| folder.join("data"));
        let slot = std::env::var("MOULT_SLOT").unwrap_or_else(|_| "base".to_owned());
        let place = Place::of(&Facts::gather(&install, |name| std::env::var_os(name)));
        let statement = place.statement(&install).map(|statement| statement.to_string());
        Ok(Self {
            data,
            executable,
            install,
            slot,
            statement,
        })
    }

    /// The web engine's data of this slot. It goes with the slot; nothing of value is kept there.
    pub(crate) fn web(&self) -> PathBuf {
        self.data.join("web").join(&self.slot)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.data.join("log")
    }
}
