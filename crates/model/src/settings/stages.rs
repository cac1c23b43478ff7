//! How long each stage of an update may take, and how often it is tried. It refuses to know what a
//! stage does.

use serde::{Deserialize, Serialize};

/// A stage of an update that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looking for what is new.
    Detect,
    /// Fetching patches or the full file.
    Download,
    /// Rebuilding, verifying and storing.
    Install,
    /// Deciding when the new version takes over: the user's time.
    Decide,
    /// Taking over, and the trial of a bundle. The trial of an executable is its launcher's.
    Confirm,
}

impl Stage {
    /// Every stage, in the order in which an update goes through them.
    pub const ALL: [Self; 5] = [
        Self::Detect,
        Self::Download,
        Self::Install,
        Self::Decide,
        Self::Confirm,
    ];
}

/// What holds for one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct StagePolicy {
    /// Seconds that one try may take, 0 for no limit. For a download: seconds without a single byte.
    pub timeout_seconds: u32,
    /// How often it is tried before it counts as failed: 1 to 10.
    pub tries: u32,
    /// The pause before the second try in milliseconds. It doubles before each further one.
    pub pause_ms: u32,
    /// The longest pause in milliseconds.
    pub longest_pause_ms: u32,
}

/// What holds for each stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Stages {
    /// For looking for what is new.
    pub detect: StagePolicy,
    /// For fetching.
    pub download: StagePolicy,
    /// For rebuilding, verifying and storing.
    pub install: StagePolicy,
    /// For deciding when the new version takes over.
    pub decide: StagePolicy,
    /// For taking over.
    pub confirm: StagePolicy,
}

impl StagePolicy {
    /// The longest time that can be asked for, in seconds: a day.
    pub const MOST_SECONDS: u32 = 86_400;
    /// The most tries.
    pub const MOST_TRIES: u32 = 10;
    /// The longest pause in milliseconds: an hour.
    pub const MOST_PAUSE_MS: u32 = 3_600_000;

    const fn of(timeout_seconds: u32, tries: u32) -> Self {
        Self {
            timeout_seconds,
            tries,
            pause_ms: 500,
            longest_pause_ms: 30_000,
        }
    }

    /// The same policy with each number moved into its range.
    #[must_use]
    pub fn in_range(self) -> Self {
        let longest_pause_ms = self.longest_pause_ms.min(Self::MOST_PAUSE_MS);
        Self {
            timeout_seconds: self.timeout_seconds.min(Self::MOST_SECONDS),
            tries: self.tries.clamp(1, Self::MOST_TRIES),
            pause_ms: self.pause_ms.min(longest_pause_ms),
            longest_pause_ms,
        }
    }
}

impl Stages {
    /// What holds for a stage.
    pub fn of(&self, stage: Stage) -> StagePolicy {
        match stage {
            Stage::Detect => self.detect,
            Stage::Download => self.download,
            Stage::Install => self.install,
            Stage::Decide => self.decide,
            Stage::Confirm => self.confirm,
        }
    }

    /// The same policies with each number moved into its range.
    #[must_use]
    pub fn in_range(self) -> Self {
        Self {
            detect: self.detect.in_range(),
            download: self.download.in_range(),
            install: self.install.in_range(),
            decide: self.decide.in_range(),
            confirm: self.confirm.in_range(),
        }
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            detect: StagePolicy::of(30, 3),
            download: StagePolicy::of(30, 3),
            install: StagePolicy::of(300, 3),
            decide: StagePolicy::of(0, 1),
            confirm: StagePolicy::of(600, 1),
        }
    }
}
