//! What the user may choose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, Subject};

/// How an update of the executable is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Restarts by itself when nobody is typing.
    #[default]
    Silent,
    /// Asks first.
    Prompt,
    /// Installs when the user quits.
    OnQuit,
}

/// The settings file, `settings.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the repository is, ending in `/`. What comes from there is believed only if it is signed.
    pub repository: String,
    /// The channel that everything follows which has none of its own.
    pub channel: Channel,
    /// Channels of single subjects.
    #[ts(type = "Record<string, string>")]
    pub channels: BTreeMap<Subject, Channel>,
    /// How the executable is updated.
    pub mode: Mode,
    /// Seconds between two checks: 60 to 86,400, and from 1 in a test set-up.
    pub check_every_seconds: u32,
    /// The look.
    pub theme: Theme,
}

/// The look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// High contrast.
    HighContrast,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            repository: String::new(),
            channel: Channel::stable(),
            channels: BTreeMap::new(),
            mode: Mode::default(),
            check_every_seconds: 300,
            theme: Theme::default(),
        }
    }
}

impl Settings {
    /// The channel that a subject follows.
    pub fn channel_of(&self, subject: &Subject) -> &Channel {
        self.channels.get(subject).unwrap_or(&self.channel)
    }
}
