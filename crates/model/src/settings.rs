//! What the user may choose. It refuses to know where that is kept.
//!
//! The file outlives the version that wrote it: a rollback lets an older version read it, an update a
//! newer one. So each value is read on its own. What a version does not understand costs that one value,
//! and is written back unchanged.

mod delivery;
mod stages;

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use delivery::{ClockTime, ClockTimeError, Delivery, QuietHours};
pub use stages::{Stage, StagePolicy, Stages};

use crate::{Channel, Subject, tolerant};

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
    /// Is there at the next start, whenever that is, and however this one ends.
    NextStart,
}

/// The settings file, `settings.json`.
#[derive(Clone, Debug, PartialEq, ts_rs::TS)]
pub struct Settings {
    /// Where the repository is, ending in `/`. What comes from there is believed only if it is signed.
    pub repository: String,
    /// The channel that everything follows which has none of its own.
    pub channel: Channel,
    /// Channels of single subjects.
    #[ts(type = "Record<string, string>")]
    pub channels: BTreeMap<Subject, Channel>,
    /// Versions that single subjects stay at, or go to.
    #[ts(type = "Record<string, string>")]
    pub pins: BTreeMap<Subject, Version>,
    /// How the executable is updated.
    pub mode: Mode,
    /// Seconds between two checks: 60 to 86,400, and from 1 in a test set-up.
    pub check_every_seconds: u32,
    /// The look.
    pub theme: Theme,
    /// How long each stage of an update may take, and how often it is tried.
    pub stages: Stages,
    /// How many earlier versions of each part are kept to be returned to: 1 to 20.
    pub keep_versions: u8,
    /// How much the downloads on their way may take, in megabytes: 64 to 65,536.
    pub staging_limit_mb: u32,
    /// Hours after which an update that was put off is asked for again: 1 to 720.
    pub remind_after_hours: u32,
    /// Minutes without any input after which an update that waits for long is installed unasked: 1 to 1,440.
    pub idle_minutes: u32,
    /// How bytes come to this computer.
    pub delivery: Delivery,
    /// What this version does not understand, in the shape of the file. It is written back.
    #[ts(skip)]
    pub other: Map<String, Value>,
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

/// The values that this version understands: the wire shape, without what is kept for others.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Known {
    repository: String,
    channel: Channel,
    channels: BTreeMap<Subject, Channel>,
    pins: BTreeMap<Subject, Version>,
    mode: Mode,
    check_every_seconds: u32,
    theme: Theme,
    stages: Stages,
    keep_versions: u8,
    staging_limit_mb: u32,
    remind_after_hours: u32,
    idle_minutes: u32,
    delivery: Delivery,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            repository: String::new(),
            channel: Channel::stable(),
            channels: BTreeMap::new(),
            pins: BTreeMap::new(),
            mode: Mode::default(),
            check_every_seconds: 300,
            theme: Theme::default(),
            stages: Stages::default(),
            keep_versions: 3,
            staging_limit_mb: 1024,
            remind_after_hours: 24,
            idle_minutes: 10,
            delivery: Delivery::default(),
        }
    }
}

impl From<(Known, Map<String, Value>)> for Settings {
    fn from((known, other): (Known, Map<String, Value>)) -> Self {
        Self {
            repository: known.repository,
            channel: known.channel,
            channels: known.channels,
            pins: known.pins,
            mode: known.mode,
            check_every_seconds: known.check_every_seconds,
            theme: known.theme,
            stages: known.stages,
            keep_versions: known.keep_versions,
            staging_limit_mb: known.staging_limit_mb,
            remind_after_hours: known.remind_after_hours,
            idle_minutes: known.idle_minutes,
            delivery: known.delivery,
            other,
        }
    }
}

impl From<&Settings> for Known {
    fn from(settings: &Settings) -> Self {
        Self {
            repository: settings.repository.clone(),
            channel: settings.channel.clone(),
            channels: settings.channels.clone(),
            pins: settings.pins.clone(),
            mode: settings.mode,
            check_every_seconds: settings.check_every_seconds,
            theme: settings.theme,
            stages: settings.stages,
            keep_versions: settings.keep_versions,
            staging_limit_mb: settings.staging_limit_mb,
            remind_after_hours: settings.remind_after_hours,
            idle_minutes: settings.idle_minutes,
            delivery: settings.delivery.clone(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        (Known::default(), Map::new()).into()
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tolerant::write(&Known::from(self), &self.other).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Settings {
    /// Fails only if it is no JSON object at all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        Ok(tolerant::read::<Known>(given).into())
    }
}

impl Settings {
    /// The channel that a subject follows.
    pub fn channel_of(&self, subject: &Subject) -> &Channel {
        self.channels.get(subject).unwrap_or(&self.channel)
    }

    /// The same settings with each number moved into its range, and a `/` at the end of the address. So a
    /// file that somebody wrote by hand, or another version, costs nothing else.
    #[must_use]
    pub fn in_range(mut self) -> Self {
        if !self.repository.is_empty() && !self.repository.ends_with('/') {
            self.repository.push('/');
        }
        self.check_every_seconds = self.check_every_seconds.clamp(1, 86_400);
        self.stages = self.stages.in_range();
        self.keep_versions = self.keep_versions.clamp(1, 20);
        self.staging_limit_mb = self.staging_limit_mb.clamp(64, 65_536);
        self.remind_after_hours = self.remind_after_hours.clamp(1, 720);
        self.idle_minutes = self.idle_minutes.clamp(1, 1_440);
        self.delivery = self.delivery.in_range();
        self
    }
}

#[cfg(test)]
#[path = "settings/tests.rs"]
mod tests;
