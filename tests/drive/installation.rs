//! An installed version with its data: where things are, and what was compiled into it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use moult_boot::launcher::{self, Deadlines, Starting};
use moult_boot::{Base, Installed, Store};
use moult_model::{Channel, Settings, Subject};
use moult_trust::Anchor;
use moult_update::EngineConfig;
use moult_update::fetch::{Folder, Limits, Repository};

use crate::application::Running;

/// The folder with what a real build has compiled in: the trust files and the target triple.
pub(crate) const BUILD: &str = "build";

/// An installed version, its data folder, and the repository that it follows.
#[derive(Debug)]
pub(crate) struct Installation {
    install: PathBuf,
    repository: PathBuf,
    channel: Option<Channel>,
}

impl Installation {
    /// Names what is to be used. Both folders must be there.
    pub(crate) fn open(install: &Path, repository: &Path, channel: Option<Channel>) -> anyhow::Result<Self> {
        let whole = |path: &Path| fs::canonicalize(path).with_context(|| path.display().to_string());
        Ok(Self {
            install: whole(install)?,
            repository: whole(repository)?,
            channel,
        })
    }

    /// The same, following another channel.
    pub(crate) fn following(&self, channel: Channel) -> Self {
        Self {
            install: self.install.clone(),
            repository: self.repository.clone(),
            channel: Some(channel),
        }
    }

    pub(crate) fn install(&self) -> &Path {
        &self.install
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.install.join("data")
    }

    /// The widget that it shows.
    pub(crate) fn widget() -> anyhow::Result<Subject> {
        Ok("w/moult/notes".parse()?)
    }

    pub(crate) fn base(&self) -> anyhow::Result<Base> {
        Ok(Base::from_install(&self.install)?)
    }

    /// What the user chose, with the channel that this run was told.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let path = self.data().join("settings.json");
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        let mut settings: Settings = serde_json::from_slice(&bytes).context("the settings can't be read")?;
        if let Some(channel) = &self.channel {
            settings.channel = channel.clone();
        }
        Ok(settings)
    }

    /// The repository, in this process. Bytes are written in small pieces, so that there are some.
    pub(crate) fn repository(&self, settings: &Settings) -> Repository {
        let limits = Limits {
            piece: 4 * 1024,
            beat: None,
            ..Limits::default()
        };
        Repository::in_folder(Folder::new(&self.repository), &settings.repository, limits)
    }

    /// What the engine is told by a build that runs as `running`.
    pub(crate) fn engine(&self, running: Installed, executable: &Path) -> anyhow::Result<EngineConfig> {
        let build = self.install.join(BUILD);
        let read = |name: &str| fs::read(build.join(name)).with_context(|| name.to_owned());
        let text = |name: &str| Ok::<_, anyhow::Error>(String::from_utf8(read(name)?)?.trim().to_owned());
        Ok(EngineConfig {
            data: self.data(),
            base: self.base()?,
            triple: text("triple")?,
            anchor: Anchor {
                root: read("root.json")?,
                floor: serde_json::from_slice(&read("floor.json")?)?,
                minisign: text("minisign.pub")?,
            },
            running,
            executable: executable.to_owned(),
            host_api: moult_model::HOST_API,
            check_jitter_percent: 0,
        })
    }

    /// What a process knows of itself that was started like this. A real build has its version compiled in.
    pub(crate) fn running(&self, start: &Starting<'_>) -> anyhow::Result<Running> {
        let state = Store::open(&self.data(), self.base()?)?.state()?;
        let slot = state.slot(start.slot).context("what starts is not listed")?;
        Ok(Running {
            installed: Installed {
                version: slot.version.clone(),
                digest: slot.digest,
            },
            executable: start.executable.to_owned(),
            on_trial: start.on_trial,
            start: start.start.clone(),
        })
    }

    /// What the launcher is told.
    pub(crate) fn launcher(&self) -> launcher::Settings {
        launcher::Settings {
            install: self.install.clone(),
            data: self.data(),
            arguments: Vec::new(),
            automation: false,
            deadlines: Deadlines::default(),
        }
    }
}
